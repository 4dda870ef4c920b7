"""The probe's sockets against edges that misbehave: every trouble has its word, and its time and size have an end."""

import contextlib
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from bot.demo.parts.process import free_port, wait_until
from services.checks.access import check
from services.checks.case import Case
from services.checks.chain import Chain
from services.checks.edge_proof import edge_proof
from services.checks.web import SocketWeb, has_way
from services.checks.world import Answer, Fetched, Server, World
from services.model.findings import Finding
from services.model.settings import Platform, Probing
from tests.faults import edges
from tests.faults.edges import PROBED, Behaviour, Edges, page, redirect
from tests.unit.checks_world import certificate, codes, record, subject
from tests.unit.checks_world import world as table_world

FIRST, SECOND, SWAPPED, DOWN, OTHER = (f"127.0.10.{last}" for last in (83, 84, 85, 86, 87))
NAME = "shop.moon.test"
TIMEOUT = 0.6
LOOPBACK = (ip_network("127.0.10.0/24"), ip_network("::1"))
BEHAVIOURS: dict[str, Behaviour] = {
    "silent.test": edges.silent,
    "drip.test": edges.drip,
    "drip-body.test": edges.drip_body,
    "reset.test": edges.reset,
    "hang-up.test": edges.hang_up,
    "garbage.test": edges.garbage,
    "huge-header.test": edges.huge_header,
    "huge-body.test": edges.huge_body,
    "chunked.test": edges.chunked,
    "unlimited.test": edges.unlimited,
    "away.test": redirect("https://elsewhere.test/x", 307),
}


def proof(token: str) -> str:
    return edge_proof(b"key", token)


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    return free_port(FIRST), free_port(FIRST)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, ports: tuple[int, int]) -> Iterator[SocketWeb]:
    """Give a probe, and start the edges that it is sent to."""
    folder = tmp_path_factory.mktemp("edges")
    bad = Edges(
        folder / "bad",
        (FIRST, SECOND, SWAPPED, "::1"),
        *ports,
        proof,
        BEHAVIOURS,
        no_tls=frozenset({"no-tls.test"}),
        plain=frozenset({SWAPPED}),
    )
    with bad, Edges(folder / "other", (OTHER,), *ports, proof, default=page(200, server="Other/1.0")):
        yield SocketWeb(probing(ports))


def probing(ports: tuple[int, int]) -> Probing:
    return Probing(*ports, LOOPBACK, timeout=TIMEOUT)


def get(web: SocketWeb, ports: tuple[int, int], scheme: str, host: str, address: str = FIRST) -> Fetched:
    port = ports[scheme == "https"]
    return web.get(scheme, ip_address(address), port, host, f"{PROBED}token")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("host", "error"),
    [
        ("silent.test", "timeout"),
        ("drip.test", "timeout"),
        ("drip-body.test", "timeout"),
        ("reset.test", "reset"),
        ("hang-up.test", "reset"),
        ("garbage.test", "not_http"),
        ("huge-header.test", "malformed"),
    ],
)
def test_trouble_has_its_word_and_an_end(
    web: SocketWeb, ports: tuple[int, int], scheme: str, host: str, error: str
) -> None:
    """However a server feeds its answer, an exchange ends within the time that is set."""
    begun = time.monotonic()
    fetched = get(web, ports, scheme, host)
    assert (fetched.error, fetched.status) == (error, 0)
    assert fetched.detail
    assert time.monotonic() - begun < TIMEOUT + 0.5


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", [NAME, "chunked.test", "unlimited.test"])
@pytest.mark.parametrize("address", [FIRST, SECOND, "::1"])
def test_a_good_edge_answers(
    web: SocketWeb, ports: tuple[int, int], scheme: str, host: str, address: str
) -> None:
    fetched = get(web, ports, scheme, host, address)
    assert (fetched.status, fetched.body.strip(), fetched.error) == (200, proof("token").encode(), "")


def test_of_a_body_no_more_than_4_kib_is_kept(web: SocketWeb, ports: tuple[int, int]) -> None:
    assert get(web, ports, "http", "huge-body.test").body == b"z" * 4096


def test_a_redirect_is_told_and_not_followed(web: SocketWeb, ports: tuple[int, int]) -> None:
    fetched = get(web, ports, "http", "away.test")
    assert (fetched.status, fetched.location) == (307, "https://elsewhere.test/x")


