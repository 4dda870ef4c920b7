"""The DNS adapter against servers that lose, cut, forge and garble answers."""

import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from bot.demo.parts.process import free_port
from services.checks.dns import DnsClient, system_resolvers
from services.checks.world import Answer
from services.model.settings import DnsSettings

Reaction = Callable[[dns.message.Message, int], list[bytes]]
"""Takes a query and how many came before it, and returns what is sent back."""


def good(query: dns.message.Message, text: str = "192.0.2.1") -> dns.message.Message:
    answer = dns.message.make_response(query)
    answer.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", text))
    return answer


class Server:
    """A server on one loopback port whose reactions over UDP and TCP are functions."""

    def __init__(self, udp: Reaction, tcp: Reaction | None = None) -> None:
        self.port = free_port()
        self.queries: list[dns.message.Message] = []
        self._servers: list[socketserver.BaseServer] = [_udp(self, udp)]
        if tcp:
            self._servers.append(_tcp(self, tcp))
        self._threads = [threading.Thread(target=s.serve_forever, args=(0.02,)) for s in self._servers]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()

    def react(self, wire: bytes, reaction: Reaction) -> list[bytes]:
        query = dns.message.from_wire(wire)
        self.queries.append(query)
        return reaction(query, len(self.queries) - 1)


def _udp(server: Server, reaction: Reaction) -> socketserver.BaseServer:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, sock = self.request
            for reply in server.react(wire, reaction):
                sock.sendto(reply, self.client_address)

    return socketserver.UDPServer(("127.0.0.1", server.port), Handler)


def _tcp(server: Server, reaction: Reaction) -> socketserver.BaseServer:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            header = self.rfile.read(2)
            for reply in server.react(self.rfile.read(struct.unpack("!H", header)[0]), reaction):
                self.wfile.write(reply)

    class Tcp(socketserver.TCPServer):
        allow_reuse_address = True

    return Tcp(("127.0.0.1", server.port), Handler)


def client(*ports: int, timeout: float = 0.6) -> DnsClient:
    return DnsClient(DnsSettings(resolvers=tuple(("127.0.0.1", port) for port in ports), timeout=timeout))


def ask(server: Server, timeout: float = 0.6) -> Answer:
    return client(server.port, timeout=timeout).query("shop.moon.test", "A")


def cut(query: dns.message.Message, _: int) -> list[bytes]:
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.TC
    return [answer.to_wire()]


def framed(wire: bytes) -> bytes:
    return struct.pack("!H", len(wire)) + wire


def test_an_answer_is_read() -> None:
    def react(query: dns.message.Message, _: int) -> list[bytes]:
        answer = good(query)
        answer.flags |= dns.flags.AA | dns.flags.RA
        answer.use_edns(options=[dns.edns.EDEOption(dns.edns.EDECode.NO_REACHABLE_AUTHORITY)])
        return [answer.to_wire()]

    with Server(react) as server:
        answer = ask(server)
    assert (answer.rcode, answer.authoritative, answer.recursion_available) == ("NOERROR", True, True)
    assert [record.text for record in answer.of("shop.moon.test", "A")] == ["192.0.2.1"]
    assert answer.extended == (22,)
    assert answer.good
    query = server.queries[0]
    assert query.payload == 1232
    assert query.flags & dns.flags.RD
    assert not query.flags & dns.flags.CD


def test_flags_are_sent() -> None:
    with Server(lambda query, _: [good(query).to_wire()]) as server:
        client(server.port).query("a.test", "A", ("127.0.0.1", server.port), dnssec_ok=True)
        client(server.port).query("a.test", "A", checking_disabled=True, recursion_desired=False)
        DnsClient(DnsSettings(), authority_port=server.port).query("a.test", "A", "127.0.0.1")
    first, second, third = server.queries
    assert first.ednsflags & dns.flags.DO
    assert not first.flags & dns.flags.RD
    assert second.flags & dns.flags.CD
    assert not second.flags & dns.flags.RD
    assert not third.flags & dns.flags.RD


