"""SQLite's connections, kept open and lent for one transaction each: a pool's own care costs more than most queries."""

import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class Lending:
    """Lends at most ``most`` connections of an engine at the same time, the one that was used last first."""

    def __init__(self, engine: Engine, most: int, seconds: float) -> None:
        self._engine, self._seconds = engine, seconds
        self._free = threading.Semaphore(most)
        self._idle: deque[Connection] = deque()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction that commits when the block ends, and rolls back when it raises.

        Raises SQLAlchemy's TimeoutError if all connections stay lent for ``seconds``. One that a database error came
        through is closed instead of being lent again.
        """
        if not self._free.acquire(timeout=self._seconds):
            raise PoolTimeoutError("every connection is in use")
        try:
            connection, sound = self._taken(), True
            try:
                with connection.begin():
                    yield connection
            except (DBAPIError, sqlite3.Error):
                sound = False
                connection.close()
                raise
            finally:
                if sound:
                    self._idle.append(connection)
        finally:
            self._free.release()

    def _taken(self) -> Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._engine.connect()

    def close(self) -> None:
        """Close the connections that nobody uses. May be called twice; a later transaction opens them again."""
        while self._idle:
            self._idle.pop().close()
