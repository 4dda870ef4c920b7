"""The checking step: facts first, then the pure decision which names an order may be spent on."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from services.issuance.move import Move, Parts
from services.issuance.planning import (
    NAME_SPECIFIC,
    barred_routes,
    crowded_cas,
    forbidden_cas,
    healthy_names,
)
from services.issuance.routing import Stay, postponed, way_for
from services.model.certificates import NOT_SERVED, Attempt, Certificate, Revision
from services.model.findings import ANSWERS, Finding, Verdict, leaves_open, worst_first
from services.model.lifecycle import Event, State
from services.model.names import counts_as
from services.model.sight import EVERY, Sight
from services.model.text import NOTHING
from services.ports import Subject, Transaction
from services.renewal.compare import Standing, answers_changed, standing_of
from services.renewal.timing import backoff, near_expiry

SIDE_BY_SIDE = 8
"""Names of one certificate that are checked at the same time."""
WAITS_FOR_DNS = "dns."
"""Codes that begin so are watched every two hours, as the platform promises its merchants."""


def subject_of(
    tx: Transaction,
    name: str,
    store: str | None,
    certificate: Certificate | None = None,
    *,
    visible: Sight = EVERY,
) -> Subject:
    """Return what the database knows of ``name`` for the store; ``store`` None means: whichever owns it.

    A store that is not ``visible`` is as one that is not there, and nothing of it is read: how long it takes must not
    tell whether somebody else has the name.
    """
    # the name's own row decides whose it is; only without one does it count as added with its shorter form
    rows = [tx.stores.domain(candidate, visible.stores) for candidate in counts_as(name)]
    found = next((domain for domain in rows if domain is not None), None)
    if found is not None and found.name != name and tx.stores.domain(name) is not None:
        found = None  # somebody else's own row
    owned = [found] if found is not None and store in (None, found.store) else []
    owner = store if store is not None else (owned[0].store if owned else None)
    return Subject(
        name=name,
        store=tx.stores.get(owner) if owner and visible(owner) else None,
        added=any(not domain.default for domain in owned),
        default=any(domain.default for domain in owned),
        certificate=certificate,
    )


def examine(
    parts: Parts, certificate: Certificate, names: Sequence[str] | None = None
) -> dict[str, tuple[Finding, ...]]:
    """Run the checks on ``names`` (by default on every wanted one), a few side by side; spends nothing at the CA."""
    wanted = certificate.wanted if names is None else names
    with parts.storage.read() as tx:
        subjects = [subject_of(tx, name, certificate.store, certificate) for name in wanted]
    if len(subjects) < 2:
        return {subject.name: parts.checker.check(subject) for subject in subjects}
    with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="name") as pool:
        found = pool.map(parts.checker.check, subjects)
        return {subject.name: findings for subject, findings in zip(subjects, found, strict=True)}


def checking(parts: Parts, certificate: Certificate) -> Move:
    """Check every wanted name; go on with the healthy ones, or wait if there are none, or no CA can take an order now."""
    found = examine(parts, certificate)
    now = parts.clock()
    with parts.storage.read() as tx:
        before = tuple(tx.certificates.findings(certificate.id))
    seen = (f for some in found.values() for f in some)
    unserved = (
        f for f in before if f.code == NOT_SERVED
    )  # no check sees it: it stands until another one is installed
    findings = worst_first((*seen, *refusals_of(certificate, before), *unserved))
    pressing = near_expiry(certificate, now) or certificate.revoked
    names = healthy_names(certificate, found, near_expiry=pressing)
    if not names:
        return _blocked(parts, certificate, findings)
    if (covered := _covering(parts, certificate, names, now)) is not None:
        kept = _settled(parts, certificate, covered, now)
        return Move(kept, Event.NOTHING_TO_GAIN.value, ", ".join(names), findings=findings)
    forbidden = forbidden_cas(names, found, parts.cas)
    attempt = Attempt(
        started_at=now,
        names=names,
        considered=certificate.wanted,
        tried=(
            *forbidden,
            *crowded_cas(names, parts.limits, [ca for ca in parts.cas if ca not in forbidden]),
            *barred_routes(names, found, tuple(parts.cas), tuple(parts.responders)),
        ),
        refused=certificate.attempt.refused,
        before=_stood(certificate, before),
        leftovers=certificate.attempt.leftovers,
    )
    fresh = replace(certificate, attempt=attempt, next=None)
    stay = way_for(parts, fresh)
    if isinstance(stay, Stay):
        return replace(postponed(parts, fresh, stay), findings=findings)
    kept = replace(fresh.moved(Event.CHECKS_PASSED, now=now, run_after=now), stopped_at=None)
    return Move(kept, Event.CHECKS_PASSED.value, ", ".join(names), findings=findings)


def _stood(certificate: Certificate, before: Sequence[Finding]) -> tuple[Standing, ...]:
    """Return what stood against the last attempt that failed; a wait for a CA in between is none."""
    if not certificate.failures:
        return ()
    problem = certificate.problem
    if problem is not None and "waits" in problem.evidence:
        return certificate.attempt.before
    # the checks' words first, then the CA's
    return standing_of((*sorted(before, key=lambda f: f.code in NAME_SPECIFIC), problem))


def _covering(
    parts: Parts, certificate: Certificate, names: tuple[str, ...], now: datetime
) -> Revision | None:
    """Return the installed revision if it covers these names already, is not due, and nobody asked for a new one."""
    if certificate.asked or certificate.installed is None:
        return None
    if certificate.renew_at is None or now >= certificate.renew_at:
        return None
    with parts.storage.read() as tx:
        installed = tx.certificates.revision(certificate.installed)
    return installed if installed is not None and set(names) <= set(installed.names) else None


def _settled(parts: Parts, certificate: Certificate, covered: Revision, now: datetime) -> Certificate:
    """Return the certificate at rest again with what is installed: well if no wanted name is missing there.

    What a target lacks, or an edge was seen to serve wrongly, is looked at by the next step, and stays until that.
    """
    settled = certificate.moved(Event.NOTHING_TO_GAIN, now=now, run_after=now)
    if set(certificate.wanted) - set(covered.names):
        wait = max(backoff(parts.renewing, certificate.failures), parts.renewing.dns_recheck)
        return replace(settled, retry_at=now + wait)
    return replace(
        settled,
        problem=settled.problem if settled.unproved else None,
        retry_at=None,
        failures=0,
        strikes=0,
        stopped_at=None,
    )


def refusals_of(certificate: Certificate, saved: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return what the CA said of the names that it refused: it holds until the CA is asked about them again."""
    refused = certificate.attempt.refused
    return tuple(f for f in saved if f.code in NAME_SPECIFIC and f.name in refused)


