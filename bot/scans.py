"""The pump of scans: a queue and threads of its own, so that no certificate ever waits for a page."""

import structlog

from bot.pump import Pump
from bot.wiring import Application
from services.model.errors import LeaseLostError
from services.model.scans import Site
from services.scanning.sites import LEASE

log = structlog.get_logger()
NAME = "scans"


class Scans:
    """Claims names that are due to be scanned, and scans them."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._pump: Pump[Site] = Pump(
            NAME,
            self._due,
            self._scan,
            threads=application.sites.scanner.outside.settings.workers,
            clock=application.clock,
            broken=self._broken,
        )

    def pump(self) -> Pump[Site]:
        """Return the pump, not begun."""
        return self._pump

    def _due(self, limit: int) -> list[Site]:
        app = self._application
        with app.storage.write() as tx:
            return list(tx.scans.claim(app.clock(), LEASE, limit))

    def _scan(self, site: Site) -> None:
        try:
            self._application.sites.scan(site, lambda: self._pump.going_on)
        except LeaseLostError:
            log.info("lease lost", scan=site.id)

    def _broken(self, site: Site, _error_id: str) -> None:
        try:
            self._application.sites.postpone(site)
        except LeaseLostError:
            log.info("lease lost", scan=site.id)
