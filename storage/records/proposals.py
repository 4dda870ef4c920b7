"""Proposals: rows to dataclasses and back."""

from collections.abc import Sequence
from typing import Any

from services.model.proposals import Decider, Proposal, Stage
from storage.records.coding import Values, decode, encode, first_store, storable


def proposal_values(proposal: Proposal) -> Values:
    """Return the row of a proposal."""
    return {
        "id": proposal.id,
        "action": proposal.action,
        "what": encode(dict(proposal.what)),
        "person": storable(proposal.person),
        "role": proposal.role,
        "channel": storable(proposal.channel),
        "at": proposal.at,
        "expires": proposal.expires,
        "decider": proposal.decider.value,
        "stage": proposal.stage.value,
        "decided_by": storable(proposal.decided_by),
        "decided_role": proposal.decided_role,
        "decided_at": proposal.decided_at,
        "result": encode(dict(proposal.result)),
        "store": first_store(proposal.what),
    }


def proposal(row: Sequence[Any]) -> Proposal:
    """Return the proposal of a row."""
    (
        id_,
        action,
        what,
        person,
        role,
        channel,
        at,
        expires,
        decider,
        stage,
        by,
        by_role,
        decided_at,
        result,
        _,
    ) = row
    return Proposal(
        id_, action, decode(what), person, role, channel, at, expires, Decider(decider), Stage(stage),
        by, by_role, decided_at, decode(result),
    )  # fmt: skip
