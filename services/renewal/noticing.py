"""Sightings of a certificate, with a row of its history for each alert that it becomes a part of, or is so no longer."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.alerting.sighting import sight
from services.chronicle import ALERTED
from services.model.alerts import Sighting
from services.model.certificates import Certificate, Happening
from services.model.findings import Finding
from services.model.settings import Alerting
from services.ports import Transaction

CLEARED = "cleared"


def notice(
    tx: Transaction, policy: Alerting, certificate: Certificate, findings: Sequence[Finding], now: datetime
) -> None:
    """Do what `services.alerting.sighting.sight` does, in the same transaction, and have it in the history."""
    before = _confirmed(tx, certificate)
    sight(tx, policy, certificate, findings, now)
    if not before and not findings and certificate.problem is None:
        return  # as nearly always
    after = _confirmed(tx, certificate)
    for key in after.keys() - before.keys():
        _record(tx, certificate, ALERTED, _alert(tx, after[key]), now)
    for key in before.keys() - after.keys():
        _record(tx, certificate, CLEARED, key, now)


def _confirmed(tx: Transaction, certificate: Certificate) -> Mapping[str, Sighting]:
    return {seen.key: seen for seen in tx.alerts.sightings(certificate.id) if seen.confirmed}


def _alert(tx: Transaction, seen: Sighting) -> str:
    """Return the alert's id and what it is about."""
    alert = tx.alerts.latest(seen.alert)
    return f"{alert.id} {seen.key}" if alert is not None else seen.key


def _record(tx: Transaction, certificate: Certificate, what: str, details: str, now: datetime) -> None:
    tx.certificates.record(
        Happening(certificate.id, now, what, state=certificate.state.value, details=details)
    )
