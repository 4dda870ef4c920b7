"""Port: recalls, which are what CAs want replaced at once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from services.model.recalls import Recall


class Recalls(Protocol):
    """Recalls, at most one for each revision."""

    def note(self, recall: Recall) -> bool:
        """Insert; False, and nothing changed, if there is one of this revision. Safe when two do it at once."""
        ...

    def get(self, revision: str) -> Recall | None:
        """Return the recall of the revision with this id, or None."""
        ...

    def last(self, certificate: str) -> Recall | None:
        """Return the newest recall of the certificate's revisions, or None."""
        ...

    def single(self, ca: str, since: datetime, limit: int) -> Sequence[str]:
        """Return ids of different certificates that the CA has recalled ``since`` and that are in no plan, ``limit`` at the most."""
        ...

    def plan(self, ca: str) -> str:
        """Return the id of the plan that has the CA's newest recall that is in one; empty if none is."""
        ...

    def take(self, ca: str, job: str, limit: int) -> Sequence[Recall]:
        """Put up to ``limit`` of the CA's recalls that are in no plan into this one, oldest first; return them as they are then."""
        ...

    def ask_all(self, ca: str, now: datetime, gap: timedelta) -> int:
        """Have the CA asked anew about every installed certificate of its, one each ``gap`` from ``now`` on; return how many.

        Left out are those that a worker holds just now, and those that are asked about by then anyway. Twice is harmless.
        """
        ...
