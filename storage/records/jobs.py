"""Jobs and their items: rows to dataclasses and back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.model.jobs import Hand, Item, ItemState, Job, JobState
from storage.records.coding import Values, decode, encode, first_store, storable


def job_values(job: Job) -> Values:
    """Return the row of a job."""
    return {
        "id": job.id,
        "kind": job.kind,
        "what": encode(dict(job.what)),
        "person": storable(job.person),
        "created_at": job.created_at,
        "total": job.total,
        "state": job.state.value,
        "run_after": job.run_after,
        "fence": job.fence,
        "lease_until": job.lease_until,
        "changed_by": storable(job.changed_by),
        "since": job.since,
        "active": float(job.active),
        "waits": job.waits,
        "shown_at": job.shown_at,
        "changed_role": job.changed_role,
        "workspace": storable(job.workspace),
        "store": first_store(job.what),
    }


def job_changes(job: Job) -> Values:
    """Return the part of a job's row that a save takes over from it as it is."""
    changed = (
        "what",
        "total",
        "state",
        "run_after",
        "changed_by",
        "since",
        "active",
        "waits",
        "shown_at",
        "changed_role",
        "workspace",
    )
    values = job_values(job)
    return {name: values[name] for name in changed}


def job(row: Sequence[Any]) -> Job:
    """Return the job of a row."""
    id_, kind, what, person, created_at, total, state, *rest, _ = row
    return Job(id_, kind, decode(what), person, created_at, total, JobState(state), *rest)


def turned(job_: Job, after: JobState, by: Hand, now: datetime) -> Job:
    """Return the job as a person has made it: resumed it is due now, and the time it ran so far is kept."""
    running = after is JobState.RUNNING
    return replace(
        job_,
        state=after,
        changed_by=storable(by.person),
        changed_role=by.role,
        workspace=storable(by.workspace),
        active=job_.running_for(now),
        since=now,
        run_after=now if running else None,
        waits=None,
        fence=job_.fence + 1,
        lease_until=None,
    )


def item_values(item: Item) -> Values:
    """Return the row of an item."""
    return {
        "job": item.job,
        "number": item.number,
        "store": item.store,
        "name": storable(item.name),
        "certificate": item.certificate,
        "state": item.state.value,
        "before": item.before,
        "code": item.code,
        "place": item.place,
    }


def item(row: Sequence[Any]) -> Item:
    """Return the item of a row."""
    job_, number, store, name, certificate, state, *rest = row
    return Item(job_, number, store, name, certificate, ItemState(state), *rest)
