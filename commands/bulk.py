"""The buttons of a job: pause, resume, cancel. Who clicks is judged as who decides it is: by its right, for all its stores."""

from collections.abc import Mapping
from dataclasses import replace

from commands import add_file, renew_cause, renew_many, views
from commands.caller import TERMINAL, Action, Caller, Doubt
from commands.command import Call, Known
from commands.reply import Outcome, Tone
from services import approvals, linking
from services.bulk import kinds, turning
from services.desk import Desk
from services.model.jobs import Hand, Job, JobState
from services.model.text import Text, say
from services.model.workspaces import place
from services.ports import Message

RIGHTS: Mapping[str, Action] = {
    kinds.RENEW: renew_cause.PROPOSABLE.right,
    kinds.RENEW_ALL: renew_many.PROPOSABLE.right,
    kinds.ADD: add_file.PROPOSABLE.right,
}
"""What it takes to steer a job of each kind: the right to what it was proposed as."""


def click(call: Call, after: JobState) -> Outcome | None:
    """Make the job that `Call.words` names paused, running or cancelled; None: its messages show it.

    One that the clicker has no right to, for whichever of its stores, is as unknown as one that does not exist, and both are kept as
    refused.
    """
    found = turning.known(call.desk, call.words[0], call.caller.stores) if len(call.words) == 1 else None
    if found is None or not _theirs(call.caller, found):
        return _told(say("certdesk does not know this job (any more). Nothing was done."), denied=True)
    hand = Hand(call.caller.person, call.caller.role.value, place(call.channel)[0])
    if turning.turn(call.desk, found.id, after, hand):
        return None
    now = turning.known(call.desk, found.id) or found
    return _told(_SAID[now.state])


def _theirs(caller: Caller, job: Job) -> bool:
    if job.kind == kinds.RECALL:  # it is about the whole fleet
        return caller.may(Action.ALERTS)
    right, stores = RIGHTS.get(job.kind), job.what.get("stores", ())
    return right is not None and bool(stores) and all(caller.may_to(right, store) for store in stores)


def goes_on(desk: Desk, job: Job, known: Known) -> bool:
    """Tell whether the next step of a claimed job may be done: whoever is behind it has the right to it still, for all its stores.

    Who has lost it has their job paused, and support is told; while Slack does not say who they are it waits. Raises
    LeaseLostError if it was paused, cancelled or claimed anew since.
    """
    if job.behind == TERMINAL.person or job.kind == kinds.RECALL:  # which certdesk has begun itself
        return True
    person = known(job.behind, job.workspace)
    if _theirs(person, job):
        return True
    if person.doubt is not Doubt.NONE:
        turning.hold(desk, job)
    else:
        turning.halt(desk, job, _halted(desk, job))
    return False


def _halted(desk: Desk, job: Job) -> Message | None:
    """Return the message that shows a job that certdesk has paused to support; None where there is no channel for it."""
    channel = linking.support_channel(desk.alerting)
    if not channel:
        return None
    proposal = job.id.replace("job_", "prop_", 1)
    key, now = approvals.halted_key(proposal), desk.clock()
    message = Message.in_channel(key, approvals.MESSAGE, channel, {"proposal": proposal}, now)
    return replace(message, follows=(job.id,))


_SAID: dict[JobState, Text] = {
    JobState.RUNNING: say("It runs already. Nothing was changed."),
    JobState.PAUSED: say("It is paused already. Nothing was changed."),
    JobState.DONE: say("It is finished already. Nothing was changed."),
    JobState.CANCELLED: say("It was cancelled already. Nothing was changed."),
}


def _told(text: Text, *, denied: bool = False) -> Outcome:
    reply = views.stated(Tone.WARN, text, say("What came of your click"))
    return Outcome(replace(reply, private=True), exit_code=1, denied=denied)
