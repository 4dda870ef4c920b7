"""Names whose pages are scanned: rows to dataclasses and back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from services.model import text
from services.model.clock import aware
from services.model.scans import Advice, Found, Kind, Problem, Scan, Site, Skipped, Transport
from storage.records.coding import Values, decode, encode, storable
from storage.records.findings import finding_from_json, finding_to_json


def scan_to_json(scan: Scan) -> dict[str, Any]:
    """Return ``scan`` as JSON-ready data; `scan_from_json` gives it back."""
    return {
        "name": scan.name,
        "store": scan.store,
        "scanned_at": aware(scan.scanned_at).isoformat(),
        "pages": list(scan.pages),
        "problems": [_problem_to_json(problem) for problem in scan.problems],
        "skipped": [[one.url, text.to_json(one.why)] for one in scan.skipped],
        "findings": [finding_to_json(finding) for finding in scan.findings],
        "transport": asdict(scan.transport),
        "patch": scan.patch,
    }


def _problem_to_json(problem: Problem) -> dict[str, Any]:
    found = asdict(problem.found) | {"kind": problem.found.kind.value}
    return {
        "page": problem.page,
        "found": found,
        "advice": problem.advice.value,
        "why": text.to_json(problem.why),
        "places": list(problem.places),
    }


def scan_from_json(data: Mapping[str, Any]) -> Scan:
    """Return the scan that `scan_to_json` wrote."""
    way = data["transport"]
    return Scan(
        name=data["name"],
        store=data["store"],
        scanned_at=datetime.fromisoformat(data["scanned_at"]),
        pages=tuple(data["pages"]),
        problems=tuple(_problem_from_json(one) for one in data["problems"]),
        skipped=tuple(Skipped(url, text.from_json(why)) for url, why in data["skipped"]),
        findings=tuple(finding_from_json(one) for one in data["findings"]),
        transport=Transport(**way | {"chain": tuple(way["chain"])}),
        patch=data["patch"],
    )


def _problem_from_json(data: Mapping[str, Any]) -> Problem:
    found = Found(**data["found"] | {"kind": Kind(data["found"]["kind"])})
    return Problem(
        data["page"],
        found,
        Advice(data["advice"]),
        text.from_json(data["why"]),
        tuple(data["places"]),
    )


def site_values(site: Site) -> Values:
    """Return the row of a site."""
    return {
        "id": site.id,
        "store": site.store,
        "run_after": site.run_after,
        "asked_at": site.asked_at,
        "paths": encode([storable(path) for path in site.paths]),
        "fence": site.fence,
        "lease_until": site.lease_until,
        "pages": site.pages,
        "seen": site.seen,
        "scan": None if site.scan is None else encode(scan_to_json(site.scan)),
        "answered": site.answered,
        "problems": site.count,
        "first_problems": site.first,
        "since": site.since,
    }


def site_result(site: Site) -> Values:
    """Return the part of a site's row that a save takes over from it as it is."""
    kept = ("pages", "seen", "scan", "answered", "problems", "first_problems", "since")
    values = site_values(site)
    return {name: values[name] for name in kept}


def wished(stored: Site | None, asked: Site) -> Site:
    """Return the row as it is once it was ``asked`` for; whose store is another one now begins anew, and loses its lease."""
    if stored is None:
        return asked
    if stored.store != asked.store:
        return replace(asked, fence=stored.fence + 1)
    return replace(stored, run_after=asked.run_after, asked_at=asked.asked_at, paths=asked.paths)


def site(row: Sequence[Any]) -> Site:
    """Return the site of a row."""
    id_, store, run_after, asked_at, paths, fence, lease_until, pages, seen, scan, *rest = row
    return Site(
        id_,
        store,
        run_after,
        asked_at,
        tuple(decode(paths)),
        fence,
        lease_until,
        pages,
        seen,
        None if scan is None else scan_from_json(decode(scan)),
        *rest,
    )
