"""The history of certificates: rows that are only ever added."""

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, select

from services.model.certificates import Happening
from storage import records
from storage.repositories.base import Repository
from storage.schema import EVENTS

_E = EVENTS.c
_RECORD = insert(EVENTS).inline()  # inline: nobody asks for the new row's number
_NEWEST = (
    select(*(column for column in _E if column.key != "id"))
    .where(_E.certificate == bindparam("certificate"))
    .order_by(_E.id.desc())
    .limit(bindparam("limit"))
)


class SqlHistory(Repository):
    """`services.ports.Certificates`, the part about history."""

    __slots__ = ()

    def record(self, happening: Happening) -> None:
        """Append one row of history."""
        self._connection.execute(_RECORD, records.happening_values(happening))

    def history(self, certificate: str, limit: int = 200) -> Sequence[Happening]:
        """Return the newest ``limit`` rows of the certificate's history, oldest first."""
        rows = self._connection.execute(_NEWEST, {"certificate": certificate, "limit": limit}).all()
        return [records.happening(row) for row in reversed(rows)]
