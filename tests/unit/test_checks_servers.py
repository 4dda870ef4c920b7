"""Servers of a zone: the verdict on each, and that no two sentences say the same."""

import pytest

from services.checks.delegation import Facts
from services.checks.nameservers import Probe, Service, Zone
from services.checks.servers import decide
from services.checks.zones import Delegation
from tests.unit.checks_world import NOW, PLATFORM, codes

LAME, FAILING, SILENT = (Service.LAME, "REFUSED"), (Service.FAILING, "SERVFAIL"), (Service.SILENT, "timeout")
GOOD = (Service.SERVES, "")


def facts(*said: tuple[Service, str], addresses: int = 1) -> Facts:
    probes = tuple(
        Probe(f"ns{place // addresses + 1}.platform.test", f"192.0.2.{place + 1}", *one)
        for place, one in enumerate(said)
    )
    hosts = tuple(dict.fromkeys(probe.host for probe in probes))
    return Facts("shop.moon.test", "moon.test", Delegation((Zone("moon.test", hosts, probes=probes),)))


def sentences(given: Facts) -> list[str]:
    return [finding.summary.plain().partition(" (")[0] for finding in decide(given, PLATFORM, NOW)]


WORDS: list[tuple[Facts, list[tuple[str, str]], str]] = [
    (facts(LAME, FAILING), [("dns.lame", "block"), ("dns.servfail", "block")], "1 of the 2 name servers of moon.test does not serve it"),
    (facts(LAME, GOOD), [("dns.lame", "warn")], "1 of the 2 name servers of moon.test does not serve it"),
    (facts(LAME, LAME, GOOD), [("dns.lame", "warn")], "2 of the 3 name servers of moon.test do not serve it"),
    (facts(FAILING, FAILING), [("dns.servfail", "block")], "Every one of the 2 name servers of moon.test answers with an error"),
    (facts(FAILING), [("dns.servfail", "block")], "The only name server of moon.test answers with an error"),
    (facts(FAILING, GOOD), [("dns.servfail", "warn")], "1 of the 2 name servers of moon.test answers with an error"),
    (facts(SILENT, SILENT), [("dns.lame", "unknown")], "None of the 2 name servers of moon.test gave any answer"),
    (facts(SILENT), [("dns.lame", "unknown")], "The only name server of moon.test gave no answer at all"),
    (facts(GOOD, LAME, addresses=2), [("dns.lame", "warn")], "Some addresses of the name servers of moon.test do not serve it"),
    (facts(GOOD, GOOD, GOOD, LAME, addresses=2), [("dns.lame", "warn")], "1 of the 2 name servers of moon.test does not serve it"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "expected", "words"), WORDS)
def test_how_many_servers_do_not_serve(given: Facts, expected: list[tuple[str, str]], words: str) -> None:
    assert codes(decide(given, PLATFORM, NOW)) == expected
    assert sentences(given)[0] == words


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (facts(LAME, LAME), "None of the 2 name servers of moon.test serves it"),
        (facts(LAME), "The only name server of moon.test does not serve it"),
        (facts(LAME, LAME, addresses=2), "The only name server of moon.test does not serve it"),
    ],
)
def test_where_all_refuse_the_second_sentence_says_what_follows(given: Facts, words: str) -> None:
    first, second = decide(given, PLATFORM, NOW)
    assert [(f.code, f.verdict.value) for f in (first, second)] == [
        ("dns.lame", "block"),
        ("dns.servfail", "block"),
    ]
    assert first.summary.plain().startswith(words)
    assert second.summary.plain().startswith("No question about moon.test is answered")
    assert "REFUSED" not in second.summary.plain()
    assert first.remedy != second.remedy
    assert first.evidence["found"] == second.evidence["found"]
