"""A CA's recall as people see it: one message, edited in place, of what it wants replaced, how far that is, and when it ends."""

from datetime import datetime

from commands import views
from commands.bulk_view import drawn, hand, hindered, steering
from commands.reply import Composed, Fields, Hint, Mention, Paragraph, Part, Reply, Tone
from commands.spans import number
from services.alerting.routing import mentions
from services.bulk.turning import look
from services.desk import Desk
from services.model.alerts import Severity
from services.model.certificates import Certificate
from services.model.jobs import Counts, Item, Job, JobState
from services.model.lifecycle import State
from services.model.recalls import Recall
from services.model.text import Text, Value, say
from services.ports import Message
from services.recalling.carrying import asks_until, ends_at
from services.recalling.plan import recalled


def recall_message(desk: Desk, message: Message) -> Composed:
    """Compose kind ``recall``, body {"job": id}: how the plan stands; final once it is over."""
    found = look(desk, str(message.body["job"]))
    if found is None:
        return Composed(Reply(Tone.INFO, say("certdesk no longer knows this plan")), final=True)
    job, counts, failed = found
    percent = 100 * counts.finished // max(1, job.total)
    parts = (
        *_called(desk, job),
        Paragraph(say("{bar} {percent} %", bar=drawn(counts.finished, job.total), percent=percent)),
        Paragraph(_meant(job)),
        *_because(job),
        Fields(_counted(desk, job, counts)),
        *_asking(desk, job),
        *_waiting(job),
        *hindered(failed, counts),
        *_over(job, failed),
        *steering(job),
    )
    return Composed(Reply(_tone(job, counts), _title(job, counts), parts), final=job.over)


def _replaced(counts: Counts) -> int:
    """Return how many are not what the CA wants replaced any more: by the plan, or before it was their turn."""
    return counts.done + counts.skipped


def _tone(job: Job, counts: Counts) -> Tone:
    if job.state is JobState.DONE:
        return Tone.WARN if counts.failed else Tone.GOOD
    return Tone.PROGRESS if job.state is JobState.RUNNING else Tone.WARN


def _title(job: Job, counts: Counts) -> Text:
    values: dict[str, Value] = {
        "ca": str(job.what.get("ca", "")),
        "total": job.total,
        "replaced": _replaced(counts),
    }
    if job.state is JobState.PAUSED:
        return say("Paused: {ca} wants {total:,} certificates replaced now, {replaced:,} are", **values)
    if job.state is JobState.CANCELLED:
        return say("Cancelled: {ca} wants {total:,} certificates replaced now, {replaced:,} are", **values)
    if job.state is JobState.RUNNING:
        return say("{ca} wants {total:,} certificates replaced now: {replaced:,} are", **values)
    if counts.failed:
        return say("{ca} wanted {total:,} certificates replaced: {replaced:,} are", **values)
    return say("{ca} wanted {total:,} certificates replaced: all are", **values)


def _called(desk: Desk, job: Job) -> tuple[Part, ...]:
    groups = () if job.over else mentions(Severity.URGENT, desk.alerting)
    text = say("A CA revokes many certificates; certdesk replaces them. Please keep an eye on this.")
    return (Mention(groups, text),) if groups else ()


def _meant(job: Job) -> Text:
    ca = str(job.what.get("ca", ""))
    if job.over:
        return say(
            "{ca} had said that the time to renew them was past; a CA that says so revokes them.", ca=ca
        )
    if job.state is JobState.PAUSED:
        return say(
            "{ca} says that the time to renew them is past: it revokes them soon, or has done so. While this is paused nothing"
            " more is replaced: resume it in time.",
            ca=ca,
        )
    return say(
        "{ca} says that the time to renew them is past: it revokes them soon, or has done so. certdesk replaces one after"
        " the other, the busiest stores first, then those that expire first; new certificates need not wait for them. Nothing to do.",
        ca=ca,
    )


def _because(job: Job) -> tuple[Part, ...]:
    url = str(job.what.get("because", ""))
    return (Hint(say("The CA explains it here: {url}", url=url)),) if url else ()


def _counted(desk: Desk, job: Job, counts: Counts) -> tuple[tuple[Text, Value], ...]:
    rows: list[tuple[Text, Value]] = [
        (say("Replaced"), number(counts.done)),
        (say("Not replaced"), number(counts.failed)),
    ]
    if counts.left or not job.over:
        rows += [(say("At work"), number(counts.begun)), (say("Not begun"), number(counts.waiting))]
    if counts.skipped:
        rows.append((say("Replaced before"), number(counts.skipped)))
    rows.append((say("Begun"), job.created_at))
    if not job.over:
        rows.append((say("Ends about"), views.known(ends_at(desk, job, counts))))
    elif job.since is not None:
        rows.append((say("Ended"), job.since))
    return tuple(rows)


def _asking(desk: Desk, job: Job) -> tuple[Part, ...]:
    until = asks_until(job)
    if job.over or until is None or until <= desk.clock():
        return ()
    text = say(
        "Until {until} the CA is asked about its other certificates; more may join these.", until=until
    )
    return (Hint(text),)


def _waiting(job: Job) -> tuple[Part, ...]:
    if job.waits is None or job.state is not JobState.RUNNING:
        return ()
    text = say(
        "The CAs' rate limits leave nothing to spare before {until} by our own count: a fifth is kept for other certificates."
        " It goes on by itself then; a CA may raise a limit if it is asked.",
        until=job.waits,
    )
    return (Hint(text),)


def _over(job: Job, failed: tuple[Item, ...]) -> tuple[Part, ...]:
    if job.state is JobState.PAUSED:
        said = say("{who} has paused it. What is at work already goes on to its end.", who=hand(job))
        return (Hint(said),)
    if job.state is JobState.CANCELLED:
        said = say(
            "{who} has cancelled it. What is not replaced keeps its own time of renewal; to renew one now: {command}",
            who=hand(job),
            command=views.typed("renew", "NAME"),
        )
        return (Hint(said),)
    if job.state is JobState.DONE and failed:
        said = say(
            "certdesk goes on by itself with what is not replaced; alerts say what is in the way and whose move it is."
        )
        return (Hint(said),)
    return ()


def told(
    certificate: Certificate, recall: Recall | None, plan: Job | None, now: datetime
) -> tuple[Part, ...]:
    """Return what the status of a certificate says of its recall, while it waits: why, and whose move it is."""
    waits = certificate.state is State.INSTALLED and recalled(certificate, now)
    if recall is None or not recall.planned or not waits:
        return ()
    command = views.typed("renew", certificate.name)
    if plan is None or plan.state is JobState.RUNNING:
        said = say(
            "{ca} wants it replaced now: it waits for its turn and is renewed by itself.", ca=recall.ca
        )
    elif plan.state is JobState.CANCELLED:
        said = say(
            "{ca} wants it replaced now, but the plan for this was cancelled. To renew it now: {command}",
            ca=recall.ca,
            command=command,
        )
    elif plan.state is JobState.PAUSED:
        said = say(
            "{ca} wants it replaced now, but the plan for this is paused. To renew it now: {command}",
            ca=recall.ca,
            command=command,
        )
    else:
        return ()
    return (Hint(said),)
