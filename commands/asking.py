"""The answer that add and renew have in common: what was taken is followed, what was refused is said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from commands import naming, views
from commands.command import Call
from commands.progressing import progress
from commands.reply import Hint, Outcome, Part, Reply
from services.model.status import NameStatus
from services.model.text import say
from services.overview import owned_subject


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


def _foreseen(call: Call, statuses: Sequence[NameStatus], store: str | None) -> tuple[Part, ...]:
    """Return what is known already to hold up work that has just begun, such as an inactive store; the wish is kept.

    The rules are asked anew: the findings of a certificate under way may be those of its last attempt.
    """
    begun = [one.name for one in statuses if one.certificate is not None and not one.certificate.resting]
    with call.desk.storage.read() as tx:
        subjects = [owned_subject(tx, name, store, call.caller.sees) for name in begun]
    ruled = (finding for subject in subjects for finding in call.desk.checker.rules(subject))
    found = {finding.code: finding for finding in ruled if finding.blocks}
    if not found:
        return ()
    kept = Hint(say("What was asked for is kept: certdesk goes on by itself as soon as that is mended."))
    return (*views.problems(found.values()), kept)


def _there_already(call: Call, reply: Reply, statuses: Sequence[NameStatus]) -> Outcome:
    """Return the answer to who asks for what is installed: there is nothing to follow."""
    title = (
        say("{name} is installed already; nothing was changed", name=views.shown(statuses[0].name))
        if len(statuses) == 1
        else say("These {count} names are installed already; nothing was changed", count=len(statuses))
    )
    return Outcome(
        reply=replace(reply, title=title, private=call.caller.limited),
        data={"certificates": [status.as_json() for status in statuses]},
        subject=" ".join(status.name for status in statuses),
    )


def answer(call: Call, asked: Asked) -> Outcome:
    """Return the outcome: exit code 1 if any name was refused or has no certificate to follow, else 0."""
    by_name = {status.name: status for status in asked.taken}
    found = (by_name[one] if isinstance(one, str) else one for one in asked.read)
    statuses = tuple(naming.explained(status, call, asked.store) for status in found)
    taken = {status.name: status.certificate.id for status in statuses if status.certificate is not None}
    others = [status for status in statuses if status.name not in taken]
    refused = naming.refusals(others, call, asked.store)
    follows = tuple(dict.fromkeys(taken.values()))
    composed = progress(call.desk, asked.verb, tuple(taken), follows, refused)
    if (
        asked.verb == "add" and taken and not others and composed.final
    ):  # what has just begun is not installed yet
        return _there_already(call, composed.reply, statuses)
    reply = composed.reply
    return Outcome(
        reply=replace(
            reply, parts=reply.parts + _foreseen(call, statuses, asked.store), private=call.caller.limited
        ),
        exit_code=1 if others else 0,
        data={"certificates": [status.as_json() for status in statuses]},
        follows=follows,
        verb=asked.verb,
        names=tuple(taken),
        refused=refused,
        subject=" ".join(status.name for status in statuses),
    )
