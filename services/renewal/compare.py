"""How a failed attempt differs from the one before it: what is right now, what is still wrong, what is new. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.model.findings import ANSWERS, CODES, Finding, Verdict, leaves_open
from services.model.text import NOTHING, Text, say

Standing = tuple[str, str]
"""What stood against an attempt: a finding's code and the name it speaks of."""


@dataclass(frozen=True, slots=True)
class Clauses:
    """What is said of one code when it has gone, when it has stayed, and when it has come."""

    right: Text
    still: Text
    new: Text


def _of(right: str, wrong: str) -> Clauses:
    """Return the clauses from what is said when it is right and while it is wrong; ``{still}`` is a gap in the latter."""
    return Clauses(say(right), say(wrong), say("new: {what}", what=say(wrong.replace(" still ", " "))))


CLAUSES: Mapping[str, Clauses] = {
    "store.inactive": _of("the store is active again", "the store is still inactive"),
    "store.deleted": _of("the store is back", "the store is still deleted"),
    "domain.expired": _of("the registration is valid again", "the registration is still expired"),
    "domain.on_hold": _of("the registration is free again", "the registration is still on hold"),
    "dns.not_hosted": _of("the name servers are right now", "DNS is still hosted elsewhere"),
    "dns.propagating": _of("the new name servers are known everywhere", "the new name servers still spread"),
    "dns.nxdomain": _of("the name exists now", "the name still does not exist in DNS"),
    "dns.servfail": _of("the name servers answer again", "the name servers still answer with an error"),
    "dns.dnssec_bogus": _of("DNSSEC is right now", "DNSSEC still fails"),
    "dns.lame": _of("every name server answers now", "a name server still does not answer"),
    "dns.inconsistent": _of("the name servers agree now", "the name servers still disagree"),
    "dns.no_address": _of("there is an address now", "there is still no address"),
    "dns.wrong_address": _of("the address is right now", "the address still leads elsewhere"),
    "dns.wrong_ipv6": _of("AAAA is right now", "AAAA still leads elsewhere"),
    "dns.private_address": _of("the address is public now", "the address is still not public"),
    "dns.caa_forbids": _of("CAA is right now", "CAA still forbids the CA"),
    "dns.stale_challenge": _of("old challenge records are gone", "old challenge records are still there"),
    "access.unreachable": _of("the edge answers now", "the edge still does not answer"),
    "access.refused": _of("the edge takes connections now", "the edge still refuses connections"),
    "access.wrong_server": _of("the right server answers now", "the wrong server still answers"),
    "access.redirected_away": _of("the redirect is gone", "the challenge path is still redirected elsewhere"),
    "access.redirect_loop": _of("the redirect loop is gone", "the challenge path still redirects in a loop"),
    "access.forbidden": _of("the challenge path is open now", "the challenge path is still forbidden"),
    "ca.caa": _of("the CA takes the CAA records now", "the CA is still forbidden by CAA"),
    "ca.unauthorized": _of("the CA's validation passes now", "the CA's validation still fails"),
    "ca.rejected_identifier": _of("the CA takes the name now", "the CA still refuses the name"),
    "ca.rate_limited": _of("the CA's rate limit is free again", "the CA's rate limit is still reached"),
    "ca.paused": _of("the CA is no longer paused for the name", "the CA has still paused the name"),
    "ca.unavailable": _of("the CA answers again", "the CA still does not answer as it should"),
    "ca.account": _of("the ACME account is usable again", "the ACME account is still not usable"),
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


def change_seen(before: Sequence[Finding], found: Mapping[str, Sequence[Finding]]) -> str:
    """Return for the history how what the checks ``found`` differs from what they saw ``before``."""
    checks = standing_of(f for f in before if not f.code.startswith("ca."))
    now = tuple(f for some in found.values() for f in some)
    said = (difference(checks, now), answers_changed(before, now))
    return " ".join(text.plain() for text in said if text != NOTHING) or "the checks see a change"


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
    meaning = say(CODES[code].meaning)
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
