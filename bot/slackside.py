"""The Slack side of a process, put together: who a caller is, how messages leave, and the transport that commands come by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from bot import settings
from bot.config import ConfigurationError
from bot.slack.app import Intake, make_app
from bot.slack.canary import Canary
from bot.slack.clients import asking_client, posting_client
from bot.slack.homes import Homes
from bot.slack.http import SlackDoor
from bot.slack.identity import Identity
from bot.slack.live_views import LiveViews
from bot.slack.notifier import Notifier
from bot.slack.rooms import SlackRooms
from bot.slack.screens import SlackScreens
from bot.slack.speech import Speech
from bot.slack.transport import SocketTransport
from bot.slack.uploads import SlackUploads
from bot.text.language import language
from bot.wiring import Application
from commands.hearing import Rooms
from commands.messages import compose
from commands.screens import Screens
from commands.uploads import Uploads
from services.model.text import say


@dataclass(frozen=True, slots=True)
class SlackSide:
    """One of door (HTTP mode) and socket (Socket Mode) is there."""

    identity: Identity
    notifier: Notifier
    screens: Screens
    homes: Homes
    views: LiveViews
    rooms: Rooms
    uploads: Uploads
    door: SlackDoor | None
    socket: SocketTransport | None
    canary: Canary | None = None
    """Tests Socket Mode end to end, where ``slack.canary_channel`` is set."""

    def tick(self, now: datetime) -> None:
        """Do what comes round for the connection; call it every few seconds, in processes that listen."""
        if self.socket is not None:
            self.socket.check()
        if self.canary is not None:
            self.canary.tick(now)

    def deaf_since(self) -> datetime | None:
        """Return since when commands and clicks would not arrive; None if all seems well, or in HTTP mode.

        Known only to a process that listens: in one that only works the answer is None.
        """
        if self.socket is None or not self.socket.started:
            return None
        silent = self.canary.silent_since if self.canary is not None else None
        return silent or self.socket.deaf_since()


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
    ear = _Ear()
    identity = Identity(asking_client(slack), slack, clock, storage=application.storage)
    speech = Speech(application.storage, identity.locale, identity.named)
    app = make_app(slack, intake, ear, lambda user: language(identity.remembered_locale(user)))
    socket = SocketTransport(app, slack, clock) if slack.mode == "socket" else None
    if socket is not None and slack.canary_channel:
        ear.canary = Canary(
            posting_client(slack), application.storage, slack.canary_channel, socket.reconnect
        )
    return SlackSide(
        identity=identity,
        notifier=Notifier(
            posting_client(slack),
            application.storage,
            partial(compose, application.desk),
            clock,
            slack.command,
            date_tokens=slack.date_tokens,
            speech=speech,
        ),
        screens=SlackScreens(
            posting_client(slack), slack.command, date_tokens=slack.date_tokens, speech=speech
        ),
        homes=Homes(
            posting_client(slack),
            application.desk,
            identity.caller,
            slack.command,
            date_tokens=slack.date_tokens,
            speech=speech,
        ),
        views=LiveViews(
            posting_client(slack),
            application.desk,
            slack.command,
            date_tokens=slack.date_tokens,
            speech=speech,
        ),
        uploads=SlackUploads(asking_client(slack), slack, clock),
        rooms=SlackRooms(asking_client(slack), slack, identity, clock),
        door=SlackDoor(app, slack.signing_secret, clock) if slack.mode == "http" else None,
        socket=socket,
        canary=ear.canary,
    )


class _Ear:
    """Hands events to the canary, which is made after the app: it needs the connection, and that needs the app."""

    canary: Canary | None = None

    def __call__(self, event: Mapping[str, Any]) -> None:
        if self.canary is not None:
            self.canary.heard(event)
