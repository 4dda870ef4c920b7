"""What every repository is made of."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

_CHUNK = 500  # ids in one IN (…): far below what any of the databases takes


def chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the ids in parts, each as many as one question takes."""
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


class Repository:
    """Repositories hold nothing but the connection of their transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
