"""What a sub-command is, what it is called with, and how its words are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from commands import pasted
from commands.caller import TERMINAL, Action, Caller, Role
from commands.hearing import CLOSED, Rooms
from commands.reply import Hint, Outcome, Paragraph, Reply, Tone
from commands.uploads import NOWHERE, Uploads
from services.desk import Desk
from services.model.errors import CertdeskError
from services.model.text import Text, say

MAX_NAMES = 100
"""How many names one command takes: as many as one certificate may have."""


TERMINAL_OPTIONS = frozenset({"--json", "--wait", "--timeout", "--files", "--lang"})
"""What `bot.shell` takes besides, for every command."""
VALUES: Mapping[str, str] = {
    "--store": "my-store",
    "--file": "names.txt",
    "--cause": "dns.not_hosted",
    "--reason": "superseded",
    "--serial": "03ab5c",
}
"""Options that take a value, with an example of one."""
NEAR = 0.65
"""How much alike an option has to be that was probably meant: --cst for --csr, but not --json for --store."""


class UsageError(CertdeskError):
    """The command was typed in a way it cannot be; the sentence says what is missing or too much."""


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence that the help for one sub-command has besides."""

    text: Text
    right: Action | None = None
    """Who has no right to this is not told it."""


@dataclass(frozen=True, slots=True)
class Narrower:
    """How a sub-command is typed by those who may not do all that it does."""

    right: Action
    """Who has this may do all."""
    usage: str


@dataclass(frozen=True, slots=True)
class Command:
    """One sub-command of /ssl."""

    name: str
    action: Action
    summary: Text
    """What it does, as one sentence."""
    usage: str
    """How it is typed, such as ``/ssl add NAME… [--store STORE]``."""
    example: str
    run: Callable[["Call"], Outcome]
    """Does it. Raises UsageError for words it cannot read, and CertdeskError for what cannot be done."""
    changes: bool = False
    """Whether it changes something, so that the audit trail keeps every use."""
    narrower: Narrower | None = None
    terminal: str = ""
    """How it is typed in a terminal, where that differs."""
    notes: tuple[Note, ...] = ()

    def typed_by(self, caller: Caller) -> str:
        """Return how the caller types it."""
        if caller.person == TERMINAL.person and self.terminal:
            return self.terminal
        if self.narrower is not None and not caller.may(self.narrower.right):
            return self.narrower.usage
        return self.usage


People = Callable[[str], str | None]
"""From a Slack user's id to TEAM/USER; None if Slack does not know such a person, or cannot be asked."""


def unasked(_user: str) -> None:
    """Know nobody: where there is no Slack to ask."""


Known = Callable[[str, str], Caller]
"""From a person (TEAM/USER, or the user's id alone) and the workspace in which they ask (empty: the support workspace) to
who that is there now, with the rights of this moment."""


def strange(person: str, _workspace: str) -> Caller:
    """Take the person (TEAM/USER) for nobody: where there is no Slack to ask."""
    return Caller(person, Role.NOBODY)


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a sub-command."""

    words: tuple[str, ...]
    """What follows the sub-command."""
    caller: Caller
    desk: Desk
    channel: str = ""
    """Where it was typed; empty in a terminal."""
    table: tuple[Command, ...] = ()
    """All sub-commands, for those that speak of the others."""
    store: str | None = None
    """The store that the channel is linked to, if it is the caller's: what is meant without --store."""
    people: People = unasked
    modal: bool = False
    """Whether a modal can be opened for it: never in a terminal."""
    known: Known = strange
    uploads: Uploads = NOWHERE
    """Where files are that a person has handed in."""
    rooms: Rooms = CLOSED
    """Who reads in a channel."""
    request: str = ""
    """Id of the request that it comes from (`services.ports.Request`); empty in a terminal."""
    form: Mapping[str, Any] = field(default_factory=dict)
    """What stood in the modal or the Home tab in which it was done (`services.ports.Request.form`); it proves no right."""

    def filled(self, name: str) -> tuple[str, ...]:
        """Return what was chosen or typed in a field; nothing for one that was left empty."""
        value = self.form.get("values", {}).get(name, ())
        return (value,) if isinstance(value, str) else tuple(value)


