"""/ssl renew NAME…: renew now; what is installed and not due yet only once it is confirmed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from commands import confirming, due, naming, picking, renew_cause, renew_many, views
from commands.asking import Asked, answer
from commands.caller import TERMINAL, Action
from commands.command import Call, Command, Narrower, Note, arguments, some_words
from commands.progressing import progress
from commands.proposable import Proposable, Question
from commands.refusals import refused_in, refused_to_json
from commands.reply import Outcome, Paragraph, Row, Rows
from services.desk import Desk
from services.model.proposals import Decider, Proposal
from services.model.status import NameStatus
from services.model.text import say, say_n
from services.ports import Transaction
from services.renewal import asking

CAUSE = "--cause"


def run(call: Call) -> Outcome:
    """Ask for a renewal of every name; one that is under way is joined.

    If any of them is installed and neither due nor in trouble, its renewal is a question first, but not in a terminal.
    Without a name, where a modal can be shown, those that are due or blocked are offered.
    """
    args = arguments(call, values=("--store", CAUSE))
    if CAUSE in args.values:
        return renew_cause.run(call, args)
    if call.modal and (asked := picking.instead_of_names(call, args)) is not None:
        return due.renewing_of(call, *asked)
    read = naming.read_all(some_words(args), call)
    names = tuple(one for one in read if isinstance(one, str))
    if call.caller.person != TERMINAL.person and (early := question(call, read, args.store)) is not None:
        return early
    taken = asking.renew(
        call.desk, names, store=args.store, visible=call.caller.changes, actor=call.caller.person
    )
    return answer(call, Asked("renew", read, taken, args.store))


def question(
    call: Call, read: Sequence[str | NameStatus], store: str | None, *, private: bool = False
) -> Outcome | None:
    """Propose the renewal of what was read if any of it is installed and neither due nor in trouble; None: nothing is.

    More certificates than one person may renew alone wait for a second one, be they due or not; those under way do not
    count. ``private``: for the asker's eyes alone.
    """
    names = tuple(one for one in read if isinstance(one, str))
    statuses = asking.standing(call.desk, names, store=store, visible=call.caller.changes)
    rows = {one.certificate.id: one.certificate for one in statuses if one.certificate is not None}
    many = not confirming.alone(call.desk, sum(row.resting for row in rows.values()))
    if not (many or any(asking.early(status, call.desk.clock()) for status in statuses)):
        return None
    by_name = {status.name: status for status in statuses}
    found = [by_name[one] if isinstance(one, str) else one for one in read]
    known = [naming.explained(status, call, store) for status in found]
    taken = {status.name: status.certificate for status in known if status.certificate is not None}
    refused = naming.refusals([status for status in known if status.certificate is None], call, store)
    what = {
        "names": list(taken),
        "certificates": list(dict.fromkeys(one.id for one in taken.values())),
        "refused": [refused_to_json(one) for one in refused],
    }
    if many:
        asked = renew_many.ask(call, taken, refused, private=private)
    else:
        stores = [one.store for one in taken.values()]
        asked = confirming.ask(call, PROPOSABLE, what, *stores, private=private)
    data = {**(asked.data or {}), "certificates": [status.as_json() for status in known]}
    return replace(asked, data=data, exit_code=1 if refused else 0)


def _question(desk: Desk, proposal: Proposal) -> Question:
    names, now = proposal.what["names"], desk.clock()
    statuses = asking.standing(desk, names, store=None, visible=proposal.sight)
    early = [status for status in statuses if asking.early(status, now)]
    shown = (early or statuses)[: views.MOST_ROWS]
    title = (
        say("Renew {name} now, before it is due?", name=views.shown(names[0]))
        if len(names) == 1
        else say_n("Renew {count} name now?", "Renew {count} names now?", count=len(names))
    )
    costs = say(
        "Nothing is wrong with it, and it renews by itself in time. A renewal now costs an order of what the CA's rate"
        " limits allow; visitors notice nothing."
    )
    if any(one.certificate is not None and one.certificate.held(now) for one in early):
        costs = say(
            "It was rolled back, and certdesk does not replace it before that. A renewal now ends the wait: a new certificate takes its"
            " place. It costs an order of what the CA's rate limits allow."
        )
    rows = Rows(tuple(_row(status) for status in shown))
    more = views.more(len(early) - len(shown))
    return Question(
        title, (rows, *more, Paragraph(costs), *views.refusals(refused_in(proposal.what))), say("Renew now")
    )


def _row(status: NameStatus) -> Row:
    detail = (
        say(
            "valid until {not_after}, renews by itself at {renew_at}",
            not_after=status.not_after,
            renew_at=status.next_attempt_at,
        )
        if status.not_after is not None and status.next_attempt_at is not None
        else views.detail(status)
    )
    return replace(views.row(status), detail=detail)


def _perform(_desk: Desk, tx: Transaction, proposal: Proposal, now: datetime) -> Mapping[str, Any]:
    certificates = proposal.what["certificates"]
    for certificate in certificates:
        asking.begin(tx, certificate, proposal.person, now)
    return {"follows": certificates}


def _done(desk: Desk, proposal: Proposal) -> Outcome:
    names, follows = tuple(proposal.what["names"]), tuple(proposal.what["certificates"])
    refused = refused_in(proposal.what)
    reply = progress(desk, "renew", names, follows, refused).reply
    return Outcome(reply, follows=follows, verb="renew", names=names, refused=refused)


PROPOSABLE = Proposable(
    name="renew",
    right=Action.CHANGE,
    decider=Decider.SELF,
    question=_question,
    perform=_perform,
    outcome=_done,
    subject=lambda proposal: " ".join(proposal.what["names"]),
    danger=False,
)

COMMAND = Command(
    name="renew",
    action=Action.CHANGE,
    summary=say("Renew certificates now"),
    usage="/ssl renew NAME… [--store STORE] | --cause CODE",
    narrower=Narrower(Action.ALERTS, "/ssl renew NAME… [--store STORE]"),
    notes=(
        Note(
            say(
                "{option} takes the code of a finding, such as {code}, in place of names: it renews every certificate that"
                " suffers from it, and tries those that wait for their first one because of it. In Slack a second person"
                " approves that first; in a terminal it begins at once. What stands in the way of renewals, you see with: {command}",
                option=CAUSE,
                code="dns.not_hosted",
                command="/ssl forecast",
            ),
            Action.ALERTS,
        ),
    ),
    example="/ssl renew shop.example.com",
    run=run,
    changes=True,
)
