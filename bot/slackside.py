"""The Slack side of a process, put together: who a caller is, how messages leave, and the transport that commands come by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from bot import settings
from bot.config import ConfigurationError
from bot.slack.app import Intake, make_app
from bot.slack.callers import Callers
from bot.slack.canary import Canary
from bot.slack.departures import Departures
from bot.slack.homes import Homes
from bot.slack.http import SlackDoor
from bot.slack.identity import Identity
from bot.slack.installing import Installer
from bot.slack.live_views import LiveViews
from bot.slack.notifier import Notifier
from bot.slack.rooms import SlackRooms
from bot.slack.rotation import Rotation
from bot.slack.screens import SlackScreens
from bot.slack.soundness import Soundness
from bot.slack.speech import Speech
from bot.slack.token import TokenWatch
from bot.slack.transport import SocketTransport
from bot.slack.uploads import SlackUploads
from bot.slack.workspaces import Clients
from bot.text.language import Language, language
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
    callers: Callers
    notifier: Notifier
    screens: Screens
    homes: Homes
    views: LiveViews
    rooms: Rooms
    uploads: Uploads
    soundness: Soundness
    door: SlackDoor | None
    socket: SocketTransport | None
    canary: Canary | None = None
    """Tests Socket Mode end to end, where ``slack.canary_channel`` is set."""
    token: TokenWatch | None = None
    """Looks whether Slack takes ``slack.bot_token``; None where the token is an installation's."""
    installer: Installer | None = None
    """Installs certdesk in further workspaces, where ``slack.client_id`` is set."""
    rotation: Rotation | None = None
    """Renews their tokens."""

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
    clients = Clients(slack, application.storage, application.vault)
    intake = Intake(application.storage, clock, application.bell.ring, slack.workspace)
    ear = _Ear()
    departures = Departures(slack, application.desk)
    identity = Identity(clients.asking(), slack, clock, storage=application.storage)
    callers = Callers(identity, clients.asking, application.storage, clock)
    speech = Speech(application.storage, callers.locale, callers.named)
    tongue = partial(_tongue, identity)
    soundness = Soundness()
    rooms = SlackRooms(clients.asking, slack, callers.reader, clock)
    app = make_app(slack, intake, ear, departures.heard, tongue)
    socket = SocketTransport(app, slack, clock) if slack.mode == "socket" else None
    if socket is not None and slack.canary_channel:
        ear.canary = Canary(clients.posting(), application.storage, slack.canary_channel, socket.reconnect)
    return SlackSide(
        identity=identity,
        callers=callers,
        notifier=Notifier(
            clients.posting,
            application.storage,
            partial(compose, application.desk, known=callers.known, rooms=rooms),
            clock,
            slack.command,
            date_tokens=slack.date_tokens,
            departures=departures,
            speech=speech,
            soundness=soundness,
        ),
        screens=SlackScreens(
            clients.posting,
            slack.command,
            date_tokens=slack.date_tokens,
            speech=speech,
            soundness=soundness,
        ),
        homes=Homes(
            clients.posting,
            application.desk,
            callers.caller,
            slack.command,
            date_tokens=slack.date_tokens,
            speech=speech,
            soundness=soundness,
        ),
        views=LiveViews(
            clients.posting,
            application.desk,
            slack.command,
            date_tokens=slack.date_tokens,
            speech=speech,
            soundness=soundness,
            known=callers.known,
        ),
        soundness=soundness,
        uploads=SlackUploads(clients.asking, slack.api_url, clock),
        rooms=rooms,
        door=SlackDoor(app, slack.signing_secret, clock) if slack.mode == "http" else None,
        socket=socket,
        canary=ear.canary,
        token=TokenWatch(clients.asking(), clock) if slack.bot_token else None,
        installer=Installer(slack, application.desk, application.vault, clock) if slack.several else None,
        rotation=Rotation(slack, application.storage, application.vault, departures)
        if slack.several
        else None,
    )


def _tongue(identity: Identity, user: str) -> Language:
    """Return the language of a user as far as it is remembered."""
    return language(identity.remembered_locale(user))


class _Ear:
    """Hands events to the canary, which is made after the app: it needs the connection, and that needs the app."""

    canary: Canary | None = None

    def __call__(self, event: Mapping[str, Any]) -> None:
        if self.canary is not None:
            self.canary.heard(event)
