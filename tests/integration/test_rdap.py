"""Registrations over real HTTP from a registry's server that answers well, badly, late or never."""

import json
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from bot.config import load
from bot.demo.parts import tls
from bot.wiring import build
from services.checks.rdap import AT_ONCE, CALM, CLOSE, FAILED, LARGEST, Rdap
from services.checks.world import Registration
from services.model.settings import Probing, RdapSettings
from services.model.stores import Store
from services.ports import Subject
from storage.vault import new_key
from tests.faults.rdap_server import DRIP, SLOW, STOP, TRICKLE, RdapServer, Reply, answer, days, registrar

TIMEOUT = 0.8
LOOPBACK = Probing(allow_networks=(ip_network("127.0.0.0/8"),))


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def server() -> Iterator[RdapServer]:
    with RdapServer() as started:
        yield started


@pytest.fixture
def clock() -> Clock:
    return Clock()


Maker = Callable[..., Rdap]


@pytest.fixture
def make(clock: Clock) -> Iterator[Maker]:
    made: list[Rdap] = []

    def maker(servers: dict[str, str], probing: Probing | None = None, **more: str) -> Rdap:
        rdap = Rdap(RdapSettings(servers, TIMEOUT), probing or Probing(), clock, **more)
        made.append(rdap)
        return rdap

    yield maker
    for rdap in made:
        rdap.close()
        rdap.close()


@pytest.fixture
def rdap(make: Maker, server: RdapServer) -> Rdap:
    return make({"test": server.url})


def test_what_the_registry_says(rdap: Rdap, server: RdapServer) -> None:
    end = days(200).replace(microsecond=0)
    entities = [
        registrar("Sunny Names Ltd", events=[{"eventAction": "expiration", "eventDate": "2001-01-01"}])
    ]
    document = answer("moon.test", "active", "Client Transfer Prohibited", expires=end, entities=entities)
    document["events"].append(
        {"eventAction": "registrar expiration", "eventDate": "2027-01-01T00:00:00+02:00"}
    )
    server.put("moon.test", document)
    assert rdap.look_up("moon.test") == Registration(
        "moon.test",
        statuses=frozenset({"active", "client transfer prohibited"}),
        expires_at=end,
        registrar_expires_at=datetime(2026, 12, 31, 22, tzinfo=UTC),
        registrar="Sunny Names Ltd",
        source=f"{server.url}domain/moon.test",
    )


@pytest.mark.parametrize("base", ["{}", "{}registry/v1/", "{}registry/v1"])
@pytest.mark.parametrize("key", ["test", ".test", "TEST.", "moon.test", "*"])
def test_where_it_asks(make: Maker, server: RdapServer, base: str, key: str) -> None:
    """A base URL with or without a path and a final slash, for a suffix however it is written."""
    url = base.format(server.url)
    make({key: url}).look_up("moon.test")
    assert server.asked == [
        "/" + url.removeprefix(server.url).rstrip("/").lstrip("/") + "/domain/moon.test"
    ] or (server.asked == ["/domain/moon.test"] and url == server.url)


