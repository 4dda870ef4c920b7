"""The storage over SQLite or PostgreSQL: transactions, the schema's state, heartbeats."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Self

from sqlalchemy import Connection, bindparam, delete, func, or_, select

from services.model.clock import aware
from services.model.errors import CertdeskError, SchemaBehindError
from services.model.text import say
from storage import upgrade
from storage.engines import Engines, engines_for
from storage.faults import translated
from storage.moments import Moment
from storage.repositories import upserts
from storage.repositories.transaction import SqlTransaction
from storage.rewrap import rewrap
from storage.schema import LEADS, WORKERS
from storage.turns import Turns
from storage.vault import Vault

_FORGOTTEN = timedelta(days=1)  # after which a worker that is gone leaves no trace
_BEAT = upserts.insert_or_update(WORKERS, "worker")
_FORGET = delete(WORKERS).where(WORKERS.c.seen_at < bindparam("before"))
_LEAD = upserts.insert_or_take(
    LEADS,
    "duty",
    lambda new: or_(LEADS.c.worker == new.worker, LEADS.c.until <= bindparam("the_time", type_=Moment)),
)
_LAST_BEAT = select(func.max(WORKERS.c.seen_at))
_SERVER_TIME = select(func.clock_timestamp())


class Database:
    """`services.ports.Storage` over a database. Made by `Database.open`; may be used from any thread."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._turns = Turns(one_at_a_time=engines.sqlite)

    @classmethod
    def open(cls, url: str, *, migrate: bool = False) -> Self:
        """Return the storage at ``url``, its schema up to date.

        SQLite is brought up to date here; PostgreSQL only with ``migrate`` (``certdesk migrate``), else
        SchemaBehindError is raised when it is behind. Raises DatabaseUnavailableError if it does not answer, and
        CertdeskError for a URL that is no good.
        """
        database = cls(engines_for(url))
        try:
            if migrate or database._engines.sqlite:
                database.migrate()
            else:
                database._must_be_current()
        except CertdeskError:
            database.close()
            raise
        return database

    def migrate(self) -> bool:
        """Bring the schema up to date; tell whether there was anything to do. Several processes may do it at once."""
        with translated():
            return upgrade.migrate(self._engines.write)

    def _must_be_current(self) -> None:
        if self._standing() is upgrade.Standing.BEHIND:
            raise SchemaBehindError(
                say(
                    "The database's schema is older than this certdesk. Run “certdesk migrate” once, then start again."
                )
            )

    def _standing(self) -> upgrade.Standing:
        with self.reading() as connection:
            return upgrade.standing(connection)

    @contextmanager
    def write(self) -> Iterator[SqlTransaction]:
        """Open a transaction that commits when the block ends, and rolls everything back when it raises.

        Raises DatabaseUnavailableError if the database cannot take it, NotFoundError if a row refers to one that does
        not exist, and RuntimeError inside another `write` of the same thread, which would wait for itself.
        """
        with self.writing() as connection:
            yield SqlTransaction(connection)

    @contextmanager
    def read(self) -> Iterator[SqlTransaction]:
        """Open a transaction for reading only; to write in it raises RuntimeError."""
        with self.reading() as connection:
            yield SqlTransaction(connection)

    def ready(self) -> bool:
        """Tell whether the database answers and its schema is up to date."""
        try:
            return self._standing() is not upgrade.Standing.BEHIND
        except CertdeskError:
            return False

    def heartbeat(self, worker: str, now: datetime) -> None:
        """Record that the worker process ``worker`` is alive."""
        with self.writing() as connection:
            upserts.insert(connection, _BEAT, {"worker": worker, "seen_at": now})
            connection.execute(_FORGET, {"before": now - _FORGOTTEN})

    def last_heartbeat(self) -> datetime | None:
        """Return when any worker was last alive, or None."""
        with self.reading() as connection:
            return connection.execute(_LAST_BEAT).scalar()

    def lead(self, duty: str, worker: str, now: datetime, lasts: timedelta) -> bool:
        """Let ``worker`` do ``duty`` alone, if nobody else does; tell whether it does."""
        values = {"duty": duty, "worker": worker, "until": now + lasts, "the_time": now}
        with self.writing() as connection:
            return upserts.insert(connection, _LEAD, values).rowcount == 1

    def server_time(self) -> datetime | None:
        """Return what PostgreSQL's clock says now; None for SQLite, which has none but this machine's."""
        with self.reading() as connection:
            if connection.dialect.name != "postgresql":
                return None
            return aware(connection.execute(_SERVER_TIME).scalar_one())

    def rewrap(self, vault: Vault) -> int:
        """Put every secret under ``vault``'s first key; return how many were under another (see `storage.rewrap`)."""
        return rewrap(self, vault)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction as `write` does, for what speaks to tables directly."""
        with self._turns.taken(), translated(), self._engines.writing.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction as `read` does, for what speaks to tables directly."""
        with translated(reading=True), self._engines.reading.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give back connections. May be called twice."""
        self._engines.dispose()
