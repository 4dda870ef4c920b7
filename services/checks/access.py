"""Check: where DNS leads to the platform's edge, every edge address answers for the name, over http and https apart."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.checks import views
from services.checks.access_walk import Errand, Outcome, Reading, walk
from services.checks.case import Case
from services.checks.rules import Report, canonical, listed, path
from services.checks.words import web_words
from services.model.findings import Finding, Verdict
from services.model.text import Phrase, Text, Value, say

PROBE_PATH = "/.well-known/certdesk/"
"""What the edge hands on to certdesk, which answers a token below it with the proof."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was gathered about one name."""

    name: str
    shown: str
    """The name as people should read it."""
    readings: tuple[Reading, ...]


def check(case: Case) -> tuple[Finding, ...]:
    """Return what keeps visitors, and a CA, from the name."""
    return decide(gather(case), case.now)


def errand(case: Case, name: str, shown: str) -> Errand | None:
    """Return what to ask for, with a token of its own; None where nothing is connected to."""
    world = case.world
    if world.web is None or world.edge_proof is None:
        return None
    token = secrets.token_hex(16)
    return Errand(world.web, name, PROBE_PATH + token, world.edge_proof(token), token, shown)


def gather(case: Case) -> Facts:
    """Ask each edge address that DNS gives for the name; https only where a certificate of the name is installed."""
    found = views.gather(case)
    asked = errand(case, found.asked, found.shown)
    if asked is None:
        return Facts(found.name, found.shown, ())
    given = {*found.found(views.v4), *found.found(views.v6)}
    edges = [edge for edge in case.world.platform.addresses if canonical(str(edge)) in given]
    schemes = ("http", "https") if edges and _installed(case) else ("http",)
    todo = [(edge, scheme) for scheme in schemes for edge in edges]
    return Facts(found.name, found.shown, case.visit(lambda each: walk(case, asked, *each), todo))


def _installed(case: Case) -> bool:
    """Tell whether the edge should serve a certificate for the name; before that nothing is expected of its TLS."""
    certificate, covered = case.subject.certificate, case.world.covered
    if certificate is None or certificate.installed is None:
        return False
    return case.subject.name in (covered(certificate) if covered else certificate.wanted)


def decide(facts: Facts, now: datetime) -> tuple[Finding, ...]:
    """Return one finding for each kind of trouble: a block if no edge address is well over that scheme, else a warning.

    What this machine cannot see is not judged; if it sees nothing at all over a scheme, that is unknown.
    """
    report = Report(facts.name, now)
    groups: dict[tuple[Outcome, Verdict, tuple[str, ...]], list[Reading]] = {}
    for scheme in ("http", "https"):
        readings = [reading for reading in facts.readings if reading.scheme == scheme]
        for outcome, verdict, group in _judged(readings):
            key = outcome, verdict, tuple(reading.address for reading in group)
            groups.setdefault(key, []).extend(group)
    return tuple(
        _finding(report, facts, outcome, verdict, group) for (outcome, verdict, _), group in groups.items()
    )


def _judged(readings: Sequence[Reading]) -> tuple[tuple[Outcome, Verdict, list[Reading]], ...]:
    """Return the troubles of one scheme, each with its verdict and the readings that show it."""
    seen = [reading for reading in readings if reading.outcome is not Outcome.UNKNOWN]
    if not seen:
        return ((Outcome.UNKNOWN, Verdict.UNKNOWN, [*readings]),) if readings else ()
    well = any(reading.outcome is Outcome.PROVEN for reading in seen)
    return tuple(
        (outcome, _verdict(outcome, seen[0].scheme, well=well), group)
        for outcome in Outcome
        if outcome is not Outcome.PROVEN and (group := [r for r in seen if r.outcome is outcome])
    )


def _verdict(outcome: Outcome, scheme: str, *, well: bool) -> Verdict:
    """Warn where another edge address is well, and of TLS that fails: the next certificate may be what mends it."""
    return Verdict.WARN if well or (outcome is Outcome.NO_TLS and scheme == "https") else Verdict.BLOCK


@dataclass(frozen=True, slots=True)
class _Words:
    code: str
    summary: Phrase
    remedy: Phrase


