"""Messages that go other ways than Slack or stand in a thread, and how far behind their delivery is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.model.errors import LeaseLostError
from services.ports import Message, Storage
from tests.contract import samples
from tests.contract.samples import LEASE, MINUTE, NOW

SOON = NOW + timedelta(minutes=10)


def _put(storage: Storage, *messages: Message) -> None:
    with storage.write() as tx:
        for message in messages:
            tx.outbox.put(message)


def _claim(storage: Storage, via: str, now: datetime = SOON, limit: int = 10) -> Sequence[Message]:
    with storage.write() as tx:
        return tx.outbox.claim(now, LEASE, limit, via)


def test_the_way_and_the_thread_come_back_and_are_kept(storage: Storage) -> None:
    page = samples.message(via="webhook", channel="pager", thread="alert:1:C1")
    _put(storage, page, samples.message(2, key=page.key, via="slack", thread=""))
    with storage.read() as tx:
        kept = tx.outbox.by_key(page.key)
    assert kept is not None
    assert (kept.via, kept.channel, kept.thread, kept.version) == ("webhook", "pager", "alert:1:C1", 2)
    assert (samples.message().via, samples.message().thread) == ("slack", "")


def test_each_way_claims_its_own(storage: Storage) -> None:
    _put(
        storage,
        *(samples.message(n, via="webhook") for n in (4, 3)),
        *(samples.message(n) for n in (2, 1)),
        samples.message(5, via="webhook", run_after=SOON + MINUTE),
    )
    assert [m.id for m in _claim(storage, "webhook", limit=1)] == ["msg_3"]
    with storage.write() as tx:
        assert [m.id for m in tx.outbox.claim(SOON, LEASE, 10)] == ["msg_1", "msg_2"]
    assert [m.id for m in _claim(storage, "webhook")] == ["msg_4"]
    assert list(_claim(storage, "pigeon")) == []
    assert [m.id for m in _claim(storage, "webhook", SOON + MINUTE)] == ["msg_3", "msg_4", "msg_5"]


def test_the_oldest_is_what_has_been_due_the_longest(storage: Storage) -> None:
    with storage.read() as tx:
        assert tx.outbox.oldest() is None
        assert tx.outbox.struggling() == 0
    _put(storage, samples.message(2), samples.message(1), samples.message(3, via="webhook", run_after=SOON))
    with storage.read() as tx:
        assert tx.outbox.oldest() == NOW + timedelta(seconds=1)
        assert tx.outbox.oldest("webhook") == SOON
        assert tx.outbox.oldest("pigeon") is None


def test_a_message_that_was_postponed_struggles_until_it_is_delivered(storage: Storage) -> None:
    _put(storage, samples.message(1), samples.message(2, via="webhook"))
    (mine,) = _claim(storage, "slack")
    with storage.write() as tx:
        tx.outbox.postponed(mine, SOON + MINUTE, "ratelimited")
        assert tx.outbox.oldest() == SOON + MINUTE  # from its next try on
        assert (tx.outbox.struggling(), tx.outbox.struggling("webhook")) == (1, 0)
    (again,) = _claim(storage, "slack", SOON + MINUTE)
    with storage.write() as tx:
        tx.outbox.delivered(again, "1700.1", final=False)
        assert tx.outbox.oldest() is None
        assert tx.outbox.struggling() == 0
        assert tx.outbox.waiting() == 1


def test_a_request_keeps_its_kind(storage: Storage) -> None:
    click = samples.request(kind="click", text="alert.ack alert_1 3")
    with storage.write() as tx:
        assert tx.requests.add(click)
        assert tx.requests.add(samples.request(2))
        assert tx.requests.get("req_1") == click
        (mine, other) = tx.requests.claim(SOON, LEASE, 2)
    assert mine == replace(click, fence=1, tries=1, lease_until=SOON + LEASE)
    assert other.kind == "command"


def test_what_is_followed_can_be_changed_by_who_holds_the_message(storage: Storage) -> None:
    with storage.write() as tx:
        tx.outbox.put(samples.message(1, via="home", follows=("cert_001",)))
        [held] = tx.outbox.claim(NOW + MINUTE, LEASE, 5, "home")
        tx.outbox.follow(held, ["cert_002", "store moon"])
        assert (tx.outbox.followed("cert_001"), tx.outbox.followed("store moon")) == (False, True)
        tx.outbox.delivered(held, "home", final=False)
        assert tx.outbox.waiting() == 0  # it is no change of the message
        tx.outbox.touch("cert_001", NOW)
        assert tx.outbox.waiting() == 0
        tx.outbox.touch("store moon", NOW)
        assert tx.outbox.waiting() == 1
        stored = tx.outbox.by_key("request:1")
        assert stored is not None
        assert stored.follows == ("cert_002", "store moon")
        other = samples.message(2, via="home", follows=("store moon", "store sun", "storehouse", "stor"))
        tx.outbox.put(other)
        assert tx.outbox.followed_under("store ") == ["store moon", "store sun"]
        tx.outbox.claim(NOW + MINUTE, LEASE, 5, "home")
    with pytest.raises(LeaseLostError), storage.write() as tx:
        tx.outbox.follow(held, [])
