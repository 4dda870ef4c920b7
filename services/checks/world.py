"""What the checks need of the world: DNS as a port, and the settings they judge by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

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
