"""The DNS port on dnspython's messages and plain sockets: UDP, then TCP, one deadline for each question."""

import errno
import socket
import struct
import time
from dataclasses import dataclass, replace

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.resolver
import dns.rrset

from services.checks.doors import REST, Doors
from services.checks.world import Answer, Record, Server
from services.model.settings import DnsSettings

PAYLOAD = 1232  # octets: fits every path without fragments (DNS flag day 2020)
_HEADER = struct.Struct("!HHHHHH")  # RFC 1035 §4.1.1
_QR, _TC = 0x8000, 0x0200
_HOSTS = frozenset({"NS", "CNAME", "DNAME"})
_WIRES = frozenset({"CAA", "DS", "DNSKEY"})
_NO_EDNS = frozenset({"FORMERR", "NOTIMP", "BADVERS"})  # what servers say that do not know EDNS (RFC 6891 §7)
_NEXT_RESOLVER = frozenset({"REFUSED", "NOTIMP", "FORMERR"})  # a resolver that is not for us: ask the next
Target = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, apart from whom."""

    name: str
    rtype: str
    recursion_desired: bool
    checking_disabled: bool = False
    dnssec_ok: bool = False
    edns: bool = True

    def message(self) -> dns.message.QueryMessage:
        """Return the query with a fresh id. Raises dnspython's own errors for a name that cannot be written."""
        flags = (dns.flags.RD if self.recursion_desired else 0) | (
            dns.flags.CD if self.checking_disabled else 0
        )
        return dns.message.make_query(
            f"{self.name}.",
            self.rtype,
            use_edns=0 if self.edns else False,
            want_dnssec=self.dnssec_ok and self.edns,
            payload=PAYLOAD,
            flags=flags,
        )


class DnsClient:
    """Implements `services.checks.world.Dns`. Of all that it hears it keeps only which resolvers are silent."""

    def __init__(self, settings: DnsSettings, authority_port: int = 53) -> None:
        """Take the resolvers of ``settings`` (else the system's); authoritative servers are asked at ``authority_port``."""
        self._resolvers = settings.resolvers or system_resolvers()
        self._timeout = settings.timeout
        self._asks_parent = settings.delegation_from == "parent"
        self._authority_port = authority_port
        self._doors = Doors(max(REST, 2 * settings.timeout))

    @property
    def asks_parent(self) -> bool:
        """Whether delegations are read from the parent's servers, and data from the zone's own."""
        return self._asks_parent

    @property
    def resolvers(self) -> tuple[Server, ...]:
        """The resolvers one by one; one that was silent is not waited for again for a while."""
        return self._resolvers

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
        """Ask; see `services.checks.world.Dns.query`."""
        recursion = server is None if recursion_desired is None else recursion_desired
        question = Question(name, rtype, recursion, checking_disabled, dnssec_ok)
        deadline = time.monotonic() + self._timeout
        if server not in self._resolvers:
            return ask_in_turn(question, self._targets(server), deadline)
        return self._of_one_resolver(question, server, deadline)

    def _of_one_resolver(self, question: Question, resolver: Target, deadline: float) -> Answer:
        if not self._doors.may_knock(resolver):
            return Answer(question.name, question.rtype, error="timeout", server=resolver)
        answer = ask_one(question, resolver, deadline)
        (self._doors.stayed_shut if answer.silent else self._doors.answered)(resolver)
        return answer

    def _targets(self, server: Server) -> tuple[Target, ...]:
        if server is None:
            return self._resolvers
        return ((server, self._authority_port) if isinstance(server, str) else server,)


def system_resolvers() -> tuple[Target, ...]:
    """Return the resolvers of the system's configuration; without one the local host, as resolv.conf(5) says."""
    try:
        configured = dns.resolver.Resolver(configure=True)
    except dns.resolver.NoResolverConfiguration:
        return (("127.0.0.1", 53),)
    return tuple((str(address), configured.port) for address in configured.nameservers)


def ask_in_turn(question: Question, targets: tuple[Target, ...], deadline: float) -> Answer:
    """Ask ``targets`` in turn until one answers; each may use its share of the time that is left."""
    answer = Answer(question.name, question.rtype, error="unreachable")
    for position, target in enumerate(targets):
        now = time.monotonic()
        answer = ask_one(question, target, now + (deadline - now) / (len(targets) - position))
        if answer.good or (answer.failed and answer.rcode not in _NEXT_RESOLVER):
            break
    return answer


