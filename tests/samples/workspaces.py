"""What support and installers are told of other workspaces; links to stores and their requests; and what is shown no more."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from commands.copying import DONE, ELSEWHERE
from commands.losing import LOST
from commands.sheets import WAITING
from commands.workspace_endings import tell_ending
from commands.workspaces import tell
from services import linking
from services.model.audiences import LASTS
from services.model.workspaces import Workspace, WorkspaceState
from tests.desks import STRANGER, SUPPORT, Bench
from tests.samples.sample import Sample, in_message, owed
from tests.unit.commands_world import desk_of, make_bench
from tests.unit.sheet_world import messages

THERE, LINK = "T2OTHER", "https://certdesk.example.test/slack/install"


def news() -> Iterator[Sample]:
    """Yield what is told of a workspace that comes, comes and goes, loses its token, and is not known any more."""
    for state in WorkspaceState:
        for times in (1, 3):
            bench, installed = _installed()
            with bench.storage.write() as tx:
                if state is not WorkspaceState.ACTIVE:
                    left = tx.workspaces.leave(THERE, state, bench.now + timedelta(days=1))
                    assert left is not None
                    installed = left
                for _ in range(times):
                    tell(tx, desk_of(bench), installed, bench.now)
            yield from owed(desk_of(bench))
    bench, installed = _installed()
    with bench.storage.write() as tx:
        tell(tx, desk_of(bench), replace(installed, team="T3GONE"), bench.now)
    yield from owed(desk_of(bench))


def endings() -> Iterator[Sample]:
    """Yield what is told of a token that cannot be renewed, while it works, once it does not, and when all is well again."""
    for after in ("", "left", "again"):
        bench, installed = _installed()
        with bench.storage.write() as tx:
            ending = tx.workspaces.install(replace(installed, expires_at=bench.now + timedelta(hours=5)))
            tell_ending(tx, desk_of(bench), ending, THERE, LINK, bench.now)
            if after == "left":
                assert tx.workspaces.leave(THERE, WorkspaceState.REVOKED, bench.now + timedelta(days=1))
            if after == "again":
                tx.workspaces.install(installed)
        yield from owed(desk_of(bench))


def _installed() -> tuple[Bench, Workspace]:
    bench = make_bench()
    made = Workspace(THERE, "", "Second & Sons", "UBOT", b"sealed", f"{THERE}/U0INSTALL", bench.now)
    with bench.storage.write() as tx:
        return bench, tx.workspaces.install(made)


def requests() -> Iterator[Sample]:
    """Yield a request for a link: open, approved, declined, run out; and what the asker is told."""
    for end in ("open", "yes", "no", "late"):
        bench = make_bench()
        linking.ask(desk_of(bench), STRANGER.person, "moon", "C1")
        bench.now += timedelta(minutes=1)  # when support is told, chance says
        [asked] = messages(bench)
        if end in ("yes", "no"):
            request = str(asked.body["request"])
            linking.decide(desk_of(bench), request, SUPPORT.person, approved=end == "yes")
        if end == "late":
            bench.now += LASTS
        yield from in_message(desk_of(bench), asked)
        yield from owed(desk_of(bench))


def endmost() -> Iterator[Sample]:
    """Yield what stands where something is not shown any more, and where nothing can be shown yet."""
    yield from (Sample("message", one) for one in (LOST, ELSEWHERE, DONE))
    yield Sample("sheet note", WAITING)
