"""What each cause is called: in the title of an alert, in the forecast and in the digest. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from commands import views
from commands.reply import Tone
from services.model.alerts import Severity
from services.model.text import Text, say

ALL = "*"
"""The thing of an alert that gathers many causes of one code."""

SEVERITIES: Mapping[Severity, Text] = {
    Severity.INFO: say("Note"),
    Severity.WARNING: say("Warning"),
    Severity.URGENT: say("Urgent"),
    Severity.CRITICAL: say("Critical"),
}
TONES: Mapping[Severity, Tone] = {
    Severity.INFO: Tone.INFO,
    Severity.WARNING: Tone.WARN,
    Severity.URGENT: Tone.BAD,
    Severity.CRITICAL: Tone.BAD,
}


@dataclass(frozen=True, slots=True)
class Clause:
    """Why a certificate cannot renew, to be said after a colon or after "because"; {thing} is what is broken."""

    one: str
    """Of one certificate, which was just named."""
    many: str
    """Of several."""


def _same(clause: str) -> Clause:
    return Clause(clause, clause)


def _its(clause: str) -> Clause:
    return Clause(clause.format(its="its", it="it"), clause.format(its="their", it="them"))


CLAUSES: Mapping[str, Clause] = {
    # the store
    "store.inactive": _same("{thing} is inactive"),
    "store.deleted": _same("{thing} is deleted"),
    # the domain and its registration
    "domain.default": Clause(
        "it is a default domain of the platform", "they are default domains of the platform"
    ),
    "domain.not_added": Clause("it is not an added domain", "they are not added domains"),
    "domain.no_certificate": _same("nobody has asked for a certificate"),
    "domain.invalid": Clause("it is not a domain name", "they are not domain names"),
    "domain.public_suffix": Clause("it is a public suffix", "they are public suffixes"),
    "domain.expired": Clause("its registration has expired", "their registrations have expired"),
    "domain.expiring": Clause("its registration ends soon", "their registrations end soon"),
    "domain.on_hold": Clause("its registration is on hold", "their registrations are on hold"),
    # DNS
    "dns.not_hosted": _its("{its} DNS left the platform"),
    "dns.propagating": Clause(
        "a change of its name servers is still spreading",
        "changes of their name servers are still spreading",
    ),
    "dns.nxdomain": Clause("it does not exist in DNS", "they do not exist in DNS"),
    "dns.servfail": _same("DNS errors come from {thing}"),
    "dns.dnssec_bogus": Clause("DNSSEC validation of it fails", "DNSSEC validation of them fails"),
    "dns.lame": Clause("its zone is not served by {thing}", "their zones are not served by {thing}"),
    "dns.inconsistent": _its("{its} name servers answer differently"),
    "dns.no_address": Clause("it has no usable address", "they have no usable address"),
    "dns.wrong_address": Clause("it points elsewhere", "they point elsewhere"),
    "dns.wrong_ipv6": Clause("its IPv6 address leads elsewhere", "their IPv6 addresses lead elsewhere"),
    "dns.private_address": Clause(
        "it has an address that is not public", "they have addresses that are not public"
    ),
    "dns.caa_forbids": _its("{its} CAA records forbid the CA"),
    "dns.stale_challenge": _its("old challenge records are in {its} way"),
    "dns.answers": _its("{its} DNS answers are watched"),
    "dns.update_failed": Clause(
        "its challenge record cannot be written", "their challenge records cannot be written"
    ),
    # the edge
    "access.unreachable": _same("no answer comes from {thing}"),
    "access.refused": _same("connections are refused by {thing}"),
    "access.wrong_server": _same("something else than the edge answers at {thing}"),
    "access.redirected_away": _same("the challenge path is redirected elsewhere by {thing}"),
    "access.redirect_loop": _same("the challenge path is redirected in a loop by {thing}"),
    "access.forbidden": _same("the challenge path is forbidden by {thing}"),
    # our policy
    "policy.rejected": _its("the issuance policy rejects {it}"),
    "policy.blocked_name": Clause(
        "it is on the list of refused names", "they are on the list of refused names"
    ),
    "policy.too_many_names": Clause("it has too many names", "they have too many names"),
    "policy.wildcard_needs_dns": Clause(
        "a wildcard needs the dns-01 challenge", "wildcards need the dns-01 challenge"
    ),
    # the CA
    "ca.rate_limited": _same("a rate limit of {thing} is reached"),
    "ca.paused": _its("the CA has paused {it}"),
    "ca.unavailable": _same("{thing} does not answer as it should"),
    "ca.rejected_identifier": _its("the CA refuses {it} by its policy"),
    "ca.caa": _its("the CA found CAA records that forbid {it}"),
    "ca.unauthorized": _its("the CA could not validate {it}"),
    "ca.account": _same("the account at {thing} is not usable"),
    # what comes after issuance
    "deploy.failed": Clause(
        "its certificate cannot be written to {thing}", "they cannot be written to {thing}"
    ),
    "deploy.not_served": Clause("its certificate is not served by {thing}", "they are not served by {thing}"),
    # certdesk itself
    "certdesk.fault": _its("certdesk itself fails at {it}"),
    "certdesk.stalled": _same("certificates are not looked at in time"),
    "certdesk.undelivered": _same("messages do not leave certdesk"),
    "certdesk.deaf": _same("what happens in Slack does not reach certdesk"),
    "certdesk.clock": _same("the clock of certdesk's machine is wrong"),
}
"""A test holds it complete for `CODES`."""

_WIDE: Mapping[str, Clause] = {
    # the platform's own name, which aliases lead to
    "dns.wrong_address": _same("{thing} points elsewhere"),
    "dns.wrong_ipv6": _same("the IPv6 address of {thing} leads elsewhere"),
    "dns.private_address": _same("{thing} has an address that is not public"),
}
"""Codes that say something else where the thing is the platform's, and many share it."""

