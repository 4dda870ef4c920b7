"""What people do about an alert: acknowledge, snooze, look again, renew, hand over. A stale click changes nothing."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services import chronicle
from services.alerting import hasten, outgoing
from services.alerting.causes import OWN_HEALTH
from services.alerting.notes import Note, acknowledged, handed_over, level, short, snoozed
from services.alerting.rounds import weighed
from services.alerting.severity import of_members, rises_at
from services.desk import Desk
from services.issuance.adding import TRIES
from services.model.alerts import Alert, Severity
from services.model.settings import Alerting
from services.model.text import Phrase, Text, say, say_n
from services.ports import Transaction
from services.renewal.asking import renew_these

EVERY = 5000
"""Members that one click has looked at, at the most."""
SOON = timedelta(milliseconds=200)
"""How far apart many certificates are looked at after a click."""
MARGINLESS = timedelta(days=3)
"""How long "until the margin says no" is where no margin is known."""
CHOICES: Mapping[str, timedelta | None] = {
    "1d": timedelta(days=1),
    "3d": timedelta(days=3),
    "margin": None,
}
"""The choices of a snooze; None is until the next threshold is crossed."""


@dataclass(frozen=True, slots=True)
class Clicked:
    """What came of a click."""

    done: bool
    text: Text
    """For the person who clicked: what was done, or why nothing was."""
    alert: Alert | None
    """As it stands after the click; None if there is no such alert."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of the alert and the line that tells of it; without an alert nothing is changed, and the text says why."""

    text: Text
    alert: Alert | None = None
    note: Note | None = None
    page: bool = False
    done: bool = False
    """Whether something was done without changing the alert."""


Act = Callable[[Transaction, Alert, datetime], _Change]


def acknowledge(desk: Desk, alert_id: str, version: int, person: str, *, tries: int = TRIES) -> Clicked:
    """Acknowledge: silence until the severity rises above what it is now. ``person`` is TEAM/USER.

    As for every click: ``version`` is the one that the button carried. ``tries`` looks are taken, 50 ms apart, for the
    moment in which no worker holds the alert.
    """

    def act(_tx: Transaction, alert: Alert, now: datetime) -> _Change:
        if alert.acked is not None and alert.acked >= alert.severity:
            who = short(alert.acked_by)
            return _Change(say("{person} has acknowledged it already; nothing was changed.", person=who))
        after = replace(alert, acked_by=person, acked_at=now, acked=alert.severity)
        return _Change(
            say("You have acknowledged this. It comes back only if it becomes graver."),
            after,
            acknowledged(after),
            page=True,
        )

    return _click(desk, alert_id, version, person, act, tries)


def snooze(
    desk: Desk, alert_id: str, version: int, person: str, choice: str, *, tries: int = TRIES
) -> Clicked:
    """Snooze for ``choice`` (a key of CHOICES), or until the next threshold is crossed if that is earlier.

    A critical alert cannot be snoozed. Raises KeyError for a choice that there is not.
    """
    wanted = CHOICES[choice]

    def act(tx: Transaction, alert: Alert, now: datetime) -> _Change:
        members = weighed(tx, alert.key, tx.alerts.tally(alert.key))
        severity = of_members(members, wide=alert.wide, policy=desk.alerting, now=now)
        if Severity.CRITICAL in (severity, alert.severity):
            return _Change(
                say(
                    "A critical alert cannot be snoozed: there is no margin left. Nothing was changed; acknowledge it."
                )
            )
        if severity > alert.severity:
            tx.alerts.stir(alert.key, now)
            return _Change(
                say("It has just become graver: {level} now. Nothing was changed.", level=level(severity))
            )
        crossing = rises_at(members, severity, desk.alerting, now)
        until = _until(now, wanted, crossing)
        after = replace(
            alert, snoozed_by=person, snoozed_until=until, due_at=min(until, alert.due_at or until)
        )
        return _Change(_snoozed(until, crossing), after, snoozed(after))

    return _click(desk, alert_id, version, person, act, tries)


def _until(now: datetime, wanted: timedelta | None, crossing: datetime | None) -> datetime:
    """Return when a snooze ends: never after the moment at which the margin makes it graver."""
    asked = now + wanted if wanted is not None else crossing or now + MARGINLESS
    return min(asked, crossing) if crossing is not None else asked


def _snoozed(until: datetime, crossing: datetime | None) -> Text:
    if until == crossing:
        return say("Snoozed until {until}, when the margin makes it graver.", until=until)
    return say("Snoozed until {until}; it comes back earlier if it becomes graver.", until=until)


def hand_over(desk: Desk, alert_id: str, version: int, person: str, *, tries: int = TRIES) -> Clicked:
    """Hand the alert to support: its message stands in the support channel too, and says who handed it over."""

    def act(_tx: Transaction, alert: Alert, _now: datetime) -> _Change:
        if alert.handed_to:
            return _Change(
                say(
                    "{person} has handed it over to support already; nothing was changed.",
                    person=short(alert.handed_to),
                )
            )
        channel = _support(desk.alerting)
        if not channel:
            return _Change(
                say(
                    "There is no channel for support. Nothing was changed; the platform's engineers set"
                    " alerts.support_channel in app.yaml."
                )
            )
        after = replace(
            alert,
            handed_to=person,
            channels=tuple(dict.fromkeys((*alert.channels, channel))),
            said=alert.severity if alert.said is None else alert.said,
        )
        text = say("Support has it now; the alert stands in their channel too, and is kept up to date there.")
        return _Change(text, after, handed_over(after))

    return _click(desk, alert_id, version, person, act, tries)


def _support(policy: Alerting) -> str:
    return policy.support_channel or policy.channel


