"""Addresses, answers and what resolvers see: the pure verdicts, and lookups on a table of answers."""

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.checks import addresses, answers, resolution
from services.checks.case import Case
from services.checks.lookup import LONGEST_CHAIN, Lookup, Outcome, look_up
from services.checks.resolution import Seen, look
from services.checks.signatures import key_tag, reason
from services.checks.views import Facts, View
from services.checks.world import Answer, Record, Server
from services.model.findings import Owner
from services.model.settings import Platform, Probing
from tests.unit.checks_world import NOW, PLATFORM, SILENT, Key, TableDns, codes, record, soa, subject, world

OPEN = Probing(allow_networks=(ip_network("198.18.0.0/15"), ip_network("fd00::/8")))
EDGE, OTHER, EDGE6, OTHER6 = "198.18.0.80", "198.18.0.99", "fd00::80", "fd00::99"
BOTH = replace(PLATFORM, addresses=(ip_address(EDGE), ip_address(EDGE6)))
NONE = Lookup(Outcome.NONE, ("shop.moon.test",))
FAILED = Lookup(Outcome.FAILED, ("shop.moon.test",), said="SERVFAIL")
QUIET = Lookup(Outcome.SILENT, ("shop.moon.test",), said="timeout")
MISSING = Lookup(Outcome.NXDOMAIN, ("shop.moon.test",))


def to(*texts: str, chain: tuple[str, ...] = ("shop.moon.test",)) -> Lookup:
    return Lookup(Outcome.FOUND, chain, frozenset(texts))


def facts(*pairs: tuple[Lookup, Lookup], owner: Owner = Owner.PLATFORM) -> Facts:
    views = tuple(View(f"192.0.2.{place}", *pair) for place, pair in enumerate(pairs, 1))
    return Facts("shop.moon.test", "shop.moon.test", "moon.test", views, owner)


ADDRESSES: list[tuple[Facts, list[tuple[str, str]]]] = [
    (facts(), []),
    (facts((to(EDGE), NONE), (to(EDGE), NONE)), []),
    (facts((to(EDGE), to(EDGE6))), []),
    (facts((NONE, to(EDGE6))), []),
    (facts((to(EDGE), FAILED)), []),
    (facts((NONE, NONE)), [("dns.no_address", "block")]),
    (facts((MISSING, MISSING)), [("dns.nxdomain", "block")]),
    (facts((MISSING, MISSING), (NONE, NONE)), [("dns.no_address", "block")]),
    (facts((MISSING, QUIET)), [("dns.nxdomain", "block")]),
    (facts((NONE, QUIET)), []),
    (facts((QUIET, QUIET)), []),
    (facts((MISSING, MISSING), (to(EDGE), NONE)), []),
    (facts((to(EDGE, OTHER), NONE)), [("dns.wrong_address", "block")]),
    (facts((to(EDGE), NONE), (to(OTHER), NONE)), [("dns.wrong_address", "block")]),
    (facts((to(EDGE), to(EDGE6, OTHER6))), [("dns.wrong_ipv6", "block")]),
    (facts((to("9.9.9.9"), NONE)), [("dns.wrong_address", "block")]),
    (facts((to("10.0.0.1"), NONE)), [("dns.wrong_address", "block"), ("dns.private_address", "block")]),
    (facts((to(EDGE), to("::1"))), [("dns.wrong_ipv6", "block"), ("dns.private_address", "block")]),
]


@pytest.mark.parametrize(("given_facts", "expected"), ADDRESSES)
def test_addresses(given_facts: Facts, expected: list[tuple[str, str]]) -> None:
    assert codes(addresses.decide(given_facts, BOTH, OPEN, NOW)) == expected


def test_without_configured_addresses_only_reach_is_judged() -> None:
    found = addresses.decide(facts((to("9.9.9.9", "10.0.0.1"), NONE)), Platform(), Probing(), NOW)
    assert codes(found) == [("dns.private_address", "block")]


def test_an_address_of_ours_that_is_private_is_told() -> None:
    assert codes(addresses.decide(facts((to(EDGE), NONE)), PLATFORM, Probing(), NOW)) == [
        ("dns.private_address", "block")
    ]


