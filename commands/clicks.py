"""What each button does: one table of action id, the right it needs, and the use case. Slack's value proves nothing."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from commands import alert_buttons as button
from commands import approval_view as approval
from commands import (
    audit,
    bulk,
    bulk_view,
    confirming,
    copying,
    deciding,
    home_clicks,
    home_view,
    link_requests,
    menu,
    offered,
    offering,
    renew_cause,
    views,
)
from commands.alerts import gather, members_reply
from commands.caller import Action, Caller, Doubt
from commands.command import Call
from commands.help import no_access
from commands.reply import Hint, Outcome, Part, Performed, Reply, Tone
from services import linking, overview
from services.alerting import clicks
from services.alerting.clicks import Clicked
from services.bulk import plans
from services.desk import Desk
from services.model.certificates import Certificate
from services.model.errors import CertdeskError
from services.model.findings import worst_first
from services.model.jobs import JobState
from services.model.text import Text, say
from services.renewal import asking

MOST_CHECKED = 5
"""How many names of a certificate one click checks, those with something in the way first."""


class MalformedClickError(CertdeskError):
    """A click's value is not what certdesk writes below its messages."""

    def __init__(self) -> None:
        super().__init__(say("The button's value cannot be read."))


@dataclass(frozen=True, slots=True)
class Click:
    """What is done when one thing is clicked."""

    action: Action
    """The right that it needs."""
    run: Callable[[Call], Outcome | None]
    """Does it; `Call.words` are the value's words. None: it shows in the message itself, so nobody is answered.

    Raises MalformedClickError for a value it cannot read, and CertdeskError for what cannot be done.
    """
    changes: bool = True
    """Whether it changes something, so that the audit trail keeps every use."""
    subject: Callable[[Call], str] = lambda call: " ".join(call.words)
    """What the audit trail says it was done to."""


def perform(text: str, call: Call) -> Performed:
    """Do what a click says: ``text`` is the action's id, then its value; ``call`` is who clicks, and where."""
    action, *value = text.split() or [""]
    click = CLICKS.get(action)
    if click is None:
        return Performed(_apology())
    try:
        call = replace(call, words=tuple(value))
        outcome = _run(click, call)
    except MalformedClickError:
        return Performed(_apology())
    denied = outcome is not None and outcome.denied
    if not (click.changes or denied):
        return Performed(outcome)
    # of what was refused the words are kept as they came: nothing is looked up for who has no right to it
    subject = " ".join(call.words) if denied else click.subject(call)
    return Performed(outcome, audit.deed(outcome, action, subject))


def _run(click: Click, call: Call) -> Outcome | None:
    if not call.caller.may(click.action):
        return _refusal(call.caller)
    try:
        return click.run(call)
    except MalformedClickError:
        raise
    except CertdeskError as error:
        return Outcome(_told(Tone.BAD, error.text), exit_code=1)


def _apology() -> Outcome:
    title = say("certdesk does not know this button (any more), and has done nothing")
    hint = Hint(say("What stands open now, you see with: {command}", command=views.typed("alerts")))
    return Outcome(Reply(Tone.WARN, title, (hint,), private=True), exit_code=1)


def _refusal(caller: Caller) -> Outcome:
    if caller.doubt is not Doubt.NONE:
        return no_access(caller, Action.HELP)
    title = say("You may not do this")
    hint = Hint(
        say("It is for the platform's own people. What there is for you: {command}", command="/ssl help")
    )
    return Outcome(Reply(Tone.WARN, title, (hint,), private=True), exit_code=1, denied=True)


def _told(tone: Tone, text: Text, *more: Part) -> Reply:
    """Return an answer for the clicker alone."""
    return replace(views.stated(tone, text, say("What came of your click"), *more), private=True)


# --- alerts --------------------------------------------------------------------------------------------------------

_VERSION = re.compile("[0-9]{1,18}")
Given = tuple[str, int, str]
"""An alert's id, the version that was clicked, and what was chosen (empty for a plain button)."""


def _given(words: tuple[str, ...], *, choice: bool = False) -> Given:
    """Return what an alert's button carries: ALERT_ID VERSION [CHOICE]."""
    if len(words) != (3 if choice else 2) or _VERSION.fullmatch(words[1]) is None:
        raise MalformedClickError
    return words[0], int(words[1]), words[2] if choice else ""


