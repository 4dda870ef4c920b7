"""Scans: claimed by lease, saved by fence, joined, seized; nothing is left of another store's."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.model.errors import LeaseLostError
from services.model.scans import Advice, Found, Kind, Problem, Scan, Site, Skipped, Transport
from services.model.text import say
from services.ports import Storage
from tests.contract.samples import LEASE, MINUTE, NOW

NAME = "shop.moon.test"
FOUND = Found("http://a.test/\0x", "img", "src", f"https://{NAME}/", 3, Kind.UPGRADEABLE)
SCAN = Scan(
    NAME,
    "moon",
    NOW,
    (f"https://{NAME}/",),
    (Problem(f"https://{NAME}/", FOUND, Advice.HTTPS, say("It is {count}.", count=3), ("a.html:3",)),),
    (Skipped("https://a.test/", say("No.")),),
    (),
    Transport("detour", ("http://a.test/",), 300, subdomains=True),
    "--- a\n",
)


def _ask(storage: Storage, store: str = "moon", *paths: str, later: float = 0) -> Site:
    with storage.write() as tx:
        return tx.scans.ask(NAME, store, paths, NOW + timedelta(minutes=later))


def _claim(storage: Storage, later: float = 0) -> list[Site]:
    with storage.write() as tx:
        return list(tx.scans.claim(NOW + timedelta(minutes=later), LEASE, 10))


def _get(storage: Storage) -> Site:
    with storage.read() as tx:
        found = tx.scans.get(NAME)
    assert found is not None
    return found


def _save(storage: Storage, site: Site) -> None:
    with storage.write() as tx:
        tx.scans.save(site)


def test_what_is_asked_for_is_claimed_once_and_saved_whole(storage: Storage) -> None:
    _ask(storage)
    [site] = _claim(storage)
    assert _claim(storage) == []
    done = replace(site, scan=SCAN, answered=site.asked_at, count=1, first=1, since=NOW, run_after=None)
    _save(storage, done)
    assert _get(storage) == replace(done, lease_until=None)
    assert _claim(storage, 60) == []


def test_the_same_wish_is_joined_and_another_one_stays_due(storage: Storage) -> None:
    _ask(storage)
    [site] = _claim(storage)
    assert _ask(storage, later=1).asked_at == NOW
    _ask(storage, "moon", "/login", later=2)
    _save(storage, replace(site, scan=SCAN, answered=site.asked_at, run_after=None))
    [again] = _claim(storage, 2)
    assert again.paths == ("/login",)
    assert again.scan == SCAN


def test_a_worker_that_died_is_taken_over_and_saves_nothing_any_more(storage: Storage) -> None:
    _ask(storage)
    [dead] = _claim(storage)
    with storage.write() as tx:
        tx.scans.alive(replace(dead, pages=2, seen=5), NOW + MINUTE + LEASE)
    assert (_get(storage).pages, _get(storage).seen) == (2, 5)
    [alive] = _claim(storage, 60)
    assert alive.fence == dead.fence + 1
    with pytest.raises(LeaseLostError):
        _save(storage, replace(dead, scan=SCAN))
    with pytest.raises(LeaseLostError), storage.write() as tx:
        tx.scans.alive(dead, NOW + LEASE)


def test_a_row_is_seized_whoever_holds_it(storage: Storage) -> None:
    _ask(storage)
    [held] = _claim(storage)
    with storage.write() as tx:
        seized = tx.scans.seize(NAME, NOW, LEASE)
        assert tx.scans.seize("other.test", NOW, LEASE) is None
    assert seized is not None
    assert seized.fence == held.fence + 1
    with pytest.raises(LeaseLostError):
        _save(storage, held)


def test_nothing_is_left_of_what_was_found_while_the_name_was_another_stores(storage: Storage) -> None:
    _ask(storage)
    [site] = _claim(storage)
    _save(storage, replace(site, scan=SCAN, answered=NOW, count=1, first=1, since=NOW, run_after=None))
    with storage.write() as tx:
        tx.scans.ask(NAME, "moon", (), NOW + MINUTE)
    [running] = _claim(storage, 1)
    theirs = _ask(storage, "sun", later=2)
    assert (theirs.scan, theirs.count, theirs.since, _get(storage).store) == (None, None, None, "sun")
    with pytest.raises(LeaseLostError):
        _save(storage, replace(running, scan=SCAN))


def test_a_plan_is_made_once_for_each_store(storage: Storage) -> None:
    with storage.write() as tx:
        assert tx.scans.plan(NAME, "moon", NOW + MINUTE)
        assert not tx.scans.plan(NAME, "moon", NOW)
    assert _claim(storage) == []
    assert len(_claim(storage, 1)) == 1
    with storage.write() as tx:
        assert tx.scans.plan(NAME, "sun", NOW + MINUTE)


def test_what_is_saved_without_its_paths_is_scanned_whole_the_next_time(storage: Storage) -> None:
    _ask(storage, "moon", "/login")
    [site] = _claim(storage)
    _save(storage, replace(site, paths=(), answered=site.asked_at, run_after=NOW + MINUTE))
    assert _get(storage).paths == ()
    _ask(storage, "moon", "/login", later=2)
    [site] = _claim(storage, 2)
    _ask(storage, "moon", "/cart", later=3)
    _save(storage, replace(site, paths=(), answered=site.asked_at, run_after=None))
    assert _get(storage).paths == ("/cart",)


def test_a_scan_that_comes_round_by_itself_is_no_answer_to_who_asks_meanwhile(storage: Storage) -> None:
    _ask(storage)
    [site] = _claim(storage)
    _save(storage, replace(site, answered=site.asked_at, run_after=NOW + MINUTE))
    assert _claim(storage, 1)
    asked = _ask(storage, later=2)
    assert asked.asked_at == NOW + 2 * MINUTE


def test_who_asks_comes_before_all_that_come_round_by_themselves(storage: Storage) -> None:
    with storage.write() as tx:
        for number in range(3):
            tx.scans.plan(f"n{number}.test", "sun", NOW - timedelta(days=number))
    _ask(storage)
    with storage.write() as tx:
        assert [site.id for site in tx.scans.claim(NOW, LEASE, 1)] == [NAME]


def test_a_planned_scan_is_planned_once(storage: Storage) -> None:
    with storage.write() as tx:
        assert tx.scans.plan(NAME, "moon", NOW + MINUTE)
        assert not tx.scans.plan(NAME, "moon", NOW)
    assert _claim(storage) == []
    assert len(_claim(storage, 1)) == 1
