"""A language that everybody can read, in which what is not translated leaps to the eye: ⟦every template in brackets⟧."""

from collections.abc import Iterator, Mapping
from typing import Any

from babel import Locale

from bot.text.catalogue import FOLDER, key
from bot.text.extract import extract
from bot.text.language import Language


class _OneOrMany(dict[int, int]):
    def __missing__(self, count: int) -> int:
        return int(count != 1)


def bracketed(template: str) -> str:
    return f"⟦{template}⟧"


PSEUDO = Language(
    "pseudo",
    "Pseudo",
    Locale("en"),
    {
        key(message.one, message.many): tuple(bracketed(each) for each in (message.one, message.many) if each)
        for message in extract(FOLDER.parents[1]).messages
    },
    _OneOrMany(),
)
"""Of the templates that the catalogues have, and of no others."""


def texts(piece: Any) -> Iterator[str]:
    """Yield every text of blocks."""
    if isinstance(piece, Mapping):
        if isinstance(piece.get("text"), str):
            yield piece["text"]
        for value in piece.values():
            yield from texts(value)
    elif isinstance(piece, list | tuple):
        for value in piece:
            yield from texts(value)
