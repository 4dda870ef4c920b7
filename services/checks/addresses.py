"""Check: the name has addresses, all of them the platform's, and all reachable from the Internet."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from services.checks import strangers
from services.checks.case import Case
from services.checks.lookup import Outcome
from services.checks.reach import may_be_used
from services.checks.rules import Report, canonical, host_name, listed, parsed, path
from services.checks.views import Facts, Family, gather, v4, v6
from services.checks.zones import within
from services.model.findings import Finding, Owner, Verdict
from services.model.settings import Platform, Probing
from services.model.text import Phrase, Text, Value, say


def check(case: Case) -> tuple[Finding, ...]:
    """Return what is wrong with the name's addresses."""
    return decide(
        gather(case), case.world.platform, case.world.probing, case.now, answers=strangers.gather(case)
    )


def decide(
    facts: Facts,
    platform: Platform,
    probing: Probing,
    now: datetime,
    *,
    answers: Mapping[str, Any] = MappingProxyType({}),
) -> tuple[Finding, ...]:
    """Return what is wrong, over all views: the CA may ask any of the servers.

    ``answers`` is what answers at strange addresses, for the evidence alone.
    """
    report = Report(facts.name, now)
    return (
        *_missing(report, facts, platform),
        *_wrong(report, facts, platform, answers),
        *_private(report, facts, platform, probing),
    )


def _missing(report: Report, facts: Facts, platform: Platform) -> tuple[Finding, ...]:
    """Judge a name without any address: only if both families are known to be empty wherever they were answered."""
    outcomes = {lookup.outcome for lookup in facts.lookups()}
    answered = all(any(family(view).answered for view in facts.views) for family in (v4, v6))
    if not facts.views or Outcome.FOUND in outcomes or not (answered or outcomes & _ENDS):
        return ()
    longest = max((lookup.chain for lookup in facts.lookups() if lookup.answered), key=len)
    if outcomes <= {Outcome.NXDOMAIN, Outcome.FAILED, Outcome.SILENT}:
        return (_nxdomain(report, facts, platform),)
    kind = next((kind for kind in (Outcome.LOOP, Outcome.DANGLING) if kind in outcomes), Outcome.NONE)
    template = _NO_ALIAS if kind is Outcome.NONE and len(longest) == 1 else _NO_ADDRESS[kind]
    summary = template.said(name=facts.shown, chain=path(longest), last=longest[-1])
    return (
        report.finding(
            "dns.no_address",
            Verdict.BLOCK,
            summary,
            _point(facts, platform),
            found=[],
            chain=longest,
            required=_required(platform),
            zone=facts.zone,
        ),
    )


_ENDS = {Outcome.LOOP, Outcome.DANGLING, Outcome.NXDOMAIN}
"""Ends that hold for every type of record."""

_NO_ADDRESS = {
    Outcome.LOOP: Phrase("The CNAME records of {name} lead in a circle or on without end ({chain})."),
    Outcome.DANGLING: Phrase("{name} is an alias that leads to {last}, which does not exist ({chain})."),
    Outcome.NONE: Phrase(
        "{name} is an alias that leads to {last}, which has no address: it has neither A nor AAAA records ({chain})."
    ),
}
_NO_ALIAS = Phrase("{name} exists in DNS but has no address: neither A nor AAAA records were found.")


def _nxdomain(report: Report, facts: Facts, platform: Platform) -> Finding:
    return report.finding(
        "dns.nxdomain",
        Verdict.BLOCK,
        say("{name} does not exist in the DNS zone {zone}.", name=facts.shown, zone=facts.zone),
        _point(facts, platform),
        zone=facts.zone,
        servers=[view.server for view in facts.views],
        required=_required(platform),
    )


def _required(platform: Platform) -> tuple[str, ...]:
    return tuple(str(address) for address in platform.addresses)


def _edge(addresses: Sequence[str]) -> Value:
    """Return where a name should lead, for a sentence: the edge's addresses, if they are configured."""
    return tuple(addresses) or say("the platform's edge")


def _point(facts: Facts, platform: Platform) -> Text:
    """Return the exact records to set; an alias only where the zone's own apex is not meant (RFC 1034 §3.6.2)."""
    if platform.cname_target and facts.name != facts.zone:
        return say(
            "In the DNS zone {zone} point {name} to {target} by a CNAME, or to {addresses} by A and AAAA records.",
            zone=facts.zone,
            name=facts.name,
            target=host_name(platform.cname_target),
            addresses=_edge(_required(platform)),
        )
    return say(
        "In the DNS zone {zone} point {name} to {addresses} by A and AAAA records.",
        zone=facts.zone,
        name=facts.name,
        addresses=_edge(_required(platform)),
    )


