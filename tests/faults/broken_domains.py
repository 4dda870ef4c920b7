"""The table of broken domains: each world, and every finding that it must give."""

from tests.faults import edges
from tests.faults.edges import Behaviour, page, redirect
from tests.faults.lab import (
    BLANK,
    CA,
    DOWN,
    EDGE,
    EDGE2,
    EDGE6,
    ELSEWHERE,
    NS1,
    NS2,
    ODD1,
    ODD2,
    OTHER,
    OTHER6,
    OUR_HOSTS,
    OURS,
    POINTED,
    SPARE,
    UDP_ONLY,
    Scenario,
)
from tests.faults.rdap_server import Reply, answer, days
from tests.faults.signing import EXPIRED, STRANGE, UNPROVEN, WELL

ODD = ("odd1.platform.test.", "odd2.platform.test.")
ON_ODD = (ODD1, ODD2)
FOREIGN = ("ns1.elsewhere.test.",)
THEIRS = "@ 60 NS ns1.elsewhere.test.\n"


def found(*findings: str) -> frozenset[tuple[str, str, str]]:
    """Return expectations from texts such as "dns.lame warn platform"."""
    return frozenset((code, verdict, owner) for code, verdict, owner in map(str.split, findings))


def on_odd(name: str, rtype: str, manner: str, *findings: str) -> Scenario:
    """Return a domain on an odd server of ours, which answers questions of that type in that manner."""
    zones = {name: "@ 60 NS odd1.platform.test.\n" + POINTED}
    expected = found(*findings)
    return Scenario(name, ns=ODD[:1], on=(ODD1,), zones=zones, odd={(name, rtype): manner}, expected=expected)


