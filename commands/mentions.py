"""A person, a channel or a workspace in the words of a command: as Slack writes them, or by id. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.model.audiences import Kind

_WRITTEN = re.compile(r"<([@#])([A-Z0-9]{2,30})(?:\|[^<>]*)?>")
_PERSON = re.compile(r"@?(?:([TE][A-Z0-9]{1,20})/)?([UW][A-Z0-9]{5,20})")
_CHANNEL = re.compile(r"#?((?:T[A-Z0-9]{1,20}/)?[CG][A-Z0-9]{5,20})")
_WORKSPACE = re.compile(r"workspace:(T[A-Z0-9]{1,20})")
_WORD = "workspace"


@dataclass(frozen=True, slots=True)
class Mentioned:
    """A person, a channel or a workspace that somebody named."""

    kind: Kind
    id: str
    """Of the user or the workspace, or a channel as `services.model.workspaces.placed` writes it."""
    team: str = ""
    """Of the person, if it was named."""


def mentioned(word: str) -> Mentioned | None:
    """Return whom ``word`` means; None for anything else.

    ``<@U…|name>``, ``<#C…|name>``, TEAM/USER, TEAM/CHANNEL, ``workspace:TEAM``, or an id alone.
    """
    if found := _WRITTEN.fullmatch(word):
        return Mentioned(Kind.PERSON if found[1] == "@" else Kind.CHANNEL, found[2])
    if found := _PERSON.fullmatch(word):
        return Mentioned(Kind.PERSON, found[2], found[1] or "")
    if found := _CHANNEL.fullmatch(word):
        return Mentioned(Kind.CHANNEL, found[1])
    if found := _WORKSPACE.fullmatch(word):
        return Mentioned(Kind.WORKSPACE, found[1])
    return None


def joined(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words with ``workspace TEAM`` at their beginning as one, which `mentioned` reads."""
    if len(words) > 1 and words[0].casefold() == _WORD:
        one = f"{_WORD}:{words[1].upper()}"
        if mentioned(one) is not None:
            return one, *words[2:]
    return tuple(words)


def meant_as_one(word: str) -> bool:
    """Tell whether ``word`` was meant as a person, a channel or a workspace, whether or not it can be read."""
    return word.startswith(("@", "#", "<@", "<#")) or mentioned(word) is not None
