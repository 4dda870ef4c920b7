"""Asks before it is done: a command that costs or destroys becomes a question with buttons; in a terminal it is done at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from commands.approval_view import asked
from commands.caller import TERMINAL
from commands.command import Call
from commands.proposable import Proposable
from commands.reply import Outcome
from services import approvals, linking
from services.alerting import merchants
from services.desk import Desk
from services.model.audiences import Kind
from services.model.errors import CertdeskError
from services.model.identity import new_id
from services.model.proposals import LASTS, Decider, Proposal, Stage
from services.model.text import Text, say
from services.ports import Message


def ask(
    call: Call,
    proposable: Proposable,
    what: Mapping[str, Any],
    *stores: str,
    private: bool = False,
    decider: Decider | None = None,
) -> Outcome:
    """Propose ``what`` (JSON-ready), which is about ``stores``; the answer is a question that its buttons answer.

    ``decider``: who has to say yes, if not whom the entry says. ``private``: for the asker's eyes alone. Who can run certdesk on its own machine may: there nothing is asked, and it
    is done. Asked again for the same request it stays one proposal. Raises CertdeskError for what cannot be done.
    """
    now = call.desk.clock()
    who, about = decider or proposable.decider, sorted(set(stores))
    told_in = _told_in(call, who, about)
    proposal = Proposal(
        id=f"prop_{call.request}" if call.request else new_id("prop"),
        action=proposable.name,
        what={**what, "stores": about, **({"told_in": told_in} if told_in else {})},
        person=call.caller.person,
        role=call.caller.role.value,
        channel=call.channel,
        at=now,
        expires=now + LASTS[who],
        decider=who,
    )
    if call.caller.person == TERMINAL.person:
        return _at_once(call, proposable, proposal)
    hidden = private or call.caller.limited
    approvals.propose(call.desk, proposal, _told_deciders(call, proposal, hidden=hidden))
    reply = replace(asked(call.desk, proposal, proposable, hidden=hidden), private=hidden)
    data = {
        "message": reply.title.plain(),
        "expires": proposal.expires.isoformat(),
        "decider": who.value,
    }
    return Outcome(reply, data=data, proposal=proposal.id, subject=proposable.subject(proposal))


def alone(desk: Desk, certificates: int) -> bool:
    """Tell whether one person may have so many certificates worked on without another one's yes."""
    return certificates <= desk.approving.alone


def decided_by(desk: Desk, certificates: int) -> Decider:
    """Return who has to say yes to so many certificates: who asks, once more, or a second person."""
    return Decider.SELF if alone(desk, certificates) else Decider.SECOND


def elsewhere(outcome: Outcome) -> Text:
    """Return what is said where a question was asked for that has no place there for its buttons."""
    if (outcome.data or {}).get("decider") == Decider.SECOND.value:
        text = (
            "{question} Nothing is done before another person approves it: they are asked, and a direct message shows you"
            " what becomes of it."
        )
        return say(text, question=outcome.reply.title)
    text = "{question} This is asked in a direct message to you: nothing is done before you confirm it there."
    return say(text, question=outcome.reply.title)


def _told_in(call: Call, who: Decider, stores: Sequence[str]) -> tuple[str, ...]:
    """Return the channels of the store in which others see what a merchant wants: those that are linked to it.

    What is about several stores is shown in no channel of a store.
    """
    if who is Decider.SELF or not call.caller.limited or len(stores) != 1:
        return ()
    return tuple(link.who for link in linking.links_of(call.desk, stores[0]) if link.kind is Kind.CHANNEL)


def _told_deciders(call: Call, proposal: Proposal, *, hidden: bool) -> tuple[Message, ...]:
    """Return the messages that show the request to those who can approve it; ``hidden``: its own is for the asker alone.

    Raises CertdeskError where nobody would see it.
    """
    if proposal.decider is Decider.SELF:
        return ()
    support = linking.support_channel(call.desk.alerting)
    places = {approvals.told_key(proposal.id, channel): channel for channel in proposal.told_in}
    if support and (hidden or support != call.channel):
        places[approvals.shown_key(proposal.id)] = support
    if hidden and not places:
        raise CertdeskError(
            say(
                "This needs a second person, and there is no channel where one would see it. Nothing was done; the"
                " platform's engineers set alerts.support_channel in app.yaml."
            )
        )
    body = {"proposal": proposal.id}
    owed = {
        key: Message.in_channel(key, approvals.MESSAGE, channel, body, proposal.at)
        for key, channel in places.items()
    }
    theirs = {approvals.told_key(proposal.id, channel) for channel in proposal.told_in}
    return tuple(merchants.told(one) if key in theirs else one for key, one in owed.items())


def _at_once(call: Call, proposable: Proposable, proposal: Proposal) -> Outcome:
    result = approvals.at_once(call.desk, proposal, proposable.perform)
    done = replace(proposal, stage=Stage.DONE, decided_by=proposal.person, result=result)
    return replace(proposable.outcome(call.desk, done), subject=proposable.subject(done))
