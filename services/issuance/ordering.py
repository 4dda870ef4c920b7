"""The steps up to an order: key and CSR are made and saved, then an order is placed with the first CA that takes it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.issuance.causes import CAUSES, Then, of_ca, refusals, refused_names
from services.issuance.csr import make_csr, new_key
from services.issuance.move import Move, Parts, fail, fault, on
from services.issuance.planning import NAME_SPECIFIC, Route, next_route
from services.issuance.routing import Stay, breaks, postponed, taken, way_for
from services.model.certificates import Certificate, Revision
from services.model.errors import CaError, CaTrouble
from services.model.findings import CODES, Finding, Verdict
from services.model.identity import new_id
from services.model.lifecycle import Event, State
from services.model.text import NOTHING, Text, say
from services.ports import CertificateAuthority
from services.renewal import breaker, budget
from services.renewal.compare import difference

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
    return on(
        replace(certificate, next=revision.id),
        Event.CSR_MADE,
        now,
        say("{type} key", type=key_type),
        revision,
    )


def present_revision(parts: Parts, certificate: Certificate) -> Revision:
    """Return the revision that the attempt works on. It is saved with the state that needs it, so it is there."""
    with parts.storage.read() as tx:
        revision = tx.certificates.revision(certificate.next or "")
    if revision is None:
        raise LookupError(f"{certificate.id} is {certificate.state.value} without a revision")
    return revision


def ordering(parts: Parts, certificate: Certificate) -> Move:
    """Place an order along the first route that is open; its URL is saved before anything else is done with it."""
    way = taken(parts, certificate)
    if way is None:
        return _no_route(parts, certificate)
    if isinstance(way, Stay):
        return _no_way(parts, certificate, way)
    now, route = parts.clock(), way.route
    revision = present_revision(parts, certificate)
    try:
        order = parts.cas[route.ca].place_order(certificate.attempt.names, way.replaces)
    except CaError as error:
        move = _as_canary(trouble(parts, routed(certificate, route), error), canary=bool(way.tries))
        # what was reserved is given back first: a refusal's own word on a limit counts from there
        return replace(move, drawn=(*budget.returned(way.buckets), *move.drawn))
    saved = replace(
        revision,
        ca=route.ca,
        order_url=order.url,
        finalize_url=order.finalize_url,
        authorizations=order.authorizations,
        certificate_url=None,
    )
    placed = waiting(routed(certificate, route), now)
    return on(placed, Event.ORDER_PLACED, now, f"{route} {order.url}", saved)


def _as_canary(move: Move, *, canary: bool) -> Move:
    return replace(move, met=tuple(replace(met, canary=canary) for met in move.met))


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


def _no_way(parts: Parts, certificate: Certificate, stay: Stay) -> Move:
    """Wait, unless a CA has refused in this attempt what another one would have to take: then the attempt has failed.

    A CA that could not be used is back, most likely, long before the limit of another one is.
    """
    told = _told(parts, certificate)
    if told is None:
        return postponed(parts, certificate, stay)
    if told.code not in breaker.WIDE:
        return _no_route(parts, certificate)
    soon = min(stay.until, parts.clock() + parts.renewing.blocked_recheck)
    return postponed(parts, certificate, replace(stay, until=soon))


def _told(parts: Parts, certificate: Certificate) -> Finding | None:
    """Return what a CA has said in this attempt; what stands in the certificate can be of an earlier one."""
    problem = certificate.problem
    if not certificate.attempt.ca or problem is None:
        return None
    return problem if problem.checked_at >= present_revision(parts, certificate).created_at else None


def _refused_before(parts: Parts, certificate: Certificate) -> Finding | None:
    """Return what counts as a strike of what the CAs before the present one have said in this attempt."""
    told = _told(parts, certificate)
    if told is None or told.evidence.get("ca") == certificate.attempt.ca or not _strikes(told):
        return None
    return told


def _strikes(problem: Finding) -> bool:
    return any(cause.strike and cause.code == problem.code for cause in CAUSES.values())


def _no_route(parts: Parts, certificate: Certificate) -> Move:
    """Fail with the last thing a CA said, or with what the configuration lacks."""
    now = parts.clock()
    name = certificate.attempt.names[0]
    problem = _told(parts, certificate)
    if problem is not None:
        compared = _compared(parts, certificate, (problem,))
        return fail(
            certificate,
            now,
            problem,
            parts.renewing,
            strike=_strikes(problem),
            retry_at=certificate.retry_at,
            compared=compared,
        )
    code = "policy.wildcard_needs_dns"
    summary = say(
        "No CA and challenge type of app.yaml can prove control of {names}.", names=certificate.attempt.names
    )
    remedy = say(
        "On-call: set dns.update and list dns-01 in acme.challenges, or allow one of the CAs by CAA."
    )
    lacking = Finding(code, Verdict.BLOCK, name, CODES[code].owner, summary, remedy, now)
    return fail(certificate, now, lacking, parts.renewing, strike=False)


def _compared(parts: Parts, certificate: Certificate, said: Sequence[Finding]) -> Text:
    """Return how this failure differs from the last one: what the checks found now, and what the CA ``said``."""
    if not certificate.attempt.before:
        return NOTHING
    with parts.storage.read() as tx:
        saved = tx.certificates.findings(certificate.id)
    checks = (f for f in saved if f.code not in NAME_SPECIFIC)
    return difference(certificate.attempt.before, (*checks, *said))


def trouble(parts: Parts, certificate: Certificate, error: CaError) -> Move:
    """Return how the work goes on after a CA's ``error`` in the present state, by the table in causes.py.

    What it says of the CA as a whole, good or bad, is noted for its breaker.
    """
    return replace(_after(parts, certificate, error), met=_met(error, certificate))


def _met(error: CaError, certificate: Certificate) -> tuple[breaker.Met, ...]:
    ca, code = certificate.attempt.ca, CAUSES[error.trouble].code
    if error.trouble in (CaTrouble.UNAVAILABLE, CaTrouble.ACCOUNT):
        return (breaker.Met(breaker.ca_thing(ca), code, breaker.discreet(error.detail, certificate)),)
    return (breaker.Met(breaker.ca_thing(ca)),) if code in NAME_SPECIFIC and error.type else ()


def _after(parts: Parts, certificate: Certificate, error: CaError) -> Move:
    now = parts.clock()
    names = certificate.attempt.names
    problem = next(iter(refusals(error, names, now)), of_ca(error, names[0], now))
    then = CAUSES[error.trouble].then
    if then in (Then.AGAIN, Then.LOOK) and certificate.attempt.faults < _patience(parts, certificate):
        # what a CA before this one refused stays the reason that people read, and the strike
        return fault(certificate, now, _refused_before(parts, certificate) or problem)
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
    """Strike the route that failed and go on to the next one with a new order, or fail if none is left.

    A CA that does not work for others either fails no attempt: the certificate waits for it.
    """
    now = parts.clock()
    attempt = certificate.attempt
    cause = CAUSES[error.trouble]
    struck = f"{attempt.ca} {attempt.challenge}" if cause.then is Then.NEXT_CHALLENGE else attempt.ca
    marked = replace(
        certificate,
        problem=problem,
        retry_at=error.retry_at,
        attempt=replace(attempt, tried=(*attempt.tried, struck), faults=0),
    )
    drawn = _drawn(parts, certificate, error)
    met = _met(error, certificate)
    left = next_route(attempt.names, list(parts.cas), list(parts.responders), marked.attempt.tried)
    before = _refused_before(parts, certificate)
    if left is None and cause.code in breaker.WIDE and before is not None:
        # the last CA's own trouble takes nothing from the refusal of one that works
        return replace(_no_route(parts, replace(marked, problem=before)), drawn=drawn, met=met)
    if left is None:
        return replace(_last(parts, marked, error, problem), drawn=drawn, met=met)
    if certificate.state is State.ORDERING:
        said = f"{struck}: {error.detail}"
        again = replace(marked, run_after=now, updated_at=now)
        return Move(again, "route_failed", said, drawn=drawn, met=met)
    proving = certificate.state in (State.CHALLENGING, State.VALIDATING)
    event = Event.CHALLENGE_TYPE_FAILED if proving else Event.ORDER_LOST
    return replace(on(marked, event, now, f"{struck}: {error.detail}"), drawn=drawn, met=met)


def _last(parts: Parts, certificate: Certificate, error: CaError, problem: Finding) -> Move:
    """Fail because no route is left, or wait if it is the CA that fails for everybody."""
    now, attempt = parts.clock(), certificate.attempt
    cause = CAUSES[error.trouble]
    if cause.code in breaker.WIDE and breaks(parts, attempt.ca) is not None:
        stay = way_for(parts, replace(certificate, attempt=replace(attempt, tried=())))
        if isinstance(stay, Stay):
            return postponed(parts, certificate, stay)
    fresh = tuple(n for n in refused_names(error, attempt.names) if n not in attempt.refused)
    failed = replace(certificate, attempt=replace(attempt, refused=(*attempt.refused, *fresh)))
    said = refusals(error, attempt.names, now) or (problem,)
    move = fail(
        failed,
        now,
        problem,
        parts.renewing,
        strike=cause.strike,
        retry_at=error.retry_at,
        compared=_compared(parts, certificate, said),
    )
    return replace(move, findings=_with_refusals(parts, certificate, error, now))


def _drawn(parts: Parts, certificate: Certificate, error: CaError) -> tuple[budget.Draw, ...]:
    """Return what the error means for the CA's budgets: its own word on a limit, or authorizations that failed."""
    attempt = certificate.attempt
    settings = parts.limits.get(attempt.ca)
    if error.trouble is CaTrouble.RATE_LIMITED:
        buckets = (
            *budget.order_buckets(attempt.ca, settings, certificate.domain, attempt.names),
            *budget.failure_buckets(attempt.ca, settings, attempt.names),
        )
        return budget.refused(buckets, error.detail, error.retry_at)
    proving = certificate.state in (State.CHALLENGING, State.VALIDATING)
    # only what the CA says of names in so many words is a failed authorization, not what certdesk could not put up
    names = refused_names(error, attempt.names) if proving and error.subproblems else ()
    return budget.taken(budget.failure_buckets(attempt.ca, settings, names))


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
