"""The check of what stands where dns-01 puts its record."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from services.checks import stale
from services.checks.case import Case
from services.checks.stale import Facts, decide
from services.checks.world import Answer, Record
from services.model.certificates import Attempt, Certificate
from services.model.findings import Finding, Owner
from services.model.lifecycle import State
from services.model.settings import Issuing
from tests.unit.checks_world import SILENT, Key, TableDns, certificate, codes, record, soa, subject, world

RECORD = "_acme-challenge.moon.test"
TXT = "gfj9Xq-Rg85nM_x7Qf1uTz0a3b4c5d6e7f8g9h0i1jk"
NS = (record("moon.test", "NS", "ns1.platform.test"), record("moon.test", "NS", "ns2.platform.test"))


class Beside(TableDns):
    """A table in which every name beside the record's gets the answer that a wildcard gives."""

    def __init__(self, table: Mapping[Key, Answer], wildcard: tuple[Record, ...] = ()) -> None:
        super().__init__(table, SILENT, asks_parent=False)
        self.wildcard = wildcard

    def query(self, name: str, rtype: str, server: Any = None, **more: Any) -> Answer:
        if name.startswith("certdesk-"):
            self.asked.append((name, rtype, server))
            found = tuple(replace(each, name=name) for each in self.wildcard)
            return Answer(
                name, rtype, authoritative=True, answer=found, authority=() if found else soa("moon.test")
            )
        return super().query(name, rtype, server, **more)


class Here:
    """Runs what a case runs side by side one after the other."""

    def map(self, function: Any, items: Any) -> Any:
        return map(function, items)


def found(
    *answer: Record,
    authority: tuple[Record, ...] = (),
    others: Mapping[Key, Answer] | None = None,
    wildcard: tuple[Record, ...] = (),
    name: str = "moon.test",
    held: Certificate | None = None,
    **changes: Any,
) -> tuple[tuple[Finding, ...], Beside]:
    table: dict[Key, Answer] = {
        ("moon.test", "NS", None): Answer("moon.test", "NS", answer=NS),
        (RECORD, "TXT", None): Answer(RECORD, "TXT", answer=answer, authority=authority),
        **(others or {}),
    }
    dns = Beside(table, wildcard)
    given = subject(name, certificate=held)
    case = Case(world(dns, **changes), given, Here())  # type: ignore[arg-type]  # all of an Executor that is used
    return stale.check(case), dns


def texts(*values: str) -> tuple[Record, ...]:
    return tuple(record(RECORD, "TXT", f'"{value}"') for value in values)


def alias(target: str) -> Record:
    return record(RECORD, "CNAME", target)


def asked_for_record(dns: Beside) -> list[str]:
    return [name for name, rtype, _ in dns.asked if rtype == "TXT"]


def test_nothing_there_is_one_question() -> None:
    findings, dns = found(authority=soa("moon.test"))
    assert findings == ()
    assert asked_for_record(dns) == [RECORD]


def test_leftovers() -> None:
    findings, _ = found(*texts(TXT, "another"))
    assert codes(findings) == [("dns.stale_challenge", "warn")]
    (finding,) = findings
    assert finding.owner is Owner.MERCHANT
    assert finding.evidence == {
        "record": RECORD,
        "zone": "moon.test",
        "found": ["another", TXT],
        "type": "TXT",
    }
    assert finding.summary.plain().startswith(f"2 TXT records of former challenges still stand at {RECORD}: ")
    assert found(*texts(TXT))[0][0].summary.plain().startswith("A TXT record of a former challenge")


def test_a_wildcard_is_told_by_its_own_name() -> None:
    (finding,), dns = found(*texts(TXT), name="*.moon.test")
    assert finding.name == "*.moon.test"
    assert asked_for_record(dns)[0] == RECORD


@pytest.mark.parametrize("value", ["v=spf1 -all", "google-site-verification=abc", "two words", "", "ends."])
def test_other_uses_of_txt_are_no_challenges(value: str) -> None:
    assert found(*texts(value))[0] == ()


def test_texts_in_pieces_are_one_value() -> None:
    (finding,), _ = found(record(RECORD, "TXT", '"abc" "def"'))
    assert finding.evidence["found"] == ["abcdef"]


@pytest.mark.parametrize(
    "records", [texts(TXT), (alias("edge.elsewhere.test"), record("edge.elsewhere.test", "TXT", '"abc"'))]
)
def test_what_a_wildcard_gives_is_not_in_the_way(records: tuple[Record, ...]) -> None:
    """An own record takes its place (RFC 4592 §2.2.1)."""
    assert found(*records, wildcard=records[:1])[0] == ()


