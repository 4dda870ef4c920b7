"""A person pauses, resumes or cancels a job; what is at work already goes on to its end."""

from dataclasses import replace
from datetime import timedelta

from services.desk import Desk
from services.model.audit import DONE, ITSELF, Entry
from services.model.jobs import Counts, Hand, Item, ItemState, Job, JobState
from services.ports import Message

MOST_SHOWN = 5
HELD = timedelta(minutes=1)
"""How long a job waits of whose person nothing can be known."""


def known(desk: Desk, job: str, among: frozenset[str] | None = None) -> Job | None:
    """Return the job with this id, or None; with ``among`` only if all that it is about are these stores."""
    with desk.storage.read() as tx:
        return tx.jobs.get(job, among)


def look(desk: Desk, job: str) -> tuple[Job, Counts, tuple[Item, ...]] | None:
    """Return the job, its counts, and the first items that failed; None if there is no such job."""
    with desk.storage.read() as tx:
        found = tx.jobs.get(job)
        if found is None:
            return None
        return found, tx.jobs.counts(job), tuple(tx.jobs.items(job, ItemState.FAILED, MOST_SHOWN))


def halt(desk: Desk, job: Job, message: Message | None) -> bool:
    """Pause a job whose person has lost the right to it, and say so in ``message``; False if it stands otherwise by now.

    It is kept in the audit trail, and whoever has the right can resume it: then it is theirs.
    """
    now = desk.clock()
    with desk.storage.write() as tx:
        turned = tx.jobs.turn(job.id, JobState.PAUSED, Hand(ITSELF), now)
        if turned is None:
            return False
        tx.outbox.touch(job.id, now)
        if message is not None:
            tx.outbox.put(message)
        why = f"{job.behind} has no right to it any more"
        tx.audit.append(Entry(now, ITSELF, ITSELF, "bulk.pause", job.id, DONE, why))
    desk.wake()
    return True


def hold(desk: Desk, job: Job) -> None:
    """Give a claimed job back for a while: it cannot be known just now whether its person still has the right to it.

    Raises LeaseLostError if it was paused, cancelled or claimed anew since.
    """
    with desk.storage.write() as tx:
        tx.jobs.save(replace(job, run_after=desk.clock() + HELD))


def turn(desk: Desk, job: str, after: JobState, by: Hand) -> bool:
    """Make the job paused, running again or cancelled, as ``by`` wants; False if it stands otherwise (by now)."""
    now = desk.clock()
    with desk.storage.write() as tx:
        turned = tx.jobs.turn(job, after, by, now)
        if turned is not None:
            tx.outbox.touch(job, now)
    desk.wake()
    return turned is not None
