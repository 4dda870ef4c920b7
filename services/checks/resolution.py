"""Check: a resolver that starts afresh, as the CA's does, gets an answer, and DNSSEC does not stand in its way."""

from dataclasses import dataclass, replace
from datetime import datetime

from services import naming
from services.checks.case import Case
from services.checks.delegation import gather as gather_delegation
from services.checks.lookup import Outcome
from services.checks.rules import Report, listed
from services.checks.signatures import key_tag, matching, reason
from services.checks.views import Facts as Views
from services.checks.views import gather as gather_views
from services.checks.world import Answer, Record
from services.checks.zones import Delegation, zone_name
from services.model import names
from services.model.findings import Finding, Owner, Verdict
from services.model.text import Text, say

NO_AUTHORITY = frozenset({22, 23})
"""Extended DNS errors that mean silence: no reachable authority, network error (RFC 8914 §4)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the resolver says of one question, and why if that is an error."""

    name: str
    """As people should read it: the wildcard, not the random name below it that was asked for."""
    type: str
    answer: Answer
    bogus: bool = False
    """Whether it answers as soon as it need not validate."""
    ds: tuple[Record, ...] = ()
    """The zone's DS records, as the resolver has them."""
    keys: tuple[Record, ...] | None = ()
    """The zone's DNSKEY records; None if they cannot be had."""
    signed: Answer | None = None
    """What does not validate, the zone's keys or else the answer itself, with its signatures."""
    ds_gone: bool = False
    """Whether the parent's own servers no longer have a DS: only caches do."""
    zone: str = ""
    """The highest zone on the way to the name that does not validate; empty: the name's own."""
    hosted: bool | None = None
    """As `Facts.hosted`, for that zone."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was gathered about how resolvers see one name."""

    name: str
    zone: str
    hosted: bool | None
    """Whether the zone's servers are the platform's; None if that is not known."""
    seen: tuple[Seen, ...] = ()
    explained: bool = False
    """Whether errors have a cause that another check reports: no server of the zone answers, or aliases loop."""
    v4_found: bool = False


def check(case: Case) -> tuple[Finding, ...]:
    """Return what is wrong with the name as resolvers see it."""
    return decide(gather(case), case.now)


def gather(case: Case) -> Facts:
    """Ask the resolver what the name's addresses are, and look into its errors."""
    known, views = gather_delegation(case), gather_views(case)
    zone = known.delegation.closest
    if not views.views and not (zone and zone.probes):
        return Facts(views.name, views.zone, None)
    types = ("A",) if zone and zone.probes else ("A", "AAAA")
    return Facts(
        views.name,
        views.zone,
        hosted(case),
        tuple(replace(look(case, views.asked, rtype), name=views.shown) for rtype in types),
        _explained(known.delegation, views),
        any(view.v4.outcome is Outcome.FOUND for view in views.views),
    )


def hosted(case: Case) -> bool | None:
    """Tell whether the name's zone is served by the platform's servers alone; None if the zone is not known."""
    known = gather_delegation(case)
    zone = known.delegation.closest
    if zone is None or not case.world.platform.name_servers:
        return None
    return known.owner(zone.hosts, case.world.platform) is Owner.PLATFORM


def _explained(found: Delegation, views: Views) -> bool:
    zone = found.closest
    if zone is not None and zone.probes and not zone.serving:
        return True
    looping = any(lookup.outcome is Outcome.LOOP for lookup in views.lookups())
    at_source = [view.v4 for view in views.views if not view.v4.by_resolver]
    return looping or (bool(at_source) and not any(lookup.answered for lookup in at_source))


def look(case: Case, name: str, rtype: str) -> Seen:
    """Return what the resolver says; of an error also whether DNSSEC is its cause."""
    answer = case.resolve(name, rtype)
    if answer.rcode != "SERVFAIL" or answer.silent:
        return Seen(name, rtype, answer)
    unchecked = case.world.dns.query(name, rtype, checking_disabled=True)
    if not unchecked.good:
        return Seen(name, rtype, answer)
    again = case.world.dns.query(name, rtype)  # an error that has just passed is not DNSSEC's
    if again.good:
        return Seen(name, rtype, again)
    return _bogus(case, name, rtype, answer)


def _bogus(case: Case, name: str, rtype: str, answer: Answer) -> Seen:
    known = gather_delegation(case)
    place, zone = _broken(case, known.delegation)
    dns = case.world.dns
    ds = dns.query(zone, "DS", checking_disabled=True).of(zone, "DS")
    keys = dns.query(zone, "DNSKEY", checking_disabled=True)
    asked = (zone, "DNSKEY") if case.resolve(zone, "DNSKEY").failed and keys.answer else (name, rtype)
    zones = known.delegation.zones
    above = zones[place - 1].serving if place else ()
    fresh = case.ask(zone, "DS", above[0]) if above else None
    gone = bool(ds) and fresh is not None and fresh.good and not fresh.of(zone, "DS")
    hosts = zones[place].hosts if place else ()
    ours = known.owner(hosts, case.world.platform) is Owner.PLATFORM if hosts else hosted(case)
    return Seen(
        name,
        rtype,
        answer,
        bogus=True,
        ds=ds,
        keys=keys.of(zone, "DNSKEY") if keys.good else None,
        signed=dns.query(*asked, checking_disabled=True, dnssec_ok=True),
        ds_gone=gone,
        zone=zone,
        hosted=ours,
    )