@dataclass(frozen=True, slots=True)
class Arguments:
    """The words of a call, read."""

    words: tuple[str, ...]
    """Those that are not options, each once, in the order given."""
    values: Mapping[str, str] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()

    @property
    def store(self) -> str | None:
        """The value of --store, or None."""
        return self.values.get("--store")


def arguments(
    call: Call, *, flags: tuple[str, ...] = (), values: tuple[str, ...] = ("--store",), stores: bool = False
) -> Arguments:
    """Read the words of ``call``; those behind a double hyphen are names, whatever they begin with.

    Without --store the store is meant that the channel is linked to. The value of --store may also be the address of the
    store's page, or one of its names; with ``stores`` a word may be such an address as well.

    Raises UsageError for an unknown option, a missing value or more than MAX_NAMES names.
    """
    words: list[str] = []
    given: dict[str, str] = {}
    seen: set[str] = set()
    queue = list(call.words)
    while queue:
        word = queue.pop(0)
        option, equals, value = word.partition("=")
        if word == "--":
            words += queue
            break
        if not word.startswith("-"):
            words.append(word)
        elif option in values:
            _take(given, option, value if equals else _next(queue, option))
        elif word in flags:
            seen.add(word)
        elif word.strip("-"):
            raise _unknown_option(word, flags + values)
    if "--store" in given:
        given["--store"] = pasted.meant(given["--store"], call.desk, call.caller)
    elif call.store is not None and "--store" in values:
        given["--store"] = call.store
    if stores:
        words = [pasted.page_of(word, call.desk.platform.admin_url) or word for word in words]
    return Arguments(_limited(words), given, frozenset(seen))


def one_word(args: Arguments) -> str:
    """Return the only word. Raises UsageError if there is none, or more than one."""
    if not args.words:
        raise UsageError(say("The name is missing."))
    if len(args.words) > 1:
        raise UsageError(say("This takes one name, and {count} were given.", count=len(args.words)))
    return args.words[0]


def some_words(args: Arguments) -> tuple[str, ...]:
    """Return the words. Raises UsageError if there are none."""
    if not args.words:
        raise UsageError(say("The name is missing."))
    return args.words


def usage_outcome(command: Command, error: UsageError, caller: Caller) -> Outcome:
    """Return the answer to words that ``command`` cannot read: what is wrong, how the caller types it, an example."""
    usage = command.typed_by(caller)
    parts = (
        Paragraph(say("Type: {command}", command=usage)),
        Hint(say("For example: {command}", command=command.example)),
    )
    reply = Reply(Tone.WARN, error.text, parts, private=True)
    return Outcome(reply, exit_code=2, data={"error": error.text.plain(), "usage": usage})


def _take(given: dict[str, str], option: str, value: str) -> None:
    if not value:
        raise _no_value(option)
    if given.setdefault(option, value) != value:
        raise UsageError(say("{option} was given twice, with different values.", option=option))


def _next(queue: list[str], option: str) -> str:
    if not queue or queue[0].startswith("--"):
        raise _no_value(option)
    return queue.pop(0)


def _no_value(option: str) -> UsageError:
    example = f"{option} {VALUES[option]}"
    return UsageError(
        say("The value of {option} is missing, as in: {example}", option=option, example=example)
    )


def _unknown_option(word: str, known: tuple[str, ...]) -> UsageError:
    bare, _, _ = word.lstrip("-").partition("=")
    if f"--{bare}" in TERMINAL_OPTIONS:
        return UsageError(say("{option} is for the terminal alone. Leave it out here.", option=f"--{bare}"))
    near = get_close_matches(bare, [one.lstrip("-") for one in known], n=1, cutoff=NEAR)
    if near:
        return UsageError(
            say("There is no option {given}. Did you mean {option}?", given=word, option=f"--{near[0]}")
        )
    return UsageError(say("There is no option {given} here.", given=word))


def _limited(words: list[str]) -> tuple[str, ...]:
    once = tuple(dict.fromkeys(words))
    if len(once) > MAX_NAMES:
        raise UsageError(
            say(
                "{count} names were given and one command takes at most {most} names. Nothing was done;"
                " send them in several commands.",
                count=len(once),
                most=MAX_NAMES,
            )
        )
    return once
