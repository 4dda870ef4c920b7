"""The process dies at any write: another one goes on when the lease has ended, with the key, CSR and order it finds."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.model.errors import CaTrouble
from services.model.lifecycle import State
from services.renewal import breaker
from tests.building import Built, CrashError, FaultyStorage

NAMES = ("a.moon.test", "moon.test")
HOUR = timedelta(hours=1)


def begun(change: Callable[[Built], None] = lambda _: None) -> tuple[Built, FaultyStorage]:
    """Return a world with a wish in it, and its storage, whose writes are counted from here on."""
    storage = FaultyStorage()
    built = Built(storage=storage)
    change(built)
    built.add(*NAMES)
    storage.writes = 0
    return built, storage


def fallback(built: Built) -> None:
    built.ca.failing = {"http-01"}


def lost(built: Built) -> None:
    built.ca.errors["finalize"] = [built.ca.trouble(CaTrouble.ORDER_LOST)]


def next_ca(built: Built) -> None:
    built.ca.banned = set(NAMES)


def unproved(built: Built) -> None:
    built.edge.stale = True


def down(built: Built) -> None:
    """Let the CA be broken for others; this one is the canary, and it succeeds."""
    with built.storage.write() as tx:
        for number in range(3):
            met = breaker.Met(breaker.ca_thing("first"), "ca.unavailable", "no answer")
            breaker.write(tx, f"other_{number}", (met,), built.now)
    built.cas.pop("second")


def full(built: Built) -> None:
    built.target.full = 2


WAYS: dict[str, Callable[[Built], None]] = {
    "straight": lambda _: None,
    "fallback": fallback,
    "lost": lost,
    "next_ca": next_ca,
    "unproved": unproved,
    "full": full,
}


def survived(built: Built) -> int:
    """Let one process after another work until the wish is fulfilled; return how many died."""
    deaths = 0
    for _ in range(200):
        try:
            built.advance(timedelta(minutes=5))
        except CrashError:
            deaths += 1
        if built.one.state is State.INSTALLED and not deaths_to_come(built):
            return deaths
    raise AssertionError(f"not installed: {built.one}")


def deaths_to_come(built: Built) -> bool:
    storage = built.storage
    assert isinstance(storage, FaultyStorage)
    return storage.writes < storage.dies_at


def counted(change: Callable[[Built], None]) -> tuple[int, int]:
    """Return how many writes and orders the way takes when nobody dies."""
    built, storage = begun(change)
    survived(built)
    return storage.writes, sum(len(ca.orders) for ca in built.cas.values())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kept", [False, True])
def test_dying_at_any_write_ends_installed_without_a_second_key_or_a_second_certificate(
    way: str, kept: bool
) -> None:
    writes, orders = counted(WAYS[way])
    assert writes > 10
    for dies_at in range(1, writes + 1):
        built, storage = begun(WAYS[way])
        storage.dies_at, storage.kept = dies_at, kept
        assert survived(built) == 1
        _judge(built, orders, lenient=not kept)


def _judge(built: Built, orders: int, *, lenient: bool) -> None:
    one = built.one
    assert one.state is State.INSTALLED
    assert set(built.target.serials.values()) == {one.serial}
    # a key that was saved is used; an order is placed twice only if its URL was not saved yet
    issued = [r for r in built.revisions if r.chain is not None]
    assert len(built.revisions) == 1
    assert [r.id for r in issued] == [one.installed]
    placed = sum(len(ca.orders) for ca in built.cas.values())
    assert placed <= orders + lenient
    csrs = {csr for ca in built.cas.values() for csr in ca.csrs}
    assert csrs == {built.revisions[0].csr}
    built.edge.stale = False
    built.advance(HOUR)
    assert built.http.up == {}
    assert built.dns.up == {}
    assert built.one.problem is None


@pytest.mark.parametrize("kept", [False, True])
def test_a_canary_that_dies_leaves_its_place_to_the_next_try(kept: bool) -> None:
    """Hold that it waits for its own place, and spends a second key at most, but no second certificate."""
    writes, _ = counted(down)
    for dies_at in range(1, writes + 1):
        built, storage = begun(down)
        storage.dies_at, storage.kept = dies_at, kept
        assert survived(built) == 1
        assert set(built.target.serials.values()) == {built.one.serial}
        assert len(built.revisions) <= 2
        assert len(built.ca.issued) == 1
        assert (built.one.failures, built.breaker(breaker.ca_thing("first"))) == (0, None)
        assert built.http.up == {}


def test_a_renewal_that_dies_anywhere_keeps_what_is_live_until_it_ends() -> None:
    for dies_at in range(1, 16):
        storage = FaultyStorage()
        built = Built(storage=storage)
        built.add(*NAMES)
        first = built.settle()
        built.renew(*NAMES)
        storage.writes, storage.dies_at = 0, dies_at
        with pytest.raises(CrashError):
            built.advance(timedelta(minutes=1))
        assert built.one.installed is not None
        assert first.serial in {r.serial for r in built.revisions}
        survived(built)
        assert built.one.serial != first.serial
        assert len(built.ca.issued) == 2


def test_a_row_is_nobody_elses_before_the_lease_ends() -> None:
    built, storage = begun()
    storage.dies_at = 5
    with pytest.raises(CrashError):
        built.advance(HOUR)
    one = built.one
    assert one.lease_until is not None
    died = built.now
    assert built.work() is False
    built.advance(timedelta(minutes=5))
    resumed = next(row.at for row in built.history if row.at > died)
    assert resumed >= one.lease_until
    assert built.state() is State.INSTALLED
