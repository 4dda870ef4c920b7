"""What every repository is made of."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, literal, literal_column, select

from storage.places import place_of

_CHUNK = 500  # ids in one IN (…): far below what any of the databases takes


def chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the ids in parts, each as many as one question takes."""
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


ONE = select(literal(1).label("one")).subquery()
"""One row in any case, to which others are joined: a miss must not be faster than what is somebody else's."""


def one_among(
    table: Table, key: ColumnElement[Any], columns: Sequence[ColumnElement[Any]] = ()
) -> Select[Any]:
    """Return the question for the one row with the ``key`` if it is of one of some stores (`places`), as one row that may be empty.

    It goes along the index of `storage.places`: with the key alone another store's row would be read before it is turned down,
    and of an index of both columns PostgreSQL would rather take that of the key.
    """
    named = literal_column(place_of(table.name, key.name)).in_(bindparam("places", expanding=True))
    return select(*(columns or table.c)).select_from(ONE.outerjoin(table, named))


def places(key: str, among: frozenset[str]) -> dict[str, list[str]]:
    """Return what `one_among` is asked with."""
    return {"places": [f"{store}/{key}" for store in sorted(among)]}


class Repository:
    """Repositories hold nothing but the connection of their transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
