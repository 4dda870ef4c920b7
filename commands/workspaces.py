"""What the support workspace is told of other workspaces: that certdesk was installed in one, or cannot work there any more.

Who may install certdesk may also send it away, again and again: what happens in a workspace within a day stands in one
message, and in a second one from the first time on that certdesk has to go. Both show how things stand now.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from commands.reply import Composed, Fields, Hint, Part, Reply, Tone
from services import linking
from services.desk import Desk
from services.model.text import Text, say
from services.model.workspaces import Workspace, WorkspaceState
from services.ports import Message, Transaction

NEWS = "workspace"
"""Kind of the messages; the body is {"team", "times"}: the workspace, and how often its state has changed that day."""
SETTLES = timedelta(minutes=1)
"""How long changes after the first one of a day are gathered before a message is edited."""


def tell(tx: Transaction, desk: Desk, workspace: Workspace, now: datetime) -> None:
    """Owe the support workspace the news of a workspace's state; nothing where it has no channel for support.

    The day's first news of its kind goes out at once; what has been told that day is edited in place, after a while.
    """
    channel = linking.support_channel(desk.alerting)
    if not channel:
        return
    keys = [f"workspace:{workspace.team}:{now:%Y-%m-%d}:{kind}" for kind in ("here", "gone")]
    told = {key: message for key in keys if (message := tx.outbox.by_key(key)) is not None}
    body = {"team": workspace.team, "times": 1 + max((one.body["times"] for one in told.values()), default=0)}
    news = keys[0] if workspace.active else keys[1]
    for key in dict.fromkeys((*told, news)):
        message = Message.in_channel(key, NEWS, channel, body, now)
        tx.outbox.put(replace(message, run_after=_due(told.get(key), now)))


def workspace_message(desk: Desk, message: Message) -> Composed:
    """Compose kind ``workspace``: how the workspace stands now, and how often that has changed on the day of the message."""
    with desk.storage.read() as tx:
        workspace = tx.workspaces.get(str(message.body["team"]))
    if workspace is None:
        return Composed(Reply(Tone.INFO, say("certdesk no longer knows this workspace")), final=True)
    times = int(message.body["times"])
    often = say(
        "certdesk came or went {count} times on that day (UTC). This shows how it stands now.", count=times
    )
    reply = _installed(workspace) if workspace.active else _gone(workspace)
    return Composed(replace(reply, parts=(*reply.parts, *((Hint(often),) if times > 1 else ()))), final=True)


def _installed(workspace: Workspace) -> Reply:
    link = say(
        "Until a store is linked to it, nobody there sees any. Support links one with: {command}",
        command=f"/ssl link workspace {workspace.team} STORE",
    )
    title = say("certdesk is installed in the workspace {name}", name=workspace.name or workspace.team)
    return Reply(Tone.GOOD, title, (_facts(workspace), Hint(link)))


def _gone(workspace: Workspace) -> Reply:
    again = say(
        "What certdesk owes to channels there comes here from now on. Whoever runs the workspace can install certdesk"
        " again by the same link as before; its stores stay linked to it."
    )
    return Reply(Tone.WARN, _left(workspace), (_facts(workspace), Hint(again)))


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


def _due(told: Message | None, now: datetime) -> datetime:
    """Return when it is to be sent: at once if nothing was told yet, or it is owed already; else once it has settled."""
    if told is None:
        return now
    owed = told.version > told.sent and told.run_after is not None
    return told.run_after if owed and told.run_after is not None else now + SETTLES
