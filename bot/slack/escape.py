"""From sentences to Slack's mrkdwn, so that no value from outside can become a mention, a link, an emoji or formatting.

Slack has no escape for ``* _ ~ ` :emoji:``. A value that holds any of them is therefore shown in a code span, where
nothing is formatted; & < > become entities everywhere. What our own templates say is left as written, & < > apart.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from string import Formatter

from bot.text.language import ENGLISH, Language
from services.model.clock import aware
from services.model.text import Item, Text, Value, plain_value, say

MAX_VALUE = 350
"""Characters of one value from outside; five times that, should all be ``&``, still fits a field."""
MAX_LISTED = 12
"""Names of one list that are shown before "and N more"."""

FENCE = "```"
"""Stands before and after preformatted lines, on a line of its own."""
PERSON = "person"
"""The gap whose value is the id of a person (U…, W…) who is known to us; every other gap may hold anything."""

ROOM = "room"
"""The gap whose value is the id of a channel (C…, G…) of the workspace in which it is read; one of another stays an id."""

_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,30}")
_USER = re.compile(r"[UW][A-Z0-9]{5,20}")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_ANGLES = str.maketrans({"<": "\u2039", ">": "\u203a"})  # single angle quotation marks
_TICK = "\u02cb"  # looks like a backtick and ends no code span
_BREAK = "\u200b"  # zero-width space: Slack begins a code span only after a blank
_BIDI = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Marks that turn the direction of whatever follows them."""
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_FORMATS = re.compile(r"[*_~`]|:[^\s:]+:|://|\bwww\.|(?<!\S)[@#]|^[>\uff1e]")
"""What Slack would format, make an emoji or a link of, or take for a mention or a quotation."""
_NAME = re.compile(r"\S*[^\s.:/][.:/][^\s.:/]\S*|/[a-z].*|[0-9a-f]{12,}")
"""What reads better in a code span: names, addresses, paths, serial numbers, and whole commands."""
_ATOM = re.compile(r"`[^`]*`|<[^>]*>|&[a-z]+;|.", re.DOTALL)


def size(text: str) -> int:
    """Return the length of ``text`` in UTF-16 units: never less than Slack counts, however it counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def mrkdwn(text: Text, language: Language = ENGLISH) -> str:
    """Return the sentence as mrkdwn, in the language. Moments become date tokens that each reader sees in their own time zone."""
    return _join(_pieces(text, language))


def names_somebody(text: Text) -> bool:
    """Tell whether the sentence shows a person or a channel by name."""
    return any(
        names_somebody(value) if isinstance(value, Text) else bool(_by_name(gap, value))
        for gap, value in text.values
    )


def _by_name(gap: str, value: Value) -> str:
    """Return what Slack shows by name for an id; empty for anything else. Such gaps are filled by us alone."""
    if not isinstance(value, str):
        return ""
    if gap == PERSON and _USER.fullmatch(value):
        return f"<@{value}>"
    return f"<#{value}>" if gap == ROOM and _CHANNEL.fullmatch(value) else ""


def value_mrkdwn(value: Value, language: Language = ENGLISH) -> str:
    """Return one value as mrkdwn."""
    return _join(_shown(value, "", language))


def plain(text: Text, language: Language = ENGLISH) -> str:
    """Return the sentence for a plain_text object: one line, angle brackets as quotation marks, moments in UTC."""
    return one_line(language.plain(text)).translate(_ANGLES)


def code(value: str) -> str:
    """Return ``value`` in a code span, cut to MAX_VALUE characters; empty stays empty."""
    bare = clip(one_line(value), MAX_VALUE)
    return f"`{entities(bare.replace('`', _TICK))}`" if bare else ""


def preformatted(line: str) -> str:
    """Return one line for a block between ``` fences: its blanks are kept, the rest of `one_line` holds."""
    kept = "".join(character if character.isprintable() else " " for character in _well_formed(line))
    return entities(kept.replace("`", _TICK))


def entities(text: str) -> str:
    """Return ``text`` with Slack's three control characters as entities."""
    return text.translate(_ENTITIES)


def one_line(value: str) -> str:
    """Return ``value`` without control characters, marks of direction and runs of blanks; at most one line."""
    return _BLANKS.sub(" ", _well_formed(value)).strip()


def clip(text: str, limit: int) -> str:
    """Return ``text``, or its beginning and an ellipsis, in at most ``limit`` UTF-16 units; for text without mark-up."""
    if size(text) <= limit:
        return text
    return _take(iter(text), limit - 1).rstrip() + "…"


def fit(marked: str, limit: int) -> str:
    """Return mrkdwn, or its beginning and an ellipsis, in at most ``limit`` units, no span, token or entity cut."""
    if size(marked) <= limit:
        return marked
    return _take((found.group() for found in _ATOM.finditer(marked)), limit - 1).rstrip() + "…"


def _take(atoms: Iterator[str], limit: int) -> str:
    taken, room = [], limit
    for atom in atoms:
        room -= size(atom)
        if room < 0:
            break
        taken.append(atom)
    return "".join(taken)


def _well_formed(value: str) -> str:
    return value.encode("utf-8", "replace").decode("utf-8").translate(_BIDI)


def _pieces(text: Text, language: Language) -> Iterator[str]:
    values = dict(text.values)
    for literal, gap, spec, _ in Formatter().parse(language.template(text)):
        yield entities(literal)
        if gap is not None:
            named = _by_name(gap, values[gap])
            yield from (named,) if named else _shown(values[gap], spec or "", language)


def _shown(value: Value, spec: str, language: Language) -> Iterator[str]:
    if isinstance(value, Text):
        yield from _pieces(value, language)
    elif isinstance(value, datetime):
        yield _date(value)
    elif isinstance(value, tuple):
        yield from _listed(value, language)
    elif isinstance(value, int):
        yield language.number(value, spec)
    else:
        yield _outside(value)


def _outside(value: str) -> str:
    bare = one_line(value)
    return code(bare) if _FORMATS.search(bare) or _NAME.fullmatch(bare) else entities(clip(bare, MAX_VALUE))


def _date(moment: datetime) -> str:
    return f"<!date^{int(aware(moment).timestamp())}^{{date_short_pretty}} {{time}}|{plain_value(moment)}>"


def _listed(items: tuple[Item, ...], language: Language) -> Iterator[str]:
    if not items:
        yield entities(language.none())
    for place, item in enumerate(items[:MAX_LISTED]):
        if place:
            yield entities(language.between())
        yield from _pieces(item, language) if isinstance(item, Text) else (code(item),)
    if len(items) > MAX_LISTED:
        yield from _pieces(say(" and {count} more", count=len(items) - MAX_LISTED), language)


def _join(pieces: Iterator[str]) -> str:
    """Join so that a code span follows a blank or a bracket and is followed by no word, if need be by _BREAK."""
    whole = ""
    for piece in pieces:
        opens, closed = piece.startswith("`"), whole.endswith("`")
        if (opens and whole and whole[-1] not in " \n(") or (closed and piece[:1].isalnum()):
            whole += _BREAK
        whole += piece
    return whole
