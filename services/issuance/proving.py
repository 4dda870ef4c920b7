"""The steps that prove control: answers are put up, the CA is told, its judgement is read, the answers are taken down."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.issuance.causes import of_ca, own
from services.issuance.move import Move, Parts, fault, on, poll
from services.issuance.ordering import authority, next_way, present_revision, trouble, waiting
from services.issuance.planning import next_route
from services.model.certificates import Certificate
from services.model.errors import CaError, CaTrouble, DnsUpdateError, SubProblem
from services.model.lifecycle import Event, State
from services.model.names import WILDCARD
from services.model.text import say
from services.ports import Authorization, Challenge, Order

SPREAD = timedelta(minutes=10)
"""How long an answer may take to show on every authoritative server before its challenge type counts as failed."""
JUDGEMENT = timedelta(minutes=30)
"""How long a CA may take to judge answers, or to issue after the CSR, before the next way is tried."""
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
    ca = authority(parts, certificate.attempt.ca)
    open_ones = [a for url in revision.authorizations if (a := ca.read_authorization(url)).status != "valid"]
    if any(a.status != "pending" for a in open_ones):
        raise _refusal(open_ones, certificate)
    now = parts.clock()
    if not open_ones:
        return on(certificate, Event.VALIDATED, now, say("every authorization was valid already"))
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
    responder = parts.responders.get(certificate.attempt.challenge)
    ca = authority(parts, certificate.attempt.ca)
    if responder is None:
        detail = f"waits for {certificate.attempt.challenge}, which app.yaml no longer has"
        raise CaError(CaTrouble.ORDER_LOST, detail, ca=ca.name)
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
    return Move(waiting(moved, now), Event.CHALLENGES_ANSWERED.value, certificate.attempt.challenge)


def _not_visible(parts: Parts, certificate: Certificate) -> Move:
    now = parts.clock()
    if now - (certificate.attempt.started_at or now) < SPREAD:
        return poll(certificate, now)
    detail = "the challenge records did not show on every authoritative server within 10 minutes"
    return _cannot_answer(parts, certificate, DnsUpdateError(say("{detail}.", detail=detail)))


def _cannot_answer(parts: Parts, certificate: Certificate, error: DnsUpdateError) -> Move:
    """Try a few times more, then the next challenge type; with none left, go on trying every minute.

    The platform's own name servers have a fault: that is no failed attempt, no strike and no long back-off.
    """
    now = parts.clock()
    remedy = say(
        "On-call: check dns.update and the platform's primary name server; certdesk tries again by itself."
    )
    problem = own("dns.update_failed", error, certificate.attempt.names[0], remedy, now)
    attempt = certificate.attempt
    struck = (*attempt.tried, f"{attempt.ca} {attempt.challenge}")
    other = next_route(attempt.names, list(parts.cas), list(parts.responders), struck)
    if attempt.faults < 3 or other is None:
        # no looks counted: the answers are put up anew, in case the server has lost them
        return fault(replace(certificate, attempt=replace(attempt, polls=0)), now, problem)
    failed = CaError(CaTrouble.VALIDATION, str(error), ca=attempt.ca)
    return next_way(parts, certificate, failed, problem)


def validating(parts: Parts, certificate: Certificate) -> Move:
    """Read the order once: ready or valid means proved, invalid names the challenge that failed, else look later."""
    revision = present_revision(parts, certificate)
    now = parts.clock()
    try:
        ca = authority(parts, certificate.attempt.ca)
        order = ca.read_order(revision.order_url or "")
        if order.status in ("ready", "valid", "processing"):
            return on(certificate, Event.VALIDATED, now)
        if order.status == "invalid":
            raise _why_invalid(
                [ca.read_authorization(url) for url in revision.authorizations], order, certificate
            )
        return patient(parts, certificate, order, "did not decide within 30 minutes")
    except CaError as error:
        return trouble(parts, certificate, error)


def patient(parts: Parts, certificate: Certificate, order: Order, too_long: str) -> Move:
    """Look again later, within reason; a CA that takes longer than JUDGEMENT is given up for this attempt."""
    now = parts.clock()
    if now - (certificate.attempt.started_at or now) <= JUDGEMENT:
        return poll(certificate, now, within_reason(now, order.retry_at))
    slow = CaError(CaTrouble.UNAVAILABLE, too_long, ca=certificate.attempt.ca)
    return next_way(parts, certificate, slow, of_ca(slow, certificate.attempt.names[0], now))


def within_reason(now: datetime, retry_at: datetime | None) -> datetime | None:
    """Return the CA's Retry-After, or when it is given up at the latest: nothing is worth a longer wait for a look."""
    return None if retry_at is None else min(retry_at, now + JUDGEMENT)


def _why_invalid(authorizations: list[Authorization], order: Order, certificate: Certificate) -> CaError:
    if any(a.status not in ("valid", "pending") for a in authorizations):
        return _refusal(authorizations, certificate)
    if isinstance(order.problem, CaError):
        return order.problem
    return CaError(CaTrouble.ORDER_LOST, order.error or "the order became invalid", ca=certificate.attempt.ca)


def _refusal(authorizations: Sequence[Authorization], certificate: Certificate) -> CaError:
    """Return why authorizations are neither pending nor valid: their challenges' problems, or that they have lapsed.

    A challenge's problem does not say which name it is about (RFC 8555 §8): each name is written beside its own here.
    """
    broken = [a for a in authorizations if a.status not in ("valid", "pending")]
    told = [(a, a.problem) for a in broken if isinstance(a.problem, CaError)]
    if not told:
        detail = f"the authorization of {broken[0].name} is {broken[0].status}"
        return CaError(CaTrouble.ORDER_LOST, detail, ca=certificate.attempt.ca)
    first = told[0][1]
    return CaError(
        first.trouble,
        first.detail,
        ca=first.ca,
        type=first.type,
        status=first.status,
        retry_at=first.retry_at,
        subproblems=[SubProblem(_identifier(a), problem.type, problem.detail) for a, problem in told],
    )


def _identifier(authorization: Authorization) -> str:
    return WILDCARD + authorization.name if authorization.wildcard else authorization.name


def take_down(parts: Parts, certificate: Certificate) -> Certificate:
    """Take down the answers that are no longer needed; what fails stays noted, to be tried again at the next step.

    What is noted names its CA and challenge type, since by then the attempt may be on its way with others.
    """
    attempt = certificate.attempt
    if certificate.state in PUBLIC_STATES or not (attempt.answers or attempt.leftovers):
        return certificate
    mine = ((attempt.ca, attempt.challenge, name, token) for name, token, _ in attempt.answers)
    kept: list[tuple[str, str, str, str]] = []
    for answer in dict.fromkeys((*attempt.leftovers, *mine)):
        # one failure is enough for this step: a server that is away would hold up each of a hundred names
        if kept or not _taken_down(parts, answer, certificate.id):
            kept.append(answer)
    return replace(certificate, attempt=replace(attempt, answers=(), leftovers=tuple(kept)))


def _taken_down(parts: Parts, answer: tuple[str, str, str, str], certificate: str) -> bool:
    """Tell whether an answer is down. One whose CA or responder app.yaml no longer has is out of reach, and let go."""
    ca, challenge, name, token = answer
    if ca not in parts.cas or challenge not in parts.responders:
        return True
    try:
        parts.responders[challenge].clean_up(name, token, parts.cas[ca].key_authorization(token), certificate)
    except (DnsUpdateError, CaError):
        return False
    return True