def test_one_lost_packet_is_sent_again() -> None:
    with Server(lambda query, before: [good(query).to_wire()] if before else []) as server:
        assert ask(server).good
    assert len(server.queries) == 2


def test_silence_ends_at_the_deadline() -> None:
    with Server(lambda _query, _before: []) as server:
        started = time.monotonic()
        answer = ask(server, timeout=0.4)
        assert 0.35 < time.monotonic() - started < 0.8
    assert answer.error == "timeout"
    assert answer.silent
    assert not answer.failed


def test_a_closed_port_is_told_at_once() -> None:
    started = time.monotonic()
    assert client(free_port(), timeout=5).query("a.test", "A").error == "refused_connection"
    assert time.monotonic() - started < 1


def test_an_address_without_a_route() -> None:
    assert client(1).query("a.test", "A", ("255.255.255.255", 53)).error == "unreachable"


def test_truncation_leads_to_tcp() -> None:
    with Server(cut, lambda query, _: [framed(good(query).to_wire())]) as server:
        answer = ask(server)
    assert answer.truncated
    assert answer.good
    assert answer.answer


TCP_FAULTS: dict[str, Reaction | None] = {
    "refused": None,
    "closed without an answer": lambda _query, _: [],
    "cut short": lambda query, _: [framed(good(query).to_wire())[:20]],
}


@pytest.mark.parametrize("fault", TCP_FAULTS)
def test_truncation_without_tcp_is_no_answer(fault: str) -> None:
    with Server(cut, TCP_FAULTS[fault]) as server:
        answer = ask(server)
    assert (answer.error, answer.truncated) == ("truncated", True)


def test_slow_tcp_ends_at_the_deadline() -> None:
    release = threading.Event()

    def wait(_query: dns.message.Message, _: int) -> list[bytes]:
        release.wait(5)
        return []

    with Server(cut, wait) as server:
        started = time.monotonic()
        answer = ask(server, timeout=0.3)
        assert time.monotonic() - started < 1
        release.set()
    assert answer.error == "truncated"


def test_forged_ids_and_queries_are_passed_over() -> None:
    """Only a response with the query's own id counts; others wait for the real one."""

    def react(query: dns.message.Message, _: int) -> list[bytes]:
        forged = good(query, "192.0.2.66")
        forged.id ^= 1
        return [b"x", forged.to_wire(), query.to_wire(), good(query).to_wire()]

    with Server(react) as server:
        assert [record.text for record in ask(server).answer] == ["192.0.2.1"]


def _about_another(query: dns.message.Message) -> bytes:
    other = dns.message.make_query("other.test.", "A", id=query.id)
    return good(other).to_wire()


MALFORMED: dict[str, Callable[[dns.message.Message], bytes]] = {
    "garbage after the header": lambda query: good(query).to_wire()[:12] + b"\xff" * 9,
    "another question": _about_another,
    "cut inside a record": lambda query: good(query).to_wire()[:-2],
}


@pytest.mark.parametrize("fault", MALFORMED)
def test_what_cannot_be_read_is_no_answer(fault: str) -> None:
    with Server(lambda query, _: [MALFORMED[fault](query)]) as server:
        assert ask(server).error == "malformed"


def test_a_name_that_cannot_be_written() -> None:
    assert client(1).query("a" * 64 + ".test", "A").error == "malformed"


@pytest.mark.parametrize("rcode", ["FORMERR", "NOTIMP", "BADVERS"])
def test_servers_without_edns_are_asked_without(rcode: str) -> None:
    def react(query: dns.message.Message, _: int) -> list[bytes]:
        if query.edns >= 0:
            answer = dns.message.make_response(query)
            answer.set_rcode(dns.rcode.from_text(rcode))
            return [answer.to_wire()]
        return [good(query).to_wire()]

    with Server(react) as server:
        assert ask(server).good


