"""The watch: every installed certificate is checked long before its renewal, and one that needs support for signs of a fix."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from services.deployment import witness
from services.issuance.move import Parts
from services.issuance.planning import BUDGET, NAME_SPECIFIC
from services.issuance.preflight import (
    WAITS_FOR_DNS,
    evidence_of_change,
    evidence_of_fix,
    examine,
    refusals_of,
)
from services.model.certificates import NOT_SERVED, Certificate, Happening
from services.model.findings import ANSWERS, CODES, Finding, worst_first
from services.model.lifecycle import Event, State
from services.model.pacing import Watch
from services.model.settings import Alerting, Renewing
from services.model.text import Text, say
from services.ports import Transaction
from services.renewal.compare import change_seen
from services.renewal.noticing import notice
from services.renewal.timing import backoff

log = structlog.get_logger()

SHARE = 0.1
"""Which part of a waiting time is drawn by chance, so that certificates that were added together part."""
MOST_SAID = 3
"""How many of the blockers that a look found stand in the history."""
EARLIER = say("the checks saw a change earlier")
"""Stands in the history where evidence was seen some time before the certificate starts again."""
SOON = timedelta(minutes=1)
"""When to look again at a certificate that a worker took in hand during the look."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a certificate: what was known of it, and what was found."""

    certificate: Certificate
    before: tuple[Finding, ...]
    found: Mapping[str, Sequence[Finding]]
    findings: tuple[Finding, ...]
    """What is saved: what was found and seen, and what a CA said of names that it refused."""
    served: tuple[Finding, ...] = ()
    """What is wrong with what the edge serves."""

    @property
    def changed(self) -> bool:
        """Whether the checks read something else than before, or the edge serves something else."""
        return evidence_of_change(self.before, self.found) or witness.differ(self.before, self.served)


def look(parts: Parts, watch: Watch) -> datetime:
    """Check every wanted name of the watched certificate, and look at what the edge serves; save it, and return when to look again.

    Nothing is spent at a CA, and an installed certificate is never moved: its renewal is the work queue's. One that
    needs support starts again when something is right that was wrong. A certificate that is being worked on, or looks
    by itself, is not checked. Twice at once is harmless; whatever the network does, nothing is raised.
    """
    now = parts.clock()
    with parts.storage.read() as tx:
        certificate = tx.certificates.get(watch.id)
        if certificate is None or not (watched(certificate, now) or serves(certificate, now)):
            return later(now, parts.renewing.watch, parts.chance())
        before = tuple(tx.certificates.findings(certificate.id))
        quiet = not before and not tx.alerts.sightings(certificate.id) and certificate.problem is None
    found, kept = _checked(parts, certificate, before, now)
    seen = tuple(f for some in found.values() for f in some)
    served = witness.look(parts, certificate, seen)
    findings = worst_first((*seen, *kept, *served))
    if quiet and not findings:
        return later(parts.clock(), parts.renewing.watch, parts.chance())
    return _saved(parts, Look(certificate, before, found, findings, served))


def _checked(
    parts: Parts, certificate: Certificate, before: Sequence[Finding], now: datetime
) -> tuple[Mapping[str, Sequence[Finding]], Sequence[Finding]]:
    """Return what the checks find now, and what stays of before; one that looks by itself keeps what its steps have found."""
    if watched(certificate, now):
        found = examine(parts, certificate)
        seen = tuple(f for some in found.values() for f in some)
        return found, (*refusals_of(certificate, before), *_kept(certificate, before, seen))
    known = [f for f in before if f.code != NOT_SERVED]
    return {name: [f for f in known if f.name == name] for name in {f.name for f in known}}, ()


def serves(certificate: Certificate, now: datetime) -> bool:
    """Tell whether visitors are to be served what is installed, while no worker has it in hand."""
    held = certificate.lease_until is not None and certificate.lease_until > now
    return certificate.installed is not None and certificate.resting and not held


def _kept(
    certificate: Certificate, before: Sequence[Finding], seen: Sequence[Finding]
) -> tuple[Finding, ...]:
    """Return what DNS answered at an earlier look for names whose questions were not all answered now."""
    answered = {f.name for f in seen if f.code == ANSWERS}
    return tuple(
        f for f in before if f.code == ANSWERS and f.name in certificate.wanted and f.name not in answered
    )


def watched(certificate: Certificate, now: datetime) -> bool:
    """Tell whether the watch looks at a certificate now.

    Those are: what is installed and not about to be renewed, what needs support, and what waits for a CA, its limit or
    a target, whose step does not look by itself.
    """
    if certificate.lease_until is not None and certificate.lease_until > now:
        return False
    if certificate.state is State.NEEDS_SUPPORT:
        return True
    problem = certificate.problem
    limited = problem is not None and problem.code == BUDGET
    waits = (certificate.state is State.BLOCKED and certificate.stopped_at is State.ORDERING) or (
        certificate.state is State.FAILED and limited
    )
    due = certificate.run_after is None or certificate.run_after <= now
    return (certificate.state is State.INSTALLED or waits) and not due


