"""What silence leaves open: a registry that tells nothing must not keep a certificate from being tried again."""

import pytest

from services.checks.rules import Report
from services.issuance.preflight import evidence_of_change, evidence_of_fix
from services.model.findings import Finding, Verdict, leaves_open
from services.model.text import NOTHING, say
from services.renewal.compare import difference
from tests.unit.checks_world import NOW

NAME = "shop.moon.test"


def finding(code: str, verdict: Verdict = Verdict.BLOCK, name: str = NAME) -> Finding:
    return Report(name, NOW).finding(code, verdict, say("s"), say("r"))


REGISTRY = finding("domain.expired", Verdict.UNKNOWN)
DNS = finding("dns.no_address", Verdict.UNKNOWN)


@pytest.mark.parametrize(
    ("silence", "code", "expected"),
    [
        (REGISTRY, "domain.expired", True),
        (REGISTRY, "domain.on_hold", True),
        (REGISTRY, "domain.expiring", True),
        (REGISTRY, "domain.not_added", False),
        (REGISTRY, "dns.not_hosted", False),
        (REGISTRY, "store.inactive", False),
        (DNS, "dns.not_hosted", True),
        (DNS, "access.unreachable", True),
        (finding("domain.expired"), "domain.on_hold", False),  # no silence at all
    ],
)
def test_what_silence_leaves_open(silence: Finding, code: str, expected: bool) -> None:
    assert leaves_open(silence, code, NAME) is expected
    assert not leaves_open(silence, code, "www.moon.test")


def test_a_fix_is_seen_where_there_is_no_rdap() -> None:
    before, found = [finding("dns.not_hosted"), REGISTRY], {NAME: [REGISTRY]}
    assert evidence_of_fix(before, found)
    assert evidence_of_change(before, found)
    said = difference([("dns.not_hosted", NAME)], found[NAME])
    assert said.plain() == "Since the last try: the name servers are right now."


def test_a_registry_that_falls_silent_is_no_fix() -> None:
    before, found = [finding("domain.on_hold")], {NAME: [REGISTRY]}
    assert not evidence_of_fix(before, found)
    assert not evidence_of_change(before, found)
    assert difference([("domain.on_hold", NAME)], found[NAME]) == NOTHING


def test_dns_that_falls_silent_is_no_fix() -> None:
    before, found = [finding("dns.not_hosted")], {NAME: [DNS]}
    assert not evidence_of_fix(before, found)
    assert not evidence_of_change(before, found)
