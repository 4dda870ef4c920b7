"""The first scan of a name: planned once it is installed, a little later and spread, and never twice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.model.lifecycle import State
from services.model.scans import Site
from services.scanning.planning import AFTER_INSTALLATION, SPREAD, first
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
