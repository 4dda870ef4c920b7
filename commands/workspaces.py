"""What the support workspace is told of other workspaces: that certdesk was installed in one, or cannot work there any more."""

from datetime import datetime

from commands.reply import Fields, Hint, Part, Reply, Tone
from commands.reply_json import reply_to_json
from services import linking
from services.desk import Desk
from services.model.text import Text, say
from services.model.workspaces import Workspace, WorkspaceState
from services.ports import Message, Transaction

REPLY = "reply"


def tell_installed(tx: Transaction, desk: Desk, workspace: Workspace, now: datetime) -> None:
    """Owe the support workspace the news that certdesk was installed; nothing where it has no channel for support."""
    link = say(
        "Until a store is linked to it, nobody there sees any. Support links one with: {command}",
        command=f"/ssl link workspace {workspace.team} STORE",
    )
    reply = Reply(
        Tone.GOOD,
        say("certdesk is installed in the workspace {name}", name=workspace.name or workspace.team),
        (_facts(workspace), Hint(link)),
    )
    _owe(tx, desk, workspace, reply, now)


def tell_left(tx: Transaction, desk: Desk, workspace: Workspace, now: datetime) -> None:
    """Owe the support workspace the news that certdesk cannot work in a workspace any more."""
    again = say(
        "What certdesk owes to channels there comes here from now on. Whoever runs the workspace can install certdesk"
        " again by the same link as before; its stores stay linked to it."
    )
    reply = Reply(Tone.WARN, _left(workspace), (_facts(workspace), Hint(again)))
    _owe(tx, desk, workspace, reply, now)


def _left(workspace: Workspace) -> Text:
    name = workspace.name or workspace.team
    if workspace.state is WorkspaceState.UNINSTALLED:
        return say("certdesk was uninstalled from the workspace {name}", name=name)
    return say("Slack does not take certdesk's token for the workspace {name} any more", name=name)


def _facts(workspace: Workspace) -> Part:
    by = linking.user_of(workspace.installed_by)
    return Fields(
        (
            (say("Workspace"), say("{team}", team=workspace.team)),
            (say("Installed at"), say("{at}, by {user}", at=workspace.installed_at, user=by)),
        )
    )


def _owe(tx: Transaction, desk: Desk, workspace: Workspace, reply: Reply, now: datetime) -> None:
    channel = linking.support_channel(desk.alerting)
    if not channel:
        return
    key = f"workspace:{workspace.team}:{workspace.generation}:{workspace.state.value}"
    tx.outbox.put(Message.in_channel(key, REPLY, channel, reply_to_json(reply), now))
