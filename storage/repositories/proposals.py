"""Proposals that wait for a yes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from services.model.proposals import Proposal, Stage
from storage import records
from storage.proposals import PROPOSALS
from storage.records.coding import encode
from storage.repositories.base import Repository, one_among, places
from storage.repositories.queue import NOW
from storage.repositories.upserts import insert, insert_or_keep

_P = PROPOSALS.c
_ID = bindparam("the_id", type_=_P.id.type)
_ADD = insert_or_keep(PROPOSALS, "id")
_GET = select(PROPOSALS).where(_P.id == _ID)
_GET_AMONG = one_among(PROPOSALS, PROPOSALS.c.id)
_OPEN = _P.stage == Stage.OPEN.value
_DECIDE = (
    update(PROPOSALS)
    .where(_P.id == _ID, _OPEN, _P.expires > NOW)
    .values(
        stage=bindparam("the_stage", type_=_P.stage.type),
        decided_by=bindparam("the_person", type_=_P.decided_by.type),
        decided_role=bindparam("the_role", type_=_P.decided_role.type),
        decided_at=NOW,
    )
    .returning(PROPOSALS)
)
_SETTLE = update(PROPOSALS).where(_P.id == _ID).values(result=bindparam("the_result", type_=_P.result.type))
_LAPSED = (
    select(_P.id).where(_OPEN, _P.expires <= NOW).order_by(_P.expires, _P.id).limit(bindparam("the_limit"))
)
_EXPIRE = (
    update(PROPOSALS)
    .where(_P.id == _ID, _OPEN, _P.expires <= NOW)
    .values(stage=Stage.EXPIRED.value, decided_at=NOW)
    .returning(PROPOSALS)
)


class SqlProposals(Repository):
    """`services.ports.Proposals`."""

    __slots__ = ()

    def add(self, proposal: Proposal) -> bool:
        """Insert; False, and nothing changed, if there is one with this id."""
        return insert(self._connection, _ADD, records.proposal_values(proposal)).rowcount == 1

    def get(self, proposal: str, among: frozenset[str] | None = None) -> Proposal | None:
        """Return the proposal with this id, or None; with ``among`` only if all that it is about are these stores."""
        if among is None:
            row = self._connection.execute(_GET, {"the_id": proposal}).first()
            return records.proposal(row) if row else None
        row = self._connection.execute(_GET_AMONG, places(proposal, among)).one()
        found = records.proposal(row) if row.id is not None else None
        return found if found is not None and found.only_about(among) else None

    def decide(self, proposal: str, stage: Stage, by: str, role: str, now: datetime) -> Proposal | None:
        """Close an open proposal, once: return it as decided; None if it is not open, or ``now`` is not before its end."""
        values = {
            "the_id": proposal,
            "the_stage": stage.value,
            "the_person": records.storable(by),
            "the_role": role,
            "the_time": now,
        }
        row = self._connection.execute(_DECIDE, values).first()
        return records.proposal(row) if row else None

    def settle(self, proposal: str, result: Mapping[str, Any]) -> None:
        """Keep what was done, JSON-ready; in the transaction that has decided."""
        self._connection.execute(_SETTLE, {"the_id": proposal, "the_result": encode(dict(result))})

    def lapsed(self, now: datetime, limit: int) -> Sequence[str]:
        """Return ids of open proposals whose end is not after ``now``, the oldest end first."""
        return list(self._connection.execute(_LAPSED, {"the_time": now, "the_limit": limit}).scalars())

    def expire(self, proposal: str, now: datetime) -> Proposal | None:
        """Close an open proposal whose end is not after ``now``: return it; None if somebody else did, or it is not over."""
        row = self._connection.execute(_EXPIRE, {"the_id": proposal, "the_time": now}).first()
        return records.proposal(row) if row else None