HEALTHY = (
    Scenario("apex.test", zones={"apex.test": POINTED}),
    Scenario("www.alias.test", zones={"alias.test": POINTED + "www 60 CNAME edge.platform.test.\n"}),
    Scenario("www.inside.test", zones={"inside.test": POINTED + "www 60 CNAME inside.test.\n"}),
    Scenario("a.b.c.deep.test", zones={"deep.test": f"a.b.c 60 A {EDGE}\n"}),
    Scenario("*.wild.test", zones={"wild.test": f"* 60 A {EDGE}\n"}),
    Scenario("*.tame.test", zones={"tame.test": POINTED}),
    Scenario("six.test", zones={"six.test": f"@ 60 AAAA {EDGE6}\n"}),
    Scenario(
        "vanity.test",
        ns=("ns1.vanity.test.", "ns2.vanity.test."),
        above=f"ns1.vanity.test. 60 A {NS1}\nns2.vanity.test. 60 A {NS2}\n",
        zones={
            "vanity.test": f"@ 60 NS ns1\n@ 60 NS ns2\nns1 60 A {NS1}\nns2 60 A {NS2}\n" + POINTED,
        },
    ),
    Scenario(
        "vanity-mixed.test",
        ns=("ns1.vanity-mixed.test.", "ns2.vanity-mixed.test."),
        above=f"ns1.vanity-mixed.test. 60 A {NS1}\nns2.vanity-mixed.test. 60 A {NS2}\n",
        zones={"vanity-mixed.test": f"ns1 60 A {NS1}\nns2 60 A {NS2}\n" + POINTED},
    ),
    Scenario(
        "shop.given.test",  # the domain is elsewhere, the sub-domain delegated to us
        ns=FOREIGN,
        other={
            ELSEWHERE: {
                "given.test": THEIRS
                + POINTED
                + "shop 60 NS ns1.platform.test.\nshop 60 NS ns2.platform.test.\n"
            },
            NS1: {"shop.given.test": POINTED},
            NS2: {"shop.given.test": POINTED},
        },
    ),
    Scenario(
        "shop.both.test",  # our servers have the zone and its child zone: no referral is ever seen
        zones={
            "both.test": POINTED + "shop 60 NS ns1.platform.test.\nshop 60 NS ns2.platform.test.\n",
            "shop.both.test": POINTED,
        },
    ),
    Scenario(
        "one.test",
        ns=("ns1.platform.test.",),
        on=(NS1,),
        zones={"one.test": "@ 60 NS ns1.platform.test.\n" + POINTED},
    ),
    Scenario("case.test", ns=("NS1.Platform.TEST.", "ns2.platform.test."), zones={"case.test": POINTED}),
    Scenario(
        "tc.test",
        ns=ODD,
        on=ON_ODD,
        zones={"tc.test": "@ 60 NS odd1.platform.test.\n@ 60 NS odd2.platform.test.\n" + POINTED},
        odd={("tc.test", "A"): "truncated"},
    ),
    Scenario(
        "shop.mid.empty.test",  # a server that denies an empty non-terminal
        ns=("odd1.platform.test.",),
        on=(ODD1,),
        zones={"empty.test": f"@ 60 NS odd1.platform.test.\nshop.mid 60 A {EDGE}\n"},
        odd={("mid.empty.test", "NS"): "denied", ("mid.empty.test", "CAA"): "denied"},
    ),
    Scenario("caa-ours.test", zones={"caa-ours.test": POINTED + '@ 60 CAA 0 issue "CA.Test"\n'}),
    Scenario("caa-low.test", zones={"caa-low.test": POINTED + '@ 60 CAA 1 tbs "x"\n'}),
    Scenario("caa-iodef.test", zones={"caa-iodef.test": POINTED + '@ 60 CAA 128 iodef "mailto:a@b.test"\n'}),
    Scenario(
        "shop.caa-near.test",  # the nearest set counts, not the parent's
        zones={
            "caa-near.test": POINTED
            + f'shop 60 A {EDGE}\nshop 60 CAA 0 issue "ca.test"\n@ 60 CAA 0 issue ";"\n'
        },
    ),
    Scenario(
        "caa-account.test",
        zones={
            "caa-account.test": POINTED
            + '@ 60 CAA 0 issue "ca.test; accounturi=https://ca.test/acct/1; validationmethods=http-01"\n'
        },
        expected=found("dns.caa_forbids ok merchant"),  # dns-01 is left out
    ),
    Scenario(
        "*.caa-wild.test",
        zones={
            "caa-wild.test": f'* 60 A {EDGE}\n@ 60 A {EDGE}\n@ 60 CAA 0 issue ";"\n@ 60 CAA 0 issuewild "ca.test"\n'
        },
    ),
    Scenario("caa-onlywild.test", zones={"caa-onlywild.test": POINTED + '@ 60 CAA 0 issuewild ";"\n'}),
    Scenario(  # away and back again: the closest delegation counts
        "a.b.threefold.test",
        zones={"threefold.test": POINTED + "b 60 NS ns1.elsewhere.test.\n", "a.b.threefold.test": POINTED},
        other={
            ELSEWHERE: {
                "b.threefold.test": THEIRS + "a 60 NS ns1.platform.test.\na 60 NS ns2.platform.test.\n"
            }
        },
    ),
    Scenario("host.test", zones={"host.test": POINTED + f"ns1 60 A {NS1}\nns2 60 A {NS2}\n"}),
    Scenario(  # vanity name servers in another domain
        "guest.test",
        ns=("ns1.host.test.", "ns2.host.test."),
        zones={"guest.test": "@ 60 NS ns1.host.test.\n@ 60 NS ns2.host.test.\n" + POINTED},
    ),
    Scenario("www.round.test", zones={"round.test": POINTED + "www 60 CNAME a.trip.test.\n"}),
    Scenario("b.home.test", zones={"home.test": POINTED + "b 60 CNAME edge.platform.test.\n"}),
    Scenario("x.old.renamed.test", zones={"renamed.test": f"old 60 DNAME new\nx.new 60 A {EDGE}\n"}),
    Scenario("www.own.test", zones={"own.test": f"* 60 A {OTHER}\nwww 60 A {EDGE}\n"}),
    Scenario("*.led.test", zones={"led.test": POINTED + "* 60 CNAME edge.platform.test.\n"}),
    Scenario("signed.test", signed=WELL, zones={"signed.test": POINTED}),
    Scenario(  # a new key was announced and an old one not yet taken back
        "two-ds.test",
        signed=WELL,
        above=f"two-ds.test. 60 DS 12345 13 2 {'ab' * 32}\n",
        zones={"two-ds.test": POINTED},
    ),
    Scenario(  # an algorithm that nobody knows is no signature (RFC 4035 §5.2)
        "unknown-ds.test",
        above=f"unknown-ds.test. 60 DS 12345 250 2 {'ab' * 32}\n",
        zones={"unknown-ds.test": POINTED},
    ),
    Scenario(
        "shop.unsigned.test",  # the domain is signed, the sub-domain's own zone is not
        signed=WELL,
        zones={
            "unsigned.test": POINTED + "shop 60 NS ns1.platform.test.\nshop 60 NS ns2.platform.test.\n",
            "shop.unsigned.test": POINTED,
        },
    ),
    on_odd("old-dns.test", "*", "plain"),
    on_odd("slow-dns.test", "*", "late"),
    on_odd("few-types.test", "NS", "NOTIMP"),
    Scenario(  # the alias's target has the records that count, and they allow
        "www.caa-let.test",
        zones={"caa-let.test": POINTED + '@ 60 CAA 0 issue ";"\nwww 60 CNAME shop.caa-lets.test.\n'},
    ),
    Scenario(
        "shop.caa-lets.test",
        zones={"caa-lets.test": POINTED + f'shop 60 A {EDGE}\nshop 60 CAA 0 issue "ca.test"\n'},
    ),
    Scenario(
        "*.sub.caa-deep.test",
        zones={
            "caa-deep.test": f'*.sub 60 A {EDGE}\nsub 60 CAA 0 issuewild "ca.test"\nsub 60 CAA 0 issue ";"\n'
            '@ 60 CAA 0 issuewild ";"\n'
        },
    ),
)

