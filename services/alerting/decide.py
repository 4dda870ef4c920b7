"""What becomes of one alert when it is looked at: severity, who is told what, when it is looked at again. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.alerting import notes
from services.alerting.notes import Note
from services.alerting.routing import LEAST, channels_for, hooks_for, mentions
from services.alerting.severity import next_crossing, of_members
from services.model.alerts import Alert, Severity, Sighting, Tally
from services.model.findings import Finding
from services.model.settings import Alerting

DAILY = timedelta(days=1)
"""An open alert is looked at so often at least: the days that are left have to be right."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was gathered about an alert."""

    alert: Alert
    tally: Tally
    members: Sequence[Sighting]
    """Confirmed members, the earliest deadline first; not all of them if there are very many."""
    tags: frozenset[str] = frozenset()
    """Tags that routes ask for and a member's store has."""
    lead: Finding | None = None
    failures: int = 0
    next_attempt: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The alert as it is saved, and what is told."""

    alert: Alert
    channels: tuple[str, ...] = ()
    """Where its message is posted or edited."""
    due: datetime | None = None
    """When that is done: at once for what people act upon, a little later for mere numbers."""
    notes: tuple[Note, ...] = ()
    told: tuple[str, ...] = ()
    """Where the notes are written: channels that had the message before."""
    pages: tuple[str, ...] = ()
    """Webhooks that are told how it stands."""
    healing: bool = False
    """Whether a shared cause has let some of its members go: the others may be looked at soon."""


def decide(facts: Facts, policy: Alerting, now: datetime) -> Decision:
    """Return what becomes of the alert."""
    if facts.tally.certificates == 0:
        return _healed(facts.alert, now)
    return _lasting(facts, policy, now)


def _healed(alert: Alert, now: datetime) -> Decision:
    """Close it: the messages that stand turn green, the webhooks resolve, nothing new is posted."""
    if not alert.open:
        return Decision(replace(alert, due_at=None))
    healed = replace(
        alert,
        healed_at=now,
        members=0,
        failures=0,
        next_attempt=None,
        snoozed_until=None,
        snoozed_by="",
        version=alert.version + 1,
        due_at=None,
    )
    return Decision(healed, channels=alert.channels, due=now, pages=alert.hooks)


def _lasting(facts: Facts, policy: Alerting, now: datetime) -> Decision:
    before = facts.alert
    severity = of_members(facts.members, wide=before.wide, policy=policy, now=now)
    counted = _counted(facts, severity, now)
    back = before.said is not None and (before.members == 0 or not before.open)
    rises = severity >= LEAST and (before.said is None or severity > before.said)
    silent = before.acked is not None and severity <= before.acked
    speaks = rises and not silent
    after = _settled(counted, rises=rises, speaks=speaks, now=now)
    routed = channels_for(before.code, before.owner, severity, facts.tags, policy)
    after = _told(after, routed, hooks_for(before.code, severity, policy) if speaks or back else (), severity)
    acted = back or speaks or _differ(before, after)
    after = replace(after, version=before.version + acted, due_at=_due(facts.members, after, policy, now))
    new = tuple(channel for channel in after.channels if channel not in before.channels)
    return Decision(
        after,
        channels=after.channels,
        due=now if acted or new else now + policy.settle,
        notes=_notes(before, after, policy, now, back=back, speaks=speaks),
        told=before.channels,
        pages=after.hooks if speaks or back else (),
        healing=before.wide and facts.tally.certificates < before.members,
    )


def _differ(before: Alert, after: Alert) -> bool:
    """Tell whether people would act otherwise upon it; mere numbers do not count."""
    return (before.severity, before.acked, before.snoozed_until) != (
        after.severity,
        after.acked,
        after.snoozed_until,
    )


def _counted(facts: Facts, severity: Severity, now: datetime) -> Alert:
    """Return the alert with the facts written into it."""
    alert, count = facts.alert, facts.tally.certificates
    return replace(
        alert,
        healed_at=None,
        severity=severity,
        members=count,
        most=max(alert.most, count),
        earliest=facts.tally.earliest,
        lead=facts.lead or alert.lead,
        failures=facts.failures,
        next_attempt=max(facts.next_attempt, now) if facts.next_attempt else None,
    )


def _settled(alert: Alert, *, rises: bool, speaks: bool, now: datetime) -> Alert:
    """End what a higher severity ends: a snooze, which ends by time as well, and an acknowledgement of less."""
    if speaks:
        alert = replace(alert, acked_by="", acked_at=None, acked=None)
    if rises or (alert.snoozed_until is not None and alert.snoozed_until <= now):
        alert = replace(alert, snoozed_until=None, snoozed_by="")
    return alert


def _told(alert: Alert, channels: Sequence[str], hooks: Sequence[str], severity: Severity) -> Alert:
    """Return the alert with where it is told. What was said follows the severity down: a later rise is news again."""
    said = severity if severity >= LEAST or alert.said is not None else None
    return replace(
        alert,
        said=said,
        channels=tuple(dict.fromkeys((*alert.channels, *channels))),
        hooks=tuple(dict.fromkeys((*alert.hooks, *hooks))),
    )


def _notes(
    before: Alert, after: Alert, policy: Alerting, now: datetime, *, back: bool, speaks: bool
) -> tuple[Note, ...]:
    """Return the line for the thread, one at most: graver, back again, or no longer snoozed."""
    if speaks and before.said is not None:
        return (notes.escalated(after, now, mentions(after.severity, policy)),)
    if back:
        return (notes.reopened(after),)
    if before.snoozed_until is not None and after.snoozed_until is None and not speaks:
        return (notes.snooze_over(before.snoozed_by, after),)
    return ()


def _due(members: Sequence[Sighting], alert: Alert, policy: Alerting, now: datetime) -> datetime:
    """Return when it is looked at next: the next threshold, the end of the snooze, a day at most."""
    crossings = [next_crossing(m.deadline, m.lifetime, policy, now) for m in members]
    return min(m for m in (alert.snoozed_until, now + DAILY, *crossings) if m is not None)
