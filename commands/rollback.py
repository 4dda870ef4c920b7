"""/ssl rollback NAME: puts the certificate before the present one back, once a second person has approved it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from commands import confirming, naming, views
from commands.caller import Action
from commands.command import Call, Command, arguments, one_word
from commands.proposable import Proposable, Question
from commands.reply import Composed, Fields, Hint, Outcome, Paragraph, Reply, Tone
from commands.rollback_view import as_json, hold, rollback_view
from services import overview
from services.deployment import rollback
from services.desk import Desk
from services.model.certificates import Certificate
from services.model.proposals import Decider, Proposal
from services.model.status import NameStatus
from services.model.text import Text, Value, say
from services.ports import Transaction


def run(call: Call) -> Outcome:
    """Ask a second person whether to put back the certificate that was installed for NAME before the present one."""
    args = arguments(call)
    name = naming.read(one_word(args), call)
    if isinstance(name, NameStatus):
        return naming.refuse(call, name)
    status = overview.describe(call.desk, name, store=args.store, visible=call.caller.rolls_back)
    row = status.certificate
    if status.store is None:
        return naming.refuse(call, status, args.store)
    if row is None:
        return naming.refuse(call, status, args.store, title=_nothing(name))
    with call.desk.storage.read() as tx:
        found = rollback.candidate(call.desk, tx, row, call.desk.clock())
    if isinstance(found, Text):
        return _none(name, row, found)
    what = {
        "name": name,
        "certificate": row.id,
        "revision": found.id,
        "serial": found.serial,
        "installed": row.installed,
        "instead_of": row.serial,
    }
    return confirming.ask(call, PROPOSABLE, what, row.store)


def _nothing(name: str) -> Text:
    return say("There is nothing to roll back to for {name}", name=views.shown(name))


def _none(name: str, row: Certificate, why: Text) -> Outcome:
    title = _nothing(name)
    hint = Hint(
        say(
            "Nothing was changed. To get a new certificate, type: {command}",
            command=views.typed("renew", name),
        )
    )
    reply = Reply(Tone.WARN, title, (Paragraph(why), hint), private=True)
    return Outcome(reply, exit_code=1, data={"message": why.plain(), "serial": row.serial})


def _question(desk: Desk, proposal: Proposal) -> Question:
    what = proposal.what
    with desk.storage.read() as tx:
        revision = tx.certificates.revision(what["revision"])
        live = tx.certificates.revision(what["installed"])
    names = revision.names if revision is not None else (what["name"],)
    rows: tuple[tuple[Text, Value], ...] = (
        (say("Names"), views.shortened(names, 5)),
        (say("Back to"), views.known(what["serial"])),
        (say("Valid until"), views.known(revision.not_after if revision is not None else None)),
        (say("Installed now"), views.known(what["instead_of"])),
        (say("Valid until"), views.known(live.not_after if live is not None else None)),
    )
    title = say("Roll the certificate of {name} back to the one before?", name=views.shown(what["name"]))
    comes = say(
        "It is deployed to every target and seen to be served, which takes about a minute and costs nothing at the CA. What is"
        " installed now is kept, neither revoked nor barred; a newer certificate comes with the next renewal."
    )
    held = (
        (Paragraph(hold(revision, desk.renewing.rollback_hold, desk.clock())),)
        if revision is not None
        else ()
    )
    return Question(title, (Fields(rows), Paragraph(comes), *held), say("Roll back"))


def _perform(desk: Desk, tx: Transaction, proposal: Proposal, now: datetime) -> Mapping[str, Any]:
    what = proposal.what
    wish = rollback.Wish(
        certificate=what["certificate"],
        revision=what["revision"],
        installed=what["installed"],
        person=proposal.person,
        approved_by=proposal.decided_by or "",
    )
    begun = rollback.roll_back(desk, tx, wish, now)
    return {"follows": [begun.id]}


def _shown(desk: Desk, proposal: Proposal, _merchants: bool = False) -> Composed:
    return rollback_view(desk, proposal.what)


def _done(desk: Desk, proposal: Proposal) -> Outcome:
    reply = _shown(desk, proposal).reply
    with desk.storage.read() as tx:
        row = tx.certificates.get(proposal.what["certificate"])
    told = row.rollback if row is not None else None
    data = {"name": proposal.what["name"], "rollback": as_json(told) if told is not None else None}
    return Outcome(reply, data=data)


PROPOSABLE = Proposable(
    name="rollback",
    right=Action.ROLL_BACK,
    decider=Decider.SECOND,
    question=_question,
    perform=_perform,
    outcome=_done,
    subject=lambda proposal: f"{proposal.what['name']} {proposal.what['serial']}",
    progress=_shown,
)

COMMAND = Command(
    name="rollback",
    action=Action.ROLL_BACK,
    summary=say("Put the certificate before the present one back, once a second person has approved it"),
    usage="/ssl rollback NAME [--store STORE]",
    example="/ssl rollback shop.example.com",
    run=run,
    changes=True,
)