DELEGATED_WRONG = (
    Scenario(
        "foreign.test",
        ns=FOREIGN,
        other={ELSEWHERE: {"foreign.test": THEIRS + POINTED}},
        expected=found("dns.not_hosted block merchant"),
    ),
    Scenario(
        "partly.test",
        ns=("ns1.platform.test.", "ns1.elsewhere.test."),
        zones={"partly.test": "@ 60 NS ns1.platform.test.\n@ 60 NS ns1.elsewhere.test.\n" + POINTED},
        on=(NS1, ELSEWHERE),
        expected=found("dns.not_hosted block merchant"),
    ),
    Scenario(
        "www.pointed.test",  # a right alias on foreign DNS is still not hosted
        ns=FOREIGN,
        other={ELSEWHERE: {"pointed.test": THEIRS + POINTED + "www 60 CNAME edge.platform.test.\n"}},
        expected=found("dns.not_hosted block merchant"),
    ),
    Scenario(
        "shop.taken.test",  # the domain is ours, the sub-domain delegated elsewhere
        zones={"taken.test": POINTED + "shop 60 NS ns1.elsewhere.test.\n"},
        other={ELSEWHERE: {"shop.taken.test": THEIRS + POINTED}},
        expected=found("dns.not_hosted block merchant"),
    ),
    Scenario("unregistered.test", ns=(), expected=found("dns.nxdomain block merchant")),
    Scenario("www.unregistered2.test", ns=(), expected=found("dns.nxdomain block merchant")),
    Scenario(
        "leftover.test",
        above=f"leftover.test. 60 DS 12345 13 2 {'ab' * 32}\n",
        zones={"leftover.test": POINTED},
        expected=found("dns.dnssec_bogus block merchant"),
    ),
    Scenario(
        "insider.test",
        zones={"insider.test": "@ 60 NS ns1.platform.test.\n@ 60 NS ns9.elsewhere.test.\n" + POINTED},
        expected=found("dns.inconsistent warn platform"),
    ),
    Scenario(
        "a.trip.test",
        ns=FOREIGN,
        other={ELSEWHERE: {"trip.test": THEIRS + "a 60 CNAME b.home.test.\n"}},
        expected=found("dns.not_hosted block merchant"),
    ),
    Scenario(
        "undelegated.test",  # what there is of it stands in the zone above
        ns=(),
        above=f"undelegated.test. 60 A {EDGE}\n",
        expected=found("dns.not_hosted block merchant"),
    ),
    Scenario(
        "no-glue.test",
        ns=("ns1.no-glue.test.",),
        zones={"no-glue.test": f"@ 60 NS ns1\nns1 60 A {NS1}\n" + POINTED},
        expected=found("dns.not_hosted block merchant", "dns.lame block merchant"),
    ),
    Scenario(
        "bad-glue.test",
        ns=("ns1.bad-glue.test.",),
        above=f"ns1.bad-glue.test. 60 A {OTHER}\n",
        zones={"bad-glue.test": f"@ 60 NS ns1\nns1 60 A {NS1}\n" + POINTED},
        expected=found("dns.not_hosted block merchant", "dns.lame unknown merchant"),
    ),
    Scenario(
        "old-glue.test",  # the registry has our address, the zone itself an old one: resolvers follow either
        ns=("ns1.old-glue.test.",),
        above=f"ns1.old-glue.test. 60 A {NS1}\n",
        zones={"old-glue.test": f"@ 60 NS ns1\nns1 60 A {OTHER}\n" + POINTED},
        expected=found("dns.inconsistent warn platform"),
    ),
    Scenario(
        "glue-alone.test",  # the zone has no address for its own name server
        ns=("ns1.glue-alone.test.",),
        above=f"ns1.glue-alone.test. 60 A {NS1}\n",
        zones={"glue-alone.test": "@ 60 NS ns1\n" + POINTED},
        expected=found("dns.inconsistent warn platform"),
    ),
    Scenario(
        "less-glue.test",  # glue may be less than the zone has
        ns=("ns1.less-glue.test.",),
        above=f"ns1.less-glue.test. 60 A {NS1}\n",
        zones={"less-glue.test": f"@ 60 NS ns1\nns1 60 A {NS1}\nns1 60 A {NS2}\n" + POINTED},
    ),
    Scenario(
        "alias-ns.test",  # a name server must not be an alias (RFC 2181 §10.3)
        ns=("ns.alias-host.test.",),
        zones={"alias-ns.test": "@ 60 NS ns.alias-host.test.\n" + POINTED},
        expected=found("dns.not_hosted block merchant", "dns.lame block merchant"),
    ),
    Scenario("alias-host.test", zones={"alias-host.test": POINTED + "ns 60 CNAME ns1.platform.test.\n"}),
    Scenario(  # everything at once, each told by itself
        "everything.test",
        ns=FOREIGN,
        other={
            ELSEWHERE: {
                "everything.test": THEIRS + f'@ 60 A {OTHER}\n@ 60 AAAA {OTHER6}\n@ 60 CAA 0 issue ";"\n'
            }
        },
        rdap=answer("everything.test", "client hold", expires=days(9)),
        expected=found(
            "dns.not_hosted block merchant",
            "dns.wrong_address block merchant",
            "dns.wrong_ipv6 block merchant",
            "dns.caa_forbids block merchant",
            "domain.on_hold block merchant",
            "domain.expiring warn merchant",
        ),
    ),
    Scenario(
        "stale-signature.test",
        signed=EXPIRED,
        zones={"stale-signature.test": POINTED},
        expected=found("dns.dnssec_bogus block platform"),
    ),
    Scenario(
        "strange-key.test",
        signed=STRANGE,
        zones={"strange-key.test": POINTED},
        expected=found("dns.dnssec_bogus block merchant"),
    ),
    Scenario(  # only what is missing does not validate: CAA, here
        "unproven.test",
        signed=UNPROVEN,
        zones={"unproven.test": POINTED},
        expected=found("dns.dnssec_bogus block platform"),
    ),
    Scenario(
        "shop.bogus-above.test",  # the zone above is to blame, and it is ours
        signed=EXPIRED,
        zones={
            "bogus-above.test": POINTED + "shop 60 NS ns1.platform.test.\nshop 60 NS ns2.platform.test.\n",
            "shop.bogus-above.test": POINTED,
        },
        expected=found("dns.dnssec_bogus block platform"),
    ),
)

