"""The steps up to an order: key and CSR are made and saved, then an order is placed with the first CA that takes it."""

from dataclasses import replace
from datetime import datetime

from services.issuance.causes import CAUSES, Then, of_ca, refusals, refused_names
from services.issuance.csr import make_csr, new_key
from services.issuance.move import Move, Parts, fail, fault, on
from services.issuance.planning import NAME_SPECIFIC, Route, next_route
from services.model.certificates import Certificate, Revision
from services.model.errors import CaError, CaTrouble
from services.model.findings import CODES, Finding, Verdict
from services.model.identity import new_id
from services.model.lifecycle import Event, State
from services.model.text import say
from services.ports import CertificateAuthority

HASTE = 1
PATIENCE = 5
"""Faults in a row at one CA before the next CA is tried, or the attempt fails."""
LOST = ""
"""Stands in `Attempt.tried` for an order that was lost once; no CA has an empty name."""


def preparing(parts: Parts, certificate: Certificate) -> Move:
    """Make a new key and a CSR over the attempt's names; both are saved before they are used (design §3)."""
    now = parts.clock()
    key_type = parts.issuing.key_type
    key = new_key(key_type)
    draft = Revision(
        id=new_id("rev"),
        certificate=certificate.id,
        names=certificate.attempt.names,
        csr=make_csr(certificate.attempt.names, key),
        sealed_key=b"",
        created_at=now,
        key_type=key_type,
    )
    revision = replace(draft, sealed_key=parts.vault.seal(key.encode(), draft.key_binding))
    return on(replace(certificate, next=revision.id), Event.CSR_MADE, now, f"{key_type} key", revision)


def present_revision(parts: Parts, certificate: Certificate) -> Revision:
    """Return the revision that the attempt works on. It is saved with the state that needs it, so it is there."""
    with parts.storage.read() as tx:
        revision = tx.certificates.revision(certificate.next or "")
    if revision is None:
        raise LookupError(f"{certificate.id} is {certificate.state.value} without a revision")
    return revision


def ordering(parts: Parts, certificate: Certificate) -> Move:
    """Place an order along the first route that is left; its URL is saved before anything else is done with it."""
    now = parts.clock()
    names = certificate.attempt.names
    route = next_route(names, list(parts.cas), list(parts.responders), certificate.attempt.tried)
    if route is None:
        return _no_route(parts, certificate)
    revision = present_revision(parts, certificate)
    try:
        order = parts.cas[route.ca].place_order(names, _replaced_by(parts, certificate, route))
    except CaError as error:
        return trouble(parts, routed(certificate, route), error)
    saved = replace(
        revision,
        ca=route.ca,
        order_url=order.url,
        finalize_url=order.finalize_url,
        authorizations=order.authorizations,
        certificate_url=None,
    )
    return on(
        waiting(routed(certificate, route), now), Event.ORDER_PLACED, now, f"{route} {order.url}", saved
    )


def waiting(certificate: Certificate, now: datetime) -> Certificate:
    """Return the certificate with the patience for the CA and the name servers counted from now."""
    return replace(certificate, attempt=replace(certificate.attempt, started_at=now))


def authority(parts: Parts, name: str) -> CertificateAuthority:
    """Return the CA of an order. Raises CaError if app.yaml no longer has it: then the order is lost."""
    ca = parts.cas.get(name)
    if ca is None:
        raise CaError(CaTrouble.ORDER_LOST, "is no longer in app.yaml", ca=name)
    return ca


def routed(certificate: Certificate, route: Route) -> Certificate:
    """Return the certificate with the route written into its attempt."""
    return replace(certificate, attempt=replace(certificate.attempt, ca=route.ca, challenge=route.challenge))


def _replaced_by(parts: Parts, certificate: Certificate, route: Route) -> str | None:
    """Return the PEM that the order replaces (RFC 9773 §5): only a certificate of the same CA can be named."""
    if certificate.installed is None:
        return None
    with parts.storage.read() as tx:
        installed = tx.certificates.revision(certificate.installed)
    return installed.chain if installed and installed.ca == route.ca else None


