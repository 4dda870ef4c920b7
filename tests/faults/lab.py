"""A lab of broken domains on loopback: a validating resolver and name servers that are real, and servers that misbehave."""

import contextlib
import secrets
import signal
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address, ip_network
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bot.demo.parts import fetch
from bot.demo.parts.process import Running, free_port, port_open, wait_until
from services.checks.chain import Chain
from services.checks.dns import DnsClient
from services.checks.edge_proof import edge_key, edge_proof
from services.checks.rdap import Rdap
from services.checks.web import SocketWeb
from services.checks.world import World
from services.model.clock import utc_now
from services.model.findings import Finding
from services.model.settings import CaSettings, DnsSettings, Issuing, Platform, Probing, RdapSettings
from services.model.stores import Store
from services.ports import Subject
from tests.faults.edges import Behaviour, Edges, page
from tests.faults.odd import Odd
from tests.faults.rdap_server import RdapServer, Reply
from tests.faults.signing import STRANGE, Key

RESOLVER = "127.0.0.1"  # BIND listens only where the interface says that it has the address
ROOT, NS1, NS2, ELSEWHERE = (f"127.0.10.{last}" for last in (1, 11, 12, 21))
ODD1, ODD2, UDP_ONLY, CLOSED = (f"127.0.10.{last}" for last in (31, 32, 33, 39))
EDGE, EDGE2, OTHER, OTHER6 = "127.0.10.80", "127.0.10.81", "127.0.10.99", "fd00:10::99"
EDGE6 = "::1"  # the only IPv6 address that every machine can listen on
DOWN = "127.0.10.82"  # an address of the edge where nobody listens
HOSTS = {
    "ns1": NS1,
    "ns2": NS2,
    "odd1": ODD1,
    "odd2": ODD2,
    "udp": UDP_ONLY,
    "closed": CLOSED,
}
"""The platform's name servers, below platform.test."""
ACCOUNT = "https://ca.test/acct/1"
CA = CaSettings("main", "https://ca.test/dir", caa_domains=("ca.test",))
SPARE = CaSettings("spare", "https://spare.test/dir", caa_domains=("spare.test",))
BLANK = CaSettings("blank", "https://blank.test/dir")
OUR_HOSTS = ("ns1.platform.test.", "ns2.platform.test.")
SOA = "@ 60 SOA ns1.platform.test. hostmaster.platform.test. 1 60 60 600 60\n"
OURS = "@ 60 NS ns1.platform.test.\n@ 60 NS ns2.platform.test.\n"
POINTED = f"@ 60 A {EDGE}\n@ 60 AAAA {EDGE6}\n"


@dataclass(frozen=True)
class Scenario:
    """One broken (or healthy) domain: how its world looks, and what must be found."""

    name: str
    """What is checked; its registrable domain, two labels long, belongs to this scenario alone."""
    ns: tuple[str, ...] = OUR_HOSTS
    """Delegation in the zone test; empty for none."""
    above: str = ""
    """More records in the zone test: glue, DS."""
    zones: Mapping[str, str] = field(default_factory=dict)
    """Zone -> records beside SOA and NS; its NS are ours unless the text begins with its own."""
    on: tuple[str, ...] = (NS1, NS2)
    """Servers that have all of these zones."""
    other: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Server -> zones that it has instead."""
    odd: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(name, type or *) -> how odd servers answer: SERVFAIL, REFUSED …, or a word of `Odd`."""
    expected: frozenset[tuple[str, str, str]] = frozenset()
    """(code, verdict, owner) of every finding."""
    cas: tuple[CaSettings, ...] = (CA,)
    edge: Mapping[str, Behaviour] = field(default_factory=dict)
    """Host, or "ADDRESS HOST" -> how the platform's edge answers; well, where nothing is said."""
    signed: str = ""
    """How its own zone is signed, with a DS record in the zone test: a manner of `tests.faults.signing`; empty: not at all."""
    rdap: Mapping[str, Any] | Reply | None = None
    """What the registry's RDAP server says of the domain; None: that all is well."""

    @property
    def domain(self) -> str:
        """The domain below test."""
        return ".".join(self.name.split(".")[-2:])

    def zones_of(self, server: str) -> dict[str, str]:
        """Return what this server has of the scenario's zones, as master files."""
        own = self.other.get(server, self.zones if server in self.on else {})
        return {
            zone: SOA + (text if text.startswith("@ 60 NS ") else OURS + text) for zone, text in own.items()
        }