BAD_SERVERS = (
    Scenario(
        "lame-one.test",  # ns2 has never heard of it
        zones={"lame-one.test": POINTED},
        on=(NS1,),
        expected=found("dns.lame warn platform"),
    ),
    Scenario(
        "lame-all.test",
        expected=found("dns.lame block platform", "dns.servfail block platform"),
    ),
    Scenario(
        "lame-foreign.test",
        ns=FOREIGN,
        expected=found(
            "dns.not_hosted block merchant", "dns.lame block merchant", "dns.servfail block merchant"
        ),
    ),
    Scenario(
        "upward.test",
        ns=ODD,
        odd={("upward.test", "*"): "upward"},
        expected=found("dns.lame block platform"),
    ),
    Scenario(
        "nohost.test",
        ns=("ns1.platform.test.", "ns7.platform.test."),
        zones={"nohost.test": "@ 60 NS ns1.platform.test.\n@ 60 NS ns7.platform.test.\n" + POINTED},
        on=(NS1,),
        expected=found("dns.not_hosted block merchant", "dns.lame warn merchant"),
    ),
    Scenario(
        "closed-one.test",
        ns=("ns1.platform.test.", "closed.platform.test."),
        zones={"closed-one.test": "@ 60 NS ns1.platform.test.\n@ 60 NS closed.platform.test.\n" + POINTED},
        on=(NS1,),
        expected=found("dns.lame unknown platform"),
    ),
    Scenario("closed-all.test", ns=("closed.platform.test.",), expected=found("dns.lame unknown platform")),
    Scenario(
        "silent-all.test",
        ns=ODD,
        odd={("silent-all.test", "*"): "silent"},
        expected=found("dns.lame unknown platform"),
    ),
    Scenario(
        "servfail-all.test",
        ns=ODD,
        odd={("servfail-all.test", "*"): "SERVFAIL"},
        expected=found("dns.servfail block platform"),
    ),
    Scenario(
        "servfail-one.test",
        ns=("ns1.platform.test.", "odd1.platform.test."),
        zones={"servfail-one.test": "@ 60 NS ns1.platform.test.\n@ 60 NS odd1.platform.test.\n" + POINTED},
        on=(NS1,),
        odd={("servfail-one.test", "*"): "SERVFAIL"},
        expected=found("dns.servfail warn platform"),
    ),
    Scenario(
        "refused-a.test",
        ns=("odd1.platform.test.",),
        on=(ODD1,),
        zones={"refused-a.test": "@ 60 NS odd1.platform.test.\n" + POINTED},
        odd={("refused-a.test", "A"): "REFUSED", ("refused-a.test", "AAAA"): "REFUSED"},
        expected=found("dns.servfail block platform"),
    ),
    Scenario(
        "aaaa.test",
        ns=("odd1.platform.test.",),
        on=(ODD1,),
        zones={"aaaa.test": "@ 60 NS odd1.platform.test.\n" + POINTED},
        odd={("aaaa.test", "AAAA"): "SERVFAIL"},
        expected=found("dns.servfail warn platform"),
    ),
    Scenario(
        "aaaa-silent.test",
        ns=("odd1.platform.test.",),
        on=(ODD1,),
        zones={"aaaa-silent.test": "@ 60 NS odd1.platform.test.\n" + POINTED},
        odd={("aaaa-silent.test", "AAAA"): "silent"},
        expected=found("dns.servfail warn platform"),
    ),
    Scenario(
        "cut.test",  # truncated, and TCP is refused
        ns=("udp.platform.test.",),
        on=(UDP_ONLY,),
        zones={"cut.test": "@ 60 NS udp.platform.test.\n" + POINTED},
        odd={("cut.test", "A"): "truncated"},
        expected=found("dns.no_address unknown platform"),
    ),
    Scenario(  # one is well, one has never heard of it, one is silent
        "three.test",
        ns=(*OUR_HOSTS, "closed.platform.test."),
        zones={"three.test": OURS + "@ 60 NS closed.platform.test.\n" + POINTED},
        on=(NS1,),
        expected=found("dns.lame warn platform", "dns.lame unknown platform"),
    ),
    on_odd("humble.test", "*", "humble", "dns.lame block platform"),
    on_odd("aaaa-denied.test", "AAAA", "denied"),
    Scenario(
        "caa-one.test",
        ns=("ns1.platform.test.", "odd1.platform.test."),
        on=(NS1, ODD1),
        zones={"caa-one.test": "@ 60 NS ns1.platform.test.\n@ 60 NS odd1.platform.test.\n" + POINTED},
        odd={("caa-one.test", "CAA"): "SERVFAIL"},
        expected=found("dns.servfail warn platform"),
    ),
)

