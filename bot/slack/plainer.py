"""For workspaces that show some of Slack's mark-up as it is written, such as the demo's: the same in simpler mark-up."""

import re
from typing import Any

from bot.slack.escape import FENCE

_DATE_TOKEN = re.compile(r"<!date\^[^|>]*\|([^>]*)>")  # only our own: "<" from outside has become an entity
_FENCED = re.compile(rf"{FENCE}\n(.*)\n{FENCE}", re.DOTALL)
"""A text has one pair, and between its fences no tick from outside."""
_ENDS_IN_LINK = re.compile(r"`([^`\n]*\shttps?://[^`\s]+)`")
"""A span whose last word is an address: such a workspace takes the closing tick for a part of the link."""


def plainer(piece: Any) -> Any:
    """Return a text or a piece of blocks without date tokens and fences: moments in UTC, each preformatted line in a span."""
    if isinstance(piece, dict):
        return {key: plainer(value) for key, value in piece.items()}
    if isinstance(piece, list | tuple):
        return type(piece)(plainer(item) for item in piece)
    return _plainer(piece) if isinstance(piece, str) else piece


def _plainer(text: str) -> str:
    dated = _DATE_TOKEN.sub(r"\1", text)
    return _ENDS_IN_LINK.sub(r"\1", _FENCED.sub(lambda found: _spans(found[1]), dated))


def _spans(lines: str) -> str:
    return "\n".join(f"`{line}`" if line else "" for line in lines.split("\n"))
