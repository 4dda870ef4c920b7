"""Says that a message comes late, and why: what Slack answered before is kept in its row."""

from datetime import datetime, timedelta

from bot.slack.delivery import THEN
from commands.reply import Hint
from services.model.text import Text, say_n
from services.ports import Message

NOTABLE = timedelta(minutes=5)
"""A shorter delay is not worth a line."""
_SLACK = "Slack: "
_LIMITED = ("ratelimited", "rate_limited", "http_429")


def error_line(code: str) -> str:
    """Return what a message's row keeps of Slack's refusal; `delayed` reads it back."""
    return f"{_SLACK}{code}"


def delayed(message: Message, now: datetime) -> Hint | None:
    """Return the line at the end of a message that Slack did not take when it was written; None if there is none.

    Only a first post has it: an edit shows how things are now, and nobody knows any more since when it was owed. Time
    that certdesk itself lost is not laid at Slack's door: without a failed try nothing is said.
    """
    late = now - message.created_at
    if message.ts or not message.failures or not message.error.startswith(_SLACK) or late < NOTABLE:
        return None
    return Hint(_reason(message.error.removeprefix(_SLACK), int(late.total_seconds() // 60)))


def _reason(code: str, minutes: int) -> Text:
    if code in _LIMITED:
        return say_n(
            "Delayed by {count} minute: Slack took no more messages at that rate.",
            "Delayed by {count} minutes: Slack took no more messages at that rate.",
            count=minutes,
        )
    if code in THEN:
        return say_n(
            "Delayed by {count} minute: Slack did not take it ({code}).",
            "Delayed by {count} minutes: Slack did not take it ({code}).",
            count=minutes,
            code=code,
        )
    return say_n(
        "Delayed by {count} minute: Slack could not be reached.",
        "Delayed by {count} minutes: Slack could not be reached.",
        count=minutes,
    )
