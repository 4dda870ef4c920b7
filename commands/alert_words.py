"""What each cause is called: in the title of an alert, in the forecast and in the digest. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from commands import views
from commands.reply import Tone
from services.model.alerts import Severity
from services.model.text import Phrase, Text, say

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

    one: Phrase
    """Of one certificate, which was just named."""
    many: Phrase
    """Of several."""


def _same(clause: Phrase) -> Clause:
    return Clause(clause, clause)


CLAUSES: Mapping[str, Clause] = {
    # the store
    "store.inactive": _same(Phrase("{thing} is inactive")),
    "store.deleted": _same(Phrase("{thing} is deleted")),
    # the domain and its registration
    "domain.default": Clause(
        Phrase("it is a default domain of the platform"), Phrase("they are default domains of the platform")
    ),
    "domain.not_added": Clause(Phrase("it is not an added domain"), Phrase("they are not added domains")),
    "domain.no_certificate": _same(Phrase("nobody has asked for a certificate")),
    "domain.invalid": Clause(Phrase("it is not a domain name"), Phrase("they are not domain names")),
    "domain.public_suffix": Clause(Phrase("it is a public suffix"), Phrase("they are public suffixes")),
    "domain.expired": Clause(
        Phrase("its registration has expired"), Phrase("their registrations have expired")
    ),
    "domain.expiring": Clause(Phrase("its registration ends soon"), Phrase("their registrations end soon")),
    "domain.on_hold": Clause(
        Phrase("its registration is on hold"), Phrase("their registrations are on hold")
    ),
    # DNS
    "dns.not_hosted": Clause(Phrase("its DNS left the platform"), Phrase("their DNS left the platform")),
    "dns.propagating": Clause(
        Phrase("a change of its name servers is still spreading"),
        Phrase("changes of their name servers are still spreading"),
    ),
    "dns.nxdomain": Clause(Phrase("it does not exist in DNS"), Phrase("they do not exist in DNS")),
    "dns.servfail": _same(Phrase("DNS errors come from {thing}")),
    "dns.dnssec_bogus": Clause(
        Phrase("DNSSEC validation of it fails"), Phrase("DNSSEC validation of them fails")
    ),
    "dns.lame": Clause(
        Phrase("its zone is not served by {thing}"), Phrase("their zones are not served by {thing}")
    ),
    "dns.inconsistent": Clause(
        Phrase("its name servers answer differently"), Phrase("their name servers answer differently")
    ),
    "dns.no_address": Clause(Phrase("it has no usable address"), Phrase("they have no usable address")),
    "dns.wrong_address": Clause(Phrase("it points elsewhere"), Phrase("they point elsewhere")),
    "dns.wrong_ipv6": Clause(
        Phrase("its IPv6 address leads elsewhere"), Phrase("their IPv6 addresses lead elsewhere")
    ),
    "dns.private_address": Clause(
        Phrase("it has an address that is not public"), Phrase("they have addresses that are not public")
    ),
    "dns.caa_forbids": Clause(
        Phrase("its CAA records forbid the CA"), Phrase("their CAA records forbid the CA")
    ),
    "dns.stale_challenge": Clause(
        Phrase("old challenge records are in its way"), Phrase("old challenge records are in their way")
    ),
    "dns.answers": Clause(Phrase("its DNS answers are watched"), Phrase("their DNS answers are watched")),
    "dns.update_failed": Clause(
        Phrase("its challenge record cannot be written"), Phrase("their challenge records cannot be written")
    ),
    # the edge
    "access.unreachable": _same(Phrase("no answer comes from {thing}")),
    "access.refused": _same(Phrase("connections are refused by {thing}")),
    "access.wrong_server": _same(Phrase("something else than the edge answers at {thing}")),
    "access.redirected_away": _same(Phrase("the challenge path is redirected elsewhere by {thing}")),
    "access.redirect_loop": _same(Phrase("the challenge path is redirected in a loop by {thing}")),
    "access.forbidden": _same(Phrase("the challenge path is forbidden by {thing}")),
    # our policy
    "policy.rejected": Clause(
        Phrase("the issuance policy rejects it"), Phrase("the issuance policy rejects them")
    ),
    "policy.blocked_name": Clause(
        Phrase("it is on the list of refused names"), Phrase("they are on the list of refused names")
    ),
    "policy.too_many_names": Clause(Phrase("it has too many names"), Phrase("they have too many names")),
    "policy.wildcard_needs_dns": Clause(
        Phrase("a wildcard needs the dns-01 challenge"), Phrase("wildcards need the dns-01 challenge")
    ),
    # the CA
    "ca.rate_limited": _same(Phrase("a rate limit of {thing} is reached")),
    "ca.paused": Clause(Phrase("the CA has paused it"), Phrase("the CA has paused them")),
    "ca.unavailable": _same(Phrase("{thing} does not answer as it should")),
    "ca.rejected_identifier": Clause(
        Phrase("the CA refuses it by its policy"), Phrase("the CA refuses them by its policy")
    ),
    "ca.caa": Clause(
        Phrase("the CA found CAA records that forbid it"), Phrase("the CA found CAA records that forbid them")
    ),
    "ca.unauthorized": Clause(
        Phrase("the CA could not validate it"), Phrase("the CA could not validate them")
    ),
    "ca.account": _same(Phrase("the account at {thing} is not usable")),
    # what comes after issuance
    "deploy.failed": Clause(
        Phrase("its certificate cannot be written to {thing}"), Phrase("they cannot be written to {thing}")
    ),
    "deploy.not_served": Clause(
        Phrase("its certificate is not served by {thing}"), Phrase("they are not served by {thing}")
    ),
    "content.mixed": Clause(
        Phrase("its pages load something over http://"), Phrase("their pages load something over http://")
    ),
    "content.page_not_https": Clause(
        Phrase("a page of it is not served over https"), Phrase("pages of them are not served over https")
    ),
    "certificate.revoked": Clause(Phrase("its certificate is revoked"), Phrase("they are revoked")),
    "certificate.not_revoked": Clause(
        Phrase("the CA does not revoke its old certificate"),
        Phrase("the CA does not revoke their old certificates"),
    ),
    # certdesk itself
    "certdesk.fault": Clause(Phrase("certdesk itself fails at it"), Phrase("certdesk itself fails at them")),
    "certdesk.stalled": _same(Phrase("certificates are not looked at in time")),
    "certdesk.undelivered": _same(Phrase("messages do not leave certdesk")),
    "certdesk.deaf": _same(Phrase("what happens in Slack does not reach certdesk")),
    "certdesk.clock": _same(Phrase("the clock of certdesk's machine is wrong")),
}
"""A test holds it complete for `CODES`."""

_WIDE: Mapping[str, Clause] = {
    # the platform's own name, which aliases lead to
    "dns.wrong_address": _same(Phrase("{thing} points elsewhere")),
    "dns.wrong_ipv6": _same(Phrase("the IPv6 address of {thing} leads elsewhere")),
    "dns.private_address": _same(Phrase("{thing} has an address that is not public")),
}
"""Codes that say something else where the thing is the platform's, and many share it."""

