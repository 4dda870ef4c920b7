"""Port: revocations, which are a queue, and the keys that are barred for ever."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from services.model.revoking import BarredKey, Revocation


class Revocations(Protocol):
    """Revocations, at most one for each revision, and barred keys."""

    def add(self, revocation: Revocation) -> bool:
        """Insert; False, and nothing changed, if there is one of this revision. Safe when two do it at once."""
        ...

    def get(self, revocation: str) -> Revocation | None:
        """Return the revocation with this id, or None."""
        ...

    def of(self, certificate: str) -> Sequence[Revocation]:
        """Return the revocations of the certificate's revisions, newest first."""
        ...

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Revocation]:
        """Claim those with run_after <= now and no unexpired lease, longest due first, as `Certificates.claim`."""
        ...

    def save(self, revocation: Revocation) -> None:
        """Save a claimed one and give its lease back. Raises LeaseLostError, and saves nothing, if its fence is an old one."""
        ...

    def bar(self, key: BarredKey) -> bool:
        """Bar a key for ever; False, and nothing changed, if it is barred already."""
        ...

    def barred(self, spkis: Collection[str]) -> Sequence[BarredKey]:
        """Return those of the keys with these hashes that are barred."""
        ...
