"""Composes the message of a proposal: the question, then what became of it, then how the work goes that it began."""

from dataclasses import replace

from commands.approval_view import approved, asked, closed
from commands.caller import Doubt
from commands.command import Known
from commands.progressing import progress
from commands.proposable import Proposable
from commands.proposables import PROPOSABLES
from commands.reply import Composed, Reply, Tone
from services.approvals import known
from services.desk import Desk
from services.model.errors import CertdeskError
from services.model.proposals import Proposal, Stage
from services.model.text import say
from services.ports import Message

GONE = Reply(Tone.INFO, say("certdesk no longer knows this request"))
LOST = Reply(
    Tone.INFO,
    say("This is about a store that you no longer see, and is not shown here any more"),
    private=True,
)


def lost(desk: Desk, message: Message, known_now: Known) -> bool:
    """Tell whether a private message is for somebody who no longer sees all the stores that its proposal is about.

    Raises CertdeskError where Slack does not say who that is: it is shown, or not, once it does.
    """
    proposal = known(desk, str(message.body["proposal"])) if message.private else None
    if proposal is None:
        return False
    asker = known_now(proposal.person, proposal.workspace)
    if all(asker.sees(store) for store in proposal.stores):
        return False
    if asker.doubt is not Doubt.NONE:
        raise CertdeskError(say("Slack does not say who {person} is.", person=proposal.person))
    return True


def approval_message(desk: Desk, message: Message) -> Composed:
    """Compose kind ``approval``, body {"proposal": id}: it is final once nothing can change it any more."""
    proposal = known(desk, str(message.body["proposal"]))
    if proposal is None or proposal.action not in PROPOSABLES:
        return Composed(GONE, final=True)
    composed = _composed(desk, proposal)
    return replace(composed, reply=replace(composed.reply, private=message.private))


def _composed(desk: Desk, proposal: Proposal) -> Composed:
    proposable = PROPOSABLES[proposal.action]
    if proposal.stage is Stage.DONE:
        shown = _shown(desk, proposal, proposable)
        parts = (*shown.reply.parts, *approved(proposal))
        return Composed(replace(shown.reply, parts=parts), shown.final)
    if proposal.open(desk.clock()):
        return Composed(asked(desk, proposal, proposable), final=False)
    # its row is closed by the clock a little later, and touches this message then
    return Composed(closed(desk, proposal, proposable), final=proposal.stage is not Stage.OPEN)


def _shown(desk: Desk, proposal: Proposal, proposable: Proposable) -> Composed:
    if proposable.progress is not None:
        return proposable.progress(desk, proposal)
    outcome = proposable.outcome(desk, proposal)
    if outcome.follows:
        return progress(desk, outcome.verb, outcome.names, outcome.follows, outcome.refused)
    return Composed(outcome.reply, final=True)
