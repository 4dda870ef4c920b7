"""The servers of a zone: their addresses, and whether each of them serves it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address

from services.checks import words
from services.checks.case import Case
from services.checks.reach import may_be_used
from services.checks.world import Answer
from services.model import names

NOT_SERVED = frozenset({"REFUSED", "NOTAUTH", "NXDOMAIN"})
"""What a server says that does not have the zone it was asked for (RFC 1912 §2.8, lame delegation)."""


class Service(StrEnum):
    """How one server of a zone behaves when it is asked for the zone's own NS records, and failing that for its SOA."""

    SERVES = "serves"
    LAME = "lame"  # it says that it is not the zone's, or its host has no address
    FAILING = "failing"  # SERVFAIL and the like
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Probe:
    """One address of one listed name server, and what it said."""

    host: str
    address: str
    """Empty if the host has no address."""
    service: Service
    said: str = ""
    """What it said instead of serving, such as REFUSED or timeout."""
    hosts: frozenset[str] = frozenset()
    """The zone's NS records as this server has them; empty if it gave none."""
    ttl: int = 0
    """Seconds that caches keep these."""

    def __str__(self) -> str:
        return f"{self.host} ({self.address})" if self.address else self.host


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone on the way to the name: the delegation as its parent gives it, and what its servers do."""

    name: str
    hosts: tuple[str, ...]
    """Name servers, sorted."""
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Addresses of those hosts that were looked up."""
    probes: tuple[Probe, ...] = ()
    """Empty for the zone where the walk began, and where only the resolver is asked."""
    serving: tuple[str, ...] = ()
    """Addresses that answer for the zone, and may be asked for what is in it."""
    parent: str = ""
    ttl: int = 0
    """Seconds for which a cache may keep this delegation: as the parent gives it or the zone itself, whichever is longer.

    0 where only the resolver is asked, which tells what is left of them.
    """


@dataclass(frozen=True, slots=True)
class Host:
    """What the resolver knows of a name server's addresses."""

    addresses: tuple[str, ...] = ()
    """IPv4 first."""
    trouble: str = words.NO_ADDRESS
    """Why there are none."""
    silent: bool = False
    """Whether there are none because nobody answered."""


AN_ALIAS = Host(trouble=words.AN_ALIAS)
"""Resolvers do not follow it (RFC 2181 §10.3), so it has no address for them."""
NOT_ASKED = Host(trouble=words.TOO_MANY, silent=True)
MOST_SERVERS = 16
"""Name servers, and addresses of them, that are asked for one zone; real zones have fewer."""
MOST_ADDRESSES = 4
"""Addresses of one name server that are asked."""


def find_host(case: Case, host: str) -> Host:
    """Return a host's addresses, looked up once and without validation."""
    return case.once(f"host {host}", lambda here: _look_up_host(here, host))


def _look_up_host(case: Case, host: str) -> Host:
    answers = [case.world.dns.query(host, rtype, checking_disabled=True) for rtype in ("A", "AAAA")]
    if any(answer.alias(host) for answer in answers):
        return AN_ALIAS
    addresses = tuple(r.text for answer in answers for r in answer.answer if r.type in ("A", "AAAA"))
    silent = any(answer.silent for answer in answers)
    trouble = next((answer.trouble for answer in answers if answer.trouble), words.NO_ADDRESS)
    return Host(addresses, "" if addresses else trouble, silent and not addresses)


def enter(case: Case, zone: str, hosts: tuple[str, ...], parent: str, referral: Answer | None = None) -> Zone:
    """Look up and probe every server of a delegation that ``parent`` gave in ``referral``, with glue or without."""
    glue = _glue(referral, parent) if referral else {}
    unknown = [host for host in hosts if host not in glue]
    looked_up = unknown[:MOST_SERVERS]
    found = dict(zip(looked_up, case.each(lambda host: find_host(case, host), looked_up), strict=True))
    servers = {host: Host(glue[host], "") if host in glue else found.get(host, NOT_ASKED) for host in hosts}
    probes = case.each(lambda pair: _probe(case, zone, servers, *pair), _chosen(servers))
    return Zone(
        zone,
        hosts,
        {host: servers[host].addresses for host in hosts},
        _without_our_own_gaps(probes),
        tuple(dict.fromkeys(p.address for p in probes if p.service is Service.SERVES)),
        parent,
        max((*_ttls(referral, zone), *(probe.ttl for probe in probes)), default=0),
    )


