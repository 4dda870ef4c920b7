"""From findings to root causes: consequences are left out, and each cause names the one thing that is broken. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from services import naming
from services.issuance.planning import NAME_SPECIFIC
from services.model.alerts import Cause
from services.model.certificates import Certificate
from services.model.findings import CODES, NOT_REVOKED, REVOKED, Finding, Owner, Verdict
from services.model.lifecycle import State


@dataclass(frozen=True, slots=True)
class Found:
    """A root cause as it was found at one certificate."""

    cause: Cause
    finding: Finding
    blocks: bool
    """Whether it stands in the way of renewal."""
    certain: bool
    """Whether one look is enough: a rule of the business, the third strike, or certdesk's own health."""


OWN_HEALTH = frozenset({"certdesk.stalled", "certdesk.undelivered", "certdesk.deaf", "certdesk.clock"})
"""What certdesk finds about itself; each is measured over a time already, so one look is enough."""

_NETWORK = ("dns.*", "access.*", "ca.unauthorized", "ca.caa")
_ALL_BUT_STORE = ("domain.*", "policy.*", "dns.*", "access.*", "ca.*", "deploy.*")

SUPPRESSES: Mapping[str, tuple[str, ...]] = {
    # nothing is renewed for a closed store, whatever else is wrong
    "store.inactive": _ALL_BUT_STORE,
    "store.deleted": _ALL_BUT_STORE,
    # a name that is not to be had here, or is registered no more, cannot be in order in DNS or on the Web
    "domain.default": _NETWORK,
    "domain.not_added": _NETWORK,
    "domain.invalid": _NETWORK,
    "domain.public_suffix": _NETWORK,
    "domain.expired": ("domain.expiring", *_NETWORK),
    "domain.on_hold": _NETWORK,
    # DNS, from the root of the tree to the leaf; a code never suppresses its own kind
    "dns.nxdomain": _NETWORK,
    "dns.not_hosted": _NETWORK,
    "dns.lame": _NETWORK,
    "dns.servfail": _NETWORK,
    "dns.dnssec_bogus": _NETWORK,
    "dns.no_address": ("dns.wrong_*", "dns.private_address", "access.*", "ca.unauthorized"),
    "dns.wrong_address": ("dns.private_address", "access.*", "ca.unauthorized"),
    "dns.wrong_ipv6": ("dns.private_address", "access.*", "ca.unauthorized"),
    "dns.private_address": ("access.*", "ca.unauthorized"),
    "dns.caa_forbids": ("ca.caa",),
    "access.*": ("ca.unauthorized",),
}
"""What a blocking finding (pattern) explains away of later ones (patterns) about the same name: one cause, one alert."""

RANKS: tuple[str, ...] = (
    "store.*",
    "domain.*",
    "policy.*",
    "dns.nxdomain",
    "dns.not_hosted",
    "dns.lame",
    "dns.servfail",
    "dns.dnssec_bogus",
    "dns.*",
    "access.*",
    "ca.*",
    "deploy.*",
    "*",
)
"""Patterns of codes, the foremost cause first; a code suppresses only what stands behind it."""

_STEPS = (
    "ca.*",
    "deploy.*",
    "certdesk.*",
    "dns.update_failed",
    "policy.rejected",
    "policy.wildcard_needs_dns",
)
"""Codes that a step of an issuance leaves in `Certificate.problem`; those of checks stand among the findings."""

_WARNS = ("dns.lame", "dns.servfail", "access.*")
"""Codes of which a warning is worth telling where the platform's own machines are to blame: one of several is down."""

_BETWEEN = ", "
"""Stands between the machines of a cause that names several."""


