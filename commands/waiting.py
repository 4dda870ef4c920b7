"""Following what add and renew have begun until it ends, for `--wait` in a terminal."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from commands import messages
from commands.caller import Caller
from commands.progress import Followed
from commands.reply import Outcome, Reply
from services import overview
from services.desk import Desk
from services.model.lifecycle import State


def watch(desk: Desk, outcome: Outcome, pause: Callable[[], bool]) -> Iterator[Reply]:
    """Yield the answer to ``outcome`` whenever it has changed, until every certificate rests.

    ``pause`` waits a moment between two looks and returns False when there is no more time to wait.
    """
    last: Reply | None = None
    while True:
        ended = _ended(desk, outcome)
        reply = messages.progress(desk, outcome.verb, outcome.names, outcome.follows, outcome.refused).reply
        if reply != last:
            yield reply
        last = reply
        if ended or not pause():
            return


def result(desk: Desk, outcome: Outcome, caller: Caller, store: str | None = None) -> Outcome:
    """Return ``outcome`` as it has ended: exit code 0 if every name asked for is installed, else 1."""
    now = {name: overview.describe(desk, name, store=store, visible=caller.sees) for name in outcome.names}
    composed = messages.progress(desk, outcome.verb, outcome.names, outcome.follows, outcome.refused)
    before = outcome.data["certificates"] if outcome.data else []
    certificates = [now[one["name"]].as_json() if one["name"] in now else one for one in before]
    good = composed.final and not outcome.refused
    return replace(
        outcome,
        reply=replace(composed.reply, private=outcome.reply.private),
        exit_code=0 if good else 1,
        data={"certificates": certificates},
    )


def _ended(desk: Desk, outcome: Outcome) -> bool:
    now = desk.clock()
    return all(_rests(one, now) for one in messages.look(desk, outcome.names, outcome.follows))


def _rests(one: Followed, now: datetime) -> bool:
    """Tell whether nothing more happens for now. An installed certificate may be about to get the names it lacks."""
    certificate = one.certificate
    waits = certificate.retry_at is not None and certificate.retry_at > now
    return certificate.resting and (certificate.state is not State.INSTALLED or not one.missing or waits)
