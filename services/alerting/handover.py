"""Handing over to support: after the third strike a message with all that is known, and the time line in its thread."""

from dataclasses import replace
from datetime import datetime

from services.model.certificates import Certificate
from services.model.settings import Alerting
from services.ports import Message, Transaction


def handover_key(certificate: str, now: datetime) -> str:
    """Return the key of the message about a certificate that was handed over at ``now``."""
    return f"handover:{certificate}:{now:%Y%m%dT%H%M%SZ}"


def handed_over(tx: Transaction, policy: Alerting, certificate: Certificate, now: datetime) -> None:
    """Owe support a message about the certificate that needs it, in the transaction that saves that it does.

    Both messages are composed from the database when they are sent; the first is edited as the certificate changes,
    the second stands in its thread. Nothing is owed where no channel is set. Twice for one ``now`` is once.
    """
    channel = policy.support_channel or policy.channel
    if not channel:
        return
    first = handover_key(certificate.id, now)
    body = {"certificate": certificate.id}
    message = Message.in_channel(first, "handover", channel, body, now)
    tx.outbox.put(replace(message, follows=(certificate.id,)))
    line = Message.in_channel(first.replace("handover:", "timeline:", 1), "timeline", channel, body, now)
    tx.outbox.put(replace(line, thread=first))
