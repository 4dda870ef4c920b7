"""A language that everybody can read, in which what is not translated leaps to the eye: ⟦every template in brackets⟧."""

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
