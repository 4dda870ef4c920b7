"""Revocations: one for each revision, claimed by lease, saved by fence; keys are barred once and for ever."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.model.errors import LeaseLostError, NotFoundError
from services.model.revoking import BarredKey, Reason, Revocation, Stage
from services.model.text import say
from services.ports import Storage
from tests.contract.samples import LEASE, MINUTE, NOW, certificate, together


def _revocation(number: int = 1, **changes: Any) -> Revocation:
    plain = Revocation(
        id=f"rvk_{number}",
        certificate="cert_001",
        revision=f"rev_{number}",
        store="moon",
        name="shop.moon.test",
        serial="0a1b",
        ca="Pebble",
        reason=Reason.SUPERSEDED,
        person="T1/U1",
        created_at=NOW + number * MINUTE,
        stage=Stage.REPLACING,
        run_after=NOW,
    )
    return replace(plain, **changes)


def _full() -> Revocation:
    return _revocation(
        reason=Reason.KEY_COMPROMISE,
        stage=Stage.DONE,
        run_after=None,
        failures=3,
        error=say("{ca} is down.", ca="Pebble"),
        done_at=NOW + MINUTE,
        told="unspecified",
        by_key=True,
    )


def _add(storage: Storage, *revocations: Revocation) -> None:
    with storage.write() as tx:
        assert tx.certificates.add(certificate())
        for one in revocations:
            assert tx.revocations.add(one)


def _get(storage: Storage, revocation: str = "rvk_1") -> Revocation:
    with storage.read() as tx:
        found = tx.revocations.get(revocation)
    assert found is not None
    return found


def _claim(storage: Storage, **later: float) -> list[Revocation]:
    with storage.write() as tx:
        return list(tx.revocations.claim(NOW + timedelta(**later), LEASE, 10))


def test_what_is_put_in_comes_out_newest_first(storage: Storage) -> None:
    _add(storage, _full(), _revocation(2))
    assert _get(storage) == _full()
    with storage.read() as tx:
        assert list(tx.revocations.of("cert_001")) == [_revocation(2), _full()]
        assert tx.revocations.of("cert_002") == []
        assert tx.revocations.get("rvk_9") is None


def test_a_revision_is_revoked_once(storage: Storage) -> None:
    _add(storage, _revocation())
    with storage.write() as tx:
        assert not tx.revocations.add(_revocation(2, revision="rev_1"))
    with storage.read() as tx:
        assert [one.id for one in tx.revocations.of("cert_001")] == ["rvk_1"]


def test_of_two_that_ask_at_once_one_is_written(storage: Storage) -> None:
    _add(storage)

    def ask(number: int) -> bool:
        with storage.write() as tx:
            return tx.revocations.add(_revocation(number, revision="rev_1"))

    assert sorted(together(lambda: ask(1), lambda: ask(2))) == [False, True]


def test_one_without_its_certificate_is_refused(storage: Storage) -> None:
    with pytest.raises(NotFoundError), storage.write() as tx:
        tx.revocations.add(_revocation(certificate="cert_404"))


def test_what_is_due_is_claimed_once_and_taken_over_when_its_lease_ends(storage: Storage) -> None:
    later, done = _revocation(2, run_after=NOW + MINUTE), _revocation(3, stage=Stage.DONE, run_after=None)
    _add(storage, _revocation(), later, done)
    [claimed] = _claim(storage)
    assert (claimed.id, claimed.fence, claimed.lease_until) == ("rvk_1", 1, NOW + LEASE)
    assert _claim(storage) == []
    assert [one.id for one in _claim(storage, minutes=2)] == ["rvk_1", "rvk_2"]
    with pytest.raises(LeaseLostError), storage.write() as tx:
        tx.revocations.save(replace(claimed, stage=Stage.DONE))
    assert _get(storage).stage is Stage.REPLACING


def test_a_save_gives_the_lease_back_and_keeps_what_never_changes(storage: Storage) -> None:
    _add(storage, _revocation())
    [claimed] = _claim(storage)
    with storage.write() as tx:
        tx.revocations.save(replace(_full(), fence=claimed.fence, person="T1/U9", reason=Reason.CESSATION))
    assert _get(storage) == replace(_full(), reason=Reason.SUPERSEDED, fence=1)


def test_a_key_is_barred_once(storage: Storage) -> None:
    key = BarredKey("ab" * 32, NOW, "0a1b", "T1/U1")
    with storage.write() as tx:
        assert tx.revocations.bar(key)
        assert not tx.revocations.bar(replace(key, person="T1/U9"))
    with storage.read() as tx:
        assert list(tx.revocations.barred(["cd" * 32, "ab" * 32])) == [key]
        assert list(tx.revocations.barred([])) == []
