"""How grave it is: from the margin that is left to a severity, and when the next threshold is crossed. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from services.alerting.causes import OWN_HEALTH
from services.model.alerts import Severity, Sighting
from services.model.settings import Alerting

_SHARES: Mapping[Severity, float] = {Severity.WARNING: 3, Severity.URGENT: 9, Severity.CRITICAL: 31.5}
"""Which part of a lifetime each threshold may take at most: 21, 7 and 2 days of 63."""

UNSURE = Severity.WARNING
"""The highest severity of what only warns."""
ENDED = frozenset({"store.deleted"})
"""Causes with which a certificate may run out in peace: told once, in case it is a mistake, and never called out for."""
PASSES = frozenset({"ca.rate_limited"})
"""Shared causes that end by themselves at a known moment: no warning before the margin asks for one."""


def thresholds(policy: Alerting, lifetime: timedelta | None = None) -> Mapping[Severity, timedelta]:
    """Return the margins from which on it is so grave, for certificates of this lifetime (None: a long one)."""
    days = {
        Severity.WARNING: policy.warning,
        Severity.URGENT: policy.urgent,
        Severity.CRITICAL: policy.critical,
    }
    if lifetime is None:
        return days
    return {severity: min(margin, lifetime / _SHARES[severity]) for severity, margin in days.items()}


def by_margin(deadline: datetime, lifetime: timedelta | None, policy: Alerting, now: datetime) -> Severity:
    """Return the severity of one deadline; a threshold is crossed at its very moment, the past is critical."""
    margin = deadline - now
    crossed = (s for s, least in thresholds(policy, lifetime).items() if margin <= least)
    return max(crossed, default=Severity.INFO)


def of_member(member: Sighting, *, wide: bool, policy: Alerting, now: datetime) -> Severity:
    """Return the severity of one member; with nothing live there is no margin, and only a shared cause matters."""
    floor = Severity.WARNING if wide and member.code not in PASSES else Severity.INFO
    if member.code in OWN_HEALTH:
        floor = Severity.URGENT
    if member.deadline is None:
        return floor
    margin = by_margin(member.deadline, member.lifetime, policy, now)
    return max(floor, margin if _presses(member) else min(margin, UNSURE))


def _presses(member: Sighting) -> bool:
    """Tell whether the margin counts in full: not for what only warns, and not where nobody needs the certificate."""
    return member.blocks and member.code not in ENDED


def of_members(members: Sequence[Sighting], *, wide: bool, policy: Alerting, now: datetime) -> Severity:
    """Return the severity of an alert: that of its gravest member; INFO without any."""
    return max((of_member(m, wide=wide, policy=policy, now=now) for m in members), default=Severity.INFO)


def next_crossing(
    deadline: datetime | None, lifetime: timedelta | None, policy: Alerting, now: datetime
) -> datetime | None:
    """Return when the next threshold is crossed, later than ``now``; None if all are, or there is no deadline."""
    if deadline is None:
        return None
    moments = (deadline - margin for margin in thresholds(policy, lifetime).values())
    return min((moment for moment in moments if moment > now), default=None)


def rises_at(
    members: Sequence[Sighting], above: Severity, policy: Alerting, now: datetime
) -> datetime | None:
    """Return when the first member becomes graver than ``above`` as time goes by, at ``now`` at the earliest; None: never."""
    reachable = [Severity(level) for level in range(above + 1, Severity.CRITICAL + 1)]
    moments = (
        member.deadline - thresholds(policy, member.lifetime)[severity]
        for member in members
        if member.deadline is not None
        for severity in reachable
        if severity > Severity.INFO and (_presses(member) or severity <= UNSURE)
    )
    return max(now, first) if (first := min(moments, default=None)) is not None else None
