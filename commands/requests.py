"""Does what a person asked for in Slack, by a command or a click: the request row in, one outbox message out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from commands import audit, clicks, confirming, home_clicks, live, messages, sheets, unfurling, views
from commands.caller import Caller, Role
from commands.command import Call, Known, People, strange, unasked
from commands.dispatch import dispatch
from commands.hearing import CLOSED, Rooms, heard, kept
from commands.reply import Deed, Hint, Outcome, Performed, Reply, Tone
from commands.screens import BLIND, Screens, handle
from commands.uploads import NOWHERE, Uploads
from services import home
from services.approvals import asked_key
from services.desk import Desk
from services.model.audit import FAILED
from services.model.identity import new_id
from services.model.text import NOTHING, Text, say
from services.model.workspaces import placed
from services.ports import Message, Request

COMMAND, CLICK, SUBMISSION, HOME, LINKS = "command", "click", "submission", "home", "links"
"""Kinds of requests (`services.ports.Request.kind`)."""
ACKNOWLEDGED = timedelta(milliseconds=300)
"""When what came of a modal is first shown: before Slack has our acknowledgement, it would only say that it knows no such modal."""
MOST_TRIES = 5
"""A request that was begun so often and never finished brings its worker down: it is closed with an apology."""


@dataclass(frozen=True, slots=True)
class Lookups:
    """What a request may ask Slack."""

    people: People
    known: Known
    uploads: Uploads
    rooms: Rooms


def perform(  # noqa: PLR0913 - what a request may ask Slack, each apart for tests
    desk: Desk,
    request: Request,
    caller: Caller,
    people: People = unasked,
    screens: Screens = BLIND,
    rooms: Rooms = CLOSED,
    *,
    known: Known = strange,
    uploads: Uploads = NOWHERE,
) -> None:
    """Do what ``request`` says and leave the answer in the outbox; in one transaction with it the request is finished.

    What was changed, or refused for want of a right, is put into the audit trail in the same transaction.

    Where not everybody who reads in the channel may hear the answer, it is for the asker alone.

    A click that shows in the clicked message itself has no answer, and what a modal or the Home tab shows needs none.

    Safe to repeat: the use cases are idempotent, and the message's key is the request's id. Raises LeaseLostError, and
    answers nothing, if another worker has claimed the request since.
    """
    done = (
        _given_up(request)
        if request.tries > MOST_TRIES
        else _done(desk, request, caller, Lookups(people, known, uploads, rooms))
    )
    if done.outcome is not None and caller.role is Role.MERCHANT:
        done = replace(done, outcome=_mine(done.outcome))
    if done.outcome is not None:
        where = placed(request.workspace, request.channel)
        told = heard(done.outcome, caller, where, rooms)
        done = replace(done, outcome=unfurling.heard(told, where, rooms))
    now = desk.clock()
    owed = () if done.outcome is None else _owed(desk, request, done.outcome, screens, caller)
    with desk.storage.write() as tx:
        for message in owed:
            tx.outbox.put(message)
        tx.requests.finish(request, now)
        if done.deed is not None:
            tx.audit.append(audit.entry(done.deed, caller, now))


def _mine(outcome: Outcome) -> Outcome:
    """Return the outcome as a merchant reads it: what is the merchant's move is their own."""
    sheet, shown = outcome.sheet, outcome.live
    return replace(
        outcome,
        mine=True,
        reply=replace(outcome.reply, parts=views.yours(outcome.reply.parts)),
        sheet=None if sheet is None else replace(sheet, parts=views.yours(sheet.parts)),
        live=replace(shown, body={**shown.body, "mine": True})
        if shown and shown.kind == live.PROGRESS
        else shown,
    )


def typed(desk: Desk, words: Sequence[str], caller: Caller) -> Outcome:
    """Do what was typed in a terminal, keep it in the audit trail, and return the outcome."""
    outcome = dispatch(words, caller, desk)
    if outcome.deed is not None:
        with desk.storage.write() as tx:
            tx.audit.append(audit.entry(outcome.deed, caller, desk.clock()))
    return outcome


def _message(request: Request, outcome: Outcome, now: datetime, caller: Caller) -> Message:
    kind, body = messages.content(outcome)
    if kind == messages.REPLY:
        body = {**body, **kept(outcome, caller)}
    return Message(
        id=new_id("msg"),
        key=asked_key(outcome.proposal) if outcome.proposal else f"request:{request.id}",
        kind=kind,
        channel=request.channel,
        user=request.user,
        private=outcome.reply.private,
        body=body,
        created_at=now,
        follows=outcome.follows,
        run_after=now,
        team=request.workspace,
    )


