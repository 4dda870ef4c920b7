"""Publications: which revision each name leads to at a target that is asked."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from services.ports import Publication
from storage.publications import PUBLICATIONS, PUBLISHING
from storage.repositories import upserts
from storage.repositories.base import Repository

_P = PUBLICATIONS.c
_TARGET = _P.target == bindparam("target")
_RAISE = {
    name: statement.returning(PUBLISHING.c.version)
    for name, statement in upserts.insert_or_update(
        PUBLISHING, "target", lambda new: {"version": PUBLISHING.c.version + new.version}
    ).items()
}
_PUT = upserts.insert_or_update(PUBLICATIONS, ("target", "name"))
_GET = select(_P.revision).where(_TARGET, _P.name == bindparam("name"))
_SINCE = (
    select(_P.name, _P.revision, _P.version)
    .where(_TARGET, _P.version > bindparam("version"))
    .order_by(_P.version, _P.name)
)
_USED = select(_P.name).where(_TARGET, _P.revision == bindparam("revision")).limit(1)


class SqlPublications(Repository):
    """`services.ports.Publications`."""

    __slots__ = ()

    def put(self, target: str, names: Sequence[str], revision: str | None) -> int:
        """Let these names lead to ``revision`` under one new version, and return that."""
        held = self._raised(target, 0)
        if all(self.get(target, name) == revision for name in names):
            return held
        version = self._raised(target, 1)
        for name in names:
            row = {"target": target, "name": name, "revision": revision, "version": version}
            upserts.insert(self._connection, _PUT, row)
        return version

    def _raised(self, target: str, by: int) -> int:
        """Return the target's version, raised, and held by this transaction from here on."""
        raising = _RAISE[self._connection.dialect.name]
        version: int = self._connection.execute(raising, {"target": target, "version": by}).scalar_one()
        return version

    def get(self, target: str, name: str) -> str | None:
        """Return the revision that exactly ``name`` leads to; None if there is none."""
        return self._connection.execute(_GET, {"target": target, "name": name}).scalar()

    def since(self, target: str, version: int) -> Sequence[Publication]:
        """Return what changed after ``version``, by version and name."""
        rows = self._connection.execute(_SINCE, {"target": target, "version": version})
        return [Publication(name, revision, at) for name, revision, at in rows]

    def used(self, target: str, revision: str) -> bool:
        """Tell whether any name leads to the revision."""
        found = self._connection.execute(_USED, {"target": target, "revision": revision})
        return found.first() is not None
