"""Stores, domains, challenges, accounts, transactions and heartbeats."""

from dataclasses import replace
from functools import partial

import pytest

from services.model.clock import utc_now
from services.model.errors import NotFoundError
from services.model.stores import Domain, Store, StoreStatus
from services.ports import Account, Storage
from tests.contract import samples
from tests.contract.samples import LEASE, MINUTE, NOW, together

MOON = Store("moon", StoreStatus.ACTIVE, "ko-KR")


def test_a_store_is_put_and_tells_whether_it_changed(storage: Storage) -> None:
    with storage.write() as tx:
        assert tx.stores.get("moon") is None
        assert tx.stores.put(MOON)
        assert not tx.stores.put(MOON)
        assert tx.stores.put(replace(MOON, locale="de"))
        assert tx.stores.put(replace(MOON, locale="de", status=StoreStatus.DELETED))
        assert tx.stores.get("moon") == Store("moon", StoreStatus.DELETED, "de")


def test_stores_are_sorted_by_id(storage: Storage) -> None:
    with storage.write() as tx:
        for id_ in ("b", "a-1", "B", "a", "a_1", "z"):
            tx.stores.put(Store(id_))
        assert [store.id for store in tx.stores.all()] == ["B", "a", "a-1", "a_1", "b", "z"]


def test_a_status_is_set_for_existing_stores_only(storage: Storage) -> None:
    with storage.write() as tx:
        assert not tx.stores.set_status("moon", StoreStatus.INACTIVE)
        tx.stores.put(MOON)
        assert tx.stores.set_status("moon", StoreStatus.INACTIVE)
        assert tx.stores.set_status("moon", StoreStatus.INACTIVE)
        assert tx.stores.get("moon") == replace(MOON, status=StoreStatus.INACTIVE)


def test_a_domain_is_put_and_may_change_hands(storage: Storage) -> None:
    with storage.write() as tx:
        tx.stores.put(MOON)
        tx.stores.put(Store("sun"))
        domain = Domain("shop.test", "moon")
        assert tx.stores.domain("shop.test") is None
        assert tx.stores.put_domain(domain)
        assert not tx.stores.put_domain(domain)
        assert tx.stores.put_domain(replace(domain, default=True))
        assert tx.stores.put_domain(Domain("shop.test", "sun"))
        assert tx.stores.domain("shop.test") == Domain("shop.test", "sun")
        assert list(tx.stores.domains("moon")) == []


def test_a_domain_can_be_looked_for_among_some_stores_alone(storage: Storage) -> None:
    with storage.write() as tx:
        tx.stores.put(MOON)
        tx.stores.put(Store("sun"))
        tx.stores.put_domain(Domain("shop.test", "moon"))
        for among in ({"moon"}, {"sun", "moon"}, {"moon", *(f"store{number}" for number in range(2000))}):
            assert tx.stores.domain("shop.test", frozenset(among)) == Domain("shop.test", "moon")
        for other in (set(), {"sun"}, {"sun", "nobody"}):
            assert tx.stores.domain("shop.test", frozenset(other)) is None
        assert tx.stores.domain("shop.test", None) == Domain("shop.test", "moon")


def test_domains_are_sorted_by_name(storage: Storage) -> None:
    with storage.write() as tx:
        tx.stores.put(MOON)
        for name in ("b.test", "a.b.test", "a-b.test", "xn--bj0bj06e.test"):
            tx.stores.put_domain(Domain(name, "moon"))
        names = [domain.name for domain in tx.stores.domains("moon")]
        assert names == ["a-b.test", "a.b.test", "b.test", "xn--bj0bj06e.test"]
        assert list(tx.stores.domains("nobody")) == []


def test_a_domain_needs_its_store(storage: Storage) -> None:
    with pytest.raises(NotFoundError), storage.write() as tx:
        tx.stores.put_domain(Domain("shop.test", "nobody"))
    with storage.read() as tx:
        assert tx.stores.domain("shop.test") is None


