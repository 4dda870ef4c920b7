"""The steps of certificates at rest: look whether renewal is due, whether a fix has come, whether the proof holds."""

from dataclasses import dataclass, replace
from datetime import datetime

from services.deployment.delivering import (
    DELIVERED,
    TOGETHER,
    again_at,
    deliver,
    owed,
    still_theirs,
    undelivered,
)
from services.deployment.fitness import unfit
from services.deployment.installing import LOOK_AGAIN, not_served, unserved
from services.issuance.move import Move, Parts, look_again, on
from services.issuance.preflight import evidence_of_change, examine
from services.issuance.routing import elsewhere, waits_on
from services.model.certificates import Certificate, Revision
from services.model.findings import worst_first
from services.model.lifecycle import Event, State
from services.model.text import Item, say
from services.recalling.noting import recall_move
from services.renewal.breaker import Met
from services.renewal.compare import change_seen
from services.renewal.schedule import scheduled
from services.renewal.timing import pause_until


def installed(parts: Parts, certificate: Certificate) -> Move:
    """Tend an installed certificate: prove it again if that is owed, then decide when it is renewed or completed."""
    with parts.storage.read() as tx:
        revision = tx.certificates.revision(certificate.installed or "")
    if revision is None:
        raise LookupError(f"{certificate.id} is installed without a revision")
    seen = _served(parts, certificate, revision)
    tended, because = scheduled(parts, seen.certificate, revision)
    move = _due(parts, tended, revision, seen.again, because)
    if move.what or not seen.said:
        return replace(move, met=seen.met)
    return replace(move, met=seen.met, what=seen.said, details=seen.details)


def _due(parts: Parts, tended: Certificate, revision: Revision, again: datetime | None, because: str) -> Move:
    """Decide whether it is renewed or completed now, or when it is looked at again, at ``again`` at the latest.

    ``because``: URL of what the CA says to the renewal, if it was asked and said something.
    """
    now = parts.clock()
    missing = tuple(name for name in tended.wanted if name not in revision.names)
    if not missing:  # a name that it waited for may have been removed meanwhile
        tended = replace(tended, retry_at=None)
    due = tended.renew_at is None or now >= tended.renew_at
    completing = missing and (tended.retry_at is None or now >= tended.retry_at)
    if not due and (tended.held(now) or not completing):
        due_at = _next_look(parts, tended, missing=bool(missing), again=again)
        return Move(replace(tended, run_after=due_at, updated_at=now))
    with parts.storage.read() as tx:
        pause = pause_until(tx.certificates.revisions(tended.id), now)
    if pause is not None:
        return Move(replace(tended, run_after=pause, updated_at=now))
    if not due:
        return _complete(parts, tended, missing, now)
    move = recall_move(parts, tended, revision, because)
    if move is None:
        return on(tended, Event.RENEWAL_DUE, now)
    waits = move.certificate.run_after
    if again is None or waits is None or not move.certificate.resting:
        return move
    return replace(move, certificate=replace(move.certificate, run_after=min(waits, again)))


def _next_look(
    parts: Parts, certificate: Certificate, *, missing: bool, again: datetime | None = None
) -> datetime:
    now = parts.clock()
    told = certificate.rolled_back if certificate.held(now) else None
    completed = told.until if told is not None else certificate.retry_at if missing else None
    moments = [
        certificate.renew_at,
        certificate.ari_after,
        completed,
        again,
        now + LOOK_AGAIN if certificate.attempt.leftovers else None,
    ]
    return max(now, min(moment for moment in moments if moment is not None))


@dataclass(frozen=True, slots=True)
class _Seen:
    """How an installed revision stands at the targets and at the edge."""

    certificate: Certificate
    again: datetime | None = None
    """When to look again; None: nothing is owed."""
    met: tuple[Met, ...] = ()
    said: str = ""
    """The happening, if the history is to have one."""
    details: Item = ""