def test_the_remedy_says_what_to_replace() -> None:
    (finding,) = addresses.decide(facts((to(OTHER), NONE)), BOTH, OPEN, NOW)
    assert finding.remedy.plain() == (
        f"In the DNS zone moon.test replace the A records {OTHER} of shop.moon.test by {EDGE}."
    )
    assert (finding.evidence["found"], finding.evidence["required"]) == ([OTHER], [EDGE])
    (finding,) = addresses.decide(facts((to(EDGE), to(OTHER6))), PLATFORM, OPEN, NOW)
    assert "remove the AAAA records fd00::99" in finding.remedy.plain()
    chain = ("shop.moon.test", "elsewhere.test")
    (finding,) = addresses.decide(facts((to(OTHER, chain=chain), NONE)), BOTH, OPEN, NOW)
    assert "instead of to elsewhere.test" in finding.remedy.plain()
    inside = ("shop.moon.test", "edge.moon.test")
    (finding,) = addresses.decide(facts((to(OTHER, chain=inside), NONE)), BOTH, OPEN, NOW)
    assert f"replace the A records {OTHER} of edge.moon.test by {EDGE}" in finding.remedy.plain()


def test_long_lists_are_shortened_in_sentences_and_whole_in_evidence() -> None:
    many = [f"9.9.9.{n}" for n in range(10, 49)]
    views = facts((to(*many), NONE))
    (finding,) = addresses.decide(views, BOTH, OPEN, NOW)
    for sentence in (finding.summary.plain(), finding.remedy.plain()):
        assert "9.9.9.10, 9.9.9.11, 9.9.9.12, 9.9.9.13 and 35 more" in sentence
        assert "9.9.9.14" not in sentence
    assert finding.evidence["wrong"] == many
    (differing,) = answers.decide(facts((to(*many), NONE), (to(EDGE), NONE)), NOW)
    assert len(differing.summary.plain()) < 200
    assert differing.evidence["servers"] == {"192.0.2.1": many, "192.0.2.2": [EDGE]}


def test_wrong_and_private_are_two_short_sentences() -> None:
    wrong, private = addresses.decide(facts((to("10.0.0.1"), NONE)), BOTH, OPEN, NOW)
    assert wrong.summary.plain().startswith("shop.moon.test points to 10.0.0.1, which is not the platform")
    assert private.summary.plain() == "Nobody on the Internet can reach shop.moon.test at 10.0.0.1."
    assert private.remedy != wrong.remedy
    (alone,) = addresses.decide(facts((to("10.0.0.1"), NONE)), Platform(), OPEN, NOW)
    assert "shop.moon.test has addresses that cannot be reached" in alone.summary.plain()
    assert "replace 10.0.0.1 by public addresses" in alone.remedy.plain()


@pytest.mark.parametrize("target", ["", "edge.platform.test"])
@pytest.mark.parametrize("end", [NONE, MISSING])
def test_without_configured_addresses_a_name_should_lead_to_the_edge(target: str, end: Lookup) -> None:
    platform = replace(PLATFORM, addresses=(), cname_target=target)
    (finding,) = addresses.decide(facts((end, end)), platform, OPEN, NOW)
    assert "none" not in finding.remedy.plain()
    assert finding.remedy.plain().endswith("to the platform's edge by A and AAAA records.")


def test_our_own_alias_target_is_our_own_matter() -> None:
    chain = ("shop.moon.test", "edge.platform.test")
    (finding,) = addresses.decide(facts((to(OTHER, chain=chain), NONE)), BOTH, OPEN, NOW)
    assert (finding.code, finding.owner) == ("dns.wrong_address", Owner.PLATFORM)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [(Outcome.LOOP, "in a circle"), (Outcome.DANGLING, "does not exist"), (Outcome.NONE, "has no address")],
)
def test_an_alias_that_leads_nowhere_is_told_with_its_chain(outcome: Outcome, words: str) -> None:
    end = Lookup(outcome, ("shop.moon.test", "a.test", "b.test"))
    (finding,) = addresses.decide(facts((end, end)), BOTH, OPEN, NOW)
    assert finding.code == "dns.no_address"
    assert words in finding.summary.plain()
    assert finding.evidence["chain"] == ["shop.moon.test", "a.test", "b.test"]


def test_a_name_without_records_is_no_alias() -> None:
    (finding,) = addresses.decide(facts((NONE, NONE)), BOTH, OPEN, NOW)
    assert finding.summary.plain() == (
        "shop.moon.test exists in DNS but has no address: neither A nor AAAA records were found."
    )


