"""The pumps that look ahead: the fleet's watch, the alerts, and the pages that webhooks are owed."""

from datetime import datetime, timedelta

import structlog

from bot import settings
from bot.pump import Pump
from bot.webhooks import Webhooks
from bot.wiring import Application
from services.alerting import rounds
from services.deployment import garbage
from services.model.alerts import Alert
from services.model.errors import LeaseLostError
from services.model.pacing import Watch
from services.ports import Message
from services.renewal import watching

log = structlog.get_logger()

WATCH_LEASE = timedelta(minutes=15)
"""How long one look at a certificate may take: its names are checked one after another, and each may meet silence."""
WATCH_AGAIN = timedelta(minutes=10)
"""When a certificate is looked at again after an unforeseen error."""
LEASE = timedelta(minutes=2)
"""How long an alert or a page may be held: several times what a delivery may take."""


class Lookout:
    """What looks ahead on behalf of the whole fleet, in threads of its own, so that nobody's command waits for it."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._webhooks = Webhooks(
            settings.alerting(application.loaded).hooks, application.storage, application.clock
        )
        clock = application.clock
        watchers = application.loaded.config.renewal.watchers
        self._watch: Pump[Watch] = Pump(
            "watch",
            self._unwatched,
            self._look,
            threads=watchers,
            clock=clock,
            broken=self._broken,
        )
        self._alerts: Pump[Alert] = Pump("alerts", self._stirred, self._tend, threads=1, clock=clock)
        self._pages: Pump[Message] = Pump("pages", self._owed, self._webhooks.deliver, threads=4, clock=clock)

    @property
    def pumps(self) -> tuple[Pump[Watch], Pump[Alert], Pump[Message]]:
        """All of them."""
        return self._watch, self._alerts, self._pages

    @property
    def guards(self) -> tuple[Pump[Alert], Pump[Message]]:
        """Those that a process without workers runs too: somebody has to tell that every worker is gone."""
        return self._alerts, self._pages

    def _unwatched(self, limit: int) -> list[Watch]:
        app = self._application
        with app.storage.write() as tx:
            return list(tx.watches.claim(app.clock(), WATCH_LEASE, limit))

    def _look(self, watch: Watch) -> None:
        app = self._application
        due_at = watching.look(app.watching, watch)
        garbage.collect(app.desk, app.parts.targets, watch.id)
        self._done(watch, due_at)
        self._application.mail.ring()

    def _broken(self, watch: Watch, _error_id: str) -> None:
        self._done(watch, self._application.clock() + WATCH_AGAIN)

    def _done(self, watch: Watch, due_at: datetime) -> None:
        try:
            with self._application.storage.write() as tx:
                tx.watches.done(watch, due_at)
        except LeaseLostError:
            log.info("lease lost", watch=watch.id)

    def _stirred(self, limit: int) -> list[Alert]:
        app = self._application
        with app.storage.write() as tx:
            return list(tx.alerts.claim(app.clock(), LEASE, limit))

    def _tend(self, alert: Alert) -> None:
        rounds.tend(self._application.desk, alert)
        self._application.mail.ring()

    def _owed(self, limit: int) -> list[Message]:
        app = self._application
        with app.storage.write() as tx:
            return list(tx.outbox.claim(app.clock(), LEASE, limit, via="webhook"))
