"""/ssl alerts [ID]: what keeps certificates from renewing now; and the messages of alerts as the outbox sends them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from commands import alert_words as words
from commands import views
from commands.alert_buttons import acknowledged, snoozed
from commands.alert_view import Facts, found, healed, member_row, title, view
from commands.caller import Action
from commands.command import Call, Command, UsageError, arguments
from commands.persons import person
from commands.reply import (
    Composed,
    Hint,
    Mention,
    Outcome,
    Part,
    Reply,
    Row,
    Rows,
    Tone,
)
from commands.spans import margin
from services.alerting.routing import mentions
from services.desk import Desk
from services.model.alerts import Alert, Sighting
from services.model.clock import rfc3339
from services.model.text import NOTHING, Text, from_json, say
from services.ports import Message, Transaction

MOST_LISTED = 200
"""How many open alerts, or members of one, the machine contract lists."""


# --- messages ------------------------------------------------------------------------------------------------------


def alert_message(desk: Desk, message: Message) -> Composed:
    """Compose kind ``alert``, body {"alert": id}: the alert as things stand; final once it is healed."""
    with desk.storage.read() as tx:
        alert = tx.alerts.get(str(message.body["alert"]))
        facts = None if alert is None else gather(tx, desk, alert)
    if facts is None:
        return Composed(Reply(Tone.INFO, say("certdesk no longer knows this alert")), final=True)
    aside = _aside(desk, facts.alert, message.channel)
    reply = view(facts, desk.alerting, first_post=message.ts is None and not aside)
    return Composed(reply, final=not facts.alert.open)


def gather(tx: Transaction, desk: Desk, alert: Alert) -> Facts:
    """Return the alert with what the database says of its members now."""
    members = tuple(tx.alerts.members(alert.key, views.MOST_ROWS))
    return Facts(alert, tx.alerts.tally(alert.key), members, desk.clock(), desk.approving.alone)


def _aside(desk: Desk, alert: Alert, channel: str) -> bool:
    """Tell whether a channel has the alert because it was handed over: on-call is called where it stands besides."""
    handed = bool(alert.handed_to) and channel == desk.alerting.support_channel
    return handed and any(other != channel for other in alert.channels)


def note_message(desk: Desk, message: Message) -> Composed:
    """Compose kind ``alert_note``: one line of an alert's thread, with those of its groups that are still to be called."""
    body: Mapping[str, Any] = message.body
    tone, text = Tone(body.get("tone", Tone.INFO)), from_json(body["text"])
    groups = tuple(str(group) for group in body.get("mention", ()))
    if groups and "alert" in body:
        groups = _still_called(desk, str(body["alert"]), message.channel, groups)
    calls = (Mention(groups, say("Please look at this alert.")),) if groups else ()
    return Composed(views.stated(tone, text, _NOTES[tone], *calls), final=True)


