"""What an alert puts into the outbox: one message in each channel, lines in its thread, one page for each webhook."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from services import home
from services.alerting.notes import Note
from services.model.alerts import Alert
from services.model.text import to_json
from services.ports import Message, Transaction

ALERT, NOTE, PAGE = "alert", "alert_note", "page"


def message_key(alert: Alert, channel: str) -> str:
    """Return the key of an alert's one message in a channel."""
    return f"alert:{alert.id}:{channel}"


def put_messages(
    tx: Transaction, alert: Alert, channels: Iterable[str], now: datetime, due: datetime
) -> None:
    """Post the alert's message in each channel, or edit the one that stands there, at ``due``; Homes show it, too."""
    channels = tuple(channels)
    for channel in channels:
        body = {"alert": alert.id}
        message = Message.in_channel(message_key(alert, channel), ALERT, channel, body, now)
        tx.outbox.put(replace(message, run_after=due))
    if channels:
        tx.outbox.touch(home.ALERTS, now)


def put_note(tx: Transaction, alert: Alert, note: Note, channels: Iterable[str], now: datetime) -> None:
    """Write a line into the thread of the alert's message in each channel; the same one twice is one.

    To be called after `put_messages`, whose row it looks at and which holds it until the transaction ends.
    """
    for channel in channels:
        key = f"note:{alert.id}:{alert.version}:{note.what}:{channel}"
        thread = message_key(alert, channel)
        groups = () if _to_be_posted(tx.outbox.by_key(thread), now) else note.mention
        body = {"alert": alert.id, "text": to_json(note.text), "tone": note.tone, "mention": list(groups)}
        tx.outbox.put(replace(Message.in_channel(key, NOTE, channel, body, now), thread=thread))


def _to_be_posted(message: Message | None, now: datetime) -> bool:
    """Tell whether a message has not left and nobody is sending it: when it does it calls whom there is to call itself."""
    if message is None or message.ts is not None:
        return False
    return message.lease_until is None or message.lease_until <= now


def put_pages(tx: Transaction, alert: Alert, hooks: Iterable[str], now: datetime) -> None:
    """Tell each webhook how the alert stands: opened, acknowledged or healed, under one key for all of them."""
    for hook in hooks:
        body = {"alert": alert.id}
        page = Message.in_channel(f"page:{alert.id}:{hook}", PAGE, hook, body, now)
        tx.outbox.put(replace(page, via="webhook"))
