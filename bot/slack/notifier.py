"""Delivers messages of the outbox to Slack: posted once, then edited in place; what fails is tried again, never lost.

Delivery is at least once. Slack has no idempotency key for chat.postMessage: if certdesk ends between Slack's answer
and the write that records it, the message is posted a second time. Each message carries its id as metadata.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import structlog
from slack_sdk.web import SlackResponse, WebClient

from bot.slack.delivery import Method, Place, Then, Way, first_way, next_way, then, wait
from bot.slack.errors import CALL_ERRORS, CallError, read_error
from bot.slack.render import Rendered, render
from commands.reply import Hint, Reply
from services.model.clock import Clock
from services.model.errors import CertdeskError, LeaseLostError
from services.model.text import say
from services.ports import Message, Storage

_log = structlog.get_logger(__name__)
_EVERYWHERE = "*"
_ELSEWHERE = Hint(
    say(
        "You see this here because certdesk may not write where you asked. To have its answers there, type there:"
        " {command}",
        command="/invite @certdesk",
    )
)


class Composed(Protocol):
    """What a message says now, and whether nothing will change it any more."""

    @property
    def reply(self) -> Reply: ...  # noqa: D102
    @property
    def final(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class _Failed:
    """No way led to Slack."""

    error: CallError
    todo: Then


class Notifier:
    """Delivers claimed messages. Safe to use from many threads, each with messages of its own."""

    def __init__(
        self,
        client: WebClient,
        storage: Storage,
        compose: Callable[[Message], Composed],
        clock: Clock,
        command: str = "/ssl",
        *,
        date_tokens: bool = True,
    ) -> None:
        """``client`` must not repeat calls by itself (`bot.slack.clients.posting_client`)."""
        self._client, self._storage, self._compose, self._clock = client, storage, compose, clock
        self._command, self._date_tokens = command, date_tokens
        self._pauses = _Pauses()

    def deliver(self, message: Message) -> None:
        """Show ``message`` (claimed from the outbox) as it is now, and record it as delivered or postponed.

        While a channel is paused after a failure, later messages for it wait as well, so that they keep their order.
        """
        now = self._clock()
        if (until := self._pauses.until(message.channel, now)) is not None:
            self._postpone(message, until, message.error or "waits for its channel")
            return
        try:
            composed = self._compose(message)
        except CertdeskError as error:
            self._postpone(message, now + wait(Then.MEND, message.failures, None), str(error))
            return
        sent = self._send(message, composed)
        if isinstance(sent, _Failed):
            self._failed(message, sent)
        else:
            self._delivered(message, sent, final=composed.final)

    def _send(self, message: Message, composed: Composed) -> Place | _Failed:
        """Try one way after another, each at most once, until one leads to Slack."""
        private = message.private or composed.reply.private
        way: Way | None = first_way(message, private=private, final=composed.final)
        failed = _Failed(CallError("none"), Then.LATER)
        tried: set[Way] = set()
        while way is not None and way not in tried:
            tried.add(way)
            try:
                return self._go(way, message, composed.reply, private=private)
            except CALL_ERRORS as error:
                facts = read_error(error)
                failed = _Failed(facts, then(facts))
                _log.info("slack.call_failed", message=message.id, method=way.method, error=facts.code)
                way = next_way(way, failed.todo)
        return failed

    def _go(self, way: Way, message: Message, reply: Reply, *, private: bool) -> Place:
        channel = way.channel or self._direct_channel(message.user)
        if channel != message.channel and not private:
            reply = replace(reply, parts=(*reply.parts, _ELSEWHERE))
        rendered = render(reply, self._command, date_tokens=self._date_tokens)
        content = _content(rendered, plain=way.plain)
        answer = _CALLS[way.method](self._client, message, replace(way, channel=channel), content)
        return Place(channel, str(answer.get("ts") or answer.get("message_ts") or ""))

    def _direct_channel(self, user: str) -> str:
        opened: Mapping[str, Any] = self._client.conversations_open(users=[user])["channel"]
        return str(opened["id"])

    def _delivered(self, message: Message, place: Place, *, final: bool) -> None:
        try:
            with self._storage.write() as tx:
                tx.outbox.delivered(message, place.stored(message.channel), final=final)
        except LeaseLostError:
            _log.warning("slack.delivered_late", message=message.id)

    def _failed(self, message: Message, failed: _Failed) -> None:
        until = self._clock() + wait(failed.todo, message.failures, failed.error.retry_after)
        if (where := _paused_by(failed, message.channel)) is not None:
            self._pauses.pause(where, until)
        self._postpone(message, until, f"Slack: {failed.error.code}")

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
        channel=way.channel, metadata=metadata, unfurl_links=False, unfurl_media=False, **content
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


def _paused_by(failed: _Failed, channel: str) -> str | None:
    """Return what a failure pauses: the channel for a rate limit, everything for an outage or a bad token, else nothing."""
    if failed.error.status == 429:
        return channel
    answered = failed.error.status is not None and failed.error.status < 500
    down = failed.todo is Then.MEND or (failed.todo is Then.LATER and not answered)
    return _EVERYWHERE if down else None


class _Pauses:
    """Channels that take nothing until some moment; this process's alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[str, datetime] = {}

    def until(self, channel: str, now: datetime) -> datetime | None:
        """Return until when the channel is paused; None if it is not."""
        with self._lock:
            self._until = {where: until for where, until in self._until.items() if until > now}
            return max(
                (self._until[where] for where in (channel, _EVERYWHERE) if where in self._until), default=None
            )

    def pause(self, where: str, until: datetime) -> None:
        """Pause ``where`` (a channel, or everything) until that moment, or longer if it is paused for longer."""
        with self._lock:
            self._until[where] = max(until, self._until.get(where, until))
