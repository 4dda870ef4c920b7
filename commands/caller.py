"""Who asks, and what follows from it for a store: the table of rights is in `commands.rights`."""

from dataclasses import dataclass
from enum import StrEnum

from commands.rights import RIGHTS, STAFF, Action, Reach, Role, holders, reach

__all__ = ["RIGHTS", "STAFF", "TERMINAL", "Action", "Caller", "Doubt", "Reach", "Role", "holders", "reach"]


class Doubt(StrEnum):
    """What Slack did not tell of a person, so that they may have fewer rights than they should."""

    NONE = ""
    PERSON = "person"
    """Who they are: nothing is known of them, not even their workspace."""
    GROUPS = "groups"
    """Who is in the user groups that give roles: they are who they say, but perhaps more than nobody."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A person, as far as commands need to know."""

    person: str
    """``terminal``, or a Slack person as TEAM/USER: the actor in the history."""
    role: Role
    stores: frozenset[str] | None = frozenset()
    """Stores the person may see and change; None means all of them."""
    doubt: Doubt = Doubt.NONE
    """What could not be looked up; it never gives a right, and is only said."""

    @property
    def limited(self) -> bool:
        """Whether there are stores that are not the caller's, so that what it is told is not for every ear."""
        return self.stores is not None

    def may(self, action: Action) -> bool:
        """Tell whether the caller may do ``action`` at all: for some store, or where it is about none."""
        if self.doubt is Doubt.PERSON and action is not Action.HELP:
            return False
        return reach(self.role, action) is not Reach.NONE

    def may_to(self, action: Action, store: str) -> bool:
        """Tell whether the caller may do ``action`` to the store with this id; asks nobody whether there is such a store."""
        if not self.may(action):
            return False
        if reach(self.role, action) is Reach.OWN:
            return self.stores is not None and store in self.stores
        return self.stores is None or store in self.stores

    def changes(self, store: str) -> bool:
        """Tell whether the caller may get and renew certificates of the store."""
        return self.may_to(Action.CHANGE, store)

    def revokes(self, store: str) -> bool:
        """Tell whether the caller may ask for certificates of the store to be revoked."""
        return self.may_to(Action.REVOKE, store)

    def sees(self, store: str) -> bool:
        """Tell whether the caller may see the store's certificates."""
        return self.may_to(Action.LOOK, store)


TERMINAL = Caller("terminal", Role.ADMIN, None)
"""Whoever can run certdesk on its own machine may do everything."""
