"""Does what a person asked for in Slack, by a command or a click: the request row in, one outbox message out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from commands import audit, clicks, messages
from commands.caller import Caller
from commands.clicks import Performed
from commands.command import Call, Known, People, strange, unasked
from commands.dispatch import dispatch
from commands.hearing import CLOSED, Rooms, heard
from commands.reply import Deed, Hint, Outcome, Reply, Tone
from commands.screens import BLIND, Screens
from services.approvals import asked_key
from services.desk import Desk
from services.model.identity import new_id
from services.model.text import say
from services.ports import Message, Request

COMMAND, CLICK = "command", "click"
"""Kinds of requests (`services.ports.Request.kind`)."""
MOST_TRIES = 5
"""A request that was begun so often and never finished brings its worker down: it is closed with an apology."""


def perform(
    desk: Desk,
    request: Request,
    caller: Caller,
    people: People = unasked,
    screens: Screens = BLIND,
    rooms: Rooms = CLOSED,
    *,
    known: Known = strange,
) -> None:
    """Do what ``request`` says and leave the answer in the outbox; in one transaction with it the request is finished.

    What was changed, or refused for want of a right, is put into the audit trail in the same transaction.

    Where not everybody who reads in the channel may hear the answer, it is for the asker alone.

    A click that shows in the clicked message itself has no answer, and what a modal or the Home tab shows needs none.

    Safe to repeat: the use cases are idempotent, and the message's key is the request's id. Raises LeaseLostError, and
    answers nothing, if another worker has claimed the request since.
    """
    done = _given_up(request) if request.tries > MOST_TRIES else _done(desk, request, caller, people, known)
    if done.outcome is not None:
        done = replace(done, outcome=heard(done.outcome, caller, request.channel, rooms))
    seen = done.outcome is None or _screened(request, done.outcome, screens)
    now = desk.clock()
    with desk.storage.write() as tx:
        if done.outcome is not None and not seen:
            tx.outbox.put(_message(request, done.outcome, now))
        tx.requests.finish(request, now)
        if done.deed is not None:
            tx.audit.append(audit.entry(done.deed, caller, now))


def typed(desk: Desk, words: Sequence[str], caller: Caller) -> Outcome:
    """Do what was typed in a terminal, keep it in the audit trail, and return the outcome."""
    outcome = dispatch(words, caller, desk)
    if outcome.deed is not None:
        with desk.storage.write() as tx:
            tx.audit.append(audit.entry(outcome.deed, caller, desk.clock()))
    return outcome


def _message(request: Request, outcome: Outcome, now: datetime) -> Message:
    kind, body = messages.content(outcome)
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
    )


def _screened(request: Request, outcome: Outcome, screens: Screens) -> bool:
    """Show what belongs into a modal or the Home tab, and tell whether it is seen there."""
    if outcome.sheet is not None:
        return screens.sheet(request, outcome.sheet)
    return outcome.page is not None and screens.page(request, outcome.page)


def _done(desk: Desk, request: Request, caller: Caller, people: People, known: Known) -> Performed:
    performer = PERFORMERS.get(request.kind)
    if performer is None:  # nothing here is shown for it: it ends, and is not tried again and again
        return Performed(None)
    return performer(desk, request, caller, people, known)


def _command(desk: Desk, request: Request, caller: Caller, people: People, _known: Known) -> Performed:
    outcome = dispatch(request.text, caller, desk, request.channel, people, request=request.id)
    return Performed(outcome, outcome.deed)


def _click(desk: Desk, request: Request, caller: Caller, people: People, known: Known) -> Performed:
    call = Call(
        (), caller, desk, request.channel, people=people, known=known, request=request.id, form=request.form
    )
    return clicks.perform(request.text, call)


PERFORMERS: Mapping[str, Callable[[Desk, Request, Caller, People, Known], Performed]] = {
    COMMAND: _command,
    CLICK: _click,
}
"""What is done with each kind of request."""


def _given_up(request: Request) -> Performed:
    title = say("certdesk could not do this, and the fault is its own")
    hint = say("Try once more; if it fails again, tell the platform's engineers this id: {id}", id=request.id)
    outcome = Outcome(Reply(Tone.BAD, title, (Hint(hint),), private=True), exit_code=1)
    # nobody knows how far it came: better a row too many than one too few
    return Performed(outcome, Deed(request.kind, request.text[: audit.MOST], audit.FAILED, title.plain()))
