"""The fleet in parts and page by page: every question goes along an index, and costs what it shows.

A page begins behind a position, never behind a number of rows (OFFSET), which would have to be read to be left out.
Counting reads an index alone: decision 0017.
"""

import heapq
import operator
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import reduce
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    case,
    exists,
    func,
    select,
    tuple_,
)

from services.model.fleet import Counts, Excerpt, Portion, Position
from services.model.lifecycle import State
from storage import records
from storage.columns import LAST, Key
from storage.records.coding import encode
from storage.records.fleet import GROUPS, WELL, Span, spans
from storage.repositories.forecasts import AMONG
from storage.repositories.tallies import SqlTallies
from storage.schema import CERTIFICATES
from storage.searching import TERMS

_C, _T = CERTIFICATES.c, TERMS.c
Stores = frozenset[str] | None
_COLUMNS = [column for column in _C if column.key != "urgency"]

_LIMIT: Any = bindparam("the_limit", type_=Integer)
_STORE: Any = bindparam("the_store", type_=Key)
_STATE: Any = bindparam("the_state", type_=Text)
_LOW: Any = bindparam("the_low", type_=BigInteger)
_HIGH: Any = bindparam("the_high", type_=BigInteger)

# --- counting -------------------------------------------------------------------------------------------------------

_BY_STATE = select(
    _C.state,
    func.count(),
    func.sum(case((_C.urgency < WELL, 1), else_=0)),
).group_by(_C.state)


def _stretch(group: int, name: str) -> ColumnElement[bool]:
    low, high = (bindparam(f"{edge}_{name}_{group}", type_=BigInteger) for edge in ("low", "high"))
    return and_(_C.urgency >= low, _C.urgency < high)


_ENDS = (Portion.EXPIRED, Portion.ENDING)


