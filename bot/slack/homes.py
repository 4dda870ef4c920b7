"""Publishes Home tabs that are owed (`services.home`): each with the rights that its person has at that moment."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from bot.slack.delay import error_line
from bot.slack.delivery import UNSOUND_VIEWS, then, wait
from bot.slack.errors import CALL_ERRORS, CallError, read_error
from bot.slack.plainer import plainer
from bot.slack.reader import Reader
from bot.slack.render_views import home
from bot.slack.soundness import Soundness
from bot.slack.speech import English, Speech
from bot.slack.workspaces import ByWorkspace
from commands.caller import Caller
from commands.home import Seen, look
from services.desk import Desk
from services.home import lately
from services.model.errors import LeaseLostError
from services.model.workspaces import placed
from services.ports import Message, Request

_log = structlog.get_logger(__name__)
MOST_LOOKS = 3
"""How often a Home is looked at before it is published: once more if it changed while what it follows was written."""


class Homes:
    """Publishes claimed Homes. Safe to use from many threads, each with Homes of its own."""

    def __init__(
        self,
        clients: ByWorkspace,
        desk: Desk,
        caller: Callable[[Request], Caller],
        command: str = "/ssl",
        *,
        date_tokens: bool = True,
        speech: Speech | English | None = None,
        soundness: Soundness | None = None,
    ) -> None:
        """``clients`` must not repeat calls by themselves; ``caller`` says who a person is, and never from memory of a view."""
        self._clients, self._desk, self._caller = clients, desk, caller
        self._command, self._date_tokens = command, date_tokens
        self._speech = speech or English()
        self._soundness = soundness or Soundness()
        self._lock = threading.Lock()
        self._paused: dict[str, datetime] = {}
        """Workspace -> until when it takes nothing."""

    def deliver(self, message: Message) -> None:
        """Publish the Home as it is now, and record it as delivered or postponed; one that nobody looks at is let go."""
        now = self._desk.clock()
        try:
            if not lately(message, now):
                self._done(message, final=True)
            elif (until := self._pause(message.team, now)) is not None:
                self._postpone(message, until, "ratelimited")
            else:
                self._publish(message)
        except LeaseLostError:
            _log.info("slack.home_lost", message=message.id)  # another worker publishes it

    def _publish(self, message: Message) -> None:
        caller = self._caller(_asks(message))
        seen = self._looked(message, caller)
        reader = Reader(self._command, self._speech.to_person(placed(message.team, message.user)))
        view = home(seen.page, reader.command, reader.language)
        view = self._soundness.view(view if self._date_tokens else plainer(view), message.id, reader)
        facts = self._called(message, view)
        if facts is not None and facts.code in UNSOUND_VIEWS:
            facts = self._called(message, self._soundness.bare(view, message.id, reader, facts.code))
        if facts is not None:
            until = self._desk.clock() + wait(then(facts), message, facts.retry_after)
            if facts.status == 429:
                self._hold(message.team, until)
            self._postpone(message, until, facts.code)
            return
        self._done(message, final=False)

    def _called(self, message: Message, view: dict[str, Any]) -> CallError | None:
        """Publish it; return why Slack did not take it, or None if it did."""
        try:
            self._clients(message.team).views_publish(user_id=message.user, view=view)
        except CALL_ERRORS as error:
            facts = read_error(error)
            _log.info("slack.home_refused", message=message.id, error=facts.code)
            return facts
        return None

    def _looked(self, message: Message, caller: Caller) -> Seen:
        """Return the Home as it is after what it follows was written down, so that no change in between is missed."""
        follows = frozenset(message.follows)
        seen = look(self._desk, caller, message)
        for _ in range(MOST_LOOKS):
            if seen.follows == follows:
                break
            follows = seen.follows
            with self._desk.storage.write() as tx:
                tx.outbox.follow(message, sorted(follows))
            seen = look(self._desk, caller, message)
        return seen

    def _done(self, message: Message, *, final: bool) -> None:
        with self._desk.storage.write() as tx:
            tx.outbox.delivered(message, "home", final=final)

    def _postpone(self, message: Message, until: datetime, code: str) -> None:
        with self._desk.storage.write() as tx:
            tx.outbox.postponed(message, until, error_line(code))

    def _pause(self, team: str, now: datetime) -> datetime | None:
        with self._lock:
            until = self._paused.get(team, now)
        return until if now < until else None

    def _hold(self, team: str, until: datetime) -> None:
        """Publish nothing in a workspace before ``until``: Slack limits views.publish for the app in each as a whole."""
        with self._lock:
            self._paused[team] = until


def _asks(message: Message) -> Request:
    """Return the Home as a request of its person, by which they are looked up."""
    team, _, user = str(message.body["person"]).rpartition("/")
    return Request(
        id=message.id,
        dedupe="",
        team=team,
        user=user,
        channel="",
        text="",
        created_at=message.created_at,
        workspace=message.team,
    )
