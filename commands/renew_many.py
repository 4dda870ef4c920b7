"""/ssl renew with more names than one person may renew alone: a job, once a second person has approved it."""

from commands import confirming, views
from commands.caller import Action
from commands.command import Call
from commands.job_proposals import begins, chosen_in, cost_rows, done, kept, shown
from commands.proposable import Proposable, Question
from commands.refusals import refused_in, refused_to_json
from commands.reply import Fields, Outcome, Paragraph, Refused
from commands.spans import number
from services.bulk import plans
from services.bulk.kinds import RENEW_ALL
from services.bulk.steps import WIDTH
from services.desk import Desk
from services.model.certificates import Certificate
from services.model.proposals import Decider, Proposal
from services.model.text import Text, Value, say, say_n


def ask(
    call: Call, taken: dict[str, Certificate], refused: tuple[Refused, ...], *, private: bool = False
) -> Outcome:
    """Ask a second person for the renewal of the names that were ``taken``, each with its certificate."""
    first: dict[str, plans.Chosen] = {}
    for name, row in taken.items():
        first.setdefault(row.id, plans.Chosen(row.id, row.store, name))
    what = {
        "names": list(taken),
        "chosen": kept(tuple(first.values())),
        "refused": [refused_to_json(one) for one in refused],
    }
    return confirming.ask(call, PROPOSABLE, what, *(row.store for row in taken.values()), private=private)


def _question(desk: Desk, proposal: Proposal) -> Question:
    chosen = chosen_in(proposal)
    title = say_n("Renew {count} certificate?", "Renew {count} certificates?", count=len(chosen))
    rows: tuple[tuple[Text, Value], ...] = (
        (say("Certificates"), number(len(chosen))),
        (say("Stores"), number(len(proposal.stores))),
        *cost_rows(desk, proposal, len(chosen)),
        (say("First of them"), views.shortened([one.name for one in chosen], 5)),
    )
    comes = say(
        "Nothing is begun yet. Once it is approved, {width} certificates are at work at a time, as far as the CA's rate"
        " limits allow; it can be paused and cancelled. What is well and not due yet is renewed all the same.",
        width=WIDTH,
    )
    parts = (Fields(rows), Paragraph(comes), *views.refusals(refused_in(proposal.what)))
    return Question(title, parts, say("Renew now"))


PROPOSABLE = Proposable(
    name="renew many",
    right=Action.CHANGE,
    decider=Decider.SECOND,
    question=_question,
    perform=begins(RENEW_ALL),
    outcome=done,
    subject=lambda proposal: " ".join(proposal.what["names"]),
    progress=shown,
    danger=False,
)
