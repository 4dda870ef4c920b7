"""The demo's DNS server, asked without a network: what it says of zones that were delegated away."""

import dns.flags
import dns.message
import dns.rcode
import pytest

from bot.demo.parts.dns_server import DnsServer

ZONES = {
    "moon.test": "@ 60 SOA ns. host. 1 60 60 600 60\n@ 60 NS ns\nns 60 A 127.0.0.1\n"
    "inside 60 NS ns.inside\nns.inside 60 A 127.0.0.8\nbeside 60 NS ns.sun.test.\n"
    "outside 60 NS ns1.elsewhere.example.\nboth 60 NS ns1.elsewhere.example.\nboth 60 NS ns.sun.test.\n",
    "sun.test": "@ 60 SOA ns. host. 1 60 60 600 60\n@ 60 NS ns\nns 60 A 127.0.0.9\nns 60 AAAA ::9\n",
}


@pytest.mark.parametrize(
    ("name", "servers", "glue"),
    [
        ("www.inside.moon.test", ["ns.inside.moon.test."], ["127.0.0.8"]),
        ("www.beside.moon.test", ["ns.sun.test."], ["127.0.0.9", "::9"]),
        ("www.outside.moon.test", ["ns1.elsewhere.example."], []),
        ("outside.moon.test", ["ns1.elsewhere.example."], []),
        ("www.both.moon.test", ["ns.sun.test.", "ns1.elsewhere.example."], ["127.0.0.9", "::9"]),
    ],
)
def test_a_referral_names_the_servers_and_the_addresses_that_stand_here(
    name: str, servers: list[str], glue: list[str]
) -> None:
    wire = DnsServer(ZONES).answer(dns.message.make_query(name, "A").to_wire(), 65535)
    said = dns.message.from_wire(wire)
    assert said.rcode() == dns.rcode.NOERROR
    assert not said.flags & dns.flags.AA
    assert sorted(str(item) for rrset in said.authority for item in rrset) == servers
    assert [str(item) for rrset in said.additional for item in rrset] == glue
