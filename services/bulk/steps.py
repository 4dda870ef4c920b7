"""One step of a job: what has come to rest is counted, and some more are begun, as far as the CAs' limits allow."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.bulk import trail
from services.bulk.kinds import ADD, KINDS, RECALL, covers
from services.desk import Desk
from services.issuance.adding import BusyError
from services.model.certificates import Certificate
from services.model.jobs import Item, ItemState, Job, JobState
from services.model.lifecycle import State
from services.ports import Transaction
from services.recalling import carrying
from services.renewal import budget

WIDTH = 5
"""How many certificates of one job are at work at once: other people's wishes need not wait for it."""
STEP = timedelta(seconds=2)
JOINS = timedelta(minutes=1)
BUSY = timedelta(seconds=1)
SHOWN = timedelta(seconds=3)
"""How often the messages of a job are edited: Slack takes about one a second in a channel, and others write there, too."""


def step(desk: Desk, job: Job) -> None:
    """Do one step of a claimed job, in one transaction, and give it back; it is over once no item is left.

    Whoever ends in the middle leaves nothing half done. Raises LeaseLostError, and changes nothing, if the job was
    paused, cancelled or claimed anew since.
    """
    now = desk.clock()
    if job.kind == RECALL:
        job, waits = carrying.ask_fleet(desk, job), None
    else:
        waits = _spent_until(desk, job, now)
    try:
        with desk.storage.write() as tx:
            _step(desk, tx, job, now, waits)
    except BusyError:  # a worker holds one of the certificates for the length of a step
        with desk.storage.write() as tx:
            tx.jobs.save(replace(job, run_after=now + BUSY))
        return
    desk.wake()


def _step(desk: Desk, tx: Transaction, job: Job, now: datetime, waits: datetime | None) -> None:
    before = job.total
    if job.kind == RECALL:
        job = carrying.joined(tx, job)
    most = carrying.most_at_work(desk) if job.kind == RECALL else WIDTH
    begun = tx.jobs.items(job.id, ItemState.BEGUN, most)
    settled = [after for after in (_settled(tx, job, item) for item in begun) if after is not None]
    at_work = len(begun) - len(settled)
    room = 0 if waits is not None else WIDTH - at_work
    if job.kind == RECALL:
        room, waits = carrying.space(desk, tx, at_work, now)
    fresh = [
        KINDS[job.kind](desk, tx, job, item, now)
        for item in (tx.jobs.items(job.id, ItemState.WAITING, room) if room else ())
    ]
    for item in (*settled, *fresh):
        tx.jobs.mark(item)
    counts = tx.jobs.counts(job.id)
    after = replace(
        job, waits=waits if counts.waiting else None, run_after=_next(job, now, waits, counts.begun)
    )
    if not counts.left and (carrying.asks_until(job) or now) <= now:
        after = replace(
            after, state=JobState.DONE, run_after=None, active=job.running_for(now), since=now, waits=None
        )
    if settled or fresh or after.waits != job.waits or after.over or after.total != before:
        after = shown(tx, after, now)
    tx.jobs.save(after)
    if job.kind != RECALL:  # that nobody has asked for: the certificates' histories have it
        trail.keep(tx, job, fresh, now)


def _next(job: Job, now: datetime, waits: datetime | None, begun: int) -> datetime:
    """Return when the next step is due: what is at work is looked at often, and the end of a limit is waited for.

    A plan is looked at while it waits, too: what a CA recalls meanwhile joins it.
    """
    if waits is None or begun:
        return now + STEP
    return max(min(waits, now + JOINS) if job.kind == RECALL else waits, now + STEP)


def shown(tx: Transaction, job: Job, now: datetime) -> Job:
    """Let the messages of the job show how it stands, `SHOWN` after they did last at the earliest; return the job."""
    if job.shown_at is not None and job.shown_at > now and not job.over:
        return job  # an edit is owed already, and shows what is true then
    at = now if job.shown_at is None or job.over else max(now, job.shown_at + SHOWN)
    tx.outbox.touch(job.id, at)
    return replace(job, shown_at=at)


def _settled(tx: Transaction, job: Job, item: Item) -> Item | None:
    """Return the item once its certificate has come to rest; None while it is at work, or waits for a CA's limits."""
    row = tx.certificates.get(item.certificate)
    if row is None:
        return replace(item, state=ItemState.SKIPPED)
    if not row.resting or _postponed(row):
        return None
    if job.kind == ADD and row.state is State.INSTALLED and not covers(tx, row, item):
        if row.retry_at is None:  # it starts over with the name at once
            return None
        blocking = (f.code for f in tx.certificates.findings(row.id) if f.name == item.name and f.blocks)
        return replace(item, state=ItemState.FAILED, code=next(blocking, ""))
    if row.state is State.INSTALLED and row.problem is None:
        return replace(item, state=ItemState.DONE)
    return replace(item, state=ItemState.FAILED, code=row.problem.code if row.problem else "")


def _postponed(row: Certificate) -> bool:
    """Tell whether it only waits for its turn at a CA, as any other would; what a limit of its own names holds is no such thing."""
    evidence = row.problem.evidence if row.state is State.BLOCKED and row.problem is not None else {}
    return bool(evidence.get("waits")) and evidence.get("limit", budget.ORDERS) == budget.ORDERS


def _spent_until(desk: Desk, job: Job, now: datetime) -> datetime | None:
    """Return until when no CA has an order left for anything, as far as we have counted; None: one has, or none is needed.

    A limit of an item's own domain or names is left to its certificate: it holds up no other.
    """
    with desk.storage.read() as tx:
        over = not tx.jobs.items(job.id, ItemState.WAITING, 1)
    if over or not desk.limits:
        return None
    found = [budget.look_at_orders(desk.storage, ca, now) for ca in desk.limits]
    ends = [until for until in found if until is not None]
    return min(ends) if len(ends) == len(found) else None
