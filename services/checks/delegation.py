"""Check: the name's zone exists and is delegated to the platform's name servers, and caches know it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services import naming
from services.checks.case import Case
from services.checks.nameservers import Zone, find_host
from services.checks.rules import Report, canonical, is_ours, lasting, listed, our_hosts, unregistered
from services.checks.words import dns_words
from services.checks.world import Server
from services.checks.zones import Delegation, delegation
from services.model import names
from services.model.findings import Finding, Owner, Verdict
from services.model.settings import Platform
from services.model.text import Text, Value, say, say_n


@dataclass(frozen=True, slots=True)
class Cached:
    """What one resolver holds of a zone's name servers."""

    hosts: frozenset[str]
    seconds: int
    """Until it asks again."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was gathered about the delegation of one name."""

    name: str
    registrable: str | None
    delegation: Delegation
    ours: frozenset[str] = frozenset()
    """Addresses of the platform's name servers; looked up only if a listed host is not one by name."""
    cached: tuple[Cached, ...] = ()
    """The zone's name servers as each resolver has them, which may be older than the parent's."""
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Addresses of hosts that the zone itself or the resolver names and the parent does not."""
    inside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Addresses that the zone itself gives its name servers of its own; the parent's glue may differ from them."""

    def addresses_of(self, host: str) -> tuple[str, ...]:
        """Return the addresses of a name server, by the parent's glue or as they were looked up."""
        zone = self.delegation.closest
        return (zone.addresses.get(host) if zone else None) or self.addresses.get(host, ())

    def is_ours(self, host: str, platform: Platform) -> bool:
        """Tell whether a name server is the platform's."""
        return is_ours(host, self.addresses_of(host), platform, self.ours)

    def owner(self, hosts: Iterable[str], platform: Platform) -> Owner:
        """Return whose move it is when these servers misbehave: the platform's if all are its own, else the merchant's.

        Without configured name servers nobody can tell; then it is the platform's.
        """
        if not platform.name_servers:
            return Owner.PLATFORM
        return Owner.PLATFORM if all(self.is_ours(host, platform) for host in hosts) else Owner.MERCHANT


def check(case: Case) -> tuple[Finding, ...]:
    """Return what is wrong with the delegation."""
    return decide(gather(case), case.world.platform, case.now)


def gather(case: Case) -> Facts:
    """Return the facts of the case's delegation, gathered once."""
    return case.once("delegation facts", _gather)


def _gather(case: Case) -> Facts:
    """Find the closest delegation, probe its servers, and see what the resolver still believes."""
    found = delegation(case)
    zone, registrable = found.closest, naming.registrable(case.base)
    if zone is None or unregistered(found, registrable):
        return Facts(case.subject.name, registrable, found)
    cached = _cached(case, zone) if zone.probes else ()
    held = frozenset[str]().union(*(one.hosts for one in cached))
    named = {*zone.hosts, *held, *(host for probe in zone.probes for host in probe.hosts)}
    by_name = () if zone.probes else our_hosts(case.world.platform)
    strange = named - zone.addresses.keys() - {*by_name}
    return Facts(
        case.subject.name,
        registrable,
        found,
        our_addresses(case, named),
        cached,
        _addresses(case, strange),
        _inside(case, zone),
    )


def _inside(case: Case, zone: Zone) -> dict[str, tuple[str, ...]]:
    """Ask a server of the zone for the addresses of name servers inside it, as resolvers do that prefer its word to glue."""
    ours = our_hosts(case.world.platform)
    hosts = [host for host in zone.hosts if names.is_under(host, zone.name) and host not in ours]
    pairs = [(host, rtype) for host in hosts if zone.serving for rtype in ("A", "AAAA")]
    found = dict(zip(pairs, case.each(lambda pair: case.ask(*pair, zone.serving[0]), pairs), strict=True))
    return {
        host: tuple(record.text for answer in both for record in answer.answer if record.type in _FAMILIES)
        for host in hosts
        if (both := [found[pair] for pair in pairs if pair[0] == host])
        and all(answer.good and answer.authoritative for answer in both)
    }


_FAMILIES = frozenset({"A", "AAAA"})


def _cached(case: Case, zone: Zone) -> tuple[Cached, ...]:
    """Ask every resolver by itself: each has its own cache, and forgets in its own time."""

    def ask(resolver: Server) -> Cached:
        answer = case.world.dns.query(
            zone.name, "NS", resolver, recursion_desired=True, checking_disabled=True
        )
        records = answer.of(zone.name, "NS")
        return Cached(frozenset(r.text for r in records), max((r.ttl for r in records), default=0))

    return tuple(held for held in case.each(ask, case.world.dns.resolvers) if held.hosts)


def our_addresses(case: Case, hosts: Iterable[str]) -> frozenset[str]:
    """Return the addresses of the platform's name servers, unless every one of ``hosts`` is one of them by name."""
    ours = our_hosts(case.world.platform)
    if {*hosts} <= {*ours}:
        return frozenset()
    found = case.once("our addresses", lambda here: _addresses(here, ours))
    return frozenset(canonical(address) for addresses in found.values() for address in addresses)


