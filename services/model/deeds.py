"""Who was behind a deed of which the audit trail tells, besides who did it: written and read in one place. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from services.model.audit import DONE, Entry

YES, NO, EXPIRED = "approval.yes", "approval.no", "approval.expired"
"""What became of a proposal, as the audit trail calls it: its subject is then the proposal's id, the action, and to what."""
BULK_RENEW, BULK_ADD = "bulk.renew", "bulk.add"
"""What a job began for one of its items, whose name and certificate are the subject."""
_APPROVED = re.compile(r"approved by (\S+): \S+")
_ASKED = re.compile(r"asked by (\S+)")
_BULK = re.compile(r"\S+: asked by ([^\s,]+)(?:, approved by ([^\s;]+))?(?:; \S+)?")


@dataclass(frozen=True, slots=True)
class Behind:
    """The people behind a deed; empty where nothing is said of them."""

    asker: str = ""
    approver: str = ""
    """Who said yes or no: another person, or who asked, once more."""

    @property
    def two(self) -> bool:
        """Whether one person asked and another one decided."""
        return self.approver not in ("", self.asker)


def decided_on(proposal: str, action: str, subject: str) -> str:
    """Return the subject of a decision: the proposal's id, its action, which may be two words, and to what."""
    return f"{proposal} {action} {subject}".rstrip()


def proposed(entry: Entry, actions: Iterable[str]) -> str:
    """Return what was decided on: one of the ``actions`` that there are, else the first word of what stands there."""
    _, _, rest = entry.subject.partition(" ")
    found = (action for action in actions if f"{rest} ".startswith(f"{action} "))
    return max(found, key=len, default=rest.partition(" ")[0])


def asked_by(person: str) -> str:
    """Return the reason of a decision: who (TEAM/USER) had asked for it."""
    return f"asked by {person}"


def approved_by(person: str, proposal: str) -> str:
    """Return the reason of what was done: who (TEAM/USER) said yes to the proposal with this id."""
    return f"approved by {person}: {proposal}"


def in_bulk(job: str, people: Behind, code: str = "") -> str:
    """Return the reason of what a job did for an item: the job's id, who was behind it, and a code of what was in the way."""
    approved = f", approved by {people.approver}" if people.approver else ""
    return f"{job}: asked by {people.asker}{approved}" + (f"; {code}" if code else "")


def what_of(entry: Entry) -> str:
    """Return the action; of a decision the first word of what was decided about."""
    if entry.action not in (YES, NO, EXPIRED):
        return entry.action
    return next(iter(entry.subject.split(" ")[1:2]), "")


def behind(entry: Entry) -> Behind:
    """Return who was behind a deed. Of what was refused or failed by a person's hand nothing is read: its reason is prose."""
    if entry.action in (BULK_RENEW, BULK_ADD):
        found = _BULK.fullmatch(entry.reason)
        return Behind(found[1], found[2] or "") if found else Behind()
    if entry.result != DONE:
        return Behind()
    if entry.action in (YES, NO, EXPIRED):
        found = _ASKED.fullmatch(entry.reason)
        return Behind(found[1], "" if entry.action == EXPIRED else entry.actor) if found else Behind()
    found = _APPROVED.fullmatch(entry.reason)
    return Behind(entry.actor, found[1]) if found else Behind()
