"""What certdesk says of a name or a list of names: facts from the database, and labels derived from them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from services.desk import Desk
from services.issuance.planning import NAME_SPECIFIC
from services.issuance.preflight import subject_of
from services.model.certificates import NOT_SERVED, UNPROVED, Certificate
from services.model.findings import NOT_REVOKED, REVOKED, Finding, Verdict, worst_first
from services.model.lifecycle import RESTING, State
from services.model.sight import Sight
from services.model.status import NameStatus
from services.model.text import Text, say
from services.naming import registrable
from services.ports import Subject, Transaction

SIGNATURE = say("Invalid domain name signature has been detected")
"""What the platform's merchants know a rejection by; the true reason stands beside it as a finding."""
REJECTIONS = frozenset(
    {"ca.rejected_identifier", "policy.rejected", "policy.blocked_name", "policy.too_many_names"}
)

LASTING = frozenset(
    {
        "ca.account",
        "ca.unavailable",
        "ca.rate_limited",
        "ca.paused",
        "ca.rejected_identifier",
        "deploy.failed",
        "deploy.not_served",
        "certdesk.fault",
        REVOKED,
        NOT_REVOKED,
    }
)
"""What a look at DNS cannot prove wrong; other words of a CA are of the past once the checks see no cause."""

LABELS: Mapping[State, Text] = {
    State.CHECKING: say("Checking DNS and policy"),
    State.PREPARING: say("Making key and CSR"),
    State.ORDERING: say("Placing the order"),
    State.CHALLENGING: say("Answering the challenge"),
    State.VALIDATING: say("Waiting for the CA's validation"),
    State.FINALIZING: say("Sending the CSR"),
    State.COLLECTING: say("Waiting for the certificate"),
    State.DEPLOYING: say("Deploying"),
    State.VERIFYING: say("Proving that it is served"),
    State.INSTALLED: say("Installed"),
    State.BLOCKED: say("Blocked, watched"),
    State.FAILED: say("Failed, will be tried again"),
    State.NEEDS_SUPPORT: say("Needs a support agent"),
    State.RETIRED: say("Retired: no name is wanted"),
}
NOT_EVERYWHERE = say("Installed, but not on every target yet")
CANNOT_RENEW = say("Installed, but cannot renew")
"""What is said of an installed certificate while the checks see something in the way of its renewal."""


def label(certificate: Certificate, now: datetime) -> Text:
    """Return where the certificate stands in a few words. Health is derived from the clock, never stored."""
    problem = certificate.problem
    if problem is not None and problem.code in REJECTIONS and certificate.resting:
        return SIGNATURE
    if certificate.state is not State.INSTALLED:
        return LABELS[certificate.state]
    if certificate.not_after is not None and now >= certificate.not_after:
        return say("Expired")
    if certificate.revoked:
        return say("Revoked, being replaced")
    if problem is not None and problem.code in UNPROVED:
        return NOT_EVERYWHERE if problem.code == "deploy.failed" else say("Deployed, but not served yet")
    return LABELS[State.INSTALLED]


def next_attempt(certificate: Certificate) -> datetime | None:
    """Return when certdesk next works on it by itself: the renewal, the next try, or the next step."""
    if certificate.state is State.INSTALLED:
        return certificate.renew_at
    return certificate.retry_at if certificate.resting and certificate.retry_at else certificate.run_after


def status_of(
    name: str,
    certificate: Certificate,
    installed: Sequence[str] | None,
    findings: Sequence[Finding],
    now: datetime,
) -> NameStatus:
    """Return the status of one name of a certificate; ``installed`` are the names of the installed revision, if any.

    Serial and expiry are those of the installed revision, and only if it covers the name. Findings are those of the
    name and of the certificate as a whole, not those of sibling names.
    """
    covered = installed is not None and name in installed
    own = tuple(f for f in findings if f.name == name)
    problem = certificate.problem
    if problem is not None and _of_others(problem, name):
        certificate = replace(certificate, problem=None)
        problem = None
    whole = problem is not None and (
        problem.name == name or problem.code not in NAME_SPECIFIC | {f.code for f in findings}
    )
    if problem is not None and whole and certificate.state is not State.CHECKING:
        own = (problem, *(f for f in own if f.code != problem.code))
    if certificate.revocation is not None and (covered or not certificate.revoked):
        own = (certificate.revocation, *own)
    left_out = certificate.state is State.INSTALLED and not covered
    return NameStatus(
        name=name,
        store=certificate.store,
        state=(State.BLOCKED if left_out else certificate.state).value,
        label=say("Not in the certificate yet") if left_out else _label(certificate, own, now),
        not_after=certificate.not_after if covered else None,
        serial=certificate.serial if covered else None,
        next_attempt_at=(certificate.retry_at or certificate.run_after)
        if left_out
        else next_attempt(certificate),
        findings=worst_first(own),
        certificate=certificate,
    )


def _label(certificate: Certificate, own: Sequence[Finding], now: datetime) -> Text:
    """Return the certificate's label, and of one that is well otherwise if something is in the way of its renewal."""
    text = label(certificate, now)
    if text == LABELS[State.INSTALLED] and any(f.code == NOT_SERVED for f in own):
        return say("Installed, but the edge does not serve it")
    ahead = text == LABELS[State.INSTALLED] and any(finding.blocks for finding in own)
    return CANNOT_RENEW if ahead else text


