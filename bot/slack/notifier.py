"""Delivers messages of the outbox to Slack: posted once, then edited in place; what fails is tried again, never lost.

Delivery is at least once. Slack has no idempotency key for chat.postMessage: if certdesk ends between Slack's answer
and the write that records it, the message is posted a second time. Each message carries its id as metadata.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from slack_sdk.web import SlackResponse, WebClient

from bot.slack.delay import delayed, error_line
from bot.slack.delivery import LOST, Method, Place, Then, Way, first_way, next_way, place_of, then, wait
from bot.slack.departures import Departures
from bot.slack.errors import CALL_ERRORS, CallError, read_error
from bot.slack.pauses import Pause, Pauses, everywhere
from bot.slack.reader import Reader
from bot.slack.render import Rendered, render
from bot.slack.sharing import attached, bare, share
from bot.slack.soundness import MESSAGE, Soundness
from bot.slack.speech import English, Speech
from bot.slack.whereabouts import ELSEWHERE, fallen, pointer
from bot.slack.workspaces import ByWorkspace
from bot.text.language import Language
from commands.reply import Composed, Reply
from services.model.clock import Clock
from services.model.errors import CertdeskError, LeaseLostError
from services.model.workspaces import placed
from services.ports import Message, Storage

_log = structlog.get_logger(__name__)
_A_MOMENT = timedelta(seconds=1)
ORPHANED = timedelta(minutes=10)
"""After this time a message is posted in the channel whose thread was never begun."""


@dataclass(frozen=True, slots=True)
class _Failed:
    """No way led to Slack."""

    error: CallError
    todo: Then


class _ParentWaitsError(Exception):
    """The message in whose thread this one belongs is not posted yet."""

    def __init__(self, until: datetime, why: str) -> None:
        super().__init__(why)
        self.until = until


class Notifier:
    """Delivers claimed messages. Safe to use from many threads, each with messages of its own."""

    def __init__(  # noqa: PLR0913 - a notifier has these parts, each named where it is put together
        self,
        clients: ByWorkspace,
        storage: Storage,
        compose: Callable[[Message], Composed],
        clock: Clock,
        command: str = "/ssl",
        *,
        date_tokens: bool = True,
        departures: Departures | None = None,
        speech: Speech | English | None = None,
        soundness: Soundness | None = None,
    ) -> None:
        """``clients`` must not repeat calls by themselves (`bot.slack.clients.posting_client`).

        ``departures`` takes what is owed to a workspace that is gone; without it there is one workspace.
        """
        self._clients, self._storage, self._compose, self._clock = clients, storage, compose, clock
        self._departures = departures
        self._command, self._date_tokens = command, date_tokens
        self._speech = speech or English()
        self._soundness = soundness or Soundness()
        self._pauses = Pauses()

    def deliver(self, message: Message) -> None:
        """Show ``message`` (claimed from the outbox) as it is now, and record it as delivered or postponed.

        While a channel is paused after a failure, later messages for it wait as well, so that they keep their order.
        """
        now = self._clock()
        if (pause := self._pauses.find(message, now)) is not None:
            self._postpone(message, pause.until, pause.error)
            return
        try:
            under = self._under(message, now)
            composed = self._compose(message)
        except _ParentWaitsError as error:
            self._pauses.pause(message.thread, Pause(error.until, str(error)))
            self._postpone(message, error.until, str(error))
            return
        except CertdeskError as error:
            self._postpone(message, now + wait(Then.MEND, message, None), str(error))
            return
        if composed.quiet:
            self._delivered(message, message.ts or "", final=composed.final)
            return
        sent = self._send(message, composed, under)
        if isinstance(sent, _Failed):
            self._failed(message, sent, now)
            return
        self._delivered(message, sent.stored(message.channel), final=composed.final)
        self._point(message, composed, sent)

    def _under(self, message: Message, now: datetime) -> Place | None:
        """Return where the message stands in whose thread this one belongs; None for one that is in no thread.

        Raises _ParentWaitsError while that one is not posted: this one follows right behind it.
        """
        if not message.thread:
            return None
        with self._storage.read() as tx:
            parent = tx.outbox.by_key(message.thread)
        if parent is not None and parent.team != message.team:
            return (
                None  # one of the two has fallen back to the support workspace, and this one not, or not yet
            )
        place = place_of(parent) if parent is not None else None
        if place is None and not message.ts and (parent is not None or now - message.created_at < ORPHANED):
            error = parent.error if parent is not None else ""
            until = max(now + _A_MOMENT, parent.run_after or now) if parent is not None else now + _A_MOMENT
            raise _ParentWaitsError(until, error or "waits for the message in whose thread it belongs")
        return place

    def _send(self, message: Message, composed: Composed, under: Place | None) -> Place | _Failed:
        """Try one way after another, each at most once, until one leads to Slack."""
        private = message.private or composed.reply.private
        reply = composed.reply
        if (hint := delayed(message, self._clock())) is not None:
            reply = replace(reply, parts=(*reply.parts, hint))
        if message.origin:
            reply = replace(reply, parts=(*reply.parts, fallen(message.origin)))
        files = bool(attached(reply))
        way: Way | None = first_way(message, private=private, final=composed.final, files=files, under=under)
        failed = _Failed(CallError("none"), Then.LATER)
        tried: set[Way] = set()
        while way is not None and way not in tried:
            tried.add(way)
            try:
                return self._go(way, message, reply, private=private)
            except CALL_ERRORS as error:
                facts = read_error(error)
                failed = _Failed(facts, then(facts, message.team))
                _log.info("slack.call_failed", message=message.id, method=way.method, error=facts.code)
                if failed.todo is Then.PLAIN and not way.plain:
                    self._soundness.fault(MESSAGE, message.id, [facts.code])
                way = next_way(way, failed.todo, message.user)
        return failed

    def _go(self, way: Way, message: Message, reply: Reply, *, private: bool) -> Place:
        channel = way.channel or self._direct_channel(message)
        if channel != message.channel and not private and not message.thread:
            reply = replace(reply, parts=(*reply.parts, ELSEWHERE))
        reply = replace(reply, parts=(*reply.parts, *bare(reply, way)))
        language = self._language(message, channel, private=private)
        rendered = render(reply, self._command, language=language, date_tokens=self._date_tokens)
        rendered = self._soundness.message(rendered, message.id, Reader(self._command, language))
        content = _content(rendered, plain=way.plain)
        way, client = replace(way, channel=channel), self._clients(message.team)
        if way.method is Method.SHARE:
            share(client, way, content, reply, language)
            return Place(channel, "")
        answer = _CALLS[way.method](client, message, way, content)
        return Place(channel, str(answer.get("ts") or answer.get("message_ts") or ""))

    def _point(self, message: Message, composed: Composed, stands: Place) -> None:
        """Tell who asked in a channel that the answer stands in their direct messages; what fails is not tried again."""
        private = message.private or composed.reply.private
        files = bool(attached(composed.reply))
        way = first_way(message, private=private, final=composed.final, files=files)
        told = pointer(message, way, stands)
        if told is None:
            return
        try:
            self._go(Way(Method.EPHEMERAL, message.channel), message, told, private=True)
        except CALL_ERRORS as error:
            _log.info("slack.not_pointed", message=message.id, error=read_error(error).code)

    def _language(self, message: Message, channel: str, *, private: bool) -> Language:
        """Return the language of who will see the message in ``channel``."""
        team = message.team
        if message.user and (private or channel.startswith("D")):
            return self._speech.to_person(placed(team, message.user), placed(team, message.channel))
        return self._speech.in_channel(placed(team, channel))

    def _direct_channel(self, message: Message) -> str:
        client = self._clients(message.team)
        opened: Mapping[str, Any] = client.conversations_open(users=[message.user])["channel"]
        return str(opened["id"])

    def _delivered(self, message: Message, ts: str, *, final: bool) -> None:
        try:
            with self._storage.write() as tx:
                tx.outbox.delivered(message, ts, final=final)
        except LeaseLostError:
            _log.warning("slack.delivered_late", message=message.id)

    def _failed(self, message: Message, failed: _Failed, asked_at: datetime) -> None:
        if failed.todo is Then.AWAY and self._departures is not None:
            if failed.error.code in LOST:
                self._departures.lost(message.team, failed.error.code, asked_at)
            self._departures.fall_back(message)
            return
        until = self._clock() + wait(failed.todo, message, failed.error.retry_after)
        error = error_line(failed.error.code)
        if (where := _paused_by(failed, message)) is not None:
            self._pauses.pause(where, Pause(until, error))
        self._postpone(message, until, error)

    def _postpone(self, message: Message, until: datetime, error: str) -> None:
        try:
            with self._storage.write() as tx:
                tx.outbox.postponed(message, until, error[:300])
        except LeaseLostError:
            _log.warning("slack.postponed_late", message=message.id)


def _content(message: Rendered, *, plain: bool) -> dict[str, Any]:
    return {"text": message.text, "blocks": [] if plain else list(message.blocks)}


def _post(client: WebClient, message: Message, way: Way, content: dict[str, Any]) -> SlackResponse:
    metadata = {"event_type": "certdesk_message", "event_payload": {"id": message.id}}
    return client.chat_postMessage(
        channel=way.channel,
        thread_ts=way.thread or None,
        metadata=metadata,
        unfurl_links=False,
        unfurl_media=False,
        **content,
    )


def _update(client: WebClient, _message: Message, way: Way, content: dict[str, Any]) -> SlackResponse:
    # chat.update, unlike chat.postMessage, would look for links and names to mark up unless told not to
    return client.chat_update(channel=way.channel, ts=way.ts, parse="none", link_names=False, **content)


def _ephemeral(client: WebClient, message: Message, way: Way, content: dict[str, Any]) -> SlackResponse:
    return client.chat_postEphemeral(channel=way.channel, user=message.user, **content)


_CALLS: Mapping[Method, Callable[[WebClient, Message, Way, dict[str, Any]], SlackResponse]] = {
    Method.POST: _post,
    Method.UPDATE: _update,
    Method.EPHEMERAL: _ephemeral,
}


def _paused_by(failed: _Failed, message: Message) -> str | None:
    """Return what a failure pauses: the channel for a rate limit, the workspace for an outage or a bad token, else nothing."""
    if failed.error.status == 429:
        return placed(message.team, message.channel)
    answered = failed.error.status is not None and failed.error.status < 500
    down = failed.todo is Then.MEND or (failed.todo is Then.LATER and not answered)
    return everywhere(message) if down else None
