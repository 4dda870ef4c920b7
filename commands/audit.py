"""What the audit trail keeps of commands and clicks: what changes something, and what was refused for want of a right."""

from dataclasses import replace
from datetime import datetime

from commands.caller import Caller
from commands.reply import Deed, Outcome
from services.model.audit import ASKED, DONE, FAILED, REFUSED, Entry

MOST = 4000
"""Characters of a subject or a reason that are kept: a command of Slack is no longer."""


def noted(outcome: Outcome, action: str, given: str, *, changes: bool) -> Outcome:
    """Return the outcome with what is to be kept of it; ``changes``: whether such an action changes something.

    Words that could not be read have changed nothing, and neither has what only opened a modal: nothing is kept of them.
    """
    changed = changes and not _only_opens(outcome)
    if outcome.exit_code == 2 or not (changed or outcome.denied):
        return outcome
    return replace(outcome, deed=deed(outcome, action, given))


def _only_opens(outcome: Outcome) -> bool:
    """Tell whether all that came of it is a modal, in which something can be chosen."""
    return (outcome.sheet or outcome.live) is not None and not (outcome.follows or outcome.proposal)


def deed(outcome: Outcome | None, action: str, given: str) -> Deed:
    """Return what is to be kept of an action on what was given; without an outcome it was done, and shows elsewhere."""
    if outcome is None:
        return Deed(action, _cut(given), DONE)
    result = _result(outcome)
    reason = "" if result == DONE else outcome.proposal or outcome.reply.title.plain()[:MOST]
    return Deed(action, _cut(outcome.subject or given), result, reason)


def _cut(subject: str) -> str:
    """Return as much of the subject as is kept, in whole words: by a part of a name another one would be found."""
    if len(subject) <= MOST:
        return subject
    whole, _, _ = subject[: MOST + 1].rpartition(" ")
    return whole or subject[:MOST]


def _result(outcome: Outcome) -> str:
    if outcome.denied:
        return REFUSED
    if outcome.proposal:
        return ASKED
    return DONE if outcome.follows or outcome.exit_code == 0 else FAILED


def entry(what: Deed, caller: Caller, now: datetime) -> Entry:
    """Return the row of the audit trail, not yet chained."""
    return Entry(now, caller.person, caller.role.value, what.action, what.subject, what.result, what.reason)
