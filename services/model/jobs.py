"""Jobs: one wish for many certificates, done item by item, with what is needed to go on after anything. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class JobState(StrEnum):
    """Where a job stands."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


class ItemState(StrEnum):
    """Where one item of a job stands."""

    WAITING = "waiting"
    BEGUN = "begun"
    """Its certificate is at work."""
    DONE = "done"
    FAILED = "failed"
    """It came to rest without being installed; what is wrong is in its alert, and certdesk goes on by itself."""
    SKIPPED = "skipped"
    """There was nothing to do any more."""


TURNS: Mapping[JobState, frozenset[JobState]] = {
    JobState.PAUSED: frozenset({JobState.RUNNING}),
    JobState.RUNNING: frozenset({JobState.PAUSED}),
    JobState.CANCELLED: frozenset({JobState.RUNNING, JobState.PAUSED}),
}
"""What a person can make of a job, and from which states."""


@dataclass(frozen=True, slots=True)
class Hand:
    """Who pauses, resumes or cancels a job."""

    person: str
    """TEAM/USER, or ``certdesk`` itself."""
    role: str = ""
    workspace: str = ""
    """Where they are as they do it; empty: the support workspace."""


@dataclass(frozen=True, slots=True)
class Job:
    """One wish for many: a row that workers claim, and that a person may pause, resume or cancel."""

    id: str
    kind: str
    """A key of `services.bulk.KINDS`."""
    what: Mapping[str, Any]
    """What was asked, JSON-ready; ``stores`` lists the ids of the stores that it is about."""
    person: str
    """Who asked: the actor in the histories of the certificates."""
    created_at: datetime
    total: int
    """How many items it has."""
    state: JobState = JobState.RUNNING
    run_after: datetime | None = None
    """When the next step is due while it runs."""
    fence: int = 0
    lease_until: datetime | None = None
    changed_by: str = ""
    """Who paused, resumed or cancelled it last."""
    since: datetime | None = None
    """Since when it runs, or stands still."""
    active: float = 0.0
    """Seconds that it ran before ``since``."""
    waits: datetime | None = None
    """Until when the CAs' rate limits leave no order; None: it does not wait."""
    shown_at: datetime | None = None
    """When its messages were touched last."""
    changed_role: str = ""
    """The role that they had then."""
    workspace: str = ""
    """Where who is behind it has asked for it, or resumed it; empty: the support workspace."""

    @property
    def behind(self) -> str:
        """Who is behind a running job: who resumed it last, else who asked. It goes on as long as they have the right to it."""
        return self.changed_by if self.state is JobState.RUNNING and self.changed_by else self.person

    @property
    def over(self) -> bool:
        """Whether nothing more happens."""
        return self.state in (JobState.DONE, JobState.CANCELLED)

    def only_about(self, stores: frozenset[str]) -> bool:
        """Tell whether it is about stores, and about these alone."""
        about = self.what.get("stores", ())
        return bool(about) and stores.issuperset(about)

    def running_for(self, now: datetime) -> float:
        """Return for how many seconds it has been at work."""
        going = self.state is JobState.RUNNING and self.since is not None
        return self.active + ((now - self.since).total_seconds() if going and self.since else 0.0)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a job does."""

    job: str
    number: int
    """What tells it from the others, from 0 on; those of the same `place` are done in this order."""
    store: str
    name: str
    """A name, to be shown and (where it is to be added) to be added."""
    certificate: str = ""
    """Id of its certificate; empty before there is one."""
    state: ItemState = ItemState.WAITING
    before: str = ""
    """The revision that was installed when it was begun."""
    code: str = ""
    """Finding code of what was in the way."""
    place: int = 0
    """Where it stands in the order, before `number`: small first."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many items of a job stand where."""

    waiting: int = 0
    begun: int = 0
    done: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def finished(self) -> int:
        """Those that nothing more is done about."""
        return self.done + self.failed + self.skipped

    @property
    def left(self) -> int:
        """Those that are not finished."""
        return self.waiting + self.begun


def job_of(proposal: str) -> str:
    """Return the id of the job that is made of the proposal with this id."""
    return proposal.replace("prop_", "job_", 1)


def proposal_of(job: str) -> str:
    """Return the id of the proposal of which the job with this id was made; of one in a terminal there is no row."""
    return job.replace("job_", "prop_", 1)


ENOUGH = 2
"""So many items have to be finished before there is a pace to speak of."""


def ends_at(job: Job, counts: Counts, now: datetime, waiting: timedelta = timedelta(0)) -> datetime | None:
    """Return when the job ends at the pace it has gone so far; None before there is one, or while it stands still.

    It ends no earlier than the CAs' limits let it, which make what is left wait for ``waiting`` in all.
    """
    if job.state is not JobState.RUNNING:
        return None
    limits = max(now, job.waits or now, now + waiting)
    spent = job.running_for(now)
    if counts.finished < ENOUGH or spent <= 0:
        return limits if waiting else None
    paced = max(now, job.waits or now) + timedelta(seconds=spent / counts.finished * counts.left)
    return max(paced, limits)