def causes_of(certificate: Certificate | None, findings: Sequence[Finding]) -> tuple[Found, ...]:
    """Return the root causes among a certificate's ``findings`` and its `problem`, the foremost first, each once.

    None for certificate: the findings are about certdesk itself.
    """
    said = (*findings, *_problem(certificate, findings), *_revocation(certificate))
    told = [f for f in said if tells(f)]
    roots = sorted((f for f in told if not _explained(f, told)), key=_place)
    merged: dict[str, Found] = {}
    for finding in roots:
        found = Found(cause_of(finding, certificate), finding, finding.blocks, _certain(certificate, finding))
        known = merged.setdefault(found.cause.key, found)
        merged[found.cause.key] = replace(
            known, blocks=known.blocks or found.blocks, certain=known.certain or found.certain
        )
    return tuple(merged.values())


def tells(finding: Finding) -> bool:
    """Tell whether a finding is worth an alert at all.

    Blockers are; of warnings, a registration that ends soon and what is wrong with the platform's own machines; of what
    is unknown, the platform's own name servers that do not answer.
    """
    if finding.blocks or finding.code in OWN_HEALTH:
        return finding.verdict is not Verdict.OK
    if finding.verdict is Verdict.WARN and finding.code == "domain.expiring":
        return True
    if finding.owner is not Owner.PLATFORM:
        return False
    if finding.verdict is Verdict.WARN:
        return any(fnmatchcase(finding.code, pattern) for pattern in _WARNS)
    return finding.verdict is Verdict.UNKNOWN and finding.code == "dns.lame"


def machines(key: str, code: str) -> frozenset[str]:
    """Return what the key of a cause of this code names as broken, one by one: of several machines each."""
    return frozenset(key.removeprefix(f"{code} ").split(_BETWEEN))


def cause_of(finding: Finding, certificate: Certificate | None) -> Cause:
    """Return the root cause that a finding speaks of."""
    thing, wide = _thing(finding, certificate)
    return Cause(finding.code, thing, finding.owner, wide)


# --- what is left of findings and problem ------------------------------------------------------------------------


