"""Delivers messages of the outbox to webhooks: each once for each state of its alert; what fails is tried again, never lost."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import requests
import structlog
import urllib3

from bot.deadline import session_until
from services.alerting import paging
from services.issuance.acme.times import retry_after
from services.issuance.acme.trust import proxies_for, roots
from services.model.alerts import Alert
from services.model.clock import Clock
from services.model.errors import LeaseLostError
from services.model.settings import Hook
from services.ports import Message, Storage

log = structlog.get_logger()

CONNECT_SECONDS = 5.0
SECONDS = 15.0
"""How long one delivery may take in all."""
LARGEST = 1 << 16
"""Bytes of an answer that are read; only a refusal's first words are of use."""
SHOWN = 200
"""Characters of a refusal that are kept."""
LEAST_SECRET = 6
"""Characters of an address that can be a secret; shorter pieces of it are ordinary words."""
TRICKLE = 1.0
"""Seconds that are left to an answer that comes in pieces, after the time in which its first piece has to come."""
SOON = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 300))
"""Waiting time after the first, second … failure that passes by itself; the last one repeats."""
SELDOM = tuple(timedelta(minutes=minutes) for minutes in (5, 30, 120, 360))
"""The same after a refusal, about which a person has to do something."""
LONGEST = timedelta(hours=1)
"""The longest wait that an answer's Retry-After may ask for."""
PASSING = frozenset({408, 425, 429})
"""Refusals that pass by themselves; all others below 500 want a person (redirects too, which are not followed)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one delivery; ``error`` is empty if it arrived."""

    error: str = ""
    status: int = 0
    retry_at: datetime | None = None

    @property
    def refused(self) -> bool:
        """Whether the other side understood and said no: again at once would only be refused again."""
        return 0 < self.status < 500 and self.status not in PASSING


class Webhooks:
    """Delivers claimed messages. Safe to use from many threads, each with messages of its own."""

    def __init__(
        self, hooks: tuple[Hook, ...], storage: Storage, clock: Clock, seconds: float = SECONDS
    ) -> None:
        self._hooks: Mapping[str, Hook] = {hook.name: hook for hook in hooks}
        self._storage, self._clock, self._seconds = storage, clock, seconds

    def deliver(self, message: Message) -> None:
        """Post the present state of the alert that ``message`` (claimed from the outbox) speaks of, and record it.

        A webhook that app.yaml names no more, or an alert that is gone, has nobody to be told: the message is done.
        """
        hook = self._hooks.get(message.channel)
        with self._storage.read() as tx:
            alert = tx.alerts.get(str(message.body.get("alert", "")))
        if hook is None or alert is None:
            log.warning(
                "webhook.dropped", message=message.id, webhook=message.channel, known=hook is not None
            )
            self._record(message, Outcome(), final=True)
            return
        outcome = self._post(hook, alert, f"{message.id}.{message.version}")
        self._record(message, outcome, final=not alert.open)

    def _post(self, hook: Hook, alert: Alert, delivery: str) -> Outcome:
        now = self._clock()
        content = paging.body(hook, alert)
        headers = paging.headers(hook, content, delivery, now)
        try:
            outcome = self._exchange(hook.url, content, headers)
        except (OSError, urllib3.exceptions.HTTPError) as error:  # what requests raises is an OSError
            outcome = Outcome(f"{type(error).__name__}: {_reason(error)}")
        return replace(outcome, error=_without_secrets(outcome.error, hook)[:SHOWN])

    def _exchange(self, url: str, content: bytes, headers: Mapping[str, str]) -> Outcome:
        until = time.monotonic() + self._seconds
        with session_until(self._seconds + TRICKLE) as session:
            response = session.post(
                url,
                data=content,
                headers=dict(headers),
                timeout=(min(CONNECT_SECONDS, self._seconds), self._seconds),
                allow_redirects=False,
                stream=True,
                verify=roots(None),
                proxies=proxies_for(url),
            )
            with response:
                if 200 <= response.status_code < 300:
                    return Outcome()
                said = _beginning(response, until).decode(errors="replace")
                words = " ".join(said.split())
                wait = retry_after(response.headers.get("Retry-After"), self._clock())
                return Outcome(f"{response.status_code} {words}", response.status_code, wait)

    def _record(self, message: Message, outcome: Outcome, *, final: bool) -> None:
        now = self._clock()
        try:
            with self._storage.write() as tx:
                if outcome.error:
                    tx.outbox.postponed(message, now + _wait(message, outcome, now), outcome.error)
                else:
                    tx.outbox.delivered(message, "sent", final=final)
        except LeaseLostError:
            log.warning("webhook.recorded_late", message=message.id, webhook=message.channel)
        if outcome.error:
            tell = log.error if outcome.refused else log.warning
            tell("webhook.failed", message=message.id, webhook=message.channel, error=outcome.error)


def _reason(error: Exception) -> object:
    """Return why there was no answer; the words around it repeat the address that was asked."""
    cause = error.args[0] if error.args else error
    return cause.reason if isinstance(cause, urllib3.exceptions.MaxRetryError) else error


def _without_secrets(text: str, hook: Hook) -> str:
    """Return the text without what opens the webhook: its secret, and the path and query of its address."""
    parts = urlsplit(hook.url)
    target = urlunsplit(("", "", parts.path, parts.query, ""))
    values = [value for _, value in parse_qsl(parts.query)]
    for part in (hook.url, target, parts.path, parts.password or "", *values):
        if len(part) >= LEAST_SECRET:
            text = text.replace(part, "…")
    return text.replace(hook.secret, "…")


def _wait(message: Message, outcome: Outcome, now: datetime) -> timedelta:
    """Return how long to wait after one more failure; the other side's own Retry-After wins if it is longer."""
    ladder = SELDOM if outcome.refused else SOON
    own = ladder[min(message.failures, len(ladder) - 1)]
    asked = (outcome.retry_at or now) - now
    return max(own, min(asked, LONGEST))


def _beginning(response: requests.Response, until: float) -> bytes:
    """Return the first bytes of the body, as far as they come in time."""
    read = b""
    while len(read) < LARGEST and time.monotonic() < until:
        piece = response.raw.read1(LARGEST - len(read))
        if not piece:
            break
        read += piece
    return read
