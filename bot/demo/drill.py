"""`certdesk drill mass-revocation`: a CA wants a whole fleet replaced at once, and certdesk is killed in the middle of it."""

import signal
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from bot.demo import message, session
from bot.demo import world as demo_world
from bot.demo.parts import fetch, nginx
from bot.demo.parts.process import Running
from bot.demo.sample import ALERTS, Sample
from bot.demo.session import Signals
from bot.demo.stage import PlayError, shaken
from bot.demo.transcript import Transcript
from bot.demo.world import World
from services.model.certificates import Certificate
from services.model.clock import utc_now
from services.model.jobs import Counts, Job, JobState
from services.model.lifecycle import State
from services.ports import Storage
from storage.database import Database

CA = "pebble"
URL = "https://status.ca.test/incidents/42"
"""Where the CA says why."""
LATE = "late.test"
"""A name that is added while the CA's certificates are being replaced."""
MANY = 3
"""So many are a plan here; usually it takes more."""
WIDTH = 2
PATIENCE = 300.0
"""Seconds that one scene may take."""
_LOOKS = 0.1
_HOSTED = "$TTL 60\n@ SOA ns1.platform.test. host.platform.test. 1 60 60 600 60\n@ NS ns1.platform.test.\n@ A 127.0.0.1\n"


def mass_revocation(stores: int, cache: Path = fetch.CACHE) -> int:
    """Play it for so many stores; return 0 only if every certificate was replaced and is served.

    Else 1, with the reason told, or 128 and the number of the signal that ended it. Parts are fetched into ``cache``.
    """
    transcript = Transcript()

    def act(folder: Path, stack: ExitStack, signals: Signals) -> None:
        transcript.head(
            "certdesk drill mass-revocation",
            "a CA revokes many certificates at once; on real parts, all on this machine",
        )
        settings = {"renewal": {"many": MANY, "plan_width": WIDTH, "lease_seconds": 5}}
        world = demo_world.start(folder, stack, transcript, cache, sample=platform(stores), more=settings)
        storage = Database.open(world.database_url)
        stack.callback(storage.close)
        Drill(world, storage, stack, transcript, signals.check).play()

    code, _ = session.perform(act, transcript, "The drill")
    return code


def names_of(stores: int) -> tuple[str, ...]:
    """Return the names that have a certificate when the CA revokes them: one for each store."""
    return tuple(f"shop{number:02}.test" for number in range(1, stores + 1))


def platform(stores: int) -> Sample:
    """Return a platform of so many stores with a name each, and one more store whose name comes later."""
    names = (*names_of(stores), LATE)
    rows = "".join(
        f"s{number:02},active,en,s{number:02}.shops.test,true\ns{number:02},active,en,{name},false\n"
        for number, name in enumerate(names, 1)
    )
    hosted = {"platform.test": _HOSTED + "ns1 A 127.0.0.1\nedge A 127.0.0.1\n"}
    return Sample(
        stores="store,status,locale,domain,default\n" + rows,
        zones={**hosted, **dict.fromkeys(names, _HOSTED + "www A 127.0.0.1\n")},
        pages={name: nginx.store_page(name) for name in names},
    )


def ended(job: Job, counts: Counts) -> None:
    """Raise PlayError unless the plan has replaced all that was in it."""
    if job.state is not JobState.DONE or counts.failed or counts.left:
        raise PlayError(f"the plan ended as {job.state}, with {counts.failed} certificates not replaced")