def _problem(certificate: Certificate | None, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return what the last step ran into, if it still stands and is not among the findings anyway."""
    if certificate is None or certificate.problem is None or not _stands(certificate):
        return ()
    problem = certificate.problem
    if not any(fnmatchcase(problem.code, pattern) for pattern in _STEPS):
        return ()
    known = any((f.code, f.name) == (problem.code, problem.name) for f in findings)
    return () if known else (problem,)


def _revocation(certificate: Certificate | None) -> tuple[Finding, ...]:
    """Return what there is to say of a revocation that is not over; what is revoked counts while it is installed."""
    told = certificate.revocation if certificate is not None else None
    if certificate is None or told is None or (told.code == REVOKED and not certificate.revoked):
        return ()
    return (told,)


def _stands(certificate: Certificate) -> bool:
    """Tell whether the problem is more than a memory.

    While an attempt is under way after a failed one it stands until the attempt has done better: an alert must not heal
    and come back with each try. Of an installed certificate it is what a target or the edge lacks.
    """
    if certificate.state is State.INSTALLED:
        return certificate.unproved
    return certificate.resting or certificate.failures > 0 or certificate.attempt.faults > 0


def _explained(finding: Finding, told: Sequence[Finding]) -> bool:
    return any(
        other.blocks and other.name == finding.name and suppresses(other.code, finding.code) for other in told
    )


def suppresses(code: str, other: str) -> bool:
    """Tell whether a blocking finding ``code`` explains the finding ``other`` about the same name."""
    if rank(code) >= rank(other) and (code, other) not in _SAME_RANK:
        return False
    return any(
        fnmatchcase(code, pattern) and any(fnmatchcase(other, what) for what in explained)
        for pattern, explained in SUPPRESSES.items()
    )


_SAME_RANK = frozenset(
    {("domain.expired", "domain.expiring")}
    | {("dns.no_address", code) for code in ("dns.wrong_address", "dns.wrong_ipv6", "dns.private_address")}
    | {(code, "dns.private_address") for code in ("dns.wrong_address", "dns.wrong_ipv6")}
)
"""Pairs of one rank of which the first explains the second."""


def rank(code: str) -> int:
    """Return the place of a code among causes: 0 is the foremost."""
    return next(place for place, pattern in enumerate(RANKS) if fnmatchcase(code, pattern))


def _place(finding: Finding) -> tuple[bool, int]:
    return not finding.blocks, rank(finding.code)


def _certain(certificate: Certificate | None, finding: Finding) -> bool:
    struck_out = certificate is not None and certificate.state is State.NEEDS_SUPPORT
    given_up = struck_out and certificate is not None and finding is certificate.problem
    sure = OWN_HEALTH | {REVOKED, NOT_REVOKED}
    return CODES[finding.code].rule or finding.code in sure or given_up


# --- the thing that is broken ------------------------------------------------------------------------------------

Thing = tuple[str, bool]
"""What is broken, and whether certificates of many stores share it."""


def domain_of(finding: Finding, certificate: Certificate | None) -> str:
    """Return the registrable domain that a finding is about."""
    return (
        (naming.registrable(finding.name) if "." in finding.name else None)
        or (certificate.domain if certificate else "")
        or finding.name
    )


def _domain(finding: Finding, certificate: Certificate | None) -> Thing:
    return domain_of(finding, certificate), False


def _store(finding: Finding, certificate: Certificate | None) -> Thing:
    return str(finding.evidence.get("store") or (certificate.store if certificate else finding.name)), False


def _listed(key: str) -> Callable[[Finding, Certificate | None], Thing]:
    """Return the function that reads the platform's machines from the evidence ``key``; the merchant's are a domain."""

    def thing(finding: Finding, certificate: Certificate | None) -> Thing:
        given = finding.evidence.get(key) or ()
        hosts = sorted({str(one) for one in ([given] if isinstance(given, str) else given)})
        if finding.owner is not Owner.PLATFORM or not hosts:
            return _domain(finding, certificate)
        return _BETWEEN.join(hosts), True

    return thing


def _alias(finding: Finding, certificate: Certificate | None) -> Thing:
    """Return the name of the platform's own that aliases lead to: its addresses are wrong for every store at once."""
    chain: Sequence[str] = finding.evidence.get("chain") or ()
    if finding.owner is not Owner.PLATFORM or len(chain) < 2:
        return _domain(finding, certificate)
    return str(chain[-1]), True


def _ca(finding: Finding, certificate: Certificate | None) -> Thing:
    """Return the CA, or for its refusal of one name that name's domain."""
    if finding.code in NAME_SPECIFIC or finding.code == "ca.paused":
        return _domain(finding, certificate)
    return str(finding.evidence.get("ca") or "CA"), True


def _edges(finding: Finding, _certificate: Certificate | None) -> Thing:
    found = finding.evidence.get("found") or ()
    addresses = sorted({str(one.get("address")) for one in found if one.get("address")})
    return _BETWEEN.join(addresses) or "edge", True


def _named(name: str) -> Callable[[Finding, Certificate | None], Thing]:
    return lambda finding, _certificate: (str(finding.evidence.get("thing") or name), True)


def _target(finding: Finding, _certificate: Certificate | None) -> Thing:
    return str(finding.evidence.get("target") or "deploy targets"), True


THINGS: Mapping[str, Callable[[Finding, Certificate | None], Thing]] = {
    "store.*": _store,
    "dns.lame": _listed("hosts"),
    "dns.servfail": _listed("hosts"),
    "dns.wrong_*": _alias,
    "dns.private_address": _alias,
    "dns.update_failed": _named("primary name server"),
    "access.*": _listed("addresses"),
    "ca.*": _ca,
    "deploy.not_served": _edges,
    "deploy.failed": _target,
    "certdesk.*": _named("certdesk"),
    "*": _domain,
}
"""Pattern of codes -> what is broken; the first that fits counts."""


def _thing(finding: Finding, certificate: Certificate | None) -> Thing:
    for pattern, thing in THINGS.items():
        if fnmatchcase(finding.code, pattern):
            return thing(finding, certificate)
    raise LookupError(finding.code)