def _ttls(referral: Answer | None, zone: str) -> tuple[int, ...]:
    records = (*referral.answer, *referral.authority) if referral else ()
    return tuple(record.ttl for record in records if record.type == "NS" and record.name == zone)


def _chosen(servers: Mapping[str, Host]) -> tuple[tuple[str, str], ...]:
    """Return the (host, address) pairs to be asked, host by host; of many, the first addresses of every host.

    Whoever runs a delegation decides how many addresses there are: they must not keep the questions of others waiting.
    """
    ranked = [
        (rank, place, host, address)
        for place, (host, known) in enumerate(servers.items())
        for rank, address in enumerate((known.addresses or ("",))[:MOST_ADDRESSES])
    ]
    kept = sorted(sorted(ranked)[:MOST_SERVERS], key=lambda pair: (pair[1], pair[0]))
    return tuple((host, address) for _, _, host, address in kept)


def may_be_asked(case: Case, host: str, address: str) -> bool:
    """Tell whether a question may go to an address that DNS gave for a name server.

    A stranger's delegation must not make certdesk knock at inside doors: only globally reachable addresses, those in
    probe.allow_networks (with a loopback network there, any of loopback), and the platform's own name servers.
    """
    networks = case.world.probing.allow_networks
    found = ip_address(address)
    ours = {name.lower().removesuffix(".") for name in case.world.platform.name_servers}  # RFC 4343
    inside = found.is_loopback and any(network.is_loopback for network in networks)
    return inside or may_be_used(found, networks) or host in ours


def _glue(answer: Answer, parent: str) -> dict[str, tuple[str, ...]]:
    """Return the additional section's addresses of hosts that the asked zone may speak of (RFC 9471 §2)."""
    found: dict[str, tuple[str, ...]] = {}
    for record in sorted(answer.additional, key=lambda record: record.type):
        if record.type in ("A", "AAAA") and names.is_under(record.name, parent):
            found[record.name] = (*found.get(record.name, ()), record.text)
    return found


def _probe(case: Case, zone: str, servers: Mapping[str, Host], host: str, address: str) -> Probe:
    if not address:
        known = servers[host]
        said = (
            known.trouble
            if known in (Host(), AN_ALIAS, NOT_ASKED)
            else f"{words.NO_ADDRESS_BUT}{known.trouble}"
        )
        return Probe(host, "", Service.SILENT if known.silent else Service.LAME, said)
    if not may_be_asked(case, host, address):
        return Probe(host, address, Service.SILENT, words.NOT_PUBLIC)
    probe = read_probe(case.ask(zone, "NS", address), zone, host, address)
    if probe.service is not Service.FAILING:
        return probe
    # load balancers that know a few types serve a zone too: no resolver asks them for NS
    again = read_probe(case.ask(zone, "SOA", address), zone, host, address)
    return again if again.service is Service.SERVES else probe


def read_probe(answer: Answer, zone: str, host: str, address: str) -> Probe:
    """Return how a server behaves that was asked for the NS records of ``zone``."""
    if answer.silent:
        return Probe(host, address, Service.SILENT, answer.error)
    if answer.rcode in NOT_SERVED:
        return Probe(host, address, Service.LAME, answer.rcode)
    if answer.failed:
        return Probe(host, address, Service.FAILING, answer.rcode)
    if not answer.authoritative or answer.zone_of_denial() not in (None, zone):
        return Probe(host, address, Service.LAME, words.NOT_AUTHORITATIVE)
    listed = answer.of(zone, "NS")
    return Probe(
        host,
        address,
        Service.SERVES,
        hosts=frozenset(record.text for record in listed),
        ttl=max((record.ttl for record in listed), default=0),
    )


def _without_our_own_gaps(probes: Sequence[Probe]) -> tuple[Probe, ...]:
    """Leave out addresses this machine has no route to (IPv6, as a rule) where the host's other ones were reached."""
    reached = {probe.host for probe in probes if probe.said != "unreachable"}
    return tuple(probe for probe in probes if probe.said != "unreachable" or probe.host not in reached)
