"""An installed certificate that its CA wants replaced at once: renewed now, or noted for the fleet's plan, which begins with it."""

import hashlib
from dataclasses import replace
from datetime import datetime

from services.alerting.routing import channels_for
from services.issuance.move import Move, Parts, on
from services.model.alerts import Severity
from services.model.audit import ITSELF
from services.model.certificates import Certificate, Revision
from services.model.findings import Owner
from services.model.jobs import Job
from services.model.lifecycle import Event
from services.model.recalls import Recall
from services.model.settings import Alerting
from services.model.text import Text, say
from services.ports import Message, Transaction
from services.recalling.plan import RECENT, Facts, Turn, recalled, turn

KIND = "recall"
"""Kind of the plan's job, and of the message that shows it."""
RECALLED = "recalled"
"""The happening in the history of a certificate that waits for its turn."""
CODE = "ca.recalled"
"""What routes of alerts may name to have the message in a channel of its own."""


def recall_move(parts: Parts, certificate: Certificate, revision: Revision, because: str) -> Move | None:
    """Return what becomes of a certificate that is due, if it is a recall; None if it is none: then it is renewed as ever.

    ``because``: URL of the CA's explanation, if it was given just now.
    """
    now = parts.clock()
    if not recalled(certificate, now):
        return None
    facts = _facts(parts, certificate, revision, now)
    what, again = turn(facts)
    if what is Turn.ORDINARY:
        return None
    if what is Turn.LEFT:
        return Move(replace(certificate, run_after=again, updated_at=now))
    noted = facts.noted or _noted(certificate, revision, because, now, planned=what is Turn.PLANNED)
    if what is Turn.AT_ONCE:
        return replace(on(certificate, Event.RENEWAL_DUE, now, _why(noted)), recall=noted)
    said = "" if facts.noted is not None else RECALLED
    waits = replace(certificate, run_after=again, updated_at=now)
    return Move(waits, said, _why(noted), recall=noted)


def _facts(parts: Parts, certificate: Certificate, revision: Revision, now: datetime) -> Facts:
    many = parts.renewing.many
    with parts.storage.read() as tx:
        noted = tx.recalls.get(revision.id)
        earlier = tx.recalls.last(certificate.id) if noted is None else None
        single = tx.recalls.single(revision.ca, now - RECENT, many + 1) if noted is None else ()
        plan = _plan(tx, revision.ca, noted)
    return Facts(
        certificate=certificate,
        now=now,
        many=many,
        noted=noted,
        earlier=earlier.seen_at if earlier is not None else None,
        others=len([one for one in single if one != certificate.id]),
        plan=plan,
    )


def _plan(tx: Transaction, ca: str, noted: Recall | None) -> Job | None:
    return tx.jobs.get(noted.job) if noted is not None and noted.job else newest_plan(tx, ca)


def newest_plan(tx: Transaction, ca: str) -> Job | None:
    """Return the newest plan of the CA, also one that has no recall in it yet; None if there was none."""
    known = tx.recalls.plan(ca)
    plan = tx.jobs.get(known) if known else None
    while (following := tx.jobs.get(id_after(ca, plan.id if plan is not None else ""))) is not None:
        plan = following
    return plan


def _noted(
    certificate: Certificate, revision: Revision, because: str, now: datetime, *, planned: bool
) -> Recall:
    return Recall(
        revision=revision.id,
        certificate=certificate.id,
        store=certificate.store,
        name=certificate.name,
        ca=revision.ca,
        seen_at=now,
        not_after=revision.not_after or now,
        because=because,
        planned=planned,
    )


def _why(recall: Recall) -> Text:
    if not recall.because:
        return say("{ca} wants it replaced now", ca=recall.ca)
    return say("{ca} wants it replaced now: {url}", ca=recall.ca, url=recall.because)


def keep(tx: Transaction, policy: Alerting, many: int, recall: Recall, now: datetime) -> None:
    """Save a recall; the first one of its CA that waits for a plan begins it, with the message that tells of it.

    So does the last of ``many`` that have all been renewed at once, because each was looked at before the others were
    saved. To be called in the transaction that saves the certificate. Of two that begin a plan at once one does.
    """
    fresh = tx.recalls.note(recall)
    if recall.job or not (recall.planned or (fresh and _are_many(tx, recall.ca, many, now))):
        return
    newest = newest_plan(tx, recall.ca)
    if newest is not None and not newest.over:
        return
    job = Job(
        id=id_after(recall.ca, newest.id if newest is not None else ""),
        kind=KIND,
        what={"ca": recall.ca, "because": recall.because, "stores": []},
        person=ITSELF,
        created_at=now,
        total=0,
        run_after=now,
        since=now,
    )
    if tx.jobs.add(job, ()):
        _tell(tx, policy, job, now)


def _are_many(tx: Transaction, ca: str, many: int, now: datetime) -> bool:
    return len(tx.recalls.single(ca, now - RECENT, many)) >= many


def id_after(ca: str, before: str) -> str:
    """Return the id of the CA's plan that follows the one with the id ``before``: the same for all who begin it at once."""
    return "job_" + hashlib.sha256(f"recall {ca} {before}".encode()).hexdigest()[:20]


def _tell(tx: Transaction, policy: Alerting, job: Job, now: datetime) -> None:
    """Put the plan's one message out, where on-call reads alerts of this kind; nowhere if there is no channel."""
    channels = channels_for(CODE, Owner.CA, Severity.URGENT, (), policy) or (policy.support_channel,)
    if channels[0]:
        message = Message.in_channel(f"{KIND}:{job.id}", KIND, channels[0], {"job": job.id}, now)
        tx.outbox.put(replace(message, follows=(job.id,)))
