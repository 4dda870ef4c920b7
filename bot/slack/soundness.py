"""The last look before something leaves for Slack: what breaks a limit is trimmed, never lost, and never tried for ever.

Slack refuses a whole message for one block too long (`bot.slack.limits`). The drawing keeps the limits, and tests hold it
to that; should it fail all the same, people see what is sound of it and an id to quote, and engineers a log and a metric.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from bot.slack.escape import clip
from bot.slack.limits import (
    MAX_FALLBACK,
    MAX_MEMORY,
    MAX_VIEW_WORD,
    Piece,
    view_violations,
    violations,
)
from bot.slack.reader import Reader
from bot.slack.render import Rendered
from services.model.identity import new_id
from services.model.text import Text, say

_log = structlog.get_logger(__name__)
MESSAGE, MODAL, HOME, UNFURL = "message", "modal", "home", "unfurl"
"""What is looked at: labels of the metric."""
MOST_LOGGED = 10
"""Broken limits of one message that are logged."""
NAME = "certdesk"
"""What stands where a text would be empty."""


Rules = Callable[[str, Sequence[Piece]], list[str]]
ViewRules = Callable[[Piece], list[str]]


class Soundness:
    """Looks at what leaves. Safe to use from many threads; one for a process, so that its counts are those of all of it."""

    def __init__(self, rules: Rules = violations, view_rules: ViewRules = view_violations) -> None:
        """``rules`` and ``view_rules`` say which limits a message or a view breaks, a line for each."""
        self._rules, self._view_rules = rules, view_rules
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def counts(self) -> Mapping[str, int]:
        """Return how often something of each kind was not sound, since the process began."""
        with self._lock:
            return {kind: self._counts[kind] for kind in (MESSAGE, MODAL, HOME, UNFURL)}

    def message(self, rendered: Rendered, row: str, reader: Reader, kind: str = MESSAGE) -> Rendered:
        """Return the message as it is if it is sound, else what is sound of it, or its text alone; ``row`` is for the log."""
        broken = self._rules(rendered.text, rendered.blocks)
        if not broken:
            return rendered
        note = reader.mrkdwn(_note(self.fault(kind, row, broken)))
        text = rendered.text.strip() or NAME
        spoken = f"{clip(text, MAX_FALLBACK - len(note) - 1)}\n{note}"
        last = {"type": "context", "elements": [{"type": "mrkdwn", "text": note, "verbatim": True}]}
        kept: list[Any] = []
        for block in rendered.blocks:
            if not self._rules(spoken, [*kept, block, last]):
                kept.append(block)
        return Rendered(spoken, (*kept, last) if kept else ())

    def view(self, view: dict[str, Any], row: str, reader: Reader) -> dict[str, Any]:
        """Return the modal or Home tab as it is if it is sound, else what is sound of it."""
        broken = self._view_rules(view)
        if not broken:
            return view
        note = _noted(reader, self.fault(str(view["type"]), row, broken))
        mended = _mended(view)
        kept: list[Piece] = []
        for block in view["blocks"]:
            if not self._view_rules({**mended, "blocks": [*kept, block, note]}):
                kept.append(block)
        return {**mended, "blocks": [*kept, note]}

    def bare(self, view: dict[str, Any], row: str, reader: Reader, code: str) -> dict[str, Any]:
        """Return what is shown in place of a view that Slack has refused with ``code``: that it cannot be shown, and an id."""
        note = _noted(reader, self.fault(str(view["type"]), row, [code]))
        return {**{key: value for key, value in view.items() if key != "submit"}, "blocks": [note]}

    def fault(self, kind: str, row: str, lines: Sequence[str]) -> str:
        """Log and count that something was not sound; return the id under which it stands in the log."""
        error_id = new_id("err")
        with self._lock:
            self._counts[kind] += 1
        _log.error("slack.unsound", kind=kind, row=row, error_id=error_id, broken=list(lines[:MOST_LOGGED]))
        return error_id


def without_files(view: dict[str, Any]) -> dict[str, Any] | None:
    """Return the view without fields for files, for apps that have no scope for them; None if there is none in it."""
    kept = [one for one in view["blocks"] if one.get("element", {}).get("type") != "file_input"]
    return None if len(kept) == len(view["blocks"]) else {**view, "blocks": kept}


def _note(error_id: str) -> Text:
    return say(
        "A part of this could not be shown, and the fault is certdesk's own. If you miss something, tell the platform's"
        " engineers this id: {id}",
        id=error_id,
    )


def _noted(reader: Reader, error_id: str) -> Piece:
    text = {"type": "mrkdwn", "text": reader.mrkdwn(_note(error_id)), "verbatim": True}
    return {"type": "section", "text": text}


def _mended(view: dict[str, Any]) -> dict[str, Any]:
    """Return the view with what stands around its blocks within the limits."""
    words: dict[str, Any] = {
        name: {"type": "plain_text", "text": clip(view[name]["text"], MAX_VIEW_WORD).strip() or NAME}
        for name in ("title", "submit", "close")
        if name in view
    }
    memory = str(view.get("private_metadata", ""))
    return {**view, **words, "private_metadata": memory if len(memory) <= MAX_MEMORY else ""}
