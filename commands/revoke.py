"""/ssl revoke NAME --reason REASON: has a certificate revoked, once a second person has approved it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from commands import confirming, naming, views
from commands.caller import Action
from commands.command import Call, Command, UsageError, arguments, one_word
from commands.proposable import Proposable, Question
from commands.reply import Composed, Fields, Hint, Outcome, Paragraph, Reply, Tone
from commands.revocation_view import REASONS, as_json, revocation_view
from services import overview
from services.desk import Desk
from services.model.certificates import Certificate, Revision
from services.model.proposals import Decider, Proposal
from services.model.revoking import Reason
from services.model.status import NameStatus
from services.model.text import Text, Value, say
from services.ports import Transaction
from services.revoking import asking

_REASONS = {one.value.casefold(): one for one in Reason}


def run(call: Call) -> Outcome:
    """Ask a second person whether to revoke the certificate of NAME that is installed, or the one with the serial given."""
    args = arguments(call, values=("--store", "--reason", "--serial"))
    word, reason = one_word(args), _reason(args.values.get("--reason"))
    name = naming.read(word, call)
    if isinstance(name, NameStatus):
        return naming.refuse(call, name)
    status = overview.describe(call.desk, name, store=args.store, visible=call.caller.revokes)
    row = status.certificate
    if status.store is None:
        return naming.refuse(call, status, args.store)
    if row is None:
        return naming.refuse(call, status, args.store, title=_nothing(name))
    revision = _chosen(call, row, args.values.get("--serial"))
    if revision is None:
        return _none(name, row)
    what = {
        "name": name,
        "certificate": row.id,
        "revision": revision.id,
        "serial": revision.serial,
        "reason": reason.value,
    }
    return confirming.ask(call, PROPOSABLE, what, row.store)


def _reason(given: str | None) -> Reason:
    listed = ", ".join(Reason)
    if given is None:
        raise UsageError(
            say("{option} is missing. It is one of: {reasons}", option="--reason", reasons=listed)
        )
    found = _REASONS.get(given.casefold())
    if found is None:
        raise UsageError(
            say("{given} is no reason. It is one of: {reasons}", given=views.clipped(given), reasons=listed)
        )
    return found


def _chosen(call: Call, row: Certificate, serial: str | None) -> Revision | None:
    """Return the revision that is meant, if it can be revoked."""
    with call.desk.storage.read() as tx:
        found = asking.revocable(
            tx.certificates.revisions(row.id), tx.revocations.of(row.id), row.installed, call.desk.clock()
        )
    if serial is None:
        return next((one for one in found if one.id == row.installed), None)
    wanted = serial.casefold().replace(":", "").lstrip("0")
    return next((one for one in found if (one.serial or "").lstrip("0") == wanted), None)


def _nothing(name: str) -> Text:
    return say("There is nothing to revoke for {name}", name=views.shown(name))


def _none(name: str, row: Certificate) -> Outcome:
    title = _nothing(name)
    why = say(
        "What can be revoked was issued by certdesk for this name, has not expired, and is not revoked or being revoked"
        " already."
    )
    hint = Hint(say("To see how it stands, type: {command}", command=views.typed("status", name)))
    reply = Reply(Tone.WARN, title, (Paragraph(why), hint), private=True)
    return Outcome(reply, exit_code=1, data={"message": title.plain(), "serial": row.serial})


def _question(desk: Desk, proposal: Proposal) -> Question:
    what, reason = proposal.what, Reason(proposal.what["reason"])
    with desk.storage.read() as tx:
        row = tx.certificates.get(what["certificate"])
        revision = tx.certificates.revision(what["revision"])
    names = revision.names if revision is not None else (what["name"],)
    rows: tuple[tuple[Text, Value], ...] = (
        (say("Names"), views.shortened(names, 5)),
        (say("Serial number"), views.known(what["serial"])),
        (say("CA"), views.known(revision.ca if revision is not None else None)),
        (say("Valid until"), views.known(revision.not_after if revision is not None else None)),
        (say("Reason"), say("{reason}: {meaning}", reason=reason.value, meaning=REASONS[reason])),
    )
    installed = row is not None and row.installed == what["revision"] and bool(row.wanted)
    title = say("Revoke the certificate of {name}?", name=views.shown(what["name"]))
    return Question(title, (Fields(rows), Paragraph(_comes(reason, installed=installed))), say("Revoke"))


def _comes(reason: Reason, *, installed: bool) -> Text:
    """Return what comes of it: it cannot be taken back."""
    if reason is Reason.KEY_COMPROMISE and installed:
        return say(
            "The CA is told at once, and browsers may refuse the certificate from then on. The key is barred for ever, and a"
            " new certificate with a new key is ordered at once, ahead of all others. This cannot be taken back."
        )
    if reason is Reason.KEY_COMPROMISE:
        return say("The CA is told at once, and the key is barred for ever. This cannot be taken back.")
    if installed:
        return say(
            "First a new certificate is issued and seen to be served; then the CA is told that this one is revoked. Visitors"
            " notice nothing. It costs an order of what the CA's rate limits allow, and cannot be taken back."
        )
    return say("It is not what visitors are served, so the CA is told at once. This cannot be taken back.")


def _perform(desk: Desk, tx: Transaction, proposal: Proposal, now: datetime) -> Mapping[str, Any]:
    what = proposal.what
    wish = asking.Wish(
        id=proposal.id.replace("prop_", "rvk_", 1),
        certificate=what["certificate"],
        revision=what["revision"],
        name=what["name"],
        reason=Reason(what["reason"]),
        person=proposal.person,
    )
    begun = asking.revoke(desk, tx, wish, now)
    return {"follows": [begun.id, begun.certificate], "revocation": begun.id}


def _shown(desk: Desk, proposal: Proposal, _merchants: bool = False) -> Composed:
    return revocation_view(desk, str(proposal.result.get("revocation", "")))


def _done(desk: Desk, proposal: Proposal) -> Outcome:
    reply = _shown(desk, proposal).reply
    with desk.storage.read() as tx:
        found = tx.revocations.get(str(proposal.result.get("revocation", "")))
    data = {"name": proposal.what["name"], "revocation": as_json(found) if found is not None else None}
    return Outcome(reply, data=data)


PROPOSABLE = Proposable(
    name="revoke",
    right=Action.REVOKE,
    decider=Decider.SECOND,
    question=_question,
    perform=_perform,
    outcome=_done,
    subject=lambda proposal: f"{proposal.what['name']} {proposal.what['serial']} {proposal.what['reason']}",
    progress=_shown,
)

COMMAND = Command(
    name="revoke",
    action=Action.REVOKE,
    summary=say("Have a certificate revoked at its CA, once a second person has approved it"),
    usage="/ssl revoke NAME --reason REASON [--serial SERIAL] [--store STORE]",
    example="/ssl revoke shop.example.com --reason keyCompromise",
    run=run,
    changes=True,
)
