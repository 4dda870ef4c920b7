"""The words of the model: names, sentences, moments, findings, errors, ids, statuses."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model import names
from services.model.certificates import Certificate, Revision
from services.model.clock import aware, rfc3339, utc_now
from services.model.errors import CaError, CaTrouble, InvalidNameError, LeaseLostError
from services.model.findings import CODES, Finding, Owner, Verdict, worst_first
from services.model.identity import new_id
from services.model.status import NameStatus
from services.model.text import NOTHING, Text, from_json, plain_value, say, to_json
from services.ports import Account

NOW = datetime(2027, 2, 10, 14, 3, 59, 123456, tzinfo=UTC)
SEOUL = timezone(timedelta(hours=9))

CONTRACT = [
    "store.inactive",
    "store.deleted",
    "domain.default",
    "domain.not_added",
    "domain.invalid",
    "domain.public_suffix",
    "domain.expired",
    "domain.expiring",
    "domain.on_hold",
    "dns.not_hosted",
    "dns.propagating",
    "dns.nxdomain",
    "dns.servfail",
    "dns.dnssec_bogus",
    "dns.lame",
    "dns.inconsistent",
    "dns.no_address",
    "dns.wrong_address",
    "dns.wrong_ipv6",
    "dns.private_address",
    "dns.caa_forbids",
    "dns.stale_challenge",
    "access.unreachable",
    "access.refused",
    "access.wrong_server",
    "access.redirected_away",
    "access.redirect_loop",
    "access.forbidden",
    "policy.rejected",
    "policy.blocked_name",
    "policy.too_many_names",
    "ca.rate_limited",
    "ca.paused",
    "ca.unavailable",
    "ca.rejected_identifier",
    "ca.caa",
    "ca.unauthorized",
    "deploy.failed",
    "deploy.not_served",
    "policy.wildcard_needs_dns",
]
"""The codes that machines rely on: they are never renamed and never go away."""


# --- names


@pytest.mark.parametrize(
    ("pattern", "name", "covered"),
    [
        ("a.test", "a.test", True),
        ("a.test", "b.a.test", False),
        ("*.a.test", "b.a.test", True),
        ("*.a.test", "a.test", False),
        ("*.a.test", "c.b.a.test", False),
        ("*.a.test", "*.a.test", True),
        ("*.a.test", "*.b.a.test", False),
    ],
)
def test_a_certificates_name_covers_one_label_for_one_asterisk(
    pattern: str, name: str, covered: bool
) -> None:
    assert names.covers(pattern, name) is covered


@pytest.mark.parametrize(
    ("name", "added"),
    [
        ("moon.test", ("moon.test",)),
        ("www.moon.test", ("www.moon.test", "moon.test")),
        ("*.moon.test", ("*.moon.test", "moon.test")),
        ("*.www.moon.test", ("*.www.moon.test", "www.moon.test")),
        ("wwwmoon.test", ("wwwmoon.test",)),
    ],
)
def test_what_makes_a_name_an_added_one(name: str, added: tuple[str, ...]) -> None:
    assert names.counts_as(name) == added


def test_suffixes_are_compared_label_by_label() -> None:
    assert names.is_under("a.shops.test", "shops.test")
    assert names.is_under("shops.test", "shops.test")
    assert names.is_under("*.shops.test", "shops.test")
    assert not names.is_under("myshops.test", "shops.test")
    assert names.under_any("a.b.test", ("x.test", "b.test"))
    assert not names.under_any("a.b.test", ())


def test_the_climb_goes_up_to_the_top_level_domain() -> None:
    assert list(names.climb("*.a.moon.test")) == ["a.moon.test", "moon.test", "test"]
    assert names.parent("test") == ""
    assert names.base("*.a.test") == "a.test"
    assert names.is_wildcard("*.a.test")
    assert not names.is_wildcard("a.*.test")


# --- sentences and moments

VALUES = st.recursive(
    st.text() | st.integers() | st.datetimes(timezones=st.just(UTC)) | st.lists(st.text()).map(tuple),
    lambda inner: inner.map(lambda value: say("see {it}", it=value)),
    max_leaves=3,
)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), VALUES))
def test_a_sentence_survives_json(values: dict[str, object]) -> None:
    text = Text("{" + "} {".join(values) + "}" if values else "nothing", tuple(values.items()))  # type: ignore[arg-type]
    again = from_json(json.loads(json.dumps(to_json(text))))
    assert again == text
    assert again.plain() == text.plain() == str(text)


def test_a_sentence_reads_as_english() -> None:
    inner = say("serves {serial}", serial="0a")
    text = say("{who} {what} at {at}: {names}, {n}", who="edge", what=inner, at=NOW, names=("a", "b"), n=3)
    assert text.plain() == "edge serves 0a at 2027-02-10 14:03 UTC: a, b, 3"
    assert plain_value(()) == "none"
    assert NOTHING.plain() == ""
    assert say("a {{literal}} brace").plain() == "a {literal} brace"


def test_values_are_never_read_as_templates() -> None:
    assert say("{name} is wrong", name="{0.__class__} {x}").plain() == "{0.__class__} {x} is wrong"


def test_a_naive_moment_is_refused_where_it_enters() -> None:
    naive = datetime(2027, 2, 10)  # noqa: DTZ001 - what is refused
    for enter in (aware, rfc3339, lambda moment: to_json(say("{at}", at=moment)), plain_value):
        with pytest.raises(ValueError, match="without a time zone"):
            enter(naive)


def test_moments_are_told_in_utc_with_whole_seconds() -> None:
    assert rfc3339(NOW.astimezone(SEOUL)) == "2027-02-10T14:03:59Z"
    assert rfc3339(None) is None
    assert aware(NOW.astimezone(SEOUL)).tzinfo is UTC
    assert utc_now().tzinfo is UTC


# --- findings


@pytest.mark.parametrize("code", CONTRACT)
def test_every_code_of_the_contract_exists(code: str) -> None:
    assert CODES[code].meaning


def test_codes_have_a_group_and_a_word() -> None:
    for code, said in CODES.items():
        group, _, word = code.partition(".")
        assert group.isalpha()
        assert word.replace("_", "").isalnum()
        assert not said.meaning.endswith(".")
        assert isinstance(said.owner, Owner)


def test_owners_are_whose_move_it_is() -> None:
    owners = {code: said.owner for code, said in CODES.items()}
    assert {owner for code, owner in owners.items() if code.startswith("ca.")} == {Owner.CA}
    assert {owner for code, owner in owners.items() if code.startswith(("access.", "deploy."))} == {
        Owner.PLATFORM
    }
    assert {owner for code, owner in owners.items() if code.startswith(("store.", "domain."))} == {
        Owner.MERCHANT
    }


def test_rules_of_the_business_are_not_technical_readings() -> None:
    rules = {code for code, said in CODES.items() if said.rule}
    assert {"store.inactive", "store.deleted", "domain.default", "domain.not_added"} <= rules
    assert not {code for code in rules if code.startswith(("dns.", "access.", "ca.", "deploy."))}


def made(verdict: Verdict, name: str = "a.test") -> Finding:
    return Finding(
        "dns.lame",
        verdict,
        name,
        Owner.PLATFORM,
        say("{n} is lame.", n="ns1"),
        say("Mend it."),
        NOW,
        {"n": 1},
    )


def test_worst_first_keeps_the_order_within_a_verdict() -> None:
    mixed = tuple(
        made(v, n) for v, n in zip((*Verdict, *Verdict), "abcdefgh", strict=True)
    )  # ok warn block unknown, twice
    assert [f.name for f in worst_first(mixed)] == ["c", "g", "b", "f", "d", "h", "a", "e"]


def test_a_finding_in_the_machine_contract() -> None:
    assert made(Verdict.BLOCK).as_json() == {
        "code": "dns.lame",
        "verdict": "block",
        "name": "a.test",
        "owner": "platform",
        "summary": "ns1 is lame.",
        "remedy": "Mend it.",
        "evidence": {"n": 1},
        "checked_at": "2027-02-10T14:03:59Z",
    }
    assert made(Verdict.BLOCK).blocks
    assert not any(made(v).blocks for v in (Verdict.OK, Verdict.WARN, Verdict.UNKNOWN))


def test_a_status_in_the_machine_contract() -> None:
    status = NameStatus("a.test", None, "none", say("No certificate yet"))
    assert status.as_json() == {
        "name": "a.test",
        "store": None,
        "state": "none",
        "label": "No certificate yet",
        "not_after": None,
        "serial": None,
        "targets": [],
        "next_attempt_at": None,
        "findings": [],
    }
    assert not status.blocked
    assert NameStatus("a.test", None, "none", NOTHING, findings=(made(Verdict.BLOCK),)).blocked


# --- ids, bindings, errors


def test_ids_say_what_they_name_are_unique_and_sort_by_age() -> None:
    ids = [new_id("cert") for _ in range(200)]
    assert len(set(ids)) == 200
    assert all(one.startswith("cert_") and len(one) == 31 for one in ids)
    assert not any(letter in one[5:] for one in ids for letter in "ilou")


def test_secrets_are_bound_to_their_rows() -> None:
    revision = Revision("rev_1", "cert_1", ("a.test",), "csr", b"", NOW)
    assert revision.key_binding == "revision:rev_1:key"
    account = Account("le", "https://ca.test/dir", "https://ca.test/1", b"", NOW)
    assert account.binding == "account:https://ca.test/dir:key"


def test_errors_carry_their_sentence() -> None:
    error = CaError(CaTrouble.CAA, "no", ca="le", status=403)
    assert (str(error), error.subproblems, error.retry_at) == ("le: no", (), None)
    assert str(CaError(CaTrouble.CAA, "no")) == "the CA: no"
    assert "cert_1" in str(LeaseLostError("cert_1"))
    assert InvalidNameError("x y", say("“{given}” is none.", given="x y")).given == "x y"


def test_a_certificate_rests_unless_something_is_under_way() -> None:
    assert not Certificate("c", "moon", "a.test", ("a.test",), NOW, NOW).resting
