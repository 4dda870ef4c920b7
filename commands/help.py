"""/ssl help: what there is, how it is typed, and for strangers how to get access."""

from difflib import get_close_matches

from commands import views
from commands.caller import STAFF, Action, Caller, Doubt, Role, holders
from commands.command import Call, Command
from commands.reply import Fields, Hint, Outcome, Paragraph, Part, Reply, Tone
from services.model.text import Text, say

_ACCESS = (
    "certdesk does not know you yet. If you work for the platform, ask an administrator of certdesk to put your id,"
    " {id}, under {support} (or {oncall}, or {admins}) in {file} and to start certdesk anew. If you are a merchant,"
    " type {command} with the id of your store; the platform's support then decides."
)
_UNASKED = (
    "certdesk asks Slack about everybody who uses it, and just now Slack gave no answer about you ({id}). Without one you"
    " have no rights, whoever you are. Try again in a minute; if it goes on, tell the platform's engineers."
)
_UNREAD = (
    "certdesk could not read from Slack who is in the user groups that give roles, so it does not know whether you ({id})"
    " are in one. Try again in a minute; if it goes on, tell the platform's engineers."
)
_STAFF_ONLY = frozenset(action for action in Action if holders(action) <= frozenset(STAFF))
"""What others are not even told of."""


def no_access(caller: Caller, action: Action) -> Outcome:
    """Return the answer to who has no right to ``action``: the same whatever it was about."""
    told = access(caller, action)
    title = _refusal(caller)
    hint = Hint(say("What there is, you can read with: {command}", command="/ssl help"))
    reply = Reply(Tone.WARN, title, (Paragraph(told), hint), private=True)
    return Outcome(reply, exit_code=1, data={"error": told.plain()}, denied=True)


def _refusal(caller: Caller) -> Text:
    if caller.doubt is Doubt.PERSON:
        return say("Slack did not say who you are, so nothing was done")
    if caller.doubt is Doubt.GROUPS:
        return say("Slack did not say whether you may do this, so nothing was done")
    return say("You have no access to this yet") if caller.role is Role.NOBODY else say("You may not do this")


def access(caller: Caller, action: Action) -> Text:
    """Return what somebody without the right is told; with no role at all: who can change that, how, and for which id.

    Where Slack could not be asked about the person it says that, and nothing of what they may do.
    """
    if caller.doubt is Doubt.PERSON:
        return say(_UNASKED, id=caller.person.rpartition("/")[2])
    if caller.doubt is Doubt.GROUPS:
        return say(_UNREAD, id=caller.person.rpartition("/")[2])
    if caller.role is not Role.NOBODY and action is Action.LINK:
        return say("Only support and administrators of certdesk say who belongs to which store.")
    if caller.role is not Role.NOBODY and action is Action.LANGUAGE:
        return say(
            "The language of a channel is chosen by support and administrators, and by a merchant where the channel is"
            " linked to their store."
        )
    if caller.role is not Role.NOBODY:
        return say("This is for the platform's own people alone: it speaks of all stores.")
    person = caller.person.rpartition("/")[2]
    keys = {key: f"slack.{key}" for key in ("support", "oncall", "admins")}
    return say(_ACCESS, id=person, file="app.yaml", command="/ssl link STORE", **keys)


def offered(table: tuple[Command, ...], caller: Caller) -> tuple[Command, ...]:
    """Return the sub-commands that the caller is told of: those for the platform's own people are for their eyes."""
    return tuple(one for one in table if one.action not in _STAFF_ONLY or caller.may(one.action))


def chooses_language(call: Call) -> bool:
    """Tell whether the caller may choose in which language certdesk speaks here: for who is limited, in a channel of their store."""
    if not call.caller.limited:
        return call.caller.may(Action.LANGUAGE)
    return call.store is not None and call.caller.may_to(Action.LANGUAGE, call.store)


def run(call: Call) -> Outcome:
    """Show all sub-commands that can be used here, or one of them in full."""
    table = offered(call.table, call.caller)
    given = call.words[0].casefold() if call.words else ""
    command = next((one for one in table if one.name == given), None)
    if command is not None:
        return Outcome(_one(command, call.caller), data={"commands": [_to_json(command, call.caller)]})
    listed = tuple(one for one in table if one.action is not Action.LANGUAGE or chooses_language(call))
    reply = _all(call.caller, listed, (*_access(call.caller), *_guess(given, table)))
    return Outcome(reply, data={"commands": [_to_json(one, call.caller) for one in listed]})


def _guess(given: str, table: tuple[Command, ...]) -> tuple[Part, ...]:
    """Return what was probably meant by a word that is no sub-command; nothing where there was no word."""
    if not given:
        return ()
    known = [one.name for one in table]
    near = [name for name in known if name.startswith(given)] or get_close_matches(given, known, n=1)
    said = say("There is no command “{given}”", given=views.clipped(given))
    meant = (say("Did you mean: {command}", command=f"/ssl help {near[0]}"),) if near else ()
    return tuple(Hint(text) for text in (said, *meant))


def _all(caller: Caller, table: tuple[Command, ...], first: tuple[Part, ...]) -> Reply:
    pairs = tuple((say("{command}", command=one.typed_by(caller)), one.summary) for one in table)
    parts: tuple[Part, ...] = (*first, Fields(pairs))
    hint = say("For one of them with an example, type: {command}", command="/ssl help add")
    return Reply(
        Tone.INFO,
        say("certdesk gets and keeps TLS certificates for stores"),
        (*parts, Hint(hint)),
        private=True,
    )


def _one(command: Command, caller: Caller) -> Reply:
    notes = (note for note in command.notes if note.right is None or caller.may(note.right))
    parts: tuple[Part, ...] = (
        Paragraph(command.summary),
        Fields(((say("Type"), command.typed_by(caller)), (say("For example"), command.example))),
        *(Paragraph(note.text) for note in notes),
    )
    return Reply(Tone.INFO, say("{command}", command=f"/ssl {command.name}"), parts, private=True)


def _access(caller: Caller) -> tuple[Paragraph, ...]:
    return (Paragraph(access(caller, Action.LOOK)),) if caller.role is Role.NOBODY else ()


def _to_json(command: Command, caller: Caller) -> dict[str, str]:
    summary: Text = command.summary
    return {
        "name": command.name,
        "summary": summary.plain(),
        "usage": command.typed_by(caller),
        "example": command.example,
    }


COMMAND = Command(
    name="help",
    action=Action.HELP,
    summary=say("Show what there is and how it is typed"),
    usage="/ssl help [COMMAND]",
    example="/ssl help add",
    run=run,
)
