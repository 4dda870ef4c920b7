"""The whole chain against real DNS servers: every broken domain of the table gives its findings, and no other."""

import json
from collections.abc import Iterator

import pytest

from bot.demo.parts.errors import PartError
from services.model.findings import Finding
from tests.faults.broken_domains import SCENARIOS
from tests.faults.lab import Lab, Scenario


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
def results(lab: Lab) -> dict[str, tuple[Finding, ...]]:
    return lab.check_all()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_domain_gives_its_findings(scenario: Scenario, results: dict[str, tuple[Finding, ...]]) -> None:
    findings = results[scenario.name]
    shown = "\n".join(f"{f.code} {f.verdict} {f.owner}: {f.summary} {f.remedy}" for f in findings)
    assert {(f.code, f.verdict.value, f.owner.value) for f in findings} == scenario.expected, shown
    assert len(findings) == len(scenario.expected), shown
    assert all(json.dumps(f.as_json()) and f.summary.plain() and f.remedy.plain() for f in findings)
