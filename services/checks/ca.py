"""Check: what can be said of the CAs without asking them: rate limits that are spent, as far as we have counted."""

from collections.abc import Sequence
from datetime import datetime

from services.checks.case import Case
from services.checks.rules import Report
from services.model.certificates import Certificate
from services.model.clock import rfc3339
from services.model.findings import Finding, Verdict
from services.model.text import say


def check(case: Case) -> tuple[Finding, ...]:
    """Return what is wrong with the CAs' budgets for the subject's name; nothing where nobody counts."""
    world, name = case.world, case.subject.name
    if world.spent is None:
        return ()
    until = {ca.name: moment for ca in world.cas if (moment := world.spent(ca, name)) is not None}
    left = tuple(ca.name for ca in world.cas if ca.name not in until)
    return decide(name, until, left, case.now, exempt=in_window(case.subject.certificate, case.now))


def in_window(certificate: Certificate | None, now: datetime) -> bool:
    """Tell whether the CA itself suggests to renew now: such a renewal is free of limits (RFC 9773 §5)."""
    window = certificate.window if certificate is not None and certificate.installed else None
    return window is not None and window.start <= now < window.end


def decide(
    name: str, until: dict[str, datetime], left: Sequence[str], now: datetime, *, exempt: bool
) -> tuple[Finding, ...]:
    """Return a warning that names the CAs that are spent, or a block if every one is.

    ``until``: CA -> when it has something left again; ``left``: the other CAs; ``exempt``: the renewal is free of limits.
    """
    if not until or exempt:
        return ()
    free = min(until.values())
    verdict = Verdict.WARN if left else Verdict.BLOCK
    summary = say(
        "By our own count the rate limits of {cas} leave nothing for {name} now; {others} can issue."
        if left
        else "By our own count the rate limits of {cas} leave nothing for {name} before {until}.",
        cas=tuple(until),
        name=name,
        others=tuple(left),
        until=free,
    )
    remedy = (
        say("Nothing to do: certdesk orders from {others}.", others=tuple(left))
        if left
        else say("Nothing to do: certdesk goes on by itself at {until}.", until=free)
    )
    found = Report(name, now).finding(
        "ca.rate_limited",
        verdict,
        summary,
        remedy,
        ca=next(iter(until)),
        until={ca: rfc3339(moment) for ca, moment in until.items()},
    )
    return (found,)
