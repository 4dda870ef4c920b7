"""Composes the message of a proposal: the question, then what became of it, then how the work goes that it began."""

from dataclasses import replace

from commands.approval_view import MERCHANT, approved, asked, closed
from commands.copying import elsewhere
from commands.progressing import progress
from commands.proposable import Proposable
from commands.proposables import PROPOSABLES
from commands.reply import Composed, Reply, Tone
from services.alerting import merchants
from services.approvals import halted_key, known, shown_key, told_key
from services.desk import Desk
from services.model.proposals import Proposal, Stage
from services.model.text import say
from services.ports import Message

GONE = Reply(Tone.INFO, say("certdesk no longer knows this request"))


def approval_message(desk: Desk, message: Message) -> Composed:
    """Compose kind ``approval``, body {"proposal": id}: it is final once nothing can change it any more."""
    proposal = known(desk, str(message.body["proposal"]))
    if proposal is None or proposal.action not in PROPOSABLES:
        return Composed(GONE, final=True)
    if _told_there(proposal, message):
        if not _still_theirs(desk, proposal, message):
            return elsewhere(message)
        proposal = _for_the_store(proposal)
    composed = _composed(desk, proposal, message)
    return replace(composed, reply=replace(composed.reply, private=message.private))


def _told_there(proposal: Proposal, message: Message) -> bool:
    """Tell whether the message stands in a channel of the store; other messages of a proposal stand where they stand."""
    return message.key in {told_key(proposal.id, channel) for channel in proposal.told_in}


def _still_theirs(desk: Desk, proposal: Proposal, message: Message) -> bool:
    """Tell whether the channel of a store is one still."""
    with desk.storage.read() as tx:
        return all(merchants.linked(tx, message.owed_to, store) for store in proposal.stores)


def _for_the_store(proposal: Proposal) -> Proposal:
    """Return the proposal as the others of its store may read it: without what was not taken.

    That may be of another store of who asked, or name what is there and was nearly typed.
    """
    return replace(proposal, what={**proposal.what, "refused": []})


def _composed(desk: Desk, proposal: Proposal, message: Message) -> Composed:
    proposable, limited = PROPOSABLES[proposal.action], _limited(proposal, message)
    if proposal.stage is Stage.DONE:
        shown = _shown(desk, proposal, proposable, limited=limited)
        parts = (*shown.reply.parts, *approved(proposal, limited=limited))
        return Composed(replace(shown.reply, parts=parts), shown.final)
    if proposal.open(desk.clock()):
        return Composed(asked(desk, proposal, proposable, hidden=message.private), final=False)
    # its row is closed by the clock a little later, and touches this message then
    return Composed(
        closed(desk, proposal, proposable, limited=limited), final=proposal.stage is not Stage.OPEN
    )


def _limited(proposal: Proposal, message: Message) -> bool:
    """Tell whether a message is read by merchants: what one of them has asked for is, but not in support's channel."""
    return proposal.role == MERCHANT and message.key not in (shown_key(proposal.id), halted_key(proposal.id))


def _shown(desk: Desk, proposal: Proposal, proposable: Proposable, *, limited: bool) -> Composed:
    if proposable.progress is not None:
        return proposable.progress(desk, proposal, limited)
    outcome = proposable.outcome(desk, proposal)
    if outcome.follows:
        return progress(desk, outcome.verb, outcome.names, outcome.follows, outcome.refused)
    return Composed(outcome.reply, final=True)
