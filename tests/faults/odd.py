"""A name server that answers some questions badly, as a table of rules says, and all others as its zones have it."""

import contextlib
import socketserver
import struct
import threading
import time
from collections.abc import Mapping

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from bot.demo.parts.dns_server import DnsServer

_LATE = 0.6
"""Seconds that a late answer takes."""
Rules = Mapping[tuple[str, str], str]
"""(name, type) -> how it is answered: an rcode, or one of `_MANNERS`. The type * holds for all that lies below the name,
"*.NAME" for names below it."""


class Odd:
    """A name server with zones and rules; UDP, and TCP unless told otherwise."""

    def __init__(self, address: str, port: int, *, tcp: bool = True) -> None:
        self.zones = DnsServer({}, address=address, port=port)
        self._rules: dict[tuple[str, str], str] = {}
        self.asked: list[tuple[str, str]] = []
        servers: list[type[socketserver.BaseServer]] = [_Udp, _Tcp] if tcp else [_Udp]
        self._servers = [kind((address, port), self) for kind in servers]  # type: ignore[arg-type]
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            for server in self._servers
        ]
        for thread in self._threads:
            thread.start()

    def take(self, zones: Mapping[str, str], rules: Rules) -> None:
        """Serve these zones too, and keep these rules too."""
        for origin, text in zones.items():
            self.zones.set_zone(origin, text)
        self._rules.update(rules)

    def answer(self, wire: bytes, largest: int) -> bytes:
        """Return the answer, good or bad; empty for none."""
        query = dns.message.from_wire(wire)
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        rtype = dns.rdatatype.to_text(query.question[0].rdtype)
        self.asked.append((name, rtype))
        rule = self._rule(name, rtype)
        if rule is None:
            return self.zones.answer(wire, largest)
        if rule in _MANNERS:
            return _MANNERS[rule](query, self.zones.answer(wire, largest), largest)
        return _coded(query, rule).to_wire()

    def _rule(self, name: str, rtype: str) -> str | None:
        labels = name.split(".")
        names = [".".join(labels[place:]) for place in range(len(labels))]
        keys = [(name, rtype), *((each, "*") for each in names), *((f"*.{each}", rtype) for each in names)]
        return next((self._rules[key] for key in keys if key in self._rules), None)

    def stop(self) -> None:
        """Stop answering."""
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()


def _coded(query: dns.message.Message, rcode: str) -> dns.message.Message:
    answer = dns.message.make_response(query)
    answer.set_rcode(dns.rcode.from_text(rcode))
    return answer


def _silent(_query: dns.message.Message, _good: bytes, _largest: int) -> bytes:
    return b""


def _late(_query: dns.message.Message, good: bytes, _largest: int) -> bytes:
    time.sleep(_LATE)
    return good


def _truncated(query: dns.message.Message, good: bytes, largest: int) -> bytes:
    """Leave all to TCP."""
    if largest > 512:
        return good
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.TC | dns.flags.AA
    return answer.to_wire()


def _upward(query: dns.message.Message, _good: bytes, _largest: int) -> bytes:
    """Refer to the root, as servers do that have never heard of the zone."""
    answer = dns.message.make_response(query)
    answer.authority.append(dns.rrset.from_text(".", 60, "IN", "NS", "a.root.test."))
    return answer.to_wire()


def _denied(query: dns.message.Message, _good: bytes, _largest: int) -> bytes:
    """Say with authority that the name does not exist, even where names exist below it."""
    answer = _coded(query, "NXDOMAIN")
    answer.flags |= dns.flags.AA
    return answer.to_wire()


def _plain(query: dns.message.Message, good: bytes, _largest: int) -> bytes:
    """Know no EDNS (RFC 6891 §7)."""
    if query.edns < 0:
        return good
    refusal = _coded(query, "FORMERR")
    refusal.use_edns(False)
    return refusal.to_wire()


def _humble(_query: dns.message.Message, good: bytes, _largest: int) -> bytes:
    """Answer as somebody who only heard of it: without authority."""
    answer = dns.message.from_wire(good)
    answer.flags &= ~dns.flags.AA
    return answer.to_wire()


_MANNERS = {
    "silent": _silent,
    "late": _late,
    "truncated": _truncated,
    "upward": _upward,
    "denied": _denied,
    "plain": _plain,
    "humble": _humble,
}


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, place: tuple[str, int], odd: Odd) -> None:
        self.odd = odd
        super().__init__(place, _UdpHandler)


class _UdpHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, sender = self.request
        if reply := self.server.odd.answer(wire, 512):  # type: ignore[attr-defined]  # _Udp has it
            sender.sendto(reply, self.client_address)


class _Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, place: tuple[str, int], odd: Odd) -> None:
        self.odd = odd
        super().__init__(place, _TcpHandler)


class _TcpHandler(socketserver.StreamRequestHandler):
    timeout = 5

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while header := self.rfile.read(2):
                wire = self.rfile.read(struct.unpack("!H", header)[0])
                reply = self.server.odd.answer(wire, 65535)  # type: ignore[attr-defined]  # _Tcp has it
                self.wfile.write(struct.pack("!H", len(reply)) + reply)
