"""Root causes: what is left of findings when consequences are gone, and the thing each names."""

from itertools import product
from typing import Any

import pytest

from services.alerting.causes import RANKS, SUPPRESSES, causes_of, rank, suppresses
from services.model.certificates import Attempt, Certificate
from services.model.findings import CODES, Finding, Owner, Verdict
from services.model.lifecycle import State
from tests.unit.alert_world import NOW, found, lame

P, M = Owner.PLATFORM, Owner.MERCHANT


def certificate(**changes: Any) -> Certificate:
    plain: dict[str, Any] = {"state": State.INSTALLED, "installed": "rev_1"}
    return Certificate("cert_1", "moon", "moon.test", ("moon.test",), NOW, NOW, **(plain | changes))


def keys(*findings: Finding, **changes: Any) -> list[str]:
    return [one.cause.key for one in causes_of(certificate(**changes), findings)]


@pytest.mark.parametrize(
    ("finding", "key", "wide"),
    [
        (lame("moon.test", "ns2.platform.test", "ns1.platform.test"), "dns.lame ns1.platform.test, ns2.platform.test", True),
        (found("dns.lame", "moon.test", owner=M, hosts=["ns.elsewhere.test"]), "dns.lame moon.test", False),
        (found("dns.servfail", "moon.test", owner=P, hosts=["ns1.platform.test"]), "dns.servfail ns1.platform.test", True),
        (found("dns.servfail", "moon.test", owner=P), "dns.servfail moon.test", False),
        (found("dns.wrong_address", "www.moon.test", owner=P, chain=["www.moon.test", "edge.platform.test"]),
         "dns.wrong_address edge.platform.test", True),
        (found("dns.wrong_address", "www.moon.test", owner=M, chain=["www.moon.test", "cdn.test"]), "dns.wrong_address moon.test", False),
        (found("dns.wrong_address", "moon.test", owner=P, chain=["moon.test"]), "dns.wrong_address moon.test", False),
        (found("dns.not_hosted", "shop.moon.test"), "dns.not_hosted moon.test", False),
        (found("dns.update_failed", "moon.test"), "dns.update_failed primary name server", True),
        (found("access.unreachable", "moon.test", addresses=["2001:4860::1", "198.51.7.1"]), "access.unreachable 198.51.7.1, 2001:4860::1", True),
        (found("access.unreachable", "moon.test", addresses="198.51.7.1"), "access.unreachable 198.51.7.1", True),
        (found("access.redirected_away", "moon.test", owner=M, addresses=["198.51.7.1"]), "access.redirected_away moon.test", False),
        (found("ca.unavailable", "moon.test", ca="Pebble"), "ca.unavailable Pebble", True),
        (found("ca.account", "moon.test"), "ca.account CA", True),
        (found("ca.unauthorized", "moon.test", ca="Pebble"), "ca.unauthorized moon.test", False),
        (found("ca.paused", "moon.test", ca="Pebble"), "ca.paused moon.test", False),
        (found("deploy.failed", "moon.test", target="edge"), "deploy.failed edge", True),
        (found("deploy.not_served", "moon.test", found=[{"address": "198.51.7.2"}, {"address": "198.51.7.1"}]),
         "deploy.not_served 198.51.7.1, 198.51.7.2", True),
        (found("deploy.not_served", "moon.test"), "deploy.not_served edge", True),
        (found("store.deleted", "moon.test", store="moon"), "store.deleted moon", False),
        (found("store.deleted", "moon.test"), "store.deleted moon", False),
        (found("policy.blocked_name", "moon.test"), "policy.blocked_name moon.test", False),
        (found("domain.expired", "shop.moon.co.uk"), "domain.expired moon.co.uk", False),
        (found("certdesk.fault", "moon.test"), "certdesk.fault certdesk", True),
    ],
)  # fmt: skip
def test_each_code_names_the_thing_that_is_broken(finding: Finding, key: str, wide: bool) -> None:
    (one,) = causes_of(certificate(), [finding])
    assert (one.cause.key, one.cause.wide, one.cause.owner) == (key, wide, finding.owner)


def test_a_name_without_a_registrable_domain_stands_for_its_certificate() -> None:
    assert keys(found("policy.blocked_name", "test")) == ["policy.blocked_name moon.test"]
    (one,) = causes_of(None, [found("policy.blocked_name", "test")])
    assert one.cause.thing == "test"
    (shop,) = causes_of(None, [found("store.deleted", "moon.test")])
    assert shop.cause.thing == "moon.test"


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_a_thing_and_a_rank(code: str) -> None:
    (one,) = causes_of(certificate(), [found(code, "moon.test")])
    assert one.cause.thing
    assert 0 <= rank(code) < len(RANKS)


def test_suppression_goes_one_way_and_never_in_circles() -> None:
    edges = {(a, b) for a, b in product(CODES, CODES) if suppresses(a, b)}
    assert not [a for a, b in edges if a == b]
    reach = set(edges)
    while more := {(a, d) for a, b in reach for c, d in edges if b == c} - reach:
        reach |= more
    assert not [a for a, b in reach if a == b]
    for pattern in SUPPRESSES:
        assert any(
            suppresses(code, other)
            for code, other in product(CODES, CODES)
            if code.startswith(pattern.rstrip("*"))
        )


