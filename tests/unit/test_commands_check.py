"""/ssl check: a dry run that changes no certificate; what it sees first, the watch looks at at once."""

from datetime import datetime, timedelta

import pytest

from commands.caller import Caller
from commands.dispatch import dispatch
from services import fleet, overview
from services.issuance import adding
from services.model.lifecycle import State
from services.model.sight import EVERY
from storage.memory import MemoryStorage
from tests.building import Built
from tests.desks import MOON, SUPPORT, Bench, finding
from tests.unit.approval_world import said

SHOP, APEX = "shop.moon.test", "moon.test"


@pytest.fixture
def bench() -> Bench:
    made = Bench(MemoryStorage())
    made.store("moon", SHOP, APEX)
    adding.add(made.desk, [SHOP, APEX], store=None, visible=EVERY, actor="T1/U1")
    return made


def looks_at(bench: Bench) -> datetime | None:
    with bench.storage.read() as tx:
        return tx.watches.next_due()


def checked(bench: Bench, caller: Caller = SUPPORT) -> str:
    """Return what `/ssl check` says."""
    return said(dispatch(f"check {SHOP}", caller, bench.desk).reply)


@pytest.mark.parametrize("caller", [SUPPORT, MOON], ids=lambda one: one.role)
def test_what_a_check_finds_first_is_looked_at_by_the_watch_at_once(bench: Bench, caller: Caller) -> None:
    """Else check, status, alerts and forecast would contradict one another until the next day."""
    before = bench.install(SHOP)
    bench.now += timedelta(hours=1)
    bench.checker.says[SHOP] = (finding("access.refused", SHOP),)
    assert "what it still sees 10 minutes later becomes an alert" in checked(bench, caller)
    assert looks_at(bench) == bench.now
    assert bench.certificate(SHOP) == before


def test_what_is_well_again_is_looked_at_too_and_what_is_known_is_not(bench: Bench) -> None:
    known = finding("access.refused", SHOP)
    bench.install(SHOP)
    bench.change(SHOP, [known, finding("dns.lame", APEX)])
    planned = looks_at(bench)
    bench.now += timedelta(hours=1)
    bench.checker.says[SHOP] = (known,)
    assert "That is new" not in checked(bench)
    assert looks_at(bench) == planned
    bench.checker.says.clear()
    assert "That is new" not in checked(bench)
    assert looks_at(bench) == bench.now


def test_a_check_of_what_waits_brings_nothing_forward(bench: Bench) -> None:
    planned = looks_at(bench)
    before = bench.change(SHOP, state=State.NEEDS_SUPPORT, run_after=None)
    bench.now += timedelta(hours=1)
    bench.checker.says[SHOP] = (finding("access.refused", SHOP),)
    assert "That is new" not in checked(bench)
    assert (looks_at(bench), bench.certificate(SHOP)) == (planned, before)


def test_the_watch_then_says_what_the_check_said_and_spends_nothing() -> None:
    built = Built(watching=True)
    built.add(APEX)
    built.settle()
    built.advance(timedelta(hours=6))
    built.checker.says[APEX] = (finding("access.refused", APEX),)
    seen = overview.check(built.desk, APEX, visible=EVERY)
    assert seen.blocked
    assert fleet.look_again(built.desk, seen)
    built.advance(timedelta(seconds=1))
    status = overview.describe(built.desk, APEX, visible=EVERY)
    assert (status.label, [f.code for f in status.findings]) == (overview.CANNOT_RENEW, ["access.refused"])
    assert len(built.ca.orders) == 1
    assert not fleet.look_again(built.desk, overview.check(built.desk, APEX, visible=EVERY))
