"""A job as people see it: a bar that is edited in place, what was done and what was not, and the buttons that steer it."""

from collections.abc import Sequence
from datetime import timedelta

from commands import views
from commands.approval_view import MERCHANT
from commands.persons import shown
from commands.reply import (
    Button,
    Buttons,
    Composed,
    Fields,
    Hint,
    Paragraph,
    Part,
    Reply,
    Row,
    Rows,
    Tone,
)
from commands.spans import number
from services.bulk import plans
from services.bulk.kinds import ADD, RENEW_ALL
from services.bulk.turning import look
from services.desk import Desk
from services.model.audit import ITSELF
from services.model.findings import CODES
from services.model.jobs import Counts, Item, Job, JobState, ends_at
from services.model.text import Text, Value, say

PAUSE, RESUME, CANCEL = "bulk.pause", "bulk.resume", "bulk.cancel"
BAR = 20
"""Characters of a whole bar."""


def job_view(desk: Desk, job_id: str, *, limited: bool = False) -> Composed:
    """Return how the job stands; final once it is over. ``limited``: as merchants read it."""
    found = look(desk, job_id)
    if found is None:
        return Composed(Reply(Tone.INFO, say("certdesk no longer knows this job")), final=True)
    job, counts, failed = found
    now = desk.clock()
    percent = 100 * counts.finished // max(1, job.total)
    rows: list[tuple[Text, Value]] = [
        (say("Done"), number(counts.done)),
        (say("Not done"), number(counts.failed)),
        (say("At work"), number(counts.begun)),
        (say("Not begun"), number(counts.waiting)),
    ]
    if counts.skipped:
        rows.append((say("Well already"), number(counts.skipped)))
    if not job.over:
        # while it does not wait, what is left of the platform's limit tells a merchant what other stores do
        waiting = plans.waiting(desk, counts.waiting) if job.waits or not limited else timedelta(0)
        rows.append((say("Ends about"), views.known(ends_at(job, counts, now, waiting))))
    bar = Paragraph(say("{bar} {percent} %", bar=drawn(counts.finished, job.total), percent=percent))
    parts = (
        bar,
        Fields(tuple(rows)),
        *_waits(job),
        *hindered(failed, counts, limited=limited),
        *_steered(job, limited=limited),
    )
    return Composed(Reply(_tone(job, counts), _title(job, counts), parts), final=job.over)


def drawn(finished: int, total: int) -> str:
    """Return the bar: full where it is finished, and never full before all of it is."""
    full = BAR * finished // max(1, total)
    return "█" * full + "░" * (BAR - full)


def _tone(job: Job, counts: Counts) -> Tone:
    if job.state is JobState.RUNNING:
        return Tone.PROGRESS
    if job.state is JobState.DONE:
        return Tone.WARN if counts.failed else Tone.GOOD
    return Tone.INFO


def _title(job: Job, counts: Counts) -> Text:
    values: dict[str, Value] = {
        "what": _what(job),
        "finished": counts.finished,
        "total": job.total,
    }
    if job.state is JobState.PAUSED:
        return say("Paused at {finished:,} of {total:,}: {what}", **values)
    if job.state is JobState.CANCELLED:
        return say("Cancelled at {finished:,} of {total:,}: {what}", **values)
    if job.state is JobState.DONE and counts.failed:
        return say(
            "Finished, {well:,} of {total:,} done: {what}", well=counts.finished - counts.failed, **values
        )
    if job.state is JobState.DONE:
        return say("Finished, all {total:,} done: {what}", **values)
    return say("{finished:,} of {total:,}: {what}", **values)


def _what(job: Job) -> Text:
    names = views.shortened([views.shown(name) for _, _, name in job.what.get("chosen", ())], 2)
    if job.kind == RENEW_ALL:
        return say("renewal of {names}", names=names)
    if job.kind == ADD and "file" not in job.what:
        return say("certificates for {names}", names=names)
    if job.kind == ADD:
        return say("certificates for names from {file}", file=str(job.what.get("file", "")))
    return say("renewal of certificates that suffer from {code}", code=str(job.what.get("code", "")))


def _waits(job: Job) -> tuple[Part, ...]:
    if job.waits is None or job.state is not JobState.RUNNING:
        return ()
    text = say(
        "The CAs' rate limits leave no order before {until} by our own count. It goes on by itself then.",
        until=job.waits,
    )
    return (Hint(text),)


def hindered(items: Sequence[Item], counts: Counts, *, limited: bool = False) -> tuple[Part, ...]:
    """Return the first of the items that were not done, with what is in their way."""
    if not items:
        return ()
    rows = tuple(
        Row(views.shown(item.name), Tone.BAD, say("Not done"), _why(item.code, limited=limited))
        for item in items
    )
    see = say(
        "What is in the way of one, you see with: {command}", command=views.typed("status", items[0].name)
    )
    return (Rows(rows), *views.more(counts.failed - len(items)), Hint(see))


def _why(code: str, *, limited: bool) -> Text:
    """Return what was in the way of one item, and whose move it is."""
    known = CODES.get(code)
    if known is None:  # of a newer certdesk
        return say("{code}", code=code)
    owner = views.whose(known.owner, mine=limited)
    return say("{why}; whose move: {owner}", why=known.meaning.said(), owner=owner)


def hand(job: Job, *, limited: bool = False) -> Text:
    """Return who has paused or cancelled it; ``limited`` readers are not told which person of the platform it was."""
    theirs = job.changed_by == job.person or job.changed_role == MERCHANT
    return shown(job.changed_by, hidden=limited and not theirs)


def steering(job: Job) -> tuple[Buttons, ...]:
    """Return the buttons that steer the job; none once it is over."""
    cancel = Button(CANCEL, job.id, say("Cancel"), "danger", say("Begin nothing more of this?"))
    if job.state is JobState.RUNNING:
        return (Buttons((Button(PAUSE, job.id, say("Pause")), cancel)),)
    if job.state is JobState.PAUSED:
        return (Buttons((Button(RESUME, job.id, say("Resume"), "primary"), cancel)),)
    return ()


def _steered(job: Job, *, limited: bool) -> tuple[Part, ...]:
    who, buttons = hand(job, limited=limited), steering(job)
    if job.state is JobState.PAUSED and job.changed_by == ITSELF:
        said = say(
            "certdesk has paused it: who was behind it has no right to it any more. Whoever has the right to all its stores,"
            " support for one, can resume it. What is at work already goes on to its end."
        )
        return (*buttons, Hint(said))
    if job.state is JobState.PAUSED:
        said = say("{who} has paused it. What is at work already goes on to its end.", who=who)
        return (*buttons, Hint(said))
    if job.state is JobState.CANCELLED:
        return (Hint(say("{who} has cancelled it. What was at work already goes on to its end.", who=who)),)
    return buttons
