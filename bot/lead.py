"""One of many workers delivers messages to Slack: order within a channel is kept by one alone, whoever is alive."""

from datetime import datetime, timedelta

from services.model.clock import Clock
from services.ports import Storage

DUTY = "messages"
LASTS = timedelta(seconds=10)
"""How long after its last word a worker that delivers is waited for."""
SECONDS = 3.0
"""How often it says so."""


class Lead:
    """Whether this worker is the one. Safe to use from many threads."""

    def __init__(self, storage: Storage, worker: str, clock: Clock) -> None:
        self._storage, self._worker, self._clock = storage, worker, clock
        self._until: datetime | None = None

    def holds(self) -> bool:
        """Tell whether this worker delivers now, as far as it knows; asks nobody."""
        return self._until is not None and self._clock() < self._until

    def turn(self) -> bool:
        """Go on, or take over from one that is gone; True if it was taken over. To be called every few seconds.

        Whoever takes over does not know what was held back, and why: what has failed is tried again first, so that
        nothing overtakes it.
        """
        now = self._clock()
        held = self.holds()
        leads = self._storage.lead(DUTY, self._worker, now, LASTS)
        if leads and not held:
            with self._storage.write() as tx:
                tx.outbox.revive()
        self._until = now + LASTS if leads else None
        return leads and not held

    def give_up(self) -> None:
        """Let another one deliver at once."""
        if self.holds():
            self._storage.lead(DUTY, self._worker, self._clock(), timedelta())
        self._until = None
