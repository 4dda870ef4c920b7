"""Finding the zone of a name: what answers mean, and the walk on a table of answers."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from services.checks.case import Case
from services.checks.chain import Chain
from services.checks.delegation import Cached, Facts, decide, gather
from services.checks.nameservers import Probe, Service, Zone, enter, read_probe
from services.checks.rules import is_ours, unregistered
from services.checks.world import Answer, Record
from services.checks.zones import Delegation, Kind, delegation, read_step, zone_name
from services.model.certificates import Certificate
from services.model.findings import Owner
from services.model.lifecycle import State
from services.model.settings import Platform, Probing
from tests.unit.checks_world import (
    EDGE,
    NOW,
    PLATFORM,
    SILENT,
    Key,
    TableDns,
    certificate,
    codes,
    record,
    soa,
    subject,
    world,
)

NS = record("moon.test", "NS", "ns1.platform.test")
UP = record("", "NS", "a.root.test")
SELF = record("test", "NS", "a.nic.test")
STEPS = [
    (Answer("moon.test", "NS", authority=(NS,)), Kind.CUT),
    (Answer("moon.test", "NS", authoritative=True, answer=(NS,)), Kind.CUT),
    (Answer("moon.test", "NS", authoritative=True, authority=soa("test")), Kind.NO_CUT),
    (Answer("moon.test", "NS", rcode="NXDOMAIN", authoritative=True, authority=soa("test")), Kind.MISSING),
    (
        Answer("moon.test", "NS", authoritative=True, answer=(record("moon.test", "CNAME", "x.test"),)),
        Kind.NO_CUT,
    ),
    (
        Answer(
            "moon.test",
            "NS",
            rcode="NXDOMAIN",
            authoritative=True,
            answer=(record("moon.test", "CNAME", "x.test"),),
        ),
        Kind.NO_CUT,
    ),
    (Answer("moon.test", "NS", authority=(UP,)), Kind.USELESS),
    (Answer("moon.test", "NS", authority=(SELF,)), Kind.USELESS),
    (Answer("moon.test", "NS", authority=(record("sun.test", "NS", "x.test"),)), Kind.USELESS),
    (Answer("moon.test", "NS", rcode="NXDOMAIN"), Kind.USELESS),
    (Answer("moon.test", "NS", rcode="REFUSED"), Kind.USELESS),
    (Answer("moon.test", "NS", error="timeout"), Kind.USELESS),
]


@pytest.mark.parametrize(("answer", "kind"), STEPS)
def test_what_an_answer_means_for_the_walk(answer: Answer, kind: Kind) -> None:
    assert read_step(answer, "test", "moon.test").kind is kind


PROBES = [
    (Answer("moon.test", "NS", authoritative=True, answer=(NS,)), Service.SERVES),
    (Answer("moon.test", "NS", authoritative=True, authority=soa("moon.test")), Service.SERVES),
    (Answer("moon.test", "NS", authoritative=True, authority=soa("test")), Service.LAME),
    (Answer("moon.test", "NS", answer=(NS,)), Service.LAME),
    (Answer("moon.test", "NS", authority=(UP,)), Service.LAME),
    (Answer("moon.test", "NS", rcode="REFUSED"), Service.LAME),
    (Answer("moon.test", "NS", rcode="NOTAUTH"), Service.LAME),
    (Answer("moon.test", "NS", rcode="NXDOMAIN", authoritative=True), Service.LAME),
    (Answer("moon.test", "NS", rcode="SERVFAIL"), Service.FAILING),
    (Answer("moon.test", "NS", rcode="NOTIMP"), Service.FAILING),
    (Answer("moon.test", "NS", error="refused_connection"), Service.SILENT),
]


@pytest.mark.parametrize(("answer", "service"), PROBES)
def test_what_an_answer_means_for_a_server(answer: Answer, service: Service) -> None:
    assert read_probe(answer, "moon.test", "ns1.platform.test", "192.0.2.1").service is service


def test_whose_a_server_is() -> None:
    ours = ("192.0.2.1", "2001:db8::1")
    assert is_ours("ns1.platform.test", (), PLATFORM, ())
    assert is_ours("ns1.moon.test", ("192.0.2.1",), PLATFORM, ours)
    assert is_ours("ns1.moon.test", ("2001:DB8:0::1",), PLATFORM, ours)
    assert not is_ours("ns1.moon.test", ("192.0.2.1", "192.0.2.9"), PLATFORM, ours)
    assert not is_ours("ns1.moon.test", (), PLATFORM, ours)
    assert not is_ours("xns1.platform.test", (), PLATFORM, ours)


# --- the walk ----------------------------------------------------------------------------------------------------


def table(**more: Answer) -> dict[Key, Answer]:
    """Return a healthy world: test at 192.0.2.1, moon.test on our two servers at 192.0.2.11 and .12."""
    hosts = {"a.nic.test": "192.0.2.1", "ns1.platform.test": "192.0.2.11", "ns2.platform.test": "192.0.2.12"}
    ours = tuple(record("moon.test", "NS", host) for host in ("ns1.platform.test", "ns2.platform.test"))
    found: dict[Key, Answer] = {
        ("test", "NS", None): Answer("test", "NS", answer=(SELF,)),
        ("moon.test", "NS", "192.0.2.1"): Answer("moon.test", "NS", authority=ours),
        ("moon.test", "NS", None): Answer("moon.test", "NS", answer=ours, recursion_available=True),
    }
    for host, address in hosts.items():
        found[host, "A", None] = Answer(host, "A", answer=(record(host, "A", address),))
        found[host, "AAAA", None] = Answer(host, "AAAA")
    for server in ("192.0.2.11", "192.0.2.12"):
        found["moon.test", "NS", server] = Answer("moon.test", "NS", authoritative=True, answer=ours)
        found["shop.moon.test", "NS", server] = _nothing("shop.moon.test", "NS")
        found["shop.moon.test", "A", server] = replace(
            _nothing("shop.moon.test", "A"), answer=(record("shop.moon.test", "A", EDGE),)
        )
        found["shop.moon.test", "AAAA", server] = _nothing("shop.moon.test", "AAAA")
        for label in ("shop.moon.test", "moon.test"):
            found[label, "CAA", server] = _nothing(label, "CAA")
    for label in ("shop.moon.test", "moon.test"):
        found[label, "CAA", None] = _nothing(label, "CAA")
    found["test", "CAA", "192.0.2.1"] = _nothing("test", "CAA")
    found["shop.moon.test", "A", None] = Answer(
        "shop.moon.test", "A", answer=(record("shop.moon.test", "A", EDGE),)
    )
    return found


def _nothing(name: str, rtype: str) -> Answer:
    return Answer(name, rtype, authoritative=True, authority=soa("moon.test"))


def found_by(dns: TableDns, name: str = "shop.moon.test") -> Delegation:
    with ThreadPoolExecutor(4) as pool:
        return delegation(Case(world(dns), subject(name), pool))


def test_the_walk_down() -> None:
    found = found_by(TableDns(table(), SILENT))
    assert [zone.name for zone in found.zones] == ["test", "moon.test"]
    assert found.closest is not None
    assert found.closest.serving == ("192.0.2.11", "192.0.2.12")
    assert found.zones[0].serving == ("192.0.2.1",)
    zone = found.zone_of("a.shop.moon.test")
    assert zone is not None
    assert zone.name == "moon.test"
    assert found.zone_of("org") is None


def test_a_healthy_world_gives_nothing() -> None:
    dns = TableDns(table(), SILENT)
    probing = Probing(allow_networks=(ip_network("198.18.0.0/15"), ip_network("192.0.2.0/24")))
    with Chain(world(dns, probing=probing)) as chain:
        assert chain.check(subject()) == ()


def test_the_next_parent_server_is_asked() -> None:
    known = table()
    both = (SELF, record("test", "NS", "b.nic.test"))
    known["test", "NS", None] = Answer("test", "NS", answer=both)
    known["b.nic.test", "A", None] = Answer(
        "b.nic.test", "A", answer=(record("b.nic.test", "A", "192.0.2.2"),)
    )
    known["b.nic.test", "AAAA", None] = Answer("b.nic.test", "AAAA")
    known["moon.test", "NS", "192.0.2.2"] = known.pop(("moon.test", "NS", "192.0.2.1"))
    found = found_by(TableDns(known, SILENT))
    assert [zone.name for zone in found.zones] == ["test", "moon.test"]
    assert found.zones[0].serving == ("192.0.2.2",)


def test_only_a_few_parent_servers_are_asked() -> None:
    known = table()
    many = tuple(record("test", "NS", f"n{n}.nic.test") for n in range(9))
    known["test", "NS", None] = Answer("test", "NS", answer=many)
    for n in range(9):
        host = f"n{n}.nic.test"
        known[host, "A", None] = Answer(host, "A", answer=(record(host, "A", f"192.0.2.{100 + n}"),))
        known[host, "AAAA", None] = Answer(host, "AAAA")
    dns = TableDns(known, SILENT)
    found = found_by(dns)
    assert found.closest is None
    assert found.trouble is not None
    assert len([server for _, rtype, server in dns.asked if server and rtype == "NS"]) == 4


def test_glue_is_used_where_the_parent_may_give_it() -> None:
    known = table()
    vanity = record("moon.test", "NS", "ns.moon.test")
    far = record("moon.test", "NS", "ns1.platform.org")
    known["moon.test", "NS", "192.0.2.1"] = Answer(
        "moon.test",
        "NS",
        authority=(vanity, far),
        additional=(
            record("ns.moon.test", "A", "192.0.2.11"),
            record("ns1.platform.org", "A", "192.0.2.66"),  # not the zone's to say
        ),
    )
    known["ns1.platform.org", "A", None] = Answer(
        "ns1.platform.org", "A", answer=(record("ns1.platform.org", "A", "192.0.2.12"),)
    )
    known["ns1.platform.org", "AAAA", None] = Answer("ns1.platform.org", "AAAA")
    found = found_by(TableDns(known, SILENT))
    assert found.closest is not None
    assert found.closest.addresses == {"ns.moon.test": ("192.0.2.11",), "ns1.platform.org": ("192.0.2.12",)}


def test_an_address_without_a_route_from_here_is_left_out() -> None:
    """This machine has no IPv6, say: that is no reading of the server."""
    known = table()
    for host in ("ns1.platform.test", "ns2.platform.test"):
        address = record(host, "AAAA", "2001:db8::" + host[2])
        known[host, "AAAA", None] = Answer(host, "AAAA", answer=(address,))
        six = ("moon.test", "NS", address.text)
        known[six] = Answer("moon.test", "NS", error="unreachable")
    found = found_by(TableDns(known, SILENT))
    assert found.closest is not None
    assert [probe.address for probe in found.closest.probes] == ["192.0.2.11", "192.0.2.12"]


def test_a_name_in_the_top_zone_itself() -> None:
    known = table()
    known["moon.test", "NS", "192.0.2.1"] = Answer(
        "moon.test", "NS", authoritative=True, authority=soa("test")
    )
    known["shop.moon.test", "NS", "192.0.2.1"] = replace(
        known["moon.test", "NS", "192.0.2.1"], name="shop.moon.test"
    )
    known["test", "NS", "192.0.2.1"] = Answer("test", "NS", authoritative=True, answer=(SELF,))
    found = found_by(TableDns(known, SILENT))
    assert [zone.name for zone in found.zones] == ["test"]
    assert found.zones[0].serving == ("192.0.2.1",)


def test_where_no_parent_is_known_the_walk_begins_lower() -> None:
    known = table()
    known["test", "NS", None] = Answer("test", "NS", rcode="REFUSED")
    found = found_by(TableDns(known, Answer("", "", rcode="REFUSED")))
    assert found.closest is not None
    assert (found.closest.name, found.closest.serving) == ("moon.test", ("192.0.2.11", "192.0.2.12"))


def test_a_resolver_that_refuses_everything() -> None:
    found = found_by(TableDns({}, Answer("", "", rcode="REFUSED")))
    assert found.closest is None
    assert found.trouble is not None
    with Chain(world(TableDns({}, Answer("", "", rcode="REFUSED")))) as chain:
        assert codes(chain.check(subject())) == [("dns.servfail", "block")]


def test_a_resolver_that_only_refers() -> None:
    """A server without recursion stands for the resolver: its referral is the parent's word."""
    known: dict[Key, Answer] = {
        ("shop.moon.test", "NS", None): Answer("shop.moon.test", "NS", authority=(NS,)),
    }
    found = found_by(TableDns(known, SILENT, asks_parent=False))
    assert found.closest is not None
    assert found.closest.name == "moon.test"


