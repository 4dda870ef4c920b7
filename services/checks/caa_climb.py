"""The climb of RFC 8659 §3: CAA at a name and at each of its parents, aliases followed, as each server gives it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services import naming
from services.checks.caa_records import Applicant, Property, parse_record
from services.checks.case import Case
from services.checks.delegation import gather as gather_delegation
from services.checks.lookup import Outcome, follow
from services.checks.resolution import Facts as Resolution
from services.checks.resolution import hosted, look
from services.checks.rules import host_name, unregistered
from services.checks.views import gather as gather_views
from services.checks.words import dns_words
from services.checks.world import RESOLVER, Answer, Server, World
from services.checks.zones import TRIES, within, zone_name
from services.model import names
from services.model.findings import Owner
from services.model.settings import CaSettings
from services.model.text import NOTHING, Text, say


@dataclass(frozen=True, slots=True)
class Level:
    """One name of the climb, and what is known of CAA there; aliases are followed (RFC 8659 §3)."""

    name: str
    records: tuple[Property, ...] = ()
    said: Text = NOTHING
    """Why there is no answer, in words."""
    silent: bool = False
    """Whether nobody answered, or only somebody who need not know."""
    at: str = ""
    """Where the records stand, if an alias leads there."""


@dataclass(frozen=True, slots=True)
class View:
    """The climb as one server of the zone sees it, nearest name first."""

    server: str
    levels: tuple[Level, ...]

    @property
    def relevant(self) -> Level | None:
        """The level that counts: the first with records (RFC 8659 §3), or without an answer; None if there is none."""
        return next((level for level in self.levels if level.records or level.said), None)


@dataclass(frozen=True, slots=True)
class Facts:
    """What was gathered about the CAA records for one name."""

    name: str
    zone: str
    views: tuple[View, ...] = ()
    applicants: tuple[Applicant, ...] = ()
    resolution: Resolution | None = None
    """What the resolver says of CAA at the name, if it fails for CAA and not for addresses."""
    server_owner: Owner = Owner.PLATFORM
    hosts: Mapping[str, str] = field(default_factory=dict)
    """The name server of each address that was asked, as far as it is known."""
    failing: frozenset[str] = frozenset()
    """Servers whose errors for addresses are told already."""
    explained: bool = False
    """Whether addresses cannot be had either, so that another check reports why nothing is answered."""


def gather(case: Case) -> Facts:
    """Ask for CAA at the name and at each of its parents, of each server of its zone."""
    known = gather_delegation(case)
    zone = known.delegation.closest
    in_zone = zone_name(case)
    if (
        not case.world.cas
        or unregistered(known.delegation, known.registrable)
        or (zone and zone.probes and not zone.serving)
    ):
        return Facts(case.subject.name, in_zone)
    return Facts(
        case.subject.name,
        in_zone,
        _views(case),
        tuple(applicant(case.world, ca, case.subject.name) for ca in case.world.cas),
        _resolution(case, in_zone),
        known.owner(zone.hosts, case.world.platform) if zone else Owner.PLATFORM,
        {probe.address: probe.host for probe in zone.probes} if zone else {},
        _failing(case),
        _explained(case),
    )


def _failing(case: Case) -> frozenset[str]:
    views = gather_views(case).views
    return frozenset(v.server for v in views if Outcome.FAILED in (v.v4.outcome, v.v6.outcome))


def _explained(case: Case) -> bool:
    lookups = gather_views(case).lookups()
    looping = any(lookup.outcome is Outcome.LOOP for lookup in lookups)
    return looping or (bool(lookups) and not any(lookup.answered for lookup in lookups))


def applicant(world: World, ca: CaSettings, name: str) -> Applicant:
    """Return what CAA records are held against when ``ca`` is asked for ``name``."""
    usable = {method for method in world.issuing.challenges if method != "dns-01" or world.wildcards}
    wildcard = names.is_wildcard(name)
    return Applicant(
        ca.name,
        frozenset(host_name(domain) for domain in ca.caa_domains),
        world.accounts(ca),
        frozenset(usable & {"dns-01"} if wildcard else usable),
        wildcard,
    )


def _views(case: Case) -> tuple[View, ...]:
    """Ask side by side; names above the zone are the same for all of the zone's servers."""
    found = gather_delegation(case).delegation
    zone, labels = found.closest, tuple(names.climb(case.base))
    servers: tuple[Server, ...] = zone.serving if zone and zone.probes else (None,)
    inside = [label for label in labels if zone is None or within(label, zone.name)]
    above = [label for label in labels if label not in inside]
    todo = [(label, (server,)) for server in servers for label in inside]
    higher = [(label, _above(case, label)) for label in above]
    levels = case.each(lambda pair: _level(case, pair[0], pair[1]), [*todo, *higher])
    shared = levels[len(todo) :]
    size = len(inside)
    return tuple(
        View(str(server or RESOLVER), (*levels[place * size : (place + 1) * size], *shared))
        for place, server in enumerate(servers)
    )


