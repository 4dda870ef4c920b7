"""What a followed answer shows: the plan of each certificate with its marks, and how it ended. Pure."""

from collections.abc import Mapping, Sequence

from commands import views
from commands.endings import ending, reasons
from commands.following import Followed
from commands.reply import Mark, Paragraph, Part, Plan, Refused, Reply, Row, Rows, Tone
from services.model.certificates import Certificate
from services.model.lifecycle import State
from services.model.text import NOTHING, Phrase, Text, say, say_n

_S = State
PLAN: tuple[tuple[Text, frozenset[State]], ...] = (
    (say("check"), frozenset({_S.CHECKING})),
    (say("CSR"), frozenset({_S.PREPARING})),
    (say("order"), frozenset({_S.ORDERING})),
    (say("challenge"), frozenset({_S.CHALLENGING, _S.VALIDATING})),
    (say("issue"), frozenset({_S.FINALIZING, _S.COLLECTING})),
    (say("deploy"), frozenset({_S.DEPLOYING})),
    (say("verified"), frozenset({_S.VERIFYING})),
)
"""The steps that people see, each with the states that belong to it."""
_ALL_BUT_LAST = (Mark.DONE,) * (len(PLAN) - 1)

MOST_PLANS = 3
"""Up to so many certificates are shown with their plan; more of them become lines of a list."""


def plan(certificate: Certificate, name: str) -> Plan:
    """Return the steps of the work on ``certificate`` with their marks."""
    if certificate.state is State.INSTALLED:
        last = Mark.STOPPED if certificate.unproved else Mark.DONE
        return Plan(
            name, tuple((label, mark) for (label, _), mark in zip(PLAN, [*_ALL_BUT_LAST, last], strict=True))
        )
    stopped = certificate.resting
    here = _step(certificate.stopped_at or State.CHECKING) if stopped else _step(certificate.state)
    now = Mark.STOPPED if stopped else Mark.NOW
    marks = [Mark.DONE] * here + [now] + [Mark.NEXT] * (len(PLAN) - here - 1)
    return Plan(name, tuple((label, mark) for (label, _), mark in zip(PLAN, marks, strict=True)))


def step(certificate: Certificate) -> Text:
    """Return the name of the step that is under way, or in which the work stopped."""
    state = certificate.stopped_at or State.CHECKING if certificate.resting else certificate.state
    return PLAN[_step(state)][0]


def _step(state: State) -> int:
    return next((at for at, (_, states) in enumerate(PLAN) if state in states), 0)


def view(verb: str, followed: Sequence[Followed], refused: Sequence[Refused] = ()) -> Reply:
    """Return the answer to ``add`` or ``renew`` as things stand now: a plan or a line for each certificate, and endings."""
    parts = views.refusals(refused)
    if len(followed) > MOST_PLANS:
        parts += _lines(followed)
    else:
        parts += tuple(part for one in followed for part in _full(one, titled=len(followed) > 1))
    return Reply(_tone(followed, refused), _title(verb, followed, refused), parts)


def _full(one: Followed, *, titled: bool) -> tuple[Part, ...]:
    # the title names a single name already
    name = views.shortened(one.names) if titled or len(one.names) > 1 else ""
    heading = (Paragraph(_verdict(one)),) if titled and one.certificate.resting else ()
    return (plan(one.certificate, name), *heading, *ending(one))


_LINE_TONES = (Tone.BAD, Tone.WARN, Tone.PROGRESS, Tone.INFO, Tone.GOOD)


def _lines(followed: Sequence[Followed]) -> tuple[Part, ...]:
    rows = sorted((_line(one) for one in followed), key=lambda row: _LINE_TONES.index(row.tone))
    return (Rows(tuple(rows[: views.MOST_ROWS])), *views.more(len(rows) - views.MOST_ROWS))


def _line(one: Followed) -> Row:
    return Row(views.shortened(one.names), _one_tone(one), _short(one), _line_detail(one))