def _always(rcode: str) -> Reaction:
    def react(query: dns.message.Message, _: int) -> list[bytes]:
        answer = dns.message.make_response(query)
        answer.set_rcode(dns.rcode.from_text(rcode))
        return [answer.to_wire()]

    return react


@pytest.mark.parametrize("fault", ["REFUSED", "silent", "closed"])
def test_the_next_resolver_is_asked(fault: str) -> None:
    reaction: Reaction = (lambda _query, _: []) if fault == "silent" else _always("REFUSED")
    with Server(reaction) as first, Server(lambda query, _: [good(query).to_wire()]) as second:
        port = free_port() if fault == "closed" else first.port
        assert client(port, second.port).query("a.test", "A").good


@pytest.mark.parametrize("rcode", ["SERVFAIL", "NXDOMAIN"])
def test_an_answer_is_final(rcode: str) -> None:
    """A validating resolver's SERVFAIL is not undone by a careless neighbour."""
    with Server(_always(rcode)) as first, Server(lambda query, _: [good(query).to_wire()]) as second:
        assert client(first.port, second.port).query("a.test", "A").rcode == rcode
        assert not second.queries


def test_all_resolvers_refuse() -> None:
    with Server(_always("REFUSED")) as first, Server(_always("REFUSED")) as second:
        answer = client(first.port, second.port).query("a.test", "A")
    assert answer.failed
    assert answer.trouble == "REFUSED"


def test_many_threads_at_once() -> None:
    def react(query: dns.message.Message, _: int) -> list[bytes]:
        return [good(query, f"192.0.2.{query.question[0].name.to_text()[1:-6]}").to_wire()]

    with Server(react) as server, ThreadPoolExecutor(16) as pool:
        resolver = client(server.port, timeout=5)
        answers = pool.map(lambda n: resolver.query(f"n{n}.test", "A"), range(1, 200))
        assert [answer.answer[0].text for answer in answers] == [f"192.0.2.{n}" for n in range(1, 200)]


def test_other_classes_and_escapes() -> None:
    def react(query: dns.message.Message, _: int) -> list[bytes]:
        answer = dns.message.make_response(query)
        answer.answer.append(dns.rrset.from_text("SHOP.moon.test.", 5, "IN", "CNAME", "Edge.PLATFORM.test."))
        answer.answer.append(dns.rrset.from_text("edge.platform.test.", 5, "CH", "A", "a. 1"))
        return [answer.to_wire()]

    with Server(react) as server:
        answer = ask(server)
    assert answer.alias("shop.moon.test") == "edge.platform.test"
    assert len(answer.answer) == 1


@pytest.fixture
def six() -> Iterator[int]:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.bind(("::1", 0))
        yield int(sock.getsockname()[1])


def test_ipv6_is_spoken(six: int) -> None:
    assert client(1, timeout=0.2).query("a.test", "A", ("::1", six)).error == "timeout"


def test_the_system_has_resolvers() -> None:
    found = system_resolvers()
    assert found
    assert all(address and port for address, port in found)
    assert DnsClient(DnsSettings()).asks_parent


def test_a_resolver_that_was_silent_is_not_waited_for_again() -> None:
    """Where each resolver is asked by itself, a dead one must not hold up every check."""
    with Server(lambda _query, _: []) as dead, Server(lambda query, _: [good(query).to_wire()]) as alive:
        asker = client(alive.port, dead.port, timeout=0.3)
        first, second = asker.resolvers
        assert asker.query("a.test", "NS", second, recursion_desired=True).error == "timeout"
        heard = len(dead.queries)
        assert asker.query("b.test", "NS", second, recursion_desired=True).error == "timeout"
        assert len(dead.queries) == heard, "it was not asked"
        assert asker.query("b.test", "NS", first, recursion_desired=True).good
        assert asker.query("b.test", "A").good, "questions to whichever answers go on as ever"