def _above(case: Case, label: str) -> tuple[Server, ...]:
    """Return whom to ask above the name's zone: who was met on the way down, and failing that the resolver."""
    zone = gather_delegation(case).delegation.zone_of(label)
    return (*(zone.serving[:TRIES] if zone else ()), None)


def _level(case: Case, label: str, servers: Sequence[Server]) -> Level:
    """Ask the servers one after the other until one answers."""
    level = Level(label)
    for server in servers:
        answer = case.resolve(label, "CAA") if server is None else case.ask(label, "CAA", server)
        level = _read(case, label, answer, _zone_name(case, label) if server else None)
        if not level.said:
            break
    return level


def _zone_name(case: Case, label: str) -> str:
    zone = gather_delegation(case).delegation.zone_of(label)
    return zone.name if zone else ""


def _read(case: Case, label: str, answer: Answer, zone: str | None) -> Level:
    """Return what the answer of a server of ``zone`` (None: of the resolver) says; see `lookup.look_up` for aliases."""
    by_resolver = zone is None
    chain, looping = follow(answer, (label,), zone or "") if answer.good else ((label,), False)
    if looping:
        return Level(label)  # reported as an address that is missing
    end = chain
    records = answer.of(chain[-1], "CAA") if within(chain[-1], zone or "") else ()
    if answer.good and not records and len(chain) > 1 and not (by_resolver and answer.recursion_available):
        answer, by_resolver = case.resolve(chain[-1], "CAA"), True
        end, _ = follow(answer, (chain[-1],))
        records = answer.of(end[-1], "CAA")
    if not answer.good:
        return _unanswered(case, label, answer, by_resolver=by_resolver)
    at = end[-1] if end[-1] != label else ""
    return Level(label, tuple(parse_record(record.wire) for record in records), at=at)


def _unanswered(case: Case, label: str, answer: Answer, *, by_resolver: bool) -> Level:
    """Return what an error means.

    What the resolver cannot resolve for addresses either is reported by another check. Above the zone, a resolver of
    few zones refuses what it does not know. Above the registered domain, an error that only a resolver reports is no
    statement about the merchant's domain.
    """
    if by_resolver and answer.failed and case.resolve(case.base, "A").failed:
        return Level(label)
    zone = gather_delegation(case).delegation.closest
    if by_resolver and zone is not None and not within(label, zone.name) and answer.rcode == "REFUSED":
        return Level(label)
    foreign = by_resolver and not within(label, naming.registrable(case.base) or "")
    trouble = dns_words(answer.trouble)
    said = trouble if answer.name == label else say("{trouble} for {name}", trouble=trouble, name=answer.name)
    return Level(label, said=said, silent=answer.silent or foreign)


def _resolution(case: Case, zone: str) -> Resolution | None:
    """Look for errors that only validating resolvers see, and only with CAA."""
    if not case.resolve(case.base, "A").good:
        return None
    seen = look(case, case.base, "CAA")
    return Resolution(case.subject.name, zone, hosted(case), (seen,)) if seen.answer.failed else None
