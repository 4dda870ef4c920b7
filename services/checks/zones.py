"""Which zone a name lies in and who serves it: the walk down from the top-level domain, or up through the resolver."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from services import naming
from services.checks.case import Case
from services.checks.nameservers import Zone, enter, find_host, may_be_asked
from services.checks.world import Answer, Record
from services.model import names

TRIES = 4
"""How many of a zone's servers are asked, one after the other, before it counts as not answering."""


@dataclass(frozen=True, slots=True)
class Delegation:
    """The zones from the top down; the last one is the closest delegation of the name."""

    zones: tuple[Zone, ...] = ()
    missing: str = ""
    """The highest name on the way that does not exist (NXDOMAIN) below the closest zone; empty if none."""
    trouble: Answer | None = None
    """The answer that ended the search before its end, if one did."""

    @property
    def closest(self) -> Zone | None:
        """The zone that the name lies in, as far as is known."""
        return self.zones[-1] if self.zones else None

    def zone_of(self, name: str) -> Zone | None:
        """Return the deepest known zone that ``name`` is or lies below."""
        return next((zone for zone in reversed(self.zones) if names.is_under(name, zone.name)), None)


def delegation(case: Case) -> Delegation:
    """Return the delegation of the case's name, gathered once."""
    return case.once("delegation", _find)


def zone_name(case: Case) -> str:
    """Return the zone that the case's name lies in, as well as it is known.

    That is the closest delegation; without one, the zone whose SOA came with a denial (RFC 2308 §2, §3), unless that is
    a zone above the registrable domain, which is then what does not exist; else the registrable domain.
    """
    if zone := delegation(case).closest:
        return zone.name
    domain = naming.registrable(case.base) or case.base
    answer = case.resolve(case.base, "A")
    denier = answer.zone_of_denial() if answer.good and not answer.answer else None
    if denier and names.is_under(case.base, denier) and names.is_under(denier, domain):
        return denier
    return domain


def _find(case: Case) -> Delegation:
    labels = tuple(reversed(tuple(names.climb(case.base))))
    if case.world.dns.asks_parent and (top := _top(case, labels)):
        return _walk(case, top, labels)
    return _climb(case)


# --- from the parent ---------------------------------------------------------------------------------------------


class Kind(StrEnum):
    """What an authoritative answer to "NS of this label?" means for the walk."""

    CUT = "cut"
    NO_CUT = "no cut"
    MISSING = "missing"
    USELESS = "useless"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the walk."""

    kind: Kind
    answer: Answer
    zone: str = ""
    hosts: tuple[str, ...] = ()
    server: str = ""


def read_step(answer: Answer, zone: str, label: str) -> Step:
    """Return what ``answer``, given by a server of ``zone`` for NS of ``label``, says (RFC 1034 §4.3.2)."""
    if not answer.good:
        return Step(Kind.USELESS, answer)
    if hosts := _hosts(answer.of(label, "NS")):
        return Step(Kind.CUT, answer, label, hosts)
    if referral := _referral(answer, zone, label):
        return Step(Kind.CUT, answer, referral[0].name, _hosts(referral))
    if not answer.authoritative:
        return Step(Kind.USELESS, answer)
    if answer.rcode == "NXDOMAIN" and not answer.answer:
        return Step(Kind.MISSING, answer)
    return Step(Kind.NO_CUT, answer)


def _referral(answer: Answer, zone: str, label: str) -> tuple[Record, ...]:
    """Return the NS records of a referral to a zone below ``zone`` that holds ``label``."""
    if answer.zone_of_denial() is not None or answer.answer:
        return ()
    return tuple(
        record
        for record in answer.authority
        if record.type == "NS"
        and record.name != zone
        and within(record.name, zone)
        and within(label, record.name)
    )


def within(name: str, zone: str) -> bool:
    """Tell whether ``name`` is ``zone`` or lies below it; the root is the empty text."""
    return not zone or names.is_under(name, zone)


def _hosts(records: Iterable[Record]) -> tuple[str, ...]:
    return tuple(sorted({record.text for record in records}))


def _top(case: Case, labels: Sequence[str]) -> Zone | None:
    """Return the highest zone on the way to the name whose servers the resolver knows: the walk begins there."""
    for label in labels:
        answer = case.world.dns.query(label, "NS", checking_disabled=True)
        if hosts := _hosts(answer.of(label, "NS")):
            return Zone(label, hosts)
        if answer.silent:
            return None
    return None


def _walk(case: Case, top: Zone, labels: Sequence[str]) -> Delegation:
    """Go down label by label: empty non-terminals and servers of both parent and child need no special care then."""
    zones, missing = [top], ""
    for label in labels:
        here = zones[-1]
        if not names.is_under(label, here.name) or label == here.name:
            continue
        step = _step(case, here, label)
        if step.kind is Kind.USELESS:
            known = tuple(zones) if here.serving or here.probes else ()
            return Delegation(known, missing, step.answer)
        if not here.probes:
            zones[-1] = replace(here, serving=(step.server,))
        if step.kind is Kind.CUT:
            zones.append(enter(case, step.zone, step.hosts, here.name, step.answer))
            missing = ""
        elif step.kind is Kind.MISSING:
            missing = missing or label
    if zones == [zones[0]] and not missing:
        zones = [enter(case, top.name, top.hosts, top.parent)]
    return Delegation(tuple(zones), missing)


def _step(case: Case, zone: Zone, label: str) -> Step:
    """Ask the zone's servers for a cut at ``label``, one after the other until one is of use."""
    step = Step(Kind.USELESS, Answer(label, "NS", error="unreachable"))
    for address in islice(zone.serving or _some_addresses(case, zone), TRIES):
        step = read_step(case.ask(label, "NS", address), zone.name, label)
        if step.kind is not Kind.USELESS:
            return Step(step.kind, step.answer, step.zone, step.hosts, address)
    return step


def _some_addresses(case: Case, zone: Zone) -> Iterable[str]:
    """Yield addresses of a zone that was not probed, looked up only when they are needed."""
    if zone.probes:
        return
    for host in zone.hosts:
        for address in find_host(case, host).addresses:
            if may_be_asked(case, host, address):
                yield address


# --- from the resolver -------------------------------------------------------------------------------------------


def _climb(case: Case) -> Delegation:
    """Ask the resolver for NS of the name and of its parents; the first that has some is the closest delegation."""
    missing = ""
    for label in names.climb(case.base):
        answer = case.world.dns.query(label, "NS", checking_disabled=True)
        if not answer.good:
            return Delegation(missing=missing, trouble=answer)
        records = answer.of(label, "NS") or _referral(answer, "", label)
        if records:
            return Delegation(
                (Zone(records[0].name, _hosts(records), parent=names.parent(records[0].name)),), missing
            )
        missing = label if answer.rcode == "NXDOMAIN" and not answer.answer else missing
    return Delegation(missing=missing)
