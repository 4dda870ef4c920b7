"""What a job can do to each of its items: one table of kind and how an item is begun."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from services.desk import Desk
from services.issuance.adding import BusyError, want
from services.model.certificates import Certificate
from services.model.jobs import Item, ItemState, Job
from services.model.lifecycle import State
from services.model.text import say
from services.naming import registrable
from services.ports import Transaction
from services.recalling import carrying, noting
from services.renewal import asking

RENEW, RENEW_ALL, ADD = "renew", "renew_all", "add"
RECALL = noting.KIND
Begin = Callable[[Desk, Transaction, Job, Item, datetime], Item]
"""Begins one item in the transaction of the step, and returns it as it stands then.

Raises BusyError if a row is held just now: the step is then done again.
"""


def renew(_desk: Desk, tx: Transaction, job: Job, item: Item, now: datetime) -> Item:
    """Start the renewal of an item's certificate; what has become well and is not due meanwhile is left alone."""
    row = tx.certificates.get(item.certificate)
    if row is None or (_well(row, now) and not any(f.blocks for f in tx.certificates.findings(row.id))):
        return replace(item, state=ItemState.SKIPPED)
    asking.begin(tx, row.id, job.behind, now)
    return replace(item, state=ItemState.BEGUN, before=row.installed or "")


def renew_all(_desk: Desk, tx: Transaction, job: Job, item: Item, now: datetime) -> Item:
    """Start the renewal of an item's certificate, be it due or not: it was asked for by name."""
    row = tx.certificates.get(item.certificate)
    if row is None or not row.wanted:
        return replace(item, state=ItemState.SKIPPED)
    asking.begin(tx, row.id, job.behind, now)
    return replace(item, state=ItemState.BEGUN, before=row.installed or "")


def _well(row: Certificate, now: datetime) -> bool:
    well = row.state is State.INSTALLED and row.problem is None and row.retry_at is None
    return well and row.renew_at is not None and now < row.renew_at


def add(desk: Desk, tx: Transaction, job: Job, item: Item, _now: datetime) -> Item:
    """Make an item's name a wanted one of its certificate; what is installed with it already is left alone."""
    domain = registrable(item.name) or item.name
    row = tx.certificates.of(item.store, domain)
    if row is not None and item.name in row.wanted and row.state is State.INSTALLED and covers(tx, row, item):
        return replace(item, state=ItemState.SKIPPED, certificate=row.id)
    over = want(desk, tx, item.store, domain, (item.name,), job.behind)
    row = tx.certificates.of(item.store, domain)
    if over is None or row is None:
        raise BusyError(say("The certificate of {domain} is being worked on.", domain=domain))
    if over:
        return replace(item, state=ItemState.FAILED, code="policy.too_many_names")
    return replace(item, state=ItemState.BEGUN, certificate=row.id, before=row.installed or "")


def covers(tx: Transaction, row: Certificate, item: Item) -> bool:
    """Tell whether the installed revision has the item's name."""
    revision = tx.certificates.revision(row.installed) if row.installed else None
    return revision is not None and item.name in revision.names


KINDS: Mapping[str, Begin] = {RENEW: renew, RENEW_ALL: renew_all, ADD: add, RECALL: carrying.begin}
