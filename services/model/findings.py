"""Findings: what a check or a failed step says, in a form that people, alerts and machines all read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.model.clock import rfc3339
from services.model.text import Phrase, Text


class Verdict(StrEnum):
    """What a finding means for issuance; unknown never blocks."""

    OK = "ok"
    WARN = "warn"
    BLOCK = "block"
    UNKNOWN = "unknown"


class Owner(StrEnum):
    """Whose move it is."""

    MERCHANT = "merchant"
    PLATFORM = "platform"
    CA = "ca"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found about one name; ``name`` is the certificate's first name where it concerns the whole."""

    code: str
    verdict: Verdict
    name: str
    owner: Owner
    summary: Text
    remedy: Text
    checked_at: datetime
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def blocks(self) -> bool:
        """Whether it stands in the way of issuance."""
        return self.verdict is Verdict.BLOCK

    def as_json(self) -> dict[str, Any]:
        """Return the finding in the shape of the machine contract (docs/json.md)."""
        return {
            "code": self.code,
            "verdict": self.verdict.value,
            "name": self.name,
            "owner": self.owner.value,
            "summary": self.summary.plain(),
            "remedy": self.remedy.plain(),
            "evidence": dict(self.evidence),
            "checked_at": rfc3339(self.checked_at),
        }


@dataclass(frozen=True, slots=True)
class Code:
    """What is fixed about a finding code: whose move it usually is and what it is about, in a phrase."""

    owner: Owner
    meaning: Phrase
    rule: bool = False
    """A rule of the business, not a technical reading: never overridden near expiry."""


ANSWERS = "dns.answers"
"""What DNS answers, right or wrong: compared from look to look while support is needed."""
REVOKED, NOT_REVOKED = "certificate.revoked", "certificate.not_revoked"
_M, _P, _C = Owner.MERCHANT, Owner.PLATFORM, Owner.CA

CODES: Mapping[str, Code] = {
    "store.inactive": Code(_M, Phrase("the store is inactive"), rule=True),
    "store.deleted": Code(_M, Phrase("the store is deleted"), rule=True),
    "domain.default": Code(_M, Phrase("the name is a default domain of the platform"), rule=True),
    "domain.not_added": Code(_M, Phrase("the name was not added to a store of the caller"), rule=True),
    "domain.no_certificate": Code(_M, Phrase("nobody has asked for a certificate for the name yet")),
    "domain.invalid": Code(_M, Phrase("the text cannot be a domain name"), rule=True),
    "domain.public_suffix": Code(_M, Phrase("the name is a public suffix"), rule=True),
    "domain.expired": Code(_M, Phrase("the registration has expired")),
    "domain.expiring": Code(_M, Phrase("the registration ends within 30 days")),
    "domain.on_hold": Code(_M, Phrase("the registration is on hold")),
    "dns.not_hosted": Code(_M, Phrase("DNS is not hosted on the platform's name servers")),
    "dns.propagating": Code(_M, Phrase("a change of name servers is still spreading")),
    "dns.nxdomain": Code(_M, Phrase("the name does not exist in DNS")),
    "dns.servfail": Code(_P, Phrase("name servers answer with an error")),
    "dns.dnssec_bogus": Code(_M, Phrase("DNSSEC validation fails")),
    "dns.lame": Code(_P, Phrase("a listed name server does not answer for the zone")),
    "dns.inconsistent": Code(_P, Phrase("name servers answer differently")),
    "dns.no_address": Code(_M, Phrase("the name has no usable address")),
    "dns.wrong_address": Code(_M, Phrase("the name points elsewhere")),
    "dns.wrong_ipv6": Code(_M, Phrase("the name's IPv6 address points elsewhere")),
    "dns.private_address": Code(_M, Phrase("the name has an address that is not public")),
    "dns.caa_forbids": Code(_M, Phrase("CAA records forbid the CA")),
    "dns.stale_challenge": Code(_M, Phrase("old challenge records are in the way")),
    ANSWERS: Code(_M, Phrase("what DNS answers is watched for a change")),
    "dns.update_failed": Code(_P, Phrase("the challenge record could not be written")),
    "access.unreachable": Code(_P, Phrase("the edge does not answer")),
    "access.refused": Code(_P, Phrase("the edge refuses connections")),
    "access.wrong_server": Code(_P, Phrase("something else than the edge answers")),
    "access.redirected_away": Code(_P, Phrase("the challenge path is redirected elsewhere")),
    "access.redirect_loop": Code(_P, Phrase("the challenge path redirects in a loop")),
    "access.forbidden": Code(_P, Phrase("the challenge path is forbidden")),
    "policy.rejected": Code(_M, Phrase("the issuance policy rejects the request"), rule=True),
    "policy.blocked_name": Code(_M, Phrase("the name is on the list of refused names"), rule=True),
    "policy.too_many_names": Code(_M, Phrase("too many names for one certificate"), rule=True),
    "policy.wildcard_needs_dns": Code(_P, Phrase("a wildcard needs the dns-01 challenge"), rule=True),
    "ca.rate_limited": Code(_C, Phrase("the CA's rate limit is reached")),
    "ca.paused": Code(_C, Phrase("the CA has paused the name")),
    "ca.unavailable": Code(_C, Phrase("the CA does not answer as it should")),
    "ca.rejected_identifier": Code(_C, Phrase("the CA refuses the name by policy")),
    "ca.caa": Code(_C, Phrase("the CA found CAA records that forbid it")),
    "ca.unauthorized": Code(_C, Phrase("the CA's validation failed")),
    "ca.account": Code(_C, Phrase("the ACME account is not usable")),
    "deploy.failed": Code(_P, Phrase("the certificate could not be written to a target")),
    "deploy.not_served": Code(_P, Phrase("the edge does not serve the certificate")),
    REVOKED: Code(_P, Phrase("the installed certificate is revoked")),
    NOT_REVOKED: Code(_P, Phrase("the CA does not revoke a certificate")),
    "content.mixed": Code(_M, Phrase("pages load or post something over http://")),
    "content.page_not_https": Code(_P, Phrase("a page is not served over https, or leads to http://")),
    "certdesk.fault": Code(_P, Phrase("certdesk itself failed")),
    "certdesk.stalled": Code(_P, Phrase("certificates are not looked at in time")),
    "certdesk.undelivered": Code(_P, Phrase("messages do not leave")),
    "certdesk.deaf": Code(_P, Phrase("Slack's events do not arrive")),
    "certdesk.clock": Code(_P, Phrase("the machine's clock is wrong")),
}
"""Every finding code there is. Codes are added where the world needs them, and never renamed."""


_REGISTRATION = frozenset({"domain.expired", "domain.expiring", "domain.on_hold"})


def leaves_open(silence: Finding, code: str, name: str) -> bool:
    """Tell whether ``silence``, a finding, says that nothing is known of what ``code`` means for ``name``.

    What a registry does not tell, which for some top-level domains is so for good, leaves open the registration alone.
    """
    if silence.verdict is not Verdict.UNKNOWN or silence.name != name:
        return False
    return silence.code not in _REGISTRATION or code in _REGISTRATION


def worst_first(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return ``findings`` with blocks first, then warnings, then what is unknown; the order within each is kept."""
    order = (Verdict.BLOCK, Verdict.WARN, Verdict.UNKNOWN, Verdict.OK)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.verdict)))
