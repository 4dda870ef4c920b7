"""Port: jobs, which are one wish for many, and their items."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from services.model.jobs import Counts, Hand, Item, ItemState, Job, JobState


class Jobs(Protocol):
    """Jobs and their items: a queue."""

    def add(self, job: Job, items: Sequence[Item]) -> bool:
        """Insert; False, and nothing changed, if there is one with this id."""
        ...

    def get(self, job: str, among: frozenset[str] | None = None) -> Job | None:
        """Return the job with this id, or None.

        With ``among`` only if it is about stores, and about these alone: of any other one no row is read, so that it
        takes as long as for an id that leads nowhere.
        """
        ...

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Job]:
        """Claim running jobs with run_after <= now and no unexpired lease, longest due first, as `Certificates.claim`."""
        ...

    def save(self, job: Job) -> None:
        """Save a claimed job, with what was asked and how many items it has, and give its lease back. Raises LeaseLostError, and saves nothing, if its fence is an old one."""
        ...

    def turn(self, job: str, after: JobState, by: Hand, now: datetime) -> Job | None:
        """Pause, resume or cancel, once: return the job as it is then; None if its state does not allow it (any more).

        The fence is raised, so that a worker that holds the job saves nothing any more. A job that is resumed is due now.
        """
        ...

    def extend(self, items: Sequence[Item]) -> None:
        """Insert further items of jobs that are there, with numbers that are not taken yet."""
        ...

    def counts(self, job: str) -> Counts:
        """Return how many items stand where; all zero for an unknown job."""
        ...

    def items(self, job: str, state: ItemState, limit: int) -> Sequence[Item]:
        """Return items of one state, by their place, then their number."""
        ...

    def mark(self, item: Item) -> None:
        """Save an item's certificate, state, revision and code."""
        ...
