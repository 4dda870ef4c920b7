"""Does what a person asked for in Slack, by a command or a click: the request row in, one outbox message out."""

from datetime import datetime

from commands import clicks, messages
from commands.caller import Caller
from commands.command import Call
from commands.dispatch import dispatch
from commands.reply import Hint, Outcome, Reply, Tone
from services.desk import Desk
from services.model.identity import new_id
from services.model.text import say
from services.ports import Message, Request

CLICK = "click"
"""The kind of a request that is a click; its text is the action's id, then its value."""
MOST_TRIES = 5
"""A request that was begun so often and never finished brings its worker down: it is closed with an apology."""


def perform(desk: Desk, request: Request, caller: Caller) -> None:
    """Do what ``request`` says and leave the answer in the outbox; in one transaction with it the request is finished.

    A click that shows in the clicked message itself has no answer.

    Safe to repeat: the use cases are idempotent, and the message's key is the request's id. Raises LeaseLostError, and
    answers nothing, if another worker has claimed the request since.
    """
    outcome = _given_up(request) if request.tries > MOST_TRIES else _done(desk, request, caller)
    now = desk.clock()
    with desk.storage.write() as tx:
        if outcome is not None:
            tx.outbox.put(_message(request, outcome, now))
        tx.requests.finish(request, now)


def _message(request: Request, outcome: Outcome, now: datetime) -> Message:
    kind, body = messages.content(outcome)
    return Message(
        id=new_id("msg"),
        key=f"request:{request.id}",
        kind=kind,
        channel=request.channel,
        user=request.user,
        private=outcome.reply.private,
        body=body,
        created_at=now,
        follows=outcome.follows,
        run_after=now,
    )


def _done(desk: Desk, request: Request, caller: Caller) -> Outcome | None:
    """Return the answer; None for a click whose effect the clicked message itself shows."""
    if request.kind == CLICK:
        return clicks.perform(request.text, Call((), caller, desk, request.channel))
    return dispatch(request.text, caller, desk, request.channel)


def _given_up(request: Request) -> Outcome:
    title = say("certdesk could not do this, and the fault is its own")
    hint = say("Try once more; if it fails again, tell the platform's engineers this id: {id}", id=request.id)
    return Outcome(Reply(Tone.BAD, title, (Hint(hint),), private=True), exit_code=1)
