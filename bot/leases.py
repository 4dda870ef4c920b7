"""Keeps the leases of rows that are being worked on, so that a long step is not begun a second time elsewhere."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from services.model.certificates import Certificate
from services.model.clock import Clock
from services.ports import Storage

LONGEST = timedelta(minutes=30)
"""How long one run may hold its row; a thread that hangs for longer loses it to another worker."""


class Leases:
    """The rows that this process works on. `extend` is called often; everything may be called from any thread."""

    def __init__(self, storage: Storage, clock: Clock, lease: timedelta) -> None:
        self._storage, self._clock, self._lease = storage, clock, lease
        self._held: dict[str, tuple[int, datetime]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def kept(self, certificate: Certificate) -> Iterator[None]:
        """Keep the lease of a claimed row until the block ends."""
        with self._lock:
            self._held[certificate.id] = (certificate.fence, self._clock())
        try:
            yield
        finally:
            with self._lock:
                self._held.pop(certificate.id, None)

    def extend(self) -> None:
        """Lengthen every lease that is kept; a row that was given back, or lost, stays as it is."""
        now = self._clock()
        with self._lock:
            held = [(row, fence) for row, (fence, since) in self._held.items() if now - since < LONGEST]
        for row, fence in held:
            with self._storage.write() as tx:
                tx.certificates.extend(row, fence, now + self._lease)
