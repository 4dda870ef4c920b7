"""/ssl check NAME: run every check on one name now. A dry run: it spends nothing at the CA and changes no certificate."""

from commands import copying, naming, views
from commands.caller import Action
from commands.command import Call, Command, arguments, one_word
from commands.reply import Buttons, Hint, Outcome, Part, Reply, Tone
from commands.spans import span
from services import fleet, overview
from services.alerting import merchants
from services.model.findings import Finding, Verdict
from services.model.status import NameStatus
from services.model.text import Text, say, say_n


def run(call: Call) -> Outcome:
    """Check NAME and say what was found; exit code 1 if something blocks.

    What is news to the watch of an installed certificate has it look at once.
    """
    args = arguments(call)
    name = naming.read(one_word(args), call)
    if isinstance(name, NameStatus):
        return naming.refuse(call, name)
    status = overview.check(call.desk, name, store=args.store, visible=call.caller.sees)
    if status.store is None:
        return naming.refuse(call, status, args.store)
    tone, title = _verdict(status)
    looks = fleet.look_again(call.desk, status)
    parts = (
        *views.problems(status.findings),
        *_news(call, status, looks),
        *_next(status),
        *_copy(call, status),
    )
    reply = Reply(tone, title, parts, private=call.caller.limited)
    return Outcome(reply, exit_code=1 if status.blocked else 0, data=status.as_json())


def _verdict(status: NameStatus) -> tuple[Tone, Text]:
    """Return how the check ended, at a glance."""
    name = views.shown(status.name)
    blocks = _count(status.findings, Verdict.BLOCK)
    warnings, unknown = (_count(status.findings, verdict) for verdict in (Verdict.WARN, Verdict.UNKNOWN))
    if blocks:
        return Tone.WARN, say_n(
            "{name} is blocked: one thing is in the way",
            "{name} is blocked: {count} things are in the way",
            name=name,
            count=blocks,
        )
    if warnings:
        return Tone.INFO, say("Nothing blocks {name}; points to look at: {count}", name=name, count=warnings)
    if unknown:
        return Tone.GOOD, say(
            "Nothing blocks {name}; what could not be seen: {count}", name=name, count=unknown
        )
    return Tone.GOOD, say("All checks passed for {name}", name=name)


def _count(findings: tuple[Finding, ...], verdict: Verdict) -> int:
    return sum(finding.verdict is verdict for finding in findings)


def _news(call: Call, status: NameStatus, looks: bool) -> tuple[Part, ...]:
    """Return what comes of a blocker that was not known yet; nothing is said of what is well again."""
    if not looks or not status.blocked:
        return ()
    return (
        Hint(
            say(
                "That is new: certdesk looks at the whole certificate now, and what it still sees {span} later becomes an"
                " alert.",
                span=span(call.desk.alerting.confirm),
            )
        ),
    )


def _next(status: NameStatus) -> tuple[Part, ...]:
    """Return what to do next where nothing is in the way and nothing has been asked for."""
    if status.blocked or status.certificate is not None:
        return ()
    return (Hint(say("To get the certificate, type: {command}", command=views.typed("add", status.name))),)


def _copy(call: Call, status: NameStatus) -> tuple[Part, ...]:
    """Return the button that sends the merchant what is theirs to do; nothing if nothing is, or for who may not send it."""
    may = status.store is not None and call.caller.may_to(Action.TELL, status.store)
    buttons = copying.name_button(status.name) if may and merchants.todo(status.findings) else ()
    return (Buttons(buttons),) if buttons else ()


COMMAND = Command(
    name="check",
    action=Action.LOOK,
    summary=say("Check what stands in the way of a name's certificate; changes no certificate"),
    usage="/ssl check NAME [--store STORE]",
    example="/ssl check shop.example.com",
    run=run,
)
