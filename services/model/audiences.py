"""Who belongs to which store: links of persons and channels, and the requests for them that support decides."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Kind(StrEnum):
    """What is linked to a store."""

    PERSON = "person"
    CHANNEL = "channel"
    WORKSPACE = "workspace"


@dataclass(frozen=True, slots=True)
class Link:
    """A person who may see and change a store, a channel in which the commands mean it, or a workspace where it is known at all."""

    kind: Kind
    who: str
    """A person as TEAM/USER, a channel as `services.model.workspaces.placed` writes it, a workspace as its id."""
    store: str
    by: str
    """Who made it, TEAM/USER or ``terminal``."""
    at: datetime


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """A person's wish to be linked to a store; it is decided once, and runs out."""

    id: str
    person: str
    """TEAM/USER."""
    store: str
    """The store as they have named it: its id, or a domain name of it."""
    channel: str
    """Where it was asked."""
    at: datetime
    decided_at: datetime | None = None
    decided_by: str = ""
    """Who has decided it; of a closed one empty: nobody has, in time."""
    approved: bool = False

    def open(self, now: datetime) -> bool:
        """Tell whether it can still be decided."""
        return self.decided_at is None and now < self.at + LASTS


@dataclass(frozen=True, slots=True)
class ChannelLanguage:
    """The language that somebody has chosen for a channel."""

    channel: str
    language: str
    """A code such as ko."""
    by: str
    """TEAM/USER."""
    at: datetime


LASTS = timedelta(days=7)
"""How long a request for a link waits for support."""
