"""Check: nothing stands where dns-01 puts its record: no leftovers of former challenges, no alias or delegation elsewhere."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services import naming
from services.checks.case import Case
from services.checks.delegation import gather as gather_delegation
from services.checks.rules import Report, is_ours, listed
from services.checks.views import PROBE
from services.checks.world import Answer, Server
from services.checks.zones import within, zone_name
from services.model import names
from services.model.certificates import Certificate
from services.model.findings import Finding, Verdict
from services.model.lifecycle import State
from services.model.text import Text, say

LABEL = "_acme-challenge"  # RFC 8555 §8.4
CLIMB = 4
"""Names that are asked for, from an alias's target upwards, to find who serves it."""
_VALUE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands at the record's name; empty facts where it does not matter."""

    name: str
    record: str
    zone: str = ""
    values: tuple[str, ...] = ()
    """TXT records that are challenges by their form (RFC 8555 §8.4: base64url)."""
    alias: str = ""
    """Where a CNAME leads, out of the zone and to servers that are not ours."""
    dname: str = ""
    """Whose DNAME record makes the alias, if one does (RFC 6672)."""
    missing: bool = False
    """Whether nobody serves what the alias leads to."""
    hosts: tuple[str, ...] = ()
    """Name servers, not all ours, that the record's name itself is delegated to."""
    only: bool = False
    """Whether dns-01 is the only challenge type by which the name can be validated."""


def check(case: Case) -> tuple[Finding, ...]:
    """Return what would be in the way of dns-01."""
    return decide(gather(case), case.now)


def gather(case: Case) -> Facts:
    """Ask one authoritative server once; more only if something stands there."""
    nothing = Facts(case.subject.name, f"{LABEL}.{case.base}")
    certificate = case.subject.certificate
    if not case.world.wildcards or (certificate is not None and _under_way(certificate)):
        return nothing
    known = gather_delegation(case)
    zone, platform = known.delegation.closest, case.world.platform
    if zone is None or (
        platform.name_servers and not all(known.is_ours(host, platform) for host in zone.hosts)
    ):
        return nothing
    servers: tuple[Server, ...] = zone.serving if zone.probes else (None,)
    return _gather(case, servers[0], nothing) if servers else nothing


def _under_way(certificate: Certificate) -> bool:
    """Tell whether what stands there may be certdesk's own."""
    attempt = certificate.attempt
    busy = not certificate.resting and certificate.state is not State.CHECKING
    return busy or bool(attempt.answers or attempt.leftovers)


def _gather(case: Case, server: Server, nothing: Facts) -> Facts:
    record, zone = nothing.record, zone_name(case)
    answer = case.ask(record, "TXT", server)
    alias, values, hosts = answer.alias(record) or "", challenges(answer, record), _delegated(answer, record)
    if not answer.good or not (alias or values or hosts):
        return nothing
    if not hosts and _by_wildcard(case, server, answer, record):
        return nothing  # a record of our own takes its place (RFC 4592 §2.2.1)
    elsewhere, missing = _leads(case, alias, zone) if alias else (False, False)
    return Facts(
        nothing.name,
        record,
        zone,
        () if alias else values,
        alias if elsewhere else "",
        next((found.name for found in answer.answer if found.type == "DNAME"), ""),
        missing,
        () if _all_ours(case, hosts) else hosts,
        names.is_wildcard(nothing.name) or set(case.world.issuing.challenges) == {"dns-01"},
    )


def challenges(answer: Answer, record: str) -> tuple[str, ...]:
    """Return the TXT values at ``record`` that may be challenges; other uses of TXT have signs that base64url lacks."""
    texts = ("".join(_STRING.findall(each.text)) for each in answer.of(record, "TXT"))
    return tuple(sorted(text for text in texts if _VALUE.fullmatch(text)))


def _delegated(answer: Answer, record: str) -> tuple[str, ...]:
    """Return the name servers of a referral at the record's own name."""
    if answer.answer or answer.zone_of_denial() is not None:
        return ()
    return tuple(sorted(r.text for r in answer.authority if r.type == "NS" and within(r.name, record)))


