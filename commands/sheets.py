"""What is done when a modal is sent off: one table of sheet, the right it needs, and the use case. Memory proves nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from commands import add_many, audit, confirming, due, link, live, naming, picking, renew, views
from commands.asking import Asked, answer
from commands.caller import Action
from commands.command import MAX_NAMES, Call, UsageError
from commands.help import no_access
from commands.reply import Entry, Heading, Hint, Outcome, Paragraph, Performed, Reply, Sheet, Tone
from commands.words import split
from services import naming as names
from services.issuance import adding
from services.model.errors import CertdeskError, InvalidNameError
from services.model.text import Text, say
from services.renewal import asking

LINK = "link"
"""Name of the sheet in which a stranger asks to be linked to a store; its field is `picking.STORE`."""
Form = Mapping[str, Any]
"""What stood in a modal (`services.ports.Request.form`)."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What is done when one kind of modal is sent off."""

    action: Action
    """The right that it needs."""
    run: Callable[[Call], Outcome]
    """Does it. Raises UsageError and CertdeskError for what cannot be done."""
    faults: Callable[[Form], Mapping[str, Text]] = lambda _form: {}
    """Returns what is wrong with the fields themselves, by field: it asks nobody, for Slack waits for it."""
    changes: bool = True
    """Whether it changes something, so that the audit trail keeps every use."""


def faults(name: str, form: Form) -> Mapping[str, Text]:
    """Return what is wrong with what stands in the fields of a sheet, by field; empty if it can be taken in."""
    filled = SHEETS.get(name)
    return {} if filled is None else filled.faults(form)


WAITING = Sheet(live.NOTE, say("certdesk"), (Paragraph(say("certdesk has taken this in and works on it …")),))
"""What a modal shows from the moment when it was sent off until there is something to show."""


def perform(name: str, call: Call) -> Performed:
    """Do what a modal says that was sent off: ``name`` is the sheet's, ``call`` is who sent it and what stood in it."""
    filled = SHEETS.get(name)
    if filled is None:
        return Performed(_apology())
    if not call.caller.may(filled.action):
        outcome = no_access(call.caller, filled.action)
    else:
        outcome = _run(filled, call)
    kept = outcome.exit_code != 2 and (filled.changes or outcome.denied)
    return Performed(
        outcome, audit.deed(outcome, name, " ".join((*_words(call), _store(call))).strip()) if kept else None
    )


def _run(filled: Filled, call: Call) -> Outcome:
    wrong = next(iter(filled.faults(call.form).values()), None)
    if wrong is not None:  # told in the modal already; this one was not sent by it
        return Outcome(Reply(Tone.WARN, wrong, private=True), exit_code=2)
    try:
        return filled.run(call)
    except CertdeskError as error:
        code = 2 if isinstance(error, UsageError) else 1
        return Outcome(Reply(Tone.BAD, error.text, private=True), exit_code=code)


def _apology() -> Outcome:
    title = say("certdesk does not know this page (any more), and has done nothing")
    hint = Hint(say("To begin anew, type: {command}", command="/ssl"))
    return Outcome(Reply(Tone.WARN, title, (hint,), private=True), exit_code=2)


# --- names --------------------------------------------------------------------------------------------------------


def _words(call: Call) -> tuple[str, ...]:
    return _given(call.form)


def _given(form: Form) -> tuple[str, ...]:
    """Return what was ticked, then what was typed, each once."""
    values = form.get("values", {})
    ticked, typed = values.get(picking.NAMES, ()), values.get(picking.TYPED, "")
    some = (ticked,) if isinstance(ticked, str) else tuple(map(str, ticked))
    return tuple(dict.fromkeys((*some, *split(typed if isinstance(typed, str) else ""))))


def _wrong_names(form: Form) -> Mapping[str, Text]:
    """Return what is wrong with the names, below the field in which they are typed."""
    given = _given(form)
    if not given:
        return {picking.TYPED: say("Tick a name above, or type one here.")}
    if len(given) > MAX_NAMES:
        text = "{count} names were given, and {most} can be sent at once."
        return {picking.TYPED: say(text, count=len(given), most=MAX_NAMES)}
    for word in given:
        try:
            names.parse(word)
        except InvalidNameError as error:
            return {picking.TYPED: error.text}
    return {}


def _add(call: Call) -> Outcome:
    """Get certificates for what was chosen; each name's store is found by the name."""
    read = naming.read_all(_words(call), call)
    many = add_many.question(call, read, None, private=True)
    if many is not None:
        return _asked(many)
    wanted = tuple(one for one in read if isinstance(one, str))
    taken = adding.add(call.desk, wanted, store=None, visible=call.caller.changes, actor=call.caller.person)
    outcome = answer(call, Asked("add", read, taken, None))
    if outcome.follows:
        return live.progress(outcome)
    shown = picking.again(call, picking.remembered(call) or "", outcome.refused, " ".join(_words(call)))
    return replace(outcome, live=shown.live, sheet=shown.sheet)


def _renew(call: Call) -> Outcome:
    """Renew what was chosen now; with a name of what is well and not due it is a question first, by direct message."""
    read = naming.read_all(_words(call), call)
    asked = renew.question(call, read, None, private=True)
    if asked is not None:
        return _asked(asked)
    wanted = tuple(one for one in read if isinstance(one, str))
    taken = asking.renew(call.desk, wanted, store=None, visible=call.caller.changes, actor=call.caller.person)
    outcome = answer(call, Asked("renew", read, taken, None))
    if outcome.follows:
        return live.progress(outcome)
    heading = Heading(Tone.WARN, say("Nothing was done yet: no name could be taken"))
    store = picking.remembered(call)
    own = store if store is not None and naming.is_own_store(store, call) else None
    shown = due.start_renewing(call, own, heading).sheet
    if shown is None:
        return outcome
    problems = tuple(one.problem for one in outcome.refused)
    return replace(outcome, sheet=replace(shown, parts=(*problems, *shown.parts)))


def _asked(question: Outcome) -> Outcome:
    """Return what has become a question, which stands in a message of its own, with what the modal says of it."""
    text = confirming.elsewhere(question)
    return live.told(question, views.stated(Tone.WARN, text, say("Nothing was done yet")))


# --- stores -------------------------------------------------------------------------------------------------------


def _store(call: Call) -> str:
    return next(iter(call.filled(picking.STORE)), "").strip()


def _no_store(form: Form) -> Mapping[str, Text]:
    value = form.get("values", {}).get(picking.STORE, "")
    if isinstance(value, str) and value.strip():
        return {}
    return {picking.STORE: say("The store is missing.")}


def link_sheet() -> Sheet:
    """Return the page on which a stranger asks to be linked to a store."""
    hint = say("Its id, as the platform shows it")
    field = Entry(picking.STORE, say("Store"), hint=hint)
    return Sheet(LINK, say("Link me to a store"), (field,), say("Ask support"))


SHEETS: Mapping[str, Filled] = {
    # get and renew
    picking.ADD_STORE: Filled(
        Action.CHANGE, lambda call: picking.start_adding(call, _store(call)), _no_store, changes=False
    ),
    picking.ADD: Filled(Action.CHANGE, _add, _wrong_names),
    picking.RENEW: Filled(Action.CHANGE, _renew, _wrong_names),
    # who is not known yet
    LINK: Filled(Action.ASK_LINK, lambda call: link.run(replace(call, words=(_store(call),))), _no_store),
}