def _saved(parts: Parts, seen: Look) -> datetime:
    """Save a look, unless the certificate has been taken in hand since; return when to look again."""
    now = parts.clock()
    with parts.storage.write() as tx:
        row = tx.certificates.get(seen.certificate.id)
        if row is None or row.fence != seen.certificate.fence or row.state is not seen.certificate.state:
            return now + SOON
        fixed = row.state is State.NEEDS_SUPPORT and evidence_of_fix(seen.before, seen.found)
        if fixed or (row.state is State.NEEDS_SUPPORT and row.retry_at is not None):
            why = change_seen(seen.before, seen.found) if fixed else EARLIER
            if (acted := _acted(tx, parts.renewing, row, why, now)) is None:
                return now + SOON
            row = acted
        tx.certificates.put_findings(row.id, seen.findings)
        if seen.changed:
            happening = Happening(row.id, now, "checked", state=row.state.value, details=said_of(seen))
            tx.certificates.record(happening)
            tx.outbox.touch(row.id, now)  # before alerts are touched, as a step does: nobody waits for ever
        notice(tx, parts.alerting, row, seen.findings, now)
    parts.announce()
    every = wait_after(seen, parts.renewing, parts.alerting)
    return later(now, every, parts.chance())


def said_of(seen: Look) -> Text:
    """Return for the history what is in the way as the checks see it now."""
    said = (*(f for some in seen.found.values() for f in some), *seen.served)
    blockers = [f.summary for f in said if f.blocks]
    if not blockers:
        return say("nothing is in the way")
    first, *others = blockers[:MOST_SAID]
    for other in others:
        first = say("{before} {after}", before=first, after=other)
    beyond = len(blockers) - MOST_SAID
    return say("{before} and {count} more", before=first, count=beyond) if beyond > 0 else first


def _acted(
    tx: Transaction, policy: Renewing, certificate: Certificate, why: Text, now: datetime
) -> Certificate | None:
    """Act on evidence: start again, or remember to do so; None if a worker or a person was faster."""
    due = start_at(certificate, policy)
    if now >= due:
        return _started(tx, certificate, why, now)
    remembered = replace(certificate, retry_at=due)
    return remembered if certificate.retry_at == due or tx.certificates.ask(remembered) else None


def start_at(certificate: Certificate, policy: Renewing) -> datetime:
    """Return from when on evidence starts a certificate again that needs support: at once after its first hand-over.

    Something that comes and goes is no fix: each further hand-over without an installation in between has it wait as
    long as the failures before that one made it wait.
    """
    earlier = certificate.failures - policy.strikes
    return certificate.updated_at + (backoff(policy, earlier) if earlier > 0 else timedelta(0))


def _started(tx: Transaction, certificate: Certificate, why: Text, now: datetime) -> Certificate | None:
    """Start a certificate again that needed support; None if a worker or a person was faster.

    What the CA refused may be just what has been mended: every name gets its chance.
    """
    again = replace(
        certificate.moved(Event.RETRY_DUE, now=now, run_after=now),
        strikes=0,
        retry_at=None,
        attempt=replace(certificate.attempt, refused=(), polls=0, faults=0),
    )
    if not tx.certificates.ask(again):
        return None
    tx.certificates.record(Happening(again.id, now, "evidence", state=again.state.value, details=why))
    tx.outbox.touch(again.id, now)
    log.info("evidence", certificate=again.id, domain=again.domain)
    return again


def wait_after(seen: Look, renewing: Renewing, alerting: Alerting) -> timedelta:
    """Return how long to wait for the next look.

    A new blocker that is not certain is confirmed soon; one that waits for DNS, or another one, is watched more often
    than what is well. Who needs support is watched hourly, whatever the checks say.
    """
    blockers = [f for f in seen.findings if f.blocks and f.code not in NAME_SPECIFIC]
    known = {(f.code, f.name) for f in seen.before if f.blocks}
    if any((f.code, f.name) not in known and not CODES[f.code].rule for f in blockers):
        return alerting.confirm
    if seen.certificate.state is State.NEEDS_SUPPORT:
        return renewing.blocked_recheck
    if not blockers:
        return renewing.watch
    dns_only = all(f.code.startswith(WAITS_FOR_DNS) for f in blockers)
    return renewing.dns_recheck if dns_only else renewing.blocked_recheck


def later(now: datetime, every: timedelta, chance: float) -> datetime:
    """Return the moment after ``every``, a little later by ``chance`` (0 to 1).

    Never earlier, so that a second sighting lies far enough from the first.
    """
    return now + every * (1 + SHARE * chance)
