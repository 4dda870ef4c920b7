"""/ssl remove NAME…: take names out of their certificates, once it is confirmed."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from commands import confirming, naming, views
from commands.caller import Action
from commands.command import Call, Command, arguments, some_words
from commands.proposable import Proposable, Question
from commands.refusals import refused_in, refused_to_json
from commands.reply import Hint, Outcome, Paragraph, Part, Refused, Reply, Rows, Tone
from services.desk import Desk
from services.issuance import removing
from services.model.certificates import Certificate
from services.model.proposals import Decider, Proposal
from services.model.status import NameStatus
from services.model.text import Text, say, say_n
from services.ports import Transaction
from services.renewal import asking


def run(call: Call) -> Outcome:
    """Ask whether to remove every name that is in a certificate of the caller's; the others are said."""
    args = arguments(call)
    read = naming.read_all(some_words(args), call)
    names = tuple(one for one in read if isinstance(one, str))
    standing = asking.standing(call.desk, names, store=args.store, visible=call.caller.changes)
    by_name = {status.name: status for status in standing}
    found = [by_name[one] if isinstance(one, str) else one for one in read]
    known = [naming.explained(status, call, args.store) for status in found]
    refused = naming.refusals([one for one in known if one.certificate is None], call, args.store)
    rows = {one.name: one.certificate for one in known if one.certificate is not None}
    if not rows:
        return _nothing(refused, known)
    certificates = tuple(dict.fromkeys(row.id for row in rows.values()))
    what = {
        "names": list(rows),
        "certificates": list(certificates),
        "refused": [refused_to_json(one) for one in refused],
    }
    decider = confirming.decided_by(call.desk, len(certificates))
    asked = confirming.ask(call, PROPOSABLE, what, *(row.store for row in rows.values()), decider=decider)
    after = asking.standing(call.desk, tuple(rows), store=args.store, visible=call.caller.changes)
    told = {one.name: one for one in (*known, *after)}
    data = {**(asked.data or {}), "certificates": [one.as_json() for one in told.values()]}
    return replace(asked, data=data, exit_code=1 if refused else asked.exit_code)


def _nothing(refused: tuple[Refused, ...], known: list[NameStatus]) -> Outcome:
    title = say("None of this is in a certificate of yours, so nothing was removed")
    data = {"certificates": [one.as_json() for one in known]}
    reply = Reply(Tone.WARN, title, views.refusals(refused), private=True)
    return Outcome(reply, exit_code=1, data=data, refused=refused)


def _rows(desk: Desk, proposal: Proposal) -> tuple[Certificate, ...]:
    with desk.storage.read() as tx:
        return tuple(tx.certificates.get_many(proposal.what["certificates"]))


def _question(desk: Desk, proposal: Proposal) -> Question:
    names = tuple(proposal.what["names"])
    title = (
        say("Remove {name} from its certificate?", name=views.shown(names[0]))
        if len(names) == 1
        else say_n("Remove {count} name from its certificate?", "Remove {count} names?", count=len(names))
    )
    standing = asking.standing(desk, names[: views.MOST_ROWS], store=None, visible=proposal.sight)
    parts: tuple[Part, ...] = (
        Rows(tuple(views.row(one) for one in standing)),
        *views.more(len(names) - len(standing)),
        *(Paragraph(text) for text in _comes(_rows(desk, proposal), frozenset(names))),
        *views.refusals(refused_in(proposal.what)),
    )
    return Question(title, parts, say("Remove"))


def _comes(rows: tuple[Certificate, ...], names: frozenset[str]) -> Iterator[Text]:
    """Yield what comes of it: for certificates that go on without the names, and for those that lose their last one."""
    ending = [row for row in rows if names >= set(row.wanted)]
    if len(ending) < len(rows):
        yield say(
            "What is installed keeps a removed name until the next renewal, which leaves it out; the other names of the"
            " certificate are renewed as ever."
        )
    for row in ending[: views.MOST_PROBLEMS]:
        if row.not_after is None:
            yield say(
                "It is the last name of the certificate for {domain}: certdesk gives up getting one.",
                domain=row.name,
            )
            continue
        yield say(
            "It is the last name of the certificate for {domain}: certdesk does not renew it any more. What is installed"
            " stays in use until it expires at {not_after}; visitors then see a warning.",
            domain=row.name,
            not_after=row.not_after,
        )


def _perform(desk: Desk, tx: Transaction, proposal: Proposal, now: datetime) -> Mapping[str, Any]:
    gone: list[str] = []
    for certificate in proposal.what["certificates"]:
        gone += removing.remove(desk, tx, certificate, proposal.what["names"], proposal.person, now)
    return {"removed": gone}


def _stays(desk: Desk, proposal: Proposal, gone: frozenset[str]) -> tuple[Part, ...]:
    """Return how long what is installed keeps the names that are gone, a line for each certificate."""
    with desk.storage.read() as tx:
        rows = tx.certificates.get_many(proposal.what["certificates"])
        had = tx.certificates.covered([row.installed for row in rows if row.installed])
    lines = []
    for row in rows[: views.MOST_PROBLEMS]:
        kept = [name for name in had.get(row.installed or "", ()) if name in gone and name not in row.wanted]
        if kept and row.not_after is not None and desk.clock() < row.not_after:
            lines.append(Paragraph(views.leaves(kept, row.renew_at, row.not_after)))
    return tuple(lines)


def _done(desk: Desk, proposal: Proposal) -> Outcome:
    gone = tuple(proposal.result.get("removed", ()))
    title = (
        say("{name} is removed from its certificate", name=views.shown(gone[0]))
        if len(gone) == 1
        else say_n("{count} name is removed", "{count} names are removed", count=len(gone))
    )
    if not gone:
        title = say("Nothing was left to remove")
    back = Hint(say("To get it back, type: {command}", command=views.typed("add", *gone[:3])))
    parts: tuple[Part, ...] = (
        (Paragraph(say("{names}", names=tuple(map(views.shown, gone)))),) if len(gone) > 1 else ()
    )
    refused = views.refusals(refused_in(proposal.what))
    reply = Reply(
        Tone.GOOD,
        title,
        (*parts, *_stays(desk, proposal, frozenset(gone)), *refused, *((back,) if gone else ())),
    )
    return Outcome(reply, data={"message": title.plain(), "removed": list(gone)})


PROPOSABLE = Proposable(
    name="remove",
    right=Action.CHANGE,
    decider=Decider.SELF,
    question=_question,
    perform=_perform,
    outcome=_done,
    subject=lambda proposal: " ".join(proposal.what["names"]),
)

COMMAND = Command(
    name="remove",
    action=Action.CHANGE,
    summary=say("Take names out of their certificates; without its last name one is not renewed any more"),
    usage="/ssl remove NAME… [--store STORE]",
    example="/ssl remove old.example.com",
    run=run,
    changes=True,
)