@pytest.mark.parametrize(
    ("cause", "consequences"),
    [
        ("store.deleted", ["domain.expired", "dns.not_hosted", "access.unreachable", "ca.unavailable", "policy.blocked_name"]),
        ("domain.expired", ["domain.expiring", "dns.nxdomain", "dns.wrong_address", "ca.unauthorized"]),
        ("domain.on_hold", ["dns.nxdomain", "access.unreachable"]),
        ("dns.not_hosted", ["dns.wrong_address", "dns.caa_forbids", "dns.no_address", "access.wrong_server", "ca.caa"]),
        ("dns.lame", ["dns.servfail", "dns.caa_forbids", "dns.no_address", "access.unreachable", "ca.unauthorized"]),
        ("dns.dnssec_bogus", ["dns.caa_forbids", "access.unreachable"]),
        ("dns.no_address", ["access.unreachable", "dns.private_address"]),
        ("dns.wrong_address", ["dns.private_address", "access.wrong_server", "ca.unauthorized"]),
        ("dns.caa_forbids", ["ca.caa"]),
        ("access.unreachable", ["ca.unauthorized"]),
    ],
)  # fmt: skip
def test_consequences_are_not_told(cause: str, consequences: list[str]) -> None:
    findings = [found(code, "moon.test") for code in (*consequences, cause)]
    assert [one.cause.code for one in causes_of(certificate(), findings)] == [cause]


def test_what_is_wrong_with_another_name_is_no_consequence() -> None:
    both = keys(found("dns.not_hosted", "shop.moon.test"), found("dns.wrong_address", "www.moon.test"))
    assert both == ["dns.not_hosted moon.test", "dns.wrong_address moon.test"]


def test_a_warning_explains_nothing_away() -> None:
    one_of_two = lame("moon.test", verdict=Verdict.WARN)
    assert keys(one_of_two, found("dns.wrong_address", "moon.test")) == [
        "dns.wrong_address moon.test",
        "dns.lame ns1.platform.test",
    ]


@pytest.mark.parametrize(
    ("finding", "tells"),
    [
        (found("domain.expiring", "moon.test", Verdict.WARN), True),
        (found("dns.lame", "moon.test", Verdict.WARN, owner=P), True),
        (found("dns.lame", "moon.test", Verdict.WARN, owner=M), False),
        (found("dns.servfail", "moon.test", Verdict.WARN, owner=P), True),
        (found("access.refused", "moon.test", Verdict.WARN), True),
        (found("dns.lame", "moon.test", Verdict.UNKNOWN, owner=P), True),
        (found("dns.lame", "moon.test", Verdict.UNKNOWN, owner=M), False),
        (found("dns.not_hosted", "moon.test", Verdict.UNKNOWN, owner=P), False),
        (found("dns.inconsistent", "moon.test", Verdict.WARN), False),
        (found("dns.propagating", "moon.test", Verdict.WARN), False),
        (found("dns.caa_forbids", "moon.test", Verdict.WARN), False),
        (found("certdesk.clock", "certdesk", Verdict.WARN), True),
        (found("certdesk.clock", "certdesk", Verdict.OK), False),
    ],
)
def test_what_is_worth_an_alert(finding: Finding, tells: bool) -> None:
    assert bool(causes_of(certificate(), [finding])) is tells


def test_findings_of_one_cause_are_one_and_the_gravest_speaks() -> None:
    (one,) = causes_of(
        certificate(),
        [lame("a.moon.test", verdict=Verdict.WARN), lame("b.moon.test")],
    )
    assert (one.blocks, one.finding.name) == (True, "b.moon.test")


def test_certain_is_what_one_look_is_enough_for() -> None:
    given_up = found("ca.unauthorized", "moon.test")
    struck_out = certificate(state=State.NEEDS_SUPPORT, problem=given_up)
    assert [one.certain for one in causes_of(struck_out, [])] == [True]
    assert [one.certain for one in causes_of(certificate(), [found("store.deleted", "moon.test")])] == [True]
    assert [one.certain for one in causes_of(certificate(), [lame("moon.test")])] == [False]
    assert [one.certain for one in causes_of(None, [found("certdesk.deaf", "certdesk")])] == [True]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"state": State.FAILED}, True),
        ({"state": State.NEEDS_SUPPORT}, True),
        ({"state": State.BLOCKED}, True),
        ({"state": State.ORDERING, "attempt": Attempt(faults=1)}, True),
        ({"state": State.ORDERING, "failures": 2}, True),
        ({"state": State.ORDERING}, False),
        ({"state": State.INSTALLED}, False),
    ],
)
def test_the_problem_counts_while_it_stands(changes: dict[str, Any], told: bool) -> None:
    problem = found("ca.unavailable", "moon.test", ca="Pebble")
    assert keys(problem=problem, **changes) == (["ca.unavailable Pebble"] if told else [])


def test_of_an_installed_certificate_the_missing_proof_counts() -> None:
    assert keys(problem=found("deploy.not_served", "moon.test")) == ["deploy.not_served edge"]


def test_a_check_that_blocked_the_last_attempt_is_only_believed_when_it_is_found_again() -> None:
    assert keys(state=State.BLOCKED, problem=found("dns.not_hosted", "moon.test")) == []


def test_a_problem_that_is_among_the_findings_is_one() -> None:
    problem = found("ca.unauthorized", "moon.test")
    assert keys(problem, state=State.FAILED, problem=problem) == ["ca.unauthorized moon.test"]
    assert keys(state=State.FAILED) == []


def test_the_foremost_cause_comes_first() -> None:
    some = [
        found("deploy.failed", "moon.test"),
        found("access.refused", "b.moon.test"),
        found("dns.not_hosted", "moon.test"),
        found("policy.too_many_names", "c.moon.test"),
        found("domain.expiring", "moon.test", Verdict.WARN),
    ]
    assert [one.cause.code for one in causes_of(certificate(), some)] == [
        "policy.too_many_names",
        "dns.not_hosted",
        "access.refused",
        "deploy.failed",
        "domain.expiring",
    ]