_RUNS = Phrase(
    "The platform's engineers bring the edge at {addresses} back into service, or take it out of DNS. "
    "certdesk looks again by itself."
)
_FORWARDS = Phrase(
    "The platform's engineers see that the edge at {addresses} forwards /.well-known/certdesk/ and "
    "/.well-known/acme-challenge/ of {name} to certdesk (http.listen in app.yaml), and that certdesk runs there."
)
_STAYS = Phrase(
    "The platform's engineers take /.well-known/certdesk/ and /.well-known/acme-challenge/ of {name} out of this redirect: "
    "on the edge, and in the rules that belong to this name."
)
_WORDS = {
    Outcome.UNREACHABLE: _Words(
        "access.unreachable",
        Phrase("{name} cannot be reached over {schemes}: the edge does not answer at {addresses} ({said})."),
        _RUNS,
    ),
    Outcome.REFUSED: _Words(
        "access.refused",
        Phrase(
            "{name} cannot be reached over {schemes}: the edge refuses connections at {addresses} ({said})."
        ),
        _RUNS,
    ),
    Outcome.NO_TLS: _Words(
        "access.refused",
        Phrase(
            "{name} cannot be reached over https: the edge breaks off the TLS handshake at {addresses} ({said})."
        ),
        Phrase(
            "The platform's engineers see which certificate the edge at {addresses} loads for {name}, and that it offers TLS 1.2 or "
            "1.3. “/ssl renew {name}” writes a new certificate to the edge."
        ),
    ),
    Outcome.WRONG: _Words(
        "access.wrong_server",
        Phrase(
            "Over {schemes} something else than certdesk's edge answers for {name} at {addresses} ({said})."
        ),
        _FORWARDS,
    ),
    Outcome.FORBIDDEN: _Words(
        "access.forbidden",
        Phrase("Over {schemes} the edge at {addresses} forbids the challenge path of {name} ({said})."),
        Phrase(
            "The platform's engineers exempt /.well-known/certdesk/ and /.well-known/acme-challenge/ of {name} from passwords, "
            "firewall rules and request limits."
        ),
    ),
    Outcome.AWAY: _Words(
        "access.redirected_away",
        Phrase(
            "Over {schemes} the edge at {addresses} redirects the challenge path of {name} to {target}, where no CA finds the "
            "challenge: {why}."
        ),
        _STAYS,
    ),
    Outcome.LOOP: _Words(
        "access.redirect_loop",
        Phrase(
            "Over {schemes} the edge at {addresses} redirects the challenge path of {name} in a circle or on without end ({chain})."
        ),
        _STAYS,
    ),
    Outcome.UNKNOWN: _Words(
        "access.unreachable",
        Phrase(
            "Whether {name} is reached over {schemes} at {addresses} cannot be seen from the machine of certdesk ({said})."
        ),
        Phrase(
            "The platform's engineers give the machine of certdesk a way to {addresses}, and allow these addresses in "
            "probe.allow_networks if they are not public. The merchant has nothing to do."
        ),
    ),
}
"""For every outcome but the good one: its code, what was found, and what helps."""
_REDIRECTED = _Words(
    "access.refused",
    Phrase(
        "Over http the edge at {addresses} redirects the challenge path of {name} to https, and breaks off the TLS handshake "
        "there ({said})."
    ),
    _STAYS,
)
"""The same for a handshake that only a redirect led to: a new certificate, which might mend it, cannot be had by that way."""


def _finding(
    report: Report, facts: Facts, outcome: Outcome, verdict: Verdict, group: Sequence[Reading]
) -> Finding:
    first = group[0]
    words = _REDIRECTED if outcome is Outcome.NO_TLS and first.scheme == "http" else _WORDS[outcome]
    addresses = tuple(dict.fromkeys(reading.address for reading in group))
    schemes = tuple(dict.fromkeys(reading.scheme for reading in group))
    gaps: dict[str, Value] = {
        "name": facts.shown,
        "addresses": listed(addresses),
        "schemes": schemes,
        "said": listed(tuple(dict.fromkeys(said(reading) for reading in group))),
        "target": first.chain[-1],
        "why": first.reason,
        "chain": path(first.chain),
    }
    return report.finding(
        words.code,
        verdict,
        words.summary.said(**_used(words.summary, gaps)),
        words.remedy.said(**_used(words.remedy, gaps)),
        **evidence(first),
        addresses=addresses,
        schemes=schemes,
        readings=[evidence(reading) for reading in group],
    )


def _used(template: str, gaps: dict[str, Value]) -> dict[str, Value]:
    return {gap: value for gap, value in gaps.items() if f"{{{gap}}}" in template}


def said(reading: Reading) -> Text:
    """Return what came back, in a few words: where from, if redirects led there, the status and the server."""
    last, url = reading.last, reading.chain[-1]
    if last.error:
        error, detail = web_words(last.error, last.detail)
        what = say("{error}, {detail}" if detail else "{error}", error=error, detail=detail)
    else:
        what = say(
            "HTTP {status}, {server}" if last.server else "HTTP {status}",
            status=str(last.status),
            server=last.server,
        )
    return what if len(reading.chain) == 1 else say("{what}, at {url}", what=what, url=url)


def evidence(reading: Reading) -> dict[str, Any]:
    """Return one reading as evidence."""
    last = reading.last
    return {
        "address": reading.address,
        "scheme": reading.scheme,
        "status": last.status or None,
        "location": last.location,
        "server": last.server,
        "error": last.error,
        "detail": last.detail,
        "reason": reading.reason.plain(),
        "chain": reading.chain,
    }
