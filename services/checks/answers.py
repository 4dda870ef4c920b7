"""Check: every authoritative server answers for the name, and all of them the same."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from services.checks.case import Case
from services.checks.delegation import gather as gather_delegation
from services.checks.lookup import Lookup, Outcome
from services.checks.rules import SHOWN, Report, listed
from services.checks.views import Facts, gather, v4
from services.checks.words import dns_words
from services.model.findings import Finding, Verdict
from services.model.text import Text, plain_value, say


def check(case: Case) -> tuple[Finding, ...]:
    """Return what is wrong with the servers' answers."""
    zone = gather_delegation(case).delegation.closest
    hosts = {probe.address: probe.host for probe in zone.probes} if zone else {}
    return decide(gather(case), case.now, hosts)


def decide(facts: Facts, now: datetime, hosts: Mapping[str, str] | None = None) -> tuple[Finding, ...]:
    """Return errors, silence and disagreement. ``hosts``: the name server of each address that was asked."""
    report = Report(facts.name, now)
    return (
        *_errors(report, facts, hosts or {}),
        *_unanswered(report, facts, hosts or {}),
        *_inconsistent(report, facts),
    )


def _named(servers: Iterable[str], hosts: Mapping[str, str]) -> set[str]:
    """Return the name servers that these addresses belong to, as far as they are known."""
    return {hosts[server] for server in servers if server in hosts}


def _errors(report: Report, facts: Facts, hosts: Mapping[str, str]) -> tuple[Finding, ...]:
    """Judge errors of authoritative servers; what the resolver says is another check's.

    From every server a block; from some, or for AAAA while A is answered, a warning.
    """
    failed = tuple(
        (server, rtype, lookup.said)
        for view in facts.views
        for server, rtype, lookup in ((view.server, "A", view.v4), (view.server, "AAAA", view.v6))
        if lookup.outcome is Outcome.FAILED and not lookup.by_resolver
    )
    if not failed:
        return ()
    every = all(view.v4.outcome is Outcome.FAILED for view in facts.views)
    blocks = every or (not facts.found(v4) and all(v.v6.outcome is Outcome.FAILED for v in facts.views))
    said = tuple(_said(server, rcode, rtype) for server, rtype, rcode in failed)
    finding = report.finding(
        "dns.servfail",
        Verdict.BLOCK if blocks else Verdict.WARN,
        say(
            "Name servers of {zone} answer with an error when asked for {name} ({said}).",
            zone=facts.zone,
            name=facts.shown,
            said=listed(said),
        ),
        say(
            "Make every name server of {zone} answer questions for the addresses of {name}.",
            zone=facts.zone,
            name=facts.shown,
        ),
        owner=facts.server_owner,
        zone=facts.zone,
        found=said,
        hosts=_named((server for server, _, _ in failed), hosts),
    )
    return (finding,)


def _said(server: str, trouble: str, rtype: str) -> Text:
    return say("{server}: {said} for {type}", server=server, said=dns_words(trouble), type=rtype)


def _unanswered(report: Report, facts: Facts, hosts: Mapping[str, str]) -> tuple[Finding, ...]:
    """Say what is not known because nobody answered; AAAA alone failing is a warning, as for errors."""
    unheard = tuple(
        (view.server, _said(view.server, lookup.said, rtype))
        for view in facts.views
        for rtype, lookup in (("A", view.v4), ("AAAA", view.v6))
        if lookup.outcome is Outcome.SILENT
    )
    silent = tuple(said for _, said in unheard)
    if not silent:
        return ()
    onlyv6 = all(view.v4.outcome is not Outcome.SILENT for view in facts.views) and bool(facts.found(v4))
    code, verdict = ("dns.servfail", Verdict.WARN) if onlyv6 else ("dns.no_address", Verdict.UNKNOWN)
    finding = report.finding(
        code,
        verdict,
        say(
            "Nobody answered the question for the addresses of {name} ({said})."
            if not any(lookup.answered for lookup in facts.lookups())
            else "The question for the addresses of {name} was not answered everywhere ({said}).",
            name=facts.shown,
            said=listed(silent),
        ),
        say(
            "If this lasts, see that the name servers of {zone} run and can be reached over UDP and TCP; certdesk asks again by itself.",
            zone=facts.zone,
        ),
        owner=facts.server_owner,
        zone=facts.zone,
        found=silent,
        hosts=_named((server for server, _ in unheard), hosts),
    )
    return (finding,)


def _inconsistent(report: Report, facts: Facts) -> tuple[Finding, ...]:
    """Compare what the servers answer; how they got there (which alias) does not matter."""
    answers = {view.server: (_answer(view.v4), _answer(view.v6)) for view in facts.views}
    differing = any(
        len({pair[family] for pair in answers.values() if pair[family] is not None}) > 1 for family in (0, 1)
    )
    if not differing:
        return ()
    given = {server: tuple(a for part in pair for a in part or ()) for server, pair in answers.items()}
    shown = [f"{server} says {_few(found)}" for server, found in given.items()]
    more = ["…"] if len(shown) > SHOWN else []
    finding = report.finding(
        "dns.inconsistent",
        Verdict.WARN,
        say(
            "The name servers of {zone} answer differently for {name} ({shown}).",
            zone=facts.zone,
            name=facts.shown,
            shown="; ".join(shown[:SHOWN] + more),
        ),
        say("Bring all name servers of {zone} to the same zone data.", zone=facts.zone),
        owner=facts.server_owner,
        zone=facts.zone,
        found=[f"{server}: {', '.join(found) or 'no address'}" for server, found in given.items()],
        servers=given,
    )
    return (finding,)


def _few(found: tuple[str, ...]) -> str:
    """Return what one server gives, shortened: all of it stands in the evidence."""
    return plain_value(listed(found)) if found else "no address"


def _answer(lookup: Lookup) -> tuple[str, ...] | None:
    """Return what is compared: the addresses, sorted; None if there was no answer."""
    return tuple(sorted(lookup.addresses)) if lookup.answered else None
