"""The checking step: facts first, then the pure decision which names an order may be spent on."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from services.issuance.move import Move, Parts
from services.issuance.planning import forbidden_cas, healthy_names
from services.model.certificates import Attempt, Certificate
from services.model.findings import Finding, worst_first
from services.model.lifecycle import Event, State
from services.model.names import counts_as
from services.ports import Subject, Transaction
from services.renewal.timing import backoff, near_expiry

WAITS_FOR_DNS = "dns."
"""Codes that begin so are watched every two hours, as the platform promises its merchants."""


def subject_of(
    tx: Transaction, name: str, store: str | None, certificate: Certificate | None = None
) -> Subject:
    """Return what the database knows of ``name`` for the store; ``store`` None means: whichever owns it."""
    domains = [domain for candidate in counts_as(name) if (domain := tx.stores.domain(candidate))]
    owned = [domain for domain in domains if store is None or domain.store == store]
    owner = store if store is not None else (owned[0].store if owned else None)
    return Subject(
        name=name,
        store=tx.stores.get(owner) if owner else None,
        added=any(not domain.default for domain in owned),
        default=any(domain.default for domain in owned),
        certificate=certificate,
    )


def examine(parts: Parts, certificate: Certificate) -> dict[str, tuple[Finding, ...]]:
    """Run the checks on every wanted name; spends nothing at the CA."""
    with parts.storage.read() as tx:
        subjects = [subject_of(tx, name, certificate.store, certificate) for name in certificate.wanted]
    return {subject.name: parts.checker.check(subject) for subject in subjects}


def checking(parts: Parts, certificate: Certificate) -> Move:
    """Check every wanted name; go on with the healthy ones, or wait if there are none."""
    found = examine(parts, certificate)
    now = parts.clock()
    findings = worst_first(tuple(f for some in found.values() for f in some))
    names = healthy_names(certificate, found, near_expiry=near_expiry(certificate, now))
    if not names:
        return _blocked(parts, certificate, findings)
    if _nothing_to_gain(parts, certificate, names, now):
        settled = certificate.moved(Event.NOTHING_TO_GAIN, now=now, run_after=now)
        wait = max(backoff(parts.renewing, certificate.failures), parts.renewing.dns_recheck)
        kept = replace(settled, retry_at=now + wait)
        return Move(kept, Event.NOTHING_TO_GAIN.value, ", ".join(names), findings=findings)
    attempt = Attempt(started_at=now, names=names, tried=forbidden_cas(found))
    moved = certificate.moved(Event.CHECKS_PASSED, now=now, run_after=now)
    kept = replace(moved, attempt=attempt, stopped_at=None, next=None)
    return Move(kept, Event.CHECKS_PASSED.value, ", ".join(names), findings=findings)


def _nothing_to_gain(parts: Parts, certificate: Certificate, names: tuple[str, ...], now: datetime) -> bool:
    """Tell whether the installed revision covers just these names, is not due, and nobody asked for a new one."""
    if certificate.asked or certificate.installed is None:
        return False
    if certificate.renew_at is None or now >= certificate.renew_at:
        return False
    with parts.storage.read() as tx:
        installed = tx.certificates.revision(certificate.installed)
    return installed is not None and set(installed.names) == set(names)


def _blocked(parts: Parts, certificate: Certificate, findings: tuple[Finding, ...]) -> Move:
    now = parts.clock()
    blockers = [f for f in findings if f.blocks]
    problem = blockers[0] if blockers else certificate.problem
    dns_only = all(f.code.startswith(WAITS_FOR_DNS) for f in blockers)
    every = parts.renewing.dns_recheck if dns_only else parts.renewing.blocked_recheck
    moved = certificate.moved(Event.CHECKS_BLOCKED, now=now, run_after=now + every)
    kept = replace(moved, problem=problem, stopped_at=State.CHECKING, retry_at=now + every)
    return Move(
        kept, Event.CHECKS_BLOCKED.value, problem.summary.plain() if problem else "", findings=findings
    )


def evidence_of_change(before: tuple[Finding, ...], found: Mapping[str, tuple[Finding, ...]]) -> bool:
    """Tell whether the checks say something else now than when they were last saved: a reason to try at once."""
    was = {(f.name, f.code, f.verdict) for f in before}
    return was != {(f.name, f.code, f.verdict) for some in found.values() for f in some}
