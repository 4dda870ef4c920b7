"""What is done when a modal is sent off: one table of sheet, the right it needs, and the use case. Memory proves nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from commands import (
    add_file,
    add_many,
    audit,
    confirming,
    due,
    link,
    live,
    naming,
    offering,
    pasted,
    picking,
    renew,
    views,
)
from commands.asking import Asked, answer
from commands.caller import Action
from commands.command import MAX_NAMES, Call, UsageError
from commands.fields import Entry
from commands.help import no_access
from commands.reply import Heading, Hint, Outcome, Paragraph, Performed, Reply, Sheet, Tone
from commands.uploads import TYPES
from commands.words import split
from services import naming as names
from services.bulk.lists import MOST_BYTES
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
    kept = outcome.exit_code != 2 and (filled.changes or outcome.denied or bool(outcome.proposal))
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
    """Return the names that were ticked, on this page and on others, then those that were typed, each once."""
    return tuple(dict.fromkeys((*offering.chosen_elsewhere(call), *_given(call.form))))


def _given(form: Form) -> tuple[str, ...]:
    """Return what was ticked, then what was typed, each once."""
    typed = form.get("values", {}).get(picking.TYPED, "")
    return tuple(dict.fromkeys((*picking.ticked(form), *split(typed if isinstance(typed, str) else ""))))


def _elsewhere(form: Form) -> int:
    """Return how many names are ticked on pages that are not shown; only to be said, for it comes from the modal."""
    found = picking.held(form).get("kept")
    return found if isinstance(found, int) and found > 0 else 0


def _wrong_choice(form: Form) -> Mapping[str, Text]:
    """Return what is wrong with names, or with a list in their place."""
    if not picking.files(form):
        return _wrong_names(form)
    if _given(form) or _elsewhere(form):
        return {
            picking.FILE: say(
                "Give either names or a list: take the file out, or untick and clear the names."
            )
        }
    return _wrong_file(form)


def _wrong_file(form: Form) -> Mapping[str, Text]:
    """Return what is wrong with the list, as far as Slack has told of it."""
    handed = picking.files(form)
    if len(handed) > 1:
        return {picking.FILE: say("One list at a time, please.")}
    for file in handed:
        if file["external"]:
            text = "This file is kept elsewhere than in Slack, and certdesk does not go there. Choose one from your computer."
            return {picking.FILE: say(text)}
        if str(file["kind"]).lower() not in TYPES:
            return {picking.FILE: say("This is no text or CSV file.")}
        if int(file["size"]) > MOST_BYTES:
            text = "The file has more than {most} kilobytes. Send it in parts."
            return {picking.FILE: say(text, most=MOST_BYTES // 1024)}
    return {}


def _wrong_names(form: Form) -> Mapping[str, Text]:
    """Return what is wrong with the names, below the field in which they are typed."""
    given, elsewhere = _given(form), _elsewhere(form)
    if not given and not elsewhere:
        return {picking.TYPED: say("Tick a name above, or type one here.")}
    if len(given) + elsewhere > MAX_NAMES:
        text = "{count} names were given, and {most} can be sent at once."
        return {picking.TYPED: say(text, count=len(given) + elsewhere, most=MAX_NAMES)}
    for word in given:
        try:
            names.parse(word)
        except InvalidNameError as error:
            return {picking.TYPED: error.text}
    return {}


_NONE_TAKEN = say("Nothing was done yet: no name could be taken")


def _add(call: Call) -> Outcome:
    """Get certificates for what was chosen; each name's store is found by the name."""
    if picking.files(call.form):
        return _list(call, picking.remembered(call))
    read = naming.read_all(_words(call), call)
    many = add_many.question(call, read, None, private=True)
    if many is not None:
        return _asked(many)
    wanted = tuple(one for one in read if isinstance(one, str))
    taken = adding.add(call.desk, wanted, store=None, visible=call.caller.changes, actor=call.caller.person)
    outcome = answer(call, Asked("add", read, taken, None))
    if outcome.follows:
        return live.progress(outcome)
    problems = tuple(one.problem for one in outcome.refused)
    # with nothing refused all of it is there already, and the answer's own title says so
    said = offering.Said(
        _NONE_TAKEN if problems else outcome.reply.title, problems, " ".join(_words(call)) if problems else ""
    )
    shown = offering.start(call, picking.remembered(call), said)
    return replace(outcome, live=shown.live, sheet=shown.sheet)


def _list(call: Call, store: str | None) -> Outcome:
    """Propose what a list says by direct message; if it cannot be, say why where another can be handed in.

    A store that is not the caller's is answered like one that is not there, before the list is fetched.
    """
    if store is not None and not naming.is_own_store(store, call):
        return offering.start(call, store)
    try:
        outcome = add_file.handed_in(call, str(picking.files(call.form)[0]["id"]), store)
    except CertdeskError as error:
        outcome = Outcome(Reply(Tone.BAD, error.text, private=True), exit_code=1)
    if outcome.proposal:
        return _asked(outcome)
    said = offering.Said(outcome.reply.title, outcome.reply.parts)
    shown = offering.start(call, store, said)
    return replace(outcome, live=shown.live, sheet=shown.sheet)


def _choose_store(call: Call) -> Outcome:
    """Offer the names of the store that was chosen, or take the list that was handed in in its place."""
    store = _store(call)
    if not picking.files(call.form):
        return offering.start(call, store)
    return _list(call, pasted.meant(store, call.desk, call.caller) if store else None)


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
    heading = Heading(Tone.WARN, _NONE_TAKEN)
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


def _no_store_or_list(form: Form) -> Mapping[str, Text]:
    """Want a store, or a list in which each line may name its own."""
    return _wrong_file(form) if picking.files(form) else _no_store(form)


def link_sheet() -> Sheet:
    """Return the page on which a stranger asks to be linked to a store."""
    hint = say("Its id, its page on the platform, or one of its domain names")
    field = Entry(picking.STORE, say("Store"), hint=hint)
    return Sheet(LINK, say("Link me to a store"), (field,), say("Ask support"))


SHEETS: Mapping[str, Filled] = {
    # get and renew
    picking.ADD_STORE: Filled(Action.CHANGE, _choose_store, _no_store_or_list, changes=False),
    picking.ADD: Filled(Action.CHANGE, _add, _wrong_choice),
    picking.RENEW: Filled(Action.CHANGE, _renew, _wrong_names),
    # who is not known yet
    LINK: Filled(Action.ASK_LINK, lambda call: link.run(replace(call, words=(_store(call),))), _no_store),
}
