"""Revocations and barred keys, in memory."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from services.model.clock import aware
from services.model.revoking import BarredKey, Revocation
from storage import records
from storage.memory.tables import MemoryRepository, claim, held


class MemoryRevocations(MemoryRepository):
    """`services.ports.Revocations`."""

    __slots__ = ()

    def add(self, revocation: Revocation) -> bool:
        """Insert; False, and nothing changed, if there is one of this revision."""
        if any(one.revision == revocation.revision for one in self._tables.revocations.values()):
            return False
        self._must_exist(revocation.certificate)
        self._put(records.revocation(records.settled(records.revocation_values(revocation))))
        return True

    def get(self, revocation: str) -> Revocation | None:
        """Return the revocation with this id, or None."""
        return self._tables.revocations.get(revocation)

    def of(self, certificate: str) -> Sequence[Revocation]:
        """Return the revocations of the certificate's revisions, newest first."""
        rows = [one for one in self._tables.revocations.values() if one.certificate == certificate]
        return sorted(rows, key=lambda one: (one.created_at, one.id), reverse=True)

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Revocation]:
        """Claim those that are due and free, longest due first."""
        due = {
            row.id: row.run_after
            for row in self._tables.revocations.values()
            if row.run_after is not None and row.run_after <= aware(now)
        }
        rows = claim(
            [self._tables.revocations[one] for one in due], lambda row: due[row.id], now, lease, limit
        )
        self._put(*rows)
        return rows

    def save(self, revocation: Revocation) -> None:
        """Save a claimed one and give its lease back. Raises LeaseLostError if its fence is an old one."""
        stored = held(self._tables.revocations, revocation)
        changes = records.revocation_changes(revocation)
        values = {**records.revocation_values(stored), **changes, "lease_until": None}
        self._put(records.revocation(records.settled(values)))

    def _put(self, *rows: Revocation) -> None:
        if rows:
            self._view.own("revocations")
            self._tables.revocations.update({row.id: row for row in rows})

    def bar(self, key: BarredKey) -> bool:
        """Bar a key for ever; False if it is barred already."""
        if key.spki in self._tables.barred_keys:
            return False
        self._view.own("barred_keys")
        kept = records.barred_key(records.settled(records.barred_key_values(key)))
        self._tables.barred_keys[key.spki] = kept
        return True

    def barred(self, spkis: Collection[str]) -> Sequence[BarredKey]:
        """Return those of the keys with these hashes that are barred."""
        return [
            self._tables.barred_keys[one] for one in sorted(set(spkis)) if one in self._tables.barred_keys
        ]
