"""Long waits: whatever a certificate waits for, and whatever changes meanwhile, it is tried again while that can help."""

from datetime import timedelta

from services.model.lifecycle import State
from services.model.pacing import Breaker
from services.model.settings import CaSettings, Renewing
from services.renewal import breaker
from tests.building import Built

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NAME = "moon.test"


def limits(ca: str, **counted: tuple[int, timedelta]) -> dict[str, CaSettings]:
    return {ca: CaSettings(ca, f"https://{ca}.test/dir", limits=counted)}


def test_a_target_that_comes_back_after_what_waited_for_it_went_on_does_not_hold_up_orders() -> None:
    built = Built(names_of_cas=("first",))
    left = Breaker("target edge", ("a", "b", "c"), built.now, "deploy.failed", "full", built.now, built.now)
    with built.storage.write() as tx:
        tx.breakers.put(left)
    built.add_many(20)
    built.advance(10 * MINUTE)
    assert not built.ca.orders  # those that have been ordered may still come to try it
    built.advance(breaker.ABANDONED)
    assert {one.state for one in built.all} == {State.INSTALLED}
    assert built.breaker("target edge") is None


def test_a_wait_for_a_budget_ends_where_the_ca_is_the_judge_however_seldom_the_watch_looks() -> None:
    built = Built(
        names_of_cas=("first",),
        limits=limits("first", set=(1, 90 * DAY)),
        renewing=Renewing(watch=timedelta(days=30)),
    )
    built.ca.lifetime = 60 * DAY
    built.add(NAME)
    first = built.settle().not_after
    assert first is not None
    built.advance(50 * DAY + HOUR)
    assert len(built.ca.orders) == 2
    assert built.one.not_after != first
