"""Proposals: what somebody wants done that costs or destroys, and who has to say yes to it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from services.model.sight import Sight
from services.model.workspaces import place


class Decider(StrEnum):
    """Who has to say yes."""

    SELF = "self"
    """The person who asked, once more."""
    SECOND = "second"
    """Another person, of the same role or above."""


class Stage(StrEnum):
    """What has become of a proposal; it leaves OPEN once, and then stays."""

    OPEN = "open"
    DONE = "done"
    """Somebody said yes, and it was done in the same transaction."""
    DECLINED = "declined"
    EXPIRED = "expired"


LASTS: Mapping[Decider, timedelta] = {
    Decider.SELF: timedelta(minutes=15),  # who asks sits there; later nobody remembers what was meant
    Decider.SECOND: timedelta(hours=24),  # somebody of the next shift can still see it
}
"""How long a proposal waits for its yes."""

RANKS: Mapping[str, int] = {"merchant": 1, "oncall": 2, "support": 3, "admin": 4}
"""The roles that may decide for others, and which is above which; strangers are not among them. Merchants decide for one
another alone: both must have the right to every store that it is about."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One wish that waits for a yes: a row of its own."""

    id: str
    action: str
    """A key of `commands.proposables.PROPOSABLES`."""
    what: Mapping[str, Any]
    """What exactly is to be done, JSON-ready; ``stores`` lists the ids of the stores that it is about."""
    person: str
    """Who asks: TEAM/USER."""
    role: str
    """Their role when they asked."""
    channel: str
    """Where they asked, as `services.model.workspaces.placed` writes it; without a channel: in a modal or the Home tab."""
    at: datetime
    expires: datetime
    decider: Decider
    stage: Stage = Stage.OPEN
    decided_by: str = ""
    decided_role: str = ""
    decided_at: datetime | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    """What was done, JSON-ready; ``follows`` lists the ids of certificates whose progress is shown from then on."""

    @property
    def stores(self) -> tuple[str, ...]:
        """The stores that it is about."""
        return tuple(self.what.get("stores", ()))

    @property
    def told_in(self) -> tuple[str, ...]:
        """The channels of the stores in which it is shown to others who can decide it, as `placed` writes them."""
        return tuple(self.what.get("told_in", ()))

    @property
    def workspace(self) -> str:
        """The workspace in which it was asked; empty: the support workspace. Rights are judged as they are there."""
        return place(self.channel)[0]

    @property
    def sight(self) -> Sight:
        """The stores that it is about: what is said of it is looked up among these alone."""
        return Sight(frozenset(self.stores))

    def only_about(self, stores: frozenset[str]) -> bool:
        """Tell whether it is about stores, and about these alone."""
        return bool(self.stores) and stores.issuperset(self.stores)

    def open(self, now: datetime) -> bool:
        """Tell whether it can still be decided."""
        return self.stage is Stage.OPEN and now < self.expires


@dataclass(frozen=True, slots=True)
class Party:
    """A person as they stand now, as far as one proposal goes."""

    person: str
    role: str
    may: bool
    """Whether they have the right to what is proposed, for all the stores that it is about."""


class Refusal(StrEnum):
    """Why a yes or a no does not count."""

    UNKNOWN = "unknown"
    """No such proposal, or none that the person may know of: both are answered alike."""
    LATE = "late"
    """It was decided already, or has run out."""
    NOT_ASKER = "not_asker"
    """It waits for the person who asked."""
    SAME_PERSON = "same_person"
    """It waits for somebody else than the person who asked."""
    TOO_LOW = "too_low"
    """The person's role is below that of the person who asked, or decides nothing for others."""
    ASKER_LOST = "asker_lost"
    """Who asked has no right to it any more."""


def refusal(proposal: Proposal, clicker: Party, asker: Party, now: datetime, *, yes: bool) -> Refusal | None:
    """Return why the clicker's ``yes`` or no does not count; None if it does.

    Who asked may always take it back. The role that counts for who asked is the higher one of then and now.
    """
    if not clicker.may:
        return Refusal.UNKNOWN
    if not proposal.open(now):
        return Refusal.LATE
    same = clicker.person == proposal.person
    if proposal.decider is Decider.SELF:
        return None if same else Refusal.NOT_ASKER
    if same:
        return Refusal.SAME_PERSON if yes else None
    needed = max(RANKS.get(proposal.role, 0), RANKS.get(asker.role, 0), 1)
    if RANKS.get(clicker.role, 0) < needed:
        return Refusal.TOO_LOW
    return Refusal.ASKER_LOST if yes and not asker.may else None
