"""/ssl notify: show or choose the channel in which a workspace is told what the merchants of its stores have to do."""

from commands import views
from commands.caller import Action
from commands.command import Call, Command, UsageError, arguments
from commands.mentions import joined, mentioned
from commands.reply import Hint, Outcome, Reply, Tone
from services import linking
from services.model.audiences import Kind
from services.model.errors import NotFoundError
from services.model.text import Text, say
from services.model.workspaces import Workspace, place

NONE = "none"
"""The word that takes a choice back."""


def run(call: Call) -> Outcome:
    """Show the workspace's channel, or set it to CHANNEL; ``none`` takes that back."""
    words = joined(arguments(call, values=()).words)
    who = mentioned(words[0]) if words else None
    if who is None or who.kind is not Kind.WORKSPACE or len(words) > 2:
        raise UsageError(say("This takes a workspace, and one of its channels: {form}.", form=COMMAND.usage))
    if len(words) == 1:
        return _shown(call, _known(call, who.id))
    channel = "" if words[1].casefold() == NONE else _channel(words[1], who.id)
    before = linking.tell_in(call.desk, who.id, channel)
    return _chosen(call, who.id, channel, before)


def _channel(word: str, team: str) -> str:
    """Return the id of a channel of that workspace. Raises UsageError if the word is none."""
    found = (
        None if word.startswith("<") else mentioned(word)
    )  # what Slack writes is a channel of this workspace
    there, channel = place(found.id) if found is not None and found.kind is Kind.CHANNEL else ("", "")
    if not channel or there not in ("", team):
        text = (
            "{word} is no channel of the workspace {team}. Give the id that Slack shows there under the channel's details:"
            " {form}."
        )
        raise UsageError(say(text, word=views.clipped(word), team=team, form=f"{team}/C0123456789"))
    return channel


def _known(call: Call, team: str) -> Workspace:
    with call.desk.storage.read() as tx:
        workspace = tx.workspaces.get(team)
    if workspace is None:
        raise NotFoundError(linking.no_workspace(team))
    return workspace


def _shown(call: Call, workspace: Workspace) -> Outcome:
    team, channel = workspace.team, workspace.alert_channel
    choose = say(
        "To choose one, type: {command}", command=views.typed("notify", "workspace", team, "C0123456789")
    )
    if not channel:
        said = say("No channel is chosen for alerts in the workspace {team}", team=team)
        return _answer(Tone.INFO, said, team, channel, _what(call, team), choose)
    said = say(
        "Merchants in the workspace {team} are told what they have to do in the channel {channel}",
        team=team,
        channel=channel,
    )
    return _answer(Tone.INFO, said, team, channel, _what(call, team), _back(team))


def _chosen(call: Call, team: str, channel: str, before: str) -> Outcome:
    if not channel:
        if before:
            said = say(
                "In the workspace {team}, the channel {channel} is told nothing more",
                team=team,
                channel=before,
            )
        else:
            said = say("No channel was chosen in the workspace {team}; nothing was changed", team=team)
        rest = say("Channels that are linked to a store are still told of that store.")
        return _answer(Tone.GOOD, said, team, channel, rest)
    said = say(
        "Merchants in the workspace {team} are told what they have to do in the channel {channel} from now on",
        team=team,
        channel=channel,
    )
    invite = say(
        "Somebody there has to let certdesk into the channel: {command}", command="/invite @certdesk"
    )
    return _answer(Tone.GOOD, said, team, channel, _what(call, team), invite, _back(team))


def _what(call: Call, team: str) -> Text:
    stores = [link.store for link in linking.linked_to(call.desk, Kind.WORKSPACE, team)]
    return say(
        "Told of are the stores that are linked to the workspace, and everybody in the channel sees it: {stores}. What is open"
        " already comes with its next change.",
        stores=views.shortened(stores),
    )


def _back(team: str) -> Text:
    return say(
        "To take the choice back, type: {command}", command=views.typed("notify", "workspace", team, NONE)
    )


def _answer(tone: Tone, said: Text, team: str, channel: str, *hints: Text) -> Outcome:
    reply = Reply(tone, said, tuple(Hint(hint) for hint in hints), private=True)
    data = {"workspace": team, "channel": channel or None}
    return Outcome(reply, data=data, subject=f"{team} {channel or NONE}")


COMMAND = Command(
    name="notify",
    action=Action.LINK,
    summary=say(
        "Show or choose the channel in which another workspace is told what its merchants have to do"
    ),
    usage="/ssl notify workspace TEAM [CHANNEL | none]",
    example="/ssl notify workspace T024BE7LD C024BE7LR",
    run=run,
    changes=True,
)