def ask_one(question: Question, target: Target, deadline: float) -> Answer:
    """Ask one server; once more without EDNS if it does not know that."""
    answer = _exchange(question, target, deadline)
    if question.edns and answer.failed and answer.rcode in _NO_EDNS:
        return _exchange(replace(question, edns=False), target, deadline)
    return answer


def _exchange(question: Question, target: Target, deadline: float) -> Answer:
    blank = Answer(question.name, question.rtype, server=target)
    truncated = False
    try:
        query = question.message()
        wire = query.to_wire()
        reply = _over_udp(wire, target, deadline)
        truncated = bool(_HEADER.unpack_from(reply)[1] & _TC)
        if truncated:
            reply = _over_tcp(wire, target, deadline)
        return _read(query, reply, replace(blank, truncated=truncated))
    except OSError as error:
        return replace(blank, error="truncated" if truncated else reason(error), truncated=truncated)
    except (dns.exception.DNSException, ValueError, struct.error):
        return replace(blank, error="malformed", truncated=truncated)


def reason(error: OSError) -> str:
    """Return the port's word for what the network said."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionError) or error.errno == errno.ECONNREFUSED:
        return "refused_connection"
    return "unreachable"


def _over_udp(wire: bytes, target: Target, deadline: float) -> bytes:
    """Send at once and again at half time; a late answer to the first counts too. Raises OSError.

    The socket is connected, so that the kernel drops what others send and reports a closed port at once.
    """
    with socket.socket(_family(target[0]), socket.SOCK_DGRAM) as sock:
        sock.connect(target)
        for until in ((time.monotonic() + deadline) / 2, deadline):
            sock.send(wire)
            if reply := _await_reply(sock, wire[:2], until):
                return reply
    raise TimeoutError


def _await_reply(sock: socket.socket, identity: bytes, until: float) -> bytes | None:
    """Return the next response with this id, or None if none comes in time."""
    while (left := until - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            reply = sock.recv(65535)
        except TimeoutError:
            return None
        if len(reply) >= _HEADER.size and reply[:2] == identity and _HEADER.unpack_from(reply)[1] & _QR:
            return reply
    return None


def _over_tcp(wire: bytes, target: Target, deadline: float) -> bytes:
    """Ask over TCP (RFC 7766), two octets of length first. Raises OSError."""
    with socket.create_connection(target, timeout=_left(deadline)) as sock:
        sock.sendall(struct.pack("!H", len(wire)) + wire)
        (length,) = struct.unpack("!H", _read_exactly(sock, 2, deadline))
        return _read_exactly(sock, length, deadline)


def _read_exactly(sock: socket.socket, size: int, deadline: float) -> bytes:
    received = b""
    while len(received) < size:
        sock.settimeout(_left(deadline))
        chunk = sock.recv(size - len(received))
        if not chunk:
            raise ConnectionResetError(errno.ECONNRESET, "closed before the answer was complete")
        received += chunk
    return received


def _left(deadline: float) -> float:
    """Return the seconds left. Raises TimeoutError if there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _read(query: dns.message.Message, reply: bytes, blank: Answer) -> Answer:
    """Return the reply as an Answer. Raises dnspython's errors, or ValueError, for what is not an answer to the query."""
    message = dns.message.from_wire(reply, ignore_trailing=True)
    if not query.is_response(message):
        raise ValueError("an answer to another question")
    return replace(
        blank,
        rcode=dns.rcode.to_text(message.rcode()),
        authoritative=bool(message.flags & dns.flags.AA),
        recursion_available=bool(message.flags & dns.flags.RA),
        answer=_records(message.answer),
        authority=_records(message.authority),
        additional=_records(message.additional),
        extended=tuple(int(option.code) for option in message.extended_errors()),
    )


def _records(section: list[dns.rrset.RRset]) -> tuple[Record, ...]:
    return tuple(
        record for rrset in section if rrset.rdclass == dns.rdataclass.IN for record in _of_set(rrset)
    )


def _of_set(rrset: dns.rrset.RRset) -> list[Record]:
    owner, rtype = _host(rrset.name.to_text()), dns.rdatatype.to_text(rrset.rdtype)
    return [
        Record(
            owner,
            rtype,
            rrset.ttl,
            _host(text) if rtype in _HOSTS else text,
            rdata.to_wire() or b"" if rtype in _WIRES else b"",
        )
        for rdata in rrset
        for text in (rdata.to_text(),)
    ]


def _host(text: str) -> str:
    return text.lower().removesuffix(".")
