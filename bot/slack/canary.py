"""Socket Mode's canary: a reaction of our own that has to come back as an event, or else we hear nothing any more.

A Socket Mode connection can stay open, answer pings, and yet deliver nothing (bolt-python issues 417 and 1529). Only
something that takes the whole way can tell: reactions.add on a message of our own, whose reaction_added event Slack
sends over the socket and Bolt dispatches. Whoever hears it takes the reaction away again, so that it also shows, to
every process, whether anybody heard it. Scopes: reactions:write to do it, reactions:read to be told of it.

It proves that events go from Slack through the socket to our listener. It does not prove that Slack would deliver a
command or a click (they are other kinds of envelope on the same socket), nor that a worker takes requests up. Where
Slack's Web API is away it proves nothing, and says nothing.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from slack_sdk.web import WebClient

from bot.slack.delivery import Place, place_of
from bot.slack.errors import CALL_ERRORS, read_error
from commands.reply import Paragraph, Reply, Tone
from commands.reply_json import reply_to_json
from services.model.text import say
from services.ports import Message, Storage

_log = structlog.get_logger(__name__)
REACTION = "bird"
PERIOD = timedelta(minutes=5)
"""From one chirp to the next, when all is well."""
PATIENCE = timedelta(minutes=1)
"""How long an answer may take (Slack's takes a second); as often at most is the connection made anew, for
apps.connections.open is a Tier 1 method: once a minute."""
_MESSAGE = Reply(
    Tone.INFO,
    say("certdesk listens to itself here"),
    (
        Paragraph(
            say(
                "Every few minutes certdesk puts a reaction on this message and takes it away as soon as Slack has told"
                " it so: that is how it notices that commands and clicks would not reach it. Nobody has to do anything."
            )
        ),
    ),
)


class Canary:
    """Chirps and listens. `tick` may be called as often as one likes, from any thread; `heard` must be quick, and is."""

    def __init__(
        self, client: WebClient, storage: Storage, channel: str, reconnect: Callable[[], None]
    ) -> None:
        """Use the message that stands in ``channel`` (C…, certdesk is a member); ``reconnect`` makes the socket anew."""
        self._client, self._storage, self._channel, self._reconnect = client, storage, channel, reconnect
        self._lock = threading.Lock()
        self._key = f"canary:{channel}"
        self._place: Place | None = None
        self._next: datetime | None = None
        self._chirped_at: datetime | None = None
        """When the latest reaction was added that nobody has been heard of yet."""
        self._silent_since: datetime | None = None
        self._deleted = False
        """Whether somebody has deleted the message."""
        self._echoed = threading.Event()

    @property
    def silent_since(self) -> datetime | None:
        """Since when nothing comes back; None if all is well, or nothing is known."""
        return self._silent_since

    def heard(self, event: Mapping[str, Any]) -> None:
        """Take note of a reaction_added event. A person's counts as well: it took the same way."""
        self._silent_since = None
        item = event.get("item")
        place = self._place
        if place is not None and isinstance(item, Mapping) and item.get("ts") == place.ts:
            self._echoed.set()

    def tick(self, now: datetime) -> None:
        """Do what is due: take back what was heard, chirp, or make the connection anew."""
        with self._lock:
            self._place = self._find(now)
            if self._place is None:
                return
            if self._echoed.is_set():
                self._take_back(self._place)
                self._well(now)
            elif self._chirped_at is not None:
                if now - self._chirped_at >= PATIENCE:
                    self._look_into(self._place, self._chirped_at, now)
            elif self._next is None or now >= self._next:
                self._chirp(self._place, now)

    def _well(self, now: datetime) -> None:
        self._echoed.clear()
        self._chirped_at = self._silent_since = None
        self._next = now + PERIOD

    def _look_into(self, place: Place, chirped_at: datetime, now: datetime) -> None:
        """Decide about a reaction that this process has not heard of: perhaps another one has, and took it away."""
        stood = self._take_back(place)
        if stood is None:
            self._chirped_at = now  # Slack does not answer: nothing is known, and nothing is changed
        elif not stood:
            self._well(now)
        else:
            self._silent_since = self._silent_since or chirped_at
            _log.warning("slack.deaf", since=self._silent_since.isoformat())
            self._reconnect()
            self._chirp(place, now)

    def _chirp(self, place: Place, now: datetime) -> None:
        self._echoed.clear()
        error = self._call("reactions.add", place)
        if (
            error == "already_reacted"
        ):  # of a process that has ended, or of another one just now: there is no event of it
            self._take_back(place)
            error = self._call("reactions.add", place)
        self._next = now + PERIOD
        self._chirped_at = now if not error else None

    def _take_back(self, place: Place) -> bool | None:
        """Take the reaction away; whether it stood. None if Slack did not say."""
        error = self._call("reactions.remove", place)
        return True if not error else False if error == "no_reaction" else None

    def _call(self, method: str, place: Place) -> str:
        """Return Slack's error code; empty if it was done."""
        asked = {"channel": place.channel, "timestamp": place.ts, "name": REACTION}
        try:
            self._client.api_call(method, params=asked)
        except CALL_ERRORS as error:
            code = read_error(error).code
            self._deleted = self._deleted or code == "message_not_found"
            if code not in ("already_reacted", "no_reaction"):
                _log.warning("slack.canary_failed", method=method, error=code)
            return code
        return ""

    def _find(self, now: datetime) -> Place | None:
        """Return where the message stands; None while it is on its way. The outbox posts it once for all processes."""
        with self._storage.read() as tx:
            message = tx.outbox.by_key(self._key)
        if message is None or (self._deleted and message.sent == message.version):
            self._put(now)  # an edit of what was deleted becomes a new post
            self._deleted = False
            return None
        return place_of(message) if message.sent == message.version else None

    def _put(self, now: datetime) -> None:
        body = reply_to_json(_MESSAGE)
        message = Message.in_channel(self._key, "reply", self._channel, body, now)
        with self._storage.write() as tx:
            tx.outbox.put(message)
