"""One claim for every queue: certificates, requests and messages are rows with a lease and a fence.

A claim is one UPDATE … WHERE id IN (SELECT … due and lease expired … LIMIT n FOR UPDATE SKIP LOCKED) RETURNING, with
the condition repeated. SQLite has one writer at a time (BEGIN IMMEDIATE) and leaves FOR UPDATE out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, Self

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    Table,
    Update,
    and_,
    any_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from services.model.errors import LeaseLostError
from storage.moments import Moment

# Names that are no column's: those are SQLAlchemy's own in an UPDATE.
NOW: BindParameter[Any] = bindparam("the_time", type_=Moment)
UNTIL: BindParameter[Any] = bindparam("the_end", type_=Moment)
ID: BindParameter[Any] = bindparam("the_id")
FENCE: BindParameter[Any] = bindparam("the_fence")
_LIMIT: BindParameter[Any] = bindparam("the_limit", type_=Integer, literal_execute=True)


class Leased(Protocol):
    """A row that was claimed."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def fence(self) -> int: ...  # noqa: D102


def free(table: Table) -> ColumnElement[bool]:
    """Return the condition that nobody holds the row at NOW."""
    return or_(table.c.lease_until.is_(None), table.c.lease_until <= NOW)


def held(table: Table) -> ColumnElement[bool]:
    """Return the condition that the row is ID and nobody has claimed it since it had FENCE."""
    return and_(table.c.id == ID, table.c.fence == FENCE)


@dataclass(frozen=True, slots=True)
class Queue:
    """The prepared statements of one queue."""

    peek: Select[Any]
    """Finds one due row: a cheap look that takes no lock."""
    take: Mapping[str, ReturningUpdate[Any]]
    """Dialect name -> the claim itself."""
    since: int
    """Position, in the rows that `take` returns, of the moment that they are sorted by."""

    @classmethod
    def over(
        cls,
        table: Table,
        due: ColumnElement[bool],
        since: str,
        *,
        columns: Sequence[ColumnElement[Any]] = (),
        also: dict[str, Any] | None = None,
    ) -> Self:
        """Prepare the queue of ``table``: rows that are ``due``, those with the smallest ``since`` first.

        ``also`` holds what else a claim sets; ``columns`` are returned (all of the table's if empty), id first.
        """
        condition = and_(due, free(table))
        returned = list(columns or table.c)
        # The order and the bare limit keep PostgreSQL on the index, even in a plan made for any moment there is.
        first = select(table.c.id).where(condition).order_by(table.c[since], table.c.id)
        chosen = (
            first.limit(_LIMIT)
            .with_for_update(skip_locked=True, key_share=True)  # FOR NO KEY UPDATE: foreign keys do not wait
            .cte("chosen")
        )
        take = update(table).values(lease_until=UNTIL, fence=table.c.fence + 1, **(also or {}))
        return cls(
            first.limit(literal_column("1")),
            {
                name: take.where(inside, condition).returning(*returned)
                for name, inside in among(table.c.id, select(chosen.c.id)).items()
            },
            [column.key for column in returned].index(since),
        )

    def claim(
        self, connection: Connection, now: datetime, lease: timedelta, limit: int, **asked: Any
    ) -> Sequence[Row[Any]]:
        """Claim up to ``limit`` due rows and return them, longest due first. With nothing due it writes nothing.

        ``asked`` holds the values of what else the condition asks for.
        """
        if connection.execute(self.peek, {"the_time": now, **asked}).first() is None:
            return ()
        values = {"the_time": now, "the_end": now + lease, "the_limit": limit, **asked}
        rows = connection.execute(self.take[connection.dialect.name], values).all()
        return sorted(rows, key=lambda row: (row[self.since], row[0]))


def among(column: ColumnElement[Any], chosen: Select[Any]) -> Mapping[str, ColumnElement[bool]]:
    """Return the condition that ``column`` is one of the ``chosen``, as each database finds the rows one by one.

    PostgreSQL, which cannot know how few there are, would read the whole table for IN; not for = ANY (ARRAY (…)).
    """
    return {
        "sqlite": column.in_(chosen),
        "postgresql": column == any_(func.array(chosen.scalar_subquery())),
    }


def must_hold(connection: Connection, statement: Update, row: Leased, values: dict[str, Any]) -> None:
    """Execute an update WHERE `held`. Raises LeaseLostError, and nothing is saved, if ``row`` has another fence now."""
    done = connection.execute(statement, {"the_id": row.id, "the_fence": row.fence, **values})
    if done.rowcount != 1:
        raise LeaseLostError(row.id)