WRONG_ADDRESSES = (
    Scenario(
        "*.astray.test",
        zones={"astray.test": POINTED + f"* 60 A {OTHER}\n"},
        expected=found("dns.wrong_address block merchant"),
    ),
    Scenario("*.nowhere.test", ns=(), expected=found("dns.nxdomain block merchant")),
    Scenario(
        "*.gone.hollow.test",  # neither the wildcard nor its base is there
        zones={"hollow.test": POINTED},
        expected=found("dns.nxdomain block merchant"),
    ),
    Scenario(
        "none.test", zones={"none.test": "@ 60 TXT x\n"}, expected=found("dns.no_address block merchant")
    ),
    Scenario("no.such.test", zones={"such.test": POINTED}, expected=found("dns.nxdomain block merchant")),
    Scenario(
        "www.dangling.test",
        zones={"dangling.test": POINTED + "www 60 CNAME gone.apex.test.\n"},
        expected=found("dns.no_address block merchant"),
    ),
    Scenario(
        "www.loop.test",
        zones={"loop.test": POINTED + "www 60 CNAME w2\nw2 60 CNAME www\n"},
        expected=found("dns.no_address block merchant"),
    ),
    Scenario(
        "www.loop-out.test",  # the circle leads through another zone
        zones={"loop-out.test": "www 60 CNAME w2.loop-back.test.\n"},
        expected=found("dns.no_address block merchant"),
    ),
    Scenario(
        "loop-back.test",
        ns=FOREIGN,
        other={ELSEWHERE: {"loop-back.test": THEIRS + POINTED + "w2 60 CNAME www.loop-out.test.\n"}},
        expected=found("dns.not_hosted block merchant"),
    ),
    Scenario(
        "wrong.test",
        zones={"wrong.test": f"@ 60 A {OTHER}\n"},
        expected=found("dns.wrong_address block merchant"),
    ),
    Scenario(
        "mixed.test",
        zones={"mixed.test": POINTED + f"@ 60 A {OTHER}\n"},
        expected=found("dns.wrong_address block merchant"),
    ),
    Scenario(
        "wrong6.test",
        zones={"wrong6.test": f"@ 60 A {EDGE}\n@ 60 AAAA {OTHER6}\n"},
        expected=found("dns.wrong_ipv6 block merchant"),
    ),
    Scenario(
        "private.test",
        zones={"private.test": "@ 60 A 10.1.2.3\n"},
        expected=found("dns.private_address block merchant", "dns.wrong_address block merchant"),
    ),
    Scenario(
        "differ.test",
        zones={"differ.test": f"@ 60 A {EDGE}\n"},
        other={NS2: {"differ.test": f"@ 60 A {OTHER}\n"}},
        expected=found("dns.wrong_address block merchant", "dns.inconsistent warn platform"),
    ),
    Scenario(
        "www.half.test",  # one of two servers does not know the name yet
        zones={"half.test": POINTED + f"www 60 A {EDGE}\n"},
        other={NS2: {"half.test": POINTED}},
        expected=found("dns.inconsistent warn platform"),
    ),
    Scenario(
        "www.failing-target.test",
        zones={"failing-target.test": POINTED + "www 60 CNAME servfail-all.test.\n"},
        expected=found("dns.servfail block platform"),
    ),
    Scenario(
        "www.moved-target.test",  # the target has left, and ns1 and ns2 still hold its old zone
        zones={"moved-target.test": POINTED + "www 60 CNAME moved.test.\n"},
        expected=found("dns.wrong_address block merchant"),
    ),
    Scenario(
        "moved.test",
        ns=FOREIGN,
        zones={"moved.test": POINTED},
        other={ELSEWHERE: {"moved.test": THEIRS + f"@ 60 A {OTHER}\n"}},
        expected=found("dns.not_hosted block merchant", "dns.wrong_address block merchant"),
    ),
    Scenario(
        "www.bogus-target.test",
        zones={"bogus-target.test": POINTED + "www 60 CNAME leftover.test.\n"},
        expected=found("dns.dnssec_bogus block merchant"),
    ),
    Scenario(
        "*.circle-wild.test",
        zones={"circle-wild.test": POINTED + "* 60 CNAME a\na 60 CNAME b\nb 60 CNAME a\n"},
        expected=found("dns.no_address block merchant"),
    ),
    Scenario(
        "*.dangling-wild.test",
        zones={"dangling-wild.test": POINTED + "* 60 CNAME gone.elsewhere.test.\n"},
        expected=found("dns.no_address block merchant"),
    ),
    Scenario(
        "b.between.test",  # an empty non-terminal hides the wildcard (RFC 4592 §2.2.2)
        zones={"between.test": f"* 60 A {EDGE}\na.b 60 A {EDGE}\n"},
        expected=found("dns.no_address block merchant"),
    ),
    Scenario(
        "six-differs.test",
        zones={"six-differs.test": POINTED},
        other={NS2: {"six-differs.test": f"@ 60 A {EDGE}\n@ 60 AAAA {OTHER6}\n"}},
        expected=found("dns.wrong_ipv6 block merchant", "dns.inconsistent warn platform"),
    ),
    Scenario(
        "mapped.test",
        zones={"mapped.test": f"@ 60 A {EDGE}\n@ 60 AAAA ::ffff:{EDGE}\n"},
        expected=found("dns.wrong_ipv6 block merchant", "dns.private_address block merchant"),
    ),
)