def test_a_climb_to_the_end() -> None:
    found = found_by(TableDns({}, Answer("", "", rcode="NXDOMAIN"), asks_parent=False))
    assert (found.closest, found.missing) == (None, "test")
    assert not unregistered(found, "moon.test")


NO_NS = Answer("", "", rcode="SERVFAIL")


@pytest.mark.parametrize(
    ("answer", "zone"),
    [
        (Answer("a.b.moon.test", "A", rcode="NXDOMAIN", authority=soa("b.moon.test")), "b.moon.test"),
        (Answer("a.b.moon.test", "A", authority=soa("a.b.moon.test")), "a.b.moon.test"),
        (Answer("a.b.moon.test", "A", rcode="NXDOMAIN", authority=soa("test")), "moon.test"),
        (Answer("a.b.moon.test", "A", rcode="NXDOMAIN", authority=soa("")), "moon.test"),
        (Answer("a.b.moon.test", "A", rcode="NXDOMAIN", authority=soa("sun.test")), "moon.test"),
        (Answer("a.b.moon.test", "A", rcode="NXDOMAIN"), "moon.test"),
        (Answer("a.b.moon.test", "A", error="timeout"), "moon.test"),
        (  # the SOA speaks of where the alias leads
            Answer(
                "a.b.moon.test",
                "A",
                answer=(record("a.b.moon.test", "CNAME", "moon.test"),),
                authority=soa("b.moon.test"),
            ),
            "moon.test",
        ),
    ],
)
def test_the_zone_where_no_delegation_is_known(answer: Answer, zone: str) -> None:
    dns = TableDns({("a.b.moon.test", "A", None): answer}, NO_NS, asks_parent=False)
    with ThreadPoolExecutor(1) as pool:
        assert zone_name(Case(world(dns), subject("a.b.moon.test"), pool)) == zone


