"""The buttons of a job: pause, resume, cancel. Who clicks is judged as who decides it is: by its right, for all its stores."""

from collections.abc import Mapping
from dataclasses import replace

from commands import add_file, renew_cause, views
from commands.caller import Action
from commands.command import Call
from commands.reply import Outcome, Tone
from services.bulk import kinds, turning
from services.model.jobs import Job, JobState
from services.model.text import Text, say

RIGHTS: Mapping[str, Action] = {
    kinds.RENEW: renew_cause.PROPOSABLE.right,
    kinds.ADD: add_file.PROPOSABLE.right,
}
"""What it takes to steer a job of each kind: the right to what it was proposed as."""


def click(call: Call, after: JobState) -> Outcome | None:
    """Make the job that `Call.words` names paused, running or cancelled; None: its messages show it.

    One that the clicker has no right to, for whichever of its stores, is as unknown as one that does not exist, and both are kept as
    refused.
    """
    found = turning.known(call.desk, call.words[0], call.caller.stores) if len(call.words) == 1 else None
    if found is None or not _theirs(call, found):
        return _told(say("certdesk does not know this job (any more). Nothing was done."), denied=True)
    if turning.turn(call.desk, found.id, after, call.caller.person):
        return None
    now = turning.known(call.desk, found.id) or found
    return _told(_SAID[now.state])


def _theirs(call: Call, job: Job) -> bool:
    right, stores = RIGHTS.get(job.kind), job.what.get("stores", ())
    return right is not None and bool(stores) and all(call.caller.may_to(right, store) for store in stores)


_SAID: dict[JobState, Text] = {
    JobState.RUNNING: say("It runs already. Nothing was changed."),
    JobState.PAUSED: say("It is paused already. Nothing was changed."),
    JobState.DONE: say("It is finished already. Nothing was changed."),
    JobState.CANCELLED: say("It was cancelled already. Nothing was changed."),
}


def _told(text: Text, *, denied: bool = False) -> Outcome:
    reply = views.stated(Tone.WARN, text, say("What came of your click"))
    return Outcome(replace(reply, private=True), exit_code=1, denied=denied)