def _no_route(parts: Parts, certificate: Certificate) -> Move:
    """Fail with the last thing a CA said, or with what the configuration lacks."""
    now = parts.clock()
    name = certificate.attempt.names[0]
    problem = certificate.problem
    if certificate.attempt.ca and problem is not None:
        strike = any(cause.strike and cause.code == problem.code for cause in CAUSES.values())
        return fail(certificate, now, problem, parts.renewing, strike=strike, retry_at=certificate.retry_at)
    code = "policy.wildcard_needs_dns"
    summary = say(
        "No CA and challenge type of app.yaml can prove control of {names}.", names=certificate.attempt.names
    )
    remedy = say(
        "On-call: set dns.update and list dns-01 in acme.challenges, or allow one of the CAs by CAA."
    )
    lacking = Finding(code, Verdict.BLOCK, name, CODES[code].owner, summary, remedy, now)
    return fail(certificate, now, lacking, parts.renewing, strike=False)


def trouble(parts: Parts, certificate: Certificate, error: CaError) -> Move:
    """Return how the work goes on after a CA's ``error`` in the present state, by the table in causes.py."""
    now = parts.clock()
    names = certificate.attempt.names
    problem = next(iter(refusals(error, names, now)), of_ca(error, names[0], now))
    then = CAUSES[error.trouble].then
    if then in (Then.AGAIN, Then.LOOK) and certificate.attempt.faults < _patience(parts, certificate):
        return fault(certificate, now, problem)
    if (
        then is Then.NEW_ORDER
        and certificate.state is not State.ORDERING
        and LOST not in certificate.attempt.tried
    ):
        attempt = replace(certificate.attempt, tried=(*certificate.attempt.tried, LOST))
        return on(replace(certificate, attempt=attempt), Event.ORDER_LOST, now, error.detail)
    return next_way(parts, certificate, error, problem)


def _patience(parts: Parts, certificate: Certificate) -> int:
    """Return how many faults in a row the CA may have: few while nothing is spent there and another one is left."""
    attempt = certificate.attempt
    tried = (*attempt.tried, attempt.ca)
    other = next_route(attempt.names, list(parts.cas), list(parts.responders), tried)
    return HASTE if certificate.state is State.ORDERING and other is not None else PATIENCE


def next_way(parts: Parts, certificate: Certificate, error: CaError, problem: Finding) -> Move:
    """Strike the route that failed and go on to the next one with a new order, or fail if none is left."""
    now = parts.clock()
    attempt = certificate.attempt
    cause = CAUSES[error.trouble]
    struck = f"{attempt.ca} {attempt.challenge}" if cause.then is Then.NEXT_CHALLENGE else attempt.ca
    refused = (
        *attempt.refused,
        *(n for n in refused_names(error, attempt.names) if n not in attempt.refused),
    )
    marked = replace(
        certificate,
        problem=problem,
        retry_at=error.retry_at,
        attempt=replace(attempt, tried=(*attempt.tried, struck), faults=0),
    )
    left = next_route(attempt.names, list(parts.cas), list(parts.responders), marked.attempt.tried)
    if left is None:
        failed = replace(marked, attempt=replace(marked.attempt, refused=refused))
        move = fail(failed, now, problem, parts.renewing, strike=cause.strike, retry_at=error.retry_at)
        return replace(move, findings=_with_refusals(parts, certificate, error, now))
    if certificate.state is State.ORDERING:
        return Move(
            replace(marked, run_after=now, updated_at=now), "route_failed", f"{struck}: {error.detail}"
        )
    if certificate.state in (State.CHALLENGING, State.VALIDATING):
        return on(marked, Event.CHALLENGE_TYPE_FAILED, now, f"{struck}: {error.detail}")
    return on(marked, Event.ORDER_LOST, now, f"{struck}: {error.detail}")


def _with_refusals(
    parts: Parts, certificate: Certificate, error: CaError, now: datetime
) -> tuple[Finding, ...] | None:
    """Return what the checks found and what the CA says of single names; None, which changes nothing, without the latter."""
    said = refusals(error, certificate.attempt.names, now)
    if not said:
        return None
    with parts.storage.read() as tx:
        saved = tx.certificates.findings(certificate.id)
    fresh = {f.name for f in said}
    return (*said, *(f for f in saved if not (f.code in NAME_SPECIFIC and f.name in fresh)))