def test_a_loop_is_told_of_the_zone_and_not_of_the_name() -> None:
    """A resolver fails on every question about a loop, so that no delegation is found."""
    known: dict[Key, Answer] = {
        (one, "CNAME", None): Answer(one, "CNAME", answer=(record(one, "CNAME", other),))
        for one, other in (("a.loop.test", "b.loop.test"), ("b.loop.test", "a.loop.test"))
    }
    with Chain(world(TableDns(known, NO_NS, asks_parent=False))) as chain:
        (finding,) = chain.check(subject("a.loop.test"))
    assert finding.code == "dns.no_address"
    assert finding.evidence["zone"] == "loop.test"
    assert "In the DNS zone loop.test point a.loop.test to edge.platform.test" in finding.remedy.plain()


def test_a_name_that_does_not_exist_is_told_of_its_zone() -> None:
    with Chain(world(TableDns({}, Answer("", "", rcode="NXDOMAIN"), asks_parent=False))) as chain:
        (finding,) = [each for each in chain.check(subject()) if each.code == "dns.nxdomain"]
    assert finding.summary.plain() == "shop.moon.test does not exist in the DNS zone moon.test."


def test_the_resolver_is_named_as_one_in_sentences() -> None:
    known: dict[Key, Answer] = {
        ("moon.test", "NS", None): Answer("moon.test", "NS", answer=(NS,)),
        ("moon.test", "A", None): Answer(
            "moon.test", "A", answer=(record("moon.test", "A", "9.9.9.9"),), recursion_available=True
        ),
    }
    dns = TableDns(known, Answer("", ""), asks_parent=False)
    with Chain(world(dns)) as chain:
        (finding,) = [each for each in chain.check(subject("moon.test")) if each.code == "dns.wrong_address"]
    assert finding.summary.plain().endswith("(A records, as answered by the resolver).")


