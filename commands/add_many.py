"""/ssl add with names of more certificates than one person may get alone: a job, once a second person has approved it."""

from collections.abc import Sequence
from dataclasses import replace

from commands import confirming, naming, views
from commands.caller import Action
from commands.command import Call
from commands.job_proposals import adding_comes, begins, chosen_in, cost_rows, done, kept, shown
from commands.proposable import Proposable, Question
from commands.refusals import refused_in, refused_to_json
from commands.reply import Fields, Outcome, Paragraph
from commands.spans import number
from services.bulk import plans
from services.bulk.kinds import ADD
from services.desk import Desk
from services.issuance import adding
from services.model.proposals import Decider, Proposal
from services.model.status import NameStatus
from services.model.text import Text, Value, say, say_n
from services.naming import registrable
from services.overview import without_certificate


def question(
    call: Call, read: Sequence[str | NameStatus], store: str | None, *, private: bool = False
) -> Outcome | None:
    """Ask a second person to get what was read, if it means more certificates than one person may get alone; else None.

    Names that have their certificate, or are getting it, do not count; those that are refused are said, as ever.
    """
    names = tuple(dict.fromkeys(one for one in read if isinstance(one, str)))
    if confirming.alone(call.desk, len(names)):
        return None
    subjects, ruled = adding.judge(call.desk, names, store=store, visible=call.caller.changes)
    bad = {name for name, found in ruled.items() if any(map(adding.refuses, found))}
    chosen = [
        plans.Chosen("", one.store.id, name)
        for name, one in subjects.items()
        if name not in bad and one.store is not None and not adding.has_one(one)
    ]
    if confirming.alone(call.desk, len(_certificates(chosen))):
        return None
    statuses = [
        without_certificate(subjects[one], ruled[one]) if isinstance(one, str) else one
        for one in read
        if not isinstance(one, str) or one in bad
    ]
    explained = [naming.explained(status, call, store) for status in statuses]
    refused = naming.refusals(explained, call, store)
    what = {
        "names": [one.name for one in chosen],
        "chosen": kept(sorted(chosen, key=lambda one: (one.store, registrable(one.name) or one.name))),
        "refused": [refused_to_json(one) for one in refused],
    }
    asked = confirming.ask(call, PROPOSABLE, what, *(one.store for one in chosen), private=private)
    return replace(asked, exit_code=1 if refused else 0)


def _certificates(chosen: Sequence[plans.Chosen]) -> set[tuple[str, str]]:
    """Return the certificates that the names would be in, as (store, registrable domain)."""
    return {(one.store, registrable(one.name) or one.name) for one in chosen}


def _question(desk: Desk, proposal: Proposal) -> Question:
    chosen = chosen_in(proposal)
    title = say_n(
        "Get a certificate for {count} name?", "Get certificates for {count} names?", count=len(chosen)
    )
    certificates = len(_certificates(chosen))
    rows: tuple[tuple[Text, Value], ...] = (
        (say("Names"), number(len(chosen))),
        (say("Stores"), number(len(proposal.stores))),
        (say("Certificates"), number(certificates)),
        *cost_rows(desk, proposal, certificates),
        (say("First of them"), views.shortened([one.name for one in chosen], 5)),
    )
    comes = adding_comes(proposal)
    parts = (Fields(rows), Paragraph(comes), *views.refusals(refused_in(proposal.what)))
    return Question(title, parts, say("Get them"))


PROPOSABLE = Proposable(
    name="add many",
    right=Action.CHANGE,
    decider=Decider.SECOND,
    question=_question,
    perform=begins(ADD),
    outcome=done,
    subject=lambda proposal: " ".join(proposal.what["names"]),
    progress=shown,
    danger=False,
)