def _broken(case: Case, found: Delegation) -> tuple[int, str]:
    """Return the highest zone below the top whose keys do not validate, and its place; failing that the name's own zone.

    What is wrong higher up makes all below it bogus (RFC 4035 §5), and is mended there.
    """
    for place, zone in enumerate(found.zones[1:], 1):
        if case.resolve(zone.name, "DNSKEY").failed:
            return place, zone.name
    return max(0, len(found.zones) - 1), zone_name(case)


# --- judging -----------------------------------------------------------------------------------------------------


def decide(facts: Facts, now: datetime) -> tuple[Finding, ...]:
    """Return errors of the resolver: bogus or not, a block; for AAAA alone, a warning; silence behind it, unknown."""
    report = Report(facts.name, now)
    failed = tuple(seen for seen in facts.seen if seen.answer.failed)
    if not failed:
        return ()
    verdict = (
        Verdict.WARN if facts.v4_found and all(seen.type == "AAAA" for seen in failed) else Verdict.BLOCK
    )
    bogus = next((seen for seen in failed if seen.bogus), None)
    if bogus:
        return (bogus_finding(report, facts, bogus, verdict),)
    return () if facts.explained else (failure_finding(report, facts, failed[0], verdict),)


def bogus_finding(report: Report, facts: Facts, seen: Seen, verdict: Verdict) -> Finding:
    """Return the finding for an answer that validating resolvers refuse (RFC 4035 §5)."""
    zone = seen.zone or facts.zone
    ours = (seen.hosted if seen.zone else facts.hosted) is True
    signed_here = ours and bool(matching(seen.ds, seen.keys or ()))
    gaps = {"name": seen.name, "type": seen.type}
    summary = (
        say(
            "Validating resolvers refuse {zone}: DNSSEC does not validate for {name} ({type}), because {why}.",
            zone=zone,
            why=reason(seen.ds, seen.keys, seen.signed, report.now),
            **gaps,
        )
        if seen.ds
        else say(
            "Validating resolvers refuse {name} ({type}): DNSSEC does not validate in a zone that it leads to.",
            **gaps,
        )
    )
    return report.finding(
        "dns.dnssec_bogus",
        Verdict.WARN if seen.ds_gone else verdict,
        summary,
        _mend(facts.name, zone, seen, signed_here=signed_here),
        owner=Owner.PLATFORM if signed_here else Owner.MERCHANT,
        zone=zone,
        question=f"{seen.name} {seen.type}",
        found=_texts(seen.ds),
        keys=sorted(str(key_tag(record.wire)) for record in seen.keys or ()),
        seconds_left=max((record.ttl for record in seen.ds), default=0) if seen.ds_gone else None,
    )


def _mend(name: str, zone: str, seen: Seen, *, signed_here: bool) -> Text:
    if seen.ds_gone:
        return say(
            "The DS records of {zone} are gone from the zone above; caches forget them by themselves.",
            zone=zone,
        )
    if signed_here:
        return say("The platform's engineers sign {zone} anew; the merchant has nothing to do.", zone=zone)
    if seen.ds:
        registered = zone == naming.registrable(names.base(name))
        template = (
            "At the registrar of {zone} remove the DS records {ds}, which do not fit the zone as it is served now."
            if registered
            else "In the DNS zone above {zone} remove the DS records {ds} of {zone}, which do not fit the zone as it is served now."
        )
        return say(template, zone=zone, ds=listed(_texts(seen.ds)))
    return say(
        "Sign the zones that {name} leads to anew, or remove their DS records at their registrar.",
        name=seen.name,
    )


def _texts(records: tuple[Record, ...]) -> tuple[str, ...]:
    return tuple(sorted(record.text for record in records))


def failure_finding(report: Report, facts: Facts, seen: Seen, verdict: Verdict) -> Finding:
    """Return the finding for an error that is not DNSSEC's."""
    silence = bool(NO_AUTHORITY & {*seen.answer.extended})
    owner = Owner.MERCHANT if facts.hosted is False else Owner.PLATFORM
    return report.finding(
        "dns.servfail",
        Verdict.UNKNOWN if silence else verdict,
        say(
            "The resolver answers {rcode} when asked for {name} ({type}).",
            rcode=seen.answer.rcode,
            name=seen.name,
            type=seen.type,
        ),
        say(
            "See that every name server of {zone}, and of the zones its aliases lead to, answers for {name}.",
            zone=facts.zone,
            name=seen.name,
        ),
        owner=owner,
        zone=facts.zone,
        question=f"{seen.name} {seen.type}",
        found=seen.answer.rcode,
        extended=list(seen.answer.extended),
    )
