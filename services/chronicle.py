"""The time line of a certificate: its own history, with the messages that people were sent about it and what they did."""

from collections.abc import Iterator
from datetime import UTC, datetime

from services.alerting.handover import handover_key
from services.alerting.outgoing import message_key
from services.model.alerts import Alert
from services.model.certificates import Happening
from services.model.lifecycle import Event
from services.ports import Message, Transaction

ALERTED = "alerted"
"""The certificate became a member of an alert, whose id is the first word of the details."""
TOLD, ACKNOWLEDGED = "told", "acknowledged"


def timeline(tx: Transaction, certificate: str, limit: int = 200) -> tuple[Happening, ...]:
    """Return the newest ``limit`` rows of the certificate's history, oldest first, with what is derived from them.

    That a message was posted, and where, is read from the outbox, and who acknowledged from the alert as it is now.
    """
    rows = tuple(tx.certificates.history(certificate, limit))
    derived = [one for row in rows for one in _derived(tx, row)]
    return tuple(sorted((*rows, *derived), key=lambda row: row.at))


def _derived(tx: Transaction, row: Happening) -> Iterator[Happening]:
    if row.what == Event.HANDED_OVER.value:
        yield from _told(row.certificate, tx.outbox.by_key(handover_key(row.certificate, row.at)), row)
    alert = tx.alerts.get(row.details.partition(" ")[0]) if row.what == ALERTED else None
    if alert is not None:
        for channel in alert.channels:
            yield from _told(row.certificate, tx.outbox.by_key(message_key(alert, channel)), row)
        yield from _acknowledged(row, alert)


def _told(certificate: str, message: Message | None, row: Happening) -> Iterator[Happening]:
    """Yield that a message was posted; one that stood there already told of this certificate from the row on."""
    if message is not None and message.ts:
        yield Happening(certificate, max(_posted(message), row.at), TOLD, details=message.channel)


def _posted(message: Message) -> datetime:
    """Return when a message was posted: Slack's ids of messages are moments, in Unix seconds."""
    try:
        return datetime.fromtimestamp(float(str(message.ts).rpartition("/")[2]), UTC)
    except (ValueError, OverflowError, OSError):
        return message.created_at


def _acknowledged(row: Happening, alert: Alert) -> Iterator[Happening]:
    if alert.acked_at is not None and alert.acked_at >= row.at:
        yield Happening(row.certificate, alert.acked_at, ACKNOWLEDGED, alert.acked_by, details=alert.id)
