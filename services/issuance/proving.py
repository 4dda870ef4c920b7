"""The steps that prove control: answers are put up, the CA is told, its judgement is read, the answers are taken down."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.issuance.causes import own
from services.issuance.move import Move, Parts, fault, on, poll
from services.issuance.ordering import next_way, present_revision, trouble
from services.model.certificates import Certificate
from services.model.errors import CaError, CaTrouble, DnsUpdateError
from services.model.lifecycle import Event, State
from services.model.text import say
from services.ports import Authorization, Challenge, Order

SPREAD = timedelta(minutes=10)
"""How long an answer may take to show on every authoritative server before its challenge type counts as failed."""
JUDGEMENT = timedelta(minutes=30)
"""How long a CA may take over an order, counted from the start of the attempt."""
PUBLIC_STATES = frozenset({State.CHALLENGING, State.VALIDATING})
"""States in which answers must stay up; in every other one they are taken down."""


def challenging(parts: Parts, certificate: Certificate) -> Move:
    """Learn the challenges and save them; then put up the answers and tell the CA once they show everywhere.

    What is put up is saved before, so that a crash in between still leads to its taking down.
    """
    try:
        return _announce(parts, certificate) if certificate.attempt.answers else _learn(parts, certificate)
    except CaError as error:
        return trouble(parts, certificate, error)
    except DnsUpdateError as error:
        return _cannot_answer(parts, certificate, error)


def _learn(parts: Parts, certificate: Certificate) -> Move:
    revision = present_revision(parts, certificate)
    ca = parts.cas[certificate.attempt.ca]
    open_ones = [a for url in revision.authorizations if (a := ca.read_authorization(url)).status != "valid"]
    for authorization in open_ones:
        if authorization.status != "pending":
            raise _refusal(authorization, certificate)
    now = parts.clock()
    if not open_ones:
        return on(certificate, Event.VALIDATED, now, "every authorization was valid already")
    chosen = [(a.name, _offered(a, certificate)) for a in open_ones]
    answers = tuple((name, challenge.token, challenge.url) for name, challenge in chosen)
    attempt = replace(certificate.attempt, answers=answers)
    return Move(replace(certificate, attempt=attempt, run_after=now, updated_at=now))


def _offered(authorization: Authorization, certificate: Certificate) -> Challenge:
    """Return the challenge of the attempt's type. Raises CaError if the CA does not offer it."""
    wanted = certificate.attempt.challenge
    found = next((c for c in authorization.challenges if c.type == wanted), None)
    if found is None:
        offered = ", ".join(c.type for c in authorization.challenges) or "none"
        detail = f"offers no {wanted} challenge for {authorization.name}, only {offered}"
        raise CaError(CaTrouble.VALIDATION, detail, ca=certificate.attempt.ca)
    return found


def _announce(parts: Parts, certificate: Certificate) -> Move:
    responder = parts.responders[certificate.attempt.challenge]
    ca = parts.cas[certificate.attempt.ca]
    answers = [(name, token, ca.key_authorization(token)) for name, token, _ in certificate.attempt.answers]
    if certificate.attempt.polls == 0:
        for name, token, key_authorization in answers:
            responder.present(name, token, key_authorization, certificate.id)
    if not all(responder.visible(*answer) for answer in answers):
        return _not_visible(parts, certificate)
    for _, token, url in certificate.attempt.answers:
        ca.answer(Challenge(certificate.attempt.challenge, url, token, "pending"))
    now = parts.clock()
    moved = certificate.moved(Event.CHALLENGES_ANSWERED, now=now, run_after=now + timedelta(milliseconds=50))
    return Move(moved, Event.CHALLENGES_ANSWERED.value, certificate.attempt.challenge)


def _not_visible(parts: Parts, certificate: Certificate) -> Move:
    now = parts.clock()
    if now - (certificate.attempt.started_at or now) < SPREAD:
        return poll(certificate, now)
    detail = "the challenge records did not show on every authoritative server within 10 minutes"
    return _cannot_answer(parts, certificate, DnsUpdateError(say("{detail}.", detail=detail)))


def _cannot_answer(parts: Parts, certificate: Certificate, error: DnsUpdateError) -> Move:
    """Try a few times more: the platform's own name servers had a fault; then the next challenge type."""
    now = parts.clock()
    remedy = say(
        "On-call: check dns.update and the platform's primary name server; certdesk tries again by itself."
    )
    problem = own("dns.update_failed", error, certificate.attempt.names[0], remedy, now)
    if certificate.attempt.faults < 3:
        return fault(certificate, now, problem)
    failed = CaError(CaTrouble.VALIDATION, str(error), ca=certificate.attempt.ca)
    return next_way(parts, certificate, failed, problem)


def validating(parts: Parts, certificate: Certificate) -> Move:
    """Read the order once: ready or valid means proved, invalid names the challenge that failed, else look later."""
    revision = present_revision(parts, certificate)
    ca = parts.cas[certificate.attempt.ca]
    now = parts.clock()
    try:
        order = ca.read_order(revision.order_url or "")
        if order.status in ("ready", "valid", "processing"):
            return on(certificate, Event.VALIDATED, now)
        if order.status == "invalid":
            raise _why_invalid(
                [ca.read_authorization(url) for url in revision.authorizations], order, certificate
            )
        return _patient(certificate, order, now)
    except CaError as error:
        return trouble(parts, certificate, error)


def _patient(certificate: Certificate, order: Order, now: datetime) -> Move:
    """Wait for the CA's judgement, within reason. Raises CaError when it takes too long."""
    if now - (certificate.attempt.started_at or now) > JUDGEMENT:
        raise CaError(CaTrouble.ORDER_LOST, "did not decide within 30 minutes", ca=certificate.attempt.ca)
    return poll(certificate, now, order.retry_at)


def _why_invalid(authorizations: list[Authorization], order: Order, certificate: Certificate) -> CaError:
    broken = next((a for a in authorizations if a.status not in ("valid", "pending")), None)
    if broken is not None:
        return _refusal(broken, certificate)
    return CaError(CaTrouble.ORDER_LOST, order.error or "the order became invalid", ca=certificate.attempt.ca)


def _refusal(authorization: Authorization, certificate: Certificate) -> CaError:
    """Return why an authorization is not pending and not valid: its challenge's problem, or that it has lapsed."""
    if isinstance(authorization.problem, CaError):
        return authorization.problem
    detail = f"the authorization of {authorization.name} is {authorization.status}"
    return CaError(CaTrouble.ORDER_LOST, detail, ca=certificate.attempt.ca)


def take_down(parts: Parts, certificate: Certificate) -> Certificate:
    """Take down the answers that are no longer needed; what fails stays noted, to be tried again at the next step."""
    attempt = certificate.attempt
    if not attempt.answers or certificate.state in PUBLIC_STATES or attempt.challenge not in parts.responders:
        return certificate
    responder, ca = parts.responders[attempt.challenge], parts.cas[attempt.ca]
    kept = []
    for answer in attempt.answers:
        name, token, _ = answer
        try:
            responder.clean_up(name, token, ca.key_authorization(token), certificate.id)
        except (DnsUpdateError, CaError):
            kept.append(answer)
    return replace(certificate, attempt=replace(attempt, answers=tuple(kept)))
