"""The round over alerts that are due: gather what is known, decide, and save the alert with all that it tells."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from services.alerting import hasten, merchants, outgoing
from services.alerting.causes import causes_of
from services.alerting.decide import Decision, Facts, decide
from services.alerting.routing import tags_in_use
from services.desk import Desk
from services.model.alerts import SELF, Alert, Sighting, Tally
from services.model.certificates import Certificate
from services.model.errors import LeaseLostError
from services.model.findings import Finding
from services.model.lifecycle import State
from services.model.settings import Renewing
from services.ports import Transaction

log = structlog.get_logger()

WEIGHED = 500
"""Members, those with the earliest deadlines, whose margins decide the severity."""
READ = 100
"""Certificates, of those members, that are read for their failures and next attempts."""
HEALING = timedelta(minutes=5)
"""Over how long the other members are looked at when a shared cause begins to heal."""


def tend_due(desk: Desk, limit: int = 20) -> int:
    """Claim up to ``limit`` alerts that are due and tend each; return how many were claimed."""
    with desk.storage.write() as tx:
        alerts = tx.alerts.claim(desk.clock(), desk.renewing.lease, limit)
    for alert in alerts:
        tend(desk, alert)
    return len(alerts)


def tend(desk: Desk, alert: Alert) -> None:
    """Bring a claimed alert up to date; it is saved with its messages in one transaction.

    Nothing happens if another worker has claimed it since.
    """
    now = desk.clock()
    try:
        with desk.storage.write() as tx:
            facts = gather(tx, desk, alert)
            decision = decide(facts, desk.alerting, now)
            if _twin(tx, alert, decision):
                decision = Decision(replace(alert, due_at=None))
            tx.alerts.save(decision.alert)
            tell(tx, decision, now)
            tell_merchant(tx, facts, decision, now)
    except LeaseLostError:
        log.info("lease lost", alert=alert.id)
        return
    _record(alert, decision.alert)
    if decision.healing:
        _hasten(desk, alert, now)
    desk.wake()


def _record(before: Alert, after: Alert) -> None:
    """Write into the log what people are told of: that an alert has come or got graver, and that it has healed."""
    healed = before.open and not after.open
    if (before.said if healed else after.said) is None or (after.said == before.said and not healed):
        return
    event = "alert_healed" if healed else "alert"
    severity = after.severity.name.lower()
    log.info(
        event,
        alert=after.id,
        code=after.code,
        thing=after.thing,
        severity=severity,
        certificates=after.members,
    )


def _hasten(desk: Desk, alert: Alert, now: datetime) -> None:
    """Have the other members looked at soon.

    Apart from the alert's own transaction: a step holds its certificate first and then stirs the alert.
    """
    with desk.storage.write() as tx:
        hasten.hasten(tx, tx.alerts.members(alert.key, hasten.MOST), alert.code, now, HEALING)


def tell(tx: Transaction, decision: Decision, now: datetime) -> None:
    """Write what is told into the outbox."""
    alert = decision.alert
    outgoing.put_messages(tx, alert, decision.channels, now, decision.due or now)
    for note in decision.notes:
        outgoing.put_note(tx, alert, note, decision.told, now)
    outgoing.put_pages(tx, alert, decision.pages, now)


def tell_merchant(tx: Transaction, facts: Facts, decision: Decision, now: datetime) -> None:
    """Write into the outbox what the merchant is told, where the alert is theirs and of their store alone."""
    if decision.due != now:
        return  # nothing that anybody would act upon
    if decision.alert.open and (store := merchants.store_alone(facts)):
        merchants.put_alert(tx, decision.alert, store, now)
    else:
        merchants.changed(tx, decision.alert, now)


def gather(tx: Transaction, desk: Desk, alert: Alert) -> Facts:
    """Return what there is to know about an alert."""
    tally = tx.alerts.tally(alert.key)
    members = weighed(tx, alert.key, tally)
    if not members:  # the last may leave between the two questions: whoever lets it go stirs the alert
        return Facts(alert, Tally(), ())
    ids = hasten.certificates_of(members)[:READ]
    rows = {row.id: row for row in tx.certificates.get_many(ids)}
    attempts = (_next_attempt(rows.get(m.certificate), m, desk.renewing) for m in members)
    tags = tags_in_use(desk.alerting)
    return Facts(
        alert,
        tally,
        members,
        tags=tx.alerts.tags(alert.key, tags) if tags else frozenset(),
        lead=_lead(tx, rows.get(members[0].certificate), members[0]),
        failures=max((row.failures for row in rows.values()), default=0),
        next_attempt=min((moment for moment in attempts if moment is not None), default=None),
    )


def weighed(tx: Transaction, key: str, tally: Tally) -> Sequence[Sighting]:
    """Return the members whose margins count: those that expire first, and of those that block likewise.

    Any number of certificates that are only warned of must not hide one that cannot renew.
    """
    if not tally.certificates:
        return ()
    first = tx.alerts.members(key, WEIGHED)
    if len(first) < WEIGHED or all(member.blocks for member in first):
        return first
    blocking = tx.alerts.members(key, WEIGHED, blocking=True)
    known = set(first)
    return (*first, *(member for member in blocking if member not in known))


def _next_attempt(row: Certificate | None, member: Sighting, policy: Renewing) -> datetime | None:
    """Return when certdesk next looks at a member by itself, or tries; None if that is not known."""
    if row is None:
        return None
    every = policy.dns_recheck if member.code.startswith("dns.") else policy.blocked_recheck
    if row.state in (State.INSTALLED, State.NEEDS_SUPPORT):
        return member.last_seen + every  # the watch's look
    return row.run_after


def _lead(tx: Transaction, row: Certificate | None, member: Sighting) -> Finding | None:
    """Return the finding that a member is seen by, as it was saved last; None for certdesk's own health."""
    if row is None or member.certificate == SELF:
        return None
    found = causes_of(row, tx.certificates.findings(row.id))
    return next((one.finding for one in found if one.cause.key == member.key), None)


def _twin(tx: Transaction, alert: Alert, decision: Decision) -> bool:
    """Tell whether a healed alert would open again while a newer one has its members: that one speaks for them."""
    if alert.open or not decision.alert.open:
        return False
    latest = tx.alerts.latest(alert.key)
    return latest is not None and latest.id != alert.id
