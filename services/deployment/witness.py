"""The proof of service of every day: whether each edge address still serves what is installed, and its chain whole."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.issuance.move import Parts
from services.model.certificates import NOT_SERVED, Certificate, Revision
from services.model.clock import rfc3339
from services.model.findings import CODES, Finding, Verdict
from services.model.text import Text, say
from services.ports import Served

FEW = 4
"""Names of one certificate that are looked at at the same time: this has the whole day."""
ACCESS = "access."
"""Codes of the check that tells already that an edge does not answer."""


class Why(StrEnum):
    """What is wrong with what an address serves, the gravest first."""

    FOREIGN = "foreign"
    """A certificate that certdesk never issued for it."""
    INCOMPLETE = "incomplete"
    """The right one, without the certificates of its CA that browsers need."""
    STALE = "stale"
    """One that was installed before."""
    SILENT = "silent"
    """No TLS connection came about."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides over what was seen."""

    revision: Revision
    """What is installed."""
    earlier: frozenset[str]
    """Serial numbers of the certificate's other revisions."""
    unreached: frozenset[str]
    """Names of which the checks say already that the edge cannot be reached: one cause is one alert."""
    now: datetime


def look(parts: Parts, certificate: Certificate, found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Look at every edge address for every wanted name of what is installed; return what is wrong, one finding for each name.

    ``found`` is what the checks say of the certificate's names now. What a step looks at anyway (see `services.renewal.tending`),
    what is revoked and what is not at rest is left alone. Nothing is raised, whatever the network does.
    """
    if (
        certificate.installed is None
        or certificate.unproved
        or certificate.revoked
        or not certificate.resting
    ):
        return ()
    with parts.storage.read() as tx:
        revision = tx.certificates.revision(certificate.installed)
        known = tx.certificates.revisions(certificate.id)
    names = [] if revision is None else [name for name in revision.names if name in certificate.wanted]
    if revision is None or not names:
        return ()
    chain = revision.chain or ""
    with ThreadPoolExecutor(FEW, thread_name_prefix="witness") as pool:
        seen = tuple(
            one for some in pool.map(lambda name: parts.probe.served(name, chain), names) for one in some
        )
    facts = Facts(
        revision,
        frozenset(one.serial for one in known if one.serial and one.id != revision.id),
        frozenset(f.name for f in found if f.code.startswith(ACCESS)),
        parts.clock(),
    )
    return witnessed(seen, facts)


def witnessed(seen: Sequence[Served], facts: Facts) -> tuple[Finding, ...]:
    """Return a finding for each name that an address does not serve as it should, by its gravest reason. Pure."""
    wrong: dict[str, list[tuple[Why, Served]]] = {}
    for one in seen:
        if (why := _why(one, facts)) is not None:
            wrong.setdefault(one.name, []).append((why, one))
    return tuple(_finding(name, found, facts) for name, found in wrong.items())


def differ(before: Sequence[Finding], after: Sequence[Finding]) -> bool:
    """Tell whether the two looks saw something else. Pure."""
    return _readings(before) != _readings(after)


def _readings(findings: Sequence[Finding]) -> set[tuple[str, str, str]]:
    return {
        (one["name"], one["address"], one.get("why", ""))
        for f in findings
        if f.code == NOT_SERVED
        for one in f.evidence["found"]
    }


def _why(served: Served, facts: Facts) -> Why | None:
    if served.serial is None:
        return None if served.name in facts.unreached else Why.SILENT
    if served.serial == facts.revision.serial:
        return Why.INCOMPLETE if served.incomplete else None
    return Why.STALE if served.serial in facts.earlier else Why.FOREIGN


def _finding(name: str, found: Sequence[tuple[Why, Served]], facts: Facts) -> Finding:
    gravest = min((why for why, _ in found), key=tuple(Why).index)
    alike = [one for why, one in found if why is gravest]
    ends = [end for why, one in found if (end := _ends(why, one, facts.now)) is not None]
    evidence = {
        "required": facts.revision.serial,
        "found": [
            {
                "name": one.name,
                "address": one.address,
                "why": why.value,
                "serial": one.serial,
                "ends": rfc3339(one.not_after) if one.not_after else None,
                "protocol": one.protocol,
                "error": one.error,
            }
            for why, one in found
        ],
        **({"ends": rfc3339(min(ends))} if ends else {}),
    }
    summary = _summary(gravest, name, alike, facts)
    owner = CODES[NOT_SERVED].owner
    return Finding(NOT_SERVED, Verdict.BLOCK, name, owner, summary, _REMEDIES[gravest], facts.now, evidence)


def _ends(why: Why, served: Served, now: datetime) -> datetime | None:
    """Return from when on browsers warn of what is served: now, or when it expires; None where nothing is served."""
    if why is Why.INCOMPLETE or (why is Why.FOREIGN and not served.trusted):
        return now
    return served.not_after


def _summary(why: Why, name: str, alike: Sequence[Served], facts: Facts) -> Text:
    first = alike[0]
    addresses = tuple(one.address for one in alike)
    serial, wanted = first.serial or "", facts.revision.serial or ""
    until = first.not_after or facts.now
    if why is Why.SILENT:
        return say(
            "The edge at {addresses} does not answer for {name} over TLS ({error}).",
            addresses=addresses,
            name=name,
            error=first.error,
        )
    if why is Why.INCOMPLETE:
        return incomplete(name, addresses)
    if why is Why.STALE:
        return say(
            "The edge at {addresses} serves an earlier certificate for {name} (serial {serial}, valid until {until}), not the"
            " installed one (serial {wanted}).",
            addresses=addresses,
            name=name,
            serial=serial,
            until=until,
            wanted=wanted,
        )
    if first.trusted:
        return say(
            "The edge at {addresses} serves a certificate for {name} that is not certdesk's (serial {serial}, valid until {until}),"
            " not the installed one (serial {wanted}).",
            addresses=addresses,
            name=name,
            serial=serial,
            until=until,
            wanted=wanted,
        )
    return say(
        "The edge at {addresses} serves a certificate for {name} that is not certdesk's and that browsers do not accept (serial"
        " {serial}: {error}), not the installed one (serial {wanted}).",
        addresses=addresses,
        name=name,
        serial=serial,
        error=first.error,
        wanted=wanted,
    )


def incomplete(name: str, addresses: Sequence[str]) -> Text:
    """Return the sentence that these addresses serve the right certificate without its CA's."""
    return say(
        "The edge at {addresses} serves the certificate of {name} without those of its CA that belong to it: browsers that do not"
        " have them already warn of the page.",
        addresses=tuple(addresses),
        name=name,
    )


_LOAD = say(
    "On-call: make the edge there load what the deploy targets have; certdesk looks again within the hour and renews nothing for"
    " this."
)
_REMEDIES: Mapping[Why, Text] = {
    Why.FOREIGN: _LOAD,
    Why.INCOMPLETE: say(
        "On-call: let the edge there serve the whole chain (fullchain.pem); certdesk looks again within the hour and renews nothing"
        " for this."
    ),
    Why.STALE: _LOAD,
    Why.SILENT: say(
        "On-call: see why the edge there does not answer; certdesk looks again within the hour and renews nothing for this."
    ),
}