FORBIDDEN_CA = (
    Scenario(
        "caa.test",
        zones={"caa.test": POINTED + '@ 60 CAA 0 issue "other.test"\n'},
        expected=found("dns.caa_forbids block merchant"),
    ),
    Scenario(
        "caa-nobody.test",
        zones={"caa-nobody.test": POINTED + '@ 60 CAA 0 issue ";"\n'},
        expected=found("dns.caa_forbids block merchant"),
    ),
    Scenario(
        "shop.caa-above.test",
        zones={"caa-above.test": POINTED + f'shop 60 A {EDGE}\n@ 60 CAA 0 issue "other.test"\n'},
        expected=found("dns.caa_forbids block merchant"),
    ),
    Scenario(
        "caa-critical.test",
        zones={"caa-critical.test": POINTED + '@ 60 CAA 0 issue "ca.test"\n@ 60 CAA 128 tbs "x"\n'},
        expected=found("dns.caa_forbids block merchant"),
    ),
    Scenario(
        "*.caa-notwild.test",
        zones={
            "caa-notwild.test": f'* 60 A {EDGE}\n@ 60 CAA 0 issue "ca.test"\n@ 60 CAA 0 issuewild "other.test"\n'
        },
        expected=found("dns.caa_forbids block merchant"),
    ),
    Scenario(
        "caa-stranger.test",
        zones={
            "caa-stranger.test": POINTED + '@ 60 CAA 0 issue "ca.test; accounturi=https://ca.test/acct/2"\n'
        },
        expected=found("dns.caa_forbids block merchant"),
    ),
    Scenario(
        "caa-method.test",
        zones={"caa-method.test": POINTED + '@ 60 CAA 0 issue "ca.test; validationmethods=tls-alpn-01"\n'},
        expected=found("dns.caa_forbids block merchant"),
    ),
    Scenario(
        "www.caa-alias.test",  # the alias target's own records count (RFC 8659 §3)
        zones={"caa-alias.test": POINTED + "www 60 CNAME shop.caa-target.test.\n"},
        expected=found("dns.caa_forbids block merchant"),
    ),
    Scenario(
        "shop.caa-target.test",
        zones={"caa-target.test": POINTED + f'shop 60 A {EDGE}\nshop 60 CAA 0 issue "other.test"\n'},
        expected=found("dns.caa_forbids block merchant"),
    ),
    Scenario(
        "www.caa-alias2.test",  # the alias target's parents do not
        zones={"caa-alias2.test": POINTED + "www 60 CNAME shop.caa-above2.test.\n"},
    ),
    Scenario(
        "caa-above2.test",
        zones={"caa-above2.test": POINTED + f'shop 60 A {EDGE}\n@ 60 CAA 0 issue "other.test"\n'},
        expected=found("dns.caa_forbids block merchant"),
    ),
    Scenario(
        "caa-spare.test",
        zones={"caa-spare.test": POINTED + '@ 60 CAA 0 issue "spare.test"\n'},
        cas=(CA, SPARE),
        expected=found("dns.caa_forbids warn merchant"),
    ),
    Scenario(
        "caa-blank.test",
        zones={"caa-blank.test": POINTED + '@ 60 CAA 0 issue "other.test"\n'},
        cas=(BLANK,),
        expected=found("dns.caa_forbids unknown merchant"),
    ),
    Scenario(
        "caa-servfail.test",
        ns=("odd1.platform.test.",),
        on=(ODD1,),
        zones={"caa-servfail.test": "@ 60 NS odd1.platform.test.\n" + POINTED},
        odd={("caa-servfail.test", "CAA"): "SERVFAIL"},
        expected=found("dns.servfail block platform", "dns.caa_forbids block platform"),
    ),
    Scenario(
        "caa-silent.test",
        ns=("odd1.platform.test.",),
        on=(ODD1,),
        zones={"caa-silent.test": "@ 60 NS odd1.platform.test.\n" + POINTED},
        odd={("caa-silent.test", "CAA"): "silent"},
        expected=found("dns.caa_forbids unknown platform"),
    ),
    Scenario(
        "caa-two.test",  # for one CA another name, for the other one another account
        cas=(CA, SPARE),
        zones={
            "caa-two.test": POINTED
            + '@ 60 CAA 0 issue "other.test"\n@ 60 CAA 0 issue "spare.test; accounturi=https://spare.test/9"\n'
        },
        expected=found("dns.caa_forbids block merchant"),
    ),
    Scenario(
        "caa-dot.test",  # a final dot breaks the grammar of RFC 8659 §4.2
        zones={"caa-dot.test": POINTED + '@ 60 CAA 0 issue "ca.test."\n'},
        expected=found("dns.caa_forbids block merchant"),
    ),
    Scenario(
        "caa-differs.test",
        zones={"caa-differs.test": POINTED},
        other={NS2: {"caa-differs.test": POINTED + '@ 60 CAA 0 issue ";"\n'}},
        expected=found("dns.caa_forbids block merchant"),
    ),
)


def at_edge(
    name: str, behaviour: Behaviour, *findings: str, addresses: tuple[str, ...] = (EDGE,)
) -> Scenario:
    """Return a healthy domain, for whose name the edge behaves badly (or oddly) at each of its addresses."""
    host, _, domain = name.partition(".")
    owner, base = (name, "@") if domain == "test" else (domain, host)
    records = "".join(f"{base} 60 {'AAAA' if ':' in each else 'A'} {each}\n" for each in addresses)
    return Scenario(name, zones={owner: records}, expected=found(*findings), edge={name: behaviour})


