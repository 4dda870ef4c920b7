"""CAA records: parsing, who may issue, and the climb to the records that count."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.checks.caa import allowed_cas, decide
from services.checks.caa_climb import Facts, Level, View, applicant
from services.checks.caa_records import (
    Applicant,
    Issuer,
    Permission,
    Property,
    judge,
    parse_issuer,
    parse_record,
)
from services.checks.resolution import Facts as Resolution
from services.checks.resolution import Seen
from services.checks.world import Answer
from services.model.settings import CaSettings, Issuing
from services.model.text import say
from tests.unit.checks_world import CA, NOW, SPARE, codes, world

US = Applicant(
    "main", frozenset({"ca.test"}), "https://ca.test/acct/1", frozenset({"http-01"}), wildcard=False
)


def issue(value: str, tag: str = "issue", flags: int = 0) -> Property:
    return Property(flags, tag, value.encode())


@given(flags=st.integers(0, 255), tag=st.from_regex(r"[a-zA-Z0-9]{1,15}", fullmatch=True), value=st.binary())
def test_a_record_is_read_as_it_was_written(flags: int, tag: str, value: bytes) -> None:
    wire = bytes((flags, len(tag))) + tag.encode() + value
    assert parse_record(wire) == Property(flags, tag.lower(), value)
    assert parse_record(wire).critical == (flags >= 128)


@given(st.binary(max_size=40))
@example(b"")
@example(b"\x00")
@example(b"\x00\x05iss")
def test_any_bytes_are_a_record_or_a_value_error(wire: bytes) -> None:
    try:
        found = parse_record(wire)
    except ValueError:
        assert len(wire) < 2 or len(wire) < 2 + wire[1]
    else:
        assert str(found)
        assert 2 + wire[1] + len(found.value) == len(wire)


@given(st.binary(max_size=60))
def test_no_value_is_too_strange(value: bytes) -> None:
    """Whatever stands there: either nobody is authorised, or a well-formed name."""
    issuer = parse_issuer(value)
    assert issuer == Issuer("", issuer.parameters) or set(issuer.domain) <= set(
        "abcdefghijklmnopqrstuvwxyz0123456789-."
    )


labels = st.from_regex(r"[a-zA-Z0-9](-?[a-zA-Z0-9]){0,8}", fullmatch=True)
values = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=";"), max_size=20)
space = st.sampled_from(["", " ", "\t", "  "])


@given(
    domain=st.lists(labels, min_size=1, max_size=4),
    parameters=st.lists(st.tuples(labels, values), max_size=4),
    gap=space,
)
def test_every_value_of_the_grammar_is_read(
    domain: list[str], parameters: list[tuple[str, str]], gap: str
) -> None:
    text = gap + ".".join(domain) + gap
    if parameters:
        text += ";" + ";".join(f"{gap}{tag}{gap}={gap}{value}{gap}" for tag, value in parameters)
    issuer = parse_issuer(text.encode())
    assert issuer.domain == ".".join(domain).lower()
    assert issuer.parameters == tuple((tag.lower(), value) for tag, value in parameters)


@pytest.mark.parametrize(
    "value",
    [";", "", " ", "  ;  ", "ca.test.", "ca..test", "-ca.test", "ca_1.test", "ca.test other.test", "ca.test; x",
     "ca.test; =x", "ca.test; a=b;", "ca.test; a=b c", "ca.test\n", "ca.test; a=\x80", "cä.test"],
)  # fmt: skip
def test_malformed_and_empty_values_authorise_nobody(value: str) -> None:
    """RFC 8659 §4.2: a value that breaks the grammar is read as an empty issuer."""
    assert parse_issuer(value.encode()).domain == ""
    assert judge([issue(value)], US).permission is Permission.FORBIDDEN


GRANTED: tuple[tuple[Property, ...], ...] = (
    (),
    (issue("ca.test"),),
    (issue("CA.Test"),),
    (issue(" ca.test ;"),),
    (issue("ca.test; unknown=1"),),
    (issue("other.test"), issue("ca.test")),
    (issue(";"), issue("ca.test")),
    (issue("mailto:a@b.test", "iodef", 128),),
    (issue(";", "issuemail", 128),),
    (issue("x", "tbs", 127),),
    (issue("x", "tbs", 1),),
    (issue("ca.test", flags=128),),
    (issue(";", "issuewild"),),
    (issue("ca.test; accounturi=https://ca.test/acct/1"),),
    (issue("ca.test; AccountURI=https://ca.test/acct/1"),),
    (issue("ca.test; validationmethods=dns-01,http-01"),),
    (issue("ca.test; validationmethods=tls-alpn-01"), issue("ca.test")),
)
FORBIDDEN: tuple[tuple[Property, ...], ...] = (
    (issue(";"),),
    (issue("other.test"),),
    (issue("notca.test"),),
    (issue("sub.ca.test"),),
    (issue("ca.test"), issue("x", "tbs", 128)),
    (issue("ca.test"), issue("x", "tbs", 255)),
    (issue("ca.test; accounturi=https://ca.test/acct/2"),),
    (issue("ca.test; accounturi=https://ca.test/acct/1; accounturi=https://ca.test/acct/1"),),
    (issue("ca.test; validationmethods=dns-01"),),
    (issue("ca.test; validationmethods="),),
    (issue("ca.test; validationmethods=http-01; validationmethods=http-01"),),
    (issue("ca.test; validationmethods=HTTP-01"),),
)


@pytest.mark.parametrize("records", GRANTED, ids=lambda records: " ".join(map(str, records)) or "none")
def test_granted(records: tuple[Property, ...]) -> None:
    assert judge(records, US).permission is Permission.GRANTED


@pytest.mark.parametrize("records", FORBIDDEN, ids=lambda records: " ".join(map(str, records)))
def test_forbidden(records: tuple[Property, ...]) -> None:
    judgement = judge(records, US)
    assert judgement.permission is Permission.FORBIDDEN
    assert judgement.why.plain()


BOTH = replace(US, methods=frozenset({"http-01", "dns-01"}))


@pytest.mark.parametrize(
    ("records", "barred"),
    [
        ((issue("ca.test"),), set()),
        ((issue("ca.test; validationmethods=dns-01"),), {"http-01"}),
        ((issue("ca.test; validationmethods=dns-01,http-01"),), set()),
        ((issue("ca.test; validationmethods=dns-01"), issue("ca.test")), set()),
        ((issue("ca.test; validationmethods=dns-01"), issue("other.test")), {"http-01"}),
        (
            (
                issue("ca.test; validationmethods=http-01"),
                issue("ca.test; accounturi=https://x.test; validationmethods=dns-01"),
            ),
            {"dns-01"},
        ),
    ],
)
def test_challenges_that_are_left_out(records: tuple[Property, ...], barred: set[str]) -> None:
    assert judge(records, BOTH).barred == barred


def test_challenges_that_any_server_leaves_out_are_said_without_a_warning() -> None:
    views = (
        View("192.0.2.1", (Level("moon.test", (issue("ca.test; validationmethods=dns-01"),)),)),
        View("192.0.2.2", (Level("moon.test", (issue("ca.test"),)),)),
    )
    (finding,) = decide(Facts("moon.test", "moon.test", views, (BOTH,)), NOW)
    assert codes((finding,)) == [("dns.caa_forbids", "ok")]
    assert finding.evidence["barred"] == ["main http-01"]


def test_without_an_account_a_bound_record_does_not_fit() -> None:
    records = [issue("ca.test; accounturi=https://ca.test/acct/1")]
    assert judge(records, replace(US, account=None)).permission is Permission.FORBIDDEN


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ((issue("ca.test"),), Permission.GRANTED),
        ((issue("ca.test"), issue(";", "issuewild")), Permission.FORBIDDEN),
        ((issue(";"), issue("ca.test", "issuewild")), Permission.GRANTED),
        ((issue(";"), issue("a@b", "iodef")), Permission.FORBIDDEN),
    ],
)
def test_wildcards(records: tuple[Property, ...], expected: Permission) -> None:
    assert judge(records, replace(US, wildcard=True)).permission is expected


def test_a_ca_whose_names_are_not_known() -> None:
    blank = replace(US, domains=frozenset())
    assert judge([issue("other.test")], blank).permission is Permission.UNKNOWN
    assert judge([issue(";")], blank).permission is Permission.FORBIDDEN
    assert judge([], blank).permission is Permission.GRANTED


def test_who_applies() -> None:
    wild = applicant(world(wildcards=True), CA, "*.moon.test")
    assert (wild.wildcard, wild.methods) == (True, frozenset({"dns-01"}))
    plain = applicant(
        world(wildcards=False, issuing=Issuing(challenges=("dns-01", "http-01"))), CA, "moon.test"
    )
    assert (plain.wildcard, plain.methods) == (False, frozenset({"http-01"}))
    odd = CaSettings("odd", "https://odd.test", caa_domains=("Odd.TEST.",))
    assert applicant(world(), odd, "moon.test").domains == {"odd.test"}


# --- the climb and the verdict -----------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(["none", "ours", "others", "error", "silent"]), max_size=5))
def test_the_nearest_level_that_says_something_counts(kinds: list[str]) -> None:
    """RFC 8659 §3: the climb ends at the first records, and an answer that is missing on the way is not permission."""
    made = {
        "none": Level("x"),
        "ours": Level("x", (issue("ca.test"),)),
        "others": Level("x", (issue("other.test"),)),
        "error": Level("x", said=say("SERVFAIL")),
        "silent": Level("x", said=say("timeout"), silent=True),
    }
    facts = Facts("shop.moon.test", "moon.test", (View("s", tuple(made[kind] for kind in kinds)),), (US,))
    first = next((kind for kind in kinds if kind != "none"), "ours")
    expected = {
        "ours": [],
        "others": [("dns.caa_forbids", "block")],
        "error": [("dns.servfail", "block"), ("dns.caa_forbids", "block")],
        "silent": [("dns.caa_forbids", "unknown")],
    }
    assert codes(decide(facts, NOW)) == expected[first]


def facts_of(*levels: Level, cas: tuple[CaSettings, ...] = (CA,)) -> Facts:
    views = tuple(View(f"s{place}", (level,)) for place, level in enumerate(levels))
    who = tuple(applicant(world(), ca, "moon.test") for ca in cas)
    return Facts("moon.test", "moon.test", views, who)


def test_one_server_that_forbids_is_enough() -> None:
    """The CA may ask any of them."""
    facts = facts_of(Level("moon.test", (issue("ca.test"),)), Level("moon.test", (issue(";"),)))
    assert codes(decide(facts, NOW)) == [("dns.caa_forbids", "block")]


def test_one_server_that_fails_is_not() -> None:
    """It forbids nothing and is told: resolvers must find the other one each time."""
    hosts = {"s0": "ns1.platform.test", "s1": "ns2.platform.test"}
    facts = replace(facts_of(Level("moon.test"), Level("moon.test", said=say("SERVFAIL"))), hosts=hosts)
    (finding,) = decide(facts, NOW)
    assert (finding.code, finding.verdict.value) == ("dns.servfail", "warn")
    assert finding.evidence["hosts"] == ["ns2.platform.test"]
    assert decide(replace(facts, failing=frozenset({"s1"})), NOW) == ()
    silent = facts_of(Level("moon.test"), Level("moon.test", said=say("no answer in time"), silent=True))
    assert decide(silent, NOW) == ()


def test_each_ca_has_its_reason() -> None:
    bound = issue("spare.test; accounturi=https://spare.test/9")
    (finding,) = decide(facts_of(Level("moon.test", (issue("other.test"), bound)), cas=(CA, SPARE)), NOW)
    assert "they name only other.test, spare.test; as for spare, they allow only" in finding.summary.plain()
    blank = replace(SPARE, caa_domains=())
    (finding,) = decide(facts_of(Level("moon.test", (issue("other.test"),)), cas=(CA, blank)), NOW)
    assert finding.verdict.value == "unknown"
    assert "let spare issue is not known: it is not known which names spare has" in finding.summary.plain()


def test_a_value_that_breaks_the_grammar_is_told_as_such() -> None:
    for value in ("ca.test.", "ca.test; %%%"):
        (finding,) = decide(facts_of(Level("moon.test", (issue(value),))), NOW)
        assert "breaks the rules of RFC 8659" in finding.summary.plain()
    (finding,) = decide(facts_of(Level("moon.test", (issue(";"),))), NOW)
    assert "they let no CA issue" in finding.summary.plain()


def test_a_ca_without_known_names_is_not_offered_a_record() -> None:
    blank = replace(CA, caa_domains=())
    (finding,) = decide(facts_of(Level("moon.test", (issue(";"),)), cas=(blank,)), NOW)
    assert finding.remedy.plain() == "Remove the CAA records at moon.test."


def test_records_behind_an_alias_are_told_where_they_stand() -> None:
    """At the alias itself no other record may stand (RFC 1034 §3.6.2)."""
    (finding,) = decide(facts_of(Level("moon.test", (issue(";"),), at="sun.test")), NOW)
    assert finding.evidence["where"] == "sun.test"
    assert finding.summary.plain().startswith("The CAA records at sun.test forbid")
    assert finding.remedy.plain().startswith('Add the CAA record 0 issue "ca.test" at sun.test')


def test_what_cannot_be_read_and_what_follows_are_two_sentences() -> None:
    unread, forbids = decide(facts_of(Level("moon.test", said=say("SERVFAIL"))), NOW)
    assert unread.summary.plain() == "The CAA records of moon.test cannot be read (s0: SERVFAIL)."
    assert forbids.summary.plain() == "No CA may issue for moon.test while its CAA records cannot be read."
    assert unread.remedy != forbids.remedy


def test_one_of_two_cas_may_issue() -> None:
    facts = facts_of(Level("moon.test", (issue("spare.test"),)), cas=(CA, SPARE))
    (finding,) = decide(facts, NOW)
    assert (finding.code, finding.verdict.value) == ("dns.caa_forbids", "warn")
    assert finding.evidence["forbidden"] == ["main"]
    assert "main" in finding.summary.plain()
    assert '0 issue "ca.test"' in finding.remedy.plain()
    assert allowed_cas(facts) == ("spare",)


def test_none_may_issue() -> None:
    facts = facts_of(Level("moon.test", (issue("other.test"),)), cas=(CA, SPARE))
    (finding,) = decide(facts, NOW)
    assert finding.verdict.value == "block"
    assert finding.evidence["forbidden"] == ["main", "spare"]
    assert '0 issue "other.test"' in finding.summary.plain()
    assert allowed_cas(facts) == ()


def test_nothing_is_asked_of_nobody() -> None:
    assert decide(Facts("moon.test", "moon.test"), NOW) == ()
    assert allowed_cas(Facts("moon.test", "moon.test", applicants=(US,))) == ("main",)


@pytest.mark.parametrize(("bogus", "code"), [(True, "dns.dnssec_bogus"), (False, "dns.servfail")])
def test_an_error_that_only_resolvers_see(bogus: bool, code: str) -> None:
    seen = Seen("moon.test", "CAA", Answer("moon.test", "CAA", rcode="SERVFAIL"), bogus=bogus)
    facts = replace(
        facts_of(Level("moon.test")),
        resolution=Resolution("moon.test", "moon.test", hosted=True, seen=(seen,)),
    )
    assert codes(decide(facts, NOW)) == [(code, "block")]


def test_a_bogus_answer_of_the_resolver_is_told_as_such_where_it_is_all_there_is() -> None:
    """Where only the resolver is asked, its error for CAA alone has its reason too."""
    unread = facts_of(Level("moon.test", said=say("SERVFAIL")))
    seen = Seen("moon.test", "CAA", Answer("moon.test", "CAA", rcode="SERVFAIL"), bogus=True)
    facts = replace(unread, resolution=Resolution("moon.test", "moon.test", hosted=True, seen=(seen,)))
    assert codes(decide(facts, NOW)) == [("dns.dnssec_bogus", "block")]
    plain = replace(seen, bogus=False)
    facts = replace(unread, resolution=Resolution("moon.test", "moon.test", hosted=True, seen=(plain,)))
    assert codes(decide(facts, NOW)) == [("dns.servfail", "block"), ("dns.caa_forbids", "block")]