def test_a_long_chain_of_aliases_is_shortened() -> None:
    chain = ("shop.moon.test", *(f"{letter}.test" for letter in "abcdef"))
    end = Lookup(Outcome.LOOP, chain)
    (finding,) = addresses.decide(facts((end, end)), BOTH, OPEN, NOW)
    assert "(shop.moon.test → a.test → b.test → c.test and 3 more)" in finding.summary.plain()
    assert finding.evidence["chain"] == list(chain)


def test_the_question_that_nobody_answered_and_that_somebody_did() -> None:
    (nobody,) = answers.decide(facts((QUIET, QUIET)), NOW)
    assert nobody.summary.plain().startswith("Nobody answered the question")
    (some,) = answers.decide(facts((QUIET, NONE)), NOW)
    assert "was not answered everywhere" in some.summary.plain()


ANSWERS: list[tuple[Facts, list[tuple[str, str]]]] = [
    (facts(), []),
    (facts((to(EDGE), NONE), (to(EDGE), NONE)), []),
    (facts((FAILED, FAILED)), [("dns.servfail", "block")]),
    (facts((FAILED, FAILED), (to(EDGE), NONE)), [("dns.servfail", "warn")]),
    (facts((to(EDGE), FAILED)), [("dns.servfail", "warn")]),
    (facts((NONE, FAILED)), [("dns.servfail", "block")]),
    (facts((replace(FAILED, by_resolver=True), NONE)), []),
    (facts((QUIET, QUIET)), [("dns.no_address", "unknown")]),
    (facts((QUIET, NONE), (to(EDGE), NONE)), [("dns.no_address", "unknown")]),
    (facts((to(EDGE), QUIET)), [("dns.servfail", "warn")]),
    (facts((NONE, QUIET)), [("dns.no_address", "unknown")]),
    (facts((to(EDGE), NONE), (to(OTHER), NONE)), [("dns.inconsistent", "warn")]),
    (facts((to(EDGE), NONE), (MISSING, MISSING)), [("dns.inconsistent", "warn")]),
    (facts((to(EDGE), to(EDGE6)), (to(EDGE), NONE)), [("dns.inconsistent", "warn")]),
    (facts((to(EDGE, OTHER), NONE), (to(OTHER, EDGE), NONE)), []),
]


@pytest.mark.parametrize(("given_facts", "expected"), ANSWERS)
def test_answers(given_facts: Facts, expected: list[tuple[str, str]]) -> None:
    assert codes(answers.decide(given_facts, NOW)) == expected


lookups = st.sampled_from([NONE, FAILED, QUIET, MISSING, to(EDGE), to(OTHER), to(EDGE, OTHER)])


@given(st.lists(st.tuples(lookups, lookups), max_size=4))
def test_silence_alone_never_blocks(pairs: list[tuple[Lookup, Lookup]]) -> None:
    """Whatever is not answered may lead to unknown or a warning; a block needs a word from somebody."""
    silenced = facts(*((QUIET, QUIET) for _ in pairs))
    found = (*addresses.decide(silenced, BOTH, OPEN, NOW), *answers.decide(silenced, NOW))
    assert not any(finding.blocks for finding in found)
    heard = facts(*pairs)
    every = (*addresses.decide(heard, BOTH, OPEN, NOW), *answers.decide(heard, NOW))
    wrong = any(OTHER in lookup.addresses for pair in pairs for lookup in pair)
    if wrong:
        assert any(finding.blocks for finding in every)


# --- lookups -----------------------------------------------------------------------------------------------------


def looked_up(table: dict[Key, Answer], server: Server = None, default: Answer = SILENT) -> Lookup:
    with ThreadPoolExecutor(1) as pool:
        case = Case(world(TableDns(table, default)), subject("a.test"), pool)
        return look_up(case, "a.test", "A", server, "test" if server else "")


def alias(name: str, target: str) -> Record:
    return record(name, "CNAME", target)


def test_a_resolver_that_does_not_chase_is_helped() -> None:
    table: dict[Key, Answer] = {
        ("a.test", "A", None): Answer("a.test", "A", answer=(alias("a.test", "b.org"),)),
        ("b.org", "A", None): Answer("b.org", "A", answer=(record("b.org", "A", "192.0.2.1"),)),
    }
    assert looked_up(table) == Lookup(
        Outcome.FOUND, ("a.test", "b.org"), frozenset({"192.0.2.1"}), by_resolver=True
    )


