"""The pump of revocations: one short step after another, so that any process can go on where one has ended."""

import structlog

from bot.pump import Pump
from bot.wiring import Application
from services.model.errors import LeaseLostError
from services.model.revoking import Revocation
from services.revoking import steps

log = structlog.get_logger()
NAME = "revocations"


class Revocations:
    """Claims revocations that are due, and does their steps."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def pump(self) -> Pump[Revocation]:
        """Return the pump, not begun."""
        return Pump(NAME, self._due, self._step, threads=2, clock=self._application.clock)

    def _due(self, limit: int) -> list[Revocation]:
        app = self._application
        lease = 2 * app.parts.renewing.lease  # a step may take two exchanges with a CA
        with app.storage.write() as tx:
            return list(tx.revocations.claim(app.clock(), lease, limit))

    def _step(self, revocation: Revocation) -> None:
        try:
            steps.step(self._application.parts, revocation)
        except LeaseLostError:
            log.info("lease lost", revocation=revocation.id)
