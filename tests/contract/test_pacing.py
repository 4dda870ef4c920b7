"""Watches, breakers and budgets: looked at by one, tried by one, and every token counted."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.model.errors import LeaseLostError
from services.model.pacing import Watch
from services.ports import Storage
from tests.contract import samples
from tests.contract.samples import DAY, LEASE, MINUTE, NOW, together

TICK = timedelta(microseconds=1)


def _plan(storage: Storage, **due: datetime) -> None:
    with storage.write() as tx:
        for certificate, due_at in due.items():
            tx.watches.plan(certificate, due_at)


def _claim(storage: Storage, now: datetime = NOW, limit: int = 10) -> list[Watch]:
    with storage.write() as tx:
        return list(tx.watches.claim(now, LEASE, limit))


def _next_due(storage: Storage) -> datetime | None:
    with storage.read() as tx:
        return tx.watches.next_due()


# --- watches --------------------------------------------------------------------------------------------------------


def test_with_no_watches_nothing_is_due(storage: Storage) -> None:
    assert _claim(storage) == []
    assert _next_due(storage) is None


def test_watches_are_claimed_the_longest_due_first(storage: Storage) -> None:
    _plan(storage, c1=NOW, c2=NOW - MINUTE, c3=NOW + TICK, c4=NOW - DAY)
    assert _claim(storage, limit=2) == [
        Watch("c4", NOW - DAY, 1, NOW + LEASE),
        Watch("c2", NOW - MINUTE, 1, NOW + LEASE),
    ]
    assert [w.id for w in _claim(storage)] == ["c1"]
    assert [(w.id, w.fence) for w in _claim(storage, NOW + LEASE)] == [
        ("c4", 2),
        ("c2", 2),
        ("c1", 2),
        ("c3", 1),
    ]


def test_a_plan_brings_a_look_forward_and_never_puts_it_off(storage: Storage) -> None:
    _plan(storage, c1=NOW)
    assert _next_due(storage) == NOW
    _plan(storage, c1=NOW + DAY)
    assert _next_due(storage) == NOW
    _plan(storage, c1=NOW - MINUTE)
    assert _next_due(storage) == NOW - MINUTE


def test_a_plan_leaves_the_lease_to_its_holder(storage: Storage) -> None:
    _plan(storage, c1=NOW)
    (mine,) = _claim(storage)
    _plan(storage, c1=NOW - DAY)
    assert _claim(storage) == []
    with storage.write() as tx:
        tx.watches.done(mine, NOW + DAY)
    assert _next_due(storage) == NOW + DAY


def test_a_watch_that_is_done_is_due_again_when_it_was_said(storage: Storage) -> None:
    _plan(storage, c1=NOW)
    (mine,) = _claim(storage)
    assert _next_due(storage) == NOW  # leased or not
    with storage.write() as tx:
        tx.watches.done(mine, NOW + MINUTE)
    assert _claim(storage, NOW + MINUTE - TICK) == []
    assert _claim(storage, NOW + MINUTE) == [Watch("c1", NOW + MINUTE, 2, NOW + MINUTE + LEASE)]


def test_who_has_lost_the_lease_does_not_give_it_back(storage: Storage) -> None:
    _plan(storage, c1=NOW)
    (late,) = _claim(storage)
    (present,) = _claim(storage, NOW + LEASE)
    for lost in (late, Watch("c9", NOW)):
        with pytest.raises(LeaseLostError), storage.write() as tx:
            tx.watches.done(lost, NOW + DAY)
    with storage.write() as tx:
        tx.watches.done(present, NOW + DAY)


def test_a_pass_that_several_share_looks_at_each_once(storage: Storage) -> None:
    _plan(storage, **{f"c{n}": NOW for n in range(90)})

    def worker() -> list[str]:
        mine: list[str] = []
        while got := _claim(storage, limit=4):
            mine += [watch.id for watch in got]
        return mine

    seen = Counter(id_ for share in together(worker, worker, worker) for id_ in share)
    seen.update(watch.id for watch in _claim(storage, limit=90))  # skipped where another was just claiming it
    assert len(seen) == 90
    assert set(seen.values()) == {1}


# --- breakers -------------------------------------------------------------------------------------------------------


def test_a_breaker_comes_back_as_it_was_put(storage: Storage) -> None:
    closed = samples.breaker("target edge", failed=(), opened_at=None, probe_at=None, probes=0)
    with storage.write() as tx:
        assert tx.breakers.get("ca Pebble") is None
        assert list(tx.breakers.all()) == []
        tx.breakers.put(closed)
        tx.breakers.put(samples.breaker())
        assert list(tx.breakers.all()) == [samples.breaker(), closed]
        tx.breakers.put(samples.breaker(probes=3))
        assert tx.breakers.get("ca Pebble") == samples.breaker(probes=3)
        tx.breakers.drop("ca Pebble")
        tx.breakers.drop("ca Pebble")
        assert tx.breakers.get("ca Pebble") is None
        assert tx.breakers.get("target edge") == closed


def test_a_last_word_that_no_text_column_takes_is_kept_readable(storage: Storage) -> None:
    with storage.write() as tx:
        tx.breakers.put(samples.breaker(detail="no\0thing"))
        kept = tx.breakers.get("ca Pebble")
    assert kept is not None
    assert kept.detail == "no\N{REPLACEMENT CHARACTER}thing"


def test_the_canary_waits_for_its_time(storage: Storage) -> None:
    until = NOW + DAY
    with storage.write() as tx:
        assert not tx.breakers.take_canary("ca Pebble", NOW, until)  # there is no breaker
        tx.breakers.put(samples.breaker(probe_at=None))
        assert not tx.breakers.take_canary("ca Pebble", NOW, until)
        tx.breakers.put(samples.breaker(probe_at=NOW))
        assert not tx.breakers.take_canary("ca Pebble", NOW - TICK, until)
        assert tx.breakers.take_canary("ca Pebble", NOW, until)
        assert not tx.breakers.take_canary("ca Pebble", NOW, until)
        assert tx.breakers.get("ca Pebble") == samples.breaker(probe_at=until)
        assert tx.breakers.take_canary("ca Pebble", until, until + DAY)


def test_of_many_at_once_one_is_the_canary(storage: Storage) -> None:
    with storage.write() as tx:
        tx.breakers.put(samples.breaker(probe_at=NOW))

    def take() -> bool:
        with storage.write() as tx:
            return tx.breakers.take_canary("ca Pebble", NOW, NOW + MINUTE)

    assert sorted(together(*[take] * 6)) == [False] * 5 + [True]


# --- budgets --------------------------------------------------------------------------------------------------------


def test_a_bucket_that_nobody_used_is_full(storage: Storage) -> None:
    with storage.write() as tx:
        assert tx.budgets.full_at([]) == {}
        assert tx.budgets.full_at(["orders"]) == {}
        tx.budgets.spend("orders", MINUTE, NOW)
        tx.budgets.spend("names", DAY, NOW)
        assert tx.budgets.full_at(["orders", "other"]) == {"orders": NOW + MINUTE}
        assert tx.budgets.full_at(["names", "orders"]) == {"names": NOW + DAY, "orders": NOW + MINUTE}


def test_each_token_takes_its_time_to_grow_again(storage: Storage) -> None:
    with storage.write() as tx:
        spent = [tx.budgets.spend("orders", MINUTE, NOW) for _ in range(3)]
        assert spent == [NOW + MINUTE, NOW + 2 * MINUTE, NOW + 3 * MINUTE]
        assert tx.budgets.spend("orders", TICK, NOW + MINUTE) == NOW + 3 * MINUTE + TICK
        assert tx.budgets.spend("orders", MINUTE, NOW + DAY) == NOW + DAY + MINUTE
        assert tx.budgets.full_at(["orders"]) == {"orders": NOW + DAY + MINUTE}


def test_what_the_ca_said_holds_at_least(storage: Storage) -> None:
    with storage.write() as tx:
        for until, expected in ((DAY, DAY), (MINUTE, DAY), (2 * DAY, 2 * DAY)):
            tx.budgets.hold("orders", NOW + until)
            assert tx.budgets.full_at(["orders"]) == {"orders": NOW + expected}


def test_full_buckets_are_forgotten(storage: Storage) -> None:
    with storage.write() as tx:
        assert tx.budgets.forget(NOW) == 0
        for key, until in (("a", -MINUTE), ("b", 0 * MINUTE), ("c", TICK)):
            tx.budgets.hold(key, NOW + until)
        assert tx.budgets.forget(NOW) == 2
        assert tx.budgets.full_at(["a", "b", "c"]) == {"c": NOW + TICK}


def test_tokens_that_many_take_at_once_are_all_counted(storage: Storage) -> None:
    """From the first on, when there is no row yet that one could hold."""

    def spend() -> None:
        for _ in range(10):
            with storage.write() as tx:
                tx.budgets.spend("orders", MINUTE, NOW)

    together(*[spend] * 4)
    with storage.read() as tx:
        assert tx.budgets.full_at(["orders"]) == {"orders": NOW + 40 * MINUTE}


def test_many_buckets_are_read_at_once(storage: Storage) -> None:
    keys = [f"key {number}" for number in range(1201)]
    with storage.write() as tx:
        tx.budgets.hold(keys[0], NOW)
        tx.budgets.hold(keys[-1], NOW + DAY)
        assert tx.budgets.full_at(keys) == {keys[0]: NOW, keys[-1]: NOW + DAY}


def test_naive_moments_are_refused(storage: Storage) -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(ValueError, match="without a time zone"), storage.write() as tx:
        tx.watches.plan("c1", naive)
    with pytest.raises(ValueError, match="without a time zone"), storage.write() as tx:
        tx.budgets.hold("orders", naive)
    with pytest.raises(ValueError, match="without a time zone"), storage.write() as tx:
        tx.breakers.put(replace(samples.breaker(), since=naive))