def test_a_server_is_not_believed_outside_its_zone() -> None:
    stale = (alias("a.test", "b.org"), record("b.org", "A", "192.0.2.66"))
    table: dict[Key, Answer] = {
        ("a.test", "A", "192.0.2.11"): Answer("a.test", "A", authoritative=True, answer=stale),
        ("b.org", "A", None): Answer("b.org", "A", answer=(record("b.org", "A", "192.0.2.1"),)),
    }
    assert looked_up(table, "192.0.2.11").addresses == {"192.0.2.1"}


def test_a_referral_is_no_answer() -> None:
    referral = Answer("a.test", "A", authority=(record("a.test", "NS", "ns.test"),))
    found = looked_up({("a.test", "A", None): referral})
    assert (found.outcome, found.said) == (Outcome.SILENT, "referral")


def test_aliases_without_end() -> None:
    table: dict[Key, Answer] = {
        (f"{'x' * n}a.test", "A", None): Answer(
            f"{'x' * n}a.test", "A", answer=(alias(f"{'x' * n}a.test", f"{'x' * (n + 1)}a.test"),)
        )
        for n in range(LONGEST_CHAIN + 5)
    }
    assert looked_up(table).outcome is Outcome.LOOP


def test_a_loop_that_a_resolver_reports_as_an_error() -> None:
    table: dict[Key, Answer] = {
        ("a.test", "A", None): Answer("a.test", "A", rcode="SERVFAIL"),
        ("a.test", "CNAME", None): Answer("a.test", "CNAME", answer=(alias("a.test", "b.test"),)),
        ("b.test", "CNAME", None): Answer("b.test", "CNAME", answer=(alias("b.test", "a.test"),)),
    }
    assert looked_up(table) == Lookup(Outcome.LOOP, ("a.test", "b.test", "a.test"))


def test_nothing_and_nxdomain() -> None:
    denied = Answer("a.test", "A", rcode="NXDOMAIN", recursion_available=True)
    assert looked_up({("a.test", "A", None): denied}).outcome is Outcome.NXDOMAIN
    dangling = replace(denied, answer=(alias("a.test", "b.test"),))
    assert looked_up({("a.test", "A", None): dangling}).outcome is Outcome.DANGLING
    empty = Answer("a.test", "A", authority=soa("test"))
    assert looked_up({("a.test", "A", None): empty}).outcome is Outcome.NONE
    bare = replace(empty, authority=())
    assert looked_up({("a.test", "A", None): bare}).outcome is Outcome.NONE
    referral = replace(empty, authority=(record("test", "NS", "a.nic.test"),))
    assert looked_up({("a.test", "A", None): referral}).outcome is Outcome.SILENT


# --- what resolvers see ------------------------------------------------------------------------------------------

SERVFAIL = Answer("shop.moon.test", "A", rcode="SERVFAIL")
KEY = Record("moon.test", "DNSKEY", 60, "257 3 13 …", bytes((1, 1, 3, 13)) + bytes(range(64)))
OTHER_KEY = replace(KEY, wire=bytes((1, 1, 3, 13)) + bytes(64))
DS = Record("moon.test", "DS", 60, "… 13 2 …", key_tag(KEY.wire).to_bytes(2, "big") + b"\x0d\x02" + bytes(32))


def seen(*looks: Seen, hosted: bool | None = True, **more: bool) -> resolution.Facts:
    return resolution.Facts("shop.moon.test", "moon.test", hosted, looks, **more)


def test_answers_and_silence_are_nothing_to_report() -> None:
    good, silent = Answer("shop.moon.test", "A"), Answer("shop.moon.test", "A", error="timeout")
    for answer in (good, silent):
        assert resolution.decide(seen(Seen("shop.moon.test", "A", answer)), NOW) == ()


@pytest.mark.parametrize(("hosted", "owner"), [(True, "platform"), (False, "merchant"), (None, "platform")])
def test_an_error_of_the_resolver(hosted: bool | None, owner: str) -> None:
    (finding,) = resolution.decide(seen(Seen("shop.moon.test", "A", SERVFAIL), hosted=hosted), NOW)
    assert (finding.code, finding.verdict.value, finding.owner.value) == ("dns.servfail", "block", owner)


def test_an_error_that_stands_for_silence_is_unknown() -> None:
    answer = replace(SERVFAIL, extended=(22,))
    assert codes(resolution.decide(seen(Seen("shop.moon.test", "A", answer)), NOW)) == [
        ("dns.servfail", "unknown")
    ]


