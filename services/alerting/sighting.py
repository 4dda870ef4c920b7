"""Sightings: brings in line what a certificate is seen to suffer from, and opens or stirs the alerts it belongs to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.alerting.causes import OWN_HEALTH, Found, causes_of
from services.model.alerts import SELF, Alert, Sighting, collective_key
from services.model.certificates import Certificate
from services.model.clock import aware
from services.model.findings import Finding, Owner, leaves_open
from services.model.identity import new_id
from services.model.lifecycle import State
from services.model.settings import Alerting
from services.ports import Transaction

HOUR = timedelta(hours=1)
"""The time in which a burst counts."""
HIDES: Mapping[str, tuple[str, ...]] = {"dns": ("dns", "access")}
"""Families of codes that silence in one family leaves open; its own alone, unless it stands here."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is seen: a certificate, or certdesk itself."""

    id: str
    store: str = ""
    deadline: datetime | None = None
    lifetime: timedelta | None = None
    renews_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How the stored sightings of one subject come in line with what was found."""

    put: tuple[tuple[Sighting, Found], ...]
    """What is to be written, with what it was found by."""
    same: tuple[tuple[Sighting, Found], ...]
    """What stands as it is."""
    drop: tuple[Sighting, ...]
    """What is gone."""


def sight(
    tx: Transaction, policy: Alerting, certificate: Certificate, findings: Sequence[Finding], now: datetime
) -> None:
    """Bring the certificate's sightings in line with ``findings`` (all of them) and its `problem`; open and stir alerts.

    To be called in the transaction that saves findings or a problem; calling it again changes nothing. A finding counts
    at the moment it was checked (`Finding.checked_at`): a saved one that is handed in again is no second sighting.
    """
    found = [f for f in causes_of(certificate, findings) if _matters(certificate, f)]
    subject = Subject(
        certificate.id, certificate.store, *_stakes(certificate), renews_at=certificate.renew_at
    )
    _apply(tx, policy, subject, found, findings, now)
    for one in found:
        _refresh(tx, certificate, one, now)


def sight_self(tx: Transaction, policy: Alerting, findings: Sequence[Finding], now: datetime) -> None:
    """Do the same for what certdesk finds about itself; the findings are kept in the alerts."""
    found = causes_of(None, [f for f in findings if f.code in OWN_HEALTH])
    _apply(tx, policy, Subject(SELF), found, findings, now)
    for one in found:
        alert = tx.alerts.latest(one.cause.key)
        if alert is not None and alert.open and _differs(alert.lead, one.finding):
            # not saved while somebody tends it: the next look brings it
            tx.alerts.change(replace(alert, lead=one.finding, due_at=now), now)


def planned(
    subject: Subject,
    before: Sequence[Sighting],
    found: Sequence[Found],
    findings: Sequence[Finding],
    policy: Alerting,
    now: datetime,
) -> Plan:
    """Return the change from ``before`` to what was ``found``. Pure.

    What is not found any more goes, unless the checks could not see: silence (verdict unknown) about the same name is no
    evidence that it is mended.
    """
    known = {one.key: one for one in before}
    fresh = [(_sighting(subject, place, one, known, policy, now), one) for place, one in enumerate(found)]
    kept = {one.key for one, _ in fresh}
    gone = [one for one in before if one.key not in kept]
    return Plan(
        tuple(pair for pair in fresh if pair[0] != known.get(pair[0].key)),
        tuple(pair for pair in fresh if pair[0] == known.get(pair[0].key)),
        tuple(one for one in gone if not _hidden(one, findings)),
    )


def _sighting(
    subject: Subject,
    place: int,
    found: Found,
    known: Mapping[str, Sighting],
    policy: Alerting,
    now: datetime,
) -> Sighting:
    cause, seen_at = found.cause, min(aware(found.finding.checked_at), now)
    old = known.get(cause.key)
    first = min(old.first_seen, seen_at) if old else seen_at
    last = max(old.last_seen, seen_at) if old else seen_at
    twice = old is not None and last - first >= policy.confirm
    return Sighting(
        certificate=subject.id,
        key=cause.key,
        alert=old.alert if old else cause.key,
        code=cause.code,
        owner=cause.owner,
        store=subject.store,
        name=found.finding.name,
        blocks=found.blocks,
        position=place,
        first_seen=first,
        last_seen=last,
        confirmed=found.certain or twice or (old is not None and old.confirmed),
        deadline=_deadline(subject, found.finding),
        lifetime=None if cause.code == "domain.expiring" else subject.lifetime,
        renews_at=subject.renews_at,
    )


def _deadline(subject: Subject, finding: Finding) -> datetime | None:
    """Return when harm is done: for a registration that ends, when it ends, if the certificate lives longer."""
    expires = _moment(finding.evidence.get("expires")) if finding.code == "domain.expiring" else None
    return min((m for m in (subject.deadline, expires) if m is not None), default=None)


def _moment(text: object) -> datetime | None:
    """Return the aware moment that evidence holds as RFC 3339 text; None for anything else."""
    try:
        return aware(datetime.fromisoformat(str(text)))
    except ValueError:
        return None


def _stakes(certificate: Certificate) -> tuple[datetime | None, timedelta | None]:
    """Return the expiry and the lifetime of what is live; None and None if nothing is."""
    if certificate.installed is None or certificate.not_after is None or certificate.not_before is None:
        return None, None
    return certificate.not_after, certificate.not_after - certificate.not_before


def _matters(certificate: Certificate, found: Found) -> bool:
    """Tell whether a cause is worth an alert: the merchant's only once a certificate is live, or support is needed.

    Until then the merchant is at work on it, and has the answer of the command; the platform's own always matters.
    """
    live = certificate.installed is not None or certificate.state is State.NEEDS_SUPPORT
    return live or found.cause.owner is not Owner.MERCHANT


def _hidden(sighting: Sighting, findings: Sequence[Finding]) -> bool:
    """Tell whether silence about the same name leaves open if what was seen is still there."""
    family = sighting.code.partition(".")[0]
    return any(
        leaves_open(f, sighting.code, sighting.name)
        and family in HIDES.get(f.code.partition(".")[0], (f.code.partition(".")[0],))
        for f in findings
    )


# --- writing -----------------------------------------------------------------------------------------------------


def _apply(
    tx: Transaction,
    policy: Alerting,
    subject: Subject,
    found: Sequence[Found],
    findings: Sequence[Finding],
    now: datetime,
) -> None:
    before = tx.alerts.sightings(subject.id)
    if not before and not found:
        return  # as nearly always
    plan = planned(subject, before, found, findings, policy, now)
    old = {one.key: one for one in before}
    for gone in plan.drop:
        tx.alerts.drop_sighting(gone.certificate, gone.key)
        if gone.confirmed:
            tx.alerts.stir(gone.alert, _soon(tx, gone.alert, policy, now))
    for sighting, one in plan.put:
        _put(tx, policy, sighting, old.get(sighting.key), one, now)
    for sighting, one in plan.same:
        if sighting.confirmed and not _has_alert(tx, sighting.alert):
            _open(tx, policy, sighting, one, now)


def _put(
    tx: Transaction, policy: Alerting, sighting: Sighting, old: Sighting | None, found: Found, now: datetime
) -> None:
    """Write one; a newly confirmed one joins its alert, which is opened if there is none."""
    if not sighting.confirmed:
        tx.alerts.put_sighting(sighting)
        return
    if old is not None and old.confirmed and not _material(old, sighting) and _has_alert(tx, old.alert):
        tx.alerts.put_sighting(sighting)
        return
    joined = (
        sighting
        if _has_alert(tx, sighting.alert)
        else replace(sighting, alert=_place(tx, policy, found, now))
    )
    # written first, then stirred, then looked at: whoever heals the alert meanwhile sees the one or the other
    tx.alerts.put_sighting(joined)
    tx.alerts.stir(joined.alert, _soon(tx, joined.alert, policy, now))
    if not _has_alert(tx, joined.alert):
        _open(tx, policy, joined, found, now)


def _material(old: Sighting, new: Sighting) -> bool:
    """Tell whether an alert has to be looked at again because of what changed about a member."""
    return (old.deadline, old.lifetime, old.blocks) != (new.deadline, new.lifetime, new.blocks)


def _has_alert(tx: Transaction, key: str) -> bool:
    alert = tx.alerts.latest(key)
    return alert is not None and alert.open


def _soon(tx: Transaction, key: str, policy: Alerting, now: datetime) -> datetime:
    """Return when a change of members is looked at: at once, or gathered for a while where many come and go."""
    alert = tx.alerts.latest(key)
    crowd = alert is not None and alert.members > 1
    return now + policy.settle if crowd else now


def _place(tx: Transaction, policy: Alerting, found: Found, now: datetime) -> str:
    """Return the key of the alert that a cause joins: its own, or the collective one when too many were opened lately."""
    cause = found.cause
    if cause.wide or _reopens(tx.alerts.latest(cause.key), policy, now):
        return cause.key
    # an alert counts from its first sighting on, and is opened when that is confirmed
    burst = tx.alerts.opened_since(cause.code, now - HOUR - policy.confirm) >= policy.burst
    return collective_key(cause.code) if burst else cause.key


def _reopens(alert: Alert | None, policy: Alerting, now: datetime) -> bool:
    return alert is not None and alert.healed_at is not None and now - alert.healed_at <= policy.reopen


def _open(tx: Transaction, policy: Alerting, sighting: Sighting, found: Found, now: datetime) -> None:
    """Open the alert, or the one that healed a short while ago again. Whoever opens it first opens it for all."""
    latest = tx.alerts.latest(sighting.alert)
    if latest is not None and _reopens(latest, policy, now):
        again = replace(latest, healed_at=None, due_at=now, lead=found.finding)
        if tx.alerts.change(again, now):
            return
    collective = sighting.alert == collective_key(sighting.code)
    # a sighting may be older than the last episode: the newest alert must be the one that began last
    since = max(sighting.first_seen, latest.healed_at or latest.opened_at) if latest else sighting.first_seen
    tx.alerts.add(
        Alert(
            id=new_id("alert"),
            key=sighting.alert,
            code=found.cause.code,
            thing="*" if collective else found.cause.thing,
            owner=found.cause.owner,
            wide=found.cause.wide,
            opened_at=since,
            lead=found.finding,
            due_at=now,
        )
    )


def _refresh(tx: Transaction, certificate: Certificate, found: Found, now: datetime) -> None:
    """Stir the alert of one domain or store when what it says of its certificate is no longer so."""
    alert = None if found.cause.wide else tx.alerts.latest(found.cause.key)
    if alert is None or not alert.open or alert.lead is None or alert.members == 0:
        return
    mine = alert.lead.name == found.finding.name
    stale = alert.next_attempt is not None and alert.next_attempt <= now
    if stale or alert.failures < certificate.failures or (mine and _differs(alert.lead, found.finding)):
        tx.alerts.stir(alert.key, now)


def _differs(one: Finding | None, other: Finding) -> bool:
    return one is None or (one.summary, one.remedy) != (other.summary, other.remedy)
