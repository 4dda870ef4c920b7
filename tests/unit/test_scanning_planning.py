"""The first scan of a name: planned once it is installed, a little later and spread, and never twice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.model.lifecycle import State
from services.model.scans import Advice, Found, Kind, Problem, Scan, Site
from services.model.text import say
from services.scanning.planning import AFTER_INSTALLATION, SPREAD, first
from services.scanning.sites import AGAIN, concluded
from tests.building import START, Built

HOUR = timedelta(hours=1)
NAMES = ("moon.test", "a.moon.test", "*.moon.test")


def planned(built: Built) -> dict[str, Site | None]:
    with built.storage.read() as tx:
        return {name: tx.scans.get(name) for name in NAMES}


def test_what_is_installed_is_scanned_within_the_hour_but_no_wildcard() -> None:
    built = Built(scans=True)
    built.add(*NAMES)
    one = built.settle()
    assert one.state is State.INSTALLED
    rows = planned(built)
    assert rows.pop("*.moon.test") is None
    for row in rows.values():
        assert row is not None
        assert row.run_after is not None
        assert timedelta(0) < row.run_after - START < HOUR
        assert row.paths == ()


def test_a_renewal_plans_nothing_anew() -> None:
    built = Built(scans=True)
    built.add("moon.test")
    built.settle()
    with built.storage.write() as tx:
        [site] = tx.scans.claim(START + HOUR, HOUR, 10)
        tx.scans.save(replace(site, run_after=None, answered=site.asked_at, count=0))
    before = built.live.serial
    built.renew("moon.test")
    built.settle()
    assert built.live.serial != before
    row = planned(built)["moon.test"]
    assert row is not None
    assert row.run_after is None


def test_where_nothing_is_automatic_nothing_is_planned() -> None:
    built = Built()
    built.add("moon.test")
    built.settle()
    assert set(planned(built).values()) == {None}


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_what_is_installed_together_is_spread(chance: float) -> None:
    assert first(START, chance) == START + AFTER_INSTALLATION + SPREAD * chance


# --- a week later


PAGE = "https://moon.test/"


def scan(problems: int) -> Scan:
    """Return a whole scan that found so many things."""
    found = tuple(
        Problem(
            PAGE, Found(f"http://a.test/{n}", "img", "src", PAGE, 1, Kind.BLOCKABLE), Advice.HTTPS, say("So.")
        )
        for n in range(problems)
    )
    return Scan("moon.test", "moon", START, (PAGE,), found)


def row(count: int | None, *paths: str) -> Site:
    """Return a row of which the last whole scan found so many things."""
    told = None if not count else START - AGAIN
    return Site("moon.test", "moon", START, START, paths, count=count, first=count or None, since=told)


@pytest.mark.parametrize(
    ("before", "paths", "now", "due", "first_", "anew"),
    [
        (None, (), 0, None, None, False),  # well from the start: never again by itself
        (None, (), 3, AGAIN, 3, True),
        (0, (), 3, AGAIN, 3, True),
        (14, (), 3, AGAIN, 14, False),  # mended in part: "14 → 3"
        (3, (), 14, AGAIN, 3, False),  # worse: told is what it was when it came up
        (14, (), 0, None, 14, False),
        (14, ("/login",), 0, AGAIN, 14, False),  # one page is well: the whole comes round all the same
        (0, ("/login",), 2, None, None, False),
        (None, ("/login",), 2, AFTER_INSTALLATION, None, False),
    ],
)
def test_when_it_is_scanned_again_and_since_when_something_is_wrong(
    before: int | None,
    paths: tuple[str, ...],
    now: int,
    due: timedelta | None,
    first_: int | None,
    *,
    anew: bool,
) -> None:
    after = concluded(row(before, *paths), scan(now), START)
    assert after.run_after == (None if due is None else START + due)
    assert after.first == first_
    assert (after.since == START) is anew
    assert after.count == (before if paths else now)
    assert after.paths == ()


def test_a_name_of_which_all_is_mended_is_told_of_anew_when_it_comes_up_again() -> None:
    mended = concluded(row(14), scan(0), START)
    again = concluded(mended, scan(2), START + AGAIN)
    assert (again.first, again.since) == (2, START + AGAIN)
