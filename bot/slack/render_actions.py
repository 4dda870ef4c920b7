"""What can be clicked and who is called: Buttons and Mentions as Slack shapes them, within its limits."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.slack.escape import clip, size
from bot.slack.limits import (
    MAX_ACTIONS,
    MAX_BUTTON,
    MAX_BUTTON_VALUE,
    MAX_CONFIRM,
    MAX_CONFIRM_BUTTON,
    MAX_CONFIRM_TITLE,
    MAX_OPTION,
    MAX_OPTION_VALUE,
    MAX_OPTIONS,
    MAX_PLACEHOLDER,
)
from bot.slack.reader import Reader
from commands.reply import Button, Buttons, Menu
from services.model.text import Text, say

Piece = dict[str, Any]

MAX_ACTION = 200
"""Characters of an action's name; Slack takes 255 for the whole id, which `Actions` may lengthen."""
MAX_GROUPS = 10
STYLES = ("primary", "danger")
_GROUP = re.compile(r"S[A-Z0-9]{1,30}")


def mentioned(groups: Sequence[str]) -> str:
    """Return the tokens that notify these user groups; what is no id of one (S…) is left out, so never @here."""
    return " ".join(f"<!subteam^{group}>" for group in groups[:MAX_GROUPS] if _GROUP.fullmatch(group))


class Actions:
    """Draws the buttons of one message. Slack tells its elements apart by their ids: each is given out once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._given: dict[str, int] = {}

    def draw(self, part: Buttons) -> Iterator[Piece]:
        """Yield as few blocks as hold the items; one that Slack would refuse is left out, for it spoils the message."""
        elements = [self._element(item) for item in part.items if _fits(item)]
        for start in range(0, len(elements), MAX_ACTIONS):
            yield {"type": "actions", "elements": elements[start : start + MAX_ACTIONS]}

    def _element(self, item: Button | Menu) -> Piece:
        reader = self._reader
        drawn = _button(item, reader) if isinstance(item, Button) else _menu(item, reader)
        return {**drawn, "action_id": self._action_id(item.action)}

    def _action_id(self, action: str) -> str:
        """Return ``action``, or from the second time on ``action:2`` and so on (`bot.slack.intake` reads it back)."""
        self._given[action] = times = self._given.get(action, 0) + 1
        return action if times == 1 else f"{action}:{times}"


def _fits(item: Button | Menu) -> bool:
    """Tell whether nothing of the item would have to be cut that says what is done: its action and its values."""
    values = [item.value] if isinstance(item, Button) else [value for value, _ in item.options[:MAX_OPTIONS]]
    limit = MAX_BUTTON_VALUE if isinstance(item, Button) else MAX_OPTION_VALUE
    written = values and all(value.strip() and value.isprintable() for value in (item.action, *values))
    return bool(written) and size(item.action) <= MAX_ACTION and max(map(size, values)) <= limit


def _button(item: Button, reader: Reader) -> Piece:
    drawn: Piece = {
        "type": "button",
        "text": _plain(reader.plain(item.label), MAX_BUTTON),
        "value": item.value,
    }
    if item.style in STYLES:
        drawn["style"] = item.style
    if item.confirm is not None:
        drawn["confirm"] = _confirm(item.label, item.confirm, reader)
    return drawn


def _confirm(label: Text, question: Text, reader: Reader) -> Piece:
    return {
        "title": _plain(reader.plain(label), MAX_CONFIRM_TITLE),
        "text": _plain(reader.plain(question), MAX_CONFIRM),
        "confirm": _plain(reader.plain(label), MAX_CONFIRM_BUTTON),
        "deny": _plain(reader.plain(say("Cancel")), MAX_CONFIRM_BUTTON),
    }


def _menu(item: Menu, reader: Reader) -> Piece:
    options = [
        {"text": _plain(reader.plain(label), MAX_OPTION), "value": value}
        for value, label in item.options[:MAX_OPTIONS]
    ]
    placeholder = _plain(reader.plain(item.label), MAX_PLACEHOLDER)
    return {"type": "static_select", "placeholder": placeholder, "options": options}


def _plain(text: str, limit: int) -> Mapping[str, Any]:
    return {"type": "plain_text", "text": clip(text, limit) or "…", "emoji": False}