@dataclass
class Drill:
    """The scenes, told as they happen; ``checked`` raises when somebody wants it to stop."""

    world: World
    storage: Storage
    stack: ExitStack
    transcript: Transcript
    checked: Callable[[], None]

    def __post_init__(self) -> None:
        self._certdesk: Running = self.world.certdesk
        self._last = ""
        self._names = tuple(name for name in self._known() if name != LATE)

    def play(self) -> None:
        """Play every scene. Raises PlayError for the first that does not end as it should."""
        before = self._issued()
        self._recalled()
        self._replaced()
        self._served(before)
        self._told()
        self.transcript.head(f"All {len(before)} certificates were replaced and are served.")

    def _known(self) -> list[str]:
        with self.storage.read() as tx:
            return sorted(
                domain.name
                for store in tx.stores.all()
                for domain in tx.stores.domains(store.id)
                if not domain.default
            )

    # --- the scenes

    def _issued(self) -> Mapping[str, str]:
        """Let every store have its certificate; return name -> serial number."""
        self.transcript.head("1  Every store gets its certificate", "certdesk ssl add --file names.csv")
        path = self.world.folder / "names.csv"
        path.write_text("".join(f"{name}\n" for name in self._names))
        demo_world.run(self.world.environment, "ssl", "add", "--file", str(path))
        with self.transcript.live("certdesk issues"):
            self._until(
                lambda: len(self._installed()) == len(self._names), "not every store has a certificate"
            )
        serials = {name: str(row.serial) for name, row in self._installed().items()}
        self._all_served(serials)
        self.transcript.done(f"{len(serials)} certificates are installed, and served by the edge")
        return serials

    def _recalled(self) -> None:
        """Let the CA say of all of them that the time to renew is past, and certdesk ask about the first of them."""
        self.transcript.head(
            "2  The CA has to revoke them all",
            "its renewal information (RFC 9773) says that the time to renew is past",
        )
        now = utc_now()
        rows = self._installed()
        for row in rows.values():
            with self.storage.read() as tx:
                revision = tx.certificates.revision(row.installed or "")
            if revision is None or revision.chain is None:
                raise PlayError(f"the certificate of {row.name} has no chain")
            start = now - timedelta(hours=2)
            self.world.ca.set_renewal_info(revision.chain, start, start + timedelta(hours=1), URL)
        self.transcript.done(f"pebble says so of {len(rows)} certificates, and why: {URL}")
        for row in sorted(rows.values(), key=lambda row: row.domain)[:MANY]:
            with self.storage.write() as tx:
                tx.certificates.ask(replace(row, ari_after=now, run_after=now, updated_at=now))
        self.transcript.done(
            f"certdesk asks every six hours: {MANY} certificates are just due; it knows of no other"
        )

    def _replaced(self) -> None:
        """Follow the plan to its end; kill certdesk in the middle, and add a name."""
        self.transcript.head(
            "3  certdesk replaces them", f"{MANY} at once are a plan here, {WIDTH} at work at a time"
        )
        began = time.monotonic()
        plan = self._found(began)
        self._follow(plan, began, lambda _, counts: counts.finished >= len(self._names) // 3)
        self._certdesk.signal(signal.SIGKILL)
        self._until(lambda: not self._certdesk.alive, "certdesk did not end")
        self._note(began, "certdesk is killed (kill -9)")
        self._certdesk = self.stack.enter_context(
            demo_world.started(self.world.folder, self.world.environment, self.world.web)
        )
        self._note(began, "certdesk is started again: the plan goes on where it was")
        self._added(plan, began)
        self._follow(plan, began, lambda job, _: job.over)
        ended(*self._plan(plan))

    def _found(self, began: float) -> str:
        """Return the plan's id once there is one."""
        with self.transcript.live("certdesk asks the CA"):
            self._until(lambda: bool(self._plan_id()), "certdesk has made no plan")
        self._note(began, "certdesk has made a plan, and asks the CA about its whole fleet")
        return self._plan_id()

    def _added(self, plan: str, began: float) -> None:
        """Let another store have its first certificate while the plan is at work."""
        asked = time.monotonic()
        demo_world.run(self.world.environment, "ssl", "add", LATE)
        self._note(began, f"another store asks for its first certificate: {LATE}")
        with self.transcript.live("certdesk issues"):
            self._until(
                lambda: LATE in self._installed(), f"{LATE} has no certificate", followed=plan, began=began
            )
        waiting = self._plan(plan)[1].left
        took = time.monotonic() - asked
        self._note(began, f"{LATE} has it after {took:.1f} s; {waiting} of the plan are still to come")

    def _served(self, before: Mapping[str, str]) -> None:
        self.transcript.head("4  TLS handshakes with the edge", f"for each of {len(before)} names")
        rows = self._installed()
        same = sorted(name for name, serial in before.items() if rows[name].serial == serial)
        if same:
            raise PlayError(f"not replaced: {', '.join(same)}")
        self._all_served({name: str(rows[name].serial) for name in before})
        self.transcript.done(
            "every name is served with another serial than before, by a chain to the CA's root"
        )

    def _told(self) -> None:
        """Show the one message that people had."""
        if self.world.slack is None:
            return
        slack = self.world.slack
        self.transcript.head("5  What people read", "in #ssl-alerts")

        def final() -> bool:
            return any("wanted" in str(posted.get("text", "")) for posted in slack.messages(ALERTS))

        self._until(final, "the message does not say that it is over")
        posted = slack.messages(ALERTS)
        self.transcript.done(f"{len(posted)} message, edited in place from the beginning to the end:")
        for one in posted:
            self.transcript.quote("certdesk", message.lines(one))
        if len(posted) != 1:
            raise PlayError(f"there are {len(posted)} messages in the channel, and one was to be")

    # --- looks

    def _installed(self) -> dict[str, Certificate]:
        """Return name -> certificate of those that are at rest and installed."""
        with self.storage.read() as tx:
            rows = tx.certificates.listing(limit=1000)
        return {row.name: row for row in rows if row.state is State.INSTALLED and row.problem is None}

    def _all_served(self, serials: Mapping[str, str]) -> None:
        for name, serial in serials.items():
            self.checked()
            seen = shaken(self.world, name).serial
            if seen != serial:
                raise PlayError(f"the edge serves serial {seen} for {name}, not {serial}")

    def _plan_id(self) -> str:
        with self.storage.read() as tx:
            return tx.recalls.plan(CA)

    def _plan(self, plan: str) -> tuple[Job, Counts]:
        with self.storage.read() as tx:
            job = tx.jobs.get(plan)
            if job is None:
                raise PlayError("the plan is gone")
            return job, tx.jobs.counts(plan)

    def _follow(self, plan: str, began: float, enough: Callable[[Job, Counts], bool]) -> None:
        """Tell of each change of the plan until it is ``enough``."""
        with self.transcript.live("certdesk replaces"):
            self._until(
                lambda: enough(*self._plan(plan)), "the plan did not go on", followed=plan, began=began
            )

    def _until(
        self, look: Callable[[], bool], otherwise: str, *, followed: str = "", began: float = 0.0
    ) -> None:
        """Return as soon as ``look`` holds, with each change of the plan ``followed`` told. Raises PlayError after 300 seconds."""
        end = time.monotonic() + PATIENCE
        self._last = self._last or self._said(followed)
        while not look():
            self.checked()
            if time.monotonic() > end:
                raise PlayError(
                    f"{otherwise} within {PATIENCE:.0f} s; certdesk's log ends: {self._certdesk.tail()}"
                )
            time.sleep(_LOOKS)
            self._tell(followed, began)
        self._tell(followed, began)  # the last change may be what was waited for

    def _tell(self, plan: str, began: float) -> None:
        """Tell how the plan stands, if that is something else than what was told last."""
        if plan and (now := self._said(plan)) != self._last:
            self._last = now
            self._note(began, now)

    def _said(self, plan: str) -> str:
        if not plan:
            return ""
        job, counts = self._plan(plan)
        replaced = counts.done + counts.skipped
        return f"plan of {job.total}: {replaced} replaced, {counts.begun} at work, {counts.waiting} not begun"

    def _note(self, began: float, text: str) -> None:
        self.transcript.done(f"{time.monotonic() - began:6.1f} s  {text}")