@pytest.mark.parametrize(
    ("scheme", "host", "address", "error"),
    [
        ("https", "no-tls.test", FIRST, "tls"),
        ("https", NAME, SWAPPED, "not_tls"),
        ("http", NAME, SWAPPED, "not_http"),
        ("http", NAME, DOWN, "refused"),
        ("https", NAME, DOWN, "refused"),
        ("http", NAME, "127.0.0.1", "local"),  # not among the networks that are allowed
        ("http", NAME, "10.0.0.1", "local"),
        ("http", NAME, "169.254.169.254", "local"),
        ("http", NAME, "::ffff:127.0.10.83", "local"),
        ("http", "no host", FIRST, "malformed"),
        ("http", "a..b", FIRST, "malformed"),
    ],
)
def test_connections_that_fail(
    web: SocketWeb, ports: tuple[int, int], scheme: str, host: str, address: str, error: str
) -> None:
    assert get(web, ports, scheme, host, address).error == error


def test_a_path_that_cannot_stand_in_a_request_is_not_sent(web: SocketWeb, ports: tuple[int, int]) -> None:
    for path in ("/a b", "/a\r\nX: y", "a", "/ä"):
        assert web.get("http", ip_address(FIRST), ports[0], NAME, path).error == "malformed"


def test_an_edge_that_is_not_there_at_all(ports: tuple[int, int]) -> None:
    """A listener whose queue is full drops what comes: a time-out, and this machine had a way there."""
    with socket.create_server((FIRST, 0), backlog=0) as full, socket.create_connection(full.getsockname()):
        web = SocketWeb(replace(probing(ports), timeout=0.3))
        fetched = [web.get("http", ip_address(FIRST), full.getsockname()[1], NAME, "/") for _ in range(3)]
    assert fetched[-1].error == "timeout"


def connected(place: tuple[str, int]) -> socket.socket | None:
    """Return a connection, or None where nobody takes it any more."""
    try:
        return socket.create_connection(place, timeout=0.3)
    except TimeoutError:
        return None


def test_an_edge_that_takes_no_connection_is_waited_for_once(ports: tuple[int, int]) -> None:
    """Its silence has nothing to do with the name: of many names, only the first one waits for it."""
    with socket.create_server((FIRST, 0), backlog=0) as full, contextlib.ExitStack() as stack:
        place = full.getsockname()
        while (taken := connected(place)) is not None:
            stack.enter_context(taken)
        web = SocketWeb(replace(probing(ports), timeout=0.3))
        begun = time.monotonic()
        fetched = [web.get("http", ip_address(FIRST), place[1], f"{n}.test", "/") for n in range(50)]
        assert time.monotonic() - begun < 2 * 0.3 + 0.5
    assert {(each.error, each.detail) for each in fetched} == {("timeout", "nothing whole within 0.3 s")}


def test_this_machine_has_a_way_to_itself_and_none_to_nowhere() -> None:
    assert has_way(ip_address("127.0.0.1"))
    assert has_way(ip_address("::1"))
    assert not has_way(
        ip_address("255.255.255.255")
    )  # broadcast: nobody may, unless the socket is set up for it


def test_what_this_machine_cannot_reach_says_nothing_of_the_other_side(ports: tuple[int, int]) -> None:
    nowhere = ip_address("255.255.255.255")
    web = SocketWeb(replace(probing(ports), allow_networks=(ip_network(nowhere),)))
    fetched = web.get("http", nowhere, ports[0], NAME, "/")
    assert fetched.error == "local"
    assert fetched.detail.startswith("this machine has no way to 255.255.255.255")


# --- the check as a whole, on these sockets


class Names:
    """DNS at the port: names and the addresses that everybody gives them."""

    asks_parent = False
    resolvers: tuple[Server, ...] = (None,)

    def __init__(self, **names: str) -> None:
        self._names = {name.replace("_", "."): addresses.split() for name, addresses in names.items()}

    def query(self, name: str, rtype: str, server: Server = None, **_: object) -> Answer:
        version = {"A": 4, "AAAA": 6}.get(rtype)
        found = [a for a in self._names.get(name, []) if ip_address(a).version == version]
        if rtype == "NS" and name == "moon.test":
            found = ["ns1.platform.test"]
        answer = tuple(record(name, rtype, text) for text in found)
        return Answer(name, rtype, recursion_available=True, answer=answer)


