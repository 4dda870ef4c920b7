"""The dns-01 responder against real BIND: what is added, what stays, what is seen where, and what errors say."""

import base64
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import dns.message
import dns.query
import dns.rdatatype
import dns.tsigkeyring
import dns.update
import pytest

from bot.demo.parts.bind import Bind
from bot.demo.parts.dns_server import DnsServer
from bot.demo.parts.process import free_port
from services.issuance.dns_responder import Dns01, record_value
from services.model.errors import DnsUpdateError
from services.model.settings import DnsUpdate

APEX = """$TTL 60
@ SOA ns1.star.test. hostmaster.star.test. 1 60 60 600 60
@ NS ns1.star.test.
@ NS ns2.star.test.
ns1 A 127.0.0.1
ns2 A 127.0.0.2
www A 127.0.0.1
_acme-challenge.alias CNAME alias.answers.test.
_acme-challenge.chain CNAME hop.star.test.
hop CNAME chain.answers.test.
_acme-challenge.away CNAME away.elsewhere.example.
_acme-challenge.loop CNAME loop.star.test.
loop CNAME _acme-challenge.loop.star.test.
*.wide CNAME www.star.test.
sub NS ns.sub.star.test.
ns.sub A 127.0.0.9
"""
ANSWERS = """$TTL 60
@ SOA ns1.star.test. hostmaster.star.test. 1 60 60 600 60
@ NS ns1.star.test.
"""
LOST = """$TTL 60
@ SOA ns.nowhere.example. hostmaster.star.test. 1 60 60 600 60
@ NS ns.nowhere.example.
"""
ONE, TWO = "token-1.thumbprint", "token-2.thumbprint"


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as tried:
            tried.bind(("::1", 0))
    except OSError:
        return False
    return True


HAS_IPV6 = _has_ipv6()
"""Whether this machine has IPv6 on its loopback; containers often have none."""


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    zones = {"star.test": APEX, "answers.test": ANSWERS, "lost.test": LOST}
    addresses = ["127.0.0.1", *(["::1"] if HAS_IPV6 else [])]
    with Bind.start(tmp_path_factory.mktemp("primary"), zones, addresses=addresses) as running:
        yield running


@pytest.fixture
def update(primary: Bind) -> DnsUpdate:
    return DnsUpdate(f"127.0.0.1:{primary.port}", primary.key.name, primary.key.secret)


@pytest.fixture
def dns01(primary: Bind, update: DnsUpdate) -> Dns01:
    return Dns01(update, (("127.0.0.1", primary.port),), 1.0, primary.port)


def values(server: Bind, name: str, address: str = "127.0.0.1") -> list[str]:
    """Return the TXT values that a server has at exactly this name."""
    reply = dns.query.tcp(dns.message.make_query(name, "TXT"), address, 3, server.port)
    own = [
        each
        for each in reply.answer
        if each.name.to_text() == f"{name}." and each.rdtype == dns.rdatatype.TXT
    ]
    return sorted(b"".join(record.strings).decode() for each in own for record in each)


def put(server: Bind, zone: str, name: str, texts: Sequence[str], address: str = "127.0.0.1") -> None:
    """Add TXT values by hand."""
    ring = dns.tsigkeyring.from_text({server.key.name: server.key.secret})
    message = dns.update.UpdateMessage(zone, keyring=ring, keyalgorithm=server.key.algorithm)
    for text in texts:
        message.add(f"{name}.", 60, "TXT", f'"{text}"')
    assert dns.query.tcp(message, address, 3, server.port).rcode() == 0


def refusal(dns01: Dns01, name: str) -> str:
    with pytest.raises(DnsUpdateError) as raised:
        dns01.present(name, "token-1", ONE, "cert-1")
    return raised.value.text.plain()