def test_an_internationalised_top_level_domain(make: Maker, server: RdapServer) -> None:
    server.put("xn--bcher-kva.xn--p1ai", answer("XN--BCHER-KVA.XN--P1AI.", expires=days(3)))
    assert make({"рф": server.url}).look_up("xn--bcher-kva.xn--p1ai").error == ""


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(404, b"{}"), "not_found"),
        (Reply(401), "forbidden"),
        (Reply(403), "forbidden"),
        (Reply(429), "limited"),
        (Reply(500, b"<html>"), "failed"),
        (Reply(503, headers={"Retry-After": "120"}), "failed"),
        (Reply(204), "failed"),
        (Reply(200, b"<html>no</html>"), "malformed"),
        (Reply(200, b""), "malformed"),
        (Reply(200, b"[" * 100_000), "malformed"),
        (Reply(200, b"[]"), "malformed"),
        (Reply(200, b"\xff\xfe"), "malformed"),
        (Reply(200, b'{"objectClassName": "entity", "status": []}'), "malformed"),
        (Reply(200, b'{"objectClassName": "domain", "ldhName": "sun.test"}'), "malformed"),
        (
            Reply(200, b'{"objectClassName": "domain"}' + b" " * LARGEST),
            "malformed",
        ),  # right but for its length
        (Reply(200, b'{"obj', manner=STOP), "malformed"),
        (Reply(manner=SLOW), "timeout"),
        (Reply(manner=TRICKLE), "timeout"),
        (Reply(manner=DRIP), "timeout"),
        (Reply(302, headers={"Location": "/domain/moon.test"}), "redirected"),  # in a circle
        (Reply(302, headers={"Location": "http://192.0.2.1/domain/moon.test"}), "redirected"),
        (Reply(302, headers={"Location": "file:///etc/passwd"}), "redirected"),
        (Reply(302, headers={"Location": "//[nonsense"}), "redirected"),
        (Reply(302, headers={"Location": "https://user@127.0.0.1/"}), "redirected"),
        (Reply(302, headers={"Location": "https://127.0.0.1:1/"}), "not_public"),
        (Reply(307, headers={"Location": "https://localhost:1/"}), "not_public"),
        (Reply(301, headers={"Location": "https://169.254.169.254/latest"}), "not_public"),
        (Reply(302), "failed"),
    ],
    ids=lambda value: (
        value if isinstance(value, str) else f"{value.status}-{value.manner or value.body[:12]!r}"
    ),
)
def test_bad_answers_are_unknown_in_time(rdap: Rdap, server: RdapServer, reply: Reply, error: str) -> None:
    server.replies["/domain/moon.test"] = reply
    began = time.monotonic()
    found = rdap.look_up("moon.test")
    assert time.monotonic() - began < 3 * TIMEOUT
    assert (found.error, found.expires_at) == (error, None)


def test_a_redirect_within_the_server_is_followed(rdap: Rdap, server: RdapServer) -> None:
    server.replies["/domain/moon.test"] = Reply(301, headers={"Location": "/v2/domain/moon.test"})
    server.put("v2", answer("moon.test", expires=days(9)))
    server.replies["/v2/domain/moon.test"] = server.replies.pop("/domain/v2")
    found = rdap.look_up("moon.test")
    assert found.error == ""
    assert found.source == f"{server.url}v2/domain/moon.test"


def test_nobody_listens(make: Maker) -> None:
    with RdapServer() as gone:
        url = gone.url
    assert make({"test": url}).look_up("moon.test").error == "refused"


@pytest.mark.parametrize(
    "url", ["127.0.0.1:9000", "ftp://127.0.0.1/", "http://", "http://[::1", "http://a b/"]
)
def test_a_base_url_that_is_none(make: Maker, url: str) -> None:
    assert make({"test": url}).look_up("moon.test").error in {"malformed", "unreachable", "not_public"}


# --- politeness --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "kept"),
    [
        (answer("moon.test", expires=days(100)), CALM),
        (answer("moon.test", expires=days(40)), CLOSE),
        (answer("moon.test", expires=days(-1)), CLOSE),
        (answer("moon.test", "server hold", expires=days(100)), CLOSE),
        (answer("moon.test"), CLOSE),
        (b"nonsense", FAILED),
    ],
)
def test_answers_are_kept(
    rdap: Rdap, server: RdapServer, clock: Clock, document: object, kept: timedelta
) -> None:
    server.put("moon.test", document)
    first = rdap.look_up("moon.test")
    clock.now += kept - timedelta(seconds=30)
    assert rdap.look_up("moon.test") is first
    assert len(server.asked) == 1
    clock.now += timedelta(seconds=31)
    rdap.look_up("moon.test")
    assert len(server.asked) == 2


def test_many_names_of_one_domain_are_one_question(rdap: Rdap, server: RdapServer) -> None:
    server.put("moon.test", answer("moon.test", expires=days(100)))
    server.hold = threading.Event()
    with ThreadPoolExecutor(8) as pool:
        runs = [pool.submit(rdap.look_up, "moon.test") for _ in range(8)]
        server.hold.set()
        assert {run.result().error for run in runs} == {""}
    assert server.asked == ["/domain/moon.test"]


