"""What every repository is made of."""

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, or_
from sqlalchemy.sql import false

from storage.records.coding import encode

_CHUNK = 500  # ids in one IN (…): far below what any of the databases takes


def chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the ids in parts, each as many as one question takes."""
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def first_among(what: ColumnElement[str], stores: frozenset[str]) -> ColumnElement[bool]:
    """Return whether the first store that a row is about is one of these; ``what`` is its JSON, as `encode` makes it.

    A quotation mark inside of what somebody has given is escaped there, so that this is found nowhere else.
    """
    beginnings = (f'"stores":[{encode(store)}' for store in sorted(stores))
    return or_(false(), *(what.contains(one, autoescape=True) for one in beginnings))


class Repository:
    """Repositories hold nothing but the connection of their transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