def _wrong(
    report: Report, facts: Facts, platform: Platform, answers: Mapping[str, Any]
) -> tuple[Finding, ...]:
    """Judge addresses that are not the edge's; nothing if the edge's are not configured."""
    if not platform.addresses:
        return ()
    ours = {canonical(str(address)) for address in platform.addresses}
    judged = (("dns.wrong_address", "A", v4), ("dns.wrong_ipv6", "AAAA", v6))
    findings = tuple(
        _wrong_one(report, facts, platform, code, rtype, family, wrong)
        for code, rtype, family in judged
        if (wrong := tuple(address for address in facts.found(family) if address not in ours))
    )
    return tuple(_with_answers(finding, answers) for finding in findings)


def _with_answers(finding: Finding, answers: Mapping[str, Any]) -> Finding:
    """Return the finding with what answers at its wrong addresses, as far as that is known."""
    known = {address: answers[address] for address in finding.evidence["wrong"] if address in answers}
    return replace(finding, evidence={**finding.evidence, "answers": known}) if known else finding


def _wrong_one(
    report: Report,
    facts: Facts,
    platform: Platform,
    code: str,
    rtype: str,
    family: Family,
    wrong: tuple[str, ...],
) -> Finding:
    version = 4 if rtype == "A" else 6
    required = tuple(str(address) for address in platform.addresses if address.version == version)
    chains = [family(view).chain for view in facts.views if family(view).addresses & {*wrong}]
    through_us = bool(platform.cname_target) and all(host_name(platform.cname_target) in c for c in chains)
    template = (
        "In the DNS zone {zone} replace the {type} records {wrong} of {last} by {required}."
        if required
        else "In the DNS zone {zone} remove the {type} records {wrong} of {last}."
    )
    if through_us:
        template = "The platform's engineers correct the addresses of {last}; the merchant has nothing to do."
    elif not within(chains[0][-1], facts.zone):
        template = "In the DNS zone {zone} point {name} to {edge} instead of to {alias}."
    gaps: dict[str, Value] = {
        "zone": facts.zone,
        "type": rtype,
        "name": facts.name,
        "last": chains[0][-1],
        "alias": chains[0][1] if len(chains[0]) > 1 else "",
        "edge": host_name(platform.cname_target) or _required(platform),
        "wrong": listed(wrong),
        "required": required or _required(platform),
    }
    return report.finding(
        code,
        Verdict.BLOCK,
        say(
            "{name} points to {wrong}, which is not the platform ({type} records, as answered by {servers}).",
            name=facts.shown,
            wrong=listed(wrong),
            type=rtype,
            servers=listed([v.server for v in facts.views if {*family(v).addresses} & {*wrong}]),
        ),
        say(template, **{gap: value for gap, value in gaps.items() if f"{{{gap}}}" in template}),
        owner=Owner.PLATFORM if through_us else Owner.MERCHANT,
        found=facts.found(family),
        wrong=wrong,
        required=required,
        chain=chains[0],
        zone=facts.zone,
        servers={view.server: family(view).addresses for view in facts.views},
    )


def _private(report: Report, facts: Facts, platform: Platform, probing: Probing) -> tuple[Finding, ...]:
    """Judge reach; of addresses that are told as wrong already, only what that adds."""
    found = (*facts.found(v4), *facts.found(v6))
    private = tuple(a for a in found if not may_be_used(parsed(a), probing.allow_networks))
    if not private:
        return ()
    wrong = platform.addresses and not {*private} & {canonical(str(a)) for a in platform.addresses}
    summary = (
        say(
            "Nobody on the Internet can reach {name} at {private}.", name=facts.shown, private=listed(private)
        )
        if wrong
        else say(
            "{name} has addresses that cannot be reached from the Internet: {private}.",
            name=facts.shown,
            private=listed(private),
        )
    )
    remedy = (
        say("When the addresses that are not the platform's are gone, this is mended too.")
        if wrong
        else say(
            "In the DNS zone {zone} replace {private} by public addresses, or remove these records.",
            zone=facts.zone,
            private=listed(private),
        )
    )
    return (
        report.finding("dns.private_address", Verdict.BLOCK, summary, remedy, found=private, zone=facts.zone),
    )
