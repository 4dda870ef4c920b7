"""Alerts, sightings, watches and breakers: rows to dataclasses and back."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from services.model.alerts import Alert, Severity, Sighting
from services.model.findings import Owner
from services.model.pacing import Breaker, Watch
from storage.records.coding import Values, decode, encode, storable
from storage.records.findings import finding_from_json, finding_to_json

_SECOND = timedelta(seconds=1)


def alert_values(alert: Alert) -> Values:
    """Return the whole row of an alert: what stays with it, then `alert_changes`, then what the queue keeps."""
    return {
        "id": alert.id,
        "key": alert.key,
        "code": alert.code,
        "thing": alert.thing,
        "owner": alert.owner.value,
        "wide": alert.wide,
        "opened_at": alert.opened_at,
        **alert_changes(alert),
        "due_at": alert.due_at,
        "stirred": alert.stirred,
        "fence": alert.fence,
        "lease_until": alert.lease_until,
    }


def alert_changes(alert: Alert) -> Values:
    """Return the part of an alert's row that a save takes over from it as it is."""
    return {
        "version": alert.version,
        "severity": int(alert.severity),
        "said": _level(alert.said),
        "healed_at": alert.healed_at,
        "lead": encode(finding_to_json(alert.lead)) if alert.lead else None,
        "members": alert.members,
        "most": alert.most,
        "failures": alert.failures,
        "next_attempt": alert.next_attempt,
        "earliest": alert.earliest,
        "acked_by": alert.acked_by,
        "acked_at": alert.acked_at,
        "acked": _level(alert.acked),
        "snoozed_by": alert.snoozed_by,
        "snoozed_until": alert.snoozed_until,
        "handed_to": alert.handed_to,
        "channels": encode(alert.channels),
        "hooks": encode(alert.hooks),
    }


def _level(severity: Severity | None) -> int | None:
    return None if severity is None else int(severity)


def alert(row: Sequence[Any]) -> Alert:
    """Return the alert of a row: all columns in the table's order."""
    (id_, key, code, thing, owner, wide, opened_at, version, severity, said, healed_at, lead, members, most, failures,
     next_attempt, earliest, acked_by, acked_at, acked, snoozed_by, snoozed_until, handed_to, channels, hooks,
     *queued) = row  # fmt: skip
    return Alert(
        id_, key, code, thing, Owner(owner), wide, opened_at, version, Severity(severity), _severity(said), healed_at,
        finding_from_json(decode(lead)) if lead else None, members, most, failures, next_attempt, earliest,
        acked_by, acked_at, _severity(acked), snoozed_by, snoozed_until, handed_to, tuple(decode(channels)),
        tuple(decode(hooks)), *queued,
    )  # fmt: skip


def _severity(level: int | None) -> Severity | None:
    return None if level is None else Severity(level)


def sighting_values(sighting: Sighting) -> Values:
    """Return the row of a sighting; its lifetime in whole seconds, as X.509 counts."""
    return {
        "certificate": sighting.certificate,
        "key": sighting.key,
        "alert": sighting.alert,
        "code": sighting.code,
        "owner": sighting.owner.value,
        "store": sighting.store,
        "name": sighting.name,
        "blocks": sighting.blocks,
        "position": sighting.position,
        "first_seen": sighting.first_seen,
        "last_seen": sighting.last_seen,
        "confirmed": sighting.confirmed,
        "deadline": sighting.deadline,
        "lifetime": None if sighting.lifetime is None else sighting.lifetime // _SECOND,
        "renews_at": sighting.renews_at,
    }


def sighting(row: Sequence[Any]) -> Sighting:
    """Return the sighting of a row: all columns in the table's order, which is the type's."""
    (certificate, key, alert_, code, owner, store, name, blocks, position, first_seen, last_seen, confirmed, deadline,
     lifetime, renews_at) = row  # fmt: skip
    return Sighting(
        certificate, key, alert_, code, Owner(owner), store, name, blocks, position, first_seen, last_seen, confirmed,
        deadline, None if lifetime is None else timedelta(seconds=lifetime), renews_at,
    )  # fmt: skip


def watch(row: Sequence[Any]) -> Watch:
    """Return the watch of a row."""
    return Watch(*row)


def breaker_values(breaker: Breaker) -> Values:
    """Return the row of a breaker."""
    return {
        "thing": breaker.thing,
        "failed": encode(breaker.failed),
        "since": breaker.since,
        "code": breaker.code,
        "detail": storable(breaker.detail),
        "opened_at": breaker.opened_at,
        "probe_at": breaker.probe_at,
        "probes": breaker.probes,
    }


def breaker(row: Sequence[Any]) -> Breaker:
    """Return the breaker of a row."""
    thing, failed, *rest = row
    return Breaker(thing, tuple(decode(failed)), *rest)