class Lab:
    """All servers of the lab, from `start` to `stop`. Port 53 if that can be had, else a free one for all."""

    def __init__(self, folder: Path, scenarios: tuple[Scenario, ...]) -> None:
        self.folder, self.scenarios = folder, {each.name: each for each in scenarios}
        self.port = _port()
        self.http_port, self.https_port = free_port(EDGE), free_port(EDGE)
        self.vault_key = secrets.token_bytes(32)
        """The key-encryption key of whoever checks the lab: its edge answers for that certdesk."""
        self._proof = partial(edge_proof, edge_key(self.vault_key))
        self._key = Key("test.")
        self._keys = {each.domain: Key(f"{each.domain}.") for each in scenarios if each.signed}
        self._serial = 0
        self._changed: dict[str, tuple[tuple[str, ...], str]] = {}
        self._stops = contextlib.ExitStack()

    def start(self) -> Self:
        """Start every server."""
        with contextlib.ExitStack() as stack:
            zones = {".": self._root(), "test": self._test()}
            self._registry = stack.enter_context(_nsd(self.folder / "registry", ROOT, self.port, zones))
            for address in (NS1, NS2, ELSEWHERE):
                zones = _elsewhere() if address == ELSEWHERE else _platform()
                zones.update(self._zones(address))
                stack.enter_context(_nsd(self.folder / address, address, self.port, zones))
            self.odd = {a: self._odd(stack, a) for a in (ODD1, ODD2, UDP_ONLY)}
            self._edges(stack)
            self._registrations(stack)
            stack.enter_context(_resolver(self.folder / "resolver", self.port, self._key.anchor))
            self._stops = stack.pop_all()
        return self

    def _zones(self, address: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for scenario in self.scenarios.values():
            zones = scenario.zones_of(address)
            if key := self._keys.get(scenario.domain):
                zones |= {z: key.sign(t, scenario.signed) for z, t in zones.items() if z == scenario.domain}
            found.update(zones)
        return found

    def _odd(self, stack: contextlib.ExitStack, address: str) -> Odd:
        odd = Odd(address, self.port, tcp=address != UDP_ONLY)
        stack.callback(odd.stop)
        rules = {key: rule for each in self.scenarios.values() for key, rule in each.odd.items()}
        odd.take(self._zones(address), rules)
        return odd

    def _edges(self, stack: contextlib.ExitStack) -> None:
        """Start the platform's edge, good but for the scenarios' rules, and a server that has nothing to do with it."""
        rules = {key: rule for each in self.scenarios.values() for key, rule in each.edge.items()}
        ports = (self.http_port, self.https_port, self._proof)
        stack.enter_context(Edges(self.folder / "edge", (EDGE, EDGE2, EDGE6), *ports, rules))
        stack.enter_context(Edges(self.folder / "other", (OTHER,), *ports, default=page(200)))

    def _registrations(self, stack: contextlib.ExitStack) -> None:
        """Start the registry's RDAP server, and a client of it."""
        self.rdap = stack.enter_context(RdapServer(healthy=True))
        for scenario in self.scenarios.values():
            if isinstance(scenario.rdap, Reply):
                self.rdap.replies[f"/domain/{scenario.domain}"] = scenario.rdap
            elif scenario.rdap is not None:
                self.rdap.put(scenario.domain, scenario.rdap)
        self._client = Rdap(RdapSettings({"test": self.rdap.url}, timeout=1.0), self.probing, utc_now)
        stack.callback(self._client.close)

    def _root(self) -> str:
        return (
            "@ 60 SOA a.root.test. hostmaster.test. 1 60 60 600 60\n@ 60 NS a.root.test.\n"
            f"a.root.test. 60 A {ROOT}\ntest. 60 NS a.root.test.\n"
        )

    def _test(self) -> str:
        """Return the zone test as it stands now, signed."""
        self._serial += 1
        text = (
            f"@ 60 SOA a.root.test. hostmaster.test. {self._serial} 60 60 600 60\n@ 60 NS a.root.test.\n"
            f"a.root 60 A {ROOT}\nplatform 60 NS ns1.platform\nplatform 60 NS ns2.platform\n"
            f"ns1.platform 60 A {NS1}\nns2.platform 60 A {NS2}\n"
            f"elsewhere 60 NS ns1.elsewhere\nns1.elsewhere 60 A {ELSEWHERE}\n"
        )
        for scenario in self.scenarios.values():
            ns, above = self._changed.get(scenario.domain, (scenario.ns, scenario.above))
            text += "".join(f"{scenario.domain}. 60 NS {host}\n" for host in ns) + above
            if scenario.signed:
                key = (
                    Key(f"{scenario.domain}.") if scenario.signed == STRANGE else self._keys[scenario.domain]
                )
                text += key.ds
        return self._key.sign(text)

    def change(self, domain: str, *, ns: tuple[str, ...] = OUR_HOSTS, above: str = "") -> None:
        """Change what the zone test says of a scenario's domain, and wait until its server says so."""
        self._changed[domain] = (ns, above)
        (self.folder / "registry" / "test.zone").write_text(self._test())
        self._registry.signal(signal.SIGHUP)
        wait_until(lambda: self._served() == self._serial, 5, "the registry")

    def _served(self) -> int:
        records = self.dns().query("test", "SOA", ROOT).of("test", "SOA")
        return int(records[0].text.split()[2]) if records else 0

    def stop(self) -> None:
        """Stop every server."""
        self._stops.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def dns(self, **settings: Any) -> DnsClient:
        """Return a client of the lab's resolver."""
        given: dict[str, Any] = {"resolvers": ((RESOLVER, self.port),), "timeout": 1.5, **settings}
        port = given.pop("authority_port", self.port)
        return DnsClient(DnsSettings(**given), authority_port=port)

    def world(self, cas: tuple[CaSettings, ...] = (CA,), **settings: Any) -> World:
        """Return the world that the checks see."""
        return World(
            dns=self.dns(**settings),
            platform=PLATFORM,
            probing=self.probing,
            issuing=Issuing(),
            cas=cas,
            accounts=lambda _ca: ACCOUNT,
            wildcards=True,
            clock=utc_now,
            web=SocketWeb(self.probing),
            edge_proof=self._proof,
            registrations=self._client,
        )

    @property
    def probing(self) -> Probing:
        """Where the checks may connect to, and how patiently."""
        networks = (ip_network("127.0.10.0/24"), ip_network(EDGE6), ip_network("fd00:10::/64"))
        return Probing(self.http_port, self.https_port, networks, timeout=1.0)

    def check(self, name: str, **settings: Any) -> tuple[Finding, ...]:
        """Run the whole chain on one scenario's name."""
        with Chain(self.world(self.scenarios[name].cas, **settings)) as chain:
            return chain.check(Subject(name, Store("moon"), added=True, default=False))


PLATFORM = Platform(
    name_servers=tuple(f"{host}.platform.test" for host in HOSTS),
    addresses=tuple(ip_address(address) for address in (EDGE, EDGE2, DOWN, EDGE6)),
    default_domains=("shops.test",),
    cname_target="edge.platform.test",
)


def _elsewhere() -> dict[str, str]:
    return {"elsewhere.test": SOA + f"@ 60 NS ns1\nns1 60 A {ELSEWHERE}\n"}


def _platform() -> dict[str, str]:
    hosts = "".join(f"{host} 60 A {address}\n" for host, address in HOSTS.items())
    return {"platform.test": SOA + OURS + hosts + f"edge 60 A {EDGE}\nedge 60 AAAA {EDGE6}\n"}


@contextlib.contextmanager
def _nsd(folder: Path, address: str, port: int, zones: Mapping[str, str]) -> Iterator[Running]:
    """Run NSD with authority for ``zones``. Unlike BIND it listens on any loopback address without that being set up."""
    folder.mkdir(exist_ok=True)
    root = fetch.debian(["nsd"])
    program = fetch.program("nsd", root)
    assert program is not None
    for zone, text in zones.items():
        (folder / f"{zone}.zone").write_text(text)
    listed = "".join(f'zone:\n  name: "{zone}"\n  zonefile: "{zone}.zone"\n' for zone in zones)
    (folder / "nsd.conf").write_text(f"""
server:
  ip-address: {address}@{port}
  username: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: ""
  xfrdir: "{folder}"
  xfrdfile: ""
  zonelistfile: "{folder}/zone.list"
  server-count: 1
  rrl-ratelimit: 0
  verbosity: 1
remote-control:
  control-enable: no
{listed}""")
    with Running.start(
        "NSD",
        [program, "-d", "-c", folder / "nsd.conf"],
        log=folder / "nsd.log",
        ready=port_open(port, address),
        env={"LD_LIBRARY_PATH": fetch.library_path(root)},
    ) as process:
        yield process


@contextlib.contextmanager
def _resolver(folder: Path, port: int, anchor: str) -> Iterator[Running]:
    """Run BIND as a validating resolver whose Internet is the lab: it asks every server at the lab's port."""
    folder.mkdir()
    root = fetch.debian(["bind9", "bind9-utils"])
    named = fetch.program("named", root)
    assert named is not None
    (folder / "hints").write_text(f". 60 NS a.root.test.\na.root.test. 60 A {ROOT}\n")
    (folder / "named.conf").write_text(f"""
options {{
    directory "{folder}"; port {port}; listen-on port {port} {{ {RESOLVER}; }}; listen-on-v6 {{ none; }};
    pid-file none; session-keyfile none; allow-query {{ any; }}; empty-zones-enable no; recursion yes;
    dnssec-validation yes; servfail-ttl 0; trust-anchor-telemetry no;
}};
controls {{ }};
zone "." {{ type hint; file "hints"; }};
{anchor}""")
    with Running.start(
        "BIND",
        [named, "-g", "-n", "1", "-c", folder / "named.conf"],
        log=folder / "named.log",
        ready=port_open(port, RESOLVER),
        env={"LD_LIBRARY_PATH": fetch.library_path(root)},
    ) as process:
        yield process


def _port() -> int:
    """Return 53 if this user may listen there and nobody else does, else a free port."""
    try:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(socket.AF_INET, kind) as sock:
                sock.bind((RESOLVER, 53))
    except OSError:
        return free_port(RESOLVER)
    return 53
