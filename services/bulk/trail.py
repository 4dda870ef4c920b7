"""What the audit trail keeps of a job's items: a row for each that was begun, with who asked for the job and who approved it."""

from collections.abc import Iterable
from datetime import datetime

from services.bulk.kinds import ADD
from services.model.audit import DONE, FAILED, ITSELF, Entry
from services.model.deeds import BULK_ADD, BULK_RENEW, Behind, in_bulk
from services.model.jobs import Item, ItemState, Job, proposal_of
from services.model.proposals import Proposal
from services.ports import Transaction

_OPERATOR = "admin"
"""The role of who has begun a job in a terminal, where nothing is proposed: whoever runs certdesk."""
_RESULTS = {ItemState.BEGUN: DONE, ItemState.FAILED: FAILED}


def keep(tx: Transaction, job: Job, fresh: Iterable[Item], now: datetime) -> None:
    """Add a row for each of the ``fresh`` items that was begun or could not be; of what was left alone nothing is kept.

    It comes last in the transaction of the step: on PostgreSQL nobody else adds a row until that ends.
    """
    told = [item for item in fresh if item.state in _RESULTS]
    if not told:
        return
    proposal = tx.proposals.get(proposal_of(job.id))
    people = Behind(job.person, proposal.decided_by if proposal is not None else "")
    role = _role(job, proposal)
    action = BULK_ADD if job.kind == ADD else BULK_RENEW
    for item in told:
        subject, reason = f"{item.name} {item.certificate}".strip(), in_bulk(job.id, people, item.code)
        tx.audit.append(Entry(now, job.behind, role, action, subject, _RESULTS[item.state], reason))


def _role(job: Job, proposal: Proposal | None) -> str:
    """Return the role of who is behind the job: who has resumed it, if that was another person than who asked."""
    if job.behind != job.person:
        return job.changed_role
    if proposal is not None:
        return proposal.role
    return ITSELF if job.person == ITSELF else _OPERATOR