def test_a_value_comes_stands_beside_others_and_goes_alone(dns01: Dns01, primary: Bind) -> None:
    record = "_acme-challenge.www.star.test"
    put(primary, "star.test", record, ["of somebody else"])
    for key_authorization in (ONE, TWO, ONE):  # the third time there is nothing to do
        dns01.present("www.star.test", "token", key_authorization, "cert-1")
    assert values(primary, record) == sorted([record_value(ONE), record_value(TWO), "of somebody else"])
    assert dns01.visible("www.star.test", "token", ONE)
    assert not dns01.visible("www.star.test", "token", "token-3.thumbprint")
    for _ in range(2):
        dns01.clean_up("www.star.test", "token", ONE, "cert-1")
    assert not dns01.visible("www.star.test", "token", ONE)
    assert dns01.visible("www.star.test", "token", TWO)
    dns01.clean_up("www.star.test", "token", TWO, "cert-1")
    assert values(primary, record) == ["of somebody else"]


def test_eight_at_once_do_not_hurt_each_other(dns01: Dns01, primary: Bind) -> None:
    mine = [f"token-{index}.thumbprint" for index in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: dns01.present("many.star.test", "token", key, "cert-1"), mine))
        assert all(pool.map(lambda key: dns01.visible("many.star.test", "token", key), mine))
        list(pool.map(lambda key: dns01.clean_up("many.star.test", "token", key, "cert-1"), mine))
    assert values(primary, "_acme-challenge.many.star.test") == []


def test_so_many_values_that_the_answer_comes_over_tcp(dns01: Dns01, primary: Bind) -> None:
    put(primary, "star.test", "_acme-challenge.full.star.test", [f"{index:0200d}" for index in range(40)])
    dns01.present("full.star.test", "token-1", ONE, "cert-1")
    assert dns01.visible("full.star.test", "token-1", ONE)
    dns01.clean_up("full.star.test", "token-1", ONE, "cert-1")
    assert len(values(primary, "_acme-challenge.full.star.test")) == 40


@pytest.mark.parametrize(
    ("name", "place"),
    [("alias.star.test", "alias.answers.test"), ("chain.star.test", "chain.answers.test")],
)
def test_a_cname_is_followed_into_another_zone(dns01: Dns01, primary: Bind, name: str, place: str) -> None:
    dns01.present(name, "token-1", ONE, "cert-1")
    assert values(primary, place) == [record_value(ONE)]
    assert dns01.visible(name, "token-1", ONE)
    dns01.clean_up(name, "token-1", ONE, "cert-1")
    assert values(primary, place) == []
    assert not dns01.visible(name, "token-1", ONE)


def test_beneath_a_wildcard_cname_the_record_itself_is_made(dns01: Dns01, primary: Bind) -> None:
    dns01.present("wide.star.test", "token-1", ONE, "cert-1")
    assert values(primary, "_acme-challenge.wide.star.test") == [record_value(ONE)]
    assert dns01.visible("wide.star.test", "token-1", ONE)
    for _ in range(2):
        dns01.clean_up("wide.star.test", "token-1", ONE, "cert-1")
    assert values(primary, "_acme-challenge.wide.star.test") == []
    assert values(primary, "www.star.test") == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("away.star.test", "away.elsewhere.example lies in no zone that 127.0.0.1:"),
        ("shop.other.test", "_acme-challenge.shop.other.test lies in no zone"),
        ("sub.star.test", "_acme-challenge.sub.star.test lies in no zone"),
        ("loop.star.test", "took the update for _acme-challenge.loop.star.test but does not show it"),
        (f"{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 50}.star.test", "too long for dns-01"),
    ],
)
def test_where_the_record_cannot_be_written_the_reason_is_said(dns01: Dns01, name: str, said: str) -> None:
    assert said in refusal(dns01, name)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"key_name": "stranger."}, "does not know the TSIG key stranger. (BADKEY)"),
        (
            {"key_secret": base64.b64encode(b"x" * 32).decode()},
            "different secrets for the TSIG key certdesk. (BADSIG)",
        ),
        ({"key_secret": "not base64!"}, "dns.update.key_secret must be base64"),
        ({"algorithm": "hmac-md2"}, "dns.update.algorithm one such as hmac-sha256"),
        ({"key_name": "a..b"}, "cannot be used"),
    ],
)
def test_a_wrong_key_is_told_apart(update: DnsUpdate, change: dict[str, str], said: str) -> None:
    assert said in refusal(Dns01(replace(update, **change), timeout=1.0), "www.star.test")  # type: ignore[arg-type]


