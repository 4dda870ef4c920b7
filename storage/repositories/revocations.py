"""Revocations: a queue; and the keys that are barred for ever."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update

from services.model.revoking import BarredKey, Revocation
from storage import records
from storage.repositories.base import Repository, chunks
from storage.repositories.queue import NOW, Queue, held, must_hold
from storage.repositories.upserts import insert, insert_or_keep
from storage.revocations import BARRED_KEYS, REVOCATIONS

_R, _K = REVOCATIONS.c, BARRED_KEYS.c
_ADD = insert_or_keep(REVOCATIONS, "revision")
_GET = select(REVOCATIONS).where(_R.id == bindparam("the_id", type_=_R.id.type))
_OF = (
    select(REVOCATIONS)
    .where(_R.certificate == bindparam("the_certificate", type_=_R.certificate.type))
    .order_by(_R.created_at.desc(), _R.id.desc())
)
_QUEUE = Queue.over(REVOCATIONS, _R.run_after <= NOW, "run_after")
_SAVE = update(REVOCATIONS).where(held(REVOCATIONS)).values(lease_until=None)
_BAR = insert_or_keep(BARRED_KEYS, "spki")
_BARRED = select(BARRED_KEYS).where(_K.spki.in_(bindparam("spkis", expanding=True)))


class SqlRevocations(Repository):
    """`services.ports.Revocations`."""

    __slots__ = ()

    def add(self, revocation: Revocation) -> bool:
        """Insert; False, and nothing changed, if there is one of this revision."""
        return insert(self._connection, _ADD, records.revocation_values(revocation)).rowcount == 1

    def get(self, revocation: str) -> Revocation | None:
        """Return the revocation with this id, or None."""
        row = self._connection.execute(_GET, {"the_id": revocation}).first()
        return records.revocation(row) if row else None

    def of(self, certificate: str) -> Sequence[Revocation]:
        """Return the revocations of the certificate's revisions, newest first."""
        rows = self._connection.execute(_OF, {"the_certificate": certificate})
        return [records.revocation(row) for row in rows]

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Revocation]:
        """Claim those that are due and free, longest due first."""
        return [records.revocation(row) for row in _QUEUE.claim(self._connection, now, lease, limit)]

    def save(self, revocation: Revocation) -> None:
        """Save a claimed one and give its lease back. Raises LeaseLostError if its fence is an old one."""
        must_hold(self._connection, _SAVE, revocation, records.revocation_changes(revocation))

    def bar(self, key: BarredKey) -> bool:
        """Bar a key for ever; False if it is barred already."""
        return insert(self._connection, _BAR, records.barred_key_values(key)).rowcount == 1

    def barred(self, spkis: Collection[str]) -> Sequence[BarredKey]:
        """Return those of the keys with these hashes that are barred."""
        return [
            records.barred_key(row)
            for some in chunks(sorted(set(spkis)))
            for row in self._connection.execute(_BARRED, {"spkis": some})
        ]
