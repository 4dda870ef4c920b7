"""The time line of a certificate: its own history, with the messages that people were sent about it and what they did."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from services.alerting.handover import handover_key
from services.alerting.hasten import certificates_of
from services.alerting.outgoing import message_key
from services.model.alerts import Alert
from services.model.audit import ASKED, DONE, FAILED, REFUSED, Entry
from services.model.certificates import Certificate, Happening
from services.model.deeds import what_of
from services.model.lifecycle import Event
from services.ports import Message, Transaction

ALERTED = "alerted"
"""The certificate became a member of an alert, whose id is the first word of the details."""
TOLD = "told"
MOST_TOLD = 100
"""Members of an alert, those with the earliest deadlines, in whose history it stands what a person did about it."""


def timeline(tx: Transaction, certificate: str, limit: int = 200) -> tuple[Happening, ...]:
    """Return the newest ``limit`` rows of the certificate's history, oldest first, with what is derived from them.

    That a message was posted, and where, is read from the outbox.
    """
    rows = tuple(tx.certificates.history(certificate, limit))
    derived = [one for row in rows for one in _derived(tx, row)]
    return tuple(sorted((*rows, *derived), key=lambda row: row.at))


def _derived(tx: Transaction, row: Happening) -> Iterator[Happening]:
    if row.what == Event.HANDED_OVER.value:
        yield from _told(row.certificate, tx.outbox.by_key(handover_key(row.certificate, row.at)), row)
    alert = tx.alerts.get(str(row.details).partition(" ")[0]) if row.what == ALERTED else None
    if alert is not None:
        for channel in alert.channels:
            yield from _told(row.certificate, tx.outbox.by_key(message_key(alert, channel)), row)


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


AUDITED: Mapping[str, str] = {
    DONE: "audit_done",
    REFUSED: "audit_refused",
    FAILED: "audit_failed",
    ASKED: "audit_asked",
}
"""Names of the happenings that rows of the audit trail become, by their result."""
_TOLD_ALREADY = frozenset({"add", "renew", "certificate.retry", "add many", "renew many"})
"""What stands in the certificate's own history once it is done, or in a row for each name once its turn has come."""


_OF_STORES = frozenset({"link", "unlink", "notify", "language", "link.approve", "link.decline"})
"""What is done to stores, people and channels: a store's id may look like a name, and who asks for it is not its merchants' business."""


def audited(
    tx: Transaction, certificate: Certificate, name: str, *, since: datetime | None
) -> tuple[Entry, ...]:
    """Return what the audit trail says of the name or its certificate, oldest first; ``since`` None: from the first."""
    return tuple(
        row
        for row in tx.audit.about((name, certificate.id))
        if row.result in AUDITED
        and what_of(row) not in _OF_STORES
        and not (row.result == DONE and row.action in _TOLD_ALREADY)
        and (since is None or row.at >= since)
    )


def acted(tx: Transaction, alert: Alert, what: str, person: str, now: datetime) -> None:
    """Record in the history of the alert's members that ``person`` (TEAM/USER) did ``what`` (a note's name) about it."""
    members = certificates_of(tx.alerts.members(alert.key, MOST_TOLD))
    for certificate in tx.certificates.get_many(members):
        tx.certificates.record(Happening(certificate.id, now, f"alert_{what}", person, details=alert.id))