def test_challenge_answers_are_put_replaced_and_dropped(storage: Storage) -> None:
    with storage.write() as tx:
        assert tx.challenges.get("t1") is None
        tx.challenges.put("t1", "t1.x", "cert_001", NOW)
        tx.challenges.put("t1", "t1.y", "cert_001", NOW)
        tx.challenges.put("t2", "t2.y", "cert_001", NOW)
        tx.challenges.put("t3", "t3.y", "cert_002", NOW)
    with storage.write() as tx:
        assert tx.challenges.get("t1") == "t1.y"
        tx.challenges.drop("cert_001")
        tx.challenges.drop("cert_001")
        assert [tx.challenges.get(token) for token in ("t1", "t2", "t3")] == [None, None, "t3.y"]


def test_the_first_account_of_a_directory_stays(storage: Storage) -> None:
    first, second = samples.account(), samples.account(url="https://ca.test/account/2", sealed_key=b"2")
    with storage.write() as tx:
        assert tx.accounts.get(first.directory) is None
        assert tx.accounts.add(first) == first
        assert tx.accounts.add(second) == first
        tx.accounts.replace(second)
        assert tx.accounts.get(first.directory) == second
        tx.accounts.replace(samples.account("https://other.test/directory"))
        assert tx.accounts.get("https://other.test/directory") == samples.account(
            "https://other.test/directory"
        )


def test_all_who_add_an_account_at_once_get_the_winner(storage: Storage) -> None:
    def adder(number: int) -> Account:
        with storage.write() as tx:
            return tx.accounts.add(samples.account(url=f"https://ca.test/account/{number}"))

    results = together(lambda: adder(1), lambda: adder(2), lambda: adder(3))
    with storage.read() as tx:
        winner = tx.accounts.get(samples.account().directory)
    assert results == [winner] * 3


def test_a_failed_transaction_leaves_nothing(storage: Storage) -> None:
    class StopError(Exception):
        pass

    def write_and_stop() -> None:
        with storage.write() as tx:
            tx.stores.put(MOON)
            tx.stores.put_domain(Domain("shop.test", "moon"))
            tx.certificates.add(samples.certificate())
            tx.certificates.put_revision(samples.revision())
            tx.certificates.put_findings("cert_001", [samples.finding()])
            tx.certificates.record(samples.happening())
            tx.challenges.put("t1", "t1.x", "cert_001", NOW)
            tx.accounts.add(samples.account())
            tx.requests.add(samples.request())
            tx.outbox.put(samples.message())
            raise StopError

    with pytest.raises(StopError):
        write_and_stop()
    with storage.read() as tx:
        assert (tx.stores.get("moon"), tx.stores.domain("shop.test")) == (None, None)
        assert (tx.certificates.get("cert_001"), tx.certificates.revision("rev_1")) == (None, None)
        assert list(tx.certificates.findings("cert_001")) == []
        assert list(tx.certificates.history("cert_001")) == []
        assert tx.challenges.get("t1") is None
        assert tx.accounts.get(samples.account().directory) is None
        assert (tx.requests.get("req_1"), tx.outbox.by_key("request:1")) == (None, None)


def test_a_failed_transaction_restores_what_was_there(storage: Storage) -> None:
    class StopError(Exception):
        pass

    with storage.write() as tx:
        tx.stores.put(MOON)
        tx.challenges.put("t1", "t1.x", "cert_001", NOW)

    def change_and_stop() -> None:
        with storage.write() as tx:
            tx.stores.set_status("moon", StoreStatus.DELETED)
            tx.challenges.drop("cert_001")
            raise StopError

    with pytest.raises(StopError):
        change_and_stop()
    with storage.read() as tx:
        assert tx.stores.get("moon") == MOON
        assert tx.challenges.get("t1") == "t1.x"


