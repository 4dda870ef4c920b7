"""INSERT … ON CONFLICT, which both databases write alike and SQLAlchemy offers for each apart."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, CursorResult, Table, TextClause, or_
from sqlalchemy.dialects import postgresql, sqlite

Insert = sqlite.Insert | postgresql.Insert
Excluded = Any
"""The columns of the row that could not be inserted."""
Statements = Mapping[str, Insert]
"""Dialect name -> the prepared statement."""


def _prepared(table: Table, finish: Callable[[Insert], Insert]) -> Statements:
    built = (finish(sqlite.insert(table)), finish(postgresql.insert(table)))
    return {
        name: statement.execution_options(preserve_rowcount=True)
        for name, statement in zip(("sqlite", "postgresql"), built, strict=True)
    }


def insert_or_keep(table: Table, *key: str, among: TextClause | None = None) -> Statements:
    """Prepare an INSERT that does nothing where a row with the same ``key`` exists (its row count tells).

    Without a ``key`` any row that is in the way of any unique index counts.

    ``among``: the condition of a unique index that is partial; only rows that it holds for are in the way.
    """
    return _prepared(
        table, lambda new: new.on_conflict_do_nothing(index_elements=list(key) or None, index_where=among)
    )


def insert_or_update(
    table: Table,
    key: str | tuple[str, ...],
    changes: Callable[[Excluded], dict[str, Any]] | None = None,
    *,
    only_changed: bool = False,
) -> Statements:
    """Prepare an INSERT that updates the row with the same ``key`` instead, where there is one.

    ``changes`` makes the new values from the row that was to be inserted; without it every other column is taken
    over. With ``only_changed`` a row that would stay the same is not written and not counted.
    """
    keys = [key] if isinstance(key, str) else list(key)
    others = [column.key for column in table.c if column.key not in keys]

    def finish(new: Insert) -> Insert:
        values = changes(new.excluded) if changes else {name: new.excluded[name] for name in others}
        differs = or_(*(table.c[name] != new.excluded[name] for name in others)) if only_changed else None
        return new.on_conflict_do_update(index_elements=keys, set_=values, where=differs)

    return _prepared(table, finish)


def insert_or_take(table: Table, key: str, free: Callable[[Excluded], ColumnElement[bool]]) -> Statements:
    """Prepare an INSERT that takes over the row with the same ``key`` if that is ``free`` (its row count tells)."""
    others = [column.key for column in table.c if column.key != key]

    def finish(new: Insert) -> Insert:
        values = {name: new.excluded[name] for name in others}
        return new.on_conflict_do_update(index_elements=[key], set_=values, where=free(new.excluded))

    return _prepared(table, finish)


def insert(connection: Connection, statements: Statements, values: Mapping[str, Any]) -> CursorResult[Any]:
    """Execute the statement that was prepared for the connection's database."""
    return connection.execute(statements[connection.dialect.name], values)
