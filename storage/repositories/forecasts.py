"""What will not renew as things stand: certificates whose renewal falls due, and what stands in the way of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, case, cast, func, select
from sqlalchemy.dialects.postgresql import JSONB

from services.model.alerts import Forecast, Outlook, Severity, Sighting
from services.model.clock import aware
from services.model.findings import Owner
from storage import records
from storage.alerting import SIGHTINGS
from storage.moments import Moment
from storage.records.coding import encode
from storage.repositories.base import Repository
from storage.repositories.queue import UNTIL
from storage.schema import CERTIFICATES

_C, _S = CERTIFICATES.c, SIGHTINGS.c
_STORES = bindparam("the_stores", type_=Text)
_BANDS = {
    severity: bindparam(f"the_{severity.name.lower()}", type_=Moment)
    for severity in sorted(Severity, reverse=True)
}
_RENEWING = and_(_C.renew_at.is_not(None), _C.installed.is_not(None), _C.renew_at <= UNTIL)

# All in one parameter, however many there are: a query has room for some ten thousand at most.
AMONG: Mapping[str, ColumnElement[bool]] = {
    "sqlite": _C.store.in_(select(func.json_each(_STORES).table_valued("value").c.value)),
    "postgresql": _C.store.in_(select(func.jsonb_array_elements_text(cast(_STORES, JSONB)))),
}


@dataclass(frozen=True, slots=True)
class _Questions:
    """The prepared statements about some set of stores."""

    due: Select[Any]
    outlooks: Select[Any]
    blocked: Select[Any]

    @classmethod
    def about(cls, *chosen: ColumnElement[bool]) -> Self:
        """Prepare them for the certificates of ``chosen`` stores; for all of them without a condition."""
        which = (_RENEWING, *chosen)
        foremost = _foremost(*which)
        return cls(
            select(func.count()).select_from(CERTIFICATES).where(*which),
            _outlooks(foremost),
            _listed(foremost),
        )


def _foremost(*which: ColumnElement[bool]) -> Any:
    """Return a table of what blocks the certificates; where `place` is 1 stands what each is counted by."""
    place = func.row_number().over(partition_by=_S.certificate, order_by=(_S.position, _S.key))
    return (
        select(SIGHTINGS, place.label("place"))
        .join(CERTIFICATES, _C.id == _S.certificate)
        .where(_S.confirmed, _S.blocks, *which)
        .subquery("foremost")
    )


def _outlooks(foremost: Any) -> Select[Any]:
    """Count by code, owner and band; the name is that of the earliest deadline in each group."""
    row = foremost.c
    band = case(*((row.deadline <= moment, int(severity)) for severity, moment in _BANDS.items()), else_=0)
    banded = (
        select(row.code, row.owner, band.label("band"), row.deadline, row.certificate, row.key, row.name)
        .where(row.place == 1)
        .subquery("banded")
    )
    group = (banded.c.code, banded.c.owner, banded.c.band)
    soonest = (banded.c.deadline.nulls_last(), banded.c.certificate, banded.c.key)
    counted = select(
        *group,
        func.count().over(partition_by=group).label("certificates"),
        banded.c.deadline,
        banded.c.name,
        func.row_number().over(partition_by=group, order_by=soonest).label("nth"),
    ).subquery("counted")
    one = counted.c
    return (
        select(one.code, one.owner, one.band, one.certificates, one.deadline, one.name)
        .where(one.nth == 1)
        .order_by(one.certificates.desc(), one.code, one.owner, one.band.desc())
    )


def _listed(foremost: Any) -> Select[Any]:
    row = foremost.c
    return (
        select(*(row[column.key] for column in _S))
        .where(row.place == 1, row.code == bindparam("the_code", type_=_S.code.type))
        .order_by(row.deadline.nulls_last(), row.certificate, row.key)
        .limit(bindparam("the_limit"))
    )


_OF_ALL = _Questions.about()
_OF_SOME = {name: _Questions.about(among) for name, among in AMONG.items()}


class SqlForecasts(Repository):
    """`services.ports.Alerts`, the part that looks ahead."""

    __slots__ = ()

    def forecast(
        self, until: datetime, bands: Mapping[Severity, datetime], stores: frozenset[str] | None = None
    ) -> Forecast:
        """Return which installed certificates with renew_at <= until will not renew as things stand."""
        questions, values = self._about(until, stores)
        due = self._connection.execute(questions.due, values).scalar_one()
        moments = {moment.key: bands.get(severity) for severity, moment in _BANDS.items()}
        outlooks = tuple(
            Outlook(code, Owner(owner), Severity(band), *rest)
            for code, owner, band, *rest in self._connection.execute(
                questions.outlooks, {**values, **moments}
            )
        )
        return Forecast(aware(until), due, sum(row.certificates for row in outlooks), outlooks)

    def blocked(
        self, until: datetime, code: str, limit: int = 100, *, stores: frozenset[str] | None = None
    ) -> Sequence[Sighting]:
        """Return the sightings that `forecast` counts for this code, the earliest deadline first."""
        questions, values = self._about(until, stores)
        rows = self._connection.execute(questions.blocked, {**values, "the_code": code, "the_limit": limit})
        return [records.sighting(row) for row in rows]

    def _about(self, until: datetime, stores: frozenset[str] | None) -> tuple[_Questions, dict[str, Any]]:
        if stores is None:
            return _OF_ALL, {"the_end": until}
        some = _OF_SOME[self._connection.dialect.name]
        return some, {"the_end": until, "the_stores": encode(sorted(stores))}
