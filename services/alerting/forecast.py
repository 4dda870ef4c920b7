"""The forecast: which certificates will not renew within so many days, as things stand."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from services.desk import Desk
from services.model.alerts import Forecast, Severity
from services.model.settings import Alerting
from services.ports import Transaction

MOST_DAYS = 397
"""No publicly trusted certificate lives longer: 398 days at the most (CA/Browser Forum Baseline Requirements §6.3.2)."""


def forecast(desk: Desk, days: int, stores: frozenset[str] | None = None) -> Forecast:
    """Return what will not renew within ``days`` (1 to MOST_DAYS) from now; ``stores`` None: in all of them."""
    with desk.storage.read() as tx:
        return foreseen(tx, desk.alerting, desk.clock(), days, stores)


def foreseen(
    tx: Transaction, policy: Alerting, now: datetime, days: int, stores: frozenset[str] | None = None
) -> Forecast:
    """Return what `forecast` returns, inside a transaction. Raises ValueError for days that are out of range."""
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"a forecast looks 1 to {MOST_DAYS} days ahead, not {days}")
    return tx.alerts.forecast(now + timedelta(days=days), bands(policy, now), stores)


def bands(policy: Alerting, now: datetime) -> Mapping[Severity, datetime]:
    """Return for each severity the moment before which a deadline is so grave."""
    return {
        Severity.WARNING: now + policy.warning,
        Severity.URGENT: now + policy.urgent,
        Severity.CRITICAL: now + policy.critical,
    }