def test_a_server_is_asked_little_at_once(rdap: Rdap, server: RdapServer) -> None:
    names = [f"moon{n}.test" for n in range(12)]
    for name in names:
        server.put(name, answer(name, expires=days(100)))
    with ThreadPoolExecutor(12) as pool:
        assert {found.error for found in pool.map(rdap.look_up, names)} == {""}
    assert len(server.asked) == 12
    assert server.most <= AT_ONCE


@pytest.mark.parametrize(
    ("headers", "seconds"), [({"Retry-After": "600"}, 600), ({}, 60), ({"Retry-After": "x"}, 60)]
)
def test_a_server_that_has_had_enough_is_left_alone(
    rdap: Rdap, server: RdapServer, clock: Clock, headers: dict[str, str], seconds: int
) -> None:
    server.replies["/domain/moon.test"] = Reply(429, headers=headers)
    server.put("sun.test", answer("sun.test", expires=days(100)))
    assert rdap.look_up("moon.test").error == "limited"
    assert rdap.look_up("sun.test").error == "limited"
    clock.now += timedelta(seconds=seconds - 1)
    assert rdap.look_up("star.test").error == "limited"
    assert server.asked == ["/domain/moon.test"]
    clock.now += max(timedelta(seconds=2), FAILED)
    assert rdap.look_up("sun.test").error == ""


def test_a_dead_server_costs_one_wait(rdap: Rdap, server: RdapServer, clock: Clock) -> None:
    """A fleet's pass goes on at once with the next name; half a minute later the server gets its chance."""
    server.replies["/domain/moon.test"] = Reply(manner=SLOW)
    server.put("sun.test", answer("sun.test", expires=days(100)))
    assert rdap.look_up("moon.test").error == "timeout"
    began = time.monotonic()
    assert rdap.look_up("sun.test").error == "timeout"
    assert time.monotonic() - began < TIMEOUT / 2
    clock.now += FAILED
    assert rdap.look_up("sun.test").error == ""


# --- IANA's list -------------------------------------------------------------------------------------------------


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[tuple[RdapServer, Path]]:
    """Start a registry's server that speaks https; yield it and the root that it is trusted by."""
    root = tls.issued(tmp_path / "pair", ["127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pair" / "fullchain.pem", tmp_path / "pair" / "privkey.pem")
    with RdapServer(context) as started:
        yield started, root


def listing(*entries: tuple[list[str], list[str]]) -> bytes:
    """Return a list as IANA publishes it (RFC 9224 §3)."""
    return json.dumps({"version": "1.0", "services": entries}).encode()


def test_the_server_comes_from_the_list(
    make: Maker, server: RdapServer, sealed: tuple[RdapServer, Path], clock: Clock
) -> None:
    """The list is fetched once a day, and only where it is needed; the server it names is asked by https."""
    registry, root = sealed
    probing = Probing(allow_networks=LOOPBACK.allow_networks, ca_bundle=root)
    server.replies["/list"] = Reply(body=listing((["MOON", "co.moon"], [registry.url])))
    registry.put("store.moon", answer("store.moon", expires=days(100)))
    rdap = make({}, probing, listed_at=server.url + "list")
    assert rdap.look_up("store.moon").error == ""
    assert rdap.look_up("other.moon").error == "not_found"
    assert rdap.look_up("store.co.moon").error == "not_found"
    assert rdap.look_up("store.nowhere").error == "no_rdap"
    assert (len(registry.asked), len(server.asked)) == (3, 1)
    clock.now += timedelta(days=1)
    server.replies["/list"] = Reply(500)
    assert rdap.look_up("store.moon").error == ""  # yesterday's list serves on
    assert len(server.asked) == 2


def test_the_list_cannot_make_certdesk_knock_at_inside_doors(
    make: Maker, server: RdapServer, sealed: tuple[RdapServer, Path]
) -> None:
    registry, root = sealed
    listed = listing(
        (["moon"], [registry.url]), (["sun"], [server.url]), (["star"], ["https://localhost:1/"])
    )
    server.replies["/list"] = Reply(body=listed)
    rdap = make({}, Probing(ca_bundle=root), listed_at=server.url + "list")
    assert rdap.look_up("store.moon").error == "not_public"
    assert rdap.look_up("store.star").error == "not_public"
    assert rdap.look_up("store.sun").error == "no_rdap"  # plain HTTP is taken from the configuration alone
    assert registry.asked == []
    assert server.asked == ["/list"]


def test_a_chain_that_nobody_trusts(make: Maker, server: RdapServer, sealed: tuple[RdapServer, Path]) -> None:
    server.replies["/list"] = Reply(body=listing((["moon"], [sealed[0].url])))
    assert make({}, LOOPBACK, listed_at=server.url + "list").look_up("store.moon").error == "tls"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404),
        Reply(body=b"<html>"),
        Reply(body=b'{"services": [[["moon"]], 1, "x", [[1], [2]]]}'),
        Reply(body=b"[1]"),
        Reply(body=b'{"services": [[["moon"], ["https://[nonsense/"]]]}'),
        Reply(manner=SLOW),
    ],
)
def test_a_list_that_is_not_to_be_had(make: Maker, server: RdapServer, clock: Clock, reply: Reply) -> None:
    """It is unknown, asked for once in ten minutes, and used as soon as it is there."""
    server.replies["/list"] = reply
    rdap = make({}, listed_at=server.url + "list")
    assert {rdap.look_up(f"store{n}.moon").error for n in range(3)} == {"no_list"}
    assert server.asked == ["/list"]
    server.replies["/list"] = Reply(body=listing((["sun"], ["https://rdap.sun/"])))
    clock.now += timedelta(minutes=10)
    assert rdap.look_up("store1.moon").error == "no_rdap"


