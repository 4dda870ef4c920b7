"""/ssl history NAME: what has happened to a name's certificate, and who did it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commands import happening_words, naming, persons, trail_words, views
from commands.caller import Action, Caller
from commands.command import Call, Command, arguments, one_word
from commands.reply import Fields, Hint, Outcome, Paragraph, Part, Reply, Tone
from services import chronicle, overview
from services.model.audit import Entry
from services.model.certificates import Happening
from services.model.clock import rfc3339
from services.model.status import NameStatus
from services.model.text import Text, say, say_n

MOST_SHOWN = 20
"""How many of the newest happenings an answer shows; --json has up to 200."""


def run(call: Call) -> Outcome:
    """Show the history of NAME's certificate, oldest first."""
    args = arguments(call)
    name = naming.read(one_word(args), call)
    if isinstance(name, NameStatus):
        return naming.refuse(call, name)
    status = overview.describe(call.desk, name, store=args.store, visible=call.caller.sees)
    if status.store is None:
        return naming.refuse(call, status, args.store)
    rows = _history(call, status)
    data = {"name": name, "store": status.store, "history": [row.data for row in rows]}
    title = say("What has happened to {name}", name=views.shown(name))
    parts = _timeline(rows) if rows else _nothing_yet(status)
    reply = Reply(Tone.INFO, title, parts, private=call.caller.limited)
    # orders' addresses, alerts and who of the platform did what are for its own people
    return Outcome(reply, data=data, staff_only=not call.caller.limited)


def _nothing_yet(status: NameStatus) -> tuple[Part, ...]:
    """Return what there is to say of a name without a certificate: why it can have none, or how to get one."""
    nothing = Paragraph(
        say("Nothing yet: there is no certificate for {name}.", name=views.shown(status.name))
    )
    return (nothing, *(views.problems(status.findings) or (naming.none_yet(status.name),)))


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of a history, as its reader may know it."""

    at: datetime
    line: Text
    data: Mapping[str, Any]


def _history(call: Call, status: NameStatus) -> tuple[Shown, ...]:
    certificate, caller = status.certificate, call.caller
    if certificate is None:
        return ()
    # a merchant is not told what was before the name was theirs
    since = certificate.created_at if caller.limited else None
    with call.desk.storage.read() as tx:
        happenings = chronicle.timeline(tx, certificate.id)
        entries = chronicle.audited(tx, certificate, status.name, since=since)
    shown = (
        *(_happened(row, caller) for row in happenings if happening_words.visible(row, caller)),
        *(_audited(row, caller) for row in entries if trail_words.visible(row, caller)),
    )
    return tuple(sorted(shown, key=lambda row: row.at))


def _happened(row: Happening, caller: Caller) -> Shown:
    data = {
        "at": rfc3339(row.at),
        "what": row.what,
        "state": row.state,
        "actor": _actor(row.actor, caller),
        "details": str(happening_words.details(row, caller)),
    }
    return Shown(row.at, happening_words.line(row, caller), data)


def _audited(row: Entry, caller: Caller) -> Shown:
    """Return what the audit trail has of the name. The machine contract leaves out the subject, which may name others' names."""
    data = {
        "at": rfc3339(row.at),
        "what": chronicle.AUDITED[row.result],
        "state": "",
        "actor": _actor(row.actor, caller),
        "details": f"{row.action} ({row.reason})" if row.reason and not caller.limited else row.action,
    }
    return Shown(row.at, trail_words.line(row, caller), data)


def _actor(who: str, caller: Caller) -> str:
    return "support" if persons.hidden(who, caller) else who


def timeline(rows: Sequence[Happening], caller: Caller, most: int = MOST_SHOWN) -> tuple[Part, ...]:
    """Return the newest ``most`` rows as a time line, oldest first, as far as the caller may know them."""
    return _timeline([_happened(row, caller) for row in rows], most)


def _timeline(rows: Sequence[Shown], most: int = MOST_SHOWN) -> tuple[Part, ...]:
    shown = Fields(tuple((say("{at}", at=row.at), row.line) for row in rows[-most:]))
    earlier = len(rows) - most
    if earlier <= 0:
        return (shown,)
    hint = say_n("{count} earlier line is not shown.", "{count} earlier lines are not shown.", count=earlier)
    return Hint(hint), shown


COMMAND = Command(
    name="history",
    action=Action.LOOK,
    summary=say("Show what has happened to a name's certificate"),
    usage="/ssl history NAME [--store STORE]",
    example="/ssl history shop.example.com",
    run=run,
)
