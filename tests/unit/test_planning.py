"""What an attempt goes for: names, CA and challenge type."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.issuance.causes import CAUSES, refusals, refused_names
from services.issuance.planning import (
    NAME_SPECIFIC,
    Route,
    barred_routes,
    forbidden_cas,
    healthy_names,
    next_route,
)
from services.issuance.preflight import evidence_of_change
from services.model.certificates import Attempt, Certificate
from services.model.errors import CaError, CaTrouble, SubProblem
from services.model.findings import CODES, Finding, Verdict
from tests.desks import finding

NOW = datetime(2027, 2, 10, tzinfo=UTC)
A, B, C = "a.test", "b.test", "c.test"
WANTED = Certificate("c", "moon", "test", (A, B, C), NOW, NOW)


def found(**codes: str) -> dict[str, tuple[Finding, ...]]:
    return {f"{name}.test": (finding(code, f"{name}.test"),) for name, code in codes.items()}


# --- names


def test_names_with_a_blocker_are_left_out() -> None:
    assert healthy_names(WANTED, found(b="dns.lame"), near_expiry=False) == (A, C)
    assert healthy_names(WANTED, found(a="dns.lame", b="dns.lame", c="dns.lame"), near_expiry=False) == ()


@pytest.mark.parametrize("code", CODES)
def test_near_expiry_only_rules_of_the_business_count(code: str) -> None:
    names = healthy_names(WANTED, found(b=code), near_expiry=True)
    assert (B in names) is not CODES[code].rule


@pytest.mark.parametrize("verdict", [Verdict.OK, Verdict.WARN, Verdict.UNKNOWN])
def test_other_verdicts_block_nothing(verdict: Verdict) -> None:
    assert healthy_names(WANTED, {A: (finding("dns.lame", A, verdict),)}, near_expiry=False) == (A, B, C)


@pytest.mark.parametrize("near", [False, True])
def test_refused_names_are_left_out_while_others_can_go_on(near: bool) -> None:
    one = replace(WANTED, attempt=Attempt(refused=(A, B)))
    assert healthy_names(one, {}, near_expiry=near) == (C,)
    every = replace(WANTED, attempt=Attempt(refused=(A, B, C)))
    assert healthy_names(every, {}, near_expiry=near) == (A, B, C)


# --- routes


def test_all_challenge_types_of_a_ca_come_before_the_next_ca() -> None:
    tried: list[str] = []
    while route := next_route((A,), ("x", "y"), ("http-01", "dns-01"), tried):
        tried.append(str(route))
    assert tried == ["x http-01", "x dns-01", "y http-01", "y dns-01"]


def test_a_ca_that_is_out_has_no_routes() -> None:
    assert next_route((A,), ("x", "y"), ("http-01",), ("x",)) == Route("y", "http-01")
    assert next_route((A,), ("x",), ("http-01",), ("x",)) is None


def test_a_wildcard_has_dns01_alone() -> None:
    assert next_route(("*.a.test", A), ("x",), ("http-01", "dns-01"), ()) == Route("x", "dns-01")
    assert next_route(("*.a.test",), ("x",), ("http-01",), ()) is None


def forbids(name: str, *cas: str) -> dict[str, tuple[Finding, ...]]:
    return {name: (replace(finding("dns.caa_forbids", name), evidence={"forbidden": list(cas)}),)}


def test_cas_that_caa_forbids_are_left_out_for_the_names_of_the_attempt() -> None:
    assert forbidden_cas((A,), forbids(A, "x"), ("x", "y")) == ("x",)
    assert forbidden_cas((B,), forbids(A, "x"), ("x", "y")) == ()
    assert forbidden_cas((A,), forbids(A, "x", "y"), ("x", "y")) == ()
    assert forbidden_cas((A,), found(a="dns.lame"), ("x",)) == ()


def bars(name: str, *routes: str) -> dict[str, tuple[Finding, ...]]:
    said = finding("dns.caa_forbids", name, Verdict.OK)
    return {name: (replace(said, evidence={"barred": list(routes)}),)}


def test_challenges_that_caa_leaves_out_are_not_ordered_by_unless_none_is_left() -> None:
    cas, both = ("x", "y"), ("http-01", "dns-01")
    assert barred_routes((A,), bars(A, "x http-01"), cas, both) == ("x http-01",)
    assert barred_routes((B,), bars(A, "x http-01"), cas, both) == ()
    assert barred_routes((A,), bars(A, "x http-01", "y http-01"), cas, both) == ("x http-01", "y http-01")
    contradiction = bars(A, "x http-01") | bars(B, "x dns-01", "y dns-01")
    assert barred_routes((A, B), contradiction, cas, both) == ("y dns-01",)
    assert barred_routes((A,), bars(A, "x http-01"), cas, ("http-01",)) == ()


# --- what a CA's refusal is about


def error(trouble: CaTrouble, *identifiers: str) -> CaError:
    subproblems = [
        SubProblem(name, "urn:ietf:params:acme:error:dns", f"about {name}") for name in identifiers
    ]
    return CaError(trouble, "several", ca="x", subproblems=subproblems)


def test_every_kind_of_trouble_has_a_cause_whose_code_exists() -> None:
    assert set(CAUSES) == set(CaTrouble)
    assert all(cause.code in CODES for cause in CAUSES.values())
    assert {cause.code for cause in CAUSES.values() if cause.strike} == NAME_SPECIFIC


def test_a_refusal_is_about_the_names_that_the_ca_names() -> None:
    assert refused_names(error(CaTrouble.VALIDATION, B), (A, B)) == (B,)
    assert refused_names(error(CaTrouble.REJECTED, B, A), (A, B, C)) == (A, B)
    assert refused_names(error(CaTrouble.CAA, "elsewhere.test"), (A, B)) == ()
    assert refused_names(error(CaTrouble.VALIDATION), (A,)) == (A,)
    assert refused_names(error(CaTrouble.VALIDATION), (A, B)) == ()


def test_trouble_that_is_no_refusal_is_about_no_name() -> None:
    assert refused_names(error(CaTrouble.RATE_LIMITED, A), (A,)) == ()


def test_a_wildcard_may_be_named_without_its_asterisk() -> None:
    assert refused_names(error(CaTrouble.VALIDATION, A), ("*.a.test", B)) == ("*.a.test",)
    assert refused_names(error(CaTrouble.VALIDATION, A), ("*.a.test", A)) == (A,)
    assert refused_names(error(CaTrouble.VALIDATION, "*.a.test"), ("*.a.test", A)) == ("*.a.test",)


def test_each_refused_name_gets_the_cas_words_about_it() -> None:
    said = refusals(error(CaTrouble.REJECTED, A, B), (A, B, C), NOW)
    assert [f.name for f in said] == [A, B]
    assert [f"about {f.name}" in f.summary.plain() for f in said] == [True, True]
    assert {f.code for f in said} == {"ca.rejected_identifier"}


# --- evidence


def test_evidence_is_a_reading_that_has_changed() -> None:
    warn = finding("dns.propagating", A, Verdict.WARN)
    silent = finding("dns.servfail", A, Verdict.UNKNOWN)
    said = finding("ca.caa", A)
    assert evidence_of_change((warn,), {A: ()})
    assert evidence_of_change((), {A: (warn,)})
    assert not evidence_of_change((warn,), {A: (replace(warn, checked_at=NOW),)})
    assert not evidence_of_change((warn,), {A: (silent,)})
    assert not evidence_of_change((silent,), {A: ()})
    assert not evidence_of_change((said,), {A: ()})
    assert evidence_of_change((warn,), {A: (silent,), B: (finding("dns.lame", B),)})
