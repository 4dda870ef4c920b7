"""The audit trail: a chain of rows that are only ever added."""

from collections.abc import Sequence

from sqlalchemy import bindparam, func, insert, literal, or_, select

from services.model.audit import SEARCHED, Entry, chained
from storage import records
from storage.audiences import AUDIT
from storage.repositories.base import Repository

_A = AUDIT.c
_LOCK = (
    0x63657274_61756474  # "certaudt": whoever adds a row holds this advisory lock until the transaction ends
)
_TURN = select(func.pg_advisory_xact_lock(_LOCK))
_LAST = select(AUDIT).order_by(_A.number.desc()).limit(1)
_APPEND = insert(AUDIT).inline()
_ENTRIES = select(AUDIT).where(_A.number > bindparam("after")).order_by(_A.number).limit(bindparam("limit"))


class SqlAudit(Repository):
    """`services.ports.Audit`."""

    __slots__ = ()

    def append(self, entry: Entry) -> Entry:
        """Chain ``entry`` behind the last row and insert it; return it so. One at a time: of two at once both are chained.

        On PostgreSQL the turn is kept until the transaction ends, as nobody may chain behind a row that could still
        be rolled back: append last, so that nobody waits for the rest. SQLite has one writer anyway.
        """
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(_TURN)
        placed = chained(records.keepable(entry), self.last())
        self._connection.execute(_APPEND, records.entry_values(placed))
        return placed

    def entries(self, after: int = 0, limit: int = 1000) -> Sequence[Entry]:
        """Return rows with a number larger than ``after``, in order."""
        rows = self._connection.execute(_ENTRIES, {"after": after, "limit": limit})
        return [records.entry(row) for row in rows]

    def about(self, words: Sequence[str], limit: int = 100) -> Sequence[Entry]:
        """Return the newest ``limit`` rows in whose subject one of ``words`` stands as a word by itself, in order."""
        last = self.last()
        if last is None or not words:
            return []
        padded = literal(" ").concat(_A.subject).concat(" ")
        # not LIKE: SQLite's knows no upper case
        among = or_(*(func.replace(padded, f" {word} ", "") != padded for word in words))
        asked = select(AUDIT).where(_A.number > last.number - SEARCHED, among)
        rows = self._connection.execute(asked.order_by(_A.number.desc()).limit(limit))
        return [records.entry(row) for row in rows][::-1]

    def last(self) -> Entry | None:
        """Return the newest row, or None."""
        row = self._connection.execute(_LAST).first()
        return records.entry(row) if row else None
