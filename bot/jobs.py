"""The pump of jobs: one step of one job after another, each short, so that any process can go on where one has ended."""

from datetime import timedelta

import structlog

from bot.pump import Pump
from bot.wiring import Application
from commands import bulk
from commands.caller import Caller, Doubt, Role
from commands.command import Known
from services.bulk import steps
from services.model.errors import LeaseLostError
from services.model.jobs import Job

log = structlog.get_logger()
LEASE = timedelta(seconds=30)
"""After this time a job whose worker has ended is taken over by another one."""
NAME = "jobs"


def unknown(person: str, _workspace: str) -> Caller:
    """Know nobody, where Slack is not connected: what people have begun waits, and what a terminal has begun goes on."""
    return Caller(person, Role.NOBODY, doubt=Doubt.PERSON)


class JobSteps:
    """Claims jobs that are due, and does their steps."""

    def __init__(self, application: Application, known: Known = unknown) -> None:
        """``known`` tells who a person is now: a job goes on as long as who is behind it has the right to it."""
        self._application, self._known = application, known

    def pump(self) -> Pump[Job]:
        """Return the pump, not begun."""
        return Pump(NAME, self._due, self._step, threads=1, clock=self._application.clock)

    def _due(self, limit: int) -> list[Job]:
        app = self._application
        with app.storage.write() as tx:
            return list(tx.jobs.claim(app.clock(), LEASE, limit))

    def _step(self, job: Job) -> None:
        try:
            desk = self._application.desk
            if bulk.goes_on(desk, job, self._known):
                steps.step(desk, job)
        except LeaseLostError:  # somebody has paused or cancelled it, or another worker has taken it over
            log.info("lease lost", job=job.id)
        self._application.mail.ring()
