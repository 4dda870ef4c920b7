"""Who asks, and what follows from it for a store: the table of rights is in `commands.rights`."""

from dataclasses import dataclass
from enum import StrEnum

from commands.rights import RIGHTS, STAFF, Action, Reach, Role, holders, reach
from services.model.sight import NONE, Sight

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

    def sight(self, action: Action) -> Sight:
        """Return to which stores the caller may do ``action``."""
        if not self.may(action):
            return NONE
        if self.stores is None and reach(self.role, action) is Reach.OWN:
            return NONE
        return Sight(self.stores)

    def may_to(self, action: Action, store: str) -> bool:
        """Tell whether the caller may do ``action`` to the store with this id; asks nobody whether there is such a store."""
        return self.sight(action)(store)

    @property
    def changes(self) -> Sight:
        """The stores whose certificates the caller may get and renew."""
        return self.sight(Action.CHANGE)

    @property
    def revokes(self) -> Sight:
        """The stores whose certificates the caller may ask to be revoked."""
        return self.sight(Action.REVOKE)

    @property
    def rolls_back(self) -> Sight:
        """The stores whose certificates the caller may ask to be rolled back."""
        return self.sight(Action.ROLL_BACK)

    @property
    def scans(self) -> Sight:
        """The stores whose pages the caller may have looked at."""
        return self.sight(Action.SCAN)

    @property
    def sees(self) -> Sight:
        """The stores whose certificates the caller may see."""
        return self.sight(Action.LOOK)


TERMINAL = Caller("terminal", Role.ADMIN, None)
"""Whoever can run certdesk on its own machine may do everything."""
