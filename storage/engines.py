"""Engines for the two databases, set up so that `write` and `read` mean the same on both."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from services.model.errors import CertdeskError, DatabaseUnavailableError
from services.model.text import say
from storage.lending import Lending

_WAIT = 30  # seconds that a connection waits for SQLite's write lock or for a free place in the pool
_OLDEST_SQLITE = (3, 35)  # RETURNING
_READERS = 16  # connections of one process that may read SQLite at once
_POOL = 20  # connections of one process to PostgreSQL
_STUCK = 60_000  # milliseconds after which PostgreSQL ends a transaction whose process says nothing more


@dataclass(frozen=True, slots=True)
class Engines:
    """Where transactions begin; on PostgreSQL both share one pool."""

    write: Engine
    read: Engine
    writing: Engine | Lending
    """Whose `begin` opens a transaction that writes; at most one at a time on SQLite."""
    reading: Engine | Lending

    @property
    def sqlite(self) -> bool:
        """Whether it is SQLite, where one transaction writes at a time."""
        return self.write.dialect.name == "sqlite"

    def dispose(self) -> None:
        """Close the connections that nobody uses."""
        for lending in (self.writing, self.reading):
            if isinstance(lending, Lending):
                lending.close()
        self.write.dispose()
        self.read.dispose()


def engines_for(text: str) -> Engines:
    """Return the engines for a database URL; nothing is connected yet, but SQLite's file is made (0600) with its folder.

    Raises CertdeskError, without the URL's password, for what is neither sqlite:///FILE nor postgresql+psycopg://….
    """
    url = _parsed(text)
    if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
        return _sqlite(url)
    if url.drivername in ("postgresql", "postgresql+psycopg"):
        return _postgresql(url.set(drivername="postgresql+psycopg"))
    raise CertdeskError(
        say(
            "database.url is “{given}”, which is not a database that certdesk can use. "
            "Give sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE.",
            given=url.render_as_string(hide_password=True),
        )
    )


def _parsed(text: str) -> URL:
    try:
        return make_url(text)
    except (ArgumentError, ValueError):
        raise CertdeskError(
            say(
                "database.url cannot be read as a URL. "
                "Give sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE."
            )
        ) from None


# --- SQLite ---------------------------------------------------------------------------------------------------------


def _sqlite(url: URL) -> Engines:
    """One connection writes, many read: readers see the last commit and never wait (WAL)."""
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise CertdeskError(
            say(
                "This Python has SQLite {version}; certdesk needs 3.35 or newer. Use a newer Python, or PostgreSQL.",
                version=sqlite3.sqlite_version,
            )
        )
    _make_file(Path(str(url.database)))
    waiting = {"timeout": _WAIT}
    write = create_engine(url, connect_args=waiting, poolclass=NullPool)
    read = create_engine(url, connect_args=waiting, poolclass=NullPool)
    event.listen(write, "connect", _prepare)
    event.listen(read, "connect", _prepare_reader)
    event.listen(write, "begin", _begin_writing)
    event.listen(read, "begin", _begin_reading)
    return Engines(write, read, Lending(write, 1, _WAIT), Lending(read, _READERS, _WAIT))


def _make_file(path: Path) -> None:
    """Make the database file readable by its owner alone; SQLite gives its side files the same rights."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise DatabaseUnavailableError(
            say(
                "The database file {path} cannot be written: {reason}. Give certdesk a folder of its own in database.url.",
                path=str(path),
                reason=error.strerror or str(error),
            )
        ) from error


def _prepare(connection: sqlite3.Connection, record: Any) -> None:  # noqa: ARG001 - SQLAlchemy's signature
    connection.isolation_level = None  # the driver begins nothing by itself: see _begin_writing
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(
        "PRAGMA synchronous = NORMAL"
    )  # with WAL: a power cut may cost the last commits, no more


def _prepare_reader(connection: sqlite3.Connection, record: Any) -> None:
    _prepare(connection, record)
    connection.execute("PRAGMA query_only = ON")


def _begin_writing(connection: Connection) -> None:
    """Take the write lock at once: one that is taken halfway fails when another has written meanwhile."""
    _driver(connection).execute("BEGIN IMMEDIATE")


def _begin_reading(connection: Connection) -> None:
    _driver(connection).execute("BEGIN")


def _driver(connection: Connection) -> sqlite3.Connection:
    """Return the driver's own connection: a statement without values or rows needs none of SQLAlchemy's care."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the engine's dialect says so
    return driver


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


def _postgresql(url: URL) -> Engines:
    """One pool; writing is READ COMMITTED, so that a statement that waited sees what it waited for."""
    defaults = {"application_name": "certdesk", "connect_timeout": "10"}
    engine = create_engine(
        url.update_query_dict({**defaults, **url.query}),
        pool_size=_POOL,
        max_overflow=0,
        pool_timeout=_WAIT,
        pool_pre_ping=True,  # a restarted server costs nobody a failed transaction
        pool_use_lifo=True,
        isolation_level="READ COMMITTED",
    )
    event.listen(engine, "connect", _bound_transactions)
    read = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Engines(engine, read, engine, read)


def _bound_transactions(connection: Any, record: Any) -> None:  # noqa: ARG001 - SQLAlchemy's signature
    """See to it that a process which freezes inside a transaction does not hold its rows for ever."""
    connection.execute(f"SET idle_in_transaction_session_timeout = {_STUCK}")
    connection.commit()
