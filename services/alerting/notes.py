"""The lines in the thread of an alert's message: what became of it, in sentences. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.model.alerts import Alert, Severity
from services.model.findings import Owner
from services.model.text import NOTHING, Text, say


@dataclass(frozen=True, slots=True)
class Note:
    """One line in the thread."""

    what: str
    """escalated, acknowledged, snoozed, snooze_over, handed_over or reopened: part of its key."""
    text: Text
    tone: str
    """info, good, warn or bad."""
    mention: tuple[str, ...] = ()
    """Ids of the user groups that it calls."""


_LEVELS: Mapping[Severity, Text] = {
    Severity.INFO: say("a note"),
    Severity.WARNING: say("a warning"),
    Severity.URGENT: say("urgent"),
    Severity.CRITICAL: say("critical"),
}
_TONES: Mapping[Severity, str] = {
    Severity.INFO: "info",
    Severity.WARNING: "warn",
    Severity.URGENT: "bad",
    Severity.CRITICAL: "bad",
}


def level(severity: Severity) -> Text:
    """Return what a severity is called after "it is"."""
    return _LEVELS[severity]


def short(person: str) -> str:
    """Return TEAM/USER without the workspace, as the history shows people."""
    return person.rpartition("/")[2]


def fix(alert: Alert) -> Text:
    """Return the exact fix of the alert's foremost member; nothing where it is not known."""
    return alert.lead.remedy if alert.lead else NOTHING


def escalated(alert: Alert, now: datetime, groups: tuple[str, ...]) -> Note:
    """Return the line for a severity that has risen; ``groups`` are called."""
    if alert.earliest is None:
        template = "This is {level} now, and it still lasts. {fix}"
    elif alert.earliest <= now:
        template = "This is {level} now: the first deadline passed on {deadline}. {fix}"
    else:
        template = "This is {level} now: the first deadline is {deadline}. {fix}"
    gaps = {"deadline": alert.earliest} if alert.earliest else {}
    text = say(template, level=level(alert.severity), fix=fix(alert), **gaps)
    return Note("escalated", text, _TONES[alert.severity], groups)


def reopened(alert: Alert) -> Note:
    """Return the line for a cause that is back soon after it healed."""
    return Note("reopened", say("It is back: the same cause was found again. {fix}", fix=fix(alert)), "warn")


def acknowledged(alert: Alert) -> Note:
    """Return the line for an acknowledgement."""
    text = (
        say("{person} has acknowledged this. It stays open until it is mended.", person=short(alert.acked_by))
        if alert.severity is Severity.CRITICAL
        else say(
            "{person} has acknowledged this. certdesk is quiet about it until it is mended, or more than {level}.",
            person=short(alert.acked_by),
            level=level(alert.severity),
        )
    )
    return Note("acknowledged", text, "info")


def snoozed(alert: Alert) -> Note:
    """Return the line for a snooze; `snoozed_until` is set."""
    text = say(
        "{person} snoozed this until {until}. It comes back before that if it becomes graver.",
        person=short(alert.snoozed_by),
        until=alert.snoozed_until or "",
    )
    return Note("snoozed", text, "info")


def snooze_over(person: str, alert: Alert) -> Note:
    """Return the line for a snooze of ``person`` that has ended while the cause lasts."""
    text = say(
        "The snooze of {person} is over, and this still lasts. {fix}", person=short(person), fix=fix(alert)
    )
    return Note("snooze_over", text, "warn")


def handed_over(alert: Alert) -> Note:
    """Return the line for a hand-over to support."""
    text = (
        say(
            "{person} has handed this over to support, who take it up with the merchant.",
            person=short(alert.handed_to),
        )
        if alert.owner is Owner.MERCHANT
        else say(
            "{person} has handed this over to support: it stands in their channel, too.",
            person=short(alert.handed_to),
        )
    )
    return Note("handed_over", text, "info")
