"""Budgets: a CA's rate limits are counted by ourselves, and nothing is ordered that is certain to be refused."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.checks import ca as ca_check
from services.checks import policy
from services.checks.case import Case
from services.model.certificates import Window
from services.model.errors import CaTrouble
from services.model.lifecycle import State
from services.model.settings import CaSettings, Issuing
from services.renewal import budget
from services.renewal.budget import Bucket, Draw, failure_buckets, free_at, order_buckets, refused, spent
from tests.building import START, Built
from tests.desks import finding
from tests.unit.checks_world import certificate, codes, subject, world

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NAME = "moon.test"
LIMITS = {"orders": (300, 3 * HOUR), "domain": (50, 7 * DAY), "set": (5, 7 * DAY), "failures": (5, HOUR)}


def ca(limits: Mapping[str, tuple[int, timedelta]] = MappingProxyType({}), name: str = "first") -> CaSettings:
    return CaSettings(name, f"https://{name}.test/dir", limits=limits)


def limited(*names: str, **limits: tuple[int, timedelta]) -> Built:
    names = names or ("first",)
    return Built(names_of_cas=names, limits={name: ca(limits, name) for name in names})


# --- the rules


@given(
    count=st.integers(1, 400), hours=st.integers(1, 200), spends=st.lists(st.integers(0, 10_000), max_size=60)
)
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_never_more_than_the_limit_in_a_burst_and_a_token_as_soon_as_one_has_grown(
    count: int, hours: int, spends: list[int]
) -> None:
    bucket = Bucket("x", "orders", "", count, hours * HOUR)
    now, full_at, given_out = START, None, []
    for gap in spends:
        now += timedelta(seconds=gap)
        now = max(now, free_at(bucket, full_at, now))
        full_at = max(full_at or now, now) + bucket.cost
        given_out.append(now)
    burst = [moment for moment in given_out if moment == (given_out or [START])[0]]
    assert len(burst) <= count
    assert full_at is None or full_at - now <= bucket.per + timedelta(seconds=1)


def test_a_full_bucket_holds_the_whole_count() -> None:
    bucket = Bucket("x", "set", "h", 5, 7 * DAY)
    full_at: datetime | None = None
    for _ in range(5):
        assert free_at(bucket, full_at, START) == START
        full_at = max(full_at or START, START) + bucket.cost
    assert free_at(bucket, full_at, START) == START + 7 * DAY / 5


def test_the_keys_of_an_order() -> None:
    keys = [bucket.key for bucket in order_buckets("first", ca(), "moon.test", ("b.test", "a.test"))]
    same = [bucket.key for bucket in order_buckets("first", ca(), "moon.test", ("a.test", "b.test"))]
    assert keys == same
    assert keys[:2] == ["first orders", "first domain moon.test"]
    assert keys[2].startswith("first set ")
    assert [b.key for b in failure_buckets("first", None, ("a.test",))] == ["first failures a.test"]


def test_the_bucket_that_is_empty_the_longest_decides() -> None:
    buckets = order_buckets("first", ca(LIMITS), NAME, (NAME,))
    orders, domain, _ = (bucket.key for bucket in buckets)
    assert spent(buckets, {}, START) is None
    found = spent(buckets, {orders: START + 3 * HOUR, domain: START + 7 * DAY}, START)
    assert found is not None
    assert (found.bucket.kind, found.until) == ("domain", START + 7 * DAY / 50)


@pytest.mark.parametrize(
    ("detail", "kinds"),
    [
        ("too many new orders (300) from this account in the last 3h0m0s", ["orders"]),
        ('too many certificates (50) already issued for "moon.test" in the last 168h', ["domain"]),
        ("too many certificates (5) already issued for this exact set of identifiers", ["set"]),
        ('too many failed authorizations (5) for "moon.test" in the last 1h0m0s', ["failures"]),
        ("slow down", ["set"]),
    ],
)
def test_a_refusal_is_kept_for_the_limit_that_it_speaks_of(detail: str, kinds: list[str]) -> None:
    settings_ = ca(LIMITS)
    names = (NAME, "www.moon.test")
    buckets = (*order_buckets("first", settings_, NAME, names), *failure_buckets("first", settings_, names))
    until = START + 5 * HOUR
    draws = refused(buckets, detail, until)
    held = {draw.key: draw.until for draw in draws if draw.until is not None}
    assert [bucket.kind for bucket in buckets if bucket.held in held] == kinds
    for bucket in buckets:
        assert free_at(bucket, held.get(bucket.key), START) == (until if bucket.held in held else START)
        assert spent([bucket], held, START) == (
            budget.Spent(bucket, until, said=True) if bucket.held in held else None
        )
    assert refused(buckets, detail, None) == ()


def test_without_a_limit_nothing_is_counted_but_a_refusal_is_kept() -> None:
    buckets = order_buckets("first", None, NAME, (NAME,))
    assert budget.taken(buckets) == ()
    until = START + HOUR
    [draw] = refused(buckets, "too many new orders", until)
    assert draw == Draw("first orders held", until=until)
    found = spent(buckets, {"first orders held": until}, START)
    assert found is not None
    assert found.until == until


@pytest.mark.parametrize(
    ("per", "said"), [(7 * DAY, "50 in 7 days"), (3 * HOUR, "50 in 3 hours"), (HOUR, "50 in an hour")]
)
def test_what_is_said_of_a_limit(per: timedelta, said: str) -> None:
    one = Bucket("first", "domain", NAME, 50, per)
    built = Built()
    built.add(NAME)
    shown = budget.waiting(budget.Spent(one, START + DAY), built.one, START)
    assert shown.code == "ca.rate_limited"
    assert shown.summary.plain() == (
        f"By our own count first issues no further certificate for {NAME} before 2027-02-11 14:03 UTC:"
        f" its limit is {said}."
    )


# --- orders


def test_an_order_takes_its_tokens_and_the_sixth_of_a_week_waits_without_a_failure() -> None:
    built = limited(set=(5, 7 * DAY))
    built.add(NAME)
    built.settle()
    for _ in range(4):
        built.renew(NAME)
        built.settle()
    assert len(built.ca.orders) == 5
    built.renew(NAME)
    one = built.settle()
    assert len(built.ca.orders) == 5
    assert (one.state, one.failures, one.strikes) == (State.BLOCKED, 0, 0)
    assert one.problem is not None
    assert one.problem.code == "ca.rate_limited"
    assert "exactly these names" in one.problem.summary.plain()
    assert one.retry_at is not None
    assert DAY < one.retry_at - built.now < 7 * DAY / 5 + MINUTE
    built.advance(2 * DAY)
    assert built.state() is State.INSTALLED
    assert len(built.ca.orders) == 6


def test_a_ca_without_budget_is_passed_over_for_the_next_one() -> None:
    built = limited("first", "second", set=(1, 7 * DAY))
    built.add(NAME)
    built.settle()
    built.renew(NAME)
    built.settle()
    assert [len(one.orders) for one in built.cas.values()] == [1, 1]
    assert built.state() is State.INSTALLED


def test_a_renewal_in_the_cas_window_neither_asks_nor_spends() -> None:
    built = limited(set=(1, 30 * DAY), orders=(1, 30 * DAY), domain=(1, 30 * DAY))
    built.add(NAME)
    built.settle()
    built.ca.suggestion = Window(START - DAY, START + 2 * DAY)
    built.advance(13 * HOUR)
    assert len(built.ca.orders) >= 2
    assert built.ca.orders[1].replaces is not None
    assert built.reading(lambda tx: tx.budgets.full_at(["first orders"]))["first orders"] < START + 31 * DAY


def test_near_expiry_the_ca_is_the_judge_of_what_we_have_counted() -> None:
    built = limited(orders=(1, 400 * DAY))
    built.add(NAME)
    built.settle()
    built.advance(74 * DAY)
    assert len(built.ca.orders) == 1
    assert built.state() is State.BLOCKED
    built.advance(2 * DAY)
    assert len(built.ca.orders) == 2
    assert built.state() is State.INSTALLED


def test_what_one_certificate_was_refused_for_the_others_do_not_ask() -> None:
    built = limited()
    until = START + 5 * HOUR
    refusal = built.ca.trouble(CaTrouble.RATE_LIMITED, "too many new orders (300)", retry_at=until)
    built.ca.errors["place_order"] = [refusal]
    built.add_many(20)
    built.advance(HOUR)
    assert built.ca.calls["place_order"] == 1
    waiting = [one for one in built.all if one.state is State.BLOCKED]
    assert len(waiting) == 19
    assert all(one.problem and "has said" in one.problem.summary.plain() for one in waiting)
    assert sum(one.failures for one in built.all) == 1
    built.advance(6 * HOUR)
    assert {one.state for one in built.all} == {State.INSTALLED}


def test_many_that_wait_for_few_orders_all_get_theirs_in_time() -> None:
    built = limited(orders=(4, HOUR))
    built.add_many(30)
    built.advance(12 * HOUR)
    assert {one.state for one in built.all} == {State.INSTALLED}
    assert len(built.ca.orders) == 30
    assert all(one.failures == 0 for one in built.all)


def test_failed_validations_of_a_name_are_counted() -> None:
    built = limited(failures=(5, HOUR))
    built.ca.broken = {NAME}
    built.add(NAME)
    built.advance(MINUTE / 2)
    full_at = built.reading(lambda tx: tx.budgets.full_at([f"first failures {NAME}"]))
    assert full_at[f"first failures {NAME}"] > START + 20 * MINUTE  # http-01 and dns-01, 12 minutes each


def test_what_certdesk_could_not_put_up_is_no_failed_validation() -> None:
    built = limited(failures=(5, HOUR))
    built.http.refusing = 5
    built.add(NAME)
    built.advance(MINUTE)
    assert built.reading(lambda tx: tx.budgets.full_at([f"first failures {NAME}"])) == {}


def test_a_look_from_outside_tells_until_when_a_cas_limits_leave_nothing() -> None:
    built = limited(orders=(1, HOUR), failures=(1, HOUR))
    settings_ = built.limits["first"]
    assert budget.look(built.storage, settings_, NAME, START) is None
    built.add(NAME)
    built.settle()
    assert budget.look(built.storage, settings_, NAME, built.now) == START + HOUR


def test_what_the_checks_say_of_budgets_is_decided_when_the_way_is_chosen() -> None:
    built = limited(orders=(1, 20 * HOUR))
    built.checker.says[NAME] = (finding("ca.rate_limited", NAME),)
    built.add(NAME)
    assert built.settle().state is State.INSTALLED
    built.renew(NAME)
    one = built.settle()
    assert (one.state, one.stopped_at) == (State.BLOCKED, State.ORDERING)
    assert one.retry_at == START + 20 * HOUR
    built.advance(20 * HOUR + MINUTE)
    assert len(built.ca.orders) == 2


# --- what the checks say


def test_the_check_warns_while_another_ca_has_budget_and_blocks_if_none_has() -> None:
    later = {"first": START + HOUR}
    assert ca_check.decide(NAME, {}, ("first",), START, exempt=False) == ()
    assert codes(ca_check.decide(NAME, later, ("second",), START, exempt=False)) == [
        ("ca.rate_limited", "warn")
    ]
    found = ca_check.decide(NAME, later, (), START, exempt=False)
    assert codes(found) == [("ca.rate_limited", "block")]
    assert "2027-02-10 15:03 UTC" in found[0].summary.plain()
    assert ca_check.decide(NAME, later, (), START, exempt=True) == ()


def test_a_certificate_in_its_window_is_exempt() -> None:
    one = replace(certificate(NAME), window=Window(START - DAY, START + DAY))
    assert not ca_check.in_window(one, START)
    assert ca_check.in_window(replace(one, installed="rev_1"), START)
    assert not ca_check.in_window(replace(one, installed="rev_1"), START + DAY)
    assert not ca_check.in_window(None, START)


def test_the_check_asks_for_each_ca_what_is_left() -> None:
    first, second = ca(name="first"), ca(name="second")
    asked: list[tuple[str, str]] = []

    def left(one: CaSettings, name: str) -> datetime | None:
        asked.append((one.name, name))
        return START + HOUR if one is first else None

    def found(**changes: Any) -> list[tuple[str, str]]:
        with ThreadPoolExecutor(1) as askers:
            return codes(ca_check.check(Case(world(cas=(first, second), **changes), subject(NAME), askers)))

    assert found(spent=left) == [("ca.rate_limited", "warn")]
    assert asked == [("first", NAME), ("second", NAME)]
    assert found() == []


def names(count: int) -> tuple[str, ...]:
    return tuple(f"n{number}.moon.test" for number in range(count))


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (25, []),
        (26, [("policy.too_many_names", "warn")]),
        (100, [("policy.too_many_names", "warn")]),
        (101, [("policy.too_many_names", "block")]),
    ],
)
def test_names_are_counted_for_each_ca(count: int, expected: list[tuple[str, str]]) -> None:
    cas = (CaSettings("short", "u", max_names=25), CaSettings("long", "u", max_names=100))
    one = subject(names(count)[0], certificate=certificate(*names(count)))
    found = policy.decide(one, Issuing(max_names=200), wildcards=True, now=START, cas=cas)
    assert codes(found) == expected
    if expected and expected[0][1] == "warn":
        assert found[0].evidence["crowded"] == ["short"]


def test_a_ca_without_room_for_the_names_is_passed_over() -> None:
    built = Built(
        limits={
            "first": CaSettings("first", "u", max_names=2),
            "second": CaSettings("second", "u", max_names=3),
        }
    )
    built.add(NAME, "a.moon.test", "b.moon.test")
    built.settle()
    assert [len(one.orders) for one in built.cas.values()] == [0, 1]
    built.limits["second"] = CaSettings("second", "u", max_names=2)
    built.renew(NAME)
    built.settle()
    assert [len(one.orders) for one in built.cas.values()] == [1, 1]  # none fits: the CA is the judge


def test_of_many_at_one_moment_only_as_many_as_the_limit_allows_get_a_token() -> None:
    built = limited(orders=(3, HOUR))
    buckets = order_buckets("first", ca({"orders": (3, HOUR)}), NAME, (NAME,))

    def takes(_: int) -> bool:
        with built.storage.write() as tx:
            return budget.reserve(tx, buckets, START)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(takes, range(8))) == 3


def test_clocks_that_differ_a_little_do_not_cost_a_token() -> None:
    built = limited(orders=(2, HOUR))
    buckets = order_buckets("first", ca({"orders": (2, HOUR)}), NAME, (NAME,))
    late, early = START + timedelta(milliseconds=300), START
    with built.storage.write() as tx:
        assert budget.reserve(tx, buckets, late)
        assert spent(buckets, tx.budgets.full_at([b.key for b in buckets]), early) is None
        assert budget.reserve(tx, buckets, early)
        assert spent(buckets, tx.budgets.full_at([b.key for b in buckets]), late) is not None
        assert not budget.reserve(tx, buckets, late)


def test_an_order_that_the_ca_did_not_take_costs_nothing() -> None:
    built = limited(orders=(3, HOUR))
    buckets = order_buckets("first", ca({"orders": (3, HOUR)}), NAME, (NAME,))
    with built.storage.write() as tx:
        for _ in range(3):
            assert budget.reserve(tx, buckets, START)
        budget.write(tx, budget.returned(buckets), START)
        assert budget.reserve(tx, buckets, START)
        assert not budget.reserve(tx, buckets, START)
