"""Does what a person asked for in Slack: the request row in, one outbox message out."""

from commands import messages
from commands.caller import Caller
from commands.dispatch import dispatch
from commands.reply import Hint, Outcome, Reply, Tone
from services.desk import Desk
from services.model.identity import new_id
from services.model.text import say
from services.ports import Message, Request

MOST_TRIES = 5
"""A request that was begun so often and never finished brings its worker down: it is closed with an apology."""


def perform(desk: Desk, request: Request, caller: Caller) -> None:
    """Do what ``request`` says and leave the answer in the outbox; in one transaction with it the request is finished.

    Safe to repeat: the use cases are idempotent, and the message's key is the request's id. Raises LeaseLostError, and
    answers nothing, if another worker has claimed the request since.
    """
    outcome = _given_up(request) if request.tries > MOST_TRIES else _done(desk, request, caller)
    kind, body = messages.content(outcome)
    now = desk.clock()
    message = Message(
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
    with desk.storage.write() as tx:
        tx.outbox.put(message)
        tx.requests.finish(request, now)


def _done(desk: Desk, request: Request, caller: Caller) -> Outcome:
    return dispatch(request.text, caller, desk, request.channel)


def _given_up(request: Request) -> Outcome:
    title = say("certdesk could not do this, and the fault is its own")
    hint = say("Try once more; if it fails again, tell the platform's engineers this id: {id}", id=request.id)
    return Outcome(Reply(Tone.BAD, title, (Hint(hint),), private=True), exit_code=1)