def _of_others(problem: Finding, name: str) -> bool:
    """Tell whether the edge was seen to serve ``name`` rightly while it does not serve other names."""
    seen = problem.evidence.get("found", ()) if problem.code == "deploy.not_served" else ()
    return bool(seen) and all(one["name"] != name for one in seen)


def owned_subject(tx: Transaction, name: str, store: str | None, visible: Sight) -> Subject:
    """Return the subject of ``name`` for the caller: a name of a store that is not theirs looks like one of nobody's."""
    subject = subject_of(tx, name, store, visible=visible)
    owner = subject.store
    if owner is None or not (subject.added or subject.default):
        return Subject(name, None, added=False, default=False)
    return replace(subject, certificate=tx.certificates.of(owner.id, registrable(name) or name))


def describe(desk: Desk, name: str, *, store: str | None = None, visible: Sight) -> NameStatus:
    """Return what is known of ``name``, without asking the world."""
    with desk.storage.read() as tx:
        subject = owned_subject(tx, name, store, visible)
        certificate = subject.certificate
        if certificate is not None and name in certificate.wanted and subject.store is not None:
            revision = tx.certificates.revision(certificate.installed) if certificate.installed else None
            findings = tuple(tx.certificates.findings(certificate.id))
            covered = revision.names if revision is not None else None
            return status_of(name, certificate, covered, findings, desk.clock())
        served = _served(tx, subject, desk.clock())
    return _left(without_certificate(subject, desk.checker.rules(subject)), served)


def _served(tx: Transaction, subject: Subject, now: datetime) -> Certificate | None:
    """Return the certificate whose installed revision has the name, though it is no longer to have it; None: there is none."""
    one = subject.certificate
    if one is None or one.installed is None or subject.name in one.wanted:
        return None
    revision = tx.certificates.revision(one.installed)
    valid = one.not_after is not None and now < one.not_after
    return one if valid and revision is not None and subject.name in revision.names else None


def _left(status: NameStatus, served: Certificate | None) -> NameStatus:
    """Return the status of a name that was removed, while what is ``served`` still has it."""
    if served is None:
        return status
    text = say("Removed, installed until the next renewal")
    if served.state is State.RETIRED:
        text = say("Removed, installed until it expires")
    return replace(
        status,
        label=text,
        not_after=served.not_after,
        serial=served.serial,
        next_attempt_at=None if served.state is State.RETIRED else served.renew_at,
    )


def without_certificate(subject: Subject, findings: Sequence[Finding]) -> NameStatus:
    """Return the status of a name that has no certificate: because none was asked for, or none may be."""
    blocked = next((f for f in findings if f.verdict is Verdict.BLOCK), None)
    text = say("No certificate yet")
    if blocked is not None:
        text = SIGNATURE if blocked.code in REJECTIONS else say("No certificate possible")
    owner = subject.store.id if subject.store else None
    return NameStatus(subject.name, owner, "none", text, findings=worst_first(tuple(findings)))


def check(desk: Desk, name: str, *, store: str | None = None, visible: Sight) -> NameStatus:
    """Run every check on ``name`` now and return its status with what they found; spends nothing and saves nothing."""
    with desk.storage.read() as tx:
        subject = owned_subject(tx, name, store, visible)
        served = _served(tx, subject, desk.clock())
    findings = desk.checker.check(subject)
    known = describe(desk, name, store=store, visible=visible)
    if known.certificate is None:
        return _left(without_certificate(subject, findings), served)
    spoken = {f.code for f in findings}
    later = tuple(f for f in known.findings if f.code not in spoken and f.code in LASTING)
    return replace(known, findings=worst_first((*findings, *later)))


def listing(
    desk: Desk, *, store: str | None, visible_stores: frozenset[str] | None, limit: int = 100
) -> tuple[NameStatus, ...]:
    """Return the status of every wanted name, certificates worst first.

    ``store`` narrows it to one store; ``visible_stores`` are those that the caller may see (None: all of them).
    """
    if store is not None and visible_stores is not None and store not in visible_stores:
        return ()
    now = desk.clock()
    everything: tuple[str | None, ...] = (None,)
    some = (store,) if store is not None else everything if visible_stores is None else tuple(visible_stores)
    with desk.storage.read() as tx:
        certificates = sorted(
            (c for one in some for c in tx.certificates.listing(one, limit)), key=lambda c: c.place
        )
        shown = certificates[:limit]
        covered = tx.certificates.covered([one.installed for one in shown if one.installed])
        findings = tx.certificates.findings_of([one.id for one in shown])
    statuses = [
        status_of(name, one, covered.get(one.installed or ""), findings.get(one.id, ()), now)
        for one in shown
        for name in one.wanted
    ]
    return tuple(sorted(statuses, key=_place))


def _place(status: NameStatus) -> tuple[int, datetime]:
    """Return a name's place in a listing: what somebody must mend, what is under way, what is well; by expiry."""
    state = State(status.state)
    troubled = status.blocked or (state in RESTING and state is not State.INSTALLED)
    group = 0 if troubled else 2 if state is State.INSTALLED else 1
    return group, status.not_after or datetime.min.replace(tzinfo=UTC)
