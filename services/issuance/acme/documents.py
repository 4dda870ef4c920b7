"""ACME's JSON documents, read into the shapes of services.ports. Pure; a document that is not ACME is a ValueError."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from services.issuance.acme.errors import Answer, Where, judge
from services.issuance.acme.times import stamp
from services.model.certificates import Window
from services.model.errors import CaError
from services.model.names import is_wildcard
from services.ports import Authorization, Challenge, Order, RenewalInfo

ASK_AGAIN = timedelta(hours=6)
"""When to ask for renewal information again if the CA does not say (RFC 9773 §4.3.3)."""
ASK_SOONEST, ASK_LATEST = timedelta(hours=1), timedelta(days=1)
"""Bounds for what the CA says: RFC 9773 §4.3.2 wants clients to have them."""


@dataclass(frozen=True, slots=True)
class Directory:
    """A CA's directory (RFC 8555 §7.1.1)."""

    new_nonce: str
    new_account: str
    new_order: str
    renewal_info: str | None
    revoke_cert: str | None
    profiles: Mapping[str, str]
    """Profile names with their descriptions; empty where the CA has none."""
    hosts: frozenset[str]
    """Every host, with its port if it has one, that the directory names."""
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Source:
    """Where a document came from, for the errors that lie inside documents."""

    ca: str
    url: str
    now: datetime
    retry_at: datetime | None = None


def parse(content: bytes) -> Mapping[str, Any]:
    """Return a reply's body as a JSON object. Raises ValueError if it is none."""
    document = json.loads(content)
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - of every wrong document the same is said
    return document


def read_directory(document: Mapping[str, Any], source: Source) -> Directory:
    """Return the directory. Raises ValueError if a URL that certdesk needs is missing."""
    meta = document.get("meta")
    profiles = meta.get("profiles") if isinstance(meta, dict) else None
    urls = [value for value in document.values() if isinstance(value, str) and "://" in value]
    return Directory(
        new_nonce=_text(document, "newNonce"),
        new_account=_text(document, "newAccount"),
        new_order=_text(document, "newOrder"),
        renewal_info=_text(document, "renewalInfo") if "renewalInfo" in document else None,
        revoke_cert=_text(document, "revokeCert") if "revokeCert" in document else None,
        profiles={str(name): str(said) for name, said in profiles.items()}
        if isinstance(profiles, dict)
        else {},
        hosts=frozenset(urlsplit(url).netloc for url in (source.url, *urls)),
        read_at=source.now,
    )


def read_order(document: Mapping[str, Any], source: Source) -> Order:
    """Return the order (RFC 8555 §7.1.3). Raises ValueError for a document that is none."""
    problem = _problem(document.get("error"), source, Where.ORDER)
    certificate = document.get("certificate")
    return Order(
        url=source.url,
        status=_text(document, "status"),
        authorizations=tuple(str(url) for url in _list(document, "authorizations")),
        finalize_url=_text(document, "finalize"),
        certificate_url=certificate if isinstance(certificate, str) and certificate else None,
        error=_sentence(problem),
        retry_at=source.retry_at,
        problem=problem,
    )


def read_authorization(document: Mapping[str, Any], source: Source) -> Authorization:
    """Return the authorization (RFC 8555 §7.1.4). Raises ValueError for a document that is none."""
    identifier = document.get("identifier")
    name = _text(identifier, "value") if isinstance(identifier, dict) else ""
    status = _text(document, "status")
    listed = [each for each in _list(document, "challenges") if isinstance(each, dict)]
    return Authorization(
        url=source.url,
        name=name.removeprefix("*."),
        wildcard=document.get("wildcard") is True or is_wildcard(name),
        status=status,
        challenges=tuple(_challenge(each) for each in listed),
        problem=_failure(listed, source) if status == "invalid" else None,
        retry_at=source.retry_at,
    )


def read_renewal_info(document: Mapping[str, Any], source: Source, not_after: datetime) -> RenewalInfo:
    """Return the CA's suggestion (RFC 9773 §4.2) for a certificate that expires at ``not_after``.

    Raises ValueError for a window that ends before it begins, which RFC 9773 wants treated as no answer, and for one
    that begins only when the certificate has expired, which would let it expire.
    """
    given = document.get("suggestedWindow")
    start = stamp(given.get("start")) if isinstance(given, dict) else None
    end = stamp(given.get("end")) if isinstance(given, dict) else None
    if start is None or end is None or end <= start:
        raise ValueError("no renewal window")
    if start >= not_after:
        raise ValueError("the renewal window begins after the certificate's end")
    explanation = document.get("explanationURL")
    return RenewalInfo(
        window=Window(start, end),
        ask_again_at=ask_again_at(source),
        explanation_url=explanation if isinstance(explanation, str) and explanation else None,
    )


def ask_again_at(source: Source) -> datetime:
    """Return when to ask for renewal information again: what the CA says, between 1 hour and 1 day from now."""
    said = source.retry_at or source.now + ASK_AGAIN
    return min(max(said, source.now + ASK_SOONEST), source.now + ASK_LATEST)


def _challenge(document: Mapping[str, Any]) -> Challenge:
    # A type that certdesk does not know may lack a token, as dns-persist-01 does.
    token = document.get("token")
    return Challenge(
        type=_text(document, "type"),
        url=_text(document, "url"),
        token=token if isinstance(token, str) else "",
        status=_text(document, "status"),
    )


def _failure(challenges: Sequence[Mapping[str, Any]], source: Source) -> CaError:
    """Return the error of the challenge that failed, or one that says that the CA gave none."""
    problems = (_problem(each.get("error"), source, Where.CHALLENGE) for each in challenges)
    found = next((problem for problem in problems if problem is not None), None)
    return found or judge(Answer(source.ca, source.now, problem={}, where=Where.CHALLENGE))


def _problem(document: object, source: Source, where: Where) -> CaError | None:
    if not isinstance(document, dict) or not document:
        return None
    return judge(Answer(source.ca, source.now, problem=document, where=where))


def _sentence(problem: CaError | None) -> str:
    """Return the problem with those of its identifiers, where there are several."""
    if problem is None:
        return ""
    parts = [f"{sub.identifier}: {sub.detail}" for sub in problem.subproblems]
    return f"{problem.detail} ({'; '.join(parts)})" if parts else problem.detail


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"no {key}")
    return value


def _list(document: Mapping[str, Any], key: str) -> Sequence[Any]:
    value = document.get(key)
    if not isinstance(value, list):
        raise ValueError(f"no {key}")  # noqa: TRY004 - of every wrong document the same is said
    return value
