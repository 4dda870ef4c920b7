"""Who may do what: one table of action, role, and whose store it is about. Tested cell by cell."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a person is to the platform."""

    ADMIN = "admin"
    SUPPORT = "support"
    ONCALL = "oncall"
    MERCHANT = "merchant"
    NOBODY = "nobody"


STAFF = (Role.ADMIN, Role.SUPPORT, Role.ONCALL)
"""The platform's own people, the mightiest first; never a guest, nor somebody of another organisation."""


class Action(StrEnum):
    """What a command, a click or a sheet does, as far as rights go."""

    HELP = "help"
    ASK_LINK = "ask_link"
    LOOK = "look"
    CHANGE = "change"
    REVOKE = "revoke"
    ROLL_BACK = "roll_back"
    SCAN = "scan"
    ALERTS = "alerts"
    TELL = "tell"
    LINK = "link"
    LANGUAGE = "language"


class Reach(StrEnum):
    """How far a right goes."""

    NONE = "none"
    OWN = "own"
    """For stores that the person is linked to, and for what is about no store."""
    ALL = "all"
    """For every store."""


def _row(admin: Reach, support: Reach, oncall: Reach, merchant: Reach, nobody: Reach) -> Mapping[Role, Reach]:
    return dict(zip(Role, (admin, support, oncall, merchant, nobody), strict=True))


_NO, _OWN, _ALL = Reach
RIGHTS: Mapping[Action, Mapping[Role, Reach]] = {
    #                     admin support on-call merchant nobody
    # what there is; and to ask for a store that is not one's own yet
    Action.HELP: _row(_ALL, _ALL, _ALL, _ALL, _ALL),
    Action.ASK_LINK: _row(_ALL, _ALL, _ALL, _ALL, _ALL),
    # to see where certificates stand, and to get and renew them
    Action.LOOK: _row(_ALL, _ALL, _ALL, _OWN, _NO),
    Action.CHANGE: _row(_ALL, _ALL, _ALL, _OWN, _NO),
    # to have one revoked, which another person of the platform approves in any case: who finds a key in wrong hands
    # at night is on call, and whose key it is has to be able to ask
    Action.REVOKE: _row(_ALL, _ALL, _ALL, _OWN, _NO),
    # to have the one before it put back, which another person approves: it is theirs who serve the pages
    Action.ROLL_BACK: _row(_ALL, _ALL, _ALL, _OWN, _NO),
    # to have the pages of a store looked at, which asks its servers for them
    Action.SCAN: _row(_ALL, _ALL, _ALL, _OWN, _NO),
    # what is wrong across stores
    Action.ALERTS: _row(_ALL, _ALL, _ALL, _NO, _NO),
    # to tell a merchant, in the channels of their store, what they have to do
    Action.TELL: _row(_ALL, _ALL, _ALL, _NO, _NO),
    # who belongs to which store
    Action.LINK: _row(_ALL, _ALL, _NO, _NO, _NO),
    # in which language certdesk speaks in a channel: merchants where it is linked to their store
    Action.LANGUAGE: _row(_ALL, _ALL, _NO, _OWN, _NO),
}
"""Every right there is. What is not here nobody may do."""


def reach(role: Role, action: Action) -> Reach:
    """Return how far the right of ``role`` to ``action`` goes."""
    return RIGHTS[action][role]


def holders(action: Action) -> frozenset[Role]:
    """Return the roles that have a right to ``action``, of whatever reach."""
    return frozenset(role for role, far in RIGHTS[action].items() if far is not Reach.NONE)
