"""The steps of certificates at rest: look whether renewal is due, whether a fix has come, whether the proof holds."""

from dataclasses import replace
from datetime import datetime

from services.deployment.installing import LOOK_AGAIN, not_served, unserved
from services.issuance.move import Move, Parts, look_again, on
from services.issuance.preflight import evidence_of_change, examine
from services.issuance.routing import elsewhere, waits_on
from services.model.certificates import Certificate, Revision
from services.model.findings import worst_first
from services.model.lifecycle import Event, State
from services.model.text import say
from services.recalling.noting import recall_move
from services.renewal.compare import change_seen
from services.renewal.schedule import scheduled
from services.renewal.timing import pause_until


def installed(parts: Parts, certificate: Certificate) -> Move:
    """Tend an installed certificate: prove it again if that is owed, then decide when it is renewed or completed."""
    with parts.storage.read() as tx:
        revision = tx.certificates.revision(certificate.installed or "")
    if revision is None:
        raise LookupError(f"{certificate.id} is installed without a revision")
    tended = _proved(parts, certificate, revision)
    tended, because = scheduled(parts, tended, revision)
    now = parts.clock()
    missing = tuple(name for name in certificate.wanted if name not in revision.names)
    if not missing:  # a name that it waited for may have been removed meanwhile
        tended = replace(tended, retry_at=None)
    due = tended.renew_at is None or now >= tended.renew_at
    if not due and not (missing and (certificate.retry_at is None or now >= certificate.retry_at)):
        return Move(
            replace(tended, run_after=_next_look(parts, tended, missing=bool(missing)), updated_at=now)
        )
    with parts.storage.read() as tx:
        pause = pause_until(tx.certificates.revisions(certificate.id), now)
    if pause is not None:
        return Move(replace(tended, run_after=pause, updated_at=now))
    if not due:
        return _complete(parts, tended, missing, now)
    return recall_move(parts, tended, revision, because) or on(tended, Event.RENEWAL_DUE, now)


def _next_look(parts: Parts, certificate: Certificate, *, missing: bool) -> datetime:
    now = parts.clock()
    moments = [certificate.renew_at, certificate.ari_after, certificate.retry_at if missing else None]
    unproved = certificate.problem is not None and certificate.problem.code == "deploy.not_served"
    if unproved or certificate.attempt.leftovers:
        moments.append(now + LOOK_AGAIN)
    return max(now, min(moment for moment in moments if moment is not None))


def _proved(parts: Parts, certificate: Certificate, revision: Revision) -> Certificate:
    """Look at the edge again while the last look did not show the revision."""
    if certificate.problem is None or certificate.problem.code != "deploy.not_served":
        return certificate
    missing = unserved(parts, revision)
    return replace(certificate, problem=not_served(missing, revision, parts.clock()) if missing else None)


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
