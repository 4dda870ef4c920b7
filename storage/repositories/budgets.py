"""Budgets: token buckets, each as the moment at which it will be full again."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, case, delete, select, update

from storage.alerting import BUDGETS
from storage.repositories.base import Repository
from storage.repositories.queue import NOW, UNTIL
from storage.repositories.upserts import insert_or_update

_CHUNK = 500  # keys in one IN (…): far below what any of the databases takes

_B = BUDGETS.c
_FULL_AT = select(BUDGETS).where(_B.key.in_(bindparam("keys", expanding=True)))
# it also locks the row until the transaction ends, one that was just inserted as well
_HOLD = {
    name: statement.returning(_B.full_at)
    for name, statement in insert_or_update(
        BUDGETS,
        "key",
        lambda new: {"full_at": case((_B.full_at > new.full_at, _B.full_at), else_=new.full_at)},
    ).items()
}
_SPEND = update(BUDGETS).where(_B.key == bindparam("the_key", type_=_B.key.type)).values(full_at=UNTIL)
_FORGET = delete(BUDGETS).where(_B.full_at <= NOW)


class SqlBudgets(Repository):
    """`services.ports.Budgets`."""

    __slots__ = ()

    def full_at(self, keys: Sequence[str]) -> Mapping[str, datetime]:
        """Return the stored moments of those ``keys`` that have one."""
        found: dict[str, datetime] = {}
        for start in range(0, len(keys), _CHUNK):
            rows = self._connection.execute(_FULL_AT, {"keys": keys[start : start + _CHUNK]})
            found.update((key, moment) for key, moment in rows)
        return found

    def spend(self, key: str, cost: timedelta, now: datetime) -> datetime:
        """Take one token, which takes ``cost`` to grow again; return when the bucket is full again.

        In two steps, because SQLite cannot add to a moment without rounding it; the first holds the row for the second.
        """
        full_at = self._held(key, now) + cost
        self._connection.execute(_SPEND, {"the_key": key, "the_end": full_at})
        return full_at

    def hold(self, key: str, until: datetime) -> None:
        """Make full_at at least ``until``."""
        self._held(key, until)

    def _held(self, key: str, until: datetime) -> datetime:
        put = _HOLD[self._connection.dialect.name]
        moment: datetime = self._connection.execute(put, {"key": key, "full_at": until}).scalar_one()
        return moment

    def forget(self, before: datetime) -> int:
        """Drop what is full since ``before``; return how many."""
        return self._connection.execute(_FORGET, {"the_time": before}).rowcount
