"""Publications, in memory."""

from collections.abc import Sequence

from services.ports import Publication
from storage.memory.tables import MemoryRepository


class MemoryPublications(MemoryRepository):
    """`services.ports.Publications`."""

    __slots__ = ()

    def put(self, target: str, names: Sequence[str], revision: str | None) -> int:
        """Let these names lead to ``revision`` under one new version, and return that."""
        here = [row.version for (at, _), row in self._tables.publications.items() if at == target]
        present = max(here, default=0)
        self._view.own("publications")
        if all(self.get(target, name) == revision for name in names):
            return present
        self._tables.publications.update(
            {(target, name): Publication(name, revision, present + 1) for name in names}
        )
        return present + 1

    def get(self, target: str, name: str) -> str | None:
        """Return the revision that exactly ``name`` leads to; None if there is none."""
        found = self._tables.publications.get((target, name))
        return found.revision if found else None

    def since(self, target: str, version: int) -> Sequence[Publication]:
        """Return what changed after ``version``, by version and name."""
        rows = [row for (at, _), row in self._tables.publications.items() if at == target]
        return sorted((row for row in rows if row.version > version), key=lambda row: (row.version, row.name))

    def used(self, target: str, revision: str) -> bool:
        """Tell whether any name leads to the revision."""
        return any(
            at == target and row.revision == revision for (at, _), row in self._tables.publications.items()
        )
