"""The report: where certificates end, how attempts ended and what is in the way, as counts of a fleet at one moment."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.alerting.forecast import foreseen
from services.desk import Desk
from services.model.alerts import Forecast
from services.model.fleet import WEEK, Health, Result, Tally

WEEKS = 13
"""How many weeks are shown, ahead and back: the lifetime of a certificate of 90 days, and so of every shorter one."""


@dataclass(frozen=True, slots=True)
class Report:
    """Counts of a fleet, or of a part of it, at one moment."""

    at: datetime
    ends: tuple[Tally, ...]
    """Certificates by the week, from ``at`` on, in which they end (`services.ports.Fleet.ends`), by `Health`."""
    results: tuple[Tally, ...]
    """Attempts by the week in which they ended, 0 being the one that began `since`, by `Result`."""
    ahead: Forecast
    """What will not renew within the weeks ahead, by cause."""

    @property
    def since(self) -> datetime:
        """When the weeks behind begin."""
        return self.at - WEEKS * WEEK

    def ending(self, health: Health | None = None, weeks: Iterable[int] = range(-1, WEEKS + 1)) -> int:
        """Return how many certificates end in ``weeks``, of one health or of any."""
        among = frozenset(weeks)
        return sum(
            one.count
            for one in self.ends
            if one.week in among and (health is None or one.what == health.value)
        )

    def ended(self, result: Result) -> int:
        """Return how many attempts of the weeks behind had such an end."""
        return sum(one.count for one in self.results if one.what == result.value)


def report(desk: Desk, stores: frozenset[str] | None = None) -> Report:
    """Return the report as of now; ``stores`` None: of all of them. All its counts are of one moment."""
    now = desk.clock()
    with desk.storage.read() as tx:
        return Report(
            now,
            tuple(tx.fleet.ends(stores, now, WEEKS)),
            tuple(tx.fleet.results(stores, now - WEEKS * WEEK, WEEKS)),
            foreseen(tx, desk.alerting, now, WEEKS * WEEK.days, stores),
        )
