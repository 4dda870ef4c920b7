"""Sightings: brings in line what a certificate is seen to suffer from, and opens or stirs the alerts it belongs to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.alerting import joining
from services.alerting.causes import OWN_HEALTH, Found, causes_of, machines
from services.alerting.joining import Touch
from services.model.alerts import SELF, Sighting
from services.model.certificates import NOT_SERVED, Certificate
from services.model.clock import aware
from services.model.findings import NOT_REVOKED, REVOKED, Finding, Owner, leaves_open
from services.model.lifecycle import State
from services.model.settings import Alerting
from services.ports import Transaction

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
    touches = _touches(tx, policy, subject, found, findings, now)
    joining.write([*touches, *(joining.refresh(tx, certificate, one, now) for one in found)])


def _touches(
    tx: Transaction,
    policy: Alerting,
    subject: Subject,
    found: Sequence[Found],
    findings: Sequence[Finding],
    now: datetime,
) -> Sequence[Touch]:
    """Return what is to be written so that the stored sightings come in line."""
    before = tx.alerts.sightings(subject.id)
    if not before and not found:
        return ()  # as nearly always
    plan = planned(subject, before, found, findings, policy, now)
    old = {one.key: one for one in before}
    return (
        *(joining.leave(tx, policy, gone, now) for gone in plan.drop),
        *joining.join(tx, policy, [(new, old.get(new.key), one) for new, one in plan.put], now),
        *(joining.keep(tx, policy, new, one, now) for new, one in plan.same),
    )


def sight_self(tx: Transaction, policy: Alerting, findings: Sequence[Finding], now: datetime) -> None:
    """Do the same for what certdesk finds about itself; the findings are kept in the alerts."""
    found = causes_of(None, [f for f in findings if f.code in OWN_HEALTH])
    touches = _touches(tx, policy, Subject(SELF), found, findings, now)
    joining.write([*touches, *(joining.tell_anew(tx, one, now) for one in found)])


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
    evidence that it is mended. What is found now at more of the platform's machines, or at fewer, than before goes on.
    """
    known = {one.key: one for one in before}
    known |= _continued(before, found)
    fresh = [(_sighting(subject, place, one, known, policy, now), one) for place, one in enumerate(found)]
    kept = {one.key for one, _ in fresh}
    gone = [one for one in before if one.key not in kept]
    return Plan(
        tuple(pair for pair in fresh if pair[0] not in before),
        tuple(pair for pair in fresh if pair[0] in before),
        tuple(one for one in gone if not _hidden(one, findings)),
    )


def _continued(before: Sequence[Sighting], found: Sequence[Found]) -> Mapping[str, Sighting]:
    """Return, by the key of each new shared cause, the sighting that it goes on from: one that has a machine in common.

    Otherwise the alert of one name server would turn green in the moment in which a second one fails.
    """
    keys = {one.cause.key for one in found}
    known = {one.key for one in before}
    gone = sorted((one for one in before if one.key not in keys), key=lambda one: one.confirmed)
    return {  # of several that fit one that is confirmed counts, which comes last
        cause.key: old
        for cause in (one.cause for one in found if one.cause.wide and one.cause.key not in known)
        for old in gone
        if old.code == cause.code and machines(old.key, old.code) & machines(cause.key, cause.code)
    }


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


_ENDS: Mapping[str, str] = {"domain.expiring": "expires", NOT_SERVED: "ends"}
"""Code -> where its evidence has a moment at which visitors see a warning, which may be before the certificate's own end."""


def _deadline(subject: Subject, finding: Finding) -> datetime | None:
    """Return when harm is done: for a registration that ends, or what the edge serves instead, when that ends, if it is sooner."""
    if finding.code in (REVOKED, NOT_REVOKED):
        return (
            finding.checked_at
        )  # the harm is there: browsers may refuse it, or a key is out that still counts
    ends = _ENDS.get(finding.code)
    expires = _moment(finding.evidence.get(ends)) if ends else None
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