def _line_detail(one: Followed) -> Text:
    certificate = one.certificate
    if certificate.resting and not one.done:
        return next((finding.summary for finding in reasons(one)), NOTHING)
    if certificate.state is State.INSTALLED and certificate.not_after is not None:
        return say("valid until {not_after}", not_after=certificate.not_after)
    return NOTHING


def _one_tone(one: Followed) -> Tone:
    tone = views.tone_of(one.certificate.state)
    return Tone.WARN if tone is Tone.GOOD and not one.done else tone


_SHORT: Mapping[State, Text] = {
    State.BLOCKED: say("waiting"),
    State.FAILED: say("failed"),
    State.NEEDS_SUPPORT: say("needs support"),
    State.RETIRED: say("removed"),
}


def _short(one: Followed) -> Text:
    """Return the state of one certificate in a word or two."""
    if one.certificate.state is State.INSTALLED:
        return say("installed") if one.done else say("installed in part")
    return _SHORT.get(one.certificate.state) or say("step: {step}", step=step(one.certificate))


def _tone(followed: Sequence[Followed], refused: Sequence[Refused]) -> Tone:
    tones = {_one_tone(one) for one in followed} | ({Tone.WARN} if refused else set())
    under_way = Tone.PROGRESS in tones
    return Tone.PROGRESS if under_way else min(tones, key=_LINE_TONES.index, default=Tone.WARN)


def _verdict(one: Followed) -> Text:
    """Return how it ended for one certificate, as a sentence."""
    template = _VERDICTS[one.certificate.state]
    if one.certificate.state is State.INSTALLED and not one.done:
        template = _PARTLY if one.missing else _UNPROVED
    return template.said(name=views.shortened(one.names), step=step(one.certificate))


_VERDICTS: Mapping[State, Phrase] = {
    State.INSTALLED: Phrase("Certificate for {name} is installed"),
    State.BLOCKED: Phrase("Certificate for {name} has to wait"),
    State.FAILED: Phrase("Certificate for {name} failed at this step: {step}"),
    State.NEEDS_SUPPORT: Phrase("Certificate for {name} needs a support agent"),
    State.RETIRED: Phrase("{name} was removed: its certificate is not renewed any more"),
}
_PARTLY = Phrase("Certificate for {name} is installed without some names")
_UNPROVED = Phrase("Certificate for {name} is installed but not seen at the edge yet")
_RENEWED = Phrase("Certificate for {name} is renewed and installed")
_UNDER_WAY: Mapping[str, Phrase] = {
    "add": Phrase("Getting a certificate for {name}"),
    "renew": Phrase("Renewing the certificate for {name}"),
}


def _title(verb: str, followed: Sequence[Followed], refused: Sequence[Refused]) -> Text:
    names = sum(len(one.names) for one in followed) + len(refused)
    if len(followed) != 1 or refused:
        done = sum(
            len(one.names) - len(one.missing) for one in followed if one.certificate.state is _S.INSTALLED
        )
        return _count(done, names, followed) if followed else nothing_done(verb, refused)
    one = followed[0]
    name = views.shortened(one.names)
    if not one.certificate.resting:
        return _UNDER_WAY[verb].said(name=name)
    return _RENEWED.said(name=name) if verb == "renew" and one.done else _verdict(one)


def _count(done: int, names: int, followed: Sequence[Followed]) -> Text:
    if all(one.certificate.resting for one in followed):
        return say_n(
            "{done} of {count} name is installed",
            "{done} of {count} names are installed",
            done=done,
            count=names,
        )
    return say_n(
        "Under way: {done} of {count} name is installed",
        "Under way: {done} of {count} names are installed",
        done=done,
        count=names,
    )


_REFUSED: Mapping[str, Phrase] = {
    "add": Phrase("No certificate is made for {name}"),
    "renew": Phrase("There is nothing to renew for {name}"),
}


def nothing_done(verb: str, refused: Sequence[Refused]) -> Text:
    """Return the title of an answer to names none of which was taken."""
    if len(refused) == 1:
        return _REFUSED[verb].said(name=views.shown(refused[0].name))
    return say("None of these {count} names could be taken", count=len(refused))
