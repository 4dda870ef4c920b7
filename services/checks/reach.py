"""Which addresses are globally reachable, by the IANA special-purpose registries (RFC 6890), independent of Python's version."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network, RFC 791
        "10.0.0.0/8",  # private, RFC 1918
        "100.64.0.0/10",  # carriers' shared space, RFC 6598
        "127.0.0.0/8",  # loopback, RFC 1122
        "169.254.0.0/16",  # link-local, RFC 3927 (and clouds' metadata)
        "172.16.0.0/12",  # private, RFC 1918
        "192.0.0.0/24",  # protocol assignments, RFC 6890; its two anycast addresses are below
        "192.0.2.0/24",  # documentation, RFC 5737
        "192.88.99.0/24",  # 6to4 relays, withdrawn by RFC 7526
        "192.168.0.0/16",  # private, RFC 1918
        "198.18.0.0/15",  # benchmarks, RFC 2544
        "198.51.100.0/24",  # documentation, RFC 5737
        "203.0.113.0/24",  # documentation, RFC 5737
        "224.0.0.0/4",  # multicast, RFC 5771
        "240.0.0.0/4",  # reserved and broadcast, RFC 1112
    )
)
_BUT_V4 = (
    IPv4Network("192.0.0.9/32"),
    IPv4Network("192.0.0.10/32"),
)  # PCP and TURN anycast, RFC 7723, RFC 8155
_GLOBAL_V6 = IPv6Network("2000::/3")  # the only space given out for global unicast, RFC 4291 §2.4
_NOT_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them, RFC 2928; exceptions below
        "2001:db8::/32",  # documentation, RFC 3849
        "2002::/16",  # 6to4, RFC 3056: only as reachable as relays that are gone
        "3fff::/20",  # documentation, RFC 9637
    )
)
_BUT_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001:1::1/128",  # PCP anycast, RFC 7723
        "2001:1::2/128",  # TURN anycast, RFC 8155
        "2001:1::3/128",  # DNS-SD registration anycast, RFC 9665
        "2001:3::/32",  # AMT, RFC 7450
        "2001:4:112::/48",  # AS112, RFC 7535
        "2001:20::/28",  # ORCHIDv2, RFC 7343
        "2001:30::/28",  # drone identifiers, RFC 9374
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


def globally_reachable(address: Address) -> bool:
    """Tell whether anybody on the Internet can reach ``address``. An IPv4 address inside NAT64 is judged by itself."""
    if isinstance(address, IPv4Address):
        return not _in(address, _NOT_V4) or _in(address, _BUT_V4)
    if address in _NAT64:
        return globally_reachable(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _GLOBAL_V6 and (not _in(address, _NOT_V6) or _in(address, _BUT_V6))


def may_be_used(address: Address, allowed: Iterable[Network]) -> bool:
    """Tell whether ``address`` is globally reachable or lies in one of the networks that are allowed all the same."""
    return globally_reachable(address) or _in(address, allowed)


def _in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
