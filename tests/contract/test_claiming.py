"""The queue of certificates: who claims a row has it alone, and who has lost it saves nothing."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from services.model.errors import LeaseLostError
from services.model.lifecycle import State
from services.ports import Storage
from tests.contract import samples
from tests.contract.samples import LEASE, MINUTE, NOW, add, claim, stored, together


def test_a_claim_leases_the_row_and_raises_its_fence(storage: Storage) -> None:
    add(storage, samples.certificate(fence=3))
    (mine,) = claim(storage)
    assert mine == samples.certificate(fence=4, lease_until=NOW + LEASE)
    assert stored(storage) == mine


def test_the_longest_due_come_first_and_no_more_than_wanted(storage: Storage) -> None:
    add(storage, *(samples.certificate(n, run_after=NOW - n * MINUTE) for n in (1, 5, 3, 2, 4)))
    assert [c.id for c in claim(storage, limit=2)] == ["cert_005", "cert_004"]
    assert [c.id for c in claim(storage, limit=10)] == ["cert_003", "cert_002", "cert_001"]


def test_only_what_is_due_is_claimed(storage: Storage) -> None:
    later = samples.certificate(1, run_after=NOW + timedelta(microseconds=1))
    never = samples.certificate(2, run_after=None)
    add(storage, later, never)
    assert claim(storage) == []
    assert [stored(storage, "cert_001"), stored(storage, "cert_002")] == [later, never]


def test_a_held_row_is_left_alone_until_its_lease_expires(storage: Storage) -> None:
    add(storage, samples.certificate())
    (first,) = claim(storage)
    assert claim(storage, NOW + LEASE - timedelta(microseconds=1)) == []
    (second,) = claim(storage, NOW + LEASE)
    assert (second.fence, second.lease_until) == (first.fence + 1, NOW + 2 * LEASE)


def test_threads_that_claim_at_once_never_get_the_same_row(storage: Storage) -> None:
    rows = 120
    add(storage, *(samples.certificate(n) for n in range(rows)))

    def worker() -> list[str]:
        mine: list[str] = []
        while got := claim(storage, limit=3):
            mine += [c.id for c in got]
        return mine

    shares = together(worker, worker, worker, worker)
    seen = Counter(id_ for share in shares for id_ in share)
    left = claim(storage, limit=rows)  # what a worker skipped because another was just claiming it
    seen.update(c.id for c in left)
    assert set(seen.values()) == {1}
    assert len(seen) == rows


def test_claiming_one_does_not_wait_for_its_time(storage: Storage) -> None:
    add(storage, samples.certificate(run_after=None))
    with storage.write() as tx:
        mine = tx.certificates.claim_one("cert_001", NOW, LEASE)
        assert mine == samples.certificate(run_after=None, fence=1, lease_until=NOW + LEASE)
        assert tx.certificates.claim_one("cert_001", NOW + LEASE - MINUTE / 2, LEASE) is None
        again = tx.certificates.claim_one("cert_001", NOW + LEASE, LEASE)
    assert again is not None
    assert again.fence == 2


def test_a_save_keeps_the_lease_or_gives_it_back(storage: Storage) -> None:
    add(storage, samples.certificate())
    (mine,) = claim(storage)
    with storage.write() as tx:
        tx.certificates.save(replace(mine, state=State.PREPARING), NOW + 2 * LEASE)
    assert stored(storage) == replace(mine, state=State.PREPARING, lease_until=NOW + 2 * LEASE)
    with storage.write() as tx:
        tx.certificates.save(mine, None)
    assert stored(storage).lease_until is None
    assert [c.fence for c in claim(storage)] == [mine.fence + 1]


def test_a_save_with_an_old_fence_is_refused(storage: Storage) -> None:
    add(storage, samples.certificate())
    (late,) = claim(storage)
    (present,) = claim(storage, NOW + LEASE)
    with pytest.raises(LeaseLostError), storage.write() as tx:
        tx.certificates.save(replace(late, state=State.FAILED), None)
    assert stored(storage) == present


def test_a_refused_save_takes_its_whole_transaction_with_it(storage: Storage) -> None:
    add(storage, samples.certificate())
    (late,) = claim(storage)
    claim(storage, NOW + LEASE)

    def save_late() -> None:
        with storage.write() as tx:
            tx.certificates.record(samples.happening())
            tx.outbox.put(samples.message())
            tx.certificates.save(late, None)

    with pytest.raises(LeaseLostError):
        save_late()
    with storage.read() as tx:
        assert list(tx.certificates.history("cert_001")) == []
        assert tx.outbox.by_key("request:1") is None


def test_a_row_that_is_gone_or_never_was_is_a_lost_lease(storage: Storage) -> None:
    with pytest.raises(LeaseLostError), storage.write() as tx:
        tx.certificates.save(samples.certificate(), None)


def test_a_lease_is_lengthened_for_its_holder_alone_and_changes_nothing_else(storage: Storage) -> None:
    add(storage, samples.certificate())
    (held,) = claim(storage)
    with storage.write() as tx:
        assert tx.certificates.extend(held.id, held.fence, NOW + 5 * LEASE)
        assert not tx.certificates.extend(held.id, held.fence - 1, NOW + 9 * LEASE)
        assert not tx.certificates.extend("cert_none", held.fence, NOW + 9 * LEASE)
    assert stored(storage) == replace(held, lease_until=NOW + 5 * LEASE)
    with storage.write() as tx:
        tx.certificates.save(held, None)
        assert not tx.certificates.extend(held.id, held.fence, NOW + 5 * LEASE)
    assert stored(storage).lease_until is None


def test_asking_changes_an_unleased_row_and_raises_its_fence(storage: Storage) -> None:
    add(storage, samples.certificate(run_after=None, state=State.INSTALLED))
    wish = samples.certificate(
        run_after=NOW, state=State.CHECKING, asked=True, wanted=("a.test",), updated_at=NOW
    )
    with storage.write() as tx:
        assert tx.certificates.ask(wish)
    assert stored(storage) == replace(wish, fence=1)


def test_asking_is_refused_while_a_lease_is_held(storage: Storage) -> None:
    add(storage, samples.certificate())
    (held,) = claim(storage)
    with storage.write() as tx:
        assert not tx.certificates.ask(replace(held, asked=True, updated_at=NOW + LEASE / 2))
    assert stored(storage) == held


def test_asking_after_a_lease_expired_shuts_its_holder_out(storage: Storage) -> None:
    add(storage, samples.certificate())
    (held,) = claim(storage)
    wish = replace(held, asked=True, updated_at=NOW + LEASE)
    with storage.write() as tx:
        assert tx.certificates.ask(wish)
    assert stored(storage) == replace(wish, fence=held.fence + 1, lease_until=None)
    with pytest.raises(LeaseLostError), storage.write() as tx:
        tx.certificates.save(held, None)


def test_asking_with_an_old_fence_is_refused(storage: Storage) -> None:
    add(storage, samples.certificate())
    seen = stored(storage)
    (mine,) = claim(storage)
    with storage.write() as tx:
        tx.certificates.save(mine, None)
    with storage.write() as tx:
        assert not tx.certificates.ask(replace(seen, asked=True, updated_at=NOW + MINUTE))
    assert not stored(storage).asked


def test_next_due_is_the_earliest_of_the_unleased(storage: Storage) -> None:
    add(
        storage,
        samples.certificate(1, run_after=NOW),
        samples.certificate(2, run_after=NOW + 2 * MINUTE),
        samples.certificate(3, run_after=NOW + MINUTE),
        samples.certificate(4, run_after=None),
    )
    with storage.read() as tx:
        assert tx.certificates.next_due() == NOW
    claim(storage)
    with storage.read() as tx:
        assert tx.certificates.next_due() == NOW + MINUTE
