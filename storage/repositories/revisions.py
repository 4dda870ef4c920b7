"""Revisions of certificates: one key and one CSR each."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, case, select

from services.model.certificates import Revision
from storage import records
from storage.records.coding import decode
from storage.repositories.base import Repository, chunks
from storage.repositories.upserts import Excluded, insert, insert_or_update
from storage.schema import REVISIONS

_R = REVISIONS.c
_GET = select(REVISIONS).where(_R.id == bindparam("id"))
_OF = (
    select(REVISIONS)
    .where(_R.certificate == bindparam("certificate"))
    .order_by(_R.created_at.desc(), _R.id.desc())
)
_NAMES_OF_MANY = select(_R.id, _R.names).where(_R.id.in_(bindparam("revisions", expanding=True)))


def _replaced(new: Excluded) -> dict[str, Any]:
    """Take everything over, but for the same CSR keep the key as it lies there.

    The same CSR means the same key: a worker that read the row before a re-wrap must not bring the old sealing back.
    """
    values = {column.key: new[column.key] for column in _R if column.key != "id"}
    return {**values, "sealed_key": case((_R.csr == new.csr, _R.sealed_key), else_=new.sealed_key)}


_PUT = insert_or_update(REVISIONS, "id", _replaced)


class SqlRevisions(Repository):
    """`services.ports.Certificates`, the part about revisions."""

    __slots__ = ()

    def revision(self, revision: str) -> Revision | None:
        """Return the revision with this id, or None."""
        row = self._connection.execute(_GET, {"id": revision}).first()
        return records.revision(row) if row else None

    def covered(self, revisions: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the names of those of these revisions that exist, by revision."""
        rows = (
            row
            for some in chunks(revisions)
            for row in self._connection.execute(_NAMES_OF_MANY, {"revisions": some})
        )
        return {revision: tuple(decode(names)) for revision, names in rows}

    def put_revision(self, revision: Revision) -> None:
        """Insert or replace the revision. A re-wrapped key stays as it is while the CSR is the same."""
        insert(self._connection, _PUT, records.revision_values(revision))

    def revisions(self, certificate: str) -> Sequence[Revision]:
        """Return the certificate's revisions, newest first."""
        rows = self._connection.execute(_OF, {"certificate": certificate})
        return [records.revision(row) for row in rows]
