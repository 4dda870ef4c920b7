"""Breakers: when a thing that many certificates share fails for several of them, one at a time goes on trying it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.model.certificates import Certificate
from services.model.clock import rfc3339
from services.model.findings import CODES, Finding, Verdict
from services.model.names import base
from services.model.pacing import Breaker
from services.model.text import Phrase, Text
from services.ports import Transaction

DIFFERENT = 3
"""Certificates that must fail at a thing before it is held to be broken: fewer can be their own fault."""
WITHIN = timedelta(hours=1)
"""How close together they must fail."""
PROBES = tuple(timedelta(minutes=m) for m in (1, 2, 5, 10, 15))
"""Waiting time before the next canary, after none, one … has failed; the last one repeats."""
CANARY = timedelta(minutes=2)
"""How long one canary has before the next may try: enough to order, prove, finalize and collect."""
SPREAD = timedelta(minutes=2)
"""Over how long those that wait come back: thousands must not come at one moment."""
AHEAD = timedelta(hours=1)
"""A breaker that opened so far in the future was written by a clock that was wrong: it holds nobody up."""
STUBBORN = 4
"""Failed canaries at a target after which an order is placed to try it, in case those that failed are to blame."""
ABANDONED = timedelta(minutes=15)
"""How long after a canary was due nobody came to be it: then none is left that could be, and another kind may try."""
LEAST = timedelta(seconds=10)
"""How long at least one waits that finds the thing broken."""
WIDE = frozenset({"ca.unavailable", "ca.account"})
"""Codes of a CA's failures that are about no certificate in particular."""


@dataclass(frozen=True, slots=True)
class Met:
    """What a step met at a shared thing: it failed, with a code and the thing's own words, or it worked."""

    thing: str
    """As in `Breaker.thing`."""
    code: str = ""
    """Finding code of the failure; empty: it worked."""
    detail: str = ""
    canary: bool = False
    """Whether the step was the one that was let through an open breaker."""


def ca_thing(name: str) -> str:
    """Return what a breaker calls the CA."""
    return f"ca {name}"


def target_thing(name: str) -> str:
    """Return what a breaker calls the deploy target."""
    return f"target {name}"


def discreet(detail: str, certificate: Certificate) -> str:
    """Return the failure's words without the names of the certificate that met it: all that wait for the thing read them.

    A target says which path it could not write, which ends in a merchant's name; a CA may say which name it is about.
    """
    names = {base(name) for name in (*certificate.wanted, *certificate.attempt.names)} | {certificate.domain}
    either = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.sub(rf"(?:[\w*-]+\.)*(?:{either})\b", "…", detail, flags=re.IGNORECASE)


def noted(breaker: Breaker | None, met: Met, certificate: str, now: datetime) -> Breaker:
    """Return the breaker with one more failure; it opens when enough different certificates have failed.

    While it is open, only a canary's failure puts the next try off: stragglers that were under way when it opened say
    nothing new.
    """
    stale = breaker is not None and (
        mistimed(breaker, now) or (not breaker.open and now - breaker.since > WITHIN)
    )
    if breaker is None or stale:
        breaker = Breaker(met.thing, (), now, met.code, met.detail)
    if breaker.open:
        probes = breaker.probes + met.canary
        probe_at = now + probe_delay(probes) if met.canary else breaker.probe_at
        return replace(breaker, code=met.code, detail=met.detail, probes=probes, probe_at=probe_at)
    failed = breaker.failed if certificate in breaker.failed else (*breaker.failed, certificate)
    counted = replace(breaker, failed=failed, code=met.code, detail=met.detail)
    if len(failed) < DIFFERENT:
        return counted
    return replace(counted, opened_at=now, probe_at=now + probe_delay(0))


def mistimed(breaker: Breaker, now: datetime) -> bool:
    """Tell whether the clock that the breaker was written by was far ahead of the present one."""
    return breaker.since > now + AHEAD or (breaker.probe_at is not None and breaker.probe_at > now + AHEAD)


def barring(breaker: Breaker | None, now: datetime) -> bool:
    """Tell whether the breaker is open, by a clock that can be right."""
    return breaker is not None and breaker.open and not mistimed(breaker, now)


def probe_delay(probes: int) -> timedelta:
    """Return how long to wait for the next canary after ``probes`` of them have failed."""
    return PROBES[min(probes, len(PROBES) - 1)]


def shut(breaker: Breaker | None, now: datetime) -> bool:
    """Tell whether nobody may try the thing now: it is broken, and its next canary is not due or on its way."""
    return breaker is not None and breaker.open and breaker.probe_at is not None and breaker.probe_at > now


def returns_at(breaker: Breaker, now: datetime, chance: float) -> datetime:
    """Return when one that waits for the thing looks again; ``chance`` (0 to 1) spreads the many."""
    return max(breaker.probe_at or now, now + LEAST) + SPREAD * chance


def stubborn(breaker: Breaker, now: datetime) -> bool:
    """Tell whether another kind may try: so many canaries have failed that they may be to blame themselves, or none comes.

    None comes where a target was out of app.yaml for a while: what waited for it went on without it.
    """
    abandoned = breaker.probe_at is not None and now >= breaker.probe_at + ABANDONED
    return abandoned or breaker.probes >= STUBBORN


def turn(breaker: Breaker, certificate: str, now: datetime) -> bool:
    """Tell whether it is the certificate's turn to be the canary: those that opened the breaker let others go before."""
    patience = SPREAD if certificate in breaker.failed else timedelta(0)
    return breaker.probe_at is not None and now >= breaker.probe_at + patience


def let_through(tx: Transaction, thing: str, now: datetime) -> bool:
    """Take the place of the canary at an open breaker; False if another has it, or it is not due."""
    return tx.breakers.take_canary(thing, now, now + CANARY)


def write(tx: Transaction, certificate: str, met: Sequence[Met], now: datetime) -> None:
    """Save what a step met. Two that fail at the same moment may count as one: the next failure makes up for it."""
    for one in met:
        breaker = tx.breakers.get(one.thing)
        if one.code:
            after = noted(breaker, one, certificate, now)
            if after != breaker:
                tx.breakers.put(after)
        elif breaker is not None:
            tx.breakers.drop(one.thing)


_SAYS = {
    "ca": Phrase(
        "{thing} has been failing for several certificates since {since}: {detail}. certdesk tries it with one order at a time."
    ),
    "target": (
        Phrase(
            "The deploy target {thing} has been failing for several certificates since {since}: {detail}. certdesk tries it with one"
            " certificate at a time."
        )
    ),
}
_REMEDY = {
    "ca.account": (
        Phrase(
            "On-call: check the ACME account and its external account binding in app.yaml; the certificates that wait go on"
            " by themselves."
        )
    ),
    "deploy.failed": Phrase("On-call: mend the target; the certificates that wait go on by themselves."),
}
_WAIT = Phrase(
    "Nothing to do: as soon as one order succeeds, the certificates that wait go on by themselves."
)


def waiting(breaker: Breaker, name: str, now: datetime) -> Finding:
    """Return why the certificate of ``name`` waits at an open breaker."""
    kind, _, thing = breaker.thing.partition(" ")
    summary: Text = _SAYS[kind].said(thing=thing, since=breaker.since, detail=breaker.detail.rstrip("."))
    remedy = _REMEDY.get(breaker.code, _WAIT).said()
    evidence = {kind: thing, "waits": True, "since": rfc3339(breaker.since), "detail": breaker.detail}
    return Finding(
        breaker.code, Verdict.BLOCK, name, CODES[breaker.code].owner, summary, remedy, now, evidence
    )
