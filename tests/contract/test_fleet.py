"""The fleet in parts and page by page: what each portion holds, where pages begin and end, what a search finds."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from services.model.certificates import Certificate, Happening
from services.model.fleet import SOON, WEEK, Excerpt, Portion, Position, Tally
from services.model.lifecycle import RESTING, State
from services.ports import Storage
from storage.database import Database
from storage.memory import MemoryStorage
from tests.contract.samples import DAY, LEASE, NOW, add, certificate, finding

TICK = timedelta(microseconds=1)


def _installed(number: int, end: timedelta, **changes: Any) -> Certificate:
    live = {"state": State.INSTALLED, "installed": f"rev_{number}", "not_after": NOW + end}
    return certificate(number, **(live | changes))


FLEET = (
    certificate(1, state=State.NEEDS_SUPPORT, store="moon"),
    certificate(2, state=State.BLOCKED, store="sun", not_after=NOW - DAY),
    certificate(3, state=State.FAILED, store="moon", not_after=NOW + DAY),
    certificate(4, state=State.CHECKING, store="star"),
    certificate(5, state=State.DEPLOYING, store="moon", not_after=NOW),
    _installed(6, 30 * DAY, store="sun"),
    _installed(7, SOON, store="moon"),
    _installed(8, SOON + TICK, store="moon"),
    _installed(9, 60 * DAY, store="star", problem=finding("deploy.not_served")),
    _installed(10, -TICK, store="moon"),
)
PORTIONS: dict[Portion, Sequence[int]] = {
    Portion.ALL: (1, 2, 3, 9, 4, 5, 10, 7, 8, 6),
    Portion.NEEDS_SOMEBODY: (1, 2, 3, 9),
    Portion.NEEDS_SUPPORT: (1,),
    Portion.FAILED: (3,),
    Portion.BLOCKED: (2,),
    Portion.UNDER_WAY: (4, 5),
    Portion.INSTALLED: (10, 7, 8, 6),
    Portion.EXPIRED: (2, 5, 10),
    Portion.ENDING: (3, 7),
}
MOON = (1, 3, 5, 7, 8, 10)
WHOSE: dict[str, tuple[frozenset[str] | None, Sequence[int]]] = {
    "all": (None, range(1, 11)),
    "one": (frozenset({"moon"}), MOON),
    "two": (frozenset({"moon", "sun"}), (*MOON, 2, 6)),
    "unknown": (frozenset({"nobody"}), ()),
    "none": (frozenset(), ()),
}


def _numbers(excerpt: Excerpt) -> list[int]:
    return [int(one.id.removeprefix("cert_")) for one in excerpt.certificates]


def _page(storage: Storage, portion: Portion = Portion.ALL, size: int = 100, **asked: Any) -> Excerpt:
    stores = asked.pop("stores", None)
    with storage.read() as tx:
        return tx.fleet.page(portion, stores, NOW, size, **asked)


def _search(storage: Storage, prefix: str, size: int = 100, **asked: Any) -> Excerpt:
    stores = asked.pop("stores", None)
    with storage.read() as tx:
        return tx.fleet.search(prefix, stores, size, **asked)


@pytest.mark.parametrize("whose", WHOSE)
@pytest.mark.parametrize("portion", Portion)
def test_a_portion_holds_its_certificates_worst_first_and_is_counted(
    storage: Storage, portion: Portion, whose: str
) -> None:
    stores, theirs = WHOSE[whose]
    add(storage, *FLEET)
    expected = [number for number in PORTIONS[portion] if number in theirs]
    found = _page(storage, portion, stores=stores)
    assert _numbers(found) == expected
    assert (found.before, found.more) == (None, False)
    with storage.read() as tx:
        counts = tx.fleet.counts(stores, NOW)
    assert counts.of(portion) == len(expected)
    assert counts.total == len(theirs)


def test_the_whole_is_what_listings_show(storage: Storage) -> None:
    add(storage, *FLEET)
    with storage.read() as tx:
        assert list(_page(storage).certificates) == list(tx.certificates.listing())


def test_counts_are_by_state(storage: Storage) -> None:
    add(storage, *FLEET)
    with storage.read() as tx:
        counts = tx.fleet.counts(None, NOW)
    assert dict(counts.states) == {
        State.NEEDS_SUPPORT: 1,
        State.BLOCKED: 1,
        State.FAILED: 1,
        State.CHECKING: 1,
        State.DEPLOYING: 1,
        State.INSTALLED: 5,
    }
    assert (counts.unwell, counts.expired, counts.ending) == (1, 3, 2)


def test_an_empty_fleet_has_nothing(storage: Storage) -> None:
    with storage.read() as tx:
        assert tx.fleet.counts(None, NOW).total == 0
    assert _page(storage) == Excerpt()
    assert _search(storage, "shop") == Excerpt()


@pytest.mark.parametrize("stores", [None, frozenset({"moon", "sun", "star"})])
@pytest.mark.parametrize("portion", [Portion.ALL, Portion.EXPIRED, Portion.NEEDS_SOMEBODY])
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_pages_there_and_back_show_each_once(
    storage: Storage, portion: Portion, size: int, stores: frozenset[str] | None
) -> None:
    add(storage, *FLEET)
    expected = list(PORTIONS[portion])
    pages = [_page(storage, portion, size, stores=stores)]
    while pages[-1].more:
        pages.append(_page(storage, portion, size, stores=stores, after=pages[-1].positions[-1]))
    assert [number for page in pages for number in _numbers(page)] == expected
    for left, right in pairwise(pages):
        back = _page(storage, portion, size, stores=stores, before=right.positions[0])
        assert (_numbers(back), back.before, back.more) == (_numbers(left), left.before, True)


def test_a_page_goes_on_from_where_it_stood_though_others_came_and_went(storage: Storage) -> None:
    add(storage, *FLEET)
    first = _page(storage, size=3)
    mended = first.certificates[2]
    with storage.write() as tx:
        held = tx.certificates.claim_one(mended.id, NOW, LEASE)
        assert held is not None
        tx.certificates.save(replace(held, state=State.INSTALLED, not_after=NOW + 90 * DAY), None)
        tx.certificates.add(certificate(11, state=State.NEEDS_SUPPORT))
    assert _numbers(_page(storage, size=3, after=first.positions[-1])) == [9, 4, 5]


def test_behind_the_end_there_is_nothing(storage: Storage) -> None:
    add(storage, *FLEET)
    last = _page(storage).positions[-1]
    assert _page(storage, after=last) == Excerpt(before=last)
    assert _page(storage, before=_page(storage).positions[0]) == Excerpt(more=True)


# --- searches -------------------------------------------------------------------------------------------------------


def _named(number: int, store: str, domain: str, *names: str) -> Certificate:
    return certificate(number, store=store, domain=domain, wanted=names)


NAMED = (
    _named(1, "moon", "moon.test", "moon.test", "shop.moon.test", "shop2.moon.test"),
    _named(2, "moon", "shop.test", "a.shop.test"),
    _named(3, "sun", "moonlight.test", "www.moonlight.test"),
    _named(4, "sun", "xn--3e0b707e.test", "xn--3e0b707e.test"),
    _named(5, "moonraker", "a.test", "a.test"),
)


@pytest.mark.parametrize(
    ("prefix", "stores", "expected"),
    [
        ("moon", None, [1, 2, 3, 5]),  # cert 1 and 2 by the store "moon", 3 by its domain, 5 by its store
        ("shop", None, [1, 2]),  # once, though two of its names begin so
        ("shop2", None, [1]),
        ("a.", None, [2, 5]),
        ("xn--3e0b707e.", None, [4]),
        ("www.moonlight.test", None, [3]),
        ("moon", frozenset({"sun"}), [3]),
        ("moon", frozenset({"sun", "moonraker"}), [3, 5]),
        ("moon", frozenset(), []),
        ("o", None, []),
        ("%", None, []),
        ("_", None, []),
        ("", None, []),
        ("한국", None, []),
    ],
)
def test_a_search_finds_what_begins_so(
    storage: Storage, prefix: str, stores: frozenset[str] | None, expected: list[int]
) -> None:
    add(storage, *NAMED)
    found = _search(storage, prefix, stores=stores)
    assert _numbers(found) == expected
    assert not found.more


def test_a_search_goes_by_what_is_wanted_now(storage: Storage) -> None:
    add(storage, *NAMED)
    with storage.write() as tx:
        held = tx.certificates.claim_one("cert_002", NOW, LEASE)
        assert held is not None
        tx.certificates.save(replace(held, wanted=("b.shop.test", "c.shop.test")), None)
    assert _numbers(_search(storage, "a.shop")) == []
    assert _numbers(_search(storage, "c.shop")) == [2]


@pytest.mark.parametrize("stores", [None, frozenset({"moon", "sun", "moonraker"})])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_found_pages_there_and_back_show_each_once(
    storage: Storage, size: int, stores: frozenset[str] | None
) -> None:
    add(storage, *NAMED)
    pages = [_search(storage, "moon", size, stores=stores)]
    while pages[-1].more:
        pages.append(_search(storage, "moon", size, stores=stores, after=pages[-1].positions[-1]))
    assert [number for page in pages for number in _numbers(page)] == [1, 2, 3, 5]
    for left, right in pairwise(pages):
        back = _search(storage, "moon", size, stores=stores, before=right.positions[0])
        assert (_numbers(back), back.before) == (_numbers(left), left.before)


def test_terms_go_with_their_certificate(database: Database) -> None:
    add(database, *NAMED)
    with database.writing() as connection:
        connection.execute(text("DELETE FROM certificates WHERE id = 'cert_001'"))
        left = connection.execute(text("SELECT count(*) FROM terms WHERE certificate = 'cert_001'")).scalar()
    assert left == 0


# --- both databases agree with the twin -----------------------------------------------------------------------------

_STATES = st.sampled_from([*RESTING, State.CHECKING, State.VALIDATING])
_ROWS = st.lists(
    st.tuples(_STATES, st.sampled_from(["moon", "sun"]), st.integers(-3, 12) | st.none()), max_size=12
)


def _drawn(number: int, state: State, store: str, end: int | None) -> Certificate:
    live = {} if end is None else {"not_after": NOW + end * DAY, "installed": f"rev_{number}"}
    return certificate(number, state=state, store=store, **live)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=_ROWS, portion=st.sampled_from(Portion), size=st.integers(1, 5))
def test_sqlite_shows_what_the_twin_shows(
    sqlite_storage: Database, rows: list[tuple[State, str, int | None]], portion: Portion, size: int
) -> None:
    twin = _refilled(sqlite_storage, [_drawn(number, *row) for number, row in enumerate(rows, 1)])
    for stores in (None, frozenset({"moon"}), frozenset({"moon", "sun"})):
        with sqlite_storage.read() as ours, twin.read() as theirs:
            assert ours.fleet.counts(stores, NOW) == theirs.fleet.counts(stores, NOW)
        after: Position | None = None
        while True:
            ours_page = _page(sqlite_storage, portion, size, stores=stores, after=after)
            assert ours_page == _page(twin, portion, size, stores=stores, after=after)
            if not ours_page.more:
                break
            after = ours_page.positions[-1]


def _refilled(database: Database, certificates: Sequence[Certificate]) -> Storage:
    twin = MemoryStorage()
    with database.writing() as connection:
        connection.execute(text("DELETE FROM certificates"))
    add(database, *certificates)
    add(twin, *certificates)
    return twin


def test_ends_are_counted_by_week_and_health(storage: Storage) -> None:
    add(storage, *FLEET, certificate(11, state=State.RETIRED, not_after=NOW + DAY))
    with storage.read() as tx:
        found = tx.fleet.ends(None, NOW, 4)
    assert found == (
        # what ends at this moment is not valid any more
        Tally(-1, "needs_somebody", 1),
        Tally(-1, "under_way", 1),
        Tally(-1, "well", 1),
        Tally(0, "needs_somebody", 1),
        Tally(0, "well", 1),
        Tally(1, "well", 1),
        # later than the last week
        Tally(4, "needs_somebody", 1),
        Tally(4, "well", 1),
    )


@pytest.mark.parametrize("whose", WHOSE)
def test_ends_are_those_of_the_stores_that_are_meant(storage: Storage, whose: str) -> None:
    stores, theirs = WHOSE[whose]
    add(storage, *FLEET)
    with storage.read() as tx:
        found = tx.fleet.ends(stores, NOW, 12)
    ending = [one for one in FLEET if one.not_after is not None and int(one.id[5:]) in theirs]
    assert sum(one.count for one in found) == len(ending)


@pytest.mark.parametrize("whose", WHOSE)
def test_results_are_counted_by_week(storage: Storage, whose: str) -> None:
    stores, theirs = WHOSE[whose]
    add(storage, *FLEET)
    happened = (
        (1, "attempt_failed", timedelta(0)),  # at the very beginning
        (1, "attempt_failed", WEEK - TICK),  # at the very end of the first week
        (2, "verified", WEEK),
        (6, "verified", WEEK + DAY),
        (3, "unproved", WEEK + DAY),
        (7, "order_placed", DAY),  # ends nothing
        (8, "verified", -TICK),  # earlier
        (9, "verified", 2 * WEEK),  # later
    )
    with storage.write() as tx:
        for number, what, at in happened:
            tx.certificates.record(Happening(f"cert_{number:03}", NOW + at, what))
    with storage.read() as tx:
        found = tx.fleet.results(stores, NOW, 2)
    counted = [(0, "failed", 1, 2), (1, "installed", 2, 1), (1, "installed", 6, 1), (1, "installed", 3, 1)]
    expected: dict[tuple[int, str], int] = {}
    for week, result, number, count in counted:
        if number in theirs:
            expected[week, result] = expected.get((week, result), 0) + count
    assert {(one.week, one.what): one.count for one in found} == expected
