"""Check: every server that the zone is delegated to serves it, and its own list of servers is the parent's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.checks.case import Case
from services.checks.delegation import Facts, gather
from services.checks.nameservers import Probe, Service, Zone
from services.checks.rules import Report, canonical, listed, our_hosts
from services.checks.words import dns_words
from services.model.findings import Finding, Owner, Verdict
from services.model.settings import Platform
from services.model.text import Forms, Phrase, Text, say


def check(case: Case) -> tuple[Finding, ...]:
    """Return what is wrong with the servers of the name's zone."""
    return decide(gather(case), case.world.platform, case.now)


def decide(facts: Facts, platform: Platform, now: datetime) -> tuple[Finding, ...]:
    """Return what is wrong: one server of several is a warning, all of them a block, silence is unknown.

    Nothing without configured name servers, and nothing where only the resolver was asked.
    """
    zone = facts.delegation.closest
    if zone is None or not platform.name_servers:
        return ()
    report = Report(facts.name, now)
    return (
        *_behaviour(report, facts, zone, platform),
        *_inconsistent(report, facts, zone, platform),
        *_stale_glue(report, facts, zone, platform),
    )


def _behaviour(report: Report, facts: Facts, zone: Zone, platform: Platform) -> tuple[Finding, ...]:
    """Sort the probes: REFUSED from every server is both, no service for the zone and an error in so many words.

    Where the errors are all told as missing service, their own sentence says only what follows from that.
    """
    bad = tuple(probe for probe in zone.probes if probe.service in (Service.LAME, Service.FAILING))
    verdict = Verdict.BLOCK if bad and len(bad) == len(zone.probes) else Verdict.WARN
    lame = tuple(probe for probe in bad if probe.service is Service.LAME)
    errors = tuple(
        probe
        for probe in bad
        if probe.service is Service.FAILING or (verdict is Verdict.BLOCK and probe.said == "REFUSED")
    )
    silent = tuple(probe for probe in zone.probes if probe.service is Service.SILENT)
    judged = (
        ("dns.lame", verdict, lame, LAME),
        ("dns.servfail", verdict, errors, REFUSING if {*errors} <= {*lame} else FAILING),
        ("dns.lame", Verdict.UNKNOWN, silent, SILENT),
    )
    return tuple(
        _finding(report, facts, platform, code, meaning, probes, wording)
        for code, meaning, probes, wording in judged
        if probes
    )


@dataclass(frozen=True, slots=True)
class Wording:
    """One sentence in each number."""

    only: Phrase | Forms
    every: Phrase | Forms
    some: Forms
    addresses: Phrase | Forms
    """Some addresses of every server, so that no server can be named as good or bad."""

    def of(self, probes: tuple[Probe, ...], asked: tuple[Probe, ...]) -> tuple[Phrase | Forms, int, int]:
        """Return the template for these of all ``asked`` probes, and how many servers of how many they are."""
        count, total = (len({probe.host for probe in group}) for group in (probes, asked))
        if len(probes) == len(asked):
            return (self.only if total == 1 else self.every), count, total
        if count == total:
            return self.addresses, count, total
        return self.some, count, total


LAME = Wording(
    only=Phrase("The only name server of {zone} does not serve it ({said})."),
    every=Phrase("None of the {total} name servers of {zone} serves it ({said})."),
    some=Forms(
        "{count} of the {total} name servers of {zone} does not serve it ({said}).",
        "{count} of the {total} name servers of {zone} do not serve it ({said}).",
    ),
    addresses=Phrase("Some addresses of the name servers of {zone} do not serve it ({said})."),
)
FAILING = Wording(
    only=Phrase("The only name server of {zone} answers with an error ({said})."),
    every=Phrase("Every one of the {total} name servers of {zone} answers with an error ({said})."),
    some=Forms(
        "{count} of the {total} name servers of {zone} answers with an error ({said}).",
        "{count} of the {total} name servers of {zone} answer with an error ({said}).",
    ),
    addresses=Phrase("Some addresses of the name servers of {zone} answer with an error ({said})."),
)
SILENT = Wording(
    only=Phrase("The only name server of {zone} gave no answer at all ({said})."),
    every=Phrase("None of the {total} name servers of {zone} gave any answer ({said})."),
    some=Forms(
        "{count} of the {total} name servers of {zone} gave no answer at all ({said}).",
        "{count} of the {total} name servers of {zone} gave no answer at all ({said}).",
    ),
    addresses=Phrase("Some addresses of the name servers of {zone} gave no answer at all ({said})."),
)
_NOBODY = "No question about {zone} is answered: whoever asks, the CA included, gets an error."
_FOLLOWS = Forms(_NOBODY, _NOBODY)
REFUSING = Wording(_FOLLOWS, _FOLLOWS, _FOLLOWS, _FOLLOWS)


