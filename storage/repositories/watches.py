"""The fleet's watch: a queue with one row for each certificate."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import case, func, select, update

from services.model.pacing import Watch
from storage import records
from storage.alerting import WATCHES
from storage.repositories.base import Repository
from storage.repositories.queue import NOW, Queue, held, must_hold
from storage.repositories.upserts import insert, insert_or_update

_W = WATCHES.c
_PLAN = insert_or_update(
    WATCHES, "id", lambda new: {"due_at": case((_W.due_at < new.due_at, _W.due_at), else_=new.due_at)}
)
_QUEUE = Queue.over(WATCHES, _W.due_at <= NOW, "due_at")
_DONE = update(WATCHES).where(held(WATCHES)).values(lease_until=None)
_NEXT_DUE = select(func.min(_W.due_at))


class SqlWatches(Repository):
    """`services.ports.Watches`."""

    __slots__ = ()

    def plan(self, certificate: str, due_at: datetime) -> None:
        """Insert, or make due at ``due_at`` if that is earlier than planned."""
        values = {"id": certificate, "due_at": due_at, "fence": 0, "lease_until": None}
        insert(self._connection, _PLAN, values)

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Watch]:
        """Claim watches with due_at <= now and no unexpired lease, longest due first."""
        return [records.watch(row) for row in _QUEUE.claim(self._connection, now, lease, limit)]

    def done(self, watch: Watch, due_at: datetime) -> None:
        """Give a claimed watch back, due again at ``due_at``. Raises LeaseLostError if it was claimed again since."""
        must_hold(self._connection, _DONE, watch, {"due_at": due_at})

    def next_due(self) -> datetime | None:
        """Return the earliest due_at, leased or not; None if there are no watches."""
        return self._connection.execute(_NEXT_DUE).scalar()