def _addresses(case: Case, hosts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    wanted = sorted(hosts)
    return {
        host: found.addresses
        for host, found in zip(wanted, case.each(lambda host: find_host(case, host), wanted), strict=True)
    }


# --- judging -----------------------------------------------------------------------------------------------------


def decide(facts: Facts, platform: Platform, now: datetime) -> tuple[Finding, ...]:
    """Return what is wrong. Without configured name servers, only that the domain does not exist."""
    report = Report(facts.name, now)
    if unregistered(facts.delegation, facts.registrable):
        return (_unregistered(report, facts),)
    if not platform.name_servers:
        return ()
    zone = facts.delegation.closest
    if zone is None:
        return _unfound(report, facts)
    hosted = _not_hosted(report, facts, zone, platform)
    return (
        *hosted,
        *(() if hosted else _propagating(report, facts, zone, platform)),
    )


def _unregistered(report: Report, facts: Facts) -> Finding:
    return report.finding(
        "dns.nxdomain",
        Verdict.BLOCK,
        say("The domain {domain} does not exist in DNS.", domain=facts.registrable or facts.name),
        say(
            "Check the spelling; if it is right, register {domain}, or ask its registrar why it is not in DNS.",
            domain=facts.registrable or facts.name,
        ),
        domain=facts.registrable,
    )


def _unfound(report: Report, facts: Facts) -> tuple[Finding, ...]:
    trouble = facts.delegation.trouble
    if trouble is not None and trouble.failed:
        return ()  # an error in so many words is reported by the check of what resolvers see
    asked = trouble.name if trouble else facts.name
    said = dns_words(trouble.error) if trouble else say("no answer")
    summary = say(
        "Nobody answered the question which name servers {asked} has ({said}), so it is not known whether {name} is hosted here.",
        asked=asked,
        said=said,
        name=facts.name,
    )
    remedy = say("Nothing needs to be done yet: certdesk asks again by itself.")
    found = report.finding(
        "dns.not_hosted", Verdict.UNKNOWN, summary, remedy, owner=Owner.PLATFORM, asked=asked, said=said
    )
    return (found,)


def _not_hosted(report: Report, facts: Facts, zone: Zone, platform: Platform) -> tuple[Finding, ...]:
    ours = tuple(host for host in zone.hosts if facts.is_ours(host, platform))
    foreign = tuple(host for host in zone.hosts if host not in ours)
    if not foreign:
        return ()
    required = our_hosts(platform)
    domain = facts.registrable or zone.name
    if names.is_under(zone.name, domain):
        summary = _summary(zone, foreign, ours)
    else:
        summary = _undelegated_summary(zone, domain)
    found = report.finding(
        "dns.not_hosted",
        Verdict.BLOCK,
        summary,
        _move(zone, facts.registrable, foreign, required),
        zone=zone.name if names.is_under(zone.name, domain) else domain,
        found=zone.hosts,
        required=required,
        ours=ours,
        foreign=foreign,
        kept_seconds=zone.ttl,
    )
    return (found,)


def _undelegated_summary(zone: Zone, domain: str) -> Text:
    return say(
        "DNS of {domain} is not hosted on the platform: it has no name servers of its own, what there is of it stands in the zone {zone}.",
        domain=domain,
        zone=zone.name,
    )


def _summary(zone: Zone, foreign: tuple[str, ...], ours: tuple[str, ...]) -> Text:
    if not ours:
        text = "DNS of {zone} is not hosted on the platform: it is delegated to {foreign}."
        return say(text, zone=zone.name, foreign=listed(foreign))
    text = "DNS of {zone} is only partly hosted on the platform: it is delegated to {ours}, but also to {foreign}."
    return say(text, zone=zone.name, ours=listed(ours), foreign=listed(foreign))


def _move(zone: Zone, registrable: str | None, foreign: tuple[str, ...], required: tuple[str, ...]) -> Text:
    """Return the exact change, at the registrar for a registered domain, else where the zone above is kept.

    With it how long that takes: 48 hours at the most, of which caches keep what is there now for as long as it says.
    """
    if zone.name == registrable:
        template = "At the registrar of {zone} replace {foreign} by {required}; {wait}"
    elif registrable and names.is_under(zone.name, registrable):
        template = (
            "In the DNS zone above {zone} replace the NS records {foreign} of {zone} by {required}, or remove the"
            " NS records of {zone} if the zone above is hosted on the platform; {wait}"
        )
    else:
        template = "At the registrar of {domain} set the name servers {required}; {wait}"
    gaps: dict[str, Value] = {
        "zone": zone.name,
        "domain": registrable or zone.name,
        "foreign": listed(foreign),
        "required": required,
        "wait": _wait(zone, registrable),
    }
    return say(template, **{gap: value for gap, value in gaps.items() if f"{{{gap}}}" in template})


def _wait(zone: Zone, registrable: str | None) -> Text:
    if not zone.ttl or not names.is_under(zone.name, registrable or zone.name):
        return say("changes can take up to 48 hours.")
    return say(
        "changes can take up to 48 hours: until the zone above has them, and then up to {time} more until resolvers have"
        " forgotten the present name servers of {zone}.",
        time=lasting(zone.ttl),
        zone=zone.name,
    )


def _propagating(report: Report, facts: Facts, zone: Zone, platform: Platform) -> tuple[Finding, ...]:
    """Judge what resolvers hold: a server that neither the parent nor the zone itself names is an old one."""
    present = {*zone.hosts, *(host for probe in zone.probes for host in probe.hosts)}
    stale = {
        one: olds
        for one in facts.cached
        if (olds := {host for host in one.hosts - present if not facts.is_ours(host, platform)})
    }
    if not stale:
        return ()
    old, seconds = tuple(sorted(set().union(*stale.values()))), max(one.seconds for one in stale)
    found = report.finding(
        "dns.propagating",
        Verdict.WARN,
        say_n(
            "{zone} is delegated to the platform, but resolvers may hold its old name servers {old} for another {count} second.",
            "{zone} is delegated to the platform, but resolvers may hold its old name servers {old} for another {count} seconds.",
            zone=zone.name,
            old=listed(old),
            count=seconds,
        ),
        say(
            "Nothing needs to be done: the change is spreading, and certdesk goes on by itself. Keep the old servers running until then."
        ),
        zone=zone.name,
        found=old,
        required=zone.hosts,
        seconds_left=seconds,
    )
    return (found,)
