"""A world for the checks without a network: DNS as a table of answers at the port."""

from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any

from services.checks.world import Answer, Record, Server, World
from services.model.certificates import Certificate
from services.model.findings import Finding
from services.model.settings import CaSettings, Issuing, Platform, Probing
from services.model.stores import Store
from services.ports import Subject

NOW = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)
EDGE = "198.18.0.80"
PLATFORM = Platform(
    name_servers=("NS1.Platform.test.", "ns2.platform.test"),
    addresses=(ip_address(EDGE),),
    default_domains=("moon.shops.test",),
    cname_target="edge.platform.test",
)
CA = CaSettings("main", "https://ca.test/dir", caa_domains=("ca.test",))
SPARE = CaSettings("spare", "https://spare.test/dir", caa_domains=("spare.test",))
Key = tuple[str, str, Server]


def record(name: str, rtype: str, text: str, ttl: int = 60, wire: bytes = b"") -> Record:
    return Record(name, rtype, ttl, text, wire)


def soa(zone: str) -> tuple[Record, ...]:
    return (record(zone, "SOA", "ns. host. 1 1 1 1 1"),)


class TableDns:
    """Answers from a table of (name, type, server); what is not in it gets `default`."""

    def __init__(
        self,
        table: Mapping[Key, Answer],
        default: Answer,
        *,
        asks_parent: bool = True,
        resolvers: tuple[Server, ...] = (None,),
    ) -> None:
        self._table, self._default, self._asks_parent = dict(table), default, asks_parent
        self._resolvers = resolvers
        self.asked: list[Key] = []

    @property
    def asks_parent(self) -> bool:
        return self._asks_parent

    @property
    def resolvers(self) -> tuple[Server, ...]:
        return self._resolvers

    def query(self, name: str, rtype: str, server: Server = None, **_: Any) -> Answer:
        self.asked.append((name, rtype, server))
        found = self._table.get((name, rtype, server), self._default)
        return found if found.name else Answer(name, rtype, rcode=found.rcode, error=found.error)


SILENT = Answer("", "", error="timeout")


def world(dns: TableDns | None = None, **changes: Any) -> World:
    given: dict[str, Any] = {
        "dns": dns or TableDns({}, SILENT),
        "platform": PLATFORM,
        # the worlds of these tests lie in space kept for documentation
        "probing": Probing(allow_networks=(ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))),
        "issuing": Issuing(),
        "cas": (CA,),
        "accounts": lambda _ca: None,
        "wildcards": True,
        "clock": lambda: NOW,
    }
    return World(**{**given, **changes})


def subject(name: str = "shop.moon.test", **changes: Any) -> Subject:
    given: dict[str, Any] = {"store": Store("moon"), "added": True, "default": False}
    return Subject(name, **{**given, **changes})


def certificate(*names: str) -> Certificate:
    return Certificate("cert_1", "moon", "moon.test", names, NOW, NOW)


def codes(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.code, finding.verdict.value) for finding in findings]
