"""Check: what DNS answers for a name whose certificate needs support, so that a change of it is seen as evidence of a fix.

Support is needed where a CA refuses what the checks find right: then no finding of theirs can go away.
"""

from datetime import datetime

from services.checks import caa_climb, views
from services.checks.case import Case
from services.checks.delegation import gather as gather_delegation
from services.checks.rules import Report, listed
from services.checks.zones import Delegation
from services.model.findings import ANSWERS, Finding, Verdict
from services.model.lifecycle import State
from services.model.text import say


def check(case: Case) -> tuple[Finding, ...]:
    """Return what DNS answers, with the verdict ok; nothing for certificates that support is not asked about."""
    certificate = case.subject.certificate
    if certificate is None or certificate.state is not State.NEEDS_SUPPORT:
        return ()
    known = gather_delegation(case).delegation
    return decide(known, views.gather(case), caa_climb.gather(case), case.now)


def decide(
    known: Delegation, addresses: views.Facts, caa: caa_climb.Facts, now: datetime
) -> tuple[Finding, ...]:
    """Return the finding; nothing where not everything was answered, for half of it would look like a change."""
    lookups = addresses.lookups()
    levels = [view.relevant for view in caa.views]
    silent = any(not one.answered for one in lookups) or any(level and level.said for level in levels)
    if known.closest is None or not lookups or silent:
        return ()
    records = {str(record) for level in levels if level for record in level.records}
    answers = (
        *(f"NS {host}" for host in known.closest.hosts),
        *(f"A {address}" for address in addresses.found(views.v4)),
        *(f"AAAA {address}" for address in addresses.found(views.v6)),
        *(f"CAA {record}" for record in sorted(records)),
    )
    found = Report(addresses.name, now).finding(
        ANSWERS,
        Verdict.OK,
        say("DNS answers for {name}: {answers}.", name=addresses.shown, answers=listed(answers)),
        say("Nothing has to be done: as soon as DNS answers differently, certdesk tries again by itself."),
        answers=answers,
    )
    return (found,)
