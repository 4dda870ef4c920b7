"""What a question sends to a database, so that a test can ask the database how it would answer it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text

from services.ports import Transaction
from storage.database import Database


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Yield the list that fills with the (statement, parameters) that are sent for writing."""
    seen: list[tuple[str, Any]] = []

    def note(*given: Any) -> None:
        seen.append((given[2], given[3]))

    engine = database._engines.write
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def asked(database: Database, ask: Callable[[Transaction], object]) -> list[tuple[str, Any]]:
    """Return what a question sends."""
    with statements(database) as seen, database.write() as tx:
        ask(tx)
    return [(sql, given) for sql, given in seen if not sql.startswith("BEGIN")]


def sqlite_steps(database: Database, ask: Callable[[Transaction], object]) -> list[str]:
    """Return the steps in which SQLite would answer."""
    sent = asked(database, ask)
    with database.reading() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given).all() for sql, given in sent]
    return [row[3] for plan in plans for row in plan]


def postgresql_steps(database: Database, ask: Callable[[Transaction], object]) -> list[str]:
    """Return the steps in which PostgreSQL would answer.

    A table of one row is quicker read whole: without that way out, no step but an index is left.
    """
    sent = asked(database, ask)
    with database.writing() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        plans = [connection.exec_driver_sql(f"EXPLAIN {sql}", given).scalars().all() for sql, given in sent]
    return [step for plan in plans for step in plan]
