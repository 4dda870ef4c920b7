"""/ssl history NAME: what has happened to a name's certificate, and who did it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from commands import history_words, naming, views
from commands.caller import Action, Caller
from commands.command import Call, Command, arguments, one_word
from commands.history_words import ITSELF
from commands.reply import Fields, Hint, Outcome, Paragraph, Part, Reply, Tone
from services import overview
from services.chronicle import ALERTED, AUDITED, audited
from services.chronicle import timeline as chronicle
from services.model.audit import Entry
from services.model.certificates import Happening
from services.model.clock import rfc3339
from services.model.status import NameStatus
from services.model.text import Item, Text, Value, say, say_n
from services.recalling.noting import RECALLED

MOST_SHOWN = 20
"""How many of the newest happenings an answer shows; --json has up to 200."""

WORDS: Mapping[str, Text] = {
    "added": say("Name added"),
    "removed": say("Name removed"),
    "asked": say("Asked for by a person"),
    "renewal_due": say("Renewal began by itself"),
    "retry_due": say("Next attempt began"),
    "checks_passed": say("Checks passed"),
    "checks_blocked": say("Checks found something in the way"),
    "csr_made": say("Key and CSR made"),
    "order_placed": say("Order placed at the CA"),
    "order_lost": say("The CA no longer knew the order"),
    "challenges_answered": say("Challenges answered"),
    "route_failed": say("One CA could not be used; the next one is tried"),
    "challenge_type_failed": say("Challenge failed; the next way is tried"),
    "validated": say("Control of the names proved"),
    "finalized": say("CSR sent to the CA"),
    "issued": say("Certificate issued"),
    "deployed": say("Certificate written to every target"),
    "deployed_in_part": say("Certificate written to some targets; the others are tried on"),
    "delivered": say("Certificate written to the targets that lacked it"),
    "verified": say("Installed, and seen at the edge"),
    "nothing_to_gain": say("Nothing new could be had now; the installed certificate stays"),
    "fault": say("A step failed for certdesk's own reasons and is repeated"),
    "unproved": say("Certificate installed, but not seen at the edge yet"),
    "postponed": say("Put off until it can succeed"),
    "checked": say("Checked ahead of renewal"),
    "evidence": say("Evidence of a fix"),
    ALERTED: say("Part of an alert"),
    "told": say("People were told, in the channel"),
    "alert_acknowledged": say("Alert acknowledged"),
    "alert_snoozed": say("Alert snoozed"),
    "alert_handed_over": say("Alert handed to support"),
    "cleared": say("No longer part of the alert about"),
    "attempt_failed": say("Attempt failed"),
    "key_barred": say("The key must not be used; a new one is made"),
    "rolled_back": say("Rolled back to the certificate before"),
    "rollback_approved": say("Roll-back approved"),
    "rollback_called_off": say("Roll-back called off"),
    RECALLED: say("To be replaced for the CA; it waits for its turn"),
    "revocation_asked": say("Revocation begun"),
    "revoked": say("Revoked at the CA"),
    "handed_over": say("Handed over to support"),
}
"""What the stable names of happenings mean; a test holds it complete for the lifecycle's events."""


INTERNAL = frozenset({ALERTED, "told", "cleared", "alert_acknowledged", "alert_snoozed", "alert_handed_over"})
"""What only the platform's own people are shown."""


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
    certificate = status.certificate
    if certificate is None:
        return ()
    caller = call.caller
    # a merchant is not told what was before the name was theirs
    since = certificate.created_at if caller.limited else None
    with call.desk.storage.read() as tx:
        rows = chronicle(tx, certificate.id)
        deeds = audited(tx, certificate, status.name, since=since)
    shown = (
        *(_happened(row, caller) for row in rows if not _internal(row, caller)),
        *(_done(row, caller) for row in deeds if history_words.visible(row, caller)),
    )
    return tuple(sorted(shown, key=lambda row: row.at))


def _happened(row: Happening, caller: Caller) -> Shown:
    return Shown(row.at, _line(row, caller), _to_json(row, caller))


def _done(row: Entry, caller: Caller) -> Shown:
    """Return what the audit trail has of the name. The machine contract leaves out the subject, which may name others' names."""
    about = f"{row.action} ({row.reason})" if row.reason and not caller.limited else row.action
    happening = Happening("", row.at, AUDITED[row.result], row.actor, details=about)
    return Shown(row.at, history_words.line(row, caller), _to_json(happening, caller))


def _internal(row: Happening, caller: Caller) -> bool:
    """Tell whether a row is none of the reader's business: alerts are for the platform's own people."""
    return caller.limited and row.what in INTERNAL


def timeline(rows: Sequence[Happening], caller: Caller, most: int = MOST_SHOWN) -> tuple[Part, ...]:
    """Return the newest ``most`` rows as a time line, oldest first, as far as the caller may know them."""
    return _timeline(tuple(_happened(row, caller) for row in rows), most)


def _timeline(rows: Sequence[Shown], most: int = MOST_SHOWN) -> tuple[Part, ...]:
    shown = rows[-most:]
    pairs = tuple((say("{at}", at=row.at), row.line) for row in shown)
    earlier = len(rows) - len(shown)
    return (
        *(
            (
                Hint(
                    say_n(
                        "{count} earlier line is not shown.",
                        "{count} earlier lines are not shown.",
                        count=earlier,
                    )
                ),
            )
            if earlier
            else ()
        ),
        Fields(pairs),
    )


def _line(row: Happening, caller: Caller) -> Text:
    what = WORDS.get(row.what) or say("{what}", what=row.what)
    details = _details(row, caller)
    if row.actor == ITSELF:
        return say("{what}: {details}", what=what, details=details) if details else what
    template = "{what}: {details} (by {actor})" if details else "{what} (by {actor})"
    return say(template, what=what, details=details, actor=history_words.who(row.actor, caller))


def _details(row: Happening, caller: Caller) -> Item:
    """Return the details; addresses such as an order's are for the platform's own people, who can ask the CA."""
    return _without_addresses(row.details) if caller.limited else row.details


def _without_addresses(said: Item) -> Item:
    if isinstance(said, Text):
        return replace(said, values=tuple((gap, _bare(value)) for gap, value in said.values))
    return " ".join(word for word in said.split() if "://" not in word)


def _bare(value: Value) -> Value:
    if isinstance(value, tuple):
        return tuple(_without_addresses(item) for item in value)
    return _without_addresses(value) if isinstance(value, str | Text) else value


def _actor(row: Happening, caller: Caller) -> Item:
    """Return who did it. A merchant is not told which person of the platform it was."""
    if row.actor in {ITSELF, caller.person} or not caller.limited:
        return row.actor
    return say("support")


def _to_json(row: Happening, caller: Caller) -> dict[str, Any]:
    return {
        "at": rfc3339(row.at),
        "what": row.what,
        "state": row.state,
        "actor": str(_actor(row, caller)),
        "details": str(_details(row, caller)),
    }


COMMAND = Command(
    name="history",
    action=Action.LOOK,
    summary=say("Show what has happened to a name's certificate"),
    usage="/ssl history NAME [--store STORE]",
    example="/ssl history shop.example.com",
    run=run,
)
