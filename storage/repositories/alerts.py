"""Alerts: one row for each root cause while it lasts, which are a queue."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError

from services.model.alerts import Alert, collective_key
from services.model.errors import LeaseLostError
from storage import records
from storage.alerting import ALERTS
from storage.moments import Moment
from storage.repositories.forecasts import SqlForecasts
from storage.repositories.queue import NOW, Queue, free, held, must_hold
from storage.repositories.sightings import SqlSightings
from storage.repositories.upserts import insert, insert_or_keep

_A = ALERTS.c
_KEY = bindparam("the_key", type_=_A.key.type)
_SINCE = bindparam("the_start", type_=Moment)
_UNTIL = bindparam("the_end", type_=Moment)
_DUE = bindparam("the_due", type_=Moment)
_STIRRED = bindparam("the_stirred", type_=_A.stirred.type)
_LIMIT: BindParameter[Any] = bindparam("the_limit", type_=Integer)

_OPEN = _A.healed_at.is_(None)
_TOLD = _A.said.is_not(None)
_GET = select(ALERTS).where(_A.id == bindparam("the_id"))
_LATEST = select(ALERTS).where(_A.key == _KEY).order_by(_A.opened_at.desc(), _A.id.desc()).limit(1)
_ADD = insert_or_keep(ALERTS, "key", among=text("healed_at IS NULL"))
_HOLD = select(_A.id).where(_OPEN, _A.key == _KEY).with_for_update(key_share=True)
_QUEUE = Queue.over(ALERTS, _A.due_at <= NOW, "due_at")
_STIR = (
    update(ALERTS)
    .where(_OPEN, _A.key == _KEY)
    .values(stirred=_A.stirred + 1, due_at=case((_A.due_at < _DUE, _A.due_at), else_=_DUE))
)
_LISTING = (
    select(ALERTS)
    .where(_OPEN, _A.members > 0)
    .order_by(_A.severity.desc(), _A.earliest.nulls_last(), _A.id)
    .limit(_LIMIT)
)
_LISTING_TOLD = _LISTING.where(_TOLD)
_OPENED = (
    select(func.count())
    .select_from(ALERTS)
    .where(_A.code == bindparam("the_code", type_=_A.code.type), _A.opened_at > _SINCE, _A.key != _KEY)
)
_SHARED = (
    select(ALERTS)
    .where(_OPEN, _A.wide, _A.code == bindparam("the_code", type_=_A.code.type))
    .order_by(_A.key)
)


def _next_look() -> ColumnElement[Any]:
    """Return the new due_at: of one that was stirred meanwhile the stored one, if it is the earlier."""
    stays = and_(_A.stirred > _STIRRED, or_(_DUE.is_(None), _A.due_at < _DUE), _A.due_at.is_not(None))
    return case((stays, _A.due_at), else_=_DUE)


def _within(moment: ColumnElement[Any]) -> Any:
    chosen = select(ALERTS).where(_TOLD, moment >= _SINCE, moment < _UNTIL)
    return chosen.order_by(moment, _A.id)


_SAVE = update(ALERTS).where(held(ALERTS)).values(due_at=_next_look(), lease_until=None)
_CHANGE = _SAVE.where(free(ALERTS)).values(fence=_A.fence + 1)
_OPENED_WITHIN = _within(_A.opened_at)
_HEALED_WITHIN = _within(_A.healed_at)


class SqlAlerts(SqlSightings, SqlForecasts):
    """`services.ports.Alerts`."""

    __slots__ = ()

    def get(self, alert: str) -> Alert | None:
        """Return the alert with this id, or None."""
        row = self._connection.execute(_GET, {"the_id": alert}).first()
        return records.alert(row) if row else None

    def latest(self, key: str) -> Alert | None:
        """Return the newest alert with this key, open or healed, or None."""
        row = self._connection.execute(_LATEST, {"the_key": key}).first()
        return records.alert(row) if row else None

    def add(self, alert: Alert) -> bool:
        """Insert; False, and nothing changed, if an open one has its key.

        That one is then held until the transaction ends, so that nobody heals it before it is told of its new member.
        """
        values = records.alert_values(alert)
        while insert(self._connection, _ADD, values).rowcount == 0:
            if self._connection.execute(_HOLD, {"the_key": alert.key}).first():
                return False  # otherwise it has healed between the two, and there is room now
        return True

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Alert]:
        """Claim alerts with due_at <= now and no unexpired lease, longest due first."""
        return [records.alert(row) for row in _QUEUE.claim(self._connection, now, lease, limit)]

    def save(self, alert: Alert) -> None:
        """Save a claimed alert and give its lease back. Raises LeaseLostError for an old fence or a key that is taken."""
        try:
            must_hold(self._connection, _SAVE, alert, _saved(alert))
        except IntegrityError:  # it reopens one whose cause has another open alert by now
            raise LeaseLostError(alert.id) from None

    def change(self, alert: Alert, now: datetime) -> bool:
        """Save a change from outside the queue and raise the fence; False if it has moved meanwhile."""
        values = {"the_id": alert.id, "the_fence": alert.fence, "the_time": now, **_saved(alert)}
        try:
            with self._connection.begin_nested():
                return self._connection.execute(_CHANGE, values).rowcount == 1
        except IntegrityError:  # as in `save`
            return False

    def stir(self, key: str, due_at: datetime) -> None:
        """Tell the open alert with this key that its members changed."""
        self._connection.execute(_STIR, {"the_key": key, "the_due": due_at})

    def listing(self, limit: int = 100, *, told: bool = False) -> Sequence[Alert]:
        """Return open alerts with members: the gravest first, then by the earliest deadline, then by id."""
        rows = self._connection.execute(_LISTING_TOLD if told else _LISTING, {"the_limit": limit})
        return [records.alert(row) for row in rows]

    def opened_since(self, code: str, since: datetime) -> int:
        """Return how many alerts of this code were opened after ``since``, collective ones left out."""
        values = {"the_code": code, "the_start": since, "the_key": collective_key(code)}
        return self._connection.execute(_OPENED, values).scalar_one()

    def shared(self, code: str) -> Sequence[Alert]:
        """Return the open alerts of this code whose cause is the platform's or a CA's, sorted by key."""
        return [records.alert(row) for row in self._connection.execute(_SHARED, {"the_code": code})]

    def between(self, since: datetime, until: datetime) -> tuple[Sequence[Alert], Sequence[Alert]]:
        """Return what was told of and opened, and what was told of and healed, from ``since`` to before ``until``."""
        values = {"the_start": since, "the_end": until}
        opened = [records.alert(row) for row in self._connection.execute(_OPENED_WITHIN, values)]
        return opened, [records.alert(row) for row in self._connection.execute(_HEALED_WITHIN, values)]


def _saved(alert: Alert) -> dict[str, Any]:
    changes = records.alert_changes(alert)
    return {**changes, "the_due": alert.due_at, "the_stirred": alert.stirred}