def _owed(
    desk: Desk, request: Request, outcome: Outcome, screens: Screens, caller: Caller
) -> tuple[Message, ...]:
    """Show at once what belongs into a modal or the Home tab, and return what is still to be sent.

    What came of a modal that was sent off is always sent: Slack may have it before its own acknowledgement, which would
    then wipe it out (`bot.slack.live_views` waits for that). What became a question is asked in a message besides.
    """
    now = desk.clock()
    if request.kind == LINKS:
        if outcome.unfurls:
            screens.unfurl(request, {link: shown.reply for link, shown in outcome.unfurls.items()})
        return ()
    if outcome.page is not None:
        return () if screens.page(request, outcome.page) else (_message(request, outcome, now, caller),)
    if request.kind == SUBMISSION:
        row = replace(live.row(request, handle(request), outcome, now), run_after=now + ACKNOWLEDGED)
        return (row, _message(request, outcome, now, caller)) if outcome.proposal else (row,)
    if outcome.sheet is None and outcome.live is None:
        message = _message(request, outcome, now, caller)
        beside = messages.companion(message)
        return (message,) if beside is None else (message, beside)
    row = live.row(request, handle(request), outcome, now)
    shown = live.compose(desk, row)
    if not screens.sheet(request, shown.sheet):
        return (_message(request, outcome, now, caller),)
    return () if shown.final and not live.kept(row) else (row,)


def _done(desk: Desk, request: Request, caller: Caller, lookups: Lookups) -> Performed:
    performer = PERFORMERS.get(request.kind)
    if performer is None:  # nothing here is shown for it: it ends, and is not tried again and again
        return Performed(None)
    return performer(desk, request, caller, lookups)


def _command(desk: Desk, request: Request, caller: Caller, lookups: Lookups) -> Performed:
    outcome = dispatch(
        request.text,
        caller,
        desk,
        placed(request.workspace, request.channel),
        lookups.people,
        modal=bool(request.trigger),
        request=request.id,
        uploads=lookups.uploads,
        rooms=lookups.rooms,
    )
    return Performed(outcome, outcome.deed)


def _click(desk: Desk, request: Request, caller: Caller, lookups: Lookups) -> Performed:
    call = Call(
        (),
        caller,
        desk,
        placed(request.workspace, request.channel),
        people=lookups.people,
        known=lookups.known,
        request=request.id,
        form=request.form,
    )
    performed = clicks.perform(request.text, call)
    there = request.form.get("kind") == HOME or request.text.startswith(home_clicks.FAMILY)
    return _at_home(desk, request, caller, performed) if there else performed


def _at_home(desk: Desk, request: Request, caller: Caller, performed: Performed) -> Performed:
    """Show in the Home tab what came of a click there; it has no channel, so what is more than a word goes to the person.

    A question is such a thing too: its message shows what becomes of it.
    """
    action = request.text.partition(" ")[0]
    outcome = performed.outcome
    if outcome is None and action in home_clicks.TURNING:  # it shows what was chosen already
        return performed
    if outcome is not None and (outcome.sheet is not None or outcome.live is not None):  # it opens a modal
        return performed
    own = action.startswith(home_clicks.FAMILY)
    asks = outcome is not None and bool(outcome.proposal)
    note = _note(outcome) if outcome is not None and own else NOTHING
    home.show(desk, caller.person, note=note, team=request.workspace)
    return Performed(None, performed.deed) if own and not asks else performed


def _note(outcome: Outcome) -> Text:
    return confirming.elsewhere(outcome) if outcome.proposal else outcome.reply.title


def _home(desk: Desk, request: Request, caller: Caller, _lookups: Lookups) -> Performed:
    """Have the Home tab published that somebody has opened: what is in it is looked up when it is."""
    home.show(desk, caller.person, team=request.workspace)
    return Performed(None)


def _submission(desk: Desk, request: Request, caller: Caller, lookups: Lookups) -> Performed:
    call = Call(
        (),
        caller,
        desk,
        placed(request.workspace, request.channel),
        people=lookups.people,
        known=lookups.known,
        uploads=lookups.uploads,
        request=request.id,
        form=request.form,
    )
    return sheets.perform(request.text, call)


def _links(desk: Desk, request: Request, caller: Caller, _lookups: Lookups) -> Performed:
    return Performed(unfurling.look(desk, request, caller))


PERFORMERS: Mapping[str, Callable[[Desk, Request, Caller, Lookups], Performed]] = {
    COMMAND: _command,
    CLICK: _click,
    SUBMISSION: _submission,
    HOME: _home,
    LINKS: _links,
}
"""What is done with each kind of request."""


def _given_up(request: Request) -> Performed:
    title = say("certdesk could not do this, and the fault is its own")
    hint = say("Try once more; if it fails again, tell the platform's engineers this id: {id}", id=request.id)
    outcome = Outcome(Reply(Tone.BAD, title, (Hint(hint),), private=True), exit_code=1)
    # nobody knows how far it came: better a row too many than one too few
    return Performed(outcome, Deed(request.kind, request.text[: audit.MOST], FAILED, title.plain()))
