"""The plan at work: the CA is asked about its whole fleet, what it recalls joins in, and as many are begun as there is room for."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache, partial

from services.desk import Desk
from services.issuance.adding import BusyError
from services.model.certificates import Certificate, Happening
from services.model.jobs import Counts, Item, ItemState, Job
from services.model.lifecycle import Event, State
from services.model.text import say
from services.ports import Transaction
from services.recalling.plan import Purse, expected_end, place, room, traffic
from services.renewal import budget

GAP = timedelta(milliseconds=100)
"""The CA is asked about one certificate after another, ten a second: a fleet of 10,000 in a quarter of an hour."""
ANSWERS = timedelta(minutes=1)
"""How long the last of them is given to be answered and noted."""
AT_A_TIME = 2000
"""Recalls that join in one step."""
ASKED_UNTIL = "asked_until"
"""Key of `Job.what`: when the CA has been asked about its whole fleet. A plan does not end before."""
TYPICAL = timedelta(seconds=30)
"""How long one certificate usually takes from the beginning to the proof that it is served."""


def ask_fleet(desk: Desk, job: Job) -> Job:
    """Have the CA asked about all its installed certificates, once for each plan; return the plan with the moment it ends.

    The moment is kept by the step that follows. Done again, because that step was not, it only asks again.
    """
    if ASKED_UNTIL in job.what:
        return job
    now, ca = desk.clock(), str(job.what["ca"])
    with desk.storage.write() as tx:
        asked = tx.recalls.ask_all(ca, now, GAP)
    until = now + GAP * asked + ANSWERS
    return replace(job, what={**job.what, ASKED_UNTIL: until.isoformat()})


def asks_until(job: Job) -> datetime | None:
    """Return until when the CA is asked about its fleet; None if it is not known yet."""
    said = job.what.get(ASKED_UNTIL)
    return datetime.fromisoformat(said) if said else None


def joined(tx: Transaction, job: Job) -> Job:
    """Let what was noted since join the plan, in its order; return the plan with as many items more.

    What was renewed at once, before there was a plan, is one of them: it is at work.
    """
    visits = cache(partial(_visits, tx))
    taken = tx.recalls.take(str(job.what["ca"]), job.id, AT_A_TIME)
    items = [
        Item(
            job=job.id,
            number=number,
            store=one.store,
            name=one.name,
            certificate=one.certificate,
            state=ItemState.WAITING if one.planned else ItemState.BEGUN,
            before=one.revision,
            place=place(visits(one.store), one.not_after),
        )
        for number, one in enumerate(taken, job.total)
    ]
    tx.jobs.extend(items)
    because = next((one.because for one in taken if one.because), job.what.get("because", ""))
    return replace(job, total=job.total + len(items), what={**job.what, "because": because})


def _visits(tx: Transaction, store: str) -> int:
    found = tx.stores.get(store)
    return traffic(found.tags) if found is not None else 0


def most_at_work(desk: Desk) -> int:
    """Return how many of a plan are at work at the most: those that it has begun, and those that were before it."""
    return desk.renewing.plan_width + desk.renewing.many + AT_A_TIME


def begin(_desk: Desk, tx: Transaction, _job: Job, item: Item, now: datetime) -> Item:
    """Start the renewal of a recalled certificate; what has been replaced or removed meanwhile is left alone.

    Raises BusyError if a worker holds the row just now.
    """
    row = tx.certificates.get(item.certificate)
    if row is None or not row.wanted or row.installed != item.before or _withdrawn(row, now):
        return replace(item, state=ItemState.SKIPPED)
    if row.state is State.INSTALLED:
        due = row.moved(Event.RENEWAL_DUE, now=now, run_after=now)
        if not tx.certificates.ask(due):
            raise BusyError(say("The certificate of {domain} is being worked on.", domain=row.domain))
        details = say("its turn in the plan has come")
        tx.certificates.record(
            Happening(row.id, now, Event.RENEWAL_DUE.value, state=due.state.value, details=details)
        )
        tx.outbox.touch(row.id, now)
    return replace(item, state=ItemState.BEGUN)


def _withdrawn(row: Certificate, now: datetime) -> bool:
    """Tell whether the CA has thought better of it: what is installed has time again."""
    return row.state is State.INSTALLED and row.renew_at is not None and now < row.renew_at


def purses(desk: Desk, tx: Transaction, now: datetime) -> tuple[Purse, ...] | None:
    """Return what each CA's limit of orders leaves by our own count; None if there is a CA whose orders are not counted."""
    buckets = [
        bucket
        for ca in desk.limits
        for bucket in budget.order_buckets(ca.name, ca, "", ())
        if bucket.kind == "orders"
    ]
    full_at = tx.budgets.full_at(budget.keys(buckets))
    found = [
        _purse(bucket, full_at.get(bucket.key), full_at.get(bucket.held), now)
        for bucket in buckets
        if bucket.cost
    ]
    return tuple(found) if found and len(found) == len(buckets) else None


def _purse(bucket: budget.Bucket, full_at: datetime | None, held: datetime | None, now: datetime) -> Purse:
    return Purse(budget.left(bucket, full_at, now), bucket.count, bucket.cost, held)


def space(desk: Desk, tx: Transaction, at_work: int, now: datetime) -> tuple[int, datetime | None]:
    """Return how many more of a plan may be begun, and until when the CAs' limits leave none to spare (None: they do)."""
    return room(desk.renewing.plan_width, at_work, purses(desk, tx, now), now)


def ends_at(desk: Desk, job: Job, counts: Counts) -> datetime | None:
    """Return about when the plan ends; None while it stands still."""
    now = desk.clock()
    with desk.storage.read() as tx:
        left = purses(desk, tx, now)
    end = expected_end(job, counts, desk.renewing.plan_width, left, TYPICAL, now)
    asks = asks_until(job)
    return max(end, asks) if end is not None and asks is not None else end
