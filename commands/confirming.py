"""Asks before it is done: a command that costs or destroys becomes a question with buttons; in a terminal it is done at once."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from commands.approval_view import asked
from commands.caller import TERMINAL
from commands.command import Call
from commands.proposable import Proposable
from commands.reply import Outcome
from services import approvals, linking
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
    proposal = Proposal(
        id=f"prop_{call.request}" if call.request else new_id("prop"),
        action=proposable.name,
        what={**what, "stores": sorted(set(stores))},
        person=call.caller.person,
        role=call.caller.role.value,
        channel=call.channel,
        at=now,
        expires=now + LASTS[decider or proposable.decider],
        decider=decider or proposable.decider,
    )
    if call.caller.person == TERMINAL.person:
        return _at_once(call, proposable, proposal)
    approvals.propose(call.desk, proposal, _told_deciders(call, proposal))
    reply = replace(asked(call.desk, proposal, proposable), private=private or call.caller.limited)
    data = {"message": reply.title.plain(), "expires": proposal.expires.isoformat()}
    return Outcome(reply, data=data, proposal=proposal.id, subject=proposable.subject(proposal))


def elsewhere(outcome: Outcome) -> Text:
    """Return what is said where a question was asked for that has no place there for its buttons."""
    text = "{question} This is asked in a direct message to you: nothing is done before you confirm it there."
    return say(text, question=outcome.reply.title)


def _told_deciders(call: Call, proposal: Proposal) -> Message | None:
    """Return the message that shows the request to those who can approve it; None where it is seen without one."""
    channel = linking.support_channel(call.desk.alerting)
    if proposal.decider is Decider.SELF or channel in ("", call.channel):
        return None
    key, body = approvals.shown_key(proposal.id), {"proposal": proposal.id}
    return Message.in_channel(key, approvals.MESSAGE, channel, body, proposal.at)


def _at_once(call: Call, proposable: Proposable, proposal: Proposal) -> Outcome:
    result = approvals.at_once(call.desk, proposal, proposable.perform)
    done = replace(proposal, stage=Stage.DONE, decided_by=proposal.person, result=result)
    return replace(proposable.outcome(call.desk, done), subject=proposable.subject(done))
