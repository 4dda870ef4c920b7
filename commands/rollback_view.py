"""A roll-back as people see it: how far it has come, what holds renewal up since, and from when on it does not. Pure but for what it reads."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from commands import views
from commands.endings import ending
from commands.following import Followed, followed_now
from commands.reply import Composed, Hint, Mark, Paragraph, Part, Plan, Reply, Tone
from services.deployment.rollback import held_until, last_sixth_of
from services.desk import Desk
from services.model.certificates import Certificate, Revision, Rollback
from services.model.clock import rfc3339
from services.model.lifecycle import State
from services.model.text import Text, say


def hold(revision: Revision, lasts: timedelta, now: datetime) -> Text:
    """Return for how long nothing replaces the revision by itself, once it is put back now, and why no longer."""
    until = held_until(revision, lasts, now)
    if until <= now:
        return say(
            "It expires soon, so it only bridges the time: certdesk orders a new certificate as soon as it is back."
        )
    if until == last_sixth_of(revision):
        return say(
            "Nothing replaces it by itself until {until}: then the last sixth of its lifetime begins, in which waiting"
            " would be dangerous, and it renews by itself again. To end that earlier, renew it by hand.",
            until=until,
        )
    return say(
        "Nothing replaces it by itself until {until}; then it renews by itself again. To end that earlier, renew it by hand.",
        until=until,
    )


def rollback_view(desk: Desk, what: Mapping[str, Any]) -> Composed:
    """Return how the roll-back stands that was proposed as ``what``; final once nothing of it is under way."""
    with desk.storage.read() as tx:
        row = tx.certificates.get(what["certificate"])
        if row is None:
            return Composed(Reply(Tone.INFO, say("certdesk no longer knows this roll-back")), final=True)
        one = followed_now(tx, row, (what["name"],))
    name = views.shown(what["name"])
    if row.next == what["revision"] and row.rolling_back:
        title = say("Rolling the certificate of {name} back", name=name)
        return Composed(Reply(Tone.PROGRESS, title, (_plan(row), *ending(one))), final=False)
    if row.installed == what["revision"]:
        return _back(desk, one, name)
    if row.rollback is None and row.installed == what["installed"]:
        title = say("The certificate of {name} was not rolled back", name=name)
        text = say(
            "The certificate before it must not be used any more: it was revoked or has expired since this was approved. The"
            " certificate with serial {serial} stays.",
            serial=views.known(row.serial),
        )
        return Composed(Reply(Tone.WARN, title, (Paragraph(text),)), final=row.resting)
    title = say("The certificate of {name} has been replaced since it was rolled back", name=name)
    return Composed(Reply(Tone.INFO, title, ending(one) if row.resting else ()), final=True)


def _back(desk: Desk, one: Followed, name: str) -> Composed:
    row = one.certificate
    shows = not row.unproved
    title = say("The certificate of {name} is rolled back", name=name)
    if not shows:
        title = say("The certificate of {name} is rolled back, but not seen at the edge yet", name=name)
    parts = (*((_plan(row),) if row.state is State.INSTALLED else ()), *ending(one))
    reply = Reply(Tone.GOOD if shows else Tone.WARN, title, (*parts, *_hold(row, desk.clock(), name)))
    return Composed(reply, final=shows)


def _plan(row: Certificate) -> Plan:
    """Return the two steps of a roll-back with their marks."""
    deploy, verify = {
        State.DEPLOYING: (Mark.NOW, Mark.NEXT),
        State.VERIFYING: (Mark.DONE, Mark.NOW),
    }.get(row.state, (Mark.DONE, Mark.STOPPED if row.unproved else Mark.DONE))
    return Plan("", ((say("deploy"), deploy), (say("verified"), verify)))


def _hold(row: Certificate, now: datetime, name: str) -> tuple[Part, ...]:
    told = row.rolled_back
    if told is None or not row.held(now):
        return ()
    text = say(
        "Nothing replaces it by itself until {until}. To renew it earlier, type: {command}",
        until=told.until,
        command=views.typed("renew", name),
    )
    return (Hint(text),)


def told(row: Certificate, now: datetime, name: str) -> tuple[Part, ...]:
    """Return what a status says of the roll-back that what is installed comes from; nothing if there was none.

    Which persons it were stands in the history: merchants, who may read along, are not told it.
    """
    found = row.rolled_back
    if found is None:
        return ()
    text = say("Rolled back on {at}, in the place of serial {serial}.", at=found.at, serial=found.serial)
    return (Hint(text), *_hold(row, now, name))


def as_json(told: Rollback) -> dict[str, Any]:
    """Return the roll-back for machines (docs/json.md)."""
    return {
        "in_place_of": told.serial or None,
        "at": rfc3339(told.at),
        "renews_again_from": rfc3339(told.until),
    }