def _shown(call: Call, use: Callable[[Desk, str, int, str], Clicked]) -> Outcome | None:
    """Do what the message itself shows; only what was not done is told, to the clicker alone."""
    alert, version, _ = _given(call.words)
    return _unless_done(use(call.desk, alert, version, call.caller.person))


def _unless_done(clicked: Clicked) -> Outcome | None:
    return None if clicked.done else Outcome(_told(Tone.WARN, clicked.text), exit_code=1)


def _answered(call: Call, use: Callable[[Desk, str, int, str], Clicked]) -> Outcome:
    """Do what takes a while: the clicker alone is told that it has begun, or why not."""
    alert, version, _ = _given(call.words)
    clicked = use(call.desk, alert, version, call.caller.person)
    return Outcome(_told(Tone.INFO if clicked.done else Tone.WARN, clicked.text), int(not clicked.done))


def _renew_members(call: Call) -> Outcome:
    """Renew the alert's certificates now; more than one person may alone become a request for a second one."""
    alert, version, _ = _given(call.words)
    code, suffering = plans.of_alert(call.desk, alert, version)
    if not confirming.alone(call.desk, len(suffering)):
        return renew_cause.propose(call, code, suffering)
    return _answered(call, clicks.renew_members)


def _snooze(call: Call) -> Outcome | None:
    alert, version, choice = _given(call.words, choice=True)
    if choice not in {known for known, _ in button.CHOICES}:
        raise MalformedClickError
    return _unless_done(clicks.snooze(call.desk, alert, version, call.caller.person, choice))


def _list(call: Call) -> Outcome:
    alert_id, _, _ = _given(call.words)
    with call.desk.storage.read() as tx:
        alert = tx.alerts.get(alert_id)
        if alert is None:
            raise MalformedClickError
        return Outcome(members_reply(gather(tx, call.desk, alert)))


# --- a certificate that was handed over ----------------------------------------------------------------------------


def _certificate(call: Call) -> Certificate:
    """Return the certificate that was clicked. One that is not the caller's is as unknown as one that is not there."""
    if len(call.words) != 1:
        raise MalformedClickError
    with call.desk.storage.read() as tx:
        found = tx.certificates.get(call.words[0], call.caller.sees.stores)
    if found is None or not found.wanted:
        raise CertdeskError(say("certdesk no longer knows this certificate. Nothing was done."))
    return found


def _retry(call: Call) -> Outcome:
    certificate = _certificate(call)
    name = certificate.wanted[0]
    if asking.early_whole(call.desk, certificate):
        return Outcome(_well(name), exit_code=1)
    asking.renew(
        call.desk, (name,), store=certificate.store, visible=call.caller.changes, actor=call.caller.person
    )
    text = "certdesk works on the certificate for {name} now; the message that you clicked shows how it goes"
    return Outcome(_told(Tone.INFO, say(text, name=views.shown(name))))


def _well(name: str) -> Reply:
    """Return the answer to a click that has been overtaken: a renewal now would have to be confirmed first."""
    text = (
        "The certificate for {name} is well, and not due yet: it renews by itself in time. Nothing was done. To renew it all"
        " the same, type: {command}"
    )
    return _told(Tone.INFO, say(text, name=views.shown(name), command=views.typed("renew", name)))


def _check(call: Call) -> Outcome:
    certificate = _certificate(call)
    with call.desk.storage.read() as tx:
        saved = tx.certificates.findings(certificate.id)
    troubled = [finding.name for finding in saved if finding.blocks and finding.name in certificate.wanted]
    names = tuple(dict.fromkeys((*troubled, *certificate.wanted)))[:MOST_CHECKED]
    statuses = [
        overview.check(call.desk, name, store=certificate.store, visible=call.caller.sees) for name in names
    ]
    found = worst_first(tuple(finding for status in statuses for finding in status.findings))
    blocked = [views.shown(status.name) for status in statuses if status.blocked]
    if not blocked:
        title = say("Nothing blocks these names now: {names}", names=tuple(map(views.shown, names)))
        return Outcome(_told(Tone.GOOD, title, *views.problems(found)))
    title = say("Still blocked: {names}", names=tuple(blocked))
    return Outcome(_told(Tone.WARN, title, *views.problems(found)), exit_code=1)