def test_host_lookups_that_nobody_answers_are_silence() -> None:
    known = table()
    del known["ns2.platform.test", "A", None]
    known["ns2.platform.test", "AAAA", None] = Answer("ns2.platform.test", "AAAA", error="timeout")
    found = found_by(TableDns(known, SILENT))
    assert found.closest is not None
    assert [(p.host, p.service) for p in found.closest.probes] == [
        ("ns1.platform.test", Service.SERVES),
        ("ns2.platform.test", Service.SILENT),
    ]


# --- judging the delegation --------------------------------------------------------------------------------------


def facts(*hosts: str, zone: str = "moon.test", registrable: str | None = "moon.test") -> Facts:
    probes = tuple(Probe(host, "192.0.2.11", Service.SERVES) for host in hosts)
    return Facts("shop.moon.test", registrable, Delegation((Zone(zone, hosts, probes=probes),)))


def test_nothing_is_judged_without_configured_servers() -> None:
    assert decide(facts("ns1.elsewhere.test"), Platform(), NOW) == ()


def test_the_remedy_names_old_and_new_servers() -> None:
    (finding,) = decide(facts("ns1.elsewhere.test", "ns2.elsewhere.test"), PLATFORM, NOW)
    assert finding.remedy.plain() == (
        "At the registrar of moon.test replace ns1.elsewhere.test, ns2.elsewhere.test by ns1.platform.test,"
        " ns2.platform.test; changes can take up to 48 hours."
    )
    assert finding.evidence["found"] == ["ns1.elsewhere.test", "ns2.elsewhere.test"]
    assert finding.evidence["required"] == ["ns1.platform.test", "ns2.platform.test"]
    assert finding.owner is Owner.MERCHANT


