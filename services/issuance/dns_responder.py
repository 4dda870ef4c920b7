"""The dns-01 responder: TXT records by dynamic update, read back, and looked for on every authoritative server."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256

import dns.exception
import dns.message
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

from services.issuance.acme.jws import base64url
from services.issuance.dns_primary import Name, Primary, exchange, plain, question, rrset
from services.model.errors import DnsUpdateError
from services.model.settings import DnsUpdate
from services.model.text import say

LABEL = "_acme-challenge"
MAX_HOPS = 8
"""CNAMEs that are followed from one name: CAs follow about as many."""
SILENCE = 60.0
"""Seconds for which a server that did not answer is not asked again, so that many names do not wait for it each."""
MAX_SERVERS = 16
"""Addresses of authoritative servers that are asked at once."""

_TXT, _CNAME, _NS = dns.rdatatype.TXT, dns.rdatatype.CNAME, dns.rdatatype.NS


class Dns01:
    """Implements services.ports.ChallengeResponder for dns-01 (RFC 8555 §8.4). Any thread may use it.

    ``resolvers`` are (address, port) pairs that know the addresses of the zones' name servers; empty means the
    system's. ``timeout`` is in seconds, for each question. ``authority_port`` is where those servers listen.
    """

    type = "dns-01"

    def __init__(
        self,
        update: DnsUpdate,
        resolvers: Sequence[tuple[str, int]] = (),
        timeout: float = 3.0,
        authority_port: int = 53,
    ) -> None:
        self._primary = Primary(update, timeout)
        self._resolvers, self._timeout, self._authority_port = tuple(resolvers), timeout, authority_port
        self._silent: dict[tuple[str, int], float] = {}

    def present(self, name: str, token: str, key_authorization: str, certificate: str) -> None:  # noqa: ARG002
        """Add our value at _acme-challenge.NAME, or where its CNAME leads, and read it back.

        Values of others (the wildcard's beside the apex's, another host's) stay. A CNAME is noticed only when the value
        does not show after the update: a server answers NOERROR there and does nothing (RFC 2136 §3.4.2.2), while
        beneath a wildcard CNAME the update works. Raises DnsUpdateError.
        """
        value = record_value(key_authorization)
        for here in self._hops(_record(name)):
            if self._shows(here, value):
                return
            self._primary.add(self._primary.zone_of(here), here, value)
            if self._shows(here, value):
                return
        raise DnsUpdateError(
            say(
                "{server} took the update for {record} but does not show it. On-call: look for a CNAME or a "
                "delegation at that name, and for views that answer differently.",
                server=self._primary.shown,
                record=plain(_record(name)),
            )
        )

    def visible(self, name: str, token: str, key_authorization: str) -> bool:  # noqa: ARG002
        """Tell whether every authoritative server of the zone shows our value: one look, no waiting.

        A server that does not answer at all is passed over as long as another does: resolvers do the same. Where the
        addresses of the name servers cannot be found, the primary speaks for them. Raises DnsUpdateError if the
        primary cannot be asked.
        """
        value = record_value(key_authorization)
        place = next((here for here in self._hops(_record(name)) if self._shows(here, value)), None)
        if place is None:
            return False
        servers = self._servers(self._primary.zone_of(place))
        if not servers:
            return True  # the primary shows it, as was just seen
        ask = partial(self._server_shows, place, value)
        with ThreadPoolExecutor(len(servers)) as pool:
            seen = [shown for shown in pool.map(ask, servers) if shown is not None]
        if not seen:
            self._silent.clear()  # perhaps the silence is ours: next time each is asked again
        return bool(seen) and all(seen)

    def clean_up(self, name: str, token: str, key_authorization: str, certificate: str) -> None:  # noqa: ARG002
        """Remove our value wherever `present` may have put it; other values stay. Raises DnsUpdateError."""
        value = record_value(key_authorization)
        for here in self._hops(_record(name)):
            if self._shows(here, value):
                self._primary.remove(self._primary.zone_of(here), here, value)
                return

    def _hops(self, record: Name) -> Iterator[Name]:
        """Yield the record and then, as long as a CNAME stands there, where it leads; a loop ends where it closes."""
        seen: list[Name] = []
        here = record
        while here not in seen and len(seen) <= MAX_HOPS:
            yield here
            seen.append(here)
            alias = rrset(self._primary.ask(here, _CNAME), here, _CNAME)
            if alias is None:
                return
            here = alias[0].target

    def _shows(self, name: Name, value: str) -> bool:
        return value in _values(self._primary.ask(name, _TXT), name)

    def _server_shows(self, name: Name, value: str, server: tuple[str, int]) -> bool | None:
        """Tell whether this server shows the value; None if it does not answer, or did not a moment ago."""
        if time.monotonic() < self._silent.get(server, 0.0):
            return None
        try:
            return value in _values(exchange(question(name, _TXT), *server, self._timeout), name)
        except (dns.exception.DNSException, OSError, EOFError):
            self._silent[server] = time.monotonic() + SILENCE
            return None

    def _servers(self, zone: Name) -> Sequence[tuple[str, int]]:
        """Return the addresses and ports of the zone's authoritative servers; empty if none can be resolved."""
        listed = rrset(self._primary.ask(zone, _NS), zone, _NS)
        hosts = [each.target for each in listed] if listed else []
        addresses = sorted({address for host in hosts for address in self._addresses(host)})
        return [(address, self._port_of(address)) for address in addresses[:MAX_SERVERS]]

    def _port_of(self, address: str) -> int:
        """Return where the server at ``address`` listens; the primary may have a port of its own."""
        return self._primary.port if address == self._primary.address else self._authority_port

    def _addresses(self, host: Name) -> Iterator[str]:
        for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            try:
                found = self._resolver().resolve(host, kind, raise_on_no_answer=False, search=False)
            except (dns.exception.DNSException, OSError):
                continue
            yield from (record.address for record in found.rrset or ())

    def _resolver(self) -> dns.resolver.Resolver:
        resolver = dns.resolver.Resolver(configure=not self._resolvers)
        if self._resolvers:
            resolver.nameservers = [
                dns.nameserver.Do53Nameserver(address, port) for address, port in self._resolvers
            ]
        resolver.timeout, resolver.lifetime = self._timeout, self._timeout
        return resolver


def record_value(key_authorization: str) -> str:
    """Return what the TXT record must hold: the digest of the key authorization (RFC 8555 §8.4)."""
    return base64url(sha256(key_authorization.encode("ascii")).digest())


def _record(name: str) -> Name:
    """Return the name of the challenge record. Raises DnsUpdateError where DNS has no room for it."""
    try:
        return dns.name.from_text(f"{LABEL}.{name}")
    except dns.exception.DNSException:
        raise DnsUpdateError(
            say(
                "{name} is too long for dns-01: {label} before it makes more than DNS allows. Use http-01 for this name.",
                name=name,
                label=LABEL,
            )
        ) from None


def _values(message: dns.message.Message, name: Name) -> set[str]:
    found = rrset(message, name, _TXT)
    return {b"".join(each.strings).decode("ascii", "replace") for each in found or ()}
