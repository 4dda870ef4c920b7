"""The audit trail: a chain of rows that are only ever added."""

from collections.abc import Sequence

from sqlalchemy import Select, bindparam, func, insert, select, union

from services.model.audit import Entry, chained, words_of
from storage import records
from storage.audiences import AUDIT, AUDIT_WORDS
from storage.repositories.base import Repository

_A, _W = AUDIT.c, AUDIT_WORDS.c
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
        sought = sorted(set(words))
        if not sought:
            return []
        numbers = union(*(_newest(word, limit) for word in sought)).subquery()
        asked = select(AUDIT).join(numbers, numbers.c.number == _A.number)
        rows = self._connection.execute(asked.order_by(numbers.c.number.desc()).limit(limit))
        found = [records.entry(row) for row in rows][::-1]
        # a row that somebody has written anew by hand keeps the words of the former one
        return [row for row in found if not words_of(row.subject).isdisjoint(sought)]

    def last(self) -> Entry | None:
        """Return the newest row, or None."""
        row = self._connection.execute(_LAST).first()
        return records.entry(row) if row else None


def _newest(word: str, limit: int) -> Select[tuple[int]]:
    """Return the question for the numbers of the newest ``limit`` rows of a word: they stand side by side in the index."""
    numbers = select(_W.number).where(_W.word == word).order_by(_W.number.desc()).limit(limit).subquery()
    return select(numbers.c.number)
