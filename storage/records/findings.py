"""Findings: rows and JSON to dataclasses and back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.model import text
from services.model.clock import aware
from services.model.findings import Finding, Owner, Verdict
from storage.records.coding import Values, decode, encode


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """Return ``finding`` as JSON-ready data; `finding_from_json` gives it back (tuples in the evidence as lists)."""
    return {
        "code": finding.code,
        "verdict": finding.verdict.value,
        "name": finding.name,
        "owner": finding.owner.value,
        "summary": text.to_json(finding.summary),
        "remedy": text.to_json(finding.remedy),
        "checked_at": aware(finding.checked_at).isoformat(),
        "evidence": dict(finding.evidence),
    }


def finding_from_json(data: Mapping[str, Any]) -> Finding:
    """Return the finding that `finding_to_json` wrote."""
    return Finding(
        code=data["code"],
        verdict=Verdict(data["verdict"]),
        name=data["name"],
        owner=Owner(data["owner"]),
        summary=text.from_json(data["summary"]),
        remedy=text.from_json(data["remedy"]),
        checked_at=datetime.fromisoformat(data["checked_at"]),
        evidence=data["evidence"],
    )


def finding_values(finding: Finding) -> Values:
    """Return what a row of findings says of the finding itself."""
    return {
        "code": finding.code,
        "verdict": finding.verdict.value,
        "name": finding.name,
        "owner": finding.owner.value,
        "summary": encode(text.to_json(finding.summary)),
        "remedy": encode(text.to_json(finding.remedy)),
        "checked_at": finding.checked_at,
        "evidence": encode(dict(finding.evidence)),
    }


def finding(row: Sequence[Any]) -> Finding:
    """Return the finding of such a row."""
    code, verdict, name, owner, summary, remedy, checked_at, evidence = row
    return Finding(
        code,
        Verdict(verdict),
        name,
        Owner(owner),
        text.from_json(decode(summary)),
        text.from_json(decode(remedy)),
        checked_at,
        decode(evidence),
    )