def test_partly_moved_names_both_lists() -> None:
    (finding,) = decide(facts("ns1.elsewhere.test", "ns1.platform.test"), PLATFORM, NOW)
    assert (finding.evidence["ours"], finding.evidence["foreign"]) == (
        ["ns1.platform.test"],
        ["ns1.elsewhere.test"],
    )
    assert "only partly" in finding.summary.plain()


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("shop.moon.test", "In the DNS zone above shop.moon.test"),
        ("test", "At the registrar of moon.test set"),
    ],
)
def test_the_remedy_fits_where_the_delegation_is(zone: str, words: str) -> None:
    (finding,) = decide(facts("ns1.elsewhere.test", zone=zone), PLATFORM, NOW)
    assert finding.remedy.plain().startswith(words)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (60, "60 seconds more"),
        (3600, "60 minutes more"),
        (86400, "24 hours more"),
        (172_801, "49 hours more"),
        (0, "up to 48 hours."),
    ],
)
def test_how_long_a_change_takes_is_said_for_the_domain(seconds: int, words: str) -> None:
    known = facts("ns1.elsewhere.test")
    zone = replace(known.delegation.zones[-1], ttl=seconds)
    moved = replace(known, delegation=replace(known.delegation, zones=(*known.delegation.zones[:-1], zone)))
    (finding,) = decide(moved, PLATFORM, NOW)
    assert words in finding.remedy.plain()
    assert finding.evidence["kept_seconds"] == seconds


