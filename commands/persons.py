"""Persons as sentences show them, to readers who may know which one it was and to those who may not."""

from commands.caller import TERMINAL, Caller
from services import linking
from services.model.audit import ITSELF
from services.model.text import Text, say


def person(who: str) -> Text:
    """Return the person (TEAM/USER, or ``terminal``) as a sentence shows one: in Slack by name."""
    return say("{person}", person=linking.user_of(who))


def shown(who: str, *, hidden: bool) -> Text:
    """Return the person; if it is ``hidden`` which one of the platform's it was, only that it was one of them."""
    return say("support") if hidden else person(who)


def hidden(who: str, caller: Caller) -> bool:
    """Tell whether the caller may not know who it was: which person of the platform did something is told to no merchant."""
    return caller.limited and who not in (ITSELF, caller.person)


def known(who: str, caller: Caller) -> Text:
    """Return the person as the caller may know them; in a terminal with the workspace, which another command may need."""
    if caller.person == TERMINAL.person:
        return say("{person}", person=who)
    return shown(who, hidden=hidden(who, caller))
