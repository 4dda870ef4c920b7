"""The Slack side of a process, put together: who a caller is, how messages leave, and the transport that commands come by."""

from dataclasses import dataclass
from functools import partial

from bot import settings
from bot.config import ConfigurationError
from bot.slack.app import Intake, make_app
from bot.slack.clients import asking_client, posting_client
from bot.slack.http import SlackDoor
from bot.slack.identity import Identity
from bot.slack.notifier import Notifier
from bot.slack.transport import SocketTransport
from bot.wiring import Application
from commands.messages import compose
from services.model.text import say


@dataclass(frozen=True, slots=True)
class SlackSide:
    """One of door (HTTP mode) and socket (Socket Mode) is there."""

    identity: Identity
    notifier: Notifier
    door: SlackDoor | None
    socket: SocketTransport | None


def connect(application: Application) -> SlackSide | None:
    """Return the Slack side that the settings describe; None without a bot token. Nothing is sent yet.

    Raises ConfigurationError where the mode's own secret is missing.
    """
    slack = settings.slack(application.loaded)
    if not slack.mode:
        return None
    if slack.mode == "http" and not slack.signing_secret:
        raise ConfigurationError(
            say(
                "slack.signing_secret is missing: HTTP mode needs it to tell Slack's requests from forged ones."
            )
        )
    if slack.mode == "socket" and not slack.app_token:
        raise ConfigurationError(say("slack.app_token is missing: Socket Mode opens its connection with it."))
    clock = application.clock
    intake = Intake(application.storage, clock, application.bell.ring)
    app = make_app(slack, intake)
    return SlackSide(
        identity=Identity(asking_client(slack), slack, clock),
        notifier=Notifier(
            posting_client(slack),
            application.storage,
            partial(compose, application.desk),
            clock,
            slack.command,
            date_tokens=slack.date_tokens,
        ),
        door=SlackDoor(app, slack.signing_secret, clock) if slack.mode == "http" else None,
        socket=SocketTransport(app, slack, clock) if slack.mode == "socket" else None,
    )
