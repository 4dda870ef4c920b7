"""A person or a channel in the words of a command: as Slack writes them, or by id. Pure."""

import re
from dataclasses import dataclass

from services.model.audiences import Kind

_WRITTEN = re.compile(r"<([@#])([A-Z0-9]{2,30})(?:\|[^<>]*)?>")
_PERSON = re.compile(r"@?(?:([TE][A-Z0-9]{1,20})/)?([UW][A-Z0-9]{5,20})")
_CHANNEL = re.compile(r"#?([CG][A-Z0-9]{5,20})")


@dataclass(frozen=True, slots=True)
class Mentioned:
    """A person or a channel that somebody named."""

    kind: Kind
    id: str
    """Of the user or the channel."""
    team: str = ""
    """Of the person, if it was named."""


def mentioned(word: str) -> Mentioned | None:
    """Return whom ``word`` means: ``<@U…|name>``, ``<#C…|name>``, TEAM/USER, or an id alone; None for anything else."""
    if found := _WRITTEN.fullmatch(word):
        return Mentioned(Kind.PERSON if found[1] == "@" else Kind.CHANNEL, found[2])
    if found := _PERSON.fullmatch(word):
        return Mentioned(Kind.PERSON, found[2], found[1] or "")
    if found := _CHANNEL.fullmatch(word):
        return Mentioned(Kind.CHANNEL, found[1])
    return None


def meant_as_one(word: str) -> bool:
    """Tell whether ``word`` was meant as a person or a channel, whether or not it can be read."""
    return word.startswith(("@", "#", "<@", "<#")) or mentioned(word) is not None