def _finding(
    report: Report,
    facts: Facts,
    platform: Platform,
    code: str,
    verdict: Verdict,
    probes: tuple[Probe, ...],
    wording: Wording,
) -> Finding:
    zone = facts.delegation.zones[-1]
    said = tuple(say("{server}: {said}", server=str(probe), said=dns_words(probe.said)) for probe in probes)
    owner = facts.owner({probe.host for probe in probes}, platform)
    template, count, total = wording.of(probes, zone.probes)
    summary = template.said(zone=zone.name, said=listed(said), count=count, total=total)
    servers = [str(probe) for probe in zone.probes]
    remedy = (
        say("As soon as the name servers of {zone} serve it, this ends by itself.", zone=zone.name)
        if wording is REFUSING
        else _mend(owner, verdict, zone, facts.registrable, our_hosts(platform))
    )
    return report.finding(
        code,
        verdict,
        summary,
        remedy,
        owner=owner,
        zone=zone.name,
        found=said,
        servers=servers,
        hosts={probe.host for probe in probes},
    )


def _mend(
    owner: Owner, verdict: Verdict, zone: Zone, registrable: str | None, required: tuple[str, ...]
) -> Text:
    if verdict is Verdict.UNKNOWN:
        return say(
            "If this lasts, see that these servers run and can be reached; certdesk asks again by itself."
        )
    if owner is Owner.PLATFORM:
        return say(
            "The platform's engineers make {zone} answer on each of its name servers; the merchant has nothing to do.",
            zone=zone.name,
        )
    template = (
        "At the registrar of {zone} remove the name servers that do not serve it; the platform's are {required}."
        if zone.name == registrable
        else "In the DNS zone above {zone} remove the NS records of servers that do not serve it; the platform's are {required}."
    )
    return say(template, zone=zone.name, required=required)


def _inconsistent(report: Report, facts: Facts, zone: Zone, platform: Platform) -> tuple[Finding, ...]:
    """Compare the parent's list of servers with the zone's own, by name and, where names differ, by address."""
    told = {str(p): p.hosts for p in zone.probes if p.service is Service.SERVES and p.hosts}
    parents = frozenset(zone.hosts)
    differing = {server: hosts for server, hosts in told.items() if not _same(facts, hosts, parents)}
    if not differing:
        return ()
    inside = sorted(set().union(*differing.values()))
    owner = facts.owner(zone.hosts, platform)
    found = report.finding(
        "dns.inconsistent",
        Verdict.WARN,
        say(
            "{zone} is delegated to {parents}, but the zone itself names {inside}.",
            zone=zone.name,
            parents=listed(zone.hosts),
            inside=listed(inside),
        ),
        say("Make the NS records inside {zone} and those of its delegation the same.", zone=zone.name),
        owner=owner,
        zone=zone.name,
        found=inside,
        required=zone.hosts,
        servers=differing,
    )
    return (found,)


def _stale_glue(report: Report, facts: Facts, zone: Zone, platform: Platform) -> tuple[Finding, ...]:
    """Compare the parent's glue with the zone's own addresses: resolvers follow the one or the other (RFC 2181 §5.4.1).

    Glue may be less than the zone has, never something else.
    """
    differing = {
        host: inside
        for host, inside in facts.inside.items()
        if not {*map(canonical, zone.addresses.get(host, ()))} <= {*map(canonical, inside)}
    }
    if not differing:
        return ()
    host, inside = next(iter(differing.items()))
    glue = zone.addresses[host]
    found = report.finding(
        "dns.inconsistent",
        Verdict.WARN,
        say(
            "The zone above {zone} gives the name server {host} the addresses {glue}, {zone} itself gives it {inside}.",
            zone=zone.name,
            host=host,
            glue=listed(glue),
            inside=listed(inside) if inside else say("none"),
        ),
        say(
            "Make the addresses of {hosts} inside {zone} and those registered above it (glue) the same.",
            zone=zone.name,
            hosts=listed(sorted(differing)),
        ),
        owner=facts.owner(zone.hosts, platform),
        zone=zone.name,
        found=[f"{one}: {', '.join(addresses) or 'none'}" for one, addresses in differing.items()],
        required=[f"{one}: {', '.join(zone.addresses[one])}" for one in differing],
    )
    return (found,)


def _same(facts: Facts, one: frozenset[str], other: frozenset[str]) -> bool:
    """Tell whether two lists name the same servers: by name, or by other names with the same addresses."""
    if one == other:
        return True
    if not all(facts.addresses_of(host) for host in one | other):
        return False
    return _all_addresses(facts, one) == _all_addresses(facts, other)


def _all_addresses(facts: Facts, hosts: Iterable[str]) -> set[str]:
    return {canonical(address) for host in hosts for address in facts.addresses_of(host)}
