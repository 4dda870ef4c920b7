"""A Slack message as lines of plain text: what a person reads in it, for the demo's transcript. Pure."""

import html
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Block = Mapping[str, Any]

_MARKED = re.compile(r"`(?P<code>[^`]*)`|\*(?=\S)(?P<bold>[^*\n]+)(?<=\S)\*|<!date\^[^|>]*\|(?P<date>[^>]*)>")
_INVISIBLE = "\u200b"  # where certdesk has to part a code span from the word before it


def lines(message: Mapping[str, Any]) -> list[str]:
    """Return what stands in the message, line by line; of a message without blocks its text."""
    drawn = [
        line for block in message.get("blocks") or () for line in _DRAW.get(block.get("type"), _none)(block)
    ]
    return [line for line in drawn or readable(str(message.get("text", ""))).splitlines() if line.strip()]


def buttons(message: Mapping[str, Any]) -> list[Block]:
    """Return the buttons below the message, as Slack brings them back when they are clicked."""
    return [
        {**element, "block_id": block.get("block_id", "")}
        for block in message.get("blocks") or ()
        if block.get("type") == "actions"
        for element in block["elements"]
        if element.get("type") == "button"
    ]


def readable(marked: str) -> str:
    """Return mrkdwn as plain text: no code or bold signs, date tokens as their fallback, entities as characters."""
    return html.unescape(_unmarked(marked)).replace(_INVISIBLE, "")


def _unmarked(marked: str) -> str:
    return _MARKED.sub(_inside, marked)


def _inside(found: re.Match[str]) -> str:
    """Return what the signs stand around; what is bold may hold code."""
    return found["code"] or found["date"] or _unmarked(found["bold"] or "")


def _header(block: Block) -> Iterator[str]:
    yield str(block["text"]["text"])


def _section(block: Block) -> Iterator[str]:
    if "text" in block:
        yield from readable(block["text"]["text"]).splitlines()
    yield from _pairs([readable(field["text"]) for field in block.get("fields", ())])


def _pairs(fields: list[str]) -> Iterator[str]:
    """Yield fields ("label", line break, "value") as a table of two columns."""
    pairs = [field.partition("\n")[::2] for field in fields]
    width = max((len(label) for label, _ in pairs), default=0)
    for label, value in pairs:
        yield f"{label:<{width}}  {value}"


def _context(block: Block) -> Iterator[str]:
    for element in block["elements"]:
        yield from readable(str(element.get("text", ""))).splitlines()


def _none(_block: Block) -> Iterator[str]:
    return iter(())


_DRAW: Mapping[object, Callable[[Block], Iterator[str]]] = {
    "header": _header,
    "section": _section,
    "context": _context,
}
