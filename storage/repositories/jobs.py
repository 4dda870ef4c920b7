"""Jobs and their items: a queue."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select, update
from sqlalchemy import insert as insert_into

from services.model.jobs import TURNS, Counts, Hand, Item, ItemState, Job, JobState
from storage import records
from storage.jobs import JOB_ITEMS, JOBS
from storage.repositories.base import Repository, one_among, places
from storage.repositories.queue import NOW, Queue, held, must_hold
from storage.repositories.upserts import insert, insert_or_keep

_J, _I = JOBS.c, JOB_ITEMS.c
_ID = bindparam("the_id", type_=_J.id.type)
_JOB = bindparam("the_job", type_=_I.job.type)
_ADD = insert_or_keep(JOBS, "id")
_ADD_ITEMS = insert_into(JOB_ITEMS)
_GET = select(JOBS).where(_J.id == _ID)
_GET_AMONG = one_among(JOBS, JOBS.c.id)
_LOCKED = _GET.with_for_update()
_QUEUE = Queue.over(JOBS, (_J.state == JobState.RUNNING.value) & (_J.run_after <= NOW), "run_after")
_SAVE = update(JOBS).where(held(JOBS)).values(lease_until=None)
_TURN = update(JOBS).where(_J.id == _ID)
_COUNT = select(_I.state, func.count()).where(_I.job == _JOB).group_by(_I.state)
_ITEMS = (
    select(JOB_ITEMS)
    .where(_I.job == _JOB, _I.state == bindparam("the_state", type_=_I.state.type))
    .order_by(_I.place, _I.number)
    .limit(bindparam("the_limit"))
)
_MARK = update(JOB_ITEMS).where(_I.job == _JOB, _I.number == bindparam("the_number", type_=_I.number.type))


class SqlJobs(Repository):
    """`services.ports.Jobs`."""

    __slots__ = ()

    def add(self, job: Job, items: Sequence[Item]) -> bool:
        """Insert; False, and nothing changed, if there is one with this id."""
        if insert(self._connection, _ADD, records.job_values(job)).rowcount == 0:
            return False
        if items:
            self._connection.execute(_ADD_ITEMS, [records.item_values(item) for item in items])
        return True

    def get(self, job: str, among: frozenset[str] | None = None) -> Job | None:
        """Return the job with this id, or None; with ``among`` only if all that it is about are these stores."""
        if among is None:
            row = self._connection.execute(_GET, {"the_id": job}).first()
            return records.job(row) if row else None
        row = self._connection.execute(_GET_AMONG, places(job, among)).one()
        found = records.job(row) if row.id is not None else None
        return found if found is not None and found.only_about(among) else None

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Job]:
        """Claim running jobs that are due and free, longest due first."""
        return [records.job(row) for row in _QUEUE.claim(self._connection, now, lease, limit)]

    def save(self, job: Job) -> None:
        """Save a claimed job and give its lease back. Raises LeaseLostError if its fence is an old one."""
        must_hold(self._connection, _SAVE, job, records.job_changes(job))

    def turn(self, job: str, after: JobState, by: Hand, now: datetime) -> Job | None:
        """Pause, resume or cancel, once; None if its state does not allow it (any more)."""
        row = self._connection.execute(_LOCKED, {"the_id": job}).first()
        stored = records.job(row) if row else None
        if stored is None or stored.state not in TURNS.get(after, ()):
            return None
        turned = records.turned(stored, after, by, now)
        changes = {**records.job_changes(turned), "fence": turned.fence, "lease_until": None}
        self._connection.execute(_TURN, {"the_id": job, **changes})
        return turned

    def extend(self, items: Sequence[Item]) -> None:
        """Insert further items of jobs that are there."""
        if items:
            self._connection.execute(_ADD_ITEMS, [records.item_values(item) for item in items])

    def counts(self, job: str) -> Counts:
        """Return how many items stand where; all zero for an unknown job."""
        rows = self._connection.execute(_COUNT, {"the_job": job})
        return Counts(**{str(state): int(count) for state, count in rows})

    def items(self, job: str, state: ItemState, limit: int) -> Sequence[Item]:
        """Return items of one state, in their order."""
        asked = {"the_job": job, "the_state": state.value, "the_limit": limit}
        return [records.item(row) for row in self._connection.execute(_ITEMS, asked)]

    def mark(self, item: Item) -> None:
        """Save an item's certificate, state, revision and code."""
        values = records.item_values(item)
        changes = {name: values[name] for name in ("certificate", "state", "before", "code")}
        self._connection.execute(_MARK, {"the_job": item.job, "the_number": item.number, **changes})