def test_a_server_that_is_not_there_is_named(update: DnsUpdate) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        server = f"127.0.0.1:{silent.getsockname()[1]}"
        said = refusal(Dns01(replace(update, server=server), timeout=0.2), "www.star.test")
    assert said.startswith(server)
    assert "On-call: check dns.update.server" in said


@pytest.mark.parametrize("server", ["ns1.star.test", "127.0.0.1:dns", ""])
def test_a_server_that_is_no_address_is_refused_at_once(update: DnsUpdate, server: str) -> None:
    with pytest.raises(DnsUpdateError, match="neither an address nor ADDRESS:PORT"):
        Dns01(replace(update, server=server))


def test_the_port_may_stand_apart_and_the_address_may_be_ipv6(primary: Bind, update: DnsUpdate) -> None:
    over_ipv6 = ["::1", "[::1]", f"[::1]:{primary.port}"] if HAS_IPV6 else []
    for server in ("127.0.0.1", *over_ipv6):
        dns01 = Dns01(replace(update, server=server, port=primary.port), (("127.0.0.1", primary.port),), 1.0)
        dns01.present("www.star.test", "token-1", ONE, "cert-1")
        dns01.clean_up("www.star.test", "token-1", ONE, "cert-1")


def test_every_authoritative_server_that_answers_must_show_it(dns01: Dns01, primary: Bind) -> None:
    dns01.present("both.star.test", "token-1", ONE, "cert-1")
    with DnsServer({"star.test": APEX}, address="127.0.0.2", port=primary.port, keys=[primary.key]) as second:
        assert not dns01.visible("both.star.test", "token-1", ONE)
        put(primary, "star.test", "_acme-challenge.both.star.test", [record_value(ONE)], second.address)
        assert dns01.visible("both.star.test", "token-1", ONE)
        put(primary, "star.test", "_acme-challenge.both.star.test", ["another"], second.address)
        assert dns01.visible("both.star.test", "token-1", ONE)
    dns01.clean_up("both.star.test", "token-1", ONE, "cert-1")


def test_a_silent_server_is_passed_over_and_waited_for_once(dns01: Dns01) -> None:
    dns01.present("silent.star.test", "token-1", ONE, "cert-1")
    waits = []
    for _ in range(2):
        began = time.monotonic()
        assert dns01.visible("silent.star.test", "token-1", ONE)
        waits.append(time.monotonic() - began)
    assert waits[0] >= 1.0 > waits[1]
    dns01.clean_up("silent.star.test", "token-1", ONE, "cert-1")


def test_where_no_server_answers_it_is_not_visible(primary: Bind, update: DnsUpdate) -> None:
    """The primary's own address is not among those of the zone, and nobody listens at the others."""
    with DnsServer({"star.test": APEX}, address="127.0.0.3", keys=[primary.key]) as hidden:
        server = f"{hidden.address}:{hidden.port}"
        resolvers = (("127.0.0.1", primary.port),)
        dns01 = Dns01(replace(update, server=server), resolvers, 0.2, free_port())
        dns01.present("hidden.star.test", "token-1", ONE, "cert-1")
        assert not dns01.visible("hidden.star.test", "token-1", ONE)
        dns01.clean_up("hidden.star.test", "token-1", ONE, "cert-1")


def test_where_name_servers_cannot_be_resolved_the_primary_speaks_for_them(
    primary: Bind, update: DnsUpdate
) -> None:
    for resolver in (("127.0.0.1", primary.port), ("127.0.0.1", free_port())):
        dns01 = Dns01(update, (resolver,), 0.3)
        dns01.present("lost.test", "token-1", ONE, "cert-1")
        assert dns01.visible("lost.test", "token-1", ONE)
        dns01.clean_up("lost.test", "token-1", ONE, "cert-1")
        assert not dns01.visible("lost.test", "token-1", ONE)
