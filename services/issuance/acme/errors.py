"""From what a CA answered to the one taxonomy: a table of ACME error types and one pure function that reads it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from services.issuance.acme.times import retry_in_text
from services.model.errors import CaError, CaTrouble, SubProblem

PREFIX = "urn:ietf:params:acme:error:"
_T = CaTrouble


class Where(Enum):
    """Where a problem document was found, because one type means different things in different places."""

    REPLY = "reply"
    """The answer to a request about something that was created before: an order, a challenge, a certificate."""
    ENDPOINT = "endpoint"
    """The answer of one of the directory's own URLs, whose absence says nothing about an order."""
    FINALIZE = "finalize"
    """The answer to a CSR."""
    CHALLENGE = "challenge"
    """The ``error`` of a failed challenge (RFC 8555 §8)."""
    ORDER = "order"
    """The ``error`` of an invalid order (RFC 8555 §7.1.3)."""


INSIDE = frozenset({Where.CHALLENGE, Where.ORDER})
"""Places inside a successful answer."""

BY_TYPE: Mapping[str, CaTrouble] = {
    # RFC 8555 §6.7, in its order
    "accountDoesNotExist": _T.ACCOUNT,
    "alreadyRevoked": _T.REJECTED,
    "badCSR": _T.REJECTED,
    "badNonce": _T.UNAVAILABLE,
    "badPublicKey": _T.REJECTED,
    "badRevocationReason": _T.REJECTED,
    "badSignatureAlgorithm": _T.ACCOUNT,
    "caa": _T.CAA,
    "connection": _T.VALIDATION,
    "dns": _T.VALIDATION,
    "externalAccountRequired": _T.ACCOUNT,
    "incorrectResponse": _T.VALIDATION,
    "invalidContact": _T.ACCOUNT,
    "malformed": _T.REJECTED,
    "orderNotReady": _T.NOT_READY,
    "rateLimited": _T.RATE_LIMITED,
    "rejectedIdentifier": _T.REJECTED,
    "serverInternal": _T.UNAVAILABLE,
    "tls": _T.VALIDATION,
    "unauthorized": _T.ACCOUNT,
    "unsupportedContact": _T.ACCOUNT,
    "unsupportedIdentifier": _T.REJECTED,
    "userActionRequired": _T.ACCOUNT,
    # RFC 9773 §7.4
    "alreadyReplaced": _T.REPLACES_REFUSED,
    # draft-ietf-acme-profiles
    "invalidProfile": _T.SETTINGS,
}
"""What each ACME error type means."""

_IN_VALIDATION: Mapping[str, CaTrouble] = {
    "unauthorized": _T.VALIDATION,
    "malformed": _T.VALIDATION,
}
ELSEWHERE: Mapping[Where, Mapping[str, CaTrouble]] = {
    Where.CHALLENGE: _IN_VALIDATION,
    Where.ORDER: _IN_VALIDATION,
    Where.FINALIZE: {"unauthorized": _T.REJECTED},  # said of a CSR whose names are not those of the order
}
"""Types that mean something else there than as the answer to another request."""

GONE = frozenset({404, 410})
"""Statuses of what the CA no longer knows: with a problem document or, as some CAs do, with nothing."""

COMPOUND: Sequence[CaTrouble] = (
    _T.PAUSED, _T.RATE_LIMITED, _T.ACCOUNT, _T.SETTINGS, _T.REJECTED, _T.CAA, _T.VALIDATION, _T.NOT_READY, _T.UNAVAILABLE,
)  # fmt: skip
"""Of several sub-problems' meanings, the one that decides how to go on is the first of these."""

_UNPAUSE = re.compile(r"unpause|temporarily prevented|\bpaused\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What there is to judge: all of it as it came, nothing of it trusted."""

    ca: str
    now: datetime
    status: int | None = None
    problem: Mapping[str, Any] | None = None
    """The problem document (RFC 7807), empty for an empty body; None if the body was something else."""
    retry_at: datetime | None = None
    """The reply's Retry-After."""
    text: str = ""
    """What to say when there is no problem document."""
    where: Where = Where.REPLY


def judge(answer: Answer) -> CaError:
    """Return the CaError for an answer that is not a success. Pure; never raises, whatever the document holds."""
    problem = answer.problem or {}
    kind = _text(problem.get("type"))
    detail = _text(problem.get("detail")) or _text(problem.get("title")) or answer.text or kind
    subproblems = _subproblems(problem)
    said = " ".join((detail, *(sub.detail for sub in subproblems)))
    retry_at = _latest(answer.retry_at, retry_in_text(said, answer.now))
    trouble = _paused(_trouble(answer, kind, subproblems), said, retry_at)
    return CaError(
        trouble,
        detail or "the CA gave no reason",
        ca=answer.ca,
        type=kind,
        status=answer.status if answer.status is not None else _status(problem),
        retry_at=retry_at,
        subproblems=subproblems,
    )


def short(kind: str) -> str:
    """Return an error type without the URN of RFC 8555 §6.7; another type (``about:blank``, say) as it is."""
    return kind.removeprefix(PREFIX)


def _trouble(answer: Answer, kind: str, subproblems: Sequence[SubProblem]) -> CaTrouble:
    status = answer.status or 0
    name = short(kind)
    if name == "compound" and subproblems:
        return _worst([_of_type(short(sub.type), answer.where) or _T.REJECTED for sub in subproblems])
    if name == "malformed" and status in GONE:
        return _by_status(answer, kind)  # what CAs say of a URL that they do not know
    known = _of_type(name, answer.where) if kind.startswith(PREFIX) else None
    if known is _T.RATE_LIMITED and status >= 500:
        return _T.UNAVAILABLE  # the CA sheds load: nobody's budget is used up
    return known or _by_status(answer, kind)


def _of_type(name: str, where: Where) -> CaTrouble | None:
    return ELSEWHERE.get(where, {}).get(name) or BY_TYPE.get(name)


def _by_status(answer: Answer, kind: str) -> CaTrouble:
    """Judge by the status alone. Without an ACME type a 4xx comes from a proxy or a firewall in between, not from policy."""
    if answer.where in INSIDE:
        return _T.VALIDATION
    status = answer.status or 0
    if status == 429:
        return _T.RATE_LIMITED
    if status in GONE and answer.where is not Where.ENDPOINT and answer.problem is not None:
        return _T.ORDER_LOST
    return _T.REJECTED if kind.startswith(PREFIX) and 400 <= status < 500 else _T.UNAVAILABLE


def _worst(troubles: Sequence[CaTrouble]) -> CaTrouble:
    return next((each for each in COMPOUND if each in troubles), troubles[0])


def _paused(trouble: CaTrouble, said: str, retry_at: datetime | None) -> CaTrouble:
    """Tell apart a rate limit that no waiting ends: no moment to retry at, and a page where a person lifts it."""
    if trouble is _T.RATE_LIMITED and retry_at is None and _UNPAUSE.search(said):
        return _T.PAUSED
    return trouble


def _subproblems(problem: Mapping[str, Any]) -> tuple[SubProblem, ...]:
    listed = problem.get("subproblems")
    if not isinstance(listed, list):
        return ()
    return tuple(_subproblem(each) for each in listed if isinstance(each, dict))


def _subproblem(document: Mapping[str, Any]) -> SubProblem:
    identifier = document.get("identifier")
    value = identifier.get("value") if isinstance(identifier, dict) else identifier
    return SubProblem(_text(value), _text(document.get("type")), _text(document.get("detail")))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _status(problem: Mapping[str, Any]) -> int | None:
    value = problem.get("status")
    return value if isinstance(value, int) else None


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)
