"""Check: the name is one that a certificate may be issued for: a valid, added domain that is nobody's public suffix."""

from datetime import datetime

from services import naming
from services.checks.case import Case
from services.checks.rules import Report, host_name
from services.model import names
from services.model.errors import InvalidNameError
from services.model.findings import Finding, Verdict
from services.model.settings import Platform
from services.model.text import say
from services.ports import Subject


def check(case: Case) -> tuple[Finding, ...]:
    """Return why the subject's name can have no certificate."""
    return decide(case.subject, case.world.platform, case.now)


def decide(subject: Subject, platform: Platform, now: datetime) -> tuple[Finding, ...]:
    """Return the reasons as blocks; what cannot be a name, and a default domain, are reasons enough alone."""
    report = Report(subject.name, now)
    return (
        _invalid(report, subject)
        or _default(report, subject, platform)
        or (*_public_suffix(report, subject), *_not_added(report, subject))
    )


def _invalid(report: Report, subject: Subject) -> tuple[Finding, ...]:
    try:
        naming.parse(subject.name)
    except InvalidNameError as error:
        alone = say("Give the domain name alone, such as {example}.", example="shop.example.com")
        return (report.finding("domain.invalid", Verdict.BLOCK, error.text, error.remedy or alone),)
    return ()


def _default(report: Report, subject: Subject, platform: Platform) -> tuple[Finding, ...]:
    suffixes = (host_name(suffix).removeprefix(".") for suffix in platform.default_domains)
    suffix = next((suffix for suffix in suffixes if names.is_under(subject.name, suffix)), None)
    if suffix is None and not subject.default:
        return ()
    summary = say(
        "{name} is a default domain of the platform; certificates are issued only for domains the merchant added.",
        name=subject.name,
    )
    remedy = say("Ask for a certificate for a domain that was added to the store.")
    return (report.finding("domain.default", Verdict.BLOCK, summary, remedy, suffix=suffix),)


def _public_suffix(report: Report, subject: Subject) -> tuple[Finding, ...]:
    if not naming.is_public_suffix(subject.name):
        return ()
    summary = say(
        "{name} is a public suffix, under which others register names; no CA issues for it.",
        name=subject.name,
    )
    remedy = say("Ask for a certificate for the domain that was registered below it.")
    return (report.finding("domain.public_suffix", Verdict.BLOCK, summary, remedy),)


def _not_added(report: Report, subject: Subject) -> tuple[Finding, ...]:
    if subject.store is not None and subject.added:
        return ()
    if subject.store is None:
        summary = say("{name} was not added to any store that you can see.", name=subject.name)
        remedy = say("Add {name} to the store first, then ask again.", name=subject.name)
    else:
        summary = say("{name} was not added to the store {store}.", name=subject.name, store=subject.store.id)
        remedy = say(
            "Add {name} to the store {store} first, then ask again.",
            name=subject.name,
            store=subject.store.id,
        )
    return (report.finding("domain.not_added", Verdict.BLOCK, summary, remedy),)