@pytest.mark.parametrize(
    "domain", ["moon.test", "moon.example", "moon.invalid", "moon.internal", "moon.localhost"]
)
def test_names_that_nobody_registers_are_not_asked_for(make: Maker, server: RdapServer, domain: str) -> None:
    assert make({}, listed_at=server.url + "list").look_up(domain).error == "unregistered"
    assert server.asked == []


@pytest.mark.parametrize("servers", [{"*": ""}, {"moon": ""}, {"store.moon": "", "*": "http://127.0.0.1:1/"}])
def test_an_empty_url_asks_nobody(make: Maker, server: RdapServer, servers: dict[str, str]) -> None:
    assert make(servers, listed_at=server.url + "list").look_up("store.moon").error == "no_rdap"
    assert server.asked == []


def test_a_link_to_the_registrars_answer_is_not_followed(rdap: Rdap, server: RdapServer) -> None:
    """The library would follow it wherever it leads, and put the registrar's dates over the registry's."""
    link = {"rel": "related", "href": f"{server.url}registrar/moon.test", "type": "application/rdap+json"}
    server.put("moon.test", answer("moon.test", expires=days(3), links=[link]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rdap.look_up("moon.test").error == ""
    assert server.asked == ["/domain/moon.test"]


def test_a_wired_certdesk_asks_the_configured_server(tmp_path: Path, server: RdapServer) -> None:
    """The composition root hands `rdap.*` to the checks of commands and of the watch, which share what is kept."""
    server.put("moon.test", answer("moon.test", "client hold", expires=days(100)))
    config = {
        "DATABASE__URL": f"sqlite:///{tmp_path / 'x.db'}",
        "VAULT__KEY": new_key(),
        "RDAP__SERVERS": json.dumps({"test": server.url}),
        "DNS__RESOLVERS": '["127.0.0.1:9"]',
        "DNS__TIMEOUT": "0.2",
    }
    application = build(load({f"CERTDESK_{key}": value for key, value in config.items()}, tmp_path))
    given = Subject("www.moon.test", Store("moon"), added=True, default=False)
    for checker in (application.parts.checker, application.watching.checker):
        assert "domain.on_hold" in {finding.code for finding in checker.check(given)}
    application.close()
    assert server.asked == ["/domain/moon.test"]
