"""The hand-over of a certificate to support: all that is known of it in one message, and its time line in the thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from commands import copying, views
from commands.alert_buttons import CHECK_ONE, RETRY_ONE
from commands.caller import Caller, Role
from commands.endings import compared, ending, reasons
from commands.following import Followed, followed_now
from commands.history import timeline
from commands.progress import plan
from commands.reply import (
    Button,
    Buttons,
    Composed,
    Fields,
    Hint,
    Paragraph,
    Part,
    Reply,
    Tone,
)
from commands.spans import margin
from services import chronicle
from services.desk import Desk
from services.model.certificates import Certificate, Happening
from services.model.lifecycle import Event, State
from services.model.text import Text, Value, from_json, say, say_n
from services.ports import Message

STAFF = Caller("certdesk", Role.SUPPORT, None)
"""Whom these messages are for: they stand in a channel of the platform's own people."""
MOST_LINES = 60
"""How many of the newest happenings the time line has; the command shows what was before."""
ATTEMPTS = 3
"""How many of the last failed attempts the message tells of."""
GONE = Reply(Tone.INFO, say("certdesk no longer knows this certificate"))


@dataclass(frozen=True, slots=True)
class _Case:
    """A certificate that was handed over, and what the database says of it now."""

    one: Followed
    attempts: Sequence[Happening]
    """The last failed attempts, oldest first."""
    reason: Text | None
    now: datetime

    @property
    def certificate(self) -> Certificate:
        return self.one.certificate

    @property
    def name(self) -> str:
        """What the certificate is called in a sentence."""
        return views.shortened(self.certificate.wanted, 1)


def handover_message(desk: Desk, message: Message) -> Composed:
    """Compose kind ``handover``, body {"certificate": id, "reason": a sentence (may be left out)}.

    It shows the certificate as things stand, turns green once it is installed, and is final then.
    """
    given = message.body.get("reason")
    with desk.storage.read() as tx:
        certificate = tx.certificates.get(str(message.body["certificate"]))
        if certificate is None:
            return Composed(GONE, final=True)
        if certificate.state is State.RETIRED:
            gone = say(
                "Nothing to do: no name of the certificate for {domain} is wanted any more",
                domain=certificate.name,
            )
            return Composed(Reply(Tone.INFO, gone), final=True)
        one = followed_now(tx, certificate, certificate.wanted)
        history = tx.certificates.history(certificate.id)
    failed = [row for row in history if row.what == Event.ATTEMPT_FAILED.value]
    reason = (
        None if not given else say("{reason}", reason=given) if isinstance(given, str) else from_json(given)
    )
    case = _Case(one, failed[-ATTEMPTS:], reason, desk.clock())
    return Composed(_reply(case), final=one.done)


def timeline_message(desk: Desk, message: Message) -> Composed:
    """Compose kind ``timeline``, body {"certificate": id}: what has happened to it until now."""
    with desk.storage.read() as tx:
        certificate = tx.certificates.get(str(message.body["certificate"]))
        if certificate is None:
            return Composed(GONE, final=True)
        rows = chronicle.timeline(tx, certificate.id)
    name = certificate.name
    headline = say("What has happened to {name}", name=views.shown(name))
    look = Hint(say("To see it as it is later, type: {command}", command=views.typed("history", name)))
    return Composed(Reply(Tone.INFO, headline, (*timeline(rows, STAFF, MOST_LINES), look)), final=True)


def _reply(case: _Case) -> Reply:
    if case.certificate.state is State.INSTALLED:
        return _solved(case)
    if not case.certificate.resting:
        parts = (plan(case.certificate, ""), *ending(case.one), *_known(case))
        return Reply(Tone.PROGRESS, say("Trying again for {name}", name=case.name), parts)
    headline = say("Needs a support agent: the certificate for {name}", name=case.name)
    parts = (
        Paragraph(_what_happened(case)),
        *views.problems(reasons(case.one)),
        *compared(case.certificate),
        *_known(case),
        *_attempts(case),
        Hint(say("Everything that has happened so far stands in the thread.")),
        *_buttons(case.certificate),
    )
    return Reply(Tone.BAD, headline, parts)


def _solved(case: _Case) -> Reply:
    """Return the message once a certificate is installed: green if nothing is left to do."""
    if case.one.done:
        headline = say("Solved: the certificate for {name} is installed; nothing to do", name=case.name)
        return Reply(Tone.GOOD, headline, ending(case.one))
    headline = say("Solved in part: the certificate for {name} is installed", name=case.name)
    return Reply(Tone.WARN, headline, (*ending(case.one), *_buttons(case.certificate)))


def _what_happened(case: _Case) -> Text:
    if case.reason is not None:
        return case.reason
    if case.certificate.state is State.NEEDS_SUPPORT:
        return say_n(
            "{count} attempt has failed for a reason that certdesk cannot mend, so it has stopped trying. Once it"
            " sees that the cause is mended it goes on by itself; if you know that it is, let it try again.",
            "{count} attempts in a row have failed for a reason that certdesk cannot mend, so it has stopped trying. Once it"
            " sees that the cause is mended it goes on by itself; if you know that it is, let it try again.",
            count=case.certificate.strikes or case.certificate.failures,
        )
    return say("certdesk has tried again, and it has not worked out yet. It goes on by itself.")


def _known(case: _Case) -> tuple[Part, ...]:
    certificate = case.certificate
    pairs: tuple[tuple[Text, Value], ...] = (
        (say("Store"), certificate.store),
        (say("Names"), views.shortened(certificate.wanted, 5)),
        (say("Failed attempts in a row"), certificate.failures),
    )
    if certificate.attempt.ca:
        pairs += ((say("Asked last"), certificate.attempt.ca),)
    return (Fields((*pairs, (say("Installed now"), _installed(case)))),)


def _installed(case: _Case) -> Value:
    not_after = case.certificate.not_after
    if not_after is None:
        return say("nothing")
    return say("{margin}: {at}", margin=margin(not_after, case.now), at=not_after)


def _attempts(case: _Case) -> tuple[Part, ...]:
    if not case.attempts:
        return ()
    lines = tuple((say("{at}", at=row.at), row.details or say("Attempt failed")) for row in case.attempts)
    return (Paragraph(say("What failed:")), Fields(lines))


def _buttons(certificate: Certificate) -> tuple[Part, ...]:
    retry = Button(RETRY_ONE, certificate.id, say("Try again"), "primary")
    check = Button(CHECK_ONE, certificate.id, say("Check again"))
    return (Buttons((retry, check, copying.button(copying.CERTIFICATE, certificate.id))),)
