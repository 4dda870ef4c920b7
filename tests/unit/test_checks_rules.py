"""The checks that need no network: store, domain, policy; and the chain they stand in."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.checks import domain, policy, store
from services.checks.case import Case
from services.checks.chain import CHAIN, Chain, Check
from services.checks.rules import Report, listed, plain
from services.model.findings import Finding, Owner, Verdict
from services.model.settings import Issuing, Platform
from services.model.stores import Store, StoreStatus
from services.model.text import say
from tests.unit.checks_world import NOW, PLATFORM, SILENT, TableDns, certificate, codes, subject, world


def test_the_order_of_the_chain() -> None:
    """The one golden list: a new check is one file and one line here."""
    assert [(check.name, check.asks) for check in CHAIN] == [
        ("domain", False),
        ("store", False),
        ("policy", False),
        ("registration", True),
        ("delegation", True),
        ("servers", True),
        ("resolution", True),
        ("addresses", True),
        ("answers", True),
        ("access", True),
        ("caa", True),
        ("stale", True),
        ("baseline", True),
        ("ca", True),
    ]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (StoreStatus.ACTIVE, []),
        (StoreStatus.INACTIVE, [("store.inactive", "block")]),
        (StoreStatus.DELETED, [("store.deleted", "block")]),
    ],
)
def test_store(status: StoreStatus, expected: list[tuple[str, str]]) -> None:
    assert codes(store.decide("shop.moon.test", Store("moon", status), NOW)) == expected


def test_no_store_is_not_the_store_checks_matter() -> None:
    assert store.decide("shop.moon.test", None, NOW) == ()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (subject(), []),
        (subject(added=False), ["domain.not_added"]),
        (subject(store=None, added=False), ["domain.not_added"]),
        (subject(store=None), ["domain.not_added"]),
        (subject(default=True), ["domain.default"]),
        (subject("moon.shops.test"), ["domain.default"]),
        (subject("a.b.moon.shops.test"), ["domain.default"]),
        (subject("*.moon.shops.test"), ["domain.default"]),
        (subject("a.moon.shops.test", store=None, added=False), ["domain.default"]),
        (subject("xmoon.shops.test"), []),
        (subject("co.uk"), ["domain.public_suffix"]),
        (subject("*.co.uk", store=None, added=False), ["domain.public_suffix", "domain.not_added"]),
        (subject("single"), ["domain.invalid"]),
        (subject("a..b.test"), ["domain.invalid"]),
        (subject("-.test", store=None), ["domain.invalid"]),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_domain(given: object, expected: list[str]) -> None:
    findings = domain.decide(given, PLATFORM, NOW)  # type: ignore[arg-type]  # a Subject, untyped by the table
    assert codes(findings) == [(code, "block") for code in expected]
    assert all(finding.owner is Owner.MERCHANT for finding in findings)


@pytest.mark.parametrize("suffix", ["Shops.TEST.", ".shops.test", "shops.test"])
def test_default_suffixes_are_compared_as_names(suffix: str) -> None:
    platform = Platform(default_domains=(suffix,))
    assert codes(domain.decide(subject("moon.shops.test"), platform, NOW)) == [("domain.default", "block")]


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("bank.test", "bank.test"),
        ("shop.bank.test", "bank.test"),  # below a refused name
        ("my-bank-24.test", "*bank*"),
        ("BANK.test".lower(), "BANK.Test."),
        ("xn--bcher-kva.test", "bücher.test"),
        ("xn--bcher-kva.test", "*ü*"),
        ("xn--bcher-kva.test", "xn--bcher-kva.*"),
        ("www.xn--bcher-kva.test", "b?cher.test"),
        ("*.bank.test", "bank.test"),
        ("*.moon.test", "pay.moon.test"),  # it would cover the refused name
        ("*.moon.test", "[*].moon.test"),
    ],
)
def test_refused_names(name: str, pattern: str) -> None:
    assert policy.blocking_pattern(name, ("other.test", pattern)) == pattern


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("bank.test", "ban.test"),
        ("riverbank.test", "bank.test"),
        ("bank.test", "www.bank.test"),
        ("*.moon.test", "a.b.moon.test"),
        ("moon.test", ""),
    ],
)
def test_other_names_are_not_refused(name: str, pattern: str) -> None:
    assert policy.blocking_pattern(name, (pattern,)) is None


def test_policy() -> None:
    issuing = Issuing(blocked_names=("*evil*",), max_names=3)
    full = certificate("a.moon.test", "b.moon.test", "c.moon.test")
    check = policy.decide
    assert check(subject("a.moon.test", certificate=full), issuing, wildcards=False, now=NOW) == ()
    assert codes(check(subject("d.moon.test", certificate=full), issuing, wildcards=False, now=NOW)) == [
        ("policy.too_many_names", "block")
    ]
    assert codes(check(subject("evil.moon.test"), issuing, wildcards=False, now=NOW)) == [
        ("policy.blocked_name", "block")
    ]
    (finding,) = check(subject("*.moon.test"), issuing, wildcards=False, now=NOW)
    assert (finding.code, finding.owner) == ("policy.wildcard_needs_dns", Owner.PLATFORM)
    assert check(subject("*.moon.test"), issuing, wildcards=True, now=NOW) == ()


# --- the chain ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        subject(added=False),
        subject(store=None, added=False),
        subject(default=True),
        subject("co.uk"),
        subject("nonsense"),
    ],
    ids=lambda given: given.name,
)
def test_what_cannot_have_a_certificate_is_not_asked_for(given: object) -> None:
    dns = TableDns({}, SILENT)
    with Chain(world(dns)) as chain:
        findings = chain.check(given)  # type: ignore[arg-type]  # a Subject, untyped by the table
    assert findings
    assert dns.asked == []


def test_an_inactive_stores_dns_is_looked_at_all_the_same() -> None:
    """None stops the chain: the merchant learns of everything at once."""
    dns = TableDns({}, SILENT)
    with Chain(world(dns)) as chain:
        findings = chain.check(subject(store=Store("moon", StoreStatus.INACTIVE)))
    assert codes(findings)[0] == ("store.inactive", "block")
    assert dns.asked


def test_rules_ask_nothing() -> None:
    dns = TableDns({}, SILENT)
    with Chain(world(dns, wildcards=False)) as chain:
        given = subject("*.moon.test", store=Store("moon", StoreStatus.DELETED))
        assert codes(chain.rules(given)) == [
            ("store.deleted", "block"),
            ("policy.wildcard_needs_dns", "block"),
        ]
    assert dns.asked == []


def _finder(code: str, verdict: Verdict) -> Callable[[object], tuple[Finding, ...]]:
    return lambda _case: (Report("x.test", NOW).finding(code, verdict, say("s"), say("r")),)


def test_worst_first_and_in_the_chains_order() -> None:
    checks = (
        Check("a", _finder("dns.lame", Verdict.UNKNOWN)),
        Check("b", _finder("dns.inconsistent", Verdict.WARN)),
        Check("c", _finder("dns.no_address", Verdict.BLOCK)),
        Check("d", _finder("dns.caa_forbids", Verdict.BLOCK)),
    )
    chain = Chain(world(), checks, checks=2, questions=2)
    assert [finding.code for finding in chain.check(subject())] == [
        "dns.no_address",
        "dns.caa_forbids",
        "dns.inconsistent",
        "dns.lame",
    ]
    chain.close()
    chain.close()


def test_checks_that_wait_hold_up_no_other() -> None:
    """Edges and registries that do not answer keep every waiting thread, and the checks of DNS go on beside them."""
    go, done = threading.Event(), threading.Event()

    def wait(_case: object) -> tuple[Finding, ...]:
        go.wait(10)
        return ()

    def ask(case: Case) -> tuple[Finding, ...]:
        if case.subject.name == "last.test":
            done.set()
        return ()

    checks = (Check("wait", wait, waits=True), Check("ask", ask))
    with Chain(world(), checks, checks=1, questions=1) as chain, ThreadPoolExecutor(4) as callers:
        stuck = [callers.submit(chain.check, subject(f"{n}.test")) for n in range(3)]
        last = callers.submit(chain.check, subject("last.test"))
        try:
            assert done.wait(10), "the last name's DNS was looked at while three waited"
            assert not any(run.done() for run in (*stuck, last))
        finally:
            go.set()


def test_evidence_is_ready_for_json() -> None:
    given = {"a": frozenset({"y", "x"}), "b": ("t", {"c": {"z"}}), "d": 1, "e": None, "f": "text"}
    assert plain(given) == {"a": ["x", "y"], "b": ["t", {"c": ["z"]}], "d": 1, "e": None, "f": "text"}


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "none"), (1, "s0"), (4, "s0, s1, s2, s3"), (5, "s0, s1, s2, s3 and 1 more")],
)
def test_sentences_show_the_first_of_a_long_list(count: int, shown: str) -> None:
    assert say("{items}", items=listed([f"s{n}" for n in range(count)])).plain() == shown
