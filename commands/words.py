"""From the text after /ssl to words: quotes, Slack's links and entities, editors' dashes and invisible characters undone."""

import re
import unicodedata
from collections.abc import Iterable

_DOUBLE = '"\u201c\u201d\u201e\u201f\u00ab\u00bb'  # straight, and what editors and other languages make of it
_SINGLE = "'`\u2018\u2019\u201a\u201b"
_SEPARATORS = r"\s,;\u3001\uff0c\uff1b\u060c"  # also the commas of Chinese, Japanese and Arabic keyboards
_NAME = r"(?:https?://)?[\w-]+(?:\.[\w-]+)+"  # what a comma in front of it parts from an address
_ADDRESS = (
    rf"[A-Za-z][A-Za-z0-9+.-]*://[^{_SEPARATORS}/?#<>]+[/?#](?:[^{_SEPARATORS}<>]|[,;](?!\s|$|{_NAME}))*"
)
"""An address with a path, in which commas may stand."""
_PIECE = re.compile(
    r"(?P<entity>&(?:amp|lt|gt);)"  # its semicolon parts nothing
    rf"|(?P<gap>[{_SEPARATORS}]+)"
    r"|<(?P<link>[^<>]*)>"
    rf"|(?P<address>{_ADDRESS})"
    rf"|[{_DOUBLE}](?P<double>[^{_DOUBLE}]*)[{_DOUBLE}]"
    rf"|(?<![^{_SEPARATORS}=])[{_SINGLE}](?P<single>[^{_SINGLE}]*)[{_SINGLE}]"  # only where a word begins: don't
    rf"|(?P<rest>[^{_SEPARATORS}&<{_DOUBLE}{_SINGLE}]+|.)",
    re.DOTALL,
)
_LISTED = re.compile(rf"(?:{_ADDRESS}|&(?:amp|lt|gt);|[^{_SEPARATORS}])+")
"""A word of a shell's that holds several, taken apart."""
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))  # the three that Slack writes, & last
_DASHES = re.compile(r"[\u2010-\u2015\u2212]+(?=[^\W\d_])")  # an editor's dash before a letter
_JOINERS = "\u200c\u200d"  # they matter in Persian and in Indic names: services/naming.py decides
_MENTIONS = ("@", "#", "!")


def split(text: str) -> tuple[str, ...]:
    """Return the words of a slash command's text, in order. Never raises; a quote without its partner is a character.

    Words are parted by white space, commas, semicolons and line ends. Quotes keep a word together. Of a link that
    Slack made (``<http://shop.test|shop.test>``) the visible text counts; mentions stay as they are written.
    """
    words: list[str] = []
    parts: list[str] = []
    after_link = False
    for piece in _PIECE.finditer(visible(text)):
        link = piece["link"]
        if piece["gap"] is not None or (link is not None and after_link):
            words.append("".join(parts))
            parts.clear()
        if piece["gap"] is None:
            parts.append(_linked(link) if link is not None else _plain(piece))
        after_link = link is not None
    words.append("".join(parts))
    return tuple(_dashed(word) for word in words if word)


def tidy(words: Iterable[str]) -> tuple[str, ...]:
    """Return words that a shell has split already: invisible characters and editors' dashes undone, lists taken apart."""
    return tuple(_dashed(piece) for word in words for piece in _LISTED.findall(visible(word)))


def visible(text: str) -> str:
    """Return ``text`` without the characters that nobody sees or means: control and format characters, lone surrogates."""
    return "".join(char for char in text if char.isspace() or char in _JOINERS or not _unseen(char))


def _unseen(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cf", "Cs"}


def _plain(piece: re.Match[str]) -> str:
    quoted = piece["double"] if piece["double"] is not None else piece["single"]
    return _decoded(quoted if quoted is not None else piece[0])


def _linked(link: str) -> str:
    """Return what a person saw of the link: its label if it is one word, else its address."""
    if link.startswith(_MENTIONS):
        return f"<{_decoded(link)}>"
    address, _, label = link.partition("|")
    seen = label if label and not re.search(rf"[{_SEPARATORS}]", label) else address.removeprefix("mailto:")
    return _decoded(seen)


def _decoded(text: str) -> str:
    for entity, char in _ENTITIES:
        text = text.replace(entity, char)
    return text


def _dashed(word: str) -> str:
    return _DASHES.sub("--", word, count=1) if _DASHES.match(word) else word
