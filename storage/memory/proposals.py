"""Proposals, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.model.clock import aware
from services.model.proposals import Proposal, Stage
from storage import records
from storage.memory.tables import MemoryRepository
from storage.records.coding import decode, encode


class MemoryProposals(MemoryRepository):
    """`services.ports.Proposals`."""

    __slots__ = ()

    def add(self, proposal: Proposal) -> bool:
        """Insert; False, and nothing changed, if there is one with this id."""
        if self.get(proposal.id) is not None:
            return False
        self._put(records.proposal(records.settled(records.proposal_values(proposal))))
        return True

    def get(self, proposal: str, among: frozenset[str] | None = None) -> Proposal | None:
        """Return the proposal with this id, or None; with ``among`` only if all that it is about are these stores."""
        found = self._tables.proposals.get(proposal)
        return found if found is None or among is None or found.only_about(among) else None

    def decide(self, proposal: str, stage: Stage, by: str, role: str, now: datetime) -> Proposal | None:
        """Close an open proposal, once: return it as decided; None if it is not open, or ``now`` is not before its end."""
        now, stored = aware(now), self.get(proposal)
        if stored is None or not stored.open(now):
            return None
        by = records.storable(by)
        return self._put(replace(stored, stage=stage, decided_by=by, decided_role=role, decided_at=now))

    def settle(self, proposal: str, result: Mapping[str, Any]) -> None:
        """Keep what was done, JSON-ready; in the transaction that has decided."""
        if (stored := self.get(proposal)) is not None:
            self._put(replace(stored, result=decode(encode(dict(result)))))

    def lapsed(self, now: datetime, limit: int) -> Sequence[str]:
        """Return ids of open proposals whose end is not after ``now``, the oldest end first."""
        rows = [row for row in self._tables.proposals.values() if _over(row, aware(now))]
        return [row.id for row in sorted(rows, key=lambda row: (row.expires, row.id))][:limit]

    def expire(self, proposal: str, now: datetime) -> Proposal | None:
        """Close an open proposal whose end is not after ``now``: return it; None if somebody else did, or it is not over."""
        now, stored = aware(now), self.get(proposal)
        if stored is None or not _over(stored, now):
            return None
        return self._put(replace(stored, stage=Stage.EXPIRED, decided_at=now))

    def _put(self, proposal: Proposal) -> Proposal:
        self._view.own("proposals")
        self._tables.proposals[proposal.id] = proposal
        return proposal


def _over(row: Proposal, now: datetime) -> bool:
    return row.stage is Stage.OPEN and row.expires <= now
