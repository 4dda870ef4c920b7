"""Where a host is, by the configured resolvers: what a shopper's browser would connect to."""

from collections.abc import Iterator
from ipaddress import ip_address

from services.checks.lookup import follow
from services.checks.world import Dns
from services.scanning.fetching import Address, Resolver


def resolver(dns: Dns) -> Resolver:
    """Return what resolves hosts by ``dns``; an address as text stands for itself."""

    def resolve(host: str) -> Iterator[Address]:
        try:
            yield ip_address(host)
        except ValueError:
            yield from _asked(dns, host.lower())

    return resolve


def _asked(dns: Dns, name: str) -> Iterator[Address]:
    """Yield the addresses of ``name``, IPv4 first; none if an alias loops or leads nowhere."""
    for rtype in ("A", "AAAA"):
        answer = dns.query(name, rtype)
        if not answer.good:
            continue
        chain, looping = follow(answer, (name,))
        if not looping:
            yield from (ip_address(record.text) for record in answer.of(chain[-1], rtype))
