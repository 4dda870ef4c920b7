"""Commands that came in: a queue."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update

from services.ports import Request
from storage import records
from storage.repositories.base import Repository
from storage.repositories.queue import Queue, held, must_hold
from storage.repositories.upserts import insert, insert_or_keep
from storage.schema import REQUESTS

_R = REQUESTS.c
_ADD = insert_or_keep(REQUESTS, "dedupe")
_GET = select(REQUESTS).where(_R.id == bindparam("id"))
_QUEUE = Queue.over(REQUESTS, _R.done_at.is_(None), "created_at", also={"tries": _R.tries + 1})
_FINISH = update(REQUESTS).where(held(REQUESTS)).values(lease_until=None)


class SqlRequests(Repository):
    """`services.ports.Requests`."""

    __slots__ = ()

    def add(self, request: Request) -> bool:
        """Insert; False, and nothing changed, if one with this ``dedupe`` exists."""
        return insert(self._connection, _ADD, records.request_values(request)).rowcount == 1

    def get(self, request: str) -> Request | None:
        """Return the request with this id, or None."""
        row = self._connection.execute(_GET, {"id": request}).first()
        return records.request(row) if row else None

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Request]:
        """Claim undone requests without an unexpired lease, oldest first."""
        return [records.request(row) for row in _QUEUE.claim(self._connection, now, lease, limit)]

    def finish(self, request: Request, now: datetime) -> None:
        """Mark a claimed request as done. Raises LeaseLostError if another worker has claimed it since."""
        must_hold(self._connection, _FINISH, request, {"done_at": now})
