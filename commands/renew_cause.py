"""/ssl renew --cause CODE: renews every certificate that suffers from one cause, once a second person has approved it."""

from collections.abc import Sequence

from commands import confirming, views
from commands.caller import Action
from commands.command import Arguments, Call, UsageError
from commands.help import no_access
from commands.job_proposals import begins, chosen_in, cost_rows, counted, done, kept, shown
from commands.proposable import Proposable, Question
from commands.reply import Fields, Hint, Outcome, Paragraph, Part, Reply, Tone
from commands.spans import number
from services.bulk import plans
from services.bulk.kinds import RENEW
from services.bulk.steps import WIDTH
from services.desk import Desk
from services.model.findings import CODES
from services.model.proposals import Decider, Proposal
from services.model.text import Text, Value, say, say_n


def run(call: Call, args: Arguments) -> Outcome:
    """Count what a renewal of all that suffer from the cause would mean, and ask a second person; in a terminal begin it.

    Raises UsageError for names besides the cause, and for what is no code of a finding.
    """
    if not call.caller.may(Action.ALERTS):
        return no_access(call.caller, Action.ALERTS)
    code = args.values["--cause"].casefold()
    if args.words:
        raise UsageError(
            say("Give either names or {option}: it chooses the certificates by itself.", option="--cause")
        )
    if code not in CODES:
        raise UsageError(
            say(
                "{code} is no code of a finding. Alerts and {command} show them.",
                code=code,
                command="/ssl forecast",
            )
        )
    return propose(call, code, plans.suffering(call.desk, code, args.store))


def propose(call: Call, code: str, suffering: Sequence[plans.Chosen]) -> Outcome:
    """Ask a second person to have those of ``suffering`` from the cause renewed that the caller may; in a terminal begin it."""
    chosen = [one for one in suffering if call.caller.changes(one.store)]
    if not chosen:
        return _none(code)
    what = {"code": code, "chosen": kept(chosen), "new": sum(one.new for one in chosen)}
    return confirming.ask(call, PROPOSABLE, what, *(one.store for one in chosen))


def _none(code: str) -> Outcome:
    title = say("No certificate suffers from {code} now", code=code)
    hint = Hint(
        say("What stands in the way of renewals, you see with: {command}", command=views.typed("forecast"))
    )
    return Outcome(Reply(Tone.GOOD, title, (hint,), private=True), data={"message": title.plain()})


def _question(desk: Desk, proposal: Proposal) -> Question:
    chosen = chosen_in(proposal)
    code = str(proposal.what["code"])
    title = say_n(
        "Renew {count:,} certificate that suffers from {code}?",
        "Renew {count:,} certificates that suffer from {code}?",
        count=len(chosen),
        code=code,
    )
    new = int(proposal.what.get("new", 0))
    rows: tuple[tuple[Text, Value], ...] = (
        (say("Certificates"), number(len(chosen))),
        *(((say("Never installed yet"), number(new)),) if new else ()),
        (say("Stores"), number(len(proposal.stores))),
        *cost_rows(desk, proposal, len(chosen)),
        (say("First of them"), views.shortened([one.name for one in chosen], 5)),
    )
    comes = say(
        "Nothing is begun yet. Once it is approved, {width} certificates are at work at a time, as far as the CA's rate"
        " limits allow; it can be paused and cancelled. What is well by then is left alone, and where the cause still"
        " stands, nothing is ordered.",
        width=WIDTH,
    )
    first: tuple[Part, ...] = ()
    if len(chosen) == plans.MOST:
        first = (Hint(say("No more than {most} at once: those whose time is up first.", most=plans.MOST)),)
    return Question(title, (Fields(rows), Paragraph(comes), *first), say("Approve"))


PROPOSABLE = Proposable(
    name="renew --cause",
    right=Action.ALERTS,
    decider=Decider.SECOND,
    question=_question,
    perform=begins(RENEW),
    outcome=done,
    subject=lambda proposal: counted(proposal.what["code"], proposal),
    progress=shown,
    danger=False,
)