def world(web: SocketWeb, ports: tuple[int, int], dns: Names, *addresses: str, **changes: Any) -> World:
    platform = Platform(("ns1.platform.test",), tuple(ip_address(a) for a in addresses), ("shops.test",))
    made = table_world(probing=probing(ports), platform=platform, web=web, edge_proof=proof, **changes)
    return replace(made, dns=dns)


def checked(world: World, name: str = NAME, *, installed: bool = False) -> tuple[Finding, ...]:
    row = replace(certificate(name), installed="rev_1" if installed else None)
    with ThreadPoolExecutor(4) as askers:
        return check(Case(world, subject(name, certificate=row), askers))


def test_before_the_first_certificate_tls_is_nothing(web: SocketWeb, ports: tuple[int, int]) -> None:
    dns = Names(**{"no-tls_test": FIRST})
    given = world(web, ports, dns, FIRST)
    assert checked(given, "no-tls.test") == ()
    (finding,) = checked(given, "no-tls.test", installed=True)
    assert (finding.code, finding.verdict.value) == ("access.refused", "warn")
    assert (finding.evidence["scheme"], finding.evidence["error"]) == ("https", "tls")
    assert "breaks off the TLS handshake at 127.0.10.83" in finding.summary.plain()


def test_a_name_that_the_installed_certificate_lacks_is_not_asked_over_https(
    web: SocketWeb, ports: tuple[int, int]
) -> None:
    dns = Names(**{"no-tls_test": FIRST})
    assert checked(world(web, ports, dns, FIRST, covered=lambda _: ()), "no-tls.test", installed=True) == ()


def test_http_and_https_are_judged_apart(web: SocketWeb, ports: tuple[int, int]) -> None:
    """One edge address has its ports swapped: over http and over https another is well, so both are warnings."""
    given = world(web, ports, Names(shop_moon_test=f"{FIRST} {SWAPPED}"), FIRST, SWAPPED)
    (finding,) = checked(given, installed=True)
    assert (finding.code, finding.verdict.value) == ("access.wrong_server", "warn")
    assert (finding.evidence["addresses"], finding.evidence["schemes"]) == ([SWAPPED], ["http", "https"])
    assert [each["error"] for each in finding.evidence["readings"]] == ["not_http", "not_tls"]


def test_what_is_broken_reads_the_same_each_time(web: SocketWeb, ports: tuple[int, int]) -> None:
    """Chance (the token, the name below a wildcard) is not in the finding: a new reading means a change."""
    given = world(web, ports, Names(shop_moon_test=OTHER), OTHER)
    assert checked(given) == checked(given)


def test_what_answers_elsewhere_is_evidence(web: SocketWeb, ports: tuple[int, int]) -> None:
    given = world(web, ports, Names(shop_moon_test=f"{OTHER} {SECOND} {DOWN} 10.0.0.1"), FIRST)
    with Chain(given) as chain:
        wrong = next(f for f in chain.check(subject(NAME)) if f.code == "dns.wrong_address")
    assert wrong.evidence["answers"] == {
        OTHER: {"status": 200, "server": "Other/1.0", "leads_to_us": False},
        SECOND: {"status": 200, "server": "edge", "leads_to_us": True},
        DOWN: {"error": "refused", "detail": "Connection refused"},
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"web": None}, []),
        ({"edge_proof": None}, []),
        ({"platform": Platform()}, []),
        ({"probing": Probing()}, [("access.unreachable", "unknown")]),
        ({}, [("access.refused", "block")]),
    ],
)
def test_where_nothing_can_be_connected_to_nothing_is_said(
    web: SocketWeb, ports: tuple[int, int], changes: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    given = world(web, ports, Names(shop_moon_test=DOWN), DOWN)
    if changes.get("probing"):
        changes = {**changes, "web": SocketWeb(Probing())}
    assert codes(checked(replace(given, **changes))) == expected  # type: ignore[arg-type]  # a table of fields


def test_the_sockets_are_closed(web: SocketWeb, ports: tuple[int, int]) -> None:
    """No descriptor is left behind, whatever happened."""
    before = _open_files()
    for host in ("hang-up.test", "no-tls.test", "silent.test", NAME):
        for scheme in ("http", "https"):
            get(web, ports, scheme, host)
    get(web, ports, "http", NAME, DOWN)
    # the servers' own sides are of this process too, and their threads take their time
    wait_until(lambda: _open_files() <= before, 10, "the last socket to be closed")


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
