"""Gathers the facts about certdesk itself; what is not in order is shown on /health and becomes an alert."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot.wiring import Application
from services.alerting import selfcheck
from services.alerting.selfcheck import Check, Facts, Queue, Refused
from services.alerting.sighting import sight_self
from services.model.alerts import SELF
from services.model.errors import DatabaseUnavailableError
from services.model.text import say
from services.ports import Transaction

log = structlog.get_logger()

SECONDS = 60.0
"""How often certdesk looks at itself."""


@dataclass(slots=True)
class _Spell:
    """Since when something has been so without a break, as far as this process has seen."""

    since: datetime | None = None

    def seen(self, now: datetime, before: datetime | None, *, lasts: bool) -> datetime | None:
        """Take note of a look at ``now``; ``before`` is when it began as the alert has it, which all processes share."""
        self.since = (before or self.since or now) if lasts else None
        return self.since


@dataclass(slots=True)
class _Memory:
    """What has to be remembered between looks; any thread may look."""

    struggling: dict[str, _Spell] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Health:
    """Looks at certdesk itself. Everything may be called from any thread."""

    def __init__(
        self,
        application: Application,
        *,
        slack: bool,
        deaf_since: Callable[[], datetime | None] | None,
        listens: bool,
        token: Callable[[], Refused | None] = lambda: None,
    ) -> None:
        """Take whether ``slack`` is connected at all and, where Socket Mode is set, what tells since when nothing arrives.

        ``token`` tells whether Slack refuses ours. ``listens``: whether this process holds Socket Mode's connection, so that it can tell.
        """
        self._application, self._deaf, self._listens = application, deaf_since, listens
        self._token = token
        self._vias = (
            *(("slack",) if slack else ()),
            *(("webhook",) if application.parts.alerting.hooks else ()),
        )
        self._memory = _Memory()

    def checks(self) -> tuple[Check, ...]:
        """Return what was looked at now; of a database that does not answer, only that."""
        try:
            return selfcheck.checks(self._facts(self._application.clock()))
        except DatabaseUnavailableError as error:
            remedy = say(
                "On-call: see whether the database of database.url runs and has room; certdesk goes on by itself."
            )
            return (Check("database", "certdesk.stalled", error.text, remedy),)

    def tend(self) -> None:
        """Bring the alerts about certdesk itself in line with how it is. Safe to run in several processes."""
        app = self._application
        now = app.clock()
        found = selfcheck.findings(self.checks(), now)
        try:
            with app.storage.write() as tx:
                sight_self(tx, app.parts.alerting, found, now)
        except DatabaseUnavailableError as error:
            log.warning("health.not_recorded", why=str(error))

    def _facts(self, now: datetime) -> Facts:
        app = self._application
        with app.storage.read() as tx:
            watch_due, step_due = tx.watches.next_due(), tx.certificates.next_due()
            began = {seen.key: seen.first_seen for seen in tx.alerts.sightings(SELF)}
            with self._memory.lock:
                queues = {via: self._queue(tx, via, began, now) for via in self._vias}
        return Facts(
            now=now,
            watch_due=watch_due,
            watch_every=app.parts.renewing.watch,
            step_due=step_due,
            last_heartbeat=app.storage.last_heartbeat(),
            queues=queues,
            socket_mode=self._deaf is not None,
            deaf_since=self._deaf_since(began),
            token=self._token(),
            clocks=self._clocks(),
        )

    def _queue(self, tx: Transaction, via: str, began: Mapping[str, datetime], now: datetime) -> Queue:
        struggling = tx.outbox.struggling(via)
        spell = self._memory.struggling.setdefault(via, _Spell())
        known = _earlier(began.get(selfcheck.queue_key(via)), selfcheck.UNDELIVERED)
        since = spell.seen(now, known, lasts=struggling > 0)
        return Queue(tx.outbox.oldest(via), struggling, since)

    def _deaf_since(self, began: Mapping[str, datetime]) -> datetime | None:
        """Return since when nothing arrives by Socket Mode; a process that does not hold it says what was seen before."""
        known = _earlier(began.get(selfcheck.SOCKET_KEY), selfcheck.DEAF)
        if self._deaf is None or not self._listens:
            return known
        since = self._deaf()
        return None if since is None else known or since

    def _clocks(self) -> dict[str, timedelta]:
        app = self._application
        asked = app.clock()
        told = app.storage.server_time()
        clocks = {} if told is None else {"the database": told - (asked + (app.clock() - asked) / 2)}
        heard: Sequence[tuple[str, timedelta | None]] = [(ca, ahead()) for ca, ahead in app.clocks.items()]
        return clocks | {ca: ahead for ca, ahead in heard if ahead is not None}


def _earlier(told: datetime | None, by: timedelta) -> datetime | None:
    """Return when something began that was told of after it had lasted for longer than ``by``."""
    return None if told is None else told - by
