"""What the buttons of a proposal do: who clicks is judged as they stand now, and only what was not done is told."""

from collections.abc import Callable, Mapping

from commands import views
from commands.approval_view import became
from commands.caller import Caller
from commands.command import Call
from commands.proposable import Proposable
from commands.proposables import PROPOSABLES
from commands.reply import Hint, Outcome, Reply, Tone
from services import approvals
from services.model.proposals import Party, Proposal, Refusal
from services.model.text import Text, say


def click(call: Call, *, yes: bool) -> Outcome | None:
    """Take a yes or no to the proposal that `Call.words` names; None if it counts: its message shows the rest.

    What the clicker may not know of is as unknown as what does not exist, and both are kept as refused. Raises
    CertdeskError for what cannot be done.
    """
    proposal = approvals.known(call.desk, call.words[0], call.caller.stores) if len(call.words) == 1 else None
    if proposal is None or proposal.action not in PROPOSABLES:
        return _told(_unknown(), denied=True)
    proposable = PROPOSABLES[proposal.action]
    clicker = party(call.caller, proposal, proposable)
    if not clicker.may:  # nothing more is looked up: how long it takes must not tell that there is one
        return _told(_unknown(), denied=True)
    asker = (
        clicker if clicker.person == proposal.person else party(_asker(call, proposal), proposal, proposable)
    )
    acts = approvals.Acts(proposable.perform, proposable.subject(proposal))
    decision = approvals.decide(call.desk, proposal, clicker, asker, acts, yes=yes)
    if decision.refused is None:
        return None
    text = _SAID[decision.refused](decision.proposal or proposal, call.caller)
    return _told(text, denied=decision.refused is not Refusal.LATE)


def party(caller: Caller, proposal: Proposal, proposable: Proposable) -> Party:
    """Return the caller as they stand to the proposal: with the right to it, for every store that it is about."""
    far = all(caller.may_to(proposable.right, store) for store in proposal.stores)
    return Party(caller.person, caller.role.value, caller.may(proposable.right) and far)


def _asker(call: Call, proposal: Proposal) -> Caller:
    return call.known(proposal.person, proposal.workspace)


def _unknown() -> Text:
    return say("certdesk does not know this request (any more). Nothing was done.")


_SAID: Mapping[Refusal, Callable[[Proposal, Caller], Text]] = {
    Refusal.UNKNOWN: lambda _proposal, _caller: _unknown(),
    Refusal.LATE: lambda proposal, caller: became(proposal, limited=caller.limited),
    Refusal.NOT_ASKER: lambda _proposal, _caller: say(
        "Only who asked can confirm or cancel this. Nothing was done; to have it done, type the command yourself."
    ),
    Refusal.SAME_PERSON: lambda _proposal, _caller: say(
        "You asked for this yourself, so somebody else has to approve it: a person of your role or above. Nothing was"
        " done; with {reject} you can take it back.",
        reject=say("Reject"),
    ),
    Refusal.TOO_LOW: lambda _proposal, _caller: say(
        "This has to be approved by a person of the same role as who asked, or above. Nothing was done."
    ),
    Refusal.ASKER_LOST: lambda _proposal, _caller: say(
        "Who asked for this has no right to it any more, or Slack does not say who they are just now. Nothing was done;"
        " whoever wants it done has to ask anew."
    ),
}
"""What is told to who clicked, and to nobody else."""


def _told(text: Text, *, denied: bool) -> Outcome:
    reply: Reply = views.stated(Tone.WARN, text, say("What came of your click"))
    hint = Hint(say("What there is for you, you can read with: {command}", command="/ssl help"))
    told = Reply(reply.tone, reply.title, (*reply.parts, hint), private=True)
    return Outcome(told, exit_code=1, denied=denied)