def test_a_reader_sees_one_state_and_does_not_wait_for_the_writer(storage: Storage) -> None:
    with storage.read() as before:
        assert before.stores.get("moon") is None
        with storage.write() as tx:
            tx.stores.put(MOON)
            with storage.read() as beside:
                assert beside.stores.get("moon") is None  # not committed yet
        assert before.stores.get("moon") is None  # began before the commit
    with storage.read() as after:
        assert after.stores.get("moon") == MOON


def test_a_reading_transaction_does_not_write(storage: Storage) -> None:
    with pytest.raises(RuntimeError, match="reading"), storage.read() as tx:
        tx.stores.put(MOON)
    with storage.read() as tx:
        assert tx.stores.get("moon") is None


def test_a_write_inside_a_write_is_refused_and_not_waited_for(storage: Storage) -> None:
    with storage.write(), pytest.raises(RuntimeError, match="same thread"), storage.write():
        pass
    with storage.write() as tx:
        assert tx.stores.put(MOON)


def test_writers_of_many_threads_all_get_their_turn(storage: Storage) -> None:
    def writer(number: int) -> None:
        for turn in range(10):
            with storage.write() as tx:
                tx.stores.put(Store(f"store-{number}-{turn}"))

    together(*(partial(writer, number) for number in range(6)))
    with storage.read() as tx:
        assert len(tx.stores.all()) == 60


def test_the_last_heartbeat_is_any_workers(storage: Storage) -> None:
    assert storage.last_heartbeat() is None
    storage.heartbeat("a", NOW + MINUTE)
    storage.heartbeat("b", NOW)
    assert storage.last_heartbeat() == NOW + MINUTE
    storage.heartbeat("a", NOW + 2 * MINUTE)
    assert storage.last_heartbeat() == NOW + 2 * MINUTE


def test_a_database_server_tells_its_own_time(postgres_storage: Storage) -> None:
    told = postgres_storage.server_time()
    assert told is not None
    assert abs(told - utc_now()) < MINUTE


def test_without_a_server_there_is_no_other_clock(memory_storage: Storage, sqlite_storage: Storage) -> None:
    assert memory_storage.server_time() is None
    assert sqlite_storage.server_time() is None


def test_an_open_storage_is_ready(storage: Storage) -> None:
    assert storage.ready()


def test_a_duty_is_one_workers_until_it_runs_out_or_is_given_up(storage: Storage) -> None:
    assert storage.lead("messages", "a", NOW, MINUTE)
    assert not storage.lead("messages", "b", NOW + MINUTE / 2, MINUTE)
    assert storage.lead("another", "b", NOW, MINUTE)
    assert storage.lead("messages", "a", NOW + MINUTE / 2, MINUTE)  # goes on
    assert not storage.lead("messages", "b", NOW + MINUTE, MINUTE)
    assert storage.lead("messages", "b", NOW + 2 * MINUTE, MINUTE)  # its last word is a minute old
    assert not storage.lead("messages", "a", NOW + 2 * MINUTE, MINUTE)
    assert storage.lead("messages", "b", NOW + 2 * MINUTE, MINUTE * 0)
    assert storage.lead("messages", "a", NOW + 2 * MINUTE, MINUTE)


def test_what_has_failed_is_revived_as_of_its_creation(storage: Storage) -> None:
    with storage.write() as tx:
        tx.outbox.put(samples.message(1, follows=()))
        tx.outbox.put(samples.message(2, follows=(), via="webhook", run_after=NOW + 9 * MINUTE))
        tx.outbox.put(samples.message(3, follows=(), run_after=NOW + 9 * MINUTE))
        [first] = tx.outbox.claim(NOW + MINUTE, LEASE, 5)
        tx.outbox.postponed(first, NOW + 9 * MINUTE, "ratelimited")
    with storage.write() as tx:
        assert list(tx.outbox.claim(NOW + 2 * MINUTE, LEASE, 5)) == []
        tx.outbox.revive()
        assert [one.id for one in tx.outbox.claim(NOW + 2 * MINUTE, LEASE, 5)] == ["msg_1"]
