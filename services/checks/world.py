"""What the checks need of the world: DNS, registrations and the Web as ports, and the settings they judge by."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from services.model.certificates import Certificate
from services.model.clock import Clock
from services.model.settings import CaSettings, Issuing, Platform, Probing

Server = str | tuple[str, int] | None
"""Whom to ask: an authoritative server's address (its port is the adapter's), address and port, or None: the resolvers."""


RESOLVER = "the resolver"
"""What stands where a server's address would, if the resolvers were asked."""


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record of class IN."""

    name: str
    """Owner: lower case, without the final dot; the root is the empty text."""
    type: str
    ttl: int
    """Seconds."""
    text: str
    """The data in presentation form; the host name of NS, CNAME and DNAME as in `name`."""
    wire: bytes = b""
    """The data in wire form, for CAA, DS and DNSKEY only."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one question; with `error` set, nothing else means anything but `server` and `truncated`."""

    name: str
    type: str
    rcode: str = "NOERROR"
    """As in the IANA registry: NOERROR, NXDOMAIN, SERVFAIL, REFUSED …"""
    authoritative: bool = False
    recursion_available: bool = False
    truncated: bool = False
    """Whether UDP was too small; `answer` is then what TCP brought."""
    answer: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    error: str = ""
    """Empty, or why there is no usable answer: timeout, refused_connection, unreachable, truncated, malformed."""
    server: tuple[str, int] | None = None
    """Who answered, or was asked last."""
    extended: tuple[int, ...] = ()
    """Extended DNS errors (RFC 8914), by number."""

    @property
    def silent(self) -> bool:
        """Whether there is no answer at all: that is unknown, never a no."""
        return bool(self.error)

    @property
    def failed(self) -> bool:
        """Whether the server says in so many words that it cannot or will not answer (SERVFAIL, REFUSED …)."""
        return not self.error and self.rcode not in ("NOERROR", "NXDOMAIN")

    @property
    def good(self) -> bool:
        """Whether the server answers the question, be it with yes, nothing or NXDOMAIN."""
        return not self.silent and not self.failed

    @property
    def trouble(self) -> str:
        """The error, or the rcode that stands for one; empty for a good answer."""
        return self.error or (self.rcode if self.failed else "")

    def of(self, name: str, rtype: str) -> tuple[Record, ...]:
        """Return the answer section's records of this owner and type."""
        return tuple(record for record in self.answer if record.name == name and record.type == rtype)

    def alias(self, name: str) -> str | None:
        """Return where the answer's CNAME (given, or made from a DNAME) leads from ``name``, or None."""
        return next((record.text for record in self.of(name, "CNAME")), None)

    def zone_of_denial(self) -> str | None:
        """Return the zone that denies existence: the owner of the authority section's SOA (RFC 2308 §2), or None."""
        return next((record.name for record in self.authority if record.type == "SOA"), None)


class Dns(Protocol):
    """Asks DNS. Any thread may call; nothing is cached here; every question ends by its own deadline."""

    @property
    def asks_parent(self) -> bool:
        """Whether authoritative servers may be asked: the parent's for a delegation, then those it names.

        If not, everything is asked of the resolvers.
        """
        ...

    @property
    def resolvers(self) -> tuple[Server, ...]:
        """The resolvers, each to be asked by itself: they do not all hold the same."""
        ...

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
        """Ask one question and return what came back; it never raises for what the network or a server does.

        ``recursion_desired`` None means: of resolvers, not of authoritative servers. UDP first, TCP after truncation.
        Resolvers are tried in turn until one answers; SERVFAIL is an answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Registration:
    """What RDAP says of a registered domain (RFC 9083); with `error` set, nothing else means anything."""

    domain: str
    statuses: frozenset[str] = frozenset()
    """As in the IANA registry of RDAP values: client hold, redemption period, pending delete … in lower case."""
    expires_at: datetime | None = None
    """The registry's ``expiration`` event; a bare date is the end of that day in UTC."""
    registrar_expires_at: datetime | None = None
    """The ``registrar expiration`` event: evidence only."""
    registrar: str = ""
    """The registrar's name, on one line; empty if it is not given."""
    source: str = ""
    """URL that was asked."""
    error: str = ""
    """Empty, or why nothing is known: unregistered (nobody registers such names), no_rdap, no_list, not_found, forbidden,
    limited, busy, failed, timeout, refused, unreachable, tls, not_public, redirected, malformed."""


class Registrations(Protocol):
    """Looks registrations up. Any thread may call; answers are kept for a while, so that a fleet's pass is polite."""

    def look_up(self, domain: str) -> Registration:
        """Return the registration of a registrable domain; it never raises for what a server or the network does."""
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one HTTP(S) exchange with one address brought; with `error` set there was no usable answer."""

    status: int = 0
    location: str = ""
    """The Location header of a redirect, as it was sent."""
    body: bytes = b""
    """The first bytes of the body, 4,096 at most."""
    server: str = ""
    """The Server header, shortened."""
    error: str = ""
    """Empty, or: timeout, refused, unreachable, tls, not_http, not_tls, reset, malformed; or local: this machine cannot,
    or may not, make such a connection, which says nothing of the other side."""
    detail: str = ""
    """What the network or TLS said, in its own words."""


class Web(Protocol):
    """Makes single HTTP(S) requests. Any thread may call; it follows no redirect, sends no cookie, checks no chain."""

    def get(
        self, scheme: str, address: IPv4Address | IPv6Address, port: int, host: str, path: str
    ) -> Fetched:
        """GET ``path`` from this ``address`` and port with the Host header, and for https the SNI, ``host``.

        The connection goes to the address given, whatever DNS says of the host. It never raises for what happens there.
        """
        ...


@dataclass(frozen=True, slots=True)
class World:
    """All that the chain works with. Safe to share between threads."""

    dns: Dns
    platform: Platform
    probing: Probing
    issuing: Issuing
    cas: tuple[CaSettings, ...]
    """The configured CAs, in the order in which they are tried."""
    accounts: Callable[[CaSettings], str | None]
    """Returns the URL of our ACME account at a CA, or None before there is one (RFC 8657 §3 binds CAA to it)."""
    wildcards: bool
    """Whether dns-01 is set up, so that wildcards can be issued."""
    clock: Clock
    registrations: Registrations | None = None
    """None: registrations are not looked at."""
    web: Web | None = None
    """None: nothing is connected to."""
    edge_proof: Callable[[str], str] | None = None
    """Returns what /.well-known/certdesk/TOKEN must answer for a token, if our edge leads to certdesk."""
    covered: Callable[[Certificate], Collection[str]] | None = None
    """Returns the names of a certificate's installed revision (none: nothing is installed); None: all that are wanted."""
    spent: Callable[[CaSettings, str], datetime | None] | None = None
    """Returns until when the CA's rate limits leave nothing for a name of a certificate, as far as we have counted
    (None: there is budget)."""
