"""Counts of the fleet by week: where certificates end, and how attempts ended. Both read an index alone."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, bindparam, case, func, literal_column, select

from services.model.fleet import RESULTS, WEEK, Tally
from storage.moments import Moment
from storage.records.certificates import GROUP, MICROSECOND
from storage.records.coding import encode
from storage.records.fleet import GROUPS, HEALTH, ends_at
from storage.repositories.base import Repository
from storage.repositories.forecasts import AMONG
from storage.schema import CERTIFICATES, EVENTS

_C, _E = CERTIFICATES.c, EVENTS.c
Stores = frozenset[str] | None


def _ends() -> Select[Any]:
    now, week, weeks = (bindparam(name, type_=BigInteger) for name in ("the_now", "a_week", "the_weeks"))
    end = _C.urgency % GROUP
    number = (end - now - 1) // week
    falls = case((end <= now, -1), (number < weeks, number), else_=weeks).label("falls")
    health = (_C.urgency // GROUP).label("health")
    counted = select(health, falls, func.count()).where(_C.urgency < len(GROUPS) * GROUP, end > 0)
    return counted.group_by(health, falls)


# as the index says it, word for word: a parameter would not tell the databases that they can go along it
_ENDINGS: ColumnElement[bool] = literal_column("events.what IN ('verified', 'unproved', 'attempt_failed')")
_FROM: Any = bindparam("the_start", type_=Moment)
_TO: Any = bindparam("the_end", type_=Moment)
_RESULTS = select(_E.what, func.count()).where(and_(_ENDINGS, _E.at >= _FROM, _E.at < _TO)).group_by(_E.what)
_WITH_STORE = _RESULTS.join_from(EVENTS, CERTIFICATES, _C.id == _E.certificate)
_ENDS_OF: Mapping[str, Select[Any]] = {name: _ends().where(among) for name, among in AMONG.items()}
_RESULTS_OF = {name: _WITH_STORE.where(among) for name, among in AMONG.items()}
_ENDS_OF_ALL = _ends()


class SqlTallies(Repository):
    """`services.ports.Fleet`, the part that counts by week."""

    __slots__ = ()

    def ends(self, stores: Stores, now: datetime, weeks: int) -> Sequence[Tally]:
        """Return how many certificates end in each of ``weeks`` weeks from ``now`` on, by `Health`."""
        dialect = self._connection.dialect.name
        asked = _ENDS_OF_ALL if stores is None else _ENDS_OF[dialect]
        values = {"the_now": ends_at(now), "a_week": WEEK // MICROSECOND, "the_weeks": weeks}
        rows = self._connection.execute(asked, values | _named(stores)).all()
        return _tallied((week, HEALTH[health].value, count) for health, week, count in rows)

    def results(self, stores: Stores, since: datetime, weeks: int) -> Sequence[Tally]:
        """Return how many attempts ended in each of ``weeks`` weeks from ``since`` on, by `Result`."""
        asked = _RESULTS if stores is None else _RESULTS_OF[self._connection.dialect.name]
        ends = {event.value: result.value for event, result in RESULTS.items()}
        found: dict[tuple[int, str], int] = {}
        for week in range(weeks):
            span = {"the_start": since + week * WEEK, "the_end": since + (week + 1) * WEEK}
            for what, count in self._connection.execute(asked, span | _named(stores)):
                key = week, ends[what]
                found[key] = found.get(key, 0) + count
        return _tallied((week, what, count) for (week, what), count in found.items())


def _named(stores: Stores) -> dict[str, Any]:
    return {} if stores is None else {"the_stores": encode(sorted(stores))}


def _tallied(found: Iterable[tuple[int, str, int]]) -> tuple[Tally, ...]:
    return tuple(Tally(*one) for one in sorted(found))
