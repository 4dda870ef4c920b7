"""A person pauses, resumes or cancels a job; what is at work already goes on to its end."""

from services.desk import Desk
from services.model.jobs import Counts, Item, ItemState, Job, JobState

MOST_SHOWN = 5


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


def turn(desk: Desk, job: str, after: JobState, by: str) -> bool:
    """Make the job paused, running again or cancelled, as ``by`` wants; False if it stands otherwise (by now)."""
    now = desk.clock()
    with desk.storage.write() as tx:
        turned = tx.jobs.turn(job, after, by, now)
        if turned is not None:
            tx.outbox.touch(job, now)
    desk.wake()
    return turned is not None