def _served(parts: Parts, certificate: Certificate, revision: Revision) -> _Seen:
    """Give it to the targets that lack it, then look at the edge again if the last look did not show it."""
    lacking = () if certificate.revoked else owed(parts.targets, certificate, revision.id)
    if not lacking:
        return _Seen(certificate) if not certificate.unproved else _proved(parts, certificate, revision)
    key = parts.vault.open(revision.sealed_key, revision.key_binding).decode()
    if unfit(revision, key, parts.clock(), cas=parts.limits):
        return _Seen(certificate)  # it has expired: what replaces it goes to every target
    delivery = deliver(parts, certificate, revision, key)
    if delivery.whole:
        rested = replace(delivery.certificate, attempt=replace(certificate.attempt, faults=0))
        proved = _proved(parts, rested, revision)
        return replace(
            proved, met=delivery.met, said=DELIVERED, details=TOGETHER.join(t.name for t in lacking)
        )
    problem = undelivered(delivery, revision.names[0], parts.clock())
    attempt = replace(certificate.attempt, faults=certificate.attempt.faults + bool(delivery.failed))
    kept = replace(delivery, certificate=replace(delivery.certificate, problem=problem, attempt=attempt))
    said = "" if certificate.problem and certificate.problem.code == problem.code else "fault"
    return _Seen(kept.certificate, again_at(parts, kept), delivery.met, said, problem.summary)


def _proved(parts: Parts, certificate: Certificate, revision: Revision) -> _Seen:
    """Look at the edge."""
    missing = unserved(parts, still_theirs(parts, certificate, revision))
    now = parts.clock()
    if not missing:
        return _Seen(replace(certificate, problem=None))
    return _Seen(replace(certificate, problem=not_served(missing, revision, now)), now + LOOK_AGAIN)


def _complete(parts: Parts, certificate: Certificate, missing: tuple[str, ...], now: datetime) -> Move:
    """Start over with the whole set as soon as a name that was left out has healed or was added since."""
    found = examine(parts, certificate, missing)
    if any(not any(f.blocks for f in found[name]) for name in missing):
        # what the CA said of the name last time is forgotten: it gets its next chance
        fresh = replace(certificate, problem=None, attempt=replace(certificate.attempt, refused=()))
        return on(fresh, Event.RENEWAL_DUE, now, "names to add: " + ", ".join(missing))
    waited = replace(certificate, retry_at=now + parts.renewing.dns_recheck)
    with parts.storage.read() as tx:
        others = tuple(f for f in tx.certificates.findings(certificate.id) if f.name not in missing)
    findings = worst_first((*others, *(f for some in found.values() for f in some)))
    return Move(
        replace(waited, run_after=_next_look(parts, waited, missing=True), updated_at=now), findings=findings
    )


def blocked(parts: Parts, certificate: Certificate) -> Move:
    """Check again: the next step decides, and has it in the history if something has changed.

    What waits for a CA, its budget or a target waits on without checks while nothing has changed there; the watch looks
    at its names meanwhile.
    """
    if certificate.stopped_at is State.ORDERING and (wait := waits_on(parts, certificate)) is not None:
        return wait
    return replace(on(certificate, Event.RETRY_DUE, parts.clock()), what="")


def failed(parts: Parts, certificate: Certificate) -> Move:
    """Try again when the back-off is over, or when the checks see something else than before.

    No change that the checks see lifts a CA's rate limit: then only its end counts, or another CA that is free.
    """
    now = parts.clock()
    due = certificate.retry_at or now
    if now >= due:
        return on(certificate, Event.RETRY_DUE, now)
    if certificate.problem is not None and certificate.problem.code == "ca.rate_limited":
        if elsewhere(parts, certificate):
            return on(certificate, Event.RETRY_DUE, now, say("another CA is free"))
        next_look = look_again(now, due, parts.renewing.blocked_recheck)
        return Move(replace(certificate, run_after=next_look, updated_at=now))
    with parts.storage.read() as tx:
        before = tuple(tx.certificates.findings(certificate.id))
    found = examine(parts, certificate)
    if evidence_of_change(before, found):
        # what the CA refused may be just what has been mended: every name gets its chance
        fresh = replace(certificate, attempt=replace(certificate.attempt, refused=()))
        return on(fresh, Event.RETRY_DUE, parts.clock(), change_seen(before, found))
    now = parts.clock()
    return Move(
        replace(certificate, run_after=look_again(now, due, parts.renewing.blocked_recheck), updated_at=now)
    )