def test_a_wildcard_beside_it_does_not_hide_it() -> None:
    assert found(*texts(TXT), wildcard=texts("other"))[0] != ()


ELSEWHERE: Mapping[Key, Answer] = {
    ("x.acme.elsewhere.test", "NS", None): Answer(
        "x.acme.elsewhere.test", "NS", authority=soa("elsewhere.test")
    ),
    ("acme.elsewhere.test", "NS", None): Answer("acme.elsewhere.test", "NS", authority=soa("elsewhere.test")),
    ("elsewhere.test", "NS", None): Answer(
        "elsewhere.test", "NS", answer=(record("elsewhere.test", "NS", "ns.elsewhere.test"),)
    ),
}
GONE: Mapping[Key, Answer] = {
    key: Answer(key[0], "NS", rcode="NXDOMAIN", authority=soa("test")) for key in ELSEWHERE
}
OURS: Mapping[Key, Answer] = {
    **ELSEWHERE,
    ("acme.elsewhere.test", "NS", None): Answer(
        "acme.elsewhere.test", "NS", answer=(record("acme.elsewhere.test", "NS", "ns2.platform.test"),)
    ),
}
DNS_ONLY = Issuing(challenges=("dns-01",))


@pytest.mark.parametrize(
    ("others", "changes", "expected"),
    [
        (ELSEWHERE, {}, "warn"),
        (ELSEWHERE, {"issuing": DNS_ONLY}, "block"),
        (ELSEWHERE, {"name": "*.moon.test"}, "block"),
        (GONE, {}, "warn"),
        (OURS, {}, ""),
        ({}, {}, ""),  # nobody answers: no proof
    ],
)
def test_an_alias_elsewhere(others: Mapping[Key, Answer], changes: dict[str, Any], expected: str) -> None:
    findings, _ = found(alias("x.acme.elsewhere.test"), others=others, **changes)
    assert codes(findings) == ([("dns.stale_challenge", expected)] if expected else [])
    if others is GONE:
        assert "which does not exist" in findings[0].summary.plain()


def test_an_alias_within_the_zone_is_where_certdesk_writes() -> None:
    findings, dns = found(alias("challenges.moon.test"))
    assert findings == ()
    assert ("challenges.moon.test", "NS", None) not in dns.asked  # nobody need be asked whose it is


@pytest.mark.parametrize(("host", "expected"), [("ns.elsewhere.test", ["warn"]), ("NS1.platform.test", [])])
def test_a_delegation_of_the_record(host: str, expected: list[str]) -> None:
    findings, _ = found(authority=(record(RECORD, "NS", host.lower()),))
    assert [finding.verdict.value for finding in findings] == expected


def busy(state: State, **attempt: Any) -> Certificate:
    return replace(certificate("moon.test"), state=state, attempt=Attempt(**attempt))


PUT_UP = ("moon.test", "token", "https://ca.test/chall/1")


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (busy(State.INSTALLED), 1),
        (busy(State.BLOCKED), 1),
        (busy(State.CHECKING), 1),  # before anything is put up: what is found may stop the attempt
        (busy(State.VALIDATING), 0),
        (busy(State.DEPLOYING), 0),
        (busy(State.FAILED, answers=(PUT_UP,)), 0),
        (busy(State.FAILED, leftovers=(("main", "dns-01", "moon.test", "token"),)), 0),
    ],
)
def test_certdesks_own_records_are_no_leftovers(held: Certificate, expected: int) -> None:
    findings, dns = found(*texts(TXT), held=held)
    assert len(findings) == expected
    assert bool(dns.asked) == bool(expected)


def test_without_dns_01_nothing_is_asked() -> None:
    findings, dns = found(*texts(TXT), wildcards=False)
    assert (findings, dns.asked) == ((), [])


def test_a_zone_that_is_not_hosted_here_has_other_troubles() -> None:
    foreign = Answer("moon.test", "NS", answer=(record("moon.test", "NS", "ns.elsewhere.test"),))
    findings, dns = found(*texts(TXT), others={("moon.test", "NS", None): foreign})
    assert findings == ()
    assert asked_for_record(dns) == []


@pytest.mark.parametrize("error", ["timeout", ""])
def test_silence_and_errors_say_nothing(error: str) -> None:
    bad = Answer(RECORD, "TXT", rcode="SERVFAIL", error=error)
    assert found(others={(RECORD, "TXT", None): bad})[0] == ()


def test_nothing_found_is_nothing_said() -> None:
    assert decide(Facts("moon.test", RECORD), certificate("moon.test").created_at) == ()
