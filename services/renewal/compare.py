"""How a failed attempt differs from the one before it: what is right now, what is still wrong, what is new. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.model.findings import ANSWERS, CODES, Finding, Verdict, leaves_open
from services.model.text import NOTHING, Phrase, Text, say

Standing = tuple[str, str]
"""What stood against an attempt: a finding's code and the name it speaks of."""


@dataclass(frozen=True, slots=True)
class Clauses:
    """What is said of one code when it has gone, when it has stayed, and when it has come."""

    right: Text
    still: Text
    new: Text


def _of(right: Phrase, still: Phrase, wrong: Phrase) -> Clauses:
    """Return the clauses from what is said when it is right, while it stays wrong, and when it has become wrong."""
    return Clauses(right.said(), still.said(), say("new: {what}", what=wrong.said()))


CLAUSES: Mapping[str, Clauses] = {
    "store.inactive": _of(
        Phrase("the store is active again"),
        Phrase("the store is still inactive"),
        Phrase("the store is inactive"),
    ),
    "store.deleted": _of(
        Phrase("the store is back"), Phrase("the store is still deleted"), Phrase("the store is deleted")
    ),
    "domain.expired": _of(
        Phrase("the registration is valid again"),
        Phrase("the registration is still expired"),
        Phrase("the registration is expired"),
    ),
    "domain.on_hold": _of(
        Phrase("the registration is free again"),
        Phrase("the registration is still on hold"),
        Phrase("the registration is on hold"),
    ),
    "dns.not_hosted": _of(
        Phrase("the name servers are right now"),
        Phrase("DNS is still hosted elsewhere"),
        Phrase("DNS is hosted elsewhere"),
    ),
    "dns.propagating": _of(
        Phrase("the new name servers are known everywhere"),
        Phrase("the new name servers still spread"),
        Phrase("the new name servers spread"),
    ),
    "dns.nxdomain": _of(
        Phrase("the name exists now"),
        Phrase("the name still does not exist in DNS"),
        Phrase("the name does not exist in DNS"),
    ),
    "dns.servfail": _of(
        Phrase("the name servers answer again"),
        Phrase("the name servers still answer with an error"),
        Phrase("the name servers answer with an error"),
    ),
    "dns.dnssec_bogus": _of(
        Phrase("DNSSEC is right now"), Phrase("DNSSEC still fails"), Phrase("DNSSEC fails")
    ),
    "dns.lame": _of(
        Phrase("every name server answers now"),
        Phrase("a name server still does not answer"),
        Phrase("a name server does not answer"),
    ),
    "dns.inconsistent": _of(
        Phrase("the name servers agree now"),
        Phrase("the name servers still disagree"),
        Phrase("the name servers disagree"),
    ),
    "dns.no_address": _of(
        Phrase("there is an address now"), Phrase("there is still no address"), Phrase("there is no address")
    ),
    "dns.wrong_address": _of(
        Phrase("the address is right now"),
        Phrase("the address still leads elsewhere"),
        Phrase("the address leads elsewhere"),
    ),
    "dns.wrong_ipv6": _of(
        Phrase("AAAA is right now"), Phrase("AAAA still leads elsewhere"), Phrase("AAAA leads elsewhere")
    ),
    "dns.private_address": _of(
        Phrase("the address is public now"),
        Phrase("the address is still not public"),
        Phrase("the address is not public"),
    ),
    "dns.caa_forbids": _of(
        Phrase("CAA is right now"), Phrase("CAA still forbids the CA"), Phrase("CAA forbids the CA")
    ),
    "dns.stale_challenge": _of(
        Phrase("old challenge records are gone"),
        Phrase("old challenge records are still there"),
        Phrase("old challenge records are there"),
    ),
    "access.unreachable": _of(
        Phrase("the edge answers now"),
        Phrase("the edge still does not answer"),
        Phrase("the edge does not answer"),
    ),
    "access.refused": _of(
        Phrase("the edge takes connections now"),
        Phrase("the edge still refuses connections"),
        Phrase("the edge refuses connections"),
    ),
    "access.wrong_server": _of(
        Phrase("the right server answers now"),
        Phrase("the wrong server still answers"),
        Phrase("the wrong server answers"),
    ),
    "access.redirected_away": _of(
        Phrase("the redirect is gone"),
        Phrase("the challenge path is still redirected elsewhere"),
        Phrase("the challenge path is redirected elsewhere"),
    ),
    "access.redirect_loop": _of(
        Phrase("the redirect loop is gone"),
        Phrase("the challenge path still redirects in a loop"),
        Phrase("the challenge path redirects in a loop"),
    ),
    "access.forbidden": _of(
        Phrase("the challenge path is open now"),
        Phrase("the challenge path is still forbidden"),
        Phrase("the challenge path is forbidden"),
    ),
    "ca.caa": _of(
        Phrase("the CA takes the CAA records now"),
        Phrase("the CA is still forbidden by CAA"),
        Phrase("the CA is forbidden by CAA"),
    ),
    "ca.unauthorized": _of(
        Phrase("the CA's validation passes now"),
        Phrase("the CA's validation still fails"),
        Phrase("the CA's validation fails"),
    ),
    "ca.rejected_identifier": _of(
        Phrase("the CA takes the name now"),
        Phrase("the CA still refuses the name"),
        Phrase("the CA refuses the name"),
    ),
    "ca.rate_limited": _of(
        Phrase("the CA's rate limit is free again"),
        Phrase("the CA's rate limit is still reached"),
        Phrase("the CA's rate limit is reached"),
    ),
    "ca.paused": _of(
        Phrase("the CA is no longer paused for the name"),
        Phrase("the CA has still paused the name"),
        Phrase("the CA has paused the name"),
    ),
    "ca.unavailable": _of(
        Phrase("the CA answers again"),
        Phrase("the CA still does not answer as it should"),
        Phrase("the CA does not answer as it should"),
    ),
    "ca.account": _of(
        Phrase("the ACME account is usable again"),
        Phrase("the ACME account is still not usable"),
        Phrase("the ACME account is not usable"),
    ),
}
"""Short clauses for the codes that attempts fail for; others are told by what their code means."""


