"""The first scan of a name, planned when its first certificate is installed."""

from datetime import datetime, timedelta

from services.model.names import is_wildcard
from services.ports import Transaction

AFTER_INSTALLATION = timedelta(minutes=5)
"""How long after its first installation a name is scanned: the edge and whoever tries the shop first come before."""


def plan(tx: Transaction, names: tuple[str, ...], store: str, due_at: datetime) -> None:
    """Have each name scanned at ``due_at`` that has never been scanned for this store; a wildcard has no pages."""
    for name in names:
        if not is_wildcard(name):
            tx.scans.plan(name, store, due_at)