def _blocked(parts: Parts, certificate: Certificate, findings: tuple[Finding, ...]) -> Move:
    now = parts.clock()
    blockers = [f for f in findings if f.blocks and f.code not in NAME_SPECIFIC]
    problem = blockers[0] if blockers else certificate.problem
    dns_only = all(f.code.startswith(WAITS_FOR_DNS) for f in blockers)
    every = parts.renewing.dns_recheck if dns_only else parts.renewing.blocked_recheck
    moved = certificate.moved(Event.CHECKS_BLOCKED, now=now, run_after=now + every)
    kept = replace(moved, problem=problem, stopped_at=State.CHECKING, retry_at=now + every)
    said = problem.summary if problem else ""
    return Move(
        kept,
        "" if _same(problem, certificate.problem) else Event.CHECKS_BLOCKED.value,
        said,
        findings=findings,
    )


def _same(one: Finding | None, other: Finding | None) -> bool:
    """Tell whether two findings say the same: two days of waiting are one row of history, not twenty-four."""
    return one is not None and other is not None and (one.code, one.name) == (other.code, other.name)


_NO_READINGS = ("ca.", "deploy.")
"""Codes that begin so are what a CA said, and what the edge served."""


def evidence_of_change(before: Sequence[Finding], found: Mapping[str, Sequence[Finding]]) -> bool:
    """Tell whether the checks say something else now than when they were last saved: a reason to try at once.

    What the CA said and what the edge serves is no reading of the checks, and silence (verdict unknown) is no evidence: a name that has such a
    finding now is not compared.
    """
    now = [f for some in found.values() for f in some]
    return _readings(before, now) != _readings(now, now)


def evidence_of_fix(before: Sequence[Finding], found: Mapping[str, Sequence[Finding]]) -> bool:
    """Tell whether something that was wrong is not so any more, or less, or DNS answers differently.

    Silence is no evidence here either.
    """
    now = [f for some in found.values() for f in some]
    was, is_now = _readings(before, now), _readings(now, now)
    worse = {(name, code) for name, code, verdict in is_now if verdict is Verdict.BLOCK}
    mended = any(reading not in is_now and reading[:2] not in worse for reading in was)
    return mended or answers_changed(before, now) != NOTHING


def _readings(findings: Iterable[Finding], now: Sequence[Finding]) -> set[tuple[str, str, Verdict]]:
    """Return what can be compared: all that the silence there is ``now`` does not leave open."""
    return {
        (f.name, f.code, f.verdict)
        for f in findings
        if f.verdict is not Verdict.UNKNOWN
        and f.code != ANSWERS
        and not f.code.startswith(_NO_READINGS)
        and not any(leaves_open(each, f.code, f.name) for each in now)
    }