_GATHERED: Mapping[str, Clause] = {
    "store.inactive": Clause(Phrase("its store is inactive"), Phrase("their stores are inactive")),
    "store.deleted": Clause(Phrase("its store is deleted"), Phrase("their stores are deleted")),
    "dns.lame": Clause(
        Phrase("its name servers do not serve its zone"),
        Phrase("their name servers do not serve their zones"),
    ),
    "dns.servfail": Clause(
        Phrase("its name servers answer with errors"), Phrase("their name servers answer with errors")
    ),
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
_NAMED: Mapping[str, Phrase] = {
    "store": Phrase("the store {thing}"),
    "ca": Phrase("the CA {thing}"),
    "certdesk": Phrase("certdesk"),
}


_THINGS: Mapping[str, Text] = {
    # what `services.alerting.causes` calls a thing of which it knows no name
    "primary name server": say("the primary name server"),
    "deploy targets": say("the deploy targets"),
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
    if thing in _THINGS:
        return _THINGS[thing]
    if family not in _NAMED or (family == "ca" and not wide):
        return say("{thing}", thing=views.shown(thing))
    return _NAMED[family].said(thing=views.shown(thing))


def clause(code: str, thing: str = ALL, *, many: bool = True, wide: bool = False) -> Text:
    """Return why certificates with this cause cannot renew, to be said after a colon or after "because".

    ``wide`` as in `noun`; it changes nothing where no thing is named.
    """
    found = CLAUSES.get(code)
    if found is None:  # a code of a newer certdesk stands for itself
        return say("{code}", code=code)
    if wide and thing != ALL:
        found = _WIDE.get(code, found)
    if thing == ALL:
        found = _GATHERED.get(code, found)
    return (found.many if many else found.one).said(thing=noun(code, thing, wide=wide))
