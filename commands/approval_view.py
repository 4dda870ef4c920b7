"""A proposal as people see it: a question with buttons while it is open, then what became of it. Pure but for what it reads."""

from commands.caller import Role
from commands.persons import person, shown
from commands.proposable import Proposable
from commands.reply import Button, Buttons, Fields, Hint, Paragraph, Part, Reply, Tone
from services.desk import Desk
from services.model.proposals import Decider, Proposal, Stage
from services.model.text import Text, Value, say

CONFIRM, CANCEL = "approval.confirm", "approval.cancel"
APPROVE, REJECT = "approval.approve", "approval.reject"


MERCHANT = Role.MERCHANT.value


def decider(proposal: Proposal, *, limited: bool) -> Text:
    """Return who has decided; ``limited`` readers are not told which person of the platform it was."""
    theirs = proposal.decided_by == proposal.person or proposal.decided_role == MERCHANT
    return shown(proposal.decided_by, hidden=limited and not theirs)


def asked(desk: Desk, proposal: Proposal, proposable: Proposable, *, hidden: bool = False) -> Reply:
    """Return the open proposal as a question; ``hidden``: as it stands for who asked alone, who cannot approve it."""
    question = proposable.question(desk, proposal)
    style = "danger" if proposable.danger else "primary"
    if proposal.decider is Decider.SELF:
        items = (
            Button(CONFIRM, proposal.id, question.yes, style),
            Button(CANCEL, proposal.id, say("Cancel")),
        )
        until = say(
            "Nothing is done before {who} confirms it. Without that the question runs out at {until}.",
            who=person(proposal.person),
            until=proposal.expires,
        )
        parts: tuple[Part, ...] = (*question.parts, Buttons(items), Hint(until))
        return Reply(Tone.WARN, question.title, parts)
    approve = Button(APPROVE, proposal.id, say("Approve"), style)
    steering: tuple[Button, ...] = (
        (Button(REJECT, proposal.id, say("Take back")),)
        if hidden
        else (approve, Button(REJECT, proposal.id, say("Reject")))
    )
    return Reply(
        Tone.WARN,
        question.title,
        (_who(proposal), *question.parts, Buttons(steering), Hint(_waits(proposal))),
    )


def _waits(proposal: Proposal) -> Text:
    """Return whose yes a request waits for, and until when."""
    if proposal.role == MERCHANT:
        return say(
            "Nothing is done before another person approves it: support, or somebody else who is linked to the store."
            " Without that the request runs out at {until}.",
            until=proposal.expires,
        )
    return say(
        "Nothing is done before another person of the same role or above approves it. Without that the request runs out"
        " at {until}.",
        until=proposal.expires,
    )


def _who(proposal: Proposal) -> Fields:
    rows: tuple[tuple[Text, Value], ...] = (
        (say("Asked by"), person(proposal.person)),
        (say("Asked on"), proposal.at),
    )
    return Fields(rows)


def closed(desk: Desk, proposal: Proposal, proposable: Proposable, *, limited: bool) -> Reply:
    """Return what became of a proposal that was not done: nobody said yes in time, or somebody said no."""
    title = proposable.question(desk, proposal).title
    what = Paragraph(became(proposal, limited=limited))
    return Reply(Tone.INFO, say("Not done: {question}", question=title), (what,))


def became(proposal: Proposal, *, limited: bool) -> Text:
    """Return what has become of a proposal that can no longer be decided, as one sentence."""
    who, at = decider(proposal, limited=limited), proposal.decided_at
    if proposal.stage is Stage.DONE and at is not None:
        return say("{who} said yes on {at}, and it was done.", who=who, at=at)
    if proposal.stage is Stage.DECLINED and at is not None:
        return say("{who} said no on {at}. Nothing was changed.", who=who, at=at)
    return say("Nobody said yes before {until}. Nothing was changed; ask again.", until=proposal.expires)


def approved(proposal: Proposal, *, limited: bool) -> tuple[Part, ...]:
    """Return the line that names who approved what somebody else asked for; nothing where one person did both."""
    if proposal.decider is Decider.SELF or proposal.decided_at is None:
        return ()
    return (
        Hint(
            say(
                "Asked for by {asker}, approved by {who} on {at}.",
                asker=person(proposal.person),
                who=decider(proposal, limited=limited),
                at=proposal.decided_at,
            )
        ),
    )
