"""Check: CAA records let at least one configured CA issue for the name, to our account and by our challenges."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.checks.caa_climb import Facts, Level, gather
from services.checks.caa_records import Judgement, Permission, judge
from services.checks.case import Case
from services.checks.resolution import bogus_finding, failure_finding
from services.checks.rules import Report, listed
from services.model.findings import Finding, Verdict
from services.model.text import Phrase, Text, say


def check(case: Case) -> tuple[Finding, ...]:
    """Return what stands in the way of every CA, or of some."""
    return decide(gather(case), case.now)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What all views together mean for one CA."""

    ca: str
    judgement: Judgement
    level: Level | None


def rulings(facts: Facts) -> tuple[Ruling, ...]:
    """Return a ruling for each CA: the worst of all views that were answered, for the CA may ask any server."""
    order = (Permission.FORBIDDEN, Permission.UNKNOWN, Permission.GRANTED)
    answered = [view.relevant for view in facts.views if not (view.relevant and view.relevant.said)]
    return tuple(
        min(
            (
                Ruling(who.ca, judge(level.records if level else (), who), level)
                for level in answered or [None]
            ),
            key=lambda ruling: order.index(ruling.judgement.permission),
        )
        for who in facts.applicants
    )


def allowed_cas(facts: Facts) -> tuple[str, ...]:
    """Return the names of the CAs that CAA records do not forbid, in the configured order."""
    return tuple(
        ruling.ca for ruling in rulings(facts) if ruling.judgement.permission is not Permission.FORBIDDEN
    )


def decide(facts: Facts, now: datetime) -> tuple[Finding, ...]:
    """Return a warning if some CA may issue and another may not, a block if none may or CAA cannot be read."""
    report = Report(facts.name, now)
    unread = [level for view in facts.views if (level := view.relevant) is not None and level.said]
    bogus = facts.resolution is not None and facts.resolution.seen[0].bogus
    if facts.views and len(unread) == len(facts.views):
        judged = _resolver(report, facts) if bogus else _unread(report, facts, unread)
        return () if facts.explained else judged
    return (
        *_resolver(report, facts),
        *_partly_unread(report, facts),
        *_forbidden(report, facts),
        *_barred(report, facts),
    )


def _resolver(report: Report, facts: Facts) -> tuple[Finding, ...]:
    if facts.resolution is None:
        return ()
    seen = facts.resolution.seen[0]
    finding = bogus_finding if seen.bogus else failure_finding
    return (finding(report, facts.resolution, seen, Verdict.BLOCK),)


def _unread(report: Report, facts: Facts, levels: Sequence[Level]) -> tuple[Finding, ...]:
    """Judge CAA that nobody gives: an error is not permission (RFC 8659 §3), silence is unknown."""
    silent = next((level for level in levels if level.silent), None)
    level = silent or levels[0]
    said = tuple(_said(view.server, view.relevant) for view in facts.views if view.relevant)
    unread = say("The CAA records of {name} cannot be read ({said}).", name=level.name, said=listed(said))
    wait = say("If this lasts, see that the name servers can be reached; certdesk asks again by itself.")
    mend = say("Make the name servers of {zone} answer questions for CAA records.", zone=facts.zone)
    follows = say("No CA may issue for {name} while its CAA records cannot be read.", name=facts.name)
    then = say("As soon as the name servers answer for CAA records, certdesk goes on by itself.")
    judged = (
        (("dns.caa_forbids", Verdict.UNKNOWN, unread, wait),)
        if silent
        else (
            ("dns.servfail", Verdict.BLOCK, unread, mend),
            ("dns.caa_forbids", Verdict.BLOCK, follows, then),
        )
    )
    hosts = {facts.hosts[view.server] for view in facts.views if view.server in facts.hosts}
    evidence = {"where": level.name, "found": said, "zone": facts.zone, "hosts": hosts}
    return tuple(
        report.finding(code, verdict, summary, remedy, owner=facts.server_owner, **evidence)
        for code, verdict, summary, remedy in judged
    )


def _said(server: str, level: Level) -> Text:
    return say("{server}: {said}", server=server, said=level.said)


def _partly_unread(report: Report, facts: Facts) -> tuple[Finding, ...]:
    """Warn of errors that some servers give for CAA alone: resolvers, a CA's too, must find another server each time."""
    said = {
        view.server: _said(view.server, level)
        for view in facts.views
        if (level := view.relevant) and level.said and not level.silent and view.server not in facts.failing
    }
    if not said:
        return ()
    found = report.finding(
        "dns.servfail",
        Verdict.WARN,
        say(
            "Not every name server of {zone} answers for CAA records ({said}).",
            zone=facts.zone,
            said=listed([*said.values()]),
        ),
        say("Make every name server of {zone} answer questions for CAA records.", zone=facts.zone),
        owner=facts.server_owner,
        zone=facts.zone,
        found=[*said.values()],
        hosts={facts.hosts[server] for server in said if server in facts.hosts},
    )
    return (found,)


