"""Port: proposals that wait for a yes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from services.model.proposals import Proposal, Stage


class Proposals(Protocol):
    """What was proposed, and what became of it."""

    def add(self, proposal: Proposal) -> bool:
        """Insert; False, and nothing changed, if there is one with this id."""
        ...

    def get(self, proposal: str, among: frozenset[str] | None = None) -> Proposal | None:
        """Return the proposal with this id, or None.

        With ``among`` only if it is about stores, and about these alone: of any other one no row is read, so that it
        takes as long as for an id that leads nowhere.
        """
        ...

    def decide(self, proposal: str, stage: Stage, by: str, role: str, now: datetime) -> Proposal | None:
        """Close an open proposal, once: return it as decided; None if it is not open, or ``now`` is not before its end.

        Of two at once one gets it, and the other None.
        """
        ...

    def settle(self, proposal: str, result: Mapping[str, Any]) -> None:
        """Keep what was done, JSON-ready; in the transaction that has decided."""
        ...

    def lapsed(self, now: datetime, limit: int) -> Sequence[str]:
        """Return ids of open proposals whose end is not after ``now``, the oldest end first."""
        ...

    def expire(self, proposal: str, now: datetime) -> Proposal | None:
        """Close an open proposal whose end is not after ``now``: return it; None if somebody else did, or it is not over."""
        ...
