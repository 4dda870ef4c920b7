"""The whole chain against real DNS servers: every broken domain of the table gives its findings, and no other."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot.demo.parts.errors import PartError
from services.model.findings import Finding
from tests.faults.broken_domains import SCENARIOS
from tests.faults.lab import CLOSED, OTHER, Lab, Scenario
from tests.faults.lab_command import check_all


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    started = Lab(tmp_path_factory.mktemp("lab"), SCENARIOS)
    try:
        started.start()
    except PartError as error:
        pytest.fail(str(error), pytrace=False)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def said(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Give what `certdesk ssl check NAME --json` prints for each domain, before a test changes one."""
    return check_all(lab, tmp_path_factory.mktemp("command"), SCENARIOS)


UNASKED = "domain.no_certificate"
"""A name for which nobody has asked for a certificate yet says so; that is no finding about its world."""


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_domain_gives_its_findings(scenario: Scenario, said: dict[str, dict[str, Any]]) -> None:
    findings = [f for f in said[scenario.name]["findings"] if f["code"] != UNASKED]
    shown = json.dumps(findings, indent=1)
    assert {(f["code"], f["verdict"], f["owner"]) for f in findings} == scenario.expected, shown
    assert len(findings) == len(scenario.expected), shown
    assert {f["name"] for f in findings} <= {scenario.name}
    assert all(f["summary"] and f["remedy"] and f["checked_at"] for f in findings), shown


def _found(findings: tuple[Finding, ...]) -> set[tuple[str, str]]:
    return {(finding.code, finding.verdict.value) for finding in findings}


def _told(said: dict[str, Any]) -> set[tuple[str, str]]:
    return {(f["code"], f["verdict"]) for f in said["findings"] if f["code"] != UNASKED}


def test_a_change_of_name_servers_spreads(lab: Lab, said: dict[str, dict[str, Any]]) -> None:
    """The parent says ours, the resolver still holds the old servers: a warning with the seconds that are left."""
    assert _told(said["spreading.test"]) == {("dns.not_hosted", "block")}
    lab.change("spreading.test")
    (finding,) = lab.check("spreading.test")
    assert (finding.code, finding.verdict.value) == ("dns.propagating", "warn")
    assert 0 < finding.evidence["seconds_left"] <= 60
    assert finding.evidence["found"] == ["ns1.elsewhere.test"]


def test_a_removed_ds_is_a_matter_of_time(lab: Lab, said: dict[str, dict[str, Any]]) -> None:
    """The registry no longer has the DS, caches do: no block any more."""
    assert _told(said["unlocked.test"]) == {("dns.dnssec_bogus", "block")}
    lab.change("unlocked.test")
    (finding,) = lab.check("unlocked.test")
    assert (finding.code, finding.verdict.value) == ("dns.dnssec_bogus", "warn")
    assert finding.evidence["seconds_left"] > 0


BOGUS = {
    "leftover.test": "the zone is not signed",
    "strange-key.test": "fit none of its keys",
    "stale-signature.test": "its signatures ended on",
    "shop.bogus-above.test": "its signatures ended on",
    "unproven.test": "the proof (NSEC) that there is no CAA record is missing",
}


@pytest.mark.parametrize(("name", "words"), BOGUS.items())
def test_why_dnssec_does_not_validate_is_said(name: str, words: str, said: dict[str, dict[str, Any]]) -> None:
    (finding,) = (f for f in said[name]["findings"] if f["code"] == "dns.dnssec_bogus")
    assert words in finding["summary"]


@pytest.mark.parametrize("name", ["stale-signature.test", "unproven.test"])
def test_bogus_is_seen_through_the_resolver_alone(lab: Lab, name: str) -> None:
    found = lab.check(name, delegation_from="resolver")
    assert _found(found) == {("dns.dnssec_bogus", "block")}


def test_a_wildcard_is_told_by_its_own_name(lab: Lab, said: dict[str, dict[str, Any]]) -> None:
    (finding,) = (f for f in said["*.astray.test"]["findings"] if f["code"] != UNASKED)
    assert finding["summary"].startswith(f"*.astray.test points to {OTHER}")
    assert finding["remedy"].startswith(
        f"In the DNS zone astray.test replace the A records {OTHER} of *.astray"
    )


RESOLVER_ONLY: tuple[tuple[str, set[tuple[str, str]]], ...] = (
    ("apex.test", set()),
    ("www.alias.test", set()),
    ("*.wild.test", set()),
    ("vanity.test", set()),
    ("foreign.test", {("dns.not_hosted", "block")}),
    ("partly.test", {("dns.not_hosted", "block")}),
    ("shop.taken.test", {("dns.not_hosted", "block")}),
    ("unregistered.test", {("dns.nxdomain", "block")}),
    ("no.such.test", {("dns.nxdomain", "block")}),
    ("leftover.test", {("dns.dnssec_bogus", "block")}),
    ("servfail-all.test", {("dns.servfail", "block")}),
    ("aaaa.test", {("dns.servfail", "warn")}),
    ("www.loop.test", {("dns.no_address", "block")}),
    ("www.dangling.test", {("dns.no_address", "block")}),
    ("wrong.test", {("dns.wrong_address", "block")}),
    ("shop.caa-above.test", {("dns.caa_forbids", "block")}),
    ("www.caa-alias.test", {("dns.caa_forbids", "block")}),
    ("caa-servfail.test", {("dns.caa_forbids", "block"), ("dns.servfail", "block")}),
    ("silent-all.test", {("dns.no_address", "unknown"), ("dns.not_hosted", "unknown")}),
)


@pytest.mark.parametrize(("name", "expected"), RESOLVER_ONLY, ids=[name for name, _ in RESOLVER_ONLY])
def test_with_the_resolver_alone(lab: Lab, name: str, expected: set[tuple[str, str]]) -> None:
    assert _found(lab.check(name, delegation_from="resolver")) == expected


def test_no_resolver_answers(lab: Lab) -> None:
    """Without any answer nothing is known, and nothing is blocked."""
    findings = lab.check("apex.test", resolvers=((CLOSED, lab.port),), timeout=0.5)
    assert findings
    assert {finding.verdict.value for finding in findings} == {"unknown"}


def test_a_parent_that_cannot_be_asked(lab: Lab) -> None:
    """The resolver works, but no name server can be reached (a firewall, say): unknown, not blocked."""
    assert _found(lab.check("apex.test", authority_port=9)) == {("dns.not_hosted", "unknown")}