def _by_wildcard(case: Case, server: Server, answer: Answer, record: str) -> bool:
    """Tell whether a name that nobody has, beside the record's, gets the same answer."""
    beside = f"{PROBE}{secrets.token_hex(4)}.{case.base}"
    other = case.ask(beside, "TXT", server)
    same_alias = other.alias(beside) == answer.alias(record)
    return other.good and same_alias and challenges(other, beside) == challenges(answer, record)


def _leads(case: Case, target: str, zone: str) -> tuple[bool, bool]:
    """Tell whether ``target`` lies where certdesk cannot write, and whether nobody serves it.

    Our own zone and zones on our name servers are fine: certdesk writes at the target (`services.issuance.dns_responder`).
    Silence is no proof.
    """
    if within(target, zone):
        return False, False
    domain = naming.registrable(target) or target
    for here in tuple(names.climb(target))[:CLIMB]:
        answer = case.resolve(here, "NS")
        if hosts := tuple(found.text for found in answer.of(here, "NS")):
            return not _all_ours(case, hosts), False
        if not answer.good:
            return False, False
        if here == domain:
            return True, answer.rcode == "NXDOMAIN"
    return True, False


def _all_ours(case: Case, hosts: Iterable[str]) -> bool:
    return all(is_ours(host, (), case.world.platform, ()) for host in hosts)


def decide(facts: Facts, now: datetime) -> tuple[Finding, ...]:
    """Return a warning; a block where certdesk cannot write the record and the name has no other way to be validated."""
    report = Report(facts.name, now)
    if facts.hosts:
        return (_delegation(report, facts),)
    if facts.alias:
        return (_alias(report, facts),)
    return (_leftovers(report, facts),) if facts.values else ()


def _delegation(report: Report, facts: Facts) -> Finding:
    summary = say(
        "{record} is delegated to {hosts}, so the platform's name servers cannot show the dns-01 challenge of {name}.",
        record=facts.record,
        hosts=listed(facts.hosts),
        name=facts.name,
    )
    return _elsewhere(report, facts, summary, "NS")


def _alias(report: Report, facts: Facts) -> Finding:
    template = (
        "{record} is an alias (CNAME) of {target}, which does not exist, so the dns-01 challenge of {name} has no place."
        if facts.missing
        else "{record} is an alias (CNAME) of {target}, which is not hosted on the platform, so certdesk cannot put the dns-01 challenge of {name} there."
    )
    summary = say(template, record=facts.record, target=facts.alias, name=facts.name)
    return _elsewhere(report, facts, summary, "DNAME" if facts.dname else "CNAME")


def _elsewhere(report: Report, facts: Facts, summary: Text, kind: str) -> Finding:
    template = (
        "In the DNS zone {zone} remove the {kind} records of {record}: {name} can be validated by dns-01 alone."
        if facts.only
        else "In the DNS zone {zone} remove the {kind} records of {record}, unless another service needs them: http-01 is used then, and dns-01 cannot stand in for it."
    )
    return report.finding(
        "dns.stale_challenge",
        Verdict.BLOCK if facts.only else Verdict.WARN,
        summary,
        say(template, zone=facts.zone, kind=kind, record=facts.dname or facts.record, name=facts.name),
        record=facts.record,
        zone=facts.zone,
        found=[facts.alias] if facts.alias else facts.hosts,
        type=kind,
    )


def _leftovers(report: Report, facts: Facts) -> Finding:
    count = len(facts.values)
    template = (
        "A TXT record of a former challenge still stands at {record}: {values}."
        if count == 1
        else "{count} TXT records of former challenges still stand at {record}: {values}."
    )
    return report.finding(
        "dns.stale_challenge",
        Verdict.WARN,
        say(template, count=count, record=facts.record, values=listed(facts.values)),
        say(
            "In the DNS zone {zone} remove the TXT records of {record}, unless another service put them there a moment ago; certdesk writes its own when it needs one, and takes it away again.",
            zone=facts.zone,
            record=facts.record,
        ),
        record=facts.record,
        zone=facts.zone,
        found=facts.values,
        type="TXT",
    )
