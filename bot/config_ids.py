"""Ids of Slack in the configuration: a name in the place of one would be passed over in silence, and mean nobody."""

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from bot.config_values import Strings, words

_ID = re.compile(r"[A-Z][A-Z0-9_]+")
_MERCHANT = re.compile(r"([TE][A-Z0-9_]+/)?[UW][A-Z0-9_]+")
_LOWERED = re.compile(r"(?=.*[0-9_]|.{9})[a-z0-9_/]+")
"""An id whose case the environment took, and no name of a person."""


def _of(letters: str, what: str) -> Callable[[str], str]:
    """Return what refuses a text that is no id which begins with one of ``letters``; any letter, if there are none."""

    def checked(text: str) -> str:
        if text and not (_ID.fullmatch(text) and (not letters or text[0] in letters)):
            raise ValueError(f"the id of {what}, not its name")
        return text

    return checked


def _merchants(people: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the map with ids as Slack writes them; names of the environment lose their case."""
    found = {
        person.upper() if _LOWERED.fullmatch(person) else person: stores for person, stores in people.items()
    }
    for person in found:
        if not _MERCHANT.fullmatch(person):
            raise ValueError(
                f"{person!r} does not do: the id of a person is needed, such as U0123456789, or T0123456789/U0123456789 for"
                " one of another workspace, not a name"
            )
    return found


_channel = _of("", "a Slack channel is needed, such as C0123456789")
_person = _of("UWS", "a person or a user group in Slack is needed, such as U0123456789 or S0123456789")

Channel = Annotated[str, AfterValidator(_channel)]
SomeChannel = Annotated[str, Field(min_length=1), AfterValidator(_channel)]
Group = Annotated[str, AfterValidator(_of("S", "a Slack user group is needed, such as S0123456789"))]
Team = Annotated[str, AfterValidator(_of("TE", "a Slack workspace is needed, such as T0123456789"))]
App = Annotated[str, AfterValidator(_of("A", "a Slack app is needed, such as A0123456789"))]
Channels = Annotated[tuple[SomeChannel, ...], BeforeValidator(words)]
People = Annotated[
    tuple[Annotated[str, Field(min_length=1), AfterValidator(_person)], ...], BeforeValidator(words)
]
Merchants = Annotated[dict[str, Strings], AfterValidator(_merchants)]
