"""Breakers: what many share is tried by one at a time while it is broken, and nobody pays for it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.model.errors import CaTrouble
from services.model.lifecycle import State
from services.model.pacing import Breaker
from services.renewal import breaker
from services.renewal.breaker import DIFFERENT, PROBES, Met, noted, returns_at, shut
from tests.building import START, Built
from tests.desks import finding

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CA, TARGET = breaker.ca_thing("first"), breaker.target_thing("edge")
DOWN = Met(CA, "ca.unavailable", "no answer")


def after(*who: str, gap: timedelta = MINUTE) -> Breaker:
    """Return the breaker after failures of these certificates, ``gap`` apart."""
    found: Breaker | None = None
    for number, certificate in enumerate(who):
        found = noted(found, DOWN, certificate, START + number * gap)
    assert found is not None
    return found


# --- the rules


def test_three_different_certificates_open_it() -> None:
    assert not after("a", "b").open
    assert after("a", "b").failed == ("a", "b")
    opened = after("a", "b", "c")
    assert opened.opened_at == START + 2 * MINUTE
    assert opened.probe_at == START + 3 * MINUTE


def test_one_certificate_alone_never_opens_it() -> None:
    assert not after(*"a" * 50).open


def test_failures_that_lie_far_apart_do_not_add_up() -> None:
    assert not after("a", "b", "c", "d", gap=31 * MINUTE).open
    assert after("a", "b", "c", gap=30 * MINUTE).open


def test_only_the_canary_puts_the_next_try_off() -> None:
    opened = after("a", "b", "c")
    later = START + HOUR
    straggler = noted(opened, replace(DOWN, detail="still not"), "d", later)
    assert (straggler.probe_at, straggler.probes, straggler.detail) == (opened.probe_at, 0, "still not")
    seen = []
    for _ in range(len(PROBES) + 1):
        opened = noted(opened, replace(DOWN, canary=True), "d", later)
        assert opened.probe_at is not None
        seen.append(opened.probe_at - later)
    assert seen == [*PROBES[1:], PROBES[-1], PROBES[-1]]


def test_who_waits_comes_back_a_little_after_the_canary() -> None:
    opened = after("a", "b", "c")
    assert opened.probe_at is not None
    assert shut(opened, opened.probe_at - MINUTE)
    assert not shut(opened, opened.probe_at)
    assert not shut(None, START)
    assert not shut(after("a"), START)
    assert opened.probe_at <= returns_at(opened, START, 0.0) < returns_at(opened, START, 1.0)
    assert returns_at(opened, opened.probe_at + HOUR, 0.0) > opened.probe_at + HOUR


@given(who=st.lists(st.sampled_from("abcde"), min_size=1, max_size=30))
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_it_is_open_exactly_when_enough_different_ones_have_failed(who: list[str]) -> None:
    found = after(*who, gap=timedelta(seconds=1))
    assert found.open == (len(set(who)) >= DIFFERENT)
    assert len(found.failed) <= DIFFERENT


# --- a CA


@pytest.fixture
def built() -> Built:
    return Built(names_of_cas=("first",))


def test_fifty_certificates_leave_a_ca_in_peace_that_is_down_and_are_all_issued_after(built: Built) -> None:
    built.ca.down = True
    built.add_many(50)
    built.advance(10 * MINUTE)
    assert built.breaker(CA) is not None
    begun = built.ca.calls["place_order"]
    assert begun < 20
    built.advance(5 * HOUR)
    # one canary every 15 minutes, and what little comes of it
    assert built.ca.calls["place_order"] - begun <= 5 * 4 + 10
    assert all(one.failures == one.strikes == 0 for one in built.all)
    waiting = [one for one in built.all if one.state is State.BLOCKED]
    assert len(waiting) >= 49  # the canary may be on its way
    assert {one.problem.code for one in waiting if one.problem} == {"ca.unavailable"}
    built.ca.down = False
    built.advance(25 * MINUTE)
    assert {one.state for one in built.all} == {State.INSTALLED}
    assert built.breaker(CA) is None
    assert len(built.ca.issued) == 50
    assert all(one.problem is None for one in built.all)


def test_what_waits_says_why_without_naming_another_merchants_domain(built: Built) -> None:
    built.ca.down = True
    built.add_many(8)
    built.advance(10 * MINUTE)
    for one in built.all:
        assert one.problem is not None
        said = one.problem.summary.plain()
        assert "has been failing for several certificates since 2027-02-10 14:03 UTC: no answer." in said
        assert "shop" not in said
        assert one.problem.evidence["ca"] == "first"
        assert one.retry_at is not None


def test_the_wait_is_one_row_of_history(built: Built) -> None:
    built.ca.down = True
    built.add_many(6)
    built.advance(DAY)
    counts = sorted([row.what for row in built.history_of(one)].count("postponed") for one in built.all)
    assert counts[:-1] == [1] * 5  # the others' looks change nothing that is worth a row
    assert counts[-1] <= 24 * 4  # with `chance` held still, one certificate is the canary each time


def test_while_a_ca_is_broken_the_next_one_is_asked_at_once() -> None:
    built = Built()
    built.ca.down = True
    built.add_many(12)
    built.advance(MINUTE)
    assert {one.state for one in built.all} == {State.INSTALLED}
    assert len(built.cas["second"].issued) == 12
    asked = built.ca.calls["place_order"]
    assert asked <= 7
    # the first one's next try comes with the next wish, and its success brings it back
    built.ca.down = False
    built.advance(2 * MINUTE)
    built.renew("shop0.test")
    built.advance(MINUTE)
    assert len(built.ca.issued) == 1
    assert built.breaker(CA) is None


def test_a_refusal_is_a_failure_even_while_another_ca_is_broken() -> None:
    built = Built()
    built.ca.down = True
    built.add_many(4)
    built.advance(MINUTE)
    assert built.breaker(CA) is not None
    built.cas["second"].banned = {"moon.test"}
    built.add("moon.test")
    built.advance(MINUTE)
    [one] = [one for one in built.all if one.domain == "moon.test"]
    assert (one.state, one.strikes) == (State.FAILED, 1)
    assert one.problem is not None
    assert one.problem.code == "ca.rejected_identifier"


def test_a_person_may_ask_and_is_told_that_it_waits(built: Built) -> None:
    built.ca.down = True
    built.add_many(5)
    built.advance(10 * MINUTE)
    asked = built.ca.calls["place_order"]
    built.renew("shop3.test")
    built.work()
    assert built.ca.calls["place_order"] <= asked + 1
    built.ca.down = False
    built.advance(25 * MINUTE)
    assert {one.state for one in built.all} == {State.INSTALLED}


def test_an_account_that_is_closed_stops_all_but_the_canary(built: Built) -> None:
    built.ca.errors["place_order"] = [built.ca.trouble(CaTrouble.ACCOUNT, "account is closed")] * 10_000
    built.add_many(20)
    built.advance(2 * HOUR)
    assert built.ca.calls["place_order"] < 25
    [shown] = {one.problem.remedy.plain() for one in built.all if one.problem and one.state is State.BLOCKED}
    assert "external account binding" in shown
    built.ca.errors.clear()
    built.advance(2 * HOUR)
    assert {one.state for one in built.all} == {State.INSTALLED}


def test_orders_under_way_when_a_ca_breaks_down_are_no_failures_either(built: Built) -> None:
    built.ca.undecided = True
    names = built.add_many(6)
    built.advance(MINUTE)
    assert {one.state for one in built.all} == {State.VALIDATING}
    built.ca.undecided, built.ca.down = False, True
    built.advance(HOUR)
    assert sum(one.failures for one in built.all) <= DIFFERENT
    built.ca.down = False
    built.advance(3 * HOUR)
    assert {one.state for one in built.all} == {State.INSTALLED}
    assert sorted({name for issued in built.ca.issued for name in issued}) == sorted(names)


def test_a_canary_that_meets_its_own_trouble_leaves_the_place_to_the_next(built: Built) -> None:
    built.ca.down = True
    names = built.add_many(6)
    built.advance(10 * MINUTE)
    built.ca.down = False
    built.ca.broken = set(names[:3])
    built.advance(HOUR)
    good = [one for one in built.all if one.domain not in names[:3]]
    assert {one.state for one in good} == {State.INSTALLED}
    assert built.breaker(CA) is None


# --- a target


def test_a_target_that_is_full_is_tried_by_one_at_a_time_and_orders_wait(built: Built) -> None:
    built.target.full = 100_000
    built.add_many(10)
    built.advance(5 * MINUTE)
    built.add("moon.test", "sun.test")
    built.advance(MINUTE)
    opened = built.breaker(TARGET)
    assert opened is not None
    assert opened.open
    ordered, tried = len(built.ca.orders), built.target.deployments
    assert ordered == 10
    built.advance(3 * HOUR)
    assert len(built.ca.orders) == ordered
    assert built.target.deployments - tried <= 3 * 4 + 6
    for one in built.all:
        assert (one.failures, one.strikes) == (0, 0)
        assert one.problem is not None
        assert one.problem.code == "deploy.failed"
        assert one.problem.evidence["target"] == "edge"
    built.target.full = 0
    built.advance(30 * MINUTE)
    assert {one.state for one in built.all} == {State.INSTALLED}
    assert built.breaker(TARGET) is None
    assert len(built.ca.orders) == 12


def test_near_expiry_an_order_does_not_wait_for_a_target(built: Built) -> None:
    names = built.add_many(5)
    built.advance(MINUTE)
    built.checker.says |= {name: (finding("dns.wrong_address", name),) for name in names}
    built.advance(74 * DAY)
    assert len(built.ca.orders) == 5
    built.target.full = 100_000
    built.advance(2 * DAY)  # the last sixth begins
    opened = built.breaker(TARGET)
    assert opened is not None
    assert opened.open
    assert {one.state for one in built.all} == {State.DEPLOYING}


def test_a_target_that_failed_a_little_is_forgotten_with_the_first_success(built: Built) -> None:
    built.target.full = 1
    built.add("moon.test")
    built.advance(timedelta(seconds=0.5))
    assert built.breaker(TARGET) is not None
    built.settle()
    assert built.state() is State.INSTALLED
    assert built.breaker(TARGET) is None


def test_three_certificates_that_no_target_takes_do_not_hold_up_the_fleet(built: Built) -> None:
    bad = built.add_many(3)
    built.target.refusing = set(bad)
    built.advance(5 * MINUTE)
    opened = built.breaker(TARGET)
    assert opened is not None
    assert opened.open
    built.add("moon.test", "sun.test")
    built.advance(2 * HOUR)
    good = [one for one in built.all if one.domain not in bad]
    assert {one.state for one in good} == {State.INSTALLED}
    assert {one.state for one in built.all if one.domain in bad} == {State.DEPLOYING}
    assert built.target.deployments < 3 * 60 + 10
