"""Check: our own issuance policy, which a CSR would be rejected by: refused names, too many names, wildcards."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatchcase

from services import naming
from services.checks.case import Case
from services.checks.rules import Report, host_name
from services.model import names
from services.model.findings import Finding, Verdict
from services.model.settings import CaSettings, Issuing
from services.model.text import say
from services.ports import Subject

_PATTERN_SIGNS = frozenset("*?[")


def check(case: Case) -> tuple[Finding, ...]:
    """Return what the policy says of the subject's name and of its certificate."""
    world = case.world
    return decide(case.subject, world.issuing, wildcards=world.wildcards, now=case.now, cas=world.cas)


def decide(
    subject: Subject, issuing: Issuing, *, wildcards: bool, now: datetime, cas: Sequence[CaSettings] = ()
) -> tuple[Finding, ...]:
    """Return a block for each rule that is broken. ``wildcards``: whether dns-01 is set up.

    ``cas`` are the configured CAs: too many names for each of them is a block, for some of them a warning.
    """
    return (
        *_blocked_name(subject, issuing, now),
        *_too_many(subject, issuing, cas, now),
        *(_wildcard(subject, now) if names.is_wildcard(subject.name) and not wildcards else ()),
    )


def blocking_pattern(name: str, patterns: Sequence[str]) -> str | None:
    """Return the first pattern that refuses ``name``, or None.

    A pattern is matched, without regard to case, against the name and each of its parents, as A-labels and as
    U-labels; so a refused name's sub-domains are refused too. A wildcard that would cover a refused name is refused.
    """
    forms = {form for label in names.climb(name) for form in (label, naming.display(label))} | {name}
    return next((pattern for pattern in patterns if _matches(name, forms, pattern)), None)


def _matches(name: str, forms: set[str], pattern: str) -> bool:
    wanted = unicodedata.normalize("NFC", host_name(pattern))
    if any(fnmatchcase(form, wanted) for form in forms):
        return True
    literal = not _PATTERN_SIGNS & set(wanted)
    return literal and (names.covers(name, wanted) or names.covers(naming.display(name), wanted))


def _blocked_name(subject: Subject, issuing: Issuing, now: datetime) -> tuple[Finding, ...]:
    pattern = blocking_pattern(subject.name, issuing.blocked_names)
    if pattern is None:
        return ()
    summary = say(
        "{name} is refused by our issuance policy: it fits the pattern “{pattern}” of policy.blocked_names.",
        name=subject.name,
        pattern=pattern,
    )
    remedy = say("Use another name, or ask the platform's engineers to look at the list of refused names.")
    found = Report(subject.name, now).finding(
        "policy.blocked_name", Verdict.BLOCK, summary, remedy, pattern=pattern
    )
    return (found,)


def _too_many(
    subject: Subject, issuing: Issuing, cas: Sequence[CaSettings], now: datetime
) -> tuple[Finding, ...]:
    wanted = {subject.name, *(subject.certificate.wanted if subject.certificate else ())}
    limit = min(issuing.max_names, max((ca.max_names for ca in cas), default=issuing.max_names))
    if len(wanted) <= limit:
        return _crowded(subject, [ca for ca in cas if ca.max_names < len(wanted)], len(wanted), now)
    summary = say(
        "The certificate of {name} would have {count} names; {limit} are allowed in one.",
        name=subject.name,
        count=len(wanted),
        limit=limit,
    )
    remedy = say(
        "Remove names that are no longer used, or replace several sub-domains by a wildcard, until {limit} are left.",
        limit=limit,
    )
    found = Report(subject.name, now).finding(
        "policy.too_many_names", Verdict.BLOCK, summary, remedy, count=len(wanted), limit=limit
    )
    return (found,)


def _crowded(subject: Subject, cas: Sequence[CaSettings], count: int, now: datetime) -> tuple[Finding, ...]:
    """Warn that some CAs have no room for so many names: the others issue, and cannot be stood in for by these."""
    if not cas:
        return ()
    named = tuple(ca.name for ca in cas)
    summary = say(
        "The certificate of {name} has {count} names, more than {cas} may put into one; another CA issues it.",
        name=subject.name,
        count=count,
        cas=named,
    )
    remedy = say(
        "Nothing has to be done while another CA takes so many names; with {limit} names or fewer {cas} could issue too.",
        limit=min(ca.max_names for ca in cas),
        cas=named,
    )
    found = Report(subject.name, now).finding(
        "policy.too_many_names", Verdict.WARN, summary, remedy, count=count, crowded=named
    )
    return (found,)


def _wildcard(subject: Subject, now: datetime) -> tuple[Finding, ...]:
    summary = say(
        "{name} is a wildcard: CAs issue those only by the dns-01 challenge, which is not set up here.",
        name=subject.name,
    )
    remedy = say(
        "The platform's engineers set dns.update in app.yaml and add dns-01 to acme.challenges; or ask for single names."
    )
    return (Report(subject.name, now).finding("policy.wildcard_needs_dns", Verdict.BLOCK, summary, remedy),)
