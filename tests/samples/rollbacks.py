"""A roll-back as it gets on, and what says of it afterwards that what is installed was put back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from commands.dispatch import dispatch
from services.model.lifecycle import State
from tests.desks import MOON, SUPPORT, Bench, finding
from tests.samples.sample import Sample, in_message, viewed
from tests.unit.approval_world import ask, message
from tests.unit.commands_world import desk_of, make_bench
from tests.unit.home_world import HomeWorld
from tests.unit.test_commands_revoke import issue
from tests.unit.test_commands_rollback import NEW, OLD, SHOP, approve, deployed


def twice() -> Bench:
    """Return a world in which a second certificate is installed, and the first could be put back."""
    bench = make_bench()
    dispatch(f"add {SHOP} www.moon.test", SUPPORT, bench.desk)
    for serial in (OLD, NEW):
        bench.install(SHOP, serial=serial)
        issue(bench)
        bench.now += timedelta(days=1)
    return bench


def got_on() -> Iterator[Sample]:
    """Yield the message of a roll-back at every stage, and status and Home after it."""
    bench = twice()
    asked = ask(bench, f"rollback {SHOP}", SUPPORT)
    approve(bench, asked)
    row = bench.certificate(SHOP)
    yield from _shown(bench, asked)
    failing = replace(row.attempt, faults=1)
    bench.change(SHOP, problem=finding("deploy.failed", SHOP), attempt=failing)
    yield from _shown(bench, asked)
    bench.change(SHOP, state=State.VERIFYING, problem=None, attempt=row.attempt)
    yield from _shown(bench, asked)
    deployed(bench, problem=finding("deploy.not_served", SHOP))
    yield from _shown(bench, asked)
    bench.change(SHOP, problem=None)
    yield from _shown(bench, asked)
    for caller in (SUPPORT, MOON):
        yield Sample("message answer", dispatch(f"status {SHOP}", caller, desk_of(bench)).reply)
    yield from viewed([HomeWorld(bench).open(MOON).seen.page])
    again = ask(bench, f"renew {SHOP}", SUPPORT)
    yield from in_message(desk_of(bench), message(bench, f"approval:{again}"))
    bench.install(SHOP, serial="0f", rollback=None)
    yield from _shown(bench, asked)


def ended_otherwise() -> Iterator[Sample]:
    """Yield one that was called off, the questions near the end of a lifetime, and why there is none."""
    bench = twice()
    asked = ask(bench, f"rollback {SHOP}", SUPPORT)
    approve(bench, asked)
    bench.change(SHOP, state=State.INSTALLED, next=None, rollback=None)
    yield from _shown(bench, asked)
    for days in (71, 10, 8):
        bench.now += timedelta(days=days)
        outcome = dispatch(f"rollback {SHOP}", SUPPORT, desk_of(bench))
        yield Sample("message answer", outcome.reply)
    bench = make_bench()
    dispatch(f"add {SHOP}", SUPPORT, bench.desk)
    yield Sample("message answer", dispatch(f"rollback {SHOP}", SUPPORT, desk_of(bench)).reply)
    bench.install(SHOP)
    issue(bench)
    yield Sample("message answer", dispatch(f"rollback {SHOP}", SUPPORT, desk_of(bench)).reply)


def _shown(bench: Bench, asked: str) -> Iterator[Sample]:
    yield from in_message(desk_of(bench), message(bench, f"approval:{asked}"))
