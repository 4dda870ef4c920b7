"""Names whose pages are scanned, in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.model.clock import aware
from services.model.scans import Site
from storage import records
from storage.memory.tables import MemoryRepository, claim, claimed, held


class MemoryScans(MemoryRepository):
    """`services.ports.scanning.Scans`."""

    __slots__ = ()

    def get(self, name: str) -> Site | None:
        """Return the row of this name, or None."""
        return self._tables.scans.get(name)

    def ask(self, name: str, store: str, paths: tuple[str, ...], now: datetime) -> Site:
        """Have the name scanned now, and return its row; one of the same ``paths`` that is due or under way is joined."""
        now, stored = aware(now), self.get(name)
        if stored is not None and stored.store == store and stored.joined(paths, now):
            return stored
        return self._put(records.wished(stored, Site.asked(name, store, paths, now)))

    def plan(self, name: str, store: str, due_at: datetime) -> bool:
        """Insert a row that is due at ``due_at``; False, and nothing changed, if the name has one for this store."""
        stored = self.get(name)
        if stored is not None and stored.store == store:
            return False
        self._put(records.wished(stored, Site(name, store, due_at, due_at)))
        return True

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Site]:
        """Claim rows that are due and free, longest due first."""
        due = {
            row.id: row.run_after
            for row in self._tables.scans.values()
            if row.run_after is not None and row.run_after <= aware(now)
        }
        rows = claim([self._tables.scans[one] for one in due], lambda row: due[row.id], now, lease, limit)
        return [self._put(row) for row in rows]

    def seize(self, name: str, now: datetime, lease: timedelta) -> Site | None:
        """Claim this row, whoever holds it; None without such a row."""
        stored = self.get(name)
        return None if stored is None else self._put(claimed(stored, aware(now) + lease))

    def alive(self, site: Site, until: datetime) -> None:
        """Save how far a claimed scan is, and hold it until then. Raises LeaseLostError if its fence is an old one."""
        stored = held(self._tables.scans, site)
        self._put(replace(stored, pages=site.pages, seen=site.seen, lease_until=aware(until)))

    def save(self, site: Site) -> None:
        """Save a claimed row's result and next scan; what was asked for since stays due. Raises LeaseLostError as above."""
        stored = held(self._tables.scans, site)
        later = stored.asked_at > site.asked_at
        kept = replace(
            site,
            store=stored.store,
            run_after=stored.run_after if later else site.run_after,
            asked_at=stored.asked_at,
            paths=stored.paths if later else site.paths,
            lease_until=None,
        )
        self._put(kept)

    def _put(self, site: Site) -> Site:
        kept = records.site(records.settled(records.site_values(site)))
        self._view.own("scans")
        self._tables.scans[kept.id] = kept
        return kept
