"""Breakers: one row for each thing that failed lately."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from services.model.pacing import Breaker
from storage import records
from storage.alerting import BREAKERS
from storage.repositories.base import Repository
from storage.repositories.queue import NOW, UNTIL
from storage.repositories.upserts import insert, insert_or_update

_B = BREAKERS.c
_THING = bindparam("the_thing", type_=_B.thing.type)
_GET = select(BREAKERS).where(_B.thing == _THING)
_ALL = select(BREAKERS).order_by(_B.thing)
_PUT = insert_or_update(BREAKERS, "thing")
_DROP = delete(BREAKERS).where(_B.thing == _THING)
_TAKE = update(BREAKERS).where(_B.thing == _THING, _B.probe_at <= NOW).values(probe_at=UNTIL)


class SqlBreakers(Repository):
    """`services.ports.Breakers`."""

    __slots__ = ()

    def get(self, thing: str) -> Breaker | None:
        """Return the breaker of this thing, or None."""
        row = self._connection.execute(_GET, {"the_thing": thing}).first()
        return records.breaker(row) if row else None

    def all(self) -> Sequence[Breaker]:
        """Return every breaker, sorted by thing."""
        return [records.breaker(row) for row in self._connection.execute(_ALL)]

    def put(self, breaker: Breaker) -> None:
        """Insert or replace."""
        insert(self._connection, _PUT, records.breaker_values(breaker))

    def drop(self, thing: str) -> None:
        """Forget; nothing happens if there is none."""
        self._connection.execute(_DROP, {"the_thing": thing})

    def take_canary(self, thing: str, now: datetime, until: datetime) -> bool:
        """Make the caller the canary: True for one caller only, if probe_at <= now; probe_at is then ``until``.

        Of two at once the second waits for the first and then sees its ``until``.
        """
        values = {"the_thing": thing, "the_time": now, "the_end": until}
        return self._connection.execute(_TAKE, values).rowcount == 1
