"""Which addresses anybody on the Internet can reach."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.checks.reach import globally_reachable, may_be_used

PRIVATE = [
    "0.0.0.1",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:9.9.9.9",
    "::ffff:10.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:db8::1",
    "2002:909:909::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fe80::1",
    "ff02::1",
    "4000::1",
]
PUBLIC = [
    "1.1.1.1",
    "9.9.9.9",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "192.0.0.9",
    "192.0.0.10",
    "192.0.1.1",
    "198.17.0.1",
    "198.20.0.1",
    "223.255.255.255",
    "2000::1",
    "2001:1::1",
    "2001:200::1",
    "2001:4:112::1",
    "2001:20::1",
    "2606:4700::1",
    "2a00::1",
    "64:ff9b::9.9.9.9",
]


@pytest.mark.parametrize("text", PRIVATE)
def test_not_reachable(text: str) -> None:
    assert not globally_reachable(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_reachable(text: str) -> None:
    assert globally_reachable(ip_address(text))


@given(st.ip_addresses(v=4))
def test_never_looser_than_the_library_for_v4(address: IPv4Address) -> None:
    """Python's own list is older in places, but what it calls private, multicast or reserved is never let through."""
    if globally_reachable(address) and str(address) not in ("192.0.0.9", "192.0.0.10"):
        assert not any((address.is_private, address.is_multicast, address.is_reserved, address.is_loopback))


@given(st.ip_addresses(v=6))
def test_only_global_unicast_for_v6(address: IPv6Address) -> None:
    if globally_reachable(address):
        assert address in ip_network("2000::/3") or address in ip_network("64:ff9b::/96")


@given(st.ip_addresses(v=4))
def test_nat64_is_judged_by_what_it_holds(address: IPv4Address) -> None:
    inside = IPv6Address(int(IPv6Address("64:ff9b::")) + int(address))
    assert globally_reachable(inside) == globally_reachable(address)


@given(st.ip_addresses())
def test_allowed_networks_add_and_never_take_away(address: IPv4Address | IPv6Address) -> None:
    everything = (ip_network("0.0.0.0/0"), ip_network("::/0"))
    assert may_be_used(address, everything)
    assert may_be_used(address, ()) == globally_reachable(address)
