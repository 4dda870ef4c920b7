"""Mass revocation by a CA: windows in the past become one plan, told once, paced, resumed, and never in others' way."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.model.certificates import Window
from services.model.jobs import Counts, ItemState, JobState
from services.model.lifecycle import State
from services.model.settings import CaSettings
from services.model.stores import Store
from services.recalling import carrying, plan
from services.renewal import runner
from tests.building import START
from tests.unit.recall_world import CHANNEL, MANY, URL, fleet

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LOOKED = 7 * HOUR
"""By then every certificate was looked at again."""


def test_few_are_renewed_at_once_as_ever_and_nobody_is_told() -> None:
    built = fleet()
    before = built.serials
    few = built.all[: MANY - 1]
    built.recall(few)
    built.advance(LOOKED)
    renewed = {one.domain for one in few}
    assert {domain for domain, serial in built.serials.items() if serial != before[domain]} == renewed
    assert not built.jobs
    assert not built.messages
    [said] = [h.details for h in built.history_of(few[0]) if h.what == "renewal_due"]
    assert str(said) == f"first wants it replaced now: {URL}"


def test_many_become_one_plan_that_is_told_once_and_replaces_them_all() -> None:
    built = fleet()
    before = built.serials
    built.recall(built.all)
    built.advance(LOOKED)
    assert all(serial != before[domain] for domain, serial in built.serials.items())
    assert built.plan.state is JobState.DONE
    assert built.counts == Counts(
        done=6
    )  # with those that were renewed at once, as nobody could know of the others
    [message] = built.messages
    assert (message.channel, message.follows) == (CHANNEL, (built.plan.id,))
    assert built.plan.what["because"] == URL
    assert len(built.ca.orders) == 12  # each once
    assert all(one.state is State.INSTALLED and one.problem is None for one in built.all)
    built.advance(3 * DAY)
    assert len(built.ca.orders) == 12
    assert len(built.messages) == 1


def test_the_first_ones_have_the_ca_asked_about_all_others_at_once() -> None:
    """Each is asked about every six hours; a CA that revokes within a day leaves no time for that."""
    built = fleet(count=10)
    built.advance(HOUR)
    for number, one in enumerate(sorted(built.all, key=lambda one: one.id)):  # far from each other
        with built.storage.write() as tx:
            row = tx.certificates.get(one.id)
            assert row is not None
            at = built.now + (number + 1) * 20 * MINUTE
            assert tx.certificates.ask(replace(row, ari_after=at, run_after=at, updated_at=built.now))
    before = built.serials
    built.recall(built.all)
    built.advance((MANY + 1) * 20 * MINUTE)
    assert all(serial != before[domain] for domain, serial in built.serials.items())
    assert built.plan.state is JobState.DONE
    assert built.counts.done == 10


def test_those_that_are_looked_at_at_the_same_moment_begin_a_plan_too() -> None:
    """Each of them was judged before the others were saved, so that all went at once: the others must be found all the same."""
    built = fleet(count=8)
    first = sorted(built.all, key=lambda one: one.id)[:MANY]
    built.recall(built.all)
    built.advance(HOUR)
    with built.storage.write() as tx:
        held = [tx.certificates.claim_one(one.id, built.now, built.renewing.lease) for one in first]
    due = [replace(one, ari_after=built.now) for one in held if one is not None]
    moves = [(one, runner.perform(built.parts, one)) for one in due]
    assert {move.what for _, move in moves} == {"renewal_due"}
    for one, move in moves:
        runner.save(built.parts, one, move, keep=False)
    assert built.plan.state is JobState.RUNNING
    built.advance(10 * MINUTE)
    assert built.plan.over
    assert built.counts == Counts(done=8)


def test_those_that_expire_first_come_first() -> None:
    built = fleet(count=8)
    days = {one.id: number % 4 for number, one in enumerate(built.all)}
    for one in built.all:
        with built.storage.write() as tx:
            row, revision = tx.certificates.get(one.id), tx.certificates.revision(one.installed or "")
            assert row is not None
            assert row.not_after is not None
            assert revision is not None
            assert revision.not_after is not None
            tx.certificates.put_revision(replace(revision, not_after=revision.not_after - days[one.id] * DAY))
    built.recall(built.all)
    built.limits["first"] = spent_ca()  # so that none is begun, and the order can be seen
    built.advance(LOOKED)
    waiting = built.items(ItemState.WAITING)
    assert len(waiting) == 8 - (MANY - 1)
    assert [days[item.certificate] for item in waiting] == sorted(
        (days[item.certificate] for item in waiting), reverse=True
    )


@pytest.mark.parametrize(
    ("tags", "visits"),
    [
        ((), 0),
        (("asia", "traffic:12000"), 12_000),
        (("traffic:7", "traffic:12"), 12),
        (("traffic:", "traffic:many", "traffic:-3", "traffic:1.5", "traffic:²"), 0),
    ],
)
def test_a_stores_tags_say_how_busy_it_is(tags: tuple[str, ...], visits: int) -> None:
    assert plan.traffic(tags) == visits


def test_the_busiest_come_first_and_of_about_the_same_what_expires_first() -> None:
    soon, late = START + DAY, START + 80 * DAY
    quiet_soon, quiet_late = plan.place(0, soon), plan.place(0, late)
    busy_late, as_busy_soon = plan.place(1000, late), plan.place(900, soon)
    assert as_busy_soon < busy_late < plan.place(100, soon) < quiet_soon < quiet_late
    assert 0 <= plan.place(10**30, START) < plan.place(0, START + 10**5 * DAY) < 2**63


def test_a_plan_takes_the_busiest_stores_first() -> None:
    built = fleet(count=8)
    with built.storage.write() as tx:
        tx.stores.put(Store("moon", tags=("traffic:5",)))
    built.recall(built.all)
    built.limits["first"] = spent_ca()
    built.advance(LOOKED)
    [expires] = {
        one.not_after
        for one in built.all
        if one.id in {i.certificate for i in built.items(ItemState.WAITING)[:1]}
    }
    assert expires is not None
    assert built.items(ItemState.WAITING)[0].place == plan.place(5, expires)


def spent_ca(orders: int = 1, per: timedelta = 1000 * DAY) -> CaSettings:
    """Return a CA of whose orders a plan may take none: the reserve is all there is."""
    return CaSettings("first", "https://first.test", limits={"orders": (orders, per)})


def test_no_more_than_the_width_are_at_work_at_once() -> None:
    built = fleet(count=8, plan_width=2)
    built.recall(built.all)
    most = 0
    end = built.now + LOOKED
    while built.now < end and (not built.jobs or not built.plan.over):
        built.advance(timedelta(seconds=1))
        most = max(most, built.counts.begun if built.jobs else 0)
    assert built.plan.state is JobState.DONE
    assert 0 < most <= 2


def test_a_fifth_of_the_orders_is_left_to_new_certificates() -> None:
    built = fleet(count=12)
    built.limits["first"] = CaSettings("first", "https://first.test", limits={"orders": (10, 30 * DAY)})
    built.limits["second"] = built.limits["first"]  # the fleet's other CA is not asked for more, either
    built.cas["second"].down = True
    built.recall(built.all)
    built.advance(LOOKED)
    ordered = len(built.ca.orders) - 12
    assert ordered == 8
    assert built.plan.waits is not None
    assert built.plan.state is JobState.RUNNING
    built.add("sun.test")
    built.advance(5 * MINUTE)
    [new] = [one for one in built.all if one.domain == "sun.test"]
    assert new.state is State.INSTALLED


def test_a_paused_plan_begins_nothing_and_a_resumed_one_goes_on() -> None:
    built = fleet(count=8)
    built.limits["first"] = spent_ca()
    built.recall(built.all)
    built.advance(LOOKED)
    assert built.turn(JobState.PAUSED) is not None
    del built.limits["first"]
    ordered = len(built.ca.orders)
    built.advance(DAY)
    assert len(built.ca.orders) == ordered
    assert built.turn(JobState.RUNNING) is not None
    built.advance(HOUR)
    assert built.plan.state is JobState.DONE
    assert built.counts.done == 8


def test_of_a_cancelled_plan_what_is_left_keeps_its_own_time() -> None:
    built = fleet(count=8)
    built.limits["first"] = spent_ca()
    built.recall(built.all)
    built.advance(LOOKED)
    assert built.turn(JobState.CANCELLED) is not None
    del built.limits["first"]
    ordered = len(built.ca.orders)
    built.advance(10 * DAY)
    assert len(built.ca.orders) == ordered
    assert len(built.jobs) == 1
    built.advance(60 * DAY)
    assert len(built.ca.orders) >= ordered + 8 - (MANY - 1)


def test_a_plan_that_is_cancelled_before_its_first_step_holds_too() -> None:
    built = fleet(count=8)
    built.recall(built.all)
    while not built.jobs:
        assert built.work() or built.next_due() is not None
        built.now = max(built.now, built.next_due() or built.now) if not built.jobs else built.now
    ordered = len(built.ca.orders)
    assert built.turn(JobState.CANCELLED) is not None
    built.advance(LOOKED)
    assert len(built.jobs) == 1
    assert len(built.ca.orders) <= ordered + MANY  # those that were at work already
    built.advance(2 * DAY)
    assert len(built.jobs) == 2  # a day later it is a new day
    assert built.jobs[1].state is JobState.DONE


def test_a_ca_that_thinks_better_of_it_has_nothing_replaced() -> None:
    built = fleet(count=8)
    built.limits["first"] = spent_ca()
    built.recall(built.all)
    built.advance(LOOKED)
    built.ca.recalled.clear()
    built.advance(LOOKED)  # it is asked again meanwhile
    del built.limits["first"]
    ordered = len(built.ca.orders)
    built.advance(HOUR)
    assert len(built.ca.orders) == ordered
    assert built.plan.state is JobState.DONE
    assert built.counts.skipped == 8 - (MANY - 1)


def test_a_ca_that_recalls_what_it_has_just_issued_is_not_followed_round_in_circles() -> None:
    built = fleet(count=8)
    past = built.now - HOUR

    built.ca.suggestion = Window(past, past + MINUTE)
    built.advance(DAY)
    assert len(built.ca.orders) <= 3 * 8


def test_what_cannot_be_replaced_is_counted_and_is_tended_as_ever() -> None:
    built = fleet(count=8)
    first, rest = built.all[: MANY - 1], built.all[MANY - 1 :]
    built.recall(first)
    built.advance(LOOKED)
    built.recall(rest)
    bad = rest[-1]
    for ca in built.cas.values():
        ca.broken.add(bad.domain)
    built.advance(LOOKED)
    assert built.plan.state is JobState.DONE
    [item] = built.items(ItemState.FAILED)
    assert (item.name, item.code) == (bad.domain, "ca.unauthorized")
    for ca in built.cas.values():
        ca.broken.clear()
    built.renew(bad.domain)  # after three failures it waits for a person, as ever
    built.advance(HOUR)
    assert built.serials[bad.domain] != bad.serial


def test_a_process_that_dies_between_any_two_steps_loses_nothing() -> None:
    built = fleet(count=8)
    built.recall(built.all)
    built.advance(20 * MINUTE)
    with built.storage.write() as tx:  # held by one that has died
        tx.jobs.claim(built.now + HOUR, built.renewing.lease, 1)
    built.advance(LOOKED)
    assert built.plan.state is JobState.DONE
    assert len(built.ca.orders) == 16


def test_asked_twice_about_its_fleet_the_plan_is_the_same() -> None:
    built = fleet(count=8)
    built.limits["first"] = spent_ca()
    built.recall(built.all)
    built.advance(LOOKED)
    plan = replace(built.plan, what={"ca": "first", "stores": []})
    again = carrying.ask_fleet(built.desk_of(), plan)
    built.advance(LOOKED)
    assert carrying.asks_until(again) is not None
    assert built.counts.waiting == 8 - (MANY - 1)