def test_a_delegation_is_kept_for_the_longer_of_two_times() -> None:
    known = table()
    for server, ttl in (("192.0.2.1", 3600), ("192.0.2.11", 86400)):
        answer = known["moon.test", "NS", server]
        longer: dict[str, Any] = {
            part: tuple(replace(one, ttl=ttl) for one in getattr(answer, part))
            for part in ("answer", "authority")
        }
        known["moon.test", "NS", server] = replace(answer, **longer)
    zone = found_by(TableDns(known, SILENT)).closest
    assert zone is not None
    assert zone.ttl == 86400


def test_what_resolvers_still_hold() -> None:
    held = (
        Cached(frozenset({"ns1.platform.test"}), 3000),
        Cached(frozenset({"ns9.elsewhere.test"}), 1200),
        Cached(frozenset({"ns8.elsewhere.test", "ns1.platform.test"}), 900),
    )
    old = replace(facts("ns1.platform.test"), cached=held)
    (finding,) = decide(old, PLATFORM, NOW)
    assert codes((finding,)) == [("dns.propagating", "warn")]
    assert "1200 seconds" in finding.summary.plain(), "what is well for longer does not count"
    assert finding.evidence["found"] == ["ns8.elsewhere.test", "ns9.elsewhere.test"]
    known = Cached(frozenset({"ns2.platform.test"}), 1200)
    assert decide(replace(old, cached=(known,)), PLATFORM, NOW) == ()


def test_every_resolver_is_asked_what_it_still_holds() -> None:
    """The first one knows the change already, the second is silent, the third holds what was before."""
    first, second, third = (("192.0.2.51", 53), ("192.0.2.52", 53), ("192.0.2.53", 53))
    known = table()
    known["moon.test", "NS", first] = known["moon.test", "NS", None]
    foreign = record("moon.test", "NS", "ns9.elsewhere.test", ttl=700)
    known["moon.test", "NS", third] = Answer("moon.test", "NS", answer=(foreign,))
    dns = TableDns(known, SILENT, resolvers=(first, second, third))
    with ThreadPoolExecutor(2) as pool:
        found = gather(Case(world(dns), subject(), pool))
    (finding,) = decide(found, PLATFORM, NOW)
    assert codes((finding,)) == [("dns.propagating", "warn")]
    assert finding.evidence["seconds_left"] == 700


def test_gathering_stops_for_a_domain_that_does_not_exist() -> None:
    known = table()
    for label in ("moon.test", "shop.moon.test"):
        known[label, "NS", "192.0.2.1"] = Answer(label, "NS", rcode="NXDOMAIN", authoritative=True)
    dns = TableDns(known, SILENT)
    with ThreadPoolExecutor(2) as pool:
        found = gather(Case(world(dns), subject(), pool))
    assert codes(decide(found, PLATFORM, NOW)) == [("dns.nxdomain", "block")]
    assert found.cached == ()


def test_records_of_other_owners_are_not_taken_for_the_name() -> None:
    stray = Record("other.test", "NS", 60, "x.test")
    assert Answer("moon.test", "NS", answer=(stray,)).of("moon.test", "NS") == ()


def glued(*addresses: str) -> Answer:
    """Return a referral to one name server with these addresses."""
    kinds = [("AAAA" if ":" in address else "A", address) for address in addresses]
    glue = tuple(record("ns.evil.test", kind, address) for kind, address in kinds)
    return Answer("evil.test", "NS", authority=(record("evil.test", "NS", "ns.evil.test"),), additional=glue)


@pytest.mark.parametrize(
    "address", ["10.0.0.5", "127.0.0.1", "169.254.169.254", "192.168.1.1", "::1", "fd00::1", "100.64.0.1"]
)
def test_a_delegation_does_not_make_us_knock_at_inside_doors(address: str) -> None:
    dns = TableDns({}, SILENT)
    with ThreadPoolExecutor(2) as pool:
        case = Case(world(dns, probing=Probing()), subject("evil.test"), pool)
        [probe] = enter(case, "evil.test", ("ns.evil.test",), "test", glued(address)).probes
    assert dns.asked == []
    assert (probe.service, probe.address) == (Service.SILENT, address)


