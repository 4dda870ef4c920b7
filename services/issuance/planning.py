"""What an attempt goes for: which names, which CA, which challenge type. Pure decisions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from services.model.certificates import Certificate
from services.model.findings import CODES, Finding
from services.model.names import is_wildcard
from services.model.settings import CaSettings

NAME_SPECIFIC = frozenset({"ca.unauthorized", "ca.caa", "ca.rejected_identifier"})
"""A CA's refusals that speak of one name and leave the others of the certificate alone."""
BUDGET = "ca.rate_limited"
"""Told by the checks, but decided when the order's way is chosen, which knows what is exempt and when it is free."""
OWN_FAULT = "certdesk.fault"
"""The code of certdesk's own faults: neither strikes nor back-offs, they are tried again every minute."""


def healthy_names(
    certificate: Certificate, found: Mapping[str, Sequence[Finding]], *, near_expiry: bool
) -> tuple[str, ...]:
    """Return the wanted names that the attempt should cover.

    A name with a blocker stays wanted and is left out, so that it harms the others little. Near expiry technical
    blockers do not count, rules of the business always do. Names that the CA has refused are left out too, near expiry
    as well (the CA has judged them), as long as others are left.
    """
    passed = tuple(
        name
        for name in certificate.wanted
        if not any(_counts(f, near_expiry=near_expiry) for f in found.get(name, ()))
    )
    return tuple(name for name in passed if name not in certificate.attempt.refused) or passed


def _counts(finding: Finding, *, near_expiry: bool) -> bool:
    if finding.code == BUDGET:
        return False
    return finding.blocks and (CODES[finding.code].rule or not near_expiry)


@dataclass(frozen=True, slots=True)
class Route:
    """A CA and a challenge type."""

    ca: str
    challenge: str

    def __str__(self) -> str:
        return f"{self.ca} {self.challenge}"


def next_route(
    names: Sequence[str], cas: Sequence[str], challenges: Sequence[str], tried: Sequence[str]
) -> Route | None:
    """Return the first route that has not failed in this attempt: all challenge types of a CA before the next CA.

    ``tried`` holds routes as text and names of CAs that are out altogether. A wildcard needs dns-01 (RFC 8555 §7.1.3
    leaves the types to the CA; none offers another for wildcards). None if nothing is left.
    """
    usable = [c for c in challenges if c == "dns-01" or not any(is_wildcard(name) for name in names)]
    routes = (Route(ca, challenge) for ca in cas if ca not in tried for challenge in usable)
    return next((route for route in routes if str(route) not in tried), None)


def forbidden_cas(
    names: Sequence[str], found: Mapping[str, Sequence[Finding]], cas: Collection[str]
) -> tuple[str, ...]:
    """Return those of ``cas`` that CAA records forbid for any of the attempt's names (RFC 8659), as the checks found.

    If that is every one of them, the attempt goes on against a technical blocker, near expiry: then none is left out,
    and the CA is the judge.
    """
    named = {
        ca
        for name in names
        for f in found.get(name, ())
        if f.code == "dns.caa_forbids"
        for ca in f.evidence.get("forbidden", ())
    }
    return () if named >= set(cas) else tuple(sorted(named))


def barred_routes(
    names: Sequence[str],
    found: Mapping[str, Sequence[Finding]],
    cas: Sequence[str],
    challenges: Sequence[str],
) -> tuple[str, ...]:
    """Return the routes that CAA records forbid for any of the names by ``validationmethods`` (RFC 8657 §4), as text.

    A CA to which no route would be left keeps all of its own: names that contradict each other are the CA's to judge.
    """
    named = {
        route
        for name in names
        for f in found.get(name, ())
        if f.code == "dns.caa_forbids"
        for route in f.evidence.get("barred", ())
    }
    return tuple(
        sorted(
            route
            for ca in cas
            if next_route(names, (ca,), challenges, tuple(named))
            for route in named & {str(Route(ca, challenge)) for challenge in challenges}
        )
    )


def crowded_cas(
    names: Collection[str], limits: Mapping[str, CaSettings], cas: Sequence[str]
) -> tuple[str, ...]:
    """Return those of ``cas`` whose certificates have no room for so many names.

    If that is every one of them, none is left out: the policy's check has said so, and the CA is the judge.
    """
    crowded = tuple(ca for ca in cas if ca in limits and len(names) > limits[ca].max_names)
    return () if len(crowded) == len(cas) else crowded
