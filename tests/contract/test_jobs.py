"""Jobs: claimed by lease, saved by fence, steered once; items in their order."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.model.errors import LeaseLostError
from services.model.jobs import Counts, Hand, Item, ItemState, Job, JobState
from services.ports import Storage
from tests.contract.samples import LEASE, MINUTE, NOW, together


def _job(number: int = 1, **changes: Any) -> Job:
    what = {"code": "dns.lame", "stores": ["moon"]}
    return replace(Job(f"job_{number}", "renew", what, "T1/U1", NOW, 3, run_after=NOW, since=NOW), **changes)


def _items(count: int = 3) -> list[Item]:
    return [Item("job_1", number, "moon", f"{number}.test", f"cert_{number}") for number in range(count)]


def _add(storage: Storage, *jobs: Job) -> None:
    with storage.write() as tx:
        for job in jobs:
            assert tx.jobs.add(job, _items() if job.id == "job_1" else [])


def _get(storage: Storage, job: str = "job_1") -> Job:
    with storage.read() as tx:
        found = tx.jobs.get(job)
    assert found is not None
    return found


def _claim(storage: Storage, **at: float) -> list[Job]:
    with storage.write() as tx:
        return list(tx.jobs.claim(NOW + timedelta(**at), LEASE, 10))


def _turn(storage: Storage, after: JobState, by: str = "T1/U2") -> Job | None:
    with storage.write() as tx:
        return tx.jobs.turn("job_1", after, Hand(by, "support", "T2"), NOW + MINUTE)


def test_what_is_put_in_comes_out(storage: Storage) -> None:
    _add(storage, _job())
    with storage.write() as tx:
        assert not tx.jobs.add(_job(person="T1/U9"), _items())
    assert _get(storage) == _job()
    with storage.read() as tx:
        assert tx.jobs.get("job_9") is None
        assert tx.jobs.counts("job_1") == Counts(waiting=3)
        assert tx.jobs.counts("job_9") == Counts()
        assert list(tx.jobs.items("job_1", ItemState.WAITING, 10)) == _items()
        assert list(tx.jobs.items("job_1", ItemState.WAITING, 2)) == _items(2)


@pytest.mark.parametrize(
    ("about", "among", "found"),
    [
        (["moon"], {"moon"}, True),
        (["sun", "moon"], {"moon", "sun", "star"}, True),
        (["moon", "sun"], {"moon"}, False),
        (["sun", "moon"], {"moon"}, False),
        (["moon"], {"sun"}, False),
        (["moon"], set(), False),
        ([], {"moon", ""}, False),
    ],
)
def test_it_can_be_looked_for_among_some_stores_alone(
    storage: Storage, about: list[str], among: set[str], found: bool
) -> None:
    made = _job(what={"code": "dns.lame", "stores": about})
    _add(storage, made)
    with storage.read() as tx:
        assert tx.jobs.get("job_1", frozenset(among)) == (made if found else None)
        assert tx.jobs.get("job_2", frozenset(among)) is None


def test_items_are_marked(storage: Storage) -> None:
    _add(storage, _job())
    begun = replace(_items()[1], state=ItemState.BEGUN, before="rev_1", certificate="cert_9", code="dns.lame")
    with storage.write() as tx:
        tx.jobs.mark(begun)
    with storage.read() as tx:
        assert tx.jobs.counts("job_1") == Counts(waiting=2, begun=1)
        assert list(tx.jobs.items("job_1", ItemState.BEGUN, 10)) == [begun]


def test_a_job_is_claimed_by_one_until_its_lease_ends(storage: Storage) -> None:
    _add(storage, _job(), _job(2, run_after=NOW - MINUTE), _job(3, run_after=NOW + MINUTE))
    assert [job.id for job in _claim(storage)] == ["job_2", "job_1"]
    assert _claim(storage) == []
    again = _claim(storage, seconds=LEASE.total_seconds())
    assert [(job.id, job.fence) for job in again if job.id == "job_1"] == [("job_1", 2)]


@pytest.mark.parametrize("state", [JobState.PAUSED, JobState.DONE, JobState.CANCELLED])
def test_what_does_not_run_is_not_claimed(storage: Storage, state: JobState) -> None:
    _add(storage, _job(state=state))
    assert _claim(storage) == []


def test_a_save_gives_it_back_and_an_old_fence_saves_nothing(storage: Storage) -> None:
    _add(storage, _job())
    [held] = _claim(storage)
    later = _claim(storage, seconds=LEASE.total_seconds())[0]
    with pytest.raises(LeaseLostError), storage.write() as tx:
        tx.jobs.save(replace(held, active=7.5))
    with storage.write() as tx:
        tx.jobs.save(replace(later, active=2.5, waits=NOW + MINUTE, run_after=NOW + MINUTE, shown_at=NOW))
    after = _get(storage)
    assert (after.active, after.waits, after.run_after, after.shown_at) == (
        2.5,
        NOW + MINUTE,
        NOW + MINUTE,
        NOW,
    )
    assert after.lease_until is None


def test_paused_and_resumed_it_keeps_how_long_it_ran(storage: Storage) -> None:
    _add(storage, _job())
    paused = _turn(storage, JobState.PAUSED)
    assert paused is not None
    assert paused == _get(storage)
    assert (paused.state, paused.changed_by, paused.active, paused.run_after) == (
        JobState.PAUSED,
        "T1/U2",
        60.0,
        None,
    )
    assert _turn(storage, JobState.PAUSED) is None
    resumed = _turn(storage, JobState.RUNNING, "T1/U3")
    assert resumed is not None
    assert (paused.changed_role, paused.workspace, paused.behind) == ("support", "T2", "T1/U1")
    assert (resumed.behind, _get(storage).behind) == ("T1/U3", "T1/U3")
    assert (resumed.active, resumed.run_after, resumed.since) == (60.0, NOW + MINUTE, NOW + MINUTE)
    assert _turn(storage, JobState.RUNNING) is None
    assert _turn(storage, JobState.CANCELLED) is not None
    assert _turn(storage, JobState.RUNNING) is None
    assert _turn(storage, JobState.CANCELLED) is None
    assert _turn(storage, JobState.DONE) is None


def test_who_holds_a_job_that_is_paused_saves_nothing(storage: Storage) -> None:
    _add(storage, _job())
    [held] = _claim(storage)
    assert _turn(storage, JobState.PAUSED) is not None
    with pytest.raises(LeaseLostError), storage.write() as tx:
        tx.jobs.save(held)
    assert _get(storage).state is JobState.PAUSED


def test_of_two_that_steer_at_once_one_does(storage: Storage) -> None:
    _add(storage, _job())
    found = together(
        lambda: _turn(storage, JobState.PAUSED, "T1/U2"), lambda: _turn(storage, JobState.PAUSED, "T1/U3")
    )
    assert sorted(one is None for one in found) == [False, True]
