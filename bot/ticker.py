"""The ticker: APScheduler in memory, which says "look" every N seconds; what is due stands in the database."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apscheduler.schedulers.background import BackgroundScheduler


@dataclass(frozen=True, slots=True)
class Tick:
    """Something to do every so many seconds."""

    name: str
    seconds: float
    action: Callable[[], None]


class Ticker:
    """Runs each tick in the background; a tick that is still running when it is due again is not started twice."""

    def __init__(self, ticks: Sequence[Tick]) -> None:
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1}
        )
        for tick in ticks:
            self._scheduler.add_job(tick.action, "interval", seconds=tick.seconds, id=tick.name)

    def start(self) -> None:
        """Begin; the first of each tick comes after its interval."""
        self._scheduler.start()

    def stop(self) -> None:
        """End, after the ticks that are running."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
