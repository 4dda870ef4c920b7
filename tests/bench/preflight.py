"""Bench: the checks of 1,000 certificates of two names against the lab, beside the same exchanges made bare.

Every question and every probe that the checks make is written down, then made again with nothing around it: dnspython's
own `udp` for the questions, sockets for the probes, in as many threads. What the checks cost on top is the ratio.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any, TypeVar

import dns.flags
import dns.message
import dns.query

from services.checks.chain import Chain
from services.checks.world import Answer, Dns, Fetched, Server, Web
from services.model.findings import Finding, Verdict
from services.model.stores import Store
from services.ports import Subject
from tests.bench.figures import aim, table
from tests.faults.lab import POINTED, RESOLVER, Lab, Scenario

CERTIFICATES = 1000
AT_ONCE = 8
"""Names that are checked at the same time."""
BARE = 32
"""Threads of the bare exchanges: as many as the checks may use for their questions."""
ROUNDS = 3
AIM = 2.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """One DNS question as the checks asked it."""

    name: str
    rtype: str
    target: tuple[str, int]
    recursion: bool
    checking_disabled: bool
    dnssec_ok: bool


@dataclass(frozen=True, slots=True)
class Probe:
    """One HTTP(S) request as the checks made it."""

    scheme: str
    address: str
    port: int
    host: str
    path: str


@dataclass
class Recorder:
    """Stands in front of DNS and the Web and writes down what passes."""

    dns: Dns
    web: Web | None
    port: int
    questions: list[Question] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)

    @property
    def asks_parent(self) -> bool:
        return self.dns.asks_parent

    @property
    def resolvers(self) -> tuple[Server, ...]:
        return self.dns.resolvers

    def query(
        self,
        name: str,
        rtype: str,
        server: Server = None,
        *,
        recursion_desired: bool | None = None,
        checking_disabled: bool = False,
        dnssec_ok: bool = False,
    ) -> Answer:
        asked = server or RESOLVER
        target = (asked, self.port) if isinstance(asked, str) else asked
        recursion = server is None if recursion_desired is None else recursion_desired
        self.questions.append(Question(name, rtype, target, recursion, checking_disabled, dnssec_ok))
        return self.dns.query(
            name,
            rtype,
            server,
            recursion_desired=recursion_desired,
            checking_disabled=checking_disabled,
            dnssec_ok=dnssec_ok,
        )

    def get(
        self, scheme: str, address: IPv4Address | IPv6Address, port: int, host: str, path: str
    ) -> Fetched:
        assert self.web is not None
        self.probes.append(Probe(scheme, str(address), port, host, path))
        return self.web.get(scheme, address, port, host, path)


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took."""

    seconds: float
    cpu: float


def bench(folder: Path) -> bool:
    """Run the checks and the bare exchanges, the best of three rounds each; print both and tell whether the aim holds."""
    names = [name for number in range(CERTIFICATES) for name in _names(number)]
    scenarios = tuple(_scenario(number) for number in range(CERTIFICATES))
    with Lab(folder, scenarios) as lab:
        found, recorder = _recorded(lab, names)
        bad = [finding for finding in found if finding.verdict in (Verdict.BLOCK, Verdict.WARN)]
        if bad:
            print(f"  FAILED  a healthy name has a finding: {bad[0].summary}")
            return False
        checked, bare = _best(
            lambda: _chain(lab, names, lab.world()), lambda: _replay(recorder.questions, recorder.probes)
        )
    _print(len(recorder.questions), len(recorder.probes), checked, bare)
    return all(
        [
            aim(
                f"at most {AIM} times the time: {checked.seconds / bare.seconds:.2f} times",
                holds=checked.seconds <= AIM * bare.seconds,
            ),
            aim(
                f"at most {AIM} times the CPU: {checked.cpu / bare.cpu:.2f} times",
                holds=checked.cpu <= AIM * bare.cpu,
            ),
        ]
    )


def _names(number: int) -> tuple[str, str]:
    return f"shop{number:04}.test", f"www.shop{number:04}.test"


def _scenario(number: int) -> Scenario:
    domain, _ = _names(number)
    return Scenario(domain, zones={domain: POINTED + "www 60 CNAME edge.platform.test.\n"})


def _recorded(lab: Lab, names: Sequence[str]) -> tuple[list[Finding], Recorder]:
    """Run the checks once with everything written down; the resolver's cache is warm afterwards."""
    world = lab.world()
    recorder = Recorder(world.dns, world.web, lab.port)
    web: Any = recorder if world.web is not None else None
    return _chain(lab, names, replace(world, dns=recorder, web=web)), recorder


def _chain(_lab: Lab, names: Sequence[str], world: Any) -> list[Finding]:
    with Chain(world) as chain:

        def check(name: str) -> tuple[Finding, ...]:
            return chain.check(Subject(name, Store("bench"), added=True, default=False))

        return [finding for some in _side_by_side(check, names, AT_ONCE) for finding in some]


def _best(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[Cost, Cost]:
    """Measure both in turns, and return the quickest round of each."""
    rounds = [(_measured(ours), _measured(theirs)) for _ in range(ROUNDS)]
    return min((a for a, _ in rounds), key=lambda c: c.seconds), min(
        (b for _, b in rounds), key=lambda c: c.seconds
    )


def _measured(work: Callable[[], object]) -> Cost:
    began, cpu = time.monotonic(), time.process_time()
    work()
    return Cost(time.monotonic() - began, time.process_time() - cpu)


def _replay(questions: Sequence[Question], probes: Sequence[Probe]) -> None:
    _side_by_side(_ask, questions, BARE)
    _side_by_side(_fetch, probes, BARE)


def _side_by_side(function: Callable[[T], Any], items: Sequence[T], threads: int) -> list[Any]:
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items))


def _ask(question: Question) -> None:
    flags = (dns.flags.RD if question.recursion else 0) | (dns.flags.CD if question.checking_disabled else 0)
    query = dns.message.make_query(
        f"{question.name}.",
        question.rtype,
        use_edns=0,
        want_dnssec=question.dnssec_ok,
        payload=1232,
        flags=flags,
    )
    address, port = question.target
    dns.query.udp(query, address, timeout=5, port=port)


_LOCAL = threading.local()


def _context() -> ssl.SSLContext:
    if not hasattr(_LOCAL, "context"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        _LOCAL.context = context
    made: ssl.SSLContext = _LOCAL.context
    return made


def _fetch(probe: Probe) -> None:
    request = f"GET {probe.path} HTTP/1.1\r\nHost: {probe.host}\r\nConnection: close\r\n\r\n".encode()
    try:
        with socket.create_connection((probe.address, probe.port), timeout=5) as connection:
            if probe.scheme == "http":
                _exchange(connection, request)
                return
            with _context().wrap_socket(connection, server_hostname=probe.host) as tls:
                _exchange(tls, request)
    except OSError:
        return  # an address that cannot be reached costs the checks the same


def _exchange(connection: socket.socket, request: bytes) -> None:
    connection.sendall(request)
    while connection.recv(65536):
        pass


def _print(questions: int, probes: int, checked: Cost, bare: Cost) -> None:
    print(f"  {CERTIFICATES} certificates of 2 names: {questions} questions, {probes} probes")
    rows = [
        (what, f"{cost.seconds:.2f} s", f"{cost.cpu:.2f} s", f"{1000 * cost.cpu / CERTIFICATES:.2f} ms")
        for what, cost in (("the checks", checked), ("the same exchanges, bare", bare))
    ]
    table(("", "time", "CPU", "CPU per certificate"), rows)