def look_again(desk: Desk, alert_id: str, version: int, person: str, *, tries: int = TRIES) -> Clicked:
    """Look at every member now, one after the other; what is found shows in the alert's message."""

    def act(tx: Transaction, alert: Alert, now: datetime) -> _Change:
        members = tx.alerts.members(alert.key, EVERY)
        looked = hasten.hasten(tx, members, alert.code, now, SOON * len(members))
        if looked == 0:
            return _Change(
                _nobody(
                    alert, Phrase("This is about certdesk itself, which looks at it by itself all the time.")
                )
            )
        text = (
            say("certdesk looks at the certificate now. The alert's message shows what it finds.")
            if looked == 1
            else say(
                "certdesk looks at {count} certificates now, those that expire first before the others. The alert's"
                " message shows what it finds.",
                count=looked,
            )
        )
        return _Change(text, done=True)

    return _click(desk, alert_id, version, person, act, tries)


def renew_members(desk: Desk, alert_id: str, version: int, person: str) -> Clicked:
    """Start a renewal of the members' certificates now, those that expire first: as many as one person may alone."""
    with desk.storage.read() as tx:
        alert = tx.alerts.get(alert_id)
        if (stale := _stale(alert, version)) is not None or alert is None:
            return Clicked(done=False, text=stale or _UNKNOWN, alert=alert)
        ids = hasten.certificates_of(tx.alerts.members(alert.key, EVERY))
    if not ids:
        text = _nobody(alert, Phrase("This is about certdesk itself: there is no certificate to renew."))
        return Clicked(done=False, text=text, alert=alert)
    most = desk.approving.alone
    begun, busy = renew_these(desk, ids[:most], person)
    return Clicked(done=begun > 0, text=_renewed(begun, busy, len(ids) - most), alert=alert)


def _nobody(alert: Alert, of_itself: Phrase) -> Text:
    """Return why there is no certificate to do it with: it is certdesk's own health, or the last one has just healed."""
    if alert.code in OWN_HEALTH:
        return of_itself.said()
    return say("Its last certificate has just healed. Nothing was changed, and nothing is left to do.")


def _renewed(begun: int, busy: int, others: int) -> Text:
    if others > 0:
        return say_n(
            "certdesk tries {count} certificate now, the one that expires first. The other {others} are tried by"
            " themselves as soon as the cause is mended.",
            "certdesk tries {count} certificates now, those that expire first. The other {others} are tried by"
            " themselves as soon as the cause is mended.",
            count=begun,
            others=others + busy,
        )
    if busy:
        return say_n(
            "certdesk tries {count} certificate now; {busy} more were being worked on just then. Click again in a"
            " minute to try those.",
            "certdesk tries {count} certificates now; {busy} more were being worked on just then. Click again in a"
            " minute to try those.",
            count=begun,
            busy=busy,
        )
    return say_n(
        "certdesk tries the certificate now. While the cause lasts, this stops at it again.",
        "certdesk tries {count} certificates now. While the cause lasts, this stops at it again.",
        count=begun,
    )


# --- one click ---------------------------------------------------------------------------------------------------

_UNKNOWN = say("certdesk does not know this alert any more. Nothing was changed.")


def _click(desk: Desk, alert_id: str, version: int, person: str, act: Act, tries: int) -> Clicked:
    """Do ``act`` on the alert as it is now, unless the click is stale; with what a look after each refusal shows."""
    for _ in range(tries):
        with desk.storage.write() as tx:
            clicked = _once(desk, tx, alert_id, version, person, act)
        if clicked is not None:
            desk.wake()
            return clicked
        time.sleep(0.05)  # a worker holds the alert for the length of a look
    text = say("The alert is being worked on. Nothing was changed; click again in a minute.")
    return Clicked(done=False, text=text, alert=None)


def _once(desk: Desk, tx: Transaction, alert_id: str, version: int, person: str, act: Act) -> Clicked | None:
    """Return what came of one try; None if the alert is held or has moved."""
    now = desk.clock()
    alert = tx.alerts.get(alert_id)
    if (stale := _stale(alert, version)) is not None or alert is None:
        return Clicked(done=False, text=stale or _UNKNOWN, alert=alert)
    change = act(tx, alert, now)
    if change.alert is None:
        return Clicked(done=change.done, text=change.text, alert=alert)
    after = replace(change.alert, version=alert.version + 1)
    if not tx.alerts.change(after, now):
        return None
    outgoing.put_messages(tx, after, after.channels, now, now)
    if change.note is not None:
        outgoing.put_note(tx, after, change.note, alert.channels, now)
        chronicle.acted(tx, after, change.note.what, person, now)
    outgoing.put_pages(tx, after, after.hooks if change.page else (), now)
    return Clicked(done=True, text=change.text, alert=tx.alerts.get(after.id))


def _stale(alert: Alert | None, version: int) -> Text | None:
    """Return why a click comes too late; None if it does not."""
    if alert is None:
        return _UNKNOWN
    if alert.healed_at is not None:
        return say(
            "This has healed meanwhile, on {when}. Nothing was changed, and nothing is left to do.",
            when=alert.healed_at,
        )
    if alert.version != version:
        return say(
            "The alert has changed since you saw it: {what}. Nothing was changed; look at its message and click there.",
            what=_meanwhile(alert),
        )
    return None


def _meanwhile(alert: Alert) -> Text:
    """Return what there is to know of an alert that has moved on."""
    if alert.snoozed_until is not None:
        return say(
            "{person} snoozed it until {until}", person=short(alert.snoozed_by), until=alert.snoozed_until
        )
    if alert.acked_by:
        return say("{person} has acknowledged it", person=short(alert.acked_by))
    if alert.handed_to:
        return say("{person} has handed it over to support", person=short(alert.handed_to))
    return say("it is {level} now", level=level(alert.severity))