def _of_ends(which: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Prepare the counts of what has expired and of what ends soon: of each a stretch in each group."""
    counted = [
        [
            select(func.count())
            .select_from(CERTIFICATES)
            .where(_stretch(group, portion.value), *which)
            .scalar_subquery()
            for group in GROUPS
        ]
        for portion in _ENDS
    ]
    return select(*(reduce(operator.add, parts) for parts in counted))


_OF_ALL = (_BY_STATE, _of_ends(()))
_OF_SOME = {name: (_BY_STATE.where(among), _of_ends((among,))) for name, among in AMONG.items()}

# --- pages ----------------------------------------------------------------------------------------------------------

_KEY = (_C.urgency, _C.domain, _C.id)
_AT = tuple_(
    bindparam("at_urgency", type_=BigInteger),
    bindparam("at_domain", type_=Key),
    bindparam("at_id", type_=Key),
)


def _listed(*, store: bool, state: bool, back: bool) -> Select[Any]:
    """Prepare one stretch of a listing, on from a position or ``back`` from it."""
    key = tuple_(*_KEY)
    within = and_(key < _AT, _C.urgency >= _LOW) if back else and_(key > _AT, _C.urgency < _HIGH)
    # in a store the state is looked at in the rows: the index by state would be read through all other stores
    of_state = ((_C.state.concat("") if store else _C.state) == _STATE,) if state else ()
    chosen = (*((_C.store == _STORE,) if store else ()), *of_state)
    order = [column.desc() for column in _KEY] if back else list(_KEY)
    return select(_C.urgency, *_COLUMNS).where(*chosen, within).order_by(*order).limit(_LIMIT)


_YES_NO = (False, True)
_LISTED: Mapping[tuple[bool, bool, bool], Select[Any]] = {
    (store, state, back): _listed(store=store, state=state, back=back)
    for store in _YES_NO
    for state in _YES_NO
    for back in _YES_NO
}
_TERM_AT = tuple_(bindparam("at_term", type_=Key), bindparam("at_id", type_=Key))
_FROM: Any = bindparam("the_prefix", type_=Key)
_TO: Any = bindparam("the_end", type_=Key)


def _found(*, store: bool, back: bool) -> Select[Any]:
    """Prepare a search; of several terms of a certificate that match, the first stands for it."""
    key = tuple_(_T.term, _T.certificate)
    earlier = TERMS.alias("earlier")
    first = ~exists().where(
        earlier.c.certificate == _T.certificate, earlier.c.term >= _FROM, earlier.c.term < _T.term
    )
    chosen = (_T.store == _STORE,) if store else ()
    order = [_T.term.desc(), _T.certificate.desc()] if back else [_T.term, _T.certificate]
    return (
        select(_T.term, *_COLUMNS)
        .join_from(TERMS, CERTIFICATES, _C.id == _T.certificate)
        .where(
            *chosen,
            _C.state != State.RETIRED.value,
            _T.term >= _FROM,
            _T.term < _TO,
            (key < _TERM_AT) if back else (key > _TERM_AT),
            first,
        )
        .order_by(*order)
        .limit(_LIMIT)
    )


_FOUND = {(store, back): _found(store=store, back=back) for store in _YES_NO for back in _YES_NO}


class SqlFleet(SqlTallies):
    """`services.ports.Fleet`."""

    __slots__ = ()

    def counts(self, stores: Stores, now: datetime) -> Counts:
        """Return how many certificates there are; expired and ending as of ``now``."""
        by_state, of_ends, values = *_OF_ALL, {}
        if stores is not None:
            by_state, of_ends = _OF_SOME[self._connection.dialect.name]
            values = {"the_stores": encode(sorted(stores))}
        rows = self._connection.execute(by_state, values).all()
        expired, ending = self._connection.execute(of_ends, values | _edges(now)).one()
        states = {State(state): count for state, count, _ in rows}
        unwell = sum(below for state, _, below in rows if state == State.INSTALLED.value)
        return Counts(states, unwell, expired, ending)

    def page(
        self,
        portion: Portion,
        stores: Stores,
        now: datetime,
        size: int,
        *,
        after: Position | None = None,
        before: Position | None = None,
    ) -> Excerpt:
        """Return ``size`` certificates of ``portion``, worst first."""
        wanted = spans(portion, now)
        rows: list[Row[Any]] = []
        for span in wanted if before is None else reversed(wanted):
            if len(rows) > size:
                break
            rows += self._stretch(span, stores, size + 1 - len(rows), after, before)
        return _excerpt(rows, size, after, before, _place)

    def _stretch(
        self, span: Span, stores: Stores, limit: int, after: Position | None, before: Position | None
    ) -> list[Row[Any]]:
        back = before is not None
        edge: Position = (span.high, "", "") if back else (span.low, "", "")
        at = min(before, edge) if before is not None else max(after, edge) if after is not None else edge
        values = {
            **dict(zip(("at_urgency", "at_domain", "at_id"), at, strict=True)),
            "the_limit": limit,
            **({"the_low": span.low} if back else {"the_high": span.high}),
            **({} if span.state is None else {"the_state": span.state.value}),
        }
        statement = _LISTED[stores is not None, span.state is not None, back]
        return self._merged(statement, values, stores, limit, _place, back=back)

    def search(
        self,
        prefix: str,
        stores: Stores,
        size: int,
        *,
        after: Position | None = None,
        before: Position | None = None,
    ) -> Excerpt:
        """Return certificates with a wanted name, or a domain, or a store that begins with ``prefix``, each once."""
        if not prefix:
            return Excerpt()
        back = before is not None
        edge: Position = (prefix + LAST, "") if back else (prefix, "")
        term, id_ = before or after or edge
        values = {
            "the_prefix": prefix,
            "the_end": prefix + LAST,
            "at_term": term,
            "at_id": id_,
            "the_limit": size + 1,
        }
        statement = _FOUND[stores is not None, back]
        rows = self._merged(statement, values, stores, size + 1, _found_at, back=back)
        return _excerpt(rows, size, after, before, _found_at)

    def _merged(
        self,
        statement: Select[Any],
        values: Mapping[str, Any],
        stores: Stores,
        limit: int,
        place: Any,
        *,
        back: bool,
    ) -> list[Row[Any]]:
        """Ask for each store apart, so that each is read along its index, and merge what comes."""
        asked: Iterable[Mapping[str, Any]] = (
            (values,) if stores is None else ({**values, "the_store": store} for store in sorted(stores))
        )
        found = [self._connection.execute(statement, dict(one)).all() for one in asked]
        return list(heapq.merge(*found, key=place, reverse=back))[:limit]


def _edges(now: datetime) -> dict[str, int]:
    found: dict[str, int] = {}
    for portion in _ENDS:
        for group, span in zip(GROUPS, spans(portion, now), strict=True):
            found |= {f"low_{portion.value}_{group}": span.low, f"high_{portion.value}_{group}": span.high}
    return found


def _place(row: Row[Any]) -> Position:
    return row.urgency, row.domain, row.id


def _found_at(row: Row[Any]) -> Position:
    return row.term, row.id


def _excerpt(
    rows: Sequence[Row[Any]], size: int, after: Position | None, before: Position | None, place: Any
) -> Excerpt:
    shown = list(rows[:size])
    if before is not None:
        shown.reverse()
        preceding, more = (place(rows[size]) if len(rows) > size else None), True
    else:
        preceding, more = after, len(rows) > size
    return Excerpt(
        tuple(records.certificate(row[1:]) for row in shown), tuple(map(place, shown)), preceding, more
    )
