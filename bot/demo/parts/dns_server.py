"""A small authoritative DNS server in this process, on dnspython: for the demo, and where there is no BIND.

It knows zones of master-file text, referrals, CNAME chains across its zones, wildcards (RFC 4592), negative answers
with SOA (RFC 2308), and updates signed with TSIG (RFC 2136, RFC 8945). It knows no DNSSEC and no zone transfer.
"""

import contextlib
import socket
import socketserver
import struct
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.transaction
import dns.tsig
import dns.update
import dns.versioned
import dns.zone

from bot.demo.parts import dns_zone
from bot.demo.parts.bind import TsigKey
from bot.demo.parts.process import free_port

_LONGEST_CHAIN = 16
_PLAIN_UDP = 512  # bytes, RFC 1035 §4.2.1


class DnsServer:
    """Answers for its zones over UDP and TCP from `start` to `stop`; safe to use from many threads.

    With `resolver` it looks like a resolver that knows its zones and nothing else: recursion is offered, no answer
    claims authority, and what would be a referral is SERVFAIL. Names outside its zones are refused.
    """

    def __init__(
        self,
        zones: Mapping[str, str],
        *,
        address: str = "127.0.0.1",
        port: int | None = None,
        keys: Sequence[TsigKey] = (),
        resolver: bool = False,
    ) -> None:
        self.address, self.port = address, port or free_port(address)
        self._resolver = resolver
        self._zones: dict[dns.name.Name, dns.versioned.Zone] = {}
        self._keyring = {
            dns.name.from_text(key.name): dns.tsig.Key(key.name, key.secret, key.algorithm) for key in keys
        }
        self._servers: list[tuple[socketserver.BaseServer, threading.Thread]] = []
        for origin, text in zones.items():
            self.set_zone(origin, text)

    def set_zone(self, origin: str, text: str) -> None:
        """Let `text` (a master file) be the zone `origin` from now on."""
        zone = dns.zone.from_text(text, origin, zone_factory=dns.versioned.Zone, relativize=False)
        assert isinstance(zone, dns.versioned.Zone)  # noqa: S101 - the factory says so
        name = dns.name.from_text(origin)
        self._zones = {**self._zones, name: zone}

    def records(self, name: str, rdtype: str) -> list[str]:
        """Return the texts of the records of that name and type, as they stand now."""
        absolute = dns.name.from_text(name)
        zone = self._zone_of(absolute)
        if zone is None:
            return []
        with zone.reader() as txn:
            found = txn.get(absolute, rdtype)
            return sorted(item.to_text() for item in found) if found else []

    def start(self) -> Self:
        """Begin to answer."""
        for kind in (_Udp, _Tcp):
            server = kind((self.address, self.port), self)
            thread = threading.Thread(
                target=server.serve_forever, args=(0.05,), daemon=True, name="dns-server"
            )
            thread.start()
            self._servers.append((server, thread))
        return self

    def stop(self) -> None:
        """Stop answering; may be called again."""
        while self._servers:
            server, thread = self._servers.pop()
            server.shutdown()
            thread.join()
            server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def answer(self, wire: bytes, largest: int) -> bytes:
        """Return the answer to a message, at most `largest` bytes long (truncated if it is longer)."""
        try:
            query = dns.message.from_wire(wire, keyring=self._keyring)
        except (dns.tsig.PeerError, dns.tsig.BadSignature, dns.tsig.BadTime, dns.message.UnknownTSIGKey):
            return _refusal(wire, dns.rcode.NOTAUTH)
        except dns.exception.DNSException:
            return _refusal(wire, dns.rcode.FORMERR)
        response = dns.message.make_response(query, recursion_available=self._resolver, our_payload=1232)
        if isinstance(query, dns.update.UpdateMessage):
            response.set_rcode(self._update(query))
        elif query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
            response.set_rcode(dns.rcode.NOTIMP)
        else:
            self._look_up(query.question[0].name, query.question[0].rdtype, response)
        size = largest if largest > _PLAIN_UDP else max(_PLAIN_UDP, query.payload)
        return response.to_wire(max_size=size, prefer_truncation=True)

    def _zone_of(self, name: dns.name.Name, *, above: bool = False) -> dns.versioned.Zone | None:
        """Return the zone that `name` lies in; with `above`, not the one that begins at it."""
        zones = self._zones
        while True:
            if name in zones and not above:
                return zones[name]
            if name == dns.name.root:
                return None
            name, above = name.parent(), False

    def _look_up(
        self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, response: dns.message.Message
    ) -> None:
        """Fill the response, following CNAMEs as far as this server's zones lead."""
        for _ in range(_LONGEST_CHAIN):
            zone = self._zone_of(name, above=rdtype == dns.rdatatype.DS) or self._zone_of(name)
            if zone is None:
                if not response.answer:
                    response.set_rcode(dns.rcode.REFUSED)
                return
            with zone.reader() as txn:
                target = self._in_zone(zone, txn, name, rdtype, response)
            if target is None:
                return
            name = target

    def _in_zone(
        self,
        zone: dns.versioned.Zone,
        txn: dns_zone.Txn,
        name: dns.name.Name,
        rdtype: dns.rdatatype.RdataType,
        response: dns.message.Message,
    ) -> dns.name.Name | None:
        """Add what this zone says of `name`; return where a CNAME leads."""
        origin = zone.origin or dns.name.root
        cut = dns_zone.cut(txn, origin, name, rdtype)
        if cut is not None:
            self._refer(txn, cut, response)
            return None
        if not self._resolver:
            response.flags |= dns.flags.AA
        source = dns_zone.source(txn, origin, name)
        if source is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
            dns_zone.add(response.authority, origin, txn.get(origin, dns.rdatatype.SOA))
            return None
        if rdtype == dns.rdatatype.ANY:
            for owner, rdataset in txn.iterate_rdatasets():
                if owner == source:
                    dns_zone.add(response.answer, name, rdataset)
            return None
        alias = txn.get(source, dns.rdatatype.CNAME)
        if alias is not None and rdtype != dns.rdatatype.CNAME:
            dns_zone.add(response.answer, name, alias)
            target: dns.name.Name = alias[0].target
            return target
        if not dns_zone.add(response.answer, name, txn.get(source, rdtype)):
            dns_zone.add(response.authority, origin, txn.get(origin, dns.rdatatype.SOA))
        return None

    def _refer(self, txn: dns_zone.Txn, cut: dns.name.Name, response: dns.message.Message) -> None:
        """Name the servers of a zone that was delegated, with their addresses as far as they stand here."""
        if self._resolver:
            response.set_rcode(dns.rcode.SERVFAIL)
            return
        servers = txn.get(cut, dns.rdatatype.NS)
        dns_zone.add(response.authority, cut, servers)
        for server in servers or ():
            zone = self._zone_of(server.target)
            if zone is None:
                continue  # of a server in nobody's zone here, only its name is known
            with zone.reader() as glue:
                for rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
                    dns_zone.add(response.additional, server.target, glue.get(server.target, rdtype))

    def _update(self, message: dns.update.UpdateMessage) -> dns.rcode.Rcode:
        """Carry out a signed update (RFC 2136 §3) and return what became of it."""
        if len(message.zone) != 1 or message.zone[0].name not in self._zones:
            return dns.rcode.NOTAUTH
        if not message.had_tsig:
            return dns.rcode.REFUSED
        zone = self._zones[message.zone[0].name]
        with zone.writer() as txn:
            for condition in message.prerequisite:
                failed = dns_zone.unmet(txn, condition)
                if failed is not None:
                    txn.rollback()
                    return failed
            for change in message.update:
                dns_zone.change(txn, change)
            if txn.changed():
                txn.update_serial(name=zone.origin or dns.name.root)
        return dns.rcode.NOERROR


