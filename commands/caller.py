"""Who asks, and what they may do: one table of role and action."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person is to the platform."""

    ADMIN = "admin"
    SUPPORT = "support"
    ONCALL = "oncall"
    MERCHANT = "merchant"
    NOBODY = "nobody"


class Action(StrEnum):
    """What a command does, as far as rights go."""

    HELP = "help"
    LOOK = "look"
    CHANGE = "change"
    ALERTS = "alerts"
    ASK_LINK = "ask_link"
    LINK = "link"


RIGHTS: Mapping[Role, frozenset[Action]] = {
    Role.ADMIN: frozenset(Action),
    Role.SUPPORT: frozenset(Action),
    Role.ONCALL: frozenset(Action) - {Action.LINK},
    # but only for what `Caller.stores` holds; alerts are of all stores
    Role.MERCHANT: frozenset({Action.HELP, Action.LOOK, Action.CHANGE, Action.ASK_LINK}),
    Role.NOBODY: frozenset({Action.HELP, Action.ASK_LINK}),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A person, as far as commands need to know."""

    person: str
    """``terminal``, or a Slack person as TEAM/USER: the actor in the history."""
    role: Role
    stores: frozenset[str] | None = frozenset()
    """Stores the person may see and change; None means all of them."""

    @property
    def limited(self) -> bool:
        """Whether there are stores that are not the caller's, so that what it is told is not for every ear."""
        return self.stores is not None

    def may(self, action: Action) -> bool:
        """Tell whether the role allows ``action`` at all."""
        return action in RIGHTS[self.role]

    def sees(self, store: str) -> bool:
        """Tell whether the store is the caller's."""
        return self.stores is None or store in self.stores


TERMINAL = Caller("terminal", Role.ADMIN, None)
"""Whoever can run certdesk on its own machine may do everything."""