# --- a request for a link ------------------------------------------------------------------------------------------


def _decide(call: Call, *, approved: bool) -> Outcome | None:
    """Decide a request; its message shows who did. Only what was not done is told, to the clicker alone."""
    if len(call.words) != 1:
        raise MalformedClickError
    decided = linking.decide(call.desk, call.words[0], call.caller.person, approved=approved)
    return None if decided.done else Outcome(_told(Tone.WARN, decided.text), exit_code=1)


def _request(call: Call) -> str:
    return " ".join(link_requests.subject(call.desk, word) for word in call.words)


CLICKS: Mapping[str, Click] = {
    # the menu that /ssl opens
    **{one.id: Click(one.action, one.run, changes=False) for one in menu.ITEMS},
    menu.BACK: Click(Action.HELP, menu.back, changes=False),
    # names to choose from: another page, a search
    offered.TURN: Click(Action.CHANGE, offering.turn, changes=False),
    offered.FIND: Click(Action.CHANGE, offering.find, changes=False),
    offered.SEARCH: Click(Action.CHANGE, offering.find, changes=False),
    # an alert: look again, try now
    button.CHECK: Click(Action.ALERTS, lambda call: _answered(call, clicks.look_again), changes=False),
    button.RENEW: Click(Action.ALERTS, _renew_members),
    # who looks after it
    button.ACKNOWLEDGE: Click(Action.ALERTS, lambda call: _shown(call, clicks.acknowledge)),
    button.SNOOZE: Click(Action.ALERTS, _snooze),
    button.HAND_OVER: Click(Action.ALERTS, lambda call: _shown(call, clicks.hand_over)),
    # what it is about
    button.LIST: Click(Action.ALERTS, _list, changes=False),
    # a certificate that was handed over
    button.RETRY_ONE: Click(Action.CHANGE, _retry),
    button.CHECK_ONE: Click(Action.LOOK, _check, changes=False),
    # what a merchant has to do, sent to the channels of their store
    copying.ALERT: Click(Action.TELL, copying.copy_alert),
    copying.CERTIFICATE: Click(Action.TELL, copying.copy_certificate),
    copying.NAME: Click(Action.TELL, copying.copy_name),
    # the Home tab: what it shows
    home_view.SEARCH: Click(Action.LOOK, home_clicks.search, changes=False),
    home_view.FIND: Click(Action.LOOK, home_clicks.search, changes=False),
    home_view.SHOW: Click(Action.LOOK, home_clicks.show, changes=False),
    home_view.TURN: Click(Action.LOOK, home_clicks.turn, changes=False),
    # what is done there to a certificate
    home_view.CHECK: Click(Action.CHANGE, home_clicks.check),
    home_view.RENEW: Click(Action.CHANGE, home_clicks.renew_one),
    # a person who wants to be linked to a store
    link_requests.APPROVE: Click(Action.LINK, lambda call: _decide(call, approved=True), subject=_request),
    link_requests.DECLINE: Click(Action.LINK, lambda call: _decide(call, approved=False), subject=_request),
    # what waits for a yes: who may say it is judged by the proposal; the audit trail keeps what
    # became of it, in the transaction of the decision, and as of every click what was refused
    approval.CONFIRM: Click(Action.HELP, lambda call: deciding.click(call, yes=True), changes=False),
    approval.CANCEL: Click(Action.HELP, lambda call: deciding.click(call, yes=False), changes=False),
    approval.APPROVE: Click(Action.HELP, lambda call: deciding.click(call, yes=True), changes=False),
    approval.REJECT: Click(Action.HELP, lambda call: deciding.click(call, yes=False), changes=False),
    # a job for many
    bulk_view.PAUSE: Click(Action.CHANGE, lambda call: bulk.click(call, JobState.PAUSED)),
    bulk_view.RESUME: Click(Action.CHANGE, lambda call: bulk.click(call, JobState.RUNNING)),
    bulk_view.CANCEL: Click(Action.CHANGE, lambda call: bulk.click(call, JobState.CANCELLED)),
}
