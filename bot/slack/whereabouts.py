"""What is said where a message does not stand in the place that it was asked in, or meant for. Pure."""

from bot.slack.delivery import Method, Place, Way
from commands.reply import Hint, Reply, Tone
from services import approvals
from services.model.text import say
from services.model.workspaces import place
from services.ports import Message

ELSEWHERE = Hint(
    say(
        "You see this here because certdesk may not write where you asked. To have its answers there, type there:"
        " {command}",
        command="/invite @certdesk",
    )
)
"""Stands below what could not be written where it was asked for."""
_ASKED = Reply(
    Tone.INFO,
    say("certdesk asks you in a direct message: nothing is done before the question there is answered"),
    private=True,
)
_TOLD = Reply(
    Tone.INFO,
    say("certdesk answers you in a direct message, which shows how things go on"),
    private=True,
)
_SHARED = Reply(
    Tone.INFO,
    say("certdesk answers you in a direct message: Slack shows no file to one person alone in a channel"),
    private=True,
)


def fallen(origin: str) -> Hint:
    """Return the line that says where a message was to stand, and why it stands here."""
    team, channel = place(origin)
    said = say(
        "This was for the channel {channel} of the workspace {team}, where certdesk is not installed any more. Whoever runs"
        " that workspace can install it again.",
        channel=channel,
        team=team,
    )
    return Hint(said)


def pointer(message: Message, way: Way, stands: Place) -> Reply | None:
    """Return what who asked in a channel is told there, once, of an answer that ``way`` took to their direct messages.

    None for what stands where it was asked for, was shown before, or is of no channel; and for what had to go there because
    certdesk may not write in the channel: it says so itself (`ELSEWHERE`).
    """
    chosen = way.method in {Method.POST, Method.SHARE} and not way.channel
    if not chosen or message.ts or not message.user or message.channel in {"", stands.channel}:
        return None
    if way.method is Method.SHARE:
        return _SHARED
    return _ASKED if message.kind == approvals.MESSAGE else _TOLD