def difference(before: Iterable[Standing], now: Sequence[Finding]) -> Text:
    """Return in one sentence how ``now`` differs from what stood against the attempt before; NOTHING without one.

    Blocks and warnings count. Silence is no evidence: what was wrong of a name that has something unknown now is only
    spoken of if it is seen to be wrong still. The name is said where several are spoken of.
    """
    was = tuple(dict.fromkeys(before))
    if not was:
        return NOTHING
    standing = standing_of(now)
    gone = [one for one in was if one not in standing and not any(leaves_open(each, *one) for each in now)]
    stayed = [one for one in was if one in standing]
    come = [one for one in standing if one not in was]
    several = len({name for _, name in (*was, *standing)}) > 1
    phrases = (
        *(_said(one, _clauses(one[0]).right, several=several) for one in gone),
        *(_said(one, _clauses(one[0]).still, several=several) for one in stayed),
        *(_said(one, _clauses(one[0]).new, several=several) for one in come),
    )
    return say("Since the last try: {changes}.", changes=_listed(phrases)) if phrases else NOTHING


def change_seen(before: Sequence[Finding], found: Mapping[str, Sequence[Finding]]) -> Text:
    """Return for the history how what the checks ``found`` differs from what they saw ``before``."""
    checks = standing_of(f for f in before if not f.code.startswith("ca."))
    now = tuple(f for some in found.values() for f in some)
    changed, answers = difference(checks, now), answers_changed(before, now)
    if changed and answers:
        return say("{changed} {answers}", changed=changed, answers=answers)
    return changed or answers or say("the checks see a change")


def answers_changed(before: Iterable[Finding], now: Iterable[Finding]) -> Text:
    """Return in one sentence what DNS answers otherwise than before for the first name of which it does; else NOTHING."""
    was = {f.name: {*f.evidence["answers"]} for f in before if f.code == ANSWERS}
    for f in now:
        if f.code == ANSWERS and f.name in was and (answers := {*f.evidence["answers"]}) != was[f.name]:
            return say(
                "DNS answers differently for {name}: no longer {gone}; new: {come}.",
                name=f.name,
                gone=tuple(sorted(was[f.name] - answers)),
                come=tuple(sorted(answers - was[f.name])),
            )
    return NOTHING


def standing_of(findings: Iterable[Finding | None]) -> tuple[Standing, ...]:
    """Return what of ``findings`` stands against an attempt, each once, in order."""
    return tuple(
        dict.fromkeys(
            (f.code, f.name) for f in findings if f is not None and f.verdict in (Verdict.BLOCK, Verdict.WARN)
        )
    )


def _clauses(code: str) -> Clauses:
    known = CLAUSES.get(code)
    if known is not None:
        return known
    meaning = CODES[code].meaning.said()
    return Clauses(
        say("no longer: {what}", what=meaning),
        say("still: {what}", what=meaning),
        say("new: {what}", what=meaning),
    )


def _said(standing: Standing, clause: Text, *, several: bool) -> Text:
    return say("{what} ({name})", what=clause, name=standing[1]) if several else clause


def _listed(phrases: Sequence[Text]) -> Text:
    first, *rest = phrases
    return say("{first}; {rest}", first=first, rest=_listed(rest)) if rest else first
