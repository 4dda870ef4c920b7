"""What the database raises, told as certdesk's own errors: once, here."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from services.model.errors import CertdeskError, DatabaseUnavailableError
from services.model.text import say
from storage.refusals import READING, no_parent

_BROKEN = ("SQLITE_NOTADB", "SQLITE_CORRUPT")


@contextmanager
def translated(*, reading: bool = False) -> Iterator[None]:
    """Raise certdesk's errors instead of the database's; ``reading`` says that the transaction may only read.

    DatabaseUnavailableError where the database does not answer, is locked, full or gone; NotFoundError where a row
    refers to one that does not exist; ValueError for a naive moment. What is left is a fault in certdesk itself.
    """
    try:
        yield
    except PoolTimeoutError:
        raise _unavailable("every connection of this process is in use") from None
    except sqlite3.Error as error:  # from a new connection, before SQLAlchemy has it
        raise _unavailable(str(error)) from error
    except StatementError as error:
        raise _told(error, reading=reading) from error


def _told(error: StatementError, *, reading: bool) -> Exception:
    cause = error.orig
    if reading and _is_write_while_reading(cause):
        return RuntimeError(READING)
    if isinstance(error, IntegrityError) and _is_missing_parent(cause):
        return no_parent()
    if isinstance(error, (OperationalError, InterfaceError)) or _code(cause) in _BROKEN or _gone(error):
        return _unavailable(str(cause).strip().partition("\n")[0])
    return cause if isinstance(cause, ValueError) else error


def _gone(error: StatementError) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _unavailable(reason: str) -> CertdeskError:
    return DatabaseUnavailableError(
        say(
            "The database does not answer as it should: {reason}. Nothing was saved; certdesk tries again by itself. "
            "If this stays, look at database.url and at the database's own log.",
            reason=reason,
        )
    )


def _is_write_while_reading(cause: BaseException | None) -> bool:
    return _code(cause) in ("SQLITE_READONLY", "25006")


def _is_missing_parent(cause: BaseException | None) -> bool:
    return _code(cause) in ("SQLITE_CONSTRAINT_FOREIGNKEY", "23503")


def _code(cause: BaseException | None) -> str | None:
    """Return SQLite's name for the error or PostgreSQL's SQLSTATE (appendix A of its manual)."""
    return getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
