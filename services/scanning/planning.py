"""The first scan of a name, planned when its first certificate is installed."""

from datetime import datetime, timedelta

from services.model.names import is_wildcard
from services.ports import Transaction

AFTER_INSTALLATION = timedelta(minutes=5)
"""How long after its first installation a name is scanned: the edge and whoever tries the shop first come before."""

SPREAD = timedelta(minutes=55)
"""Over which time the first scans are spread of what is installed at the same moment."""


def first(now: datetime, chance: float) -> datetime:
    """Return when a name is scanned that is installed ``now``; ``chance`` is a random number from 0 to 1."""
    return now + AFTER_INSTALLATION + SPREAD * chance


def plan(tx: Transaction, names: tuple[str, ...], store: str, due_at: datetime) -> None:
    """Have each name scanned at ``due_at`` that has never been scanned for this store; a wildcard has no pages."""
    for name in names:
        if not is_wildcard(name):
            tx.scans.plan(name, store, due_at)
