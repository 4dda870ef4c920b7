"""What is told where certdesk's access to a workspace is about to end: support, and whoever installed certdesk there.

Slack gives a new token for a refresh token that is good for one time. Where that one is used up and the new pair is lost, the
token that is there works to its end; whoever installs certdesk again before that loses nothing.
"""

from dataclasses import replace
from datetime import datetime

from commands.reply import Composed, Hint, Paragraph, Reply, Tone
from services import linking
from services.desk import Desk
from services.model.text import say
from services.model.workspaces import Workspace
from services.ports import Message, Transaction

ENDING = "workspace_ending"
"""Kind of the messages; the body is {"team", "generation", "link"}: of which token it is, and where to install again."""
_SUPPORT, _INSTALLER = "support", "installer"


def tell_ending(
    tx: Transaction, desk: Desk, workspace: Workspace, where: str, link: str, now: datetime
) -> None:
    """Owe the news to support, and to who installed certdesk in the workspace, by direct message there; once for each token.

    ``where`` is how rows name the workspace, ``link`` where certdesk is installed.
    """
    body = {"team": workspace.team, "generation": workspace.generation, "link": link}
    support = linking.support_channel(desk.alerting)
    owed = []
    if support:
        owed.append(Message.in_channel(_key(workspace, _SUPPORT), ENDING, support, body, now))
    if user := linking.user_of(workspace.installed_by):
        direct = Message.in_channel(_key(workspace, _INSTALLER), ENDING, "", body, now)
        owed.append(replace(direct, user=user, private=True, team=where))
    for message in owed:
        if tx.outbox.by_key(message.key) is None:
            tx.outbox.put(message)


def settle(tx: Transaction, workspace: Workspace, now: datetime) -> None:
    """Let what was told of the workspace's token, or of the one before it, say how things stand now."""
    for generation in (workspace.generation, workspace.generation - 1):
        for who in (_SUPPORT, _INSTALLER):
            told = tx.outbox.by_key(_key(replace(workspace, generation=generation), who))
            if told is not None:
                tx.outbox.put(replace(told, run_after=now))


def ending_message(desk: Desk, message: Message) -> Composed:
    """Compose kind ``workspace_ending``: as long as it holds, what to do; then, that it is over."""
    team, link = str(message.body["team"]), str(message.body["link"])
    with desk.storage.read() as tx:
        workspace = tx.workspaces.get(team)
    name = (workspace.name if workspace else "") or team
    if workspace is None or not workspace.active:
        return Composed(_over(name, link), final=True)
    if workspace.generation != message.body["generation"] or workspace.expires_at is None:
        goes_on = say(
            "certdesk goes on working in the workspace {name}: nobody has to do anything", name=name
        )
        return Composed(Reply(Tone.GOOD, goes_on), final=True)
    theirs = bool(message.user)
    reply = (_to_installer if theirs else _to_support)(workspace, name, link, workspace.expires_at)
    return Composed(reply, final=True)


def _to_support(workspace: Workspace, name: str, link: str, ends: datetime) -> Reply:
    why = say(
        "Slack gives certdesk no new token for it: the refresh token is used up, as it is when certdesk was cut off in the moment"
        " of Slack's answer. The present token works until then, and nothing is lost yet."
    )
    move = say(
        "It is the move of {user}, who installed certdesk there and is told by direct message: certdesk has to be installed"
        " again in that workspace, at {link}. Its stores stay linked.",
        user=linking.user_of(workspace.installed_by),
        link=link,
    )
    after = say("If nobody does, what certdesk owes to channels there comes here from then on.")
    title = say("certdesk's access to the workspace {name} ends on {at}", name=name, at=ends)
    return Reply(Tone.WARN, title, (Paragraph(why), Paragraph(move), Hint(after)))


def _to_installer(_workspace: Workspace, name: str, link: str, ends: datetime) -> Reply:
    title = say("Please install certdesk again in the workspace {name}, before {at}", name=name, at=ends)
    why = say(
        "You installed certdesk here. Slack gives it no new token, so it cannot work here any more after that. Open {link} in a"
        " browser and agree once more: nothing is lost, and your stores stay linked.",
        link=link,
    )
    other = say("If that is somebody else's task now, please pass this on to them.")
    return Reply(Tone.WARN, title, (Paragraph(why), Hint(other)), private=True)


def _over(name: str, link: str) -> Reply:
    again = say("Its stores stay linked. certdesk can be installed there again, at {link}", link=link)
    return Reply(
        Tone.WARN, say("certdesk's access to the workspace {name} has ended", name=name), (Hint(again),)
    )


def _key(workspace: Workspace, who: str) -> str:
    return f"workspace:{workspace.team}:ending:{workspace.generation}:{who}"
