"""Recalls: one for each revision, taken into a plan once; and the CA is asked about its whole fleet, spread."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.model.certificates import Certificate, Revision
from services.model.errors import NotFoundError
from services.model.jobs import Item, ItemState, Job
from services.model.lifecycle import State
from services.model.recalls import Recall
from services.model.settings import Alerting
from services.ports import Storage
from services.recalling import noting
from tests.contract.samples import DAY, LEASE, MINUTE, NOW, certificate, together

CA = "Pebble"
SECOND = timedelta(seconds=1)


def _recall(number: int = 1, **changes: Any) -> Recall:
    plain = Recall(
        revision=f"rev_{number}",
        certificate=f"cert_{number:03}",
        store="moon",
        name=f"shop{number:03}.test",
        ca=CA,
        seen_at=NOW + number * MINUTE,
        not_after=NOW + 30 * DAY,
        because="https://status.test/1",
        planned=True,
    )
    return replace(plain, **changes)


def _add(storage: Storage, *recalls: Recall, certificates: int = 3) -> None:
    with storage.write() as tx:
        for number in range(1, certificates + 1):
            assert tx.certificates.add(certificate(number))
        for one in recalls:
            assert tx.recalls.note(one)


def _take(storage: Storage, job: str, limit: int = 10) -> list[Recall]:
    with storage.write() as tx:
        return list(tx.recalls.take(CA, job, limit))


def test_what_is_noted_comes_out_once_for_each_revision(storage: Storage) -> None:
    _add(storage, _recall(), _recall(2, certificate="cert_001"))
    with storage.write() as tx:
        assert not tx.recalls.note(_recall(planned=False, ca="Other"))
    with storage.read() as tx:
        assert tx.recalls.get("rev_1") == _recall()
        assert tx.recalls.get("rev_9") is None
        assert tx.recalls.last("cert_001") == _recall(2, certificate="cert_001")
        assert tx.recalls.last("cert_002") is None


def test_of_two_that_note_at_once_one_is_written(storage: Storage) -> None:
    _add(storage)

    def note() -> bool:
        with storage.write() as tx:
            return tx.recalls.note(_recall())

    assert sorted(together(note, note)) == [False, True]


def test_one_without_its_certificate_is_refused(storage: Storage) -> None:
    with pytest.raises(NotFoundError), storage.write() as tx:
        tx.recalls.note(_recall(certificate="cert_404"))


def test_different_certificates_count_that_are_in_no_plan(storage: Storage) -> None:
    twice = _recall(4, certificate="cert_001")
    _add(storage, _recall(), twice, _recall(2), _recall(3, ca="Other"))
    with storage.read() as tx:
        assert sorted(tx.recalls.single(CA, NOW, 10)) == ["cert_001", "cert_002"]
        assert len(tx.recalls.single(CA, NOW, 1)) == 1
        assert list(tx.recalls.single(CA, NOW + 4 * MINUTE, 10)) == ["cert_001"]
        assert list(tx.recalls.single(CA, NOW + 5 * MINUTE, 10)) == []
    _take(storage, "job_1")
    with storage.read() as tx:
        assert list(tx.recalls.single(CA, NOW, 10)) == []
        assert list(tx.recalls.single("Other", NOW, 10)) == ["cert_003"]


def test_a_plan_takes_what_is_in_none_oldest_first_and_once(storage: Storage) -> None:
    _add(storage, _recall(2), _recall(1), _recall(3, ca="Other"))
    with storage.read() as tx:
        assert tx.recalls.plan(CA) == ""
    assert _take(storage, "job_1", 1) == [_recall(job="job_1")]
    assert _take(storage, "job_2") == [_recall(2, job="job_2")]
    assert _take(storage, "job_3") == []
    with storage.read() as tx:
        assert tx.recalls.get("rev_1") == _recall(job="job_1")
        assert tx.recalls.plan(CA) == "job_2"
        assert tx.recalls.plan("Other") == ""


def test_of_two_recalls_at_once_that_are_many_one_begins_the_plan_and_tells_of_it(storage: Storage) -> None:
    _add(storage)

    def keep(number: int) -> None:
        with storage.write() as tx:
            noting.keep(tx, Alerting(channel="C1"), 2, _recall(number), NOW)

    together(lambda: keep(1), lambda: keep(2))
    job = noting.id_after(CA, "")
    with storage.read() as tx:
        assert tx.jobs.get(job) is not None
        assert tx.jobs.get(noting.id_after(CA, job)) is None
        assert tx.outbox.by_key(f"recall:{job}") is not None
    assert {one.revision for one in _take(storage, job)} == {"rev_1", "rev_2"}
    with storage.read() as tx:
        assert noting.newest_plan(tx, CA) == tx.jobs.get(job)
        assert noting.newest_plan(tx, "Other") is None


def test_items_that_join_a_job_come_by_their_place_and_then_by_their_number(storage: Storage) -> None:
    job = Job("job_1", "recall", {"ca": CA}, "certdesk", NOW, 0, run_after=NOW)
    places = [5, 2**62, 5, 0]
    with storage.write() as tx:
        assert tx.jobs.add(job, ())
        tx.jobs.extend([])
        tx.jobs.extend(
            [Item("job_1", number, "moon", "a.test", place=at) for number, at in enumerate(places)]
        )
        [held] = tx.jobs.claim(NOW, LEASE, 1)
        tx.jobs.save(replace(held, total=4, what={"ca": CA, "because": "x"}))
    with storage.read() as tx:
        found = tx.jobs.get("job_1")
        assert found is not None
        assert (found.total, found.what) == (4, {"ca": CA, "because": "x"})
        items = tx.jobs.items("job_1", ItemState.WAITING, 3)
    assert [(item.number, item.place) for item in items] == [(3, 0), (0, 5), (2, 5)]


# --- the fleet is asked about ---------------------------------------------------------------------------------------


def _fleet(storage: Storage, *rows: Certificate, ca: str = CA) -> None:
    """Put in certificates with a revision of the CA that is installed."""
    with storage.write() as tx:
        for row in rows:
            assert tx.certificates.add(row)
            tx.certificates.put_revision(
                Revision(f"rev_{row.id}", row.id, row.wanted, "CSR", b"key", NOW, ca=ca)
            )


def _installed(number: int, **changes: Any) -> Certificate:
    later = NOW + 6 * 60 * MINUTE
    row = certificate(number, state=State.INSTALLED, ari_after=later, run_after=later)
    return replace(row, **{"installed": f"rev_{row.id}", **changes})


def _asked(storage: Storage) -> tuple[int, Sequence[Certificate]]:
    with storage.write() as tx:
        count = tx.recalls.ask_all(CA, NOW, SECOND)
    with storage.read() as tx:
        rows = tx.certificates.get_many([f"cert_{number:03}" for number in range(1, 8)])
    return count, rows


def test_the_fleet_is_asked_about_one_after_the_other_and_sooner_than_it_was_due(storage: Storage) -> None:
    _fleet(storage, _installed(1), _installed(2), _installed(3, run_after=NOW + SECOND / 2))
    count, rows = _asked(storage)
    assert count == 3
    assert [row.ari_after for row in rows] == [NOW, NOW + SECOND, NOW + 2 * SECOND]
    assert [row.run_after for row in rows] == [NOW, NOW + SECOND, NOW + SECOND / 2]
    assert [row.fence for row in rows] == [0, 0, 0]


def test_left_alone_is_what_is_at_work_held_asked_about_anyway_or_another_cas(storage: Storage) -> None:
    left = (
        _installed(1, state=State.CHECKING),
        _installed(2, lease_until=NOW + MINUTE),
        _installed(3, ari_after=NOW),
        _installed(4, installed=None),
    )
    _fleet(storage, *left)
    _fleet(storage, _installed(5), ca="Other")
    _fleet(storage, _installed(6))
    count, rows = _asked(storage)
    assert count == 1
    assert [row.run_after for row in rows[:5]] == [NOW + 6 * 60 * MINUTE] * 5
    assert rows[5].run_after == NOW


def test_asked_again_it_spreads_what_is_left(storage: Storage) -> None:
    _fleet(storage, _installed(1), _installed(2))
    _asked(storage)
    with storage.write() as tx:
        assert tx.recalls.ask_all(CA, NOW + SECOND / 2, SECOND) == 1
