"""The answer that add and renew have in common: what was taken is followed, what was refused is said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from commands import messages, naming
from commands.command import Call
from commands.reply import Outcome
from services.model.status import NameStatus


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for and what the use case made of it."""

    verb: str
    """``add`` or ``renew``."""
    read: Sequence[str | NameStatus]
    """The names, and the refusals of texts that cannot be names, in the order given."""
    taken: Sequence[NameStatus]
    """What the use case returned for the names."""
    store: str | None
    """The store that was named, if any."""


def answer(call: Call, asked: Asked) -> Outcome:
    """Return the outcome: exit code 1 if any name was refused or has no certificate to follow, else 0."""
    by_name = {status.name: status for status in asked.taken}
    statuses = tuple(by_name[one] if isinstance(one, str) else one for one in asked.read)
    taken = {status.name: status.certificate.id for status in statuses if status.certificate is not None}
    others = [status for status in statuses if status.name not in taken]
    refused = naming.refusals(others, call, asked.store)
    follows = tuple(dict.fromkeys(taken.values()))
    reply = messages.progress(call.desk, asked.verb, tuple(taken), follows, refused).reply
    return Outcome(
        reply=replace(reply, private=call.caller.limited),
        exit_code=1 if others else 0,
        data={"certificates": [status.as_json() for status in statuses]},
        follows=follows,
        verb=asked.verb,
        names=tuple(taken),
        refused=refused,
    )
