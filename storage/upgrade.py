"""Where the database's schema stands, and the way to bring it up to date. Alembic is loaded only when it has work."""

import sqlite3
import time
from enum import Enum
from pathlib import Path

from sqlalchemy import Connection, Engine, Select, column, inspect, select, table, text
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import OperationalError, ProgrammingError

from storage.schema import VERSIONS

_MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = 0x63657274_6465736B  # "certdesk": whoever migrates PostgreSQL holds this advisory lock
_PATIENCE = 30.0  # seconds that another process may take to switch the same SQLite file to WAL
_VERSION: Select[str] = select(column("version_num")).select_from(table("alembic_version"))


class Standing(Enum):
    """How the schema compares with what this code speaks to."""

    BEHIND = "behind"
    CURRENT = "current"
    AHEAD = "ahead"
    """Newer code has migrated it. That is well: changes are made in two phases, add first and remove later."""


def standing(connection: Connection) -> Standing:
    """Return where the schema stands. Raises DBAPIError if the database does not answer."""
    version = _version(connection)
    if version == VERSIONS[-1]:
        return Standing.CURRENT
    return Standing.BEHIND if version is None or version in VERSIONS else Standing.AHEAD


def _version(connection: Connection) -> str | None:
    """Return the schema's version, None before the first migration: one short question in the usual case."""
    try:
        with connection.begin_nested():
            version: str | None = connection.execute(_VERSION).scalar()
            return version
    except (OperationalError, ProgrammingError):  # no such table: the two databases say it in different ways
        if inspect(connection).has_table("alembic_version"):
            raise
        return None


def migrate(engine: Engine) -> bool:
    """Bring the schema up to date in one transaction; tell whether there was anything to do.

    Safe when several processes do it at once: each waits for its turn, looks again, and all but one find it done.
    """
    if engine.dialect.name == "sqlite":
        _use_wal(engine)
    with engine.begin() as connection:  # on SQLite this takes the write lock
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if standing(connection) is not Standing.BEHIND:
            return False
        _upgrade(connection)
        return True


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - costs 0.2 s that only a migration needs
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _use_wal(engine: Engine) -> None:
    """Switch the file to write-ahead logging, once for all: the file remembers it.

    SQLite does not wait for its busy time-out here when another process is just doing the same, so we do.
    """
    deadline = time.monotonic() + _PATIENCE
    connection = engine.raw_connection()
    try:
        while not _switched(connection.cursor(), last=time.monotonic() > deadline):
            time.sleep(0.02)
    finally:
        connection.close()


def _switched(cursor: DBAPICursor, *, last: bool) -> bool:
    """Try once; False if another process is in the way, which is raised at the ``last`` try."""
    try:
        cursor.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if last or error.sqlite_errorname not in ("SQLITE_BUSY", "SQLITE_LOCKED"):
            raise
        return False
    return True
