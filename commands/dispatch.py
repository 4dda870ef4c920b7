"""From the text of a command to its outcome: who may, which sub-command, and what was probably meant instead."""

from collections.abc import Sequence
from difflib import get_close_matches

from commands import audit, menu, views
from commands.caller import Action, Caller
from commands.command import Call, Command, People, UsageError, unasked, usage_outcome
from commands.hearing import CLOSED, Rooms
from commands.help import access, no_access, offered
from commands.reply import Hint, Outcome, Part, Reply, Tone
from commands.table import COMMANDS
from commands.uploads import NOWHERE, Uploads
from commands.words import split, tidy
from services import linking, naming
from services.desk import Desk
from services.model.audiences import Kind
from services.model.errors import CertdeskError, InvalidNameError
from services.model.text import Text, say

_HELP_OPTIONS = frozenset({"--help", "-h", "-?"})
_HELP = _HELP_OPTIONS | {"help", "?"}
_OWN_NAMES = frozenset({"/ssl", "ssl", "certdesk"})  # what people type again, or paste from the terminal


def dispatch(  # noqa: PLR0913 - what a command can do depends on where it is typed
    text: str | Sequence[str],
    caller: Caller,
    desk: Desk,
    channel: str = "",
    people: People = unasked,
    *,
    modal: bool = False,
    request: str = "",
    uploads: Uploads = NOWHERE,
    rooms: Rooms = CLOSED,
) -> Outcome:
    """Do what ``text`` (as typed in Slack) or a list of words (as a shell gives them) says; ``caller`` is who asks.

    In a ``channel`` that is linked to a store of the caller's, that store is meant. Where a ``modal`` can be shown, no
    word at all is answered by a menu, and `Outcome.sheet` and `Outcome.live` by whoever can show them. `Outcome.deed` is for the audit trail.
    Whatever is wrong with the words is in the outcome: 2 for usage, 1 for what cannot be done. Raises nothing that a
    person could have caused.
    """
    words = list(split(text) if isinstance(text, str) else tidy(text))
    while words and words[0].casefold() in _OWN_NAMES:
        words.pop(0)
    if modal and not words:
        return menu.opened(caller, meant_in(channel, caller, desk), desk)
    first, rest = (words[0].casefold(), tuple(words[1:])) if words else ("help", ())
    if first in _HELP:
        first = "help"
    elif rest in {("help",), ("?",)} or not _HELP_OPTIONS.isdisjoint(_options(rest)):
        first, rest = "help", (first,)
    command = next((one for one in COMMANDS if one.name == first), None)
    if command is None:
        return _unknown(words[0], caller)
    looked_up = command.action is not Action.HELP or caller.stores  # help is told to others without a look
    store = meant_in(channel, caller, desk) if looked_up else None
    outcome = _run(
        command,
        Call(
            rest,
            caller,
            desk,
            channel,
            COMMANDS,
            store,
            people,
            modal=modal,
            request=request,
            uploads=uploads,
            rooms=rooms,
        ),
    )
    return audit.noted(outcome, command.name, " ".join(rest), changes=command.changes)


def meant_in(channel: str, caller: Caller, desk: Desk) -> str | None:
    """Return the store that the channel is linked to; None without one, or if it is not the caller's."""
    links = linking.linked_to(desk, Kind.CHANNEL, channel) if channel else ()
    return next((link.store for link in links if caller.sees(link.store)), None)


def _options(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words among which options may be: those before a double hyphen."""
    return words[: words.index("--")] if "--" in words else words


def _run(command: Command, call: Call) -> Outcome:
    if not call.caller.may(command.action):
        return no_access(call.caller, command.action)
    try:
        return command.run(call)
    except UsageError as error:
        return usage_outcome(command, error, call.caller)
    except CertdeskError as error:
        return Outcome(
            Reply(Tone.BAD, error.text, private=True), exit_code=1, data={"error": error.text.plain()}
        )


def _unknown(given: str, caller: Caller) -> Outcome:
    """Return the answer to a first word that is no sub-command, with what was probably meant. Exit code 2."""
    title, hints = _meant(given, tuple(one.name for one in offered(COMMANDS, caller)))
    parts: tuple[Part, ...] = (
        *hints,
        Hint(say("All there is, you can read with: {command}", command="/ssl help")),
    )
    if not caller.may(Action.LOOK):
        parts = (Hint(access(caller, Action.LOOK)), parts[-1])
    reply = Reply(Tone.WARN, title, parts, private=True)
    return Outcome(reply, exit_code=2, data={"error": title.plain()})


def _meant(given: str, commands: tuple[str, ...]) -> tuple[Text, tuple[Hint, ...]]:
    shown = views.clipped(given)
    near = get_close_matches(given.casefold(), commands, n=1)
    if near:
        meant = say("Did you mean: {command}", command=views.typed(near[0]))
        return say("There is no command “{given}”", given=shown), (Hint(meant),)
    try:
        name = naming.parse(given)
    except InvalidNameError:
        usual = say("What there is: {commands}", commands=", ".join(commands))
        return say("There is no command “{given}”", given=shown), (Hint(usual),)
    look = say("To see where it stands, type: {command}", command=views.typed("status", name))
    get = say("To get a certificate for it, type: {command}", command=views.typed("add", name))
    return say("What should be done with {name}?", name=views.shown(name)), (Hint(look), Hint(get))
