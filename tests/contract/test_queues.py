"""Requests and messages: accepted once, claimed by one, delivered as often as they change."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta

import pytest

from services.model.errors import LeaseLostError
from services.ports import Message, Request, Storage
from tests.contract import samples
from tests.contract.samples import LEASE, MINUTE, NOW, together

SOON = NOW + timedelta(minutes=10)


def _put(storage: Storage, *messages: Message) -> None:
    with storage.write() as tx:
        for message in messages:
            tx.outbox.put(message)


def _claim(storage: Storage, now: datetime = SOON, limit: int = 10) -> Sequence[Message]:
    with storage.write() as tx:
        return tx.outbox.claim(now, LEASE, limit)


def _message(storage: Storage, key: str = "request:1") -> Message:
    with storage.read() as tx:
        found = tx.outbox.by_key(key)
    assert found is not None
    return found


def _deliver(storage: Storage, message: Message, *, final: bool = False) -> None:
    with storage.write() as tx:
        tx.outbox.delivered(message, "1700.1", final=final)


def _touch(storage: Storage, certificate: str, now: datetime = SOON) -> None:
    with storage.write() as tx:
        tx.outbox.touch(certificate, now)


# --- requests -----------------------------------------------------------------------------------------------------


def test_a_request_comes_back_as_it_was_added(storage: Storage) -> None:
    form = {"values": {"names": ["한국.test"]}, "memory": "m", "hash": "1.2", "kind": "modal"}
    full = samples.request(
        done_at=NOW,
        fence=2,
        lease_until=NOW + MINUTE,
        tries=3,
        kind="submission",
        trigger="3.4",
        view="V1",
        form=form,
    )
    assert [f.name for f in fields(Request) if getattr(full, f.name) is None] == []
    with storage.write() as tx:
        assert tx.requests.add(full)
        assert tx.requests.get("req_1") == full
        assert tx.requests.get("req_2") is None


def test_a_second_delivery_is_the_same_request(storage: Storage) -> None:
    with storage.write() as tx:
        assert tx.requests.add(samples.request(1))
        assert not tx.requests.add(samples.request(2, dedupe="trigger 1", text="another"))
        assert tx.requests.get("req_2") is None
        assert tx.requests.get("req_1") == samples.request(1)


def test_of_two_deliveries_at_once_one_is_accepted(storage: Storage) -> None:
    def deliver(number: int) -> bool:
        with storage.write() as tx:
            return tx.requests.add(samples.request(number, dedupe="same"))

    assert sorted(together(lambda: deliver(1), lambda: deliver(2))) == [False, True]


def test_requests_are_claimed_oldest_first_and_each_try_counts(storage: Storage) -> None:
    with storage.write() as tx:
        for number in (3, 1, 2):
            tx.requests.add(samples.request(number))
        first = tx.requests.claim(NOW, LEASE, 2)
        assert [r.id for r in first] == ["req_1", "req_2"]
        assert [(r.tries, r.fence, r.lease_until) for r in first] == [(1, 1, NOW + LEASE)] * 2
        assert [r.id for r in tx.requests.claim(NOW, LEASE, 2)] == ["req_3"]
        assert list(tx.requests.claim(NOW, LEASE, 2)) == []
        again = tx.requests.claim(NOW + LEASE, LEASE, 1)
        assert [(r.id, r.tries, r.fence) for r in again] == [("req_1", 2, 2)]


def test_a_finished_request_is_not_claimed_again(storage: Storage) -> None:
    with storage.write() as tx:
        tx.requests.add(samples.request())
        (mine,) = tx.requests.claim(NOW, LEASE, 1)
        tx.requests.finish(mine, NOW + MINUTE)
        assert tx.requests.get("req_1") == replace(mine, done_at=NOW + MINUTE, lease_until=None)
        assert list(tx.requests.claim(NOW + 2 * LEASE, LEASE, 1)) == []


def test_a_request_that_was_claimed_again_cannot_be_finished(storage: Storage) -> None:
    with storage.write() as tx:
        tx.requests.add(samples.request())
        (late,) = tx.requests.claim(NOW, LEASE, 1)
        (present,) = tx.requests.claim(NOW + LEASE, LEASE, 1)
    with pytest.raises(LeaseLostError), storage.write() as tx:
        tx.requests.finish(late, NOW)
    with storage.read() as tx:
        assert tx.requests.get("req_1") == present


def test_a_request_may_hold_any_text(storage: Storage) -> None:
    with storage.write() as tx:
        assert tx.requests.add(samples.request(text="add \0 \udcff <@U1> 한국.test '; DROP TABLE requests"))
        found = tx.requests.get("req_1")
    assert found is not None
    assert found.text == "add � ? <@U1> 한국.test '; DROP TABLE requests"


def test_threads_never_claim_the_same_request(storage: Storage) -> None:
    with storage.write() as tx:
        for number in range(40):
            tx.requests.add(samples.request(number))

    def worker() -> list[str]:
        with storage.write() as tx:
            return [r.id for r in tx.requests.claim(SOON, LEASE, 10)]

    seen = Counter(id_ for share in together(worker, worker, worker) for id_ in share)
    assert set(seen.values()) == {1}


# --- messages -----------------------------------------------------------------------------------------------------


def test_a_message_comes_back_and_is_due_from_its_creation_on(storage: Storage) -> None:
    _put(storage, samples.message())
    assert _message(storage) == samples.message(run_after=samples.message().created_at)
    assert _claim(storage, NOW) == []
    (mine,) = _claim(storage, NOW + timedelta(seconds=1))
    assert (mine.fence, mine.lease_until) == (1, NOW + timedelta(seconds=61))


def test_a_message_can_wait_for_its_time(storage: Storage) -> None:
    _put(storage, samples.message(run_after=SOON))
    assert _claim(storage, SOON - timedelta(microseconds=1)) == []
    assert [m.id for m in _claim(storage, SOON)] == ["msg_1"]


def test_the_same_key_changes_the_message_instead_of_adding_one(storage: Storage) -> None:
    _put(storage, samples.message())
    (mine,) = _claim(storage)
    _deliver(storage, mine)
    second = samples.message(
        2, key="request:1", kind="reply", channel="C2", body={"new": True}, follows=("cert_3",)
    )
    _put(storage, second)
    expected = replace(
        mine, kind="reply", body={"new": True}, follows=("cert_3",), version=2, sent=1, ts="1700.1",
        lease_until=None, run_after=second.created_at,
    )  # fmt: skip
    assert _message(storage) == expected
    _touch(storage, "cert_001")
    assert _message(storage) == expected  # followed no more
    _touch(storage, "cert_3")
    assert _message(storage).version == 3


def test_putting_a_message_that_was_read_is_no_second_one(storage: Storage) -> None:
    _put(storage, samples.message())
    _put(storage, _message(storage))
    assert _message(storage).version == 2
    with storage.read() as tx:
        assert tx.outbox.waiting() == 1


def test_only_followers_are_touched(storage: Storage) -> None:
    _put(
        storage, samples.message(1), samples.message(2, follows=("cert_002",)), samples.message(3, follows=())
    )
    for mine in _claim(storage):
        _deliver(storage, mine)
    _touch(storage, "cert_001")
    touched = [
        (_message(storage, f"request:{n}").version, _message(storage, f"request:{n}").run_after)
        for n in (1, 2, 3)
    ]
    assert touched == [(2, SOON), (1, None), (1, None)]
    _touch(storage, "cert_002")
    assert [m.id for m in _claim(storage)] == ["msg_1", "msg_2"]


def test_changes_that_pile_up_become_one_and_keep_their_place(storage: Storage) -> None:
    _put(storage, samples.message(1), samples.message(2, follows=("cert_009",)))
    _touch(storage, "cert_001", SOON)
    _touch(storage, "cert_002", SOON)
    claimed = _claim(storage)
    assert [(m.id, m.version) for m in claimed] == [("msg_1", 3), ("msg_2", 1)]
    for mine in claimed:
        _deliver(storage, mine)
    assert _claim(storage, SOON + MINUTE) == []


def test_oldest_change_is_claimed_first(storage: Storage) -> None:
    _put(storage, *(samples.message(n) for n in (3, 1, 2)))
    assert [m.id for m in _claim(storage, limit=2)] == ["msg_1", "msg_2"]


def test_what_changes_during_delivery_stays_due(storage: Storage) -> None:
    _put(storage, samples.message())
    (mine,) = _claim(storage)
    _touch(storage, "cert_001")
    _deliver(storage, mine)
    now = _message(storage)
    assert (now.version, now.sent, now.ts, now.lease_until) == (2, 1, "1700.1", None)
    assert [m.version for m in _claim(storage)] == [2]


def test_a_final_delivery_ends_the_following(storage: Storage) -> None:
    _put(storage, samples.message())
    (mine,) = _claim(storage)
    _deliver(storage, mine, final=True)
    assert _message(storage).follows == ()
    _touch(storage, "cert_001")
    assert _claim(storage) == []


def test_a_final_delivery_that_something_overtook_is_not_the_last_one(storage: Storage) -> None:
    """What came in between is composed anew: only the delivery that shows it can be final."""
    _put(storage, samples.message())
    (mine,) = _claim(storage)
    _put(storage, samples.message(2, key="request:1", follows=("cert_003",)))
    _deliver(storage, mine, final=True)
    assert _message(storage).follows == ("cert_003",)
    (again,) = _claim(storage)
    _deliver(storage, again, final=True)
    assert _message(storage).follows == ()


def test_a_failed_delivery_is_postponed(storage: Storage) -> None:
    _put(storage, samples.message())
    (mine,) = _claim(storage)
    with storage.write() as tx:
        tx.outbox.postponed(mine, SOON + MINUTE, "ratelimited\0")
    later = _message(storage)
    assert (later.failures, later.run_after, later.error, later.lease_until) == (
        1,
        SOON + MINUTE,
        "ratelimited�",
        None,
    )
    assert _claim(storage, SOON) == []
    (again,) = _claim(storage, SOON + MINUTE)
    _deliver(storage, again)
    done = _message(storage)
    assert (done.failures, done.error, done.run_after) == (0, "", None)


def test_who_lost_a_message_can_neither_deliver_nor_postpone_it(storage: Storage) -> None:
    _put(storage, samples.message())
    (late,) = _claim(storage)
    (present,) = _claim(storage, SOON + LEASE)
    with pytest.raises(LeaseLostError):
        _deliver(storage, late, final=True)
    with pytest.raises(LeaseLostError), storage.write() as tx:
        tx.outbox.postponed(late, SOON, "x")
    assert _message(storage) == present


def test_waiting_counts_what_is_dirty(storage: Storage) -> None:
    with storage.read() as tx:
        assert tx.outbox.waiting() == 0
    _put(storage, samples.message(1), samples.message(2, run_after=SOON + LEASE))
    (mine,) = _claim(storage)
    with storage.read() as tx:
        assert tx.outbox.waiting() == 2
    _deliver(storage, mine)
    with storage.read() as tx:
        assert tx.outbox.waiting() == 1


def test_threads_never_claim_the_same_message(storage: Storage) -> None:
    _put(storage, *(samples.message(n) for n in range(40)))
    shares = together(*[lambda: [m.id for m in _claim(storage)]] * 3)
    seen = Counter(id_ for share in shares for id_ in share)
    assert set(seen.values()) == {1}


def test_changes_that_share_followers_do_not_lock_each_other_out(storage: Storage) -> None:
    _put(storage, *(samples.message(n) for n in range(20)))

    def toucher(certificate: str) -> None:
        for _ in range(20):
            _touch(storage, certificate)

    together(lambda: toucher("cert_001"), lambda: toucher("cert_002"), lambda: toucher("cert_001"))
    assert {_message(storage, f"request:{n}").version for n in range(20)} == {61}