def _still_called(desk: Desk, alert_id: str, channel: str, groups: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of ``groups`` that the alert calls as things stand: a line may leave long after it was written."""
    with desk.storage.read() as tx:
        alert = tx.alerts.get(alert_id)
    if alert is None or not alert.open or acknowledged(alert) or _aside(desk, alert, channel):
        return ()
    calls = mentions(alert.severity, desk.alerting)
    return tuple(group for group in groups if group in calls)


_NOTES: Mapping[Tone, Text] = {
    Tone.INFO: say("About this alert"),
    Tone.PROGRESS: say("Under way"),
    Tone.GOOD: say("Good news of this alert"),
    Tone.WARN: say("This still needs somebody"),
    Tone.BAD: say("This needs somebody now"),
}
"""What stands above a line that is too long for a title."""


# --- the command ---------------------------------------------------------------------------------------------------


def run(call: Call) -> Outcome:
    """List open alerts, the gravest first, or show one with its members, by its id or its number in the list."""
    args = arguments(call, values=())
    if len(args.words) > 1:
        raise UsageError(say("This takes one alert, and {count} were given.", count=len(args.words)))
    with call.desk.storage.read() as tx:
        alerts = tuple(tx.alerts.listing(MOST_LISTED))
        if args.words:
            return _one(tx, call.desk, args.words[0], alerts)
        return _all(tuple(gather(tx, call.desk, alert) for alert in alerts))


_UNSEEN = say(
    "An alert needs two sightings, and names without a certificate make none. Everything that waits, you see with: {command}",
    command=views.typed("status"),
)


def _all(listed: tuple[Facts, ...]) -> Outcome:
    data = {"alerts": [_to_json(facts) for facts in listed]}
    if not listed:
        reply = Reply(Tone.GOOD, say("There are no open alerts"), (Hint(_UNSEEN),))
        return Outcome(_private(reply), data=data)
    rows = tuple(_row(place, facts) for place, facts in enumerate(listed[: views.MOST_ROWS], 1))
    hint = say(
        "To see what to do about one, and its certificates, type: {command}",
        command=views.typed("alerts", "1"),
    )
    parts = (Rows(rows), *views.more(len(listed) - views.MOST_ROWS), Hint(hint))
    headline = say("Open alerts, the gravest first: {count}", count=len(listed))
    return Outcome(_private(Reply(words.TONES[listed[0].alert.severity], headline, parts)), data=data)


def _row(place: int, facts: Facts) -> Row:
    earliest = facts.tally.earliest
    left = NOTHING if earliest is None else margin(earliest, facts.now)
    template = "{left} ({state})" if left != NOTHING and _handled(facts) else "{left}{state}"
    detail = say(template, left=left, state=_handled(facts) or NOTHING)
    return Row(str(place), words.TONES[facts.alert.severity], title(facts), detail)


def _handled(facts: Facts) -> Text | None:
    """Return what somebody has made of the alert, in a few words."""
    alert = facts.alert
    if acknowledged(alert):
        return say("acknowledged by {person}", person=person(alert.acked_by))
    if snoozed(alert, facts.now):
        return say("snoozed until {until}", until=views.known(alert.snoozed_until))
    if alert.handed_to:
        return say("handed to support by {person}", person=person(alert.handed_to))
    return None


def _one(tx: Transaction, desk: Desk, given: str, alerts: Sequence[Alert]) -> Outcome:
    alert = _meant(tx, given, alerts)
    if alert is None:
        headline = say("There is no alert {given}", given=views.clipped(given))
        hint = Hint(say("To see all that are open, type: {command}", command=views.typed("alerts")))
        reply = _private(Reply(Tone.WARN, headline, (hint,)))
        return Outcome(reply, exit_code=1, data={"error": headline.plain()})
    facts = gather(tx, desk, alert)
    members = tuple(tx.alerts.members(alert.key, MOST_LISTED))
    data = _to_json(facts) | {"certificates": [_member_to_json(member) for member in members]}
    return Outcome(members_reply(facts, whole=True), data=data)


def _meant(tx: Transaction, given: str, alerts: Sequence[Alert]) -> Alert | None:
    """Return the alert with this id, or at this place of the list of open ones."""
    if given.isascii() and given.isdigit():
        return alerts[int(given) - 1] if 0 < int(given) <= len(alerts) else None
    return tx.alerts.get(given)


def members_reply(facts: Facts, *, whole: bool = False) -> Reply:
    """Return the certificates that an alert is about, the first to expire first, for the asker alone.

    The ``whole`` alert is for who does not see its message: with what was found, the fix and the id.
    """
    if not facts.alert.open:
        return _private(healed(facts))
    rows = tuple(member_row(member, facts.now) for member in facts.members[: views.MOST_ROWS])
    beyond = views.more(facts.tally.certificates - len(rows))
    parts: tuple[Part, ...] = (Rows(rows), *beyond) if rows else ()
    hint = Hint(say("To see one name in full, type: {command}", command=views.typed("status", facts.name)))
    whose = Hint(say("Whose move: {owner}", owner=views.OWNERS[facts.alert.owner]))
    problem = found(facts) if whole else ()
    stays = Hint(say("Its id, which stays as it is while numbers change: {id}", id=facts.alert.id))
    hints = (*(() if problem else (whose,)), *(() if facts.own else (hint,)), *((stays,) if whole else ()))
    return _private(Reply(words.TONES[facts.alert.severity], title(facts), (*problem, *parts, *hints)))


def _private(reply: Reply) -> Reply:
    return replace(reply, private=True)


def _to_json(facts: Facts) -> dict[str, Any]:
    alert, tally = facts.alert, facts.tally
    return {
        "id": alert.id,
        "code": alert.code,
        "thing": alert.thing,
        "owner": alert.owner.value,
        "severity": alert.severity.name.lower(),
        "title": title(facts).plain(),
        "opened_at": rfc3339(alert.opened_at),
        "healed_at": rfc3339(alert.healed_at),
        "members": tally.certificates,
        "stores": tally.stores,
        "blocked": tally.blocked,
        "earliest": rfc3339(tally.earliest),
        "acknowledged_by": alert.acked_by or None,
        "snoozed_until": rfc3339(alert.snoozed_until),
        "handed_to": alert.handed_to or None,
        "finding": alert.lead.as_json() if alert.lead else None,
    }


def _member_to_json(member: Sighting) -> dict[str, Any]:
    return {
        "name": member.name,
        "store": member.store,
        "blocks": member.blocks,
        "since": rfc3339(member.first_seen),
        "deadline": rfc3339(member.deadline),
    }


COMMAND = Command(
    name="alerts",
    action=Action.ALERTS,
    summary=say(
        "Show what keeps certificates from renewing; of one alert, what to do and which certificates"
    ),
    usage="/ssl alerts [NUMBER | ID]",
    example="/ssl alerts",
    run=run,
)
