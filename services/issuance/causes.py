"""From trouble to a finding: what a failed step says to people, and how the work goes on. One table, no branches."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.issuance.planning import NAME_SPECIFIC, OWN_FAULT
from services.model.errors import CaError, CaTrouble, CertdeskError
from services.model.findings import CODES, Finding, Verdict
from services.model.names import base
from services.model.text import Phrase, Text


class Then(StrEnum):
    """How the work goes on after trouble with a CA."""

    NEXT_CHALLENGE = "next_challenge"
    """Try the next challenge type with a new order."""
    NEXT_CA = "next_ca"
    """Try the next CA of the list; with none left the attempt has failed."""
    AGAIN = "again"
    """The same step again within seconds to a minute; in the end the next CA."""
    LOOK = "look"
    """Read the CA's state again."""
    NEW_ORDER = "new_order"
    """The order is gone: a new one with the same CSR."""


_ANSWERED = Phrase("{ca} answered about {name}: {detail}")


@dataclass(frozen=True, slots=True)
class Cause:
    """What one kind of trouble means."""

    code: str
    then: Then
    remedy: Phrase
    strike: bool = False
    """Whether it counts towards the three failures for a merchant's reason."""
    says: Phrase = _ANSWERED
    """The sentence, where the CA's error type has none of its own."""


CAUSES: Mapping[CaTrouble, Cause] = {
    CaTrouble.REJECTED: Cause(
        "ca.rejected_identifier",
        Then.NEXT_CA,
        Phrase("Support: read the CA's reason, then choose another name or ask the CA."),
        strike=True,
    ),
    CaTrouble.CAA: Cause(
        "ca.caa",
        Then.NEXT_CA,
        Phrase(
            "Add a CAA record that allows the CA, or remove those that forbid it; certdesk tries again by itself."
        ),
        strike=True,
    ),
    CaTrouble.VALIDATION: Cause(
        "ca.unauthorized",
        Then.NEXT_CHALLENGE,
        Phrase(
            "Make the name answer from the platform's edge, over IPv4 and IPv6; certdesk tries again by itself."
        ),
        strike=True,
    ),
    CaTrouble.RATE_LIMITED: Cause(
        "ca.rate_limited",
        Then.NEXT_CA,
        Phrase("Nothing to do: certdesk waits until the CA's limit allows the next try."),
    ),
    CaTrouble.PAUSED: Cause(
        "ca.paused",
        Then.NEXT_CA,
        Phrase("On-call: open the unpause page that the CA names, then renew by hand."),
    ),
    CaTrouble.UNAVAILABLE: Cause(
        "ca.unavailable",
        Then.AGAIN,
        Phrase("Nothing to do: certdesk tries again by itself, or uses the next CA."),
        says=Phrase("{ca} could not be used for {name}: {detail}"),
    ),
    CaTrouble.ACCOUNT: Cause(
        "ca.account",
        Then.NEXT_CA,
        Phrase("On-call: check the ACME account and its external account binding in app.yaml."),
    ),
    CaTrouble.NOT_READY: Cause(
        "ca.unavailable", Then.LOOK, Phrase("Nothing to do: certdesk reads the order's state again.")
    ),
    CaTrouble.ORDER_LOST: Cause(
        "ca.unavailable", Then.NEW_ORDER, Phrase("Nothing to do: certdesk places a new order.")
    ),
    CaTrouble.REPLACES_REFUSED: Cause(
        "ca.unavailable", Then.NEW_ORDER, Phrase("Nothing to do: certdesk orders again.")
    ),
    CaTrouble.SETTINGS: Cause(
        OWN_FAULT,
        Then.AGAIN,
        Phrase(
            "On-call: set this CA's profile in acme.cas of app.yaml to one that it offers, or leave it out, and start "
            "certdesk again; it tries every minute."
        ),
        says=Phrase("{ca} was not asked for {name}: {detail}"),
    ),
}

_BY_TYPE: Mapping[str, Phrase] = {
    "connection": Phrase("The CA could not connect to {name}: {detail}"),
    "dns": Phrase("The CA's look-up of {name} failed: {detail}"),
    "tls": Phrase("The CA met a TLS error at {name}: {detail}"),
    "unauthorized": Phrase("The CA asked {name} and got a wrong answer: {detail}"),
    "incorrectResponse": Phrase("The CA asked {name} and got a wrong answer: {detail}"),
}


_QUOTED = re.compile(r'"([^"\s]+)"')


def of_ca(error: CaError, name: str, now: datetime) -> Finding:
    """Return the finding for a CA's ``error``; ``name`` is the certificate's first name unless the CA names another."""
    cause = CAUSES[error.trouble]
    named = error.subproblems[0].identifier if error.subproblems else name
    kind = error.type.rpartition(":")[2]
    template = _BY_TYPE.get(kind, cause.says)
    evidence = {
        "ca": error.ca,
        "type": error.type,
        "status": error.status,
        "detail": error.detail,
        "subproblems": [
            {"identifier": s.identifier, "type": s.type, "detail": s.detail} for s in error.subproblems
        ],
    }
    summary = template.said(ca=error.ca or "The CA", name=named, detail=error.detail.rstrip(".") + ".")
    return Finding(
        cause.code, Verdict.BLOCK, named, CODES[cause.code].owner, summary, cause.remedy.said(), now, evidence
    )


def refused_names(error: CaError, names: Sequence[str]) -> tuple[str, ...]:
    """Return those of the attempt's ``names`` that the CA's ``error`` refuses; empty if it is about no name in particular.

    A CA names them in sub-problems (RFC 8555 §6.7.1), a wildcard with or without its asterisk. Where it has but one to
    name, Let's Encrypt's leaves the sub-problem out, and the detail has the name in quotation marks. A refusal that
    names nobody can only be meant for a name that is alone.
    """
    if CAUSES[error.trouble].code not in NAME_SPECIFIC:
        return ()
    said = {sub.identifier for sub in error.subproblems} or set(_QUOTED.findall(error.detail.lower()))
    named = tuple(name for name in names if name in said or (base(name) in said and base(name) not in names))
    return named or (tuple(names) if len(names) == 1 else ())


def refusals(error: CaError, names: Sequence[str], now: datetime) -> tuple[Finding, ...]:
    """Return a finding for each name that ``error`` refuses, in the CA's own words for that name."""
    return tuple(_of_one(error, name, now) for name in refused_names(error, names))


def _of_one(error: CaError, name: str, now: datetime) -> Finding:
    mine = next((s for s in error.subproblems if s.identifier in (name, base(name))), None)
    if mine is None:
        return of_ca(error, name, now)
    alone = CaError(
        error.trouble,
        mine.detail or error.detail,
        ca=error.ca,
        type=mine.type,
        status=error.status,
        subproblems=(replace(mine, identifier=name),),
    )
    return of_ca(alone, name, now)


def own(code: str, error: CertdeskError, name: str, remedy: Text, now: datetime, **evidence: str) -> Finding:
    """Return the finding for a fault on the platform's side, such as deploy.failed."""
    return Finding(code, Verdict.BLOCK, name, CODES[code].owner, error.text, remedy, now, evidence)
