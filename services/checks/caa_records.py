"""CAA records as the RFCs read them, pure: parsing a property, and whether a set of records lets a CA issue."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.checks.rules import listed
from services.model.text import NOTHING, Text, say

CRITICAL = 128
"""The one flag there is (RFC 8659 §4.1); the other bits mean nothing."""
KNOWN_TAGS = frozenset({"issue", "issuewild", "iodef", "issuemail"})
"""Property tags that web CAs understand: RFC 8659 §4.2 to 4.4, RFC 9495."""

_LABEL = r"[A-Za-z0-9](?:-*[A-Za-z0-9])*"
_ISSUER = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PARAMETER = re.compile(rf"[ \t]*({_LABEL})[ \t]*=[ \t]*([\x21-\x3a\x3c-\x7e]*)[ \t]*")


@dataclass(frozen=True, slots=True)
class Property:
    """One CAA record."""

    flags: int
    tag: str
    """Lower case: tags are compared without regard to case."""
    value: bytes

    @property
    def critical(self) -> bool:
        """Whether a CA that does not know the tag must not issue."""
        return bool(self.flags & CRITICAL)

    def __str__(self) -> str:
        return f'{self.flags} {self.tag} "{self.value.decode("ascii", "backslashreplace")}"'


@dataclass(frozen=True, slots=True)
class Issuer:
    """The value of an issue or issuewild property."""

    domain: str
    """Lower case; empty if nobody may issue."""
    parameters: tuple[tuple[str, str], ...] = ()
    """(tag, value) pairs, tags in lower case."""

    def values(self, tag: str) -> tuple[str, ...]:
        """Return the values given for a parameter."""
        return tuple(value for name, value in self.parameters if name == tag)


NOBODY = Issuer("")
"""What a value that breaks the grammar means; this object itself for such a value alone."""
_BROKEN = "they have a value that breaks the rules of RFC 8659, and such a value lets no CA issue"


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who would ask for a certificate, and how: what CAA records are held against."""

    ca: str
    """The CA's name in app.yaml."""
    domains: frozenset[str]
    """Its issuer domain names, lower case; empty if they are not configured."""
    account: str | None
    """URL of our account there, or None before there is one."""
    methods: frozenset[str]
    """Challenge types that we could use for the name."""
    wildcard: bool


class Permission(StrEnum):
    """What a set of records means for one applicant."""

    GRANTED = "granted"
    FORBIDDEN = "forbidden"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A permission, and the reason unless it is granted."""

    permission: Permission
    why: Text = NOTHING
    barred: frozenset[str] = frozenset()
    """Of the applicant's challenge types those that a granted permission leaves out (RFC 8657 §4)."""


GRANTED = Judgement(Permission.GRANTED)


def parse_record(wire: bytes) -> Property:
    """Return the property in a CAA record's data (RFC 8659 §4.1). Raises ValueError if it is cut short."""
    if len(wire) < 2 or len(wire) < 2 + wire[1]:
        raise ValueError("a CAA record that is cut short")
    end = 2 + wire[1]
    return Property(wire[0], wire[2:end].decode("ascii", "backslashreplace").lower(), wire[end:])


def parse_issuer(value: bytes) -> Issuer:
    """Return who may issue. A value that breaks the grammar of RFC 8659 §4.2 authorises nobody, as that section says."""
    text = value.decode("latin-1")
    domain, semicolon, rest = text.partition(";")
    domain = domain.strip(" \t")
    if domain and not _ISSUER.fullmatch(domain):
        return NOBODY
    parameters = _parameters(rest) if semicolon else ()
    return NOBODY if parameters is None else Issuer(domain.lower(), parameters)


def _parameters(text: str) -> tuple[tuple[str, str], ...] | None:
    if not text.strip(" \t"):
        return ()
    matches = [_PARAMETER.fullmatch(part) for part in text.split(";")]
    if not all(matches):
        return None
    return tuple((match[1].lower(), match[2]) for match in matches if match)


def judge(records: Sequence[Property], applicant: Applicant) -> Judgement:
    """Return whether the relevant record set lets the applicant issue (RFC 8659 §4, RFC 8657); an empty set does."""
    unknown = next((r for r in records if r.critical and r.tag not in KNOWN_TAGS), None)
    if unknown:
        why = say("the property “{tag}” is marked critical and CAs do not know it", tag=unknown.tag)
        return Judgement(Permission.FORBIDDEN, why)
    issuers = relevant_issuers(records, wildcard=applicant.wildcard)
    if issuers is None:
        return GRANTED
    if all(issuer.domain == "" for issuer in issuers):
        broken = any(issuer is NOBODY for issuer in issuers)
        return Judgement(Permission.FORBIDDEN, say(_BROKEN if broken else "they let no CA issue"))
    if not applicant.domains:
        why = say("it is not known which names {ca} has in CAA records", ca=applicant.ca)
        return Judgement(Permission.UNKNOWN, why)
    named = [issuer for issuer in issuers if issuer.domain in applicant.domains]
    reasons = [_refusal(issuer, applicant) for issuer in named]
    if None in reasons:
        fitting = [issuer for issuer, reason in zip(named, reasons, strict=True) if reason is None]
        allowed = frozenset[str]().union(*(_methods(issuer, applicant) for issuer in fitting))
        return Judgement(Permission.GRANTED, barred=applicant.methods - allowed)
    named_there = tuple(sorted({issuer.domain for issuer in issuers if issuer.domain}))
    other = say("they name only {issuers}", issuers=listed(named_there))
    return Judgement(Permission.FORBIDDEN, next((reason for reason in reasons if reason), other))


def relevant_issuers(records: Iterable[Property], *, wildcard: bool) -> tuple[Issuer, ...] | None:
    """Return the issuers that count, or None if the records do not restrict issuance (RFC 8659 §4.2, §4.3)."""
    wild = tuple(parse_issuer(r.value) for r in records if r.tag == "issuewild")
    if wildcard and wild:
        return wild
    return tuple(parse_issuer(r.value) for r in records if r.tag == "issue") or None


def _refusal(issuer: Issuer, applicant: Applicant) -> Text | None:
    """Return why an issuer's parameters do not fit us (RFC 8657 §3, §4), or None if they do."""
    accounts = issuer.values("accounturi")
    if accounts and (len(accounts) > 1 or accounts[0] != applicant.account):
        return say("they allow only the ACME account {account}", account=" ".join(accounts))
    if not _methods(issuer, applicant):
        return say(
            "they allow only the challenges {methods}; ours are {ours}",
            methods=" ".join(issuer.values("validationmethods")),
            ours=tuple(sorted(applicant.methods)),
        )
    return None


def _methods(issuer: Issuer, applicant: Applicant) -> frozenset[str]:
    """Return the applicant's challenge types that the issuer's ``validationmethods`` leave, all where there are none."""
    given = issuer.values("validationmethods")
    if not given:
        return applicant.methods
    return applicant.methods & {*given[0].split(",")} if len(given) == 1 else frozenset()
