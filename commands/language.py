"""/ssl language: show or choose the language in which certdesk speaks in a channel."""

from collections.abc import Mapping

from commands import views
from commands.caller import Action
from commands.command import Call, Command, UsageError, arguments
from commands.help import chooses_language, no_access
from commands.persons import person
from commands.reply import Hint, Outcome, Reply, Tone
from services.model.audiences import ChannelLanguage
from services.model.text import NOTHING, Text, say

USUAL = "auto"
"""The word that takes a choice back."""


def run(call: Call) -> Outcome:
    """Show the channel's language, or set it to CODE; ``auto`` takes that back."""
    words = arguments(call, values=()).words
    if len(words) > 1:
        raise UsageError(say("This takes one language, and {count} were given.", count=len(words)))
    if not call.channel or call.channel.startswith("D"):
        raise UsageError(
            say(
                "A language belongs to a channel: type this there. What is for one person alone comes in the language of"
                " their Slack."
            )
        )
    if not chooses_language(call):
        return no_access(call.caller, Action.LANGUAGE)
    if not words:
        return _shown(call)
    return _taken_back(call) if words[0].casefold() == USUAL else _chosen(call, words[0])


def _shown(call: Call) -> Outcome:
    with call.desk.storage.read() as tx:
        choice = tx.languages.of(call.channel)
    if choice is None:
        said = say("No language is chosen for this channel")
        return _answer(call, Tone.INFO, said, None, say("{rule} {how}", rule=_RULE, how=_how(call)))
    name = call.desk.languages.get(choice.language, choice.language)
    by = NOTHING
    if not call.caller.limited:  # which of the platform's people did it is not the merchant's business
        by = say("Chosen by {person} at {at}.", person=person(choice.by), at=choice.at)
    said = say("In this channel certdesk speaks {language}", language=name)
    return _answer(call, Tone.INFO, said, choice.language, by, _back())


def _chosen(call: Call, word: str) -> Outcome:
    code = _code(word, call.desk.languages)
    if code is None:
        raise UsageError(
            say(
                "certdesk does not speak {given}. It speaks: {languages}",
                given=views.clipped(word),
                languages=_listed(call),
            )
        )
    choice = ChannelLanguage(call.channel, code, call.caller.person, call.desk.clock())
    with call.desk.storage.write() as tx:
        tx.languages.put(choice)
    said = say("In this channel certdesk speaks {language} from now on", language=call.desk.languages[code])
    alone = say("What is for one person alone comes in the language of their Slack, as before.")
    return _answer(call, Tone.GOOD, said, code, alone, _back())


def _taken_back(call: Call) -> Outcome:
    with call.desk.storage.write() as tx:
        gone = tx.languages.drop(call.channel)
    if gone:
        said = say("The language that was chosen for this channel is taken back")
    else:
        said = say("No language was chosen for this channel; nothing was changed")
    return _answer(call, Tone.GOOD, said, None, _RULE)


_RULE = say(
    "certdesk speaks the language of the store here if the channel is linked to one, else English; to one person alone that of"
    " their Slack."
)


def _how(call: Call) -> Text:
    return say(
        "To choose one, type {command} and one of: {languages}",
        command=views.typed("language"),
        languages=_listed(call),
    )


def _back() -> Text:
    return say("To take the choice back, type: {command}", command=views.typed("language", USUAL))


def _listed(call: Call) -> tuple[str, ...]:
    return tuple(f"{code} ({name})" for code, name in call.desk.languages.items())


def _code(word: str, known: Mapping[str, str]) -> str | None:
    """Return the code that is meant by a code, a locale such as ko-KR, or the language's own name; None for no known one."""
    given = word.casefold().replace("_", "-")
    for code, name in known.items():
        if given in (code.casefold().replace("_", "-"), name.casefold()):
            return code
    return next((code for code in known if given.partition("-")[0] == code.casefold()), None)


def _answer(call: Call, tone: Tone, said: Text, code: str | None, *hints: Text) -> Outcome:
    parts = tuple(Hint(hint) for hint in hints if hint != NOTHING)
    data = {"channel": call.channel, "language": code}
    return Outcome(
        Reply(tone, said, parts, private=True), data=data, subject=f"{call.channel} {code or USUAL}"
    )


COMMAND = Command(
    name="language",
    action=Action.LANGUAGE,
    summary=say("Show or choose the language in which certdesk speaks in a channel"),
    usage="/ssl language [CODE | auto]",
    example="/ssl language ko",
    run=run,
    changes=True,
)
