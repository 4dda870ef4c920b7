"""Socket Mode: a connection that we hold to Slack, kept alive, for where Slack cannot reach us over HTTP."""

import contextlib
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.error import URLError

import structlog
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk.errors import SlackClientError

from bot.slack.clients import asking_client, wire_logger
from bot.slack.settings import SlackSettings
from services.model.clock import Clock

_log = structlog.get_logger(__name__)
SILENCE = timedelta(hours=2)
"""Slack renews a connection about every hour, and says so on it: one that says nothing for longer is dead, whatever
its pings say (bolt-python issues 417 and 1529)."""


class SocketTransport:
    """Runs Bolt over Socket Mode. `start`, `check` and `stop` may be called from any thread."""

    def __init__(self, app: App, settings: SlackSettings, clock: Clock, silence: timedelta = SILENCE) -> None:
        self._clock, self._silence = clock, silence
        self._lock = threading.Lock()
        self._heard_at = clock()
        self._lost_at: datetime | None = None
        self.started = False
        """Whether this process listens."""
        self._handler = SocketModeHandler(
            app, settings.app_token, logger=wire_logger(), web_client=asking_client(settings)
        )
        self._client = self._handler.client
        self._client.on_message_listeners.append(self._heard)

    def start(self) -> None:
        """Connect. Does not raise when Slack cannot be reached or refuses: `check` tries again."""
        self.started = True
        self.reconnect()

    def reconnect(self) -> None:
        """Leave the connection and make another one, whatever state it is in. Does not raise, as `start`."""
        with self._lock:
            if self.started and not self._client.closed:
                self._try(lambda: self._client.connect_to_new_endpoint(force=True))

    def check(self) -> None:
        """Connect anew if the connection is down or has been silent for too long. Call it every few seconds."""
        with self._lock:
            if self._client.closed:
                return
            silent = self._clock() - self._heard_at > self._silence
            if silent or not self._client.is_connected():
                self._try(lambda: self._client.connect_to_new_endpoint(force=silent))
            self._note()

    def deaf_since(self) -> datetime | None:
        """Return since when nothing can arrive, as far as the connection itself shows; None if it seems well.

        Without a canary that is all there is: no connection (`slack_sdk` ends one whose pings are not answered for 40
        seconds), or one on which even Slack's hourly word of renewal is missing, although it was made anew.
        """
        if self._lost_at is not None:
            return self._lost_at
        return self._heard_at if self._clock() - self._heard_at > self._silence else None

    def stop(self) -> None:
        """Close the connection and end its threads. May be called twice."""
        with self._lock:
            if not self._client.closed:
                self._client.auto_reconnect_enabled = False
                self._hang_up()
                self._client.close()

    def connected(self) -> bool:
        """Tell whether commands can arrive."""
        return self._client.is_connected()

    def _note(self) -> None:
        if self.connected():
            self._lost_at = None
        elif self._lost_at is None:
            self._lost_at = self._clock()

    def _hang_up(self) -> None:
        """End the read that the client's thread waits in: by itself it would look up after three seconds only."""
        session = self._client.current_session
        if session is not None and session.sock is not None:
            with contextlib.suppress(OSError):
                session.sock.shutdown(socket.SHUT_RDWR)

    def _heard(self, _message: str) -> None:
        self._heard_at = self._clock()

    def _try(self, connect: Callable[[], None]) -> None:
        started = self._clock()
        try:
            connect()
        except (SlackClientError, URLError, OSError) as error:
            _log.warning("slack.connect_failed", error=type(error).__name__, detail=str(error)[:200])
            self._note()
            return
        self._note()
        if self.connected():
            self._heard_at = started
            _log.info("slack.connected")
        else:  # slack_sdk has logged why
            _log.warning("slack.connect_failed")
