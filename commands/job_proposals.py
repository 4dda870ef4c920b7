"""What proposals of jobs over many certificates have in common: what they are about, what it costs, how the job gets on."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from commands.bulk_view import job_view
from commands.caller import Role
from commands.reply import Composed, Outcome
from services.approvals import Perform
from services.bulk import plans
from services.bulk.plans import Chosen
from services.bulk.steps import WIDTH
from services.desk import Desk
from services.model.proposals import Decider, Proposal
from services.model.text import Text, Value, say, say_n
from services.ports import Transaction


def kept(chosen: Sequence[Chosen]) -> list[list[str]]:
    """Return what a job is to be about as JSON, for ``chosen`` of `Proposal.what`."""
    return [[one.certificate, one.store, one.name] for one in chosen]


def chosen_in(proposal: Proposal) -> tuple[Chosen, ...]:
    """Return what the proposed job is about, as `kept` wrote it."""
    return tuple(Chosen(*one) for one in proposal.what["chosen"])


def begins(kind: str) -> Perform:
    """Return what begins a job of this kind of `services.bulk.kinds`, in the transaction of the decision."""

    def perform(_desk: Desk, tx: Transaction, proposal: Proposal, now: datetime) -> Mapping[str, Any]:
        job = plans.start(tx, kind, proposal, chosen_in(proposal), now)
        return {"follows": [job.id], "job": job.id}

    return perform


def shown(desk: Desk, proposal: Proposal, limited: bool = False) -> Composed:
    """Return how the job that was begun gets on; ``limited``: for merchants."""
    return job_view(desk, str(proposal.result.get("job", "")), limited=limited)


def done(desk: Desk, proposal: Proposal) -> Outcome:
    """Return what is said once the job has begun."""
    reply = shown(desk, proposal).reply
    return Outcome(reply, data={"job": proposal.result.get("job"), "message": reply.title.plain()})


def counted(what: str, proposal: Proposal) -> str:
    """Return what the audit trail says the job is done to: ``what`` (a code, a file) and the number of certificates."""
    return f"{what} ({len(proposal.what['chosen'])})"


def adding_comes(proposal: Proposal) -> Text:
    """Return what comes of a yes to certificates for many names; whose yes that is, the question says itself."""
    if proposal.decider is Decider.SELF:
        return say(
            "Nothing is begun yet. Once it is confirmed, {width} names are at work at a time, as far as the CA's rate limits"
            " allow; it can be paused and cancelled. What has a certificate already is left alone.",
            width=WIDTH,
        )
    return say(
        "Nothing is begun yet. Once it is approved, {width} names are at work at a time, as far as the CA's rate limits"
        " allow; it can be paused and cancelled. What has a certificate already is left alone.",
        width=WIDTH,
    )


def cost_rows(desk: Desk, proposal: Proposal, orders: int) -> tuple[tuple[Text, Value], ...]:
    """Return what so many orders cost at the CA, and about how long they take, as rows of a request.

    What is left of the platform's limit tells what other stores do: what a merchant asks for says nothing of it.
    """
    limited = proposal.role == Role.MERCHANT.value
    cost = plans.free_cost(orders) if limited else plans.cost(desk, orders)
    minutes = max(1, round(cost.takes.total_seconds() / 60))
    hours = round(minutes / 60)
    takes = (
        say_n("{count} minute", "{count} minutes", count=minutes)
        if minutes < 120
        else say_n("{count} hour", "{count} hours", count=hours)
    )
    at_most = say_n("{count:,} order at the most", "{count:,} orders at the most", count=cost.orders)
    if cost.left is not None:
        at_most = say(
            "{orders}; our limit at {ca} leaves {left:,} now", orders=at_most, ca=cost.ca, left=cost.left
        )
    lasts = say("Takes at least") if limited else say("Takes about")
    return (say("Cost at the CA"), at_most), (lasts, takes)