def _forbidden(report: Report, facts: Facts) -> tuple[Finding, ...]:
    """Judge the records themselves."""
    ruled = rulings(facts)
    by = {kind: [r for r in ruled if r.judgement.permission is kind] for kind in Permission}
    granted, unknown, forbidden = (
        by[Permission.GRANTED],
        by[Permission.UNKNOWN],
        by[Permission.FORBIDDEN],
    )
    if not forbidden and (granted or not unknown):
        return ()
    verdict = Verdict.WARN if granted else Verdict.UNKNOWN if unknown else Verdict.BLOCK
    told = unknown if verdict is Verdict.UNKNOWN else forbidden
    shown, named = told[0], tuple(ruling.ca for ruling in told)
    records = tuple(str(record) for record in shown.level.records) if shown.level else ()
    where = (shown.level.at or shown.level.name) if shown.level else facts.name
    finding = report.finding(
        "dns.caa_forbids",
        verdict,
        _summary(verdict, named, where, _why(told), records),
        _remedy(verdict, facts, where, named, unknown=bool(unknown)),
        where=where,
        found=records,
        required=_wanted_records(facts),
        forbidden=[ruling.ca for ruling in forbidden],
        allowed=[ruling.ca for ruling in granted],
        reasons={ruling.ca: ruling.judgement.why.plain() for ruling in (*forbidden, *unknown)},
    )
    return (finding,)


def _barred(report: Report, facts: Facts) -> tuple[Finding, ...]:
    """Say, with the verdict ok, which challenge types the records leave out: an order must not be spent on those."""
    barred = barred_routes(facts)
    if not barred:
        return ()
    finding = report.finding(
        "dns.caa_forbids",
        Verdict.OK,
        say(
            "The CAA records for {name} leave out some challenges ({barred}).",
            name=facts.name,
            barred=listed(barred),
        ),
        say("Nothing has to be done: certdesk uses the challenges that are allowed."),
        barred=barred,
    )
    return (finding,)


def barred_routes(facts: Facts) -> tuple[str, ...]:
    """Return "CA CHALLENGE" for each challenge that ``validationmethods`` leave out at a CA that may issue, at any view."""
    answered = [view.relevant for view in facts.views if not (view.relevant and view.relevant.said)]
    pairs = {
        f"{who.ca} {challenge}"
        for who in facts.applicants
        for level in answered
        for challenge in judge(level.records if level else (), who).barred
    }
    return tuple(sorted(pairs))


def _why(rulings: Sequence[Ruling]) -> Text:
    """Return the first CA's reason, and those of others where they differ from it."""
    first, *others = rulings
    why = first.judgement.why
    for ruling in others:
        if ruling.judgement.why != first.judgement.why:
            why = say("{why}; as for {ca}, {other}", why=why, ca=ruling.ca, other=ruling.judgement.why)
    return why


def _summary(verdict: Verdict, cas: tuple[str, ...], where: str, why: Text, records: tuple[str, ...]) -> Text:
    template = (
        "Whether the CAA records at {where} let {cas} issue is not known: {why} ({records})."
        if verdict is Verdict.UNKNOWN
        else "The CAA records at {where} forbid {cas} to issue: {why} ({records})."
    )
    return say(template, where=where, cas=cas, why=why, records=listed(records))


def _remedy(verdict: Verdict, facts: Facts, where: str, cas: tuple[str, ...], *, unknown: bool) -> Text:
    if unknown and verdict is Verdict.UNKNOWN:
        return say(
            "The platform's engineers set acme.cas[].caa_domains of {cas} in app.yaml to the names that these CAs document.",
            cas=tuple(who.ca for who in facts.applicants if not who.domains),
        )
    if verdict is Verdict.WARN:
        return say(
            "Nothing has to be done while another CA may issue; to allow {cas} too, add its CAA record at {where}: {records}.",
            cas=cas,
            where=where,
            records=_wanted_records(facts, cas),
        )
    records = _wanted_records(facts)
    return _ALLOW[min(len(records), 2)].said(where=where, records=records)


_ALLOW = (
    Phrase("Remove the CAA records at {where}."),
    Phrase(
        "Add the CAA record {records} at {where} and remove what contradicts it, or remove the CAA records there altogether."
    ),
    Phrase(
        "Add one of the CAA records {records} at {where} and remove what contradicts it, or remove the CAA records there altogether."
    ),
)
"""The remedy, by how many records would help."""


def _wanted_records(facts: Facts, cas: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the records that would allow each CA (or each of ``cas``)."""
    return tuple(
        f'0 {"issuewild" if who.wildcard else "issue"} "{domain}"'
        for who in facts.applicants
        if not cas or who.ca in cas
        for domain in sorted(who.domains)
    )