def test_loopback_is_asked_where_loopback_is_allowed_at_all() -> None:
    dns = TableDns({}, SILENT)
    probing = Probing(allow_networks=(ip_network("127.0.20.0/24"),))
    with ThreadPoolExecutor(2) as pool:
        case = Case(world(dns, probing=probing), subject("evil.test"), pool)
        enter(case, "evil.test", ("ns.evil.test",), "test", glued("127.0.10.53", "10.0.0.5"))
    assert dns.asked == [("evil.test", "NS", "127.0.10.53")]


def test_the_platforms_own_name_servers_may_be_inside() -> None:
    dns = TableDns(
        {
            ("ns1.platform.test", "A", None): Answer(
                "ns1.platform.test", "A", answer=(record("ns1.platform.test", "A", "10.0.0.5"),)
            )
        },
        SILENT,
    )
    with ThreadPoolExecutor(2) as pool:
        case = Case(world(dns, probing=Probing()), subject("moon.test"), pool)
        enter(case, "moon.test", ("ns1.platform.test",), "test")
    assert ("moon.test", "NS", "10.0.0.5") in dns.asked


def test_a_delegation_with_a_thousand_addresses_costs_no_more_than_a_few_questions() -> None:
    dns = TableDns({}, SILENT)
    many = tuple(f"9.9.{number // 250}.{number % 250 + 1}" for number in range(1000))
    with ThreadPoolExecutor(4) as pool:
        case = Case(world(dns), subject("evil.test"), pool)
        enter(case, "evil.test", ("ns.evil.test",), "test", glued(*many))
        assert len(dns.asked) == 4
        dns.asked.clear()
        hosts = tuple(f"ns{number}.evil.test" for number in range(300))
        enter(case, "evil.test", hosts, "test")
    assert len(dns.asked) == 2 * 16


def test_servers_that_know_their_zone_and_nothing_in_it_are_not_all_waited_for() -> None:
    """One after the other they would cost a time-out each: four are enough to tell."""
    known, servers = table(), [f"192.0.2.{number}" for number in range(11, 21)]
    glue = tuple(record(f"ns{n}.moon.test", "A", server) for n, server in enumerate(servers))
    hosts = tuple(record("moon.test", "NS", f"ns{n}.moon.test") for n in range(len(servers)))
    known["moon.test", "NS", "192.0.2.1"] = Answer("moon.test", "NS", authority=hosts, additional=glue)
    for server in servers:
        known["moon.test", "NS", server] = Answer("moon.test", "NS", authoritative=True, answer=hosts)
        known.pop(("shop.moon.test", "NS", server), None)
    dns = TableDns(known, SILENT)
    with ThreadPoolExecutor(4) as pool:
        found = delegation(Case(world(dns), subject(), pool))
    assert found.closest is not None
    assert len(found.closest.serving) == len(servers)
    assert sum(asked[:2] == ("shop.moon.test", "NS") for asked in dns.asked) == 4


# --- what is compared from look to look


def test_answers_are_told_while_support_is_needed_and_only_if_all_came() -> None:
    known, row = table(), replace(certificate("shop.moon.test"), state=State.NEEDS_SUPPORT)

    def told(row: Certificate, known: dict[Key, Answer]) -> list[list[str]]:
        with Chain(world(TableDns(known, SILENT))) as chain:
            found = chain.check(subject(certificate=row))
        return [f.evidence["answers"] for f in found if f.code == "dns.answers"]

    assert told(row, known) == [["NS ns1.platform.test", "NS ns2.platform.test", f"A {EDGE}"]]
    assert told(replace(row, state=State.INSTALLED), known) == []
    del known["shop.moon.test", "AAAA", "192.0.2.12"]
    assert told(row, known) == []