_GATHERED: Mapping[str, Clause] = {
    "store.inactive": Clause("its store is inactive", "their stores are inactive"),
    "store.deleted": Clause("its store is deleted", "their stores are deleted"),
    "dns.lame": Clause(
        "its name servers do not serve its zone", "their name servers do not serve their zones"
    ),
    "dns.servfail": _its("{its} name servers answer with errors"),
}
"""Codes that say something else where no single thing is meant: in the forecast, and where many alerts were gathered."""
_SOME: Mapping[str, Text] = {
    "store": say("several stores"),
    "access": say("an address of the edge"),
    "ca": say("the CA"),
    "deploy": say("the edge"),
}
"""What is broken, where no single thing is meant; else it is several domains."""
_MERCHANTS = ("dns.lame", "dns.servfail", "access.")
"""Codes whose thing is a machine if it is the platform's, and a domain if the machines are somebody else's."""
_NAMED: Mapping[str, str] = {
    "store": "the store {thing}",
    "ca": "the CA {thing}",
    "certdesk": "certdesk",
}


def noun(code: str, thing: str = ALL, *, wide: bool = True) -> Text:
    """Return what is broken, as a noun: the store moon, ns1.platform.test; of many things what kind they are of.

    ``wide``: the thing is the platform's or a CA's, and certificates of many stores share it.
    """
    family = code.partition(".")[0]
    if thing in {ALL, "CA", "edge"}:
        return _SOME.get(family) or say("several domains")
    if not wide and code.startswith(_MERCHANTS):
        return say("the servers of {thing}", thing=views.shown(thing))
    named = "{thing}" if family == "ca" and not wide else _NAMED.get(family, "{thing}")
    return say(named, thing=views.shown(thing))


def clause(code: str, thing: str = ALL, *, many: bool = True, wide: bool = False) -> Text:
    """Return why certificates with this cause cannot renew, to be said after a colon or after "because".

    ``wide`` as in `noun`; it changes nothing where no thing is named.
    """
    found = CLAUSES.get(code, _same(code))  # a code of a newer certdesk stands for itself
    if wide and thing != ALL:
        found = _WIDE.get(code, found)
    if thing == ALL:
        found = _GATHERED.get(code, found)
    return say(found.many if many else found.one, thing=noun(code, thing, wide=wide))
