"""Jobs and their items, in memory."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.model.clock import aware
from services.model.jobs import TURNS, Counts, Hand, Item, ItemState, Job, JobState
from storage import records
from storage.memory.tables import MemoryRepository, claim, held


class MemoryJobs(MemoryRepository):
    """`services.ports.Jobs`."""

    __slots__ = ()

    def add(self, job: Job, items: Sequence[Item]) -> bool:
        """Insert; False, and nothing changed, if there is one with this id."""
        if self.get(job.id) is not None:
            return False
        self._put(records.job(records.settled(records.job_values(job))))
        self.extend(items)
        return True

    def extend(self, items: Sequence[Item]) -> None:
        """Insert further items of jobs that are there."""
        self._view.own("job_items")
        kept = (records.item(records.settled(records.item_values(item))) for item in items)
        self._tables.job_items.update({(item.job, item.number): item for item in kept})

    def get(self, job: str, among: frozenset[str] | None = None) -> Job | None:
        """Return the job with this id, or None; with ``among`` only if all that it is about are these stores."""
        found = self._tables.jobs.get(job)
        return found if found is None or among is None or found.only_about(among) else None

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Job]:
        """Claim running jobs that are due and free, longest due first."""
        due = {
            row.id: row.run_after
            for row in self._tables.jobs.values()
            if row.state is JobState.RUNNING and row.run_after is not None and row.run_after <= aware(now)
        }
        rows = claim([self._tables.jobs[one] for one in due], lambda row: due[row.id], now, lease, limit)
        self._put(*rows)
        return rows

    def save(self, job: Job) -> None:
        """Save a claimed job and give its lease back. Raises LeaseLostError if its fence is an old one."""
        stored = held(self._tables.jobs, job)
        values = {**records.job_values(stored), **records.job_changes(job), "lease_until": None}
        self._put(records.job(records.settled(values)))

    def turn(self, job: str, after: JobState, by: Hand, now: datetime) -> Job | None:
        """Pause, resume or cancel, once; None if its state does not allow it (any more)."""
        stored = self.get(job)
        if stored is None or stored.state not in TURNS.get(after, ()):
            return None
        turned = records.turned(stored, after, by, aware(now))
        self._put(turned)
        return turned

    def counts(self, job: str) -> Counts:
        """Return how many items stand where; all zero for an unknown job."""
        found = Counter(item.state.value for item in self._tables.job_items.values() if item.job == job)
        return Counts(**found)

    def items(self, job: str, state: ItemState, limit: int) -> Sequence[Item]:
        """Return items of one state, in their order."""
        rows = [item for item in self._tables.job_items.values() if item.job == job and item.state is state]
        return sorted(rows, key=lambda item: (item.place, item.number))[:limit]

    def mark(self, item: Item) -> None:
        """Save an item's certificate, state, revision and code."""
        stored = self._tables.job_items.get((item.job, item.number))
        if stored is not None:
            self._view.own("job_items")
            self._tables.job_items[item.job, item.number] = replace(
                stored, certificate=item.certificate, state=item.state, before=item.before, code=item.code
            )

    def _put(self, *rows: Job) -> None:
        if rows:
            self._view.own("jobs")
            self._tables.jobs.update({row.id: row for row in rows})