WAF = page(503, b"<title>Attention Required!</title> Complete the captcha.", server="waf")
BLOCKED = tuple(
    f"access.{kind} block platform"
    for kind in ("unreachable", "refused", "wrong_server", "forbidden", "redirected_away", "redirect_loop")
)
UNREACHABLE, REFUSED, WRONG_SERVER, FORBIDDEN, AWAY, LOOP = BLOCKED

AT_THE_EDGE = (
    at_edge("chunked.test", edges.chunked),
    at_edge("unlimited.test", edges.unlimited),
    at_edge("to-https.test", edges.only_http(redirect("https://{host}{path}"))),
    at_edge("to-www.test", redirect("http://www.alias.test{path}", 308)),
    at_edge("relative.test", redirect("//www.alias.test{path}", 302)),
    at_edge("edge-404.test", page(404), WRONG_SERVER),
    at_edge("edge-500.test", page(500), WRONG_SERVER),
    at_edge("edge-503.test", page(503), WRONG_SERVER),
    at_edge("edge-page.test", page(200), WRONG_SERVER),
    at_edge("*.edge-wild.test", page(404), WRONG_SERVER),
    at_edge("garbage.test", edges.garbage, WRONG_SERVER),
    at_edge("huge-header.test", edges.huge_header, WRONG_SERVER),
    at_edge("huge-body.test", edges.huge_body, WRONG_SERVER),
    at_edge("no-location.test", page(302), WRONG_SERVER),
    at_edge("password.test", page(401), FORBIDDEN),
    at_edge("firewall.test", page(403), FORBIDDEN),
    at_edge("too-many.test", page(429), FORBIDDEN),
    at_edge("by-law.test", page(451), FORBIDDEN),
    at_edge("captcha.test", WAF, FORBIDDEN),
    at_edge("silent-edge.test", edges.silent, UNREACHABLE),
    at_edge("drip.test", edges.drip, UNREACHABLE),
    at_edge("drip-body.test", edges.drip_body, UNREACHABLE),
    at_edge("reset.test", edges.reset, UNREACHABLE),
    at_edge("hang-up.test", edges.hang_up, UNREACHABLE),
    at_edge("edge-down.test", edges.good, REFUSED, addresses=(DOWN,)),
    at_edge("half-down.test", edges.good, "access.refused warn platform", addresses=(EDGE, DOWN)),
    at_edge("down-and-bad.test", page(404), REFUSED, WRONG_SERVER, addresses=(EDGE, EDGE2, DOWN)),
    Scenario(
        "one-bad.test",
        zones={"one-bad.test": f"@ 60 A {EDGE}\n@ 60 A {EDGE2}\n"},
        edge={f"{EDGE2} one-bad.test": page(404)},
        expected=found("access.wrong_server warn platform"),
    ),
    Scenario(
        "bad-six.test",
        zones={"bad-six.test": POINTED},
        edge={f"{EDGE6} bad-six.test": page(404)},
        expected=found("access.wrong_server warn platform"),
    ),
    Scenario(  # one address is another's, and at ours the edge is bad: each is told by itself
        "edge-mixed.test",
        zones={"edge-mixed.test": f"@ 60 A {EDGE}\n@ 60 A {OTHER}\n"},
        edge={"edge-mixed.test": page(404)},
        expected=found("dns.wrong_address block merchant", WRONG_SERVER),
    ),
    at_edge("away.test", redirect("http://wrong.test{path}"), AWAY),
    at_edge("away-nowhere.test", redirect("http://no.such.test{path}"), AWAY),
    at_edge("away-private.test", redirect("http://private.test{path}"), AWAY),
    at_edge("away-port.test", redirect("https://{host}:8443{path}"), AWAY),
    at_edge("away-bare.test", redirect(f"http://{EDGE}{{path}}"), AWAY),
    at_edge("away-scheme.test", redirect("ftp://{host}{path}"), AWAY),
    at_edge("circle.test", redirect("http://{host}{path}"), LOOP),
    at_edge(
        "to-and-fro.test",
        edges.only_http(redirect("https://{host}{path}"), redirect("http://{host}{path}")),
        LOOP,
    ),
    at_edge("longer.test", redirect("{path}x"), LOOP),
    at_edge("to-forbidden.test", edges.only_http(redirect("https://{host}{path}"), page(403)), FORBIDDEN),
    at_edge("to-silent.test", edges.only_http(redirect("https://{host}{path}"), edges.silent), UNREACHABLE),
    at_edge("in-a-page.test", edges.proof_as(lambda proof: b"<html>" + proof + b"</html>"), WRONG_SERVER),
    at_edge("blanks.test", edges.proof_as(lambda proof: proof + b" \r\n\n")),
    at_edge("blanks-first.test", edges.proof_as(lambda proof: b"\n" + proof), WRONG_SERVER),
    at_edge("byte-order.test", edges.proof_as(lambda proof: b"\xef\xbb\xbf" + proof), WRONG_SERVER),
    at_edge("cut-short.test", edges.cut_short, UNREACHABLE),
    at_edge("loud.test", redirect("HTTP://me:pw@WWW.ALIAS.TEST:80{path}#top", 303)),
    at_edge("front-page.test", edges.only_http(redirect("https://{host}/")), WRONG_SERVER),
    at_edge("postal.test", redirect("mailto:shop@{host}"), AWAY),
)

