"""What a job can do to each of its items: one table of kind and how an item is begun."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from services.desk import Desk
from services.model.certificates import Certificate
from services.model.jobs import Item, ItemState, Job
from services.model.lifecycle import State
from services.ports import Transaction
from services.renewal import asking

RENEW = "renew"
Begin = Callable[[Desk, Transaction, Job, Item, datetime], Item]
"""Begins one item in the transaction of the step, and returns it as it stands then.

Raises BusyError if a row is held just now: the step is then done again.
"""


def renew(_desk: Desk, tx: Transaction, job: Job, item: Item, now: datetime) -> Item:
    """Start the renewal of an item's certificate; what has become well and is not due meanwhile is left alone."""
    row = tx.certificates.get(item.certificate)
    if row is None or (_well(row, now) and not any(f.blocks for f in tx.certificates.findings(row.id))):
        return replace(item, state=ItemState.SKIPPED)
    asking.begin(tx, row.id, job.person, now)
    return replace(item, state=ItemState.BEGUN, before=row.installed or "")


def _well(row: Certificate, now: datetime) -> bool:
    well = row.state is State.INSTALLED and row.problem is None and row.retry_at is None
    return well and row.renew_at is not None and now < row.renew_at


KINDS: Mapping[str, Begin] = {RENEW: renew}
