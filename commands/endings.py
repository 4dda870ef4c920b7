"""How it ended for one followed certificate: what is installed, or why not, whose move it is, what comes next. Pure."""

from commands import views
from commands.following import Followed
from commands.reply import Hint, Paragraph, Part
from services.model.certificates import Certificate
from services.model.findings import Finding
from services.model.lifecycle import State
from services.model.text import NOTHING, say, say_n


def ending(one: Followed) -> tuple[Part, ...]:
    """Return what there is to say below the plan: what is installed, or why not, whose move it is, what comes next."""
    compose = _ENDINGS.get(one.certificate.state)
    return compose(one) if compose else _hitch(one.certificate)


def _hitch(certificate: Certificate) -> tuple[Part, ...]:
    """Return why the present step is being repeated; nothing if it goes well."""
    if not certificate.attempt.faults or certificate.problem is None:
        return ()
    return (
        *views.problems([certificate.problem]),
        Hint(say("certdesk repeats this step by itself until it succeeds.")),
    )


def _installed(one: Followed) -> tuple[Part, ...]:
    certificate = one.certificate
    fields = views.installed_fields(certificate, sorted(one.covered) or certificate.wanted)
    if not one.missing:
        return (fields, *(views.problems(reasons(one)[:1]) if one.unproved else ()))
    text = say(
        "It does not have these names yet: {names}. It was issued without them, so that what is wrong with them harms"
        " no other name. certdesk goes on looking, and adds them by itself once the cause is fixed.",
        names=one.missing,
    )
    return (fields, Paragraph(text), *views.problems(f for f in _all_reasons(one) if f.name in one.missing))


def _blocked(one: Followed) -> tuple[Part, ...]:
    return (
        *views.problems(reasons(one)),
        *compared(one.certificate),
        *_next_check(one),
        *_again(one),
        *still_live(one.certificate),
    )


def _failed(one: Followed) -> tuple[Part, ...]:
    certificate = one.certificate
    at = certificate.retry_at or certificate.run_after
    text = (
        say(
            "Failed attempts in a row: {count}. certdesk tries again by itself at {at}.",
            count=certificate.failures,
            at=at,
        )
        if at is not None
        else say("Failed attempts in a row: {count}.", count=certificate.failures)
    )
    return (
        *views.problems(reasons(one)),
        *compared(certificate),
        Paragraph(text),
        *_again(one),
        *still_live(certificate),
    )


def _needs_support(one: Followed) -> tuple[Part, ...]:
    text = say_n(
        "After {count} failed attempt certdesk has stopped trying, and a support agent takes over."
        " Once the cause is fixed, start it anew with: {command}",
        "After {count} failed attempts in a row certdesk has stopped trying, and a support agent takes over."
        " Once the cause is fixed, start it anew with: {command}",
        count=one.certificate.failures,
        command=views.typed("renew", one.names[0]),
    )
    return (
        *views.problems(reasons(one)),
        *compared(one.certificate),
        Paragraph(text),
        *still_live(one.certificate),
    )


_ENDINGS = {
    State.INSTALLED: _installed,
    State.BLOCKED: _blocked,
    State.FAILED: _failed,
    State.NEEDS_SUPPORT: _needs_support,
}


WHOLE = frozenset({"store.inactive", "store.deleted", "policy.too_many_names"})
"""Codes that say the same of each name of a certificate: one of them is enough."""


def reasons(one: Followed) -> tuple[Finding, ...]:
    """Return what stands in the way, and what is the same for every name only once."""
    every = _all_reasons(one)
    first = {f.code: f for f in reversed(every) if f.code in WHOLE}
    return tuple(f for f in every if f.code not in WHOLE or f is first[f.code])


def _all_reasons(one: Followed) -> tuple[Finding, ...]:
    """Return the problem of the attempt, then every other finding that blocks."""
    found = [one.certificate.problem] if one.certificate.problem is not None else []
    known = {(f.code, f.name) for f in found}
    return (*found, *(f for f in one.findings if f.blocks and (f.code, f.name) not in known))


def compared(certificate: Certificate) -> tuple[Part, ...]:
    """Return how the last failure differs from the one before it; nothing if there is nothing to compare."""
    return () if certificate.compared == NOTHING else (Paragraph(certificate.compared),)


def _next_check(one: Followed) -> tuple[Part, ...]:
    at = one.certificate.run_after
    if at is None:
        return ()
    text = "certdesk checks again at {at} and goes on by itself as soon as the cause is fixed."
    return (Paragraph(say(text, at=at)),)


def _again(one: Followed) -> tuple[Part, ...]:
    command = views.typed("renew", one.names[0])
    return (Hint(say("To try at once, type: {command}", command=command)),)


def still_live(certificate: Certificate) -> tuple[Part, ...]:
    """Return the line that says what stays in use whatever happens to the work; nothing if nothing is installed."""
    if certificate.not_after is None:
        return ()
    text = "The certificate that is installed now stays in use; it is valid until {not_after}."
    return (Hint(say(text, not_after=certificate.not_after)),)