REGISTERED = (
    Scenario(
        "lapsed.test",  # the registrar let it expire; its DNS works on for now
        zones={"lapsed.test": POINTED},
        rdap=answer("lapsed.test", expires=days(-1)),
        expected=found("domain.expired block merchant"),
    ),
    Scenario(
        "www.redeemed.test",  # the date is a year away: the registry renewed it before the registrar gave it up
        zones={"redeemed.test": POINTED + f"www 60 A {EDGE}\n"},
        rdap=answer("redeemed.test", "redemptionPeriod", "pending delete", "server hold", expires=days(330)),
        expected=found("domain.expired block merchant"),
    ),
    Scenario(
        "dropping.test",
        ns=(),
        rdap=answer("dropping.test", "pending delete"),
        expected=found("domain.expired block merchant", "dns.nxdomain block merchant"),
    ),
    Scenario(
        "held.test",  # out of DNS, as a hold means it
        ns=(),
        rdap=answer("held.test", "Client Hold", "client transfer prohibited", expires=days(200)),
        expected=found("domain.on_hold block merchant", "dns.nxdomain block merchant"),
    ),
    Scenario(
        "*.seized.test",
        zones={"seized.test": POINTED + f"* 60 A {EDGE}\n"},
        rdap=answer("seized.test", "serverHold", expires=days(12)),
        expected=found("domain.on_hold block merchant", "domain.expiring warn merchant"),
    ),
    Scenario(
        "a.b.ending.test",
        zones={"ending.test": POINTED + f"a.b 60 A {EDGE}\n"},
        rdap=answer("ending.test", expires=days(29).date().isoformat()),
        expected=found("domain.expiring warn merchant"),
    ),
    Scenario(
        "grace.test",
        zones={"grace.test": POINTED},
        rdap=answer("grace.test", "auto renew period", expires=days(-3)),
        expected=found("domain.expiring warn merchant"),
    ),
    Scenario(
        "dateless.test",
        zones={"dateless.test": POINTED},
        rdap=answer("dateless.test"),
        expected=found("domain.expired unknown merchant"),
    ),
    Scenario(
        "unlisted.test",
        zones={"unlisted.test": POINTED},
        rdap=Reply(404),
        expected=found("domain.expired unknown merchant"),
    ),
    Scenario(
        "registry-down.test",
        zones={"registry-down.test": POINTED},
        rdap=Reply(500, b"<html>"),
        expected=found("domain.expired unknown merchant"),
    ),
)

LEFTOVERS = (
    Scenario(
        "leftovers.test",
        zones={
            "leftovers.test": POINTED + '_acme-challenge 60 TXT "old-one"\n_acme-challenge 60 TXT "older"\n'
        },
        expected=found("dns.stale_challenge warn merchant"),
    ),
    Scenario(
        "lent.test",  # http-01 is left
        zones={"lent.test": POINTED + "_acme-challenge 60 CNAME lent.elsewhere.test.\n"},
        expected=found("dns.stale_challenge warn merchant"),
    ),
    Scenario(
        "*.lent-wild.test",
        zones={"lent-wild.test": f"* 60 A {EDGE}\n_acme-challenge 60 CNAME gone.nowhere.test.\n"},
        expected=found("dns.stale_challenge block merchant"),
    ),
    Scenario(
        "*.severed.test",
        zones={"severed.test": f"* 60 A {EDGE}\n_acme-challenge 60 NS ns1.elsewhere.test.\n"},
        expected=found("dns.stale_challenge block merchant"),
    ),
    Scenario(  # certdesk writes where the alias leads
        "*.passed-on.test",
        zones={"passed-on.test": f"* 60 A {EDGE}\n_acme-challenge 60 CNAME passed-on.platform.test.\n"},
    ),
    Scenario(  # whatever a wildcard gives, an own record takes its place
        "spread-out.test",
        zones={"spread-out.test": POINTED + '* 60 TXT "looks-like-one"\n'},
    ),
    Scenario(
        "aliased.test",
        zones={"aliased.test": POINTED + "* 60 CNAME lent.elsewhere.test.\n"},
    ),
    Scenario(
        "mailed.test",
        zones={"mailed.test": POINTED + '_acme-challenge 60 TXT "v=spf1 -all"\n'},
    ),
    Scenario(  # a DNAME takes all below it away, the challenge's name too
        "x.old.taken-away.test",
        zones={"taken-away.test": "old 60 DNAME gone.elsewhere.test.\n"},
        expected=found("dns.no_address block merchant", "dns.stale_challenge warn merchant"),
    ),
)

CHANGING = (
    Scenario(  # at first elsewhere; a test moves it
        "spreading.test",
        ns=FOREIGN,
        other={
            ELSEWHERE: {"spreading.test": THEIRS + POINTED},
            NS1: {"spreading.test": POINTED},
            NS2: {"spreading.test": POINTED},
        },
        expected=found("dns.not_hosted block merchant"),
    ),
    Scenario(  # a test removes the DS
        "unlocked.test",
        above=f"unlocked.test. 60 DS 12345 13 2 {'cd' * 32}\n",
        zones={"unlocked.test": POINTED},
        expected=found("dns.dnssec_bogus block merchant"),
    ),
)
"""Worlds that change after the first check."""

SCENARIOS = (
    *HEALTHY,
    *DELEGATED_WRONG,
    *BAD_SERVERS,
    *WRONG_ADDRESSES,
    *FORBIDDEN_CA,
    *AT_THE_EDGE,
    *REGISTERED,
    *LEFTOVERS,
    *CHANGING,
)