def _refusal(wire: bytes, rcode: dns.rcode.Rcode) -> bytes:
    """Return a bare answer with `rcode` to a message that could not be read."""
    number, flags = struct.unpack("!HH", wire[:4].ljust(4, b"\0"))
    return struct.pack("!HHHHHH", number, 0x8000 | flags & 0x7900 | rcode, 0, 0, 0, 0)


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True
    block_on_close = False
    max_packet_size = 65535

    def __init__(self, place: tuple[str, int], answers: DnsServer) -> None:
        self.address_family = _family(place[0])
        self.answers = answers
        super().__init__(place, _UdpHandler)


class _Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, place: tuple[str, int], answers: DnsServer) -> None:
        self.address_family = _family(place[0])
        self.answers = answers
        super().__init__(place, _TcpHandler)


class _UdpHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, sender = self.request
        server: _Udp = self.server  # type: ignore[assignment]  # the one that made this handler
        sender.sendto(server.answers.answer(wire, _PLAIN_UDP), self.client_address)


class _TcpHandler(socketserver.StreamRequestHandler):
    timeout = 10  # seconds that a silent client is kept

    def handle(self) -> None:
        server: _Tcp = self.server  # type: ignore[assignment]  # the one that made this handler
        with contextlib.suppress(OSError):
            while header := self.rfile.read(2):
                wire = self.rfile.read(struct.unpack("!H", header)[0])
                answer = server.answers.answer(wire, 65535)
                self.wfile.write(struct.pack("!H", len(answer)) + answer)


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
