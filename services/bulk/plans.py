"""The dry run of a job: which certificates, what it costs at the CA, and about how long it takes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from services.bulk.steps import WIDTH
from services.desk import Desk
from services.model.alerts import SELF
from services.model.fleet import Portion
from services.model.jobs import Item, Job, job_of
from services.model.proposals import Proposal
from services.ports import Transaction
from services.renewal import budget

MOST = 2000
"""Certificates of one job; of more, those whose time is up first."""
PAGE, LOOKED = 500, 10_000
"""How many that wait in one state are read at once, and at the most."""
TYPICAL = timedelta(seconds=30)
"""How long one certificate usually takes from the wish to the proof that it is served."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One certificate that a job is about."""

    certificate: str
    store: str
    name: str
    new: bool = False
    """Whether it was never installed."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What so many orders mean for the first CA."""

    orders: int
    ca: str = ""
    """Its name; empty: no CA is known here."""
    left: int | None = None
    """How many orders its limit leaves now by our own count; None: it is not counted."""
    takes: timedelta = timedelta(0)
    """About how long all of it takes, the waiting for the limit included."""


def suffering(desk: Desk, code: str, store: str | None = None, most: int = MOST) -> tuple[Chosen, ...]:
    """Return the certificates (with ``store``: of that store) that were seen to suffer from a finding's code.

    At most ``most`` of them, those whose time is up first; what was never installed, and waits for its first, comes last.
    """
    now = desk.clock()
    with desk.storage.read() as tx:
        found = {one.certificate: one for one in tx.alerts.suffering(code, most, store)}
        chosen = [Chosen(one.certificate, one.store, one.name) for one in found.values()]
        first = (one for one in _waiting(tx, code, store, now) if one.certificate not in found)
        return (*chosen, *islice(first, most - len(chosen)))


def _waiting(tx: Transaction, code: str, store: str | None, now: datetime) -> Iterator[Chosen]:
    """Yield what waits for its first certificate because of the code: of a merchant's cause no sighting tells (`sighting`)."""
    stores = None if store is None else frozenset({store})
    for portion in (Portion.NEEDS_SUPPORT, Portion.FAILED, Portion.BLOCKED):
        page, looked = tx.fleet.page(portion, stores, now, PAGE), PAGE
        while page.certificates:
            first = [row for row in page.certificates if row.installed is None]
            saved = tx.certificates.findings_of([row.id for row in first])
            for row in first:
                seen = (row.problem, *saved.get(row.id, ()))
                name = next((f.name for f in seen if f and f.code == code and f.blocks), None)
                if name is not None:
                    yield Chosen(row.id, row.store, name if name in row.wanted else row.name, new=True)
            if not page.more or looked >= LOOKED:
                break
            page, looked = (
                tx.fleet.page(portion, stores, now, PAGE, after=page.positions[-1]),
                looked + PAGE,
            )


def of_alert(desk: Desk, alert_id: str, version: int) -> tuple[str, tuple[Chosen, ...]]:
    """Return the code of an alert, and the certificates that suffer: those whose time is up first, `MOST` of them at the most.

    None of them if the alert is not known, is over, or has changed since the ``version`` that somebody saw.
    """
    with desk.storage.read() as tx:
        alert = tx.alerts.get(alert_id)
        if alert is None or not alert.open or alert.version != version:
            return "", ()
        members = [one for one in tx.alerts.members(alert.key, MOST) if one.certificate != SELF]
    first = {one.certificate: one for one in reversed(members)}
    suffer = (one for one in members if first[one.certificate] is one)
    return alert.code, tuple(Chosen(one.certificate, one.store, one.name) for one in suffer)


def free_cost(orders: int) -> Cost:
    """Return what ``orders`` cost where no limit is in the way: it takes as long at the least."""
    return Cost(orders, takes=TYPICAL * max(1, -(-orders // WIDTH)))


def cost(desk: Desk, orders: int) -> Cost:
    """Return what ``orders`` cost at the CA that is asked first; another one takes over where it can."""
    takes = max(free_cost(orders).takes, waiting(desk, orders))
    ca = next(iter(desk.limits), None)
    if ca is None:
        return Cost(orders, takes=takes)
    bucket = budget.account_bucket(ca)
    return Cost(orders, ca.name, _left(desk, bucket) if bucket.cost else None, takes)


def waiting(desk: Desk, orders: int) -> timedelta:
    """Return how long the CAs' limits make ``orders`` wait in all, one CA taking over from another, by our own count."""
    buckets = [budget.account_bucket(ca) for ca in desk.limits]
    if not buckets or not all(one.cost for one in buckets):
        return timedelta(0)
    over = orders - sum(_left(desk, one) for one in buckets)
    return timedelta(seconds=max(0, over) / sum(1 / one.cost.total_seconds() for one in buckets))


def _left(desk: Desk, bucket: budget.Bucket) -> int:
    """Return how many tokens the bucket has now."""
    now = desk.clock()
    with desk.storage.read() as tx:
        full_at = tx.budgets.full_at([bucket.key]).get(bucket.key)
    return budget.left(bucket, full_at, now)


def start(tx: Transaction, kind: str, proposal: Proposal, chosen: tuple[Chosen, ...], now: datetime) -> Job:
    """Begin the job that was proposed, in the transaction of the decision; its id is made of the proposal's."""
    job = Job(
        id=job_of(proposal.id),
        kind=kind,
        what=proposal.what,
        person=proposal.person,
        created_at=now,
        total=len(chosen),
        run_after=now,
        since=now,
        workspace=proposal.workspace,
    )
    items = [Item(job.id, number, one.store, one.name, one.certificate) for number, one in enumerate(chosen)]
    tx.jobs.add(job, items)
    return job