def test_an_explained_error_is_not_told_twice() -> None:
    assert resolution.decide(seen(Seen("shop.moon.test", "A", SERVFAIL), explained=True), NOW) == ()


def test_ipv6_alone_is_a_warning() -> None:
    looks = (
        Seen("shop.moon.test", "A", Answer("shop.moon.test", "A")),
        Seen("shop.moon.test", "AAAA", replace(SERVFAIL, type="AAAA")),
    )
    assert codes(resolution.decide(seen(*looks, v4_found=True), NOW)) == [("dns.servfail", "warn")]
    assert codes(resolution.decide(seen(*looks, v4_found=False), NOW)) == [("dns.servfail", "block")]


def test_a_leftover_ds_is_the_merchants_and_a_stale_signature_ours() -> None:
    leftover = Seen("shop.moon.test", "A", SERVFAIL, bogus=True, ds=(DS,))
    (finding,) = resolution.decide(seen(leftover), NOW)
    assert (finding.code, finding.owner) == ("dns.dnssec_bogus", Owner.MERCHANT)
    assert finding.remedy.plain().startswith("At the registrar of moon.test remove the DS records")
    (finding,) = resolution.decide(seen(replace(leftover, ds=())), NOW)
    assert "none" not in finding.summary.plain()
    (finding,) = resolution.decide(seen(replace(leftover, keys=(KEY,))), NOW)
    assert finding.owner is Owner.PLATFORM
    (finding,) = resolution.decide(seen(replace(leftover, keys=(KEY,)), hosted=False), NOW)
    assert finding.owner is Owner.MERCHANT
    (finding,) = resolution.decide(seen(replace(leftover, ds_gone=True)), NOW)
    assert (finding.verdict.value, finding.evidence["seconds_left"]) == ("warn", 60)


def signed(*signatures: str, answered: bool = True) -> Answer:
    """Return an answer for A with these RRSIG records (type covered, end, begin), or one without the record itself."""
    records = [
        record("shop.moon.test", "RRSIG", f"{kind} 13 3 60 {end} {begin} 1 moon.test. c2ln")
        for kind, end, begin in map(str.split, signatures)
    ]
    found = [record("shop.moon.test", "A", EDGE)] if answered else []
    return Answer(
        "shop.moon.test",
        "A",
        answer=(*found, *records) if answered else (),
        authority=() if answered else tuple(records),
    )


ENDED = "A 20270201000000 20270101000000"
VALID = "A 20270301000000 20270201000000"
REASONS: list[tuple[tuple[Record, ...] | None, Answer | None, str]] = [
    ((), None, "the zone is not signed"),
    ((OTHER_KEY,), signed(VALID), "fit none of its keys (1038)"),
    ((KEY,), signed(ENDED), "its signatures ended on 2027-02-01 00:00 UTC"),
    ((KEY,), signed(ENDED, VALID), "its keys or signatures do not fit"),
    ((KEY,), signed("A 20280301000000 20270301000000"), "not valid before 2027-03-01 00:00 UTC"),
    ((KEY,), signed(), "the answer has no signatures"),
    ((KEY,), signed("SOA 20270301000000 20270201000000", answered=False), "that there is no A record"),
    (None, None, "its keys or signatures do not fit"),
    (None, Answer("shop.moon.test", "A", error="timeout"), "its keys or signatures do not fit"),
]


@pytest.mark.parametrize(("keys", "answer", "words"), REASONS)
def test_why_dnssec_does_not_validate_is_said(
    keys: tuple[Record, ...] | None, answer: Answer | None, words: str
) -> None:
    assert words in reason((DS,), keys, answer, NOW).plain()


def test_the_key_tag_is_that_of_the_rfc() -> None:
    """RFC 4034 §5.4 gives a DNSKEY and its tag, 60485."""
    key = base64.b64decode(
        "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvx"
        "egXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw=="
    )
    assert key_tag(bytes((1, 0, 3, 5)) + key) == 60485


class Passing(TableDns):
    """A resolver whose error has passed at the second look."""

    def query(self, name: str, rtype: str, server: Server = None, **flags: bool) -> Answer:
        first = not self.asked
        found = super().query(name, rtype, server, **flags)
        return replace(found, rcode="SERVFAIL") if first else found


def test_an_error_that_passes_is_not_dnssecs() -> None:
    with ThreadPoolExecutor(1) as pool:
        case = Case(world(Passing({}, Answer("", ""))), subject(), pool)
        assert look(case, "shop.moon.test", "A").answer.good
