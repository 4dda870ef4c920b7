"""Time: aware UTC everywhere, handed in as a parameter; a naive moment is refused where it enters."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present moment as an aware UTC datetime."""


def utc_now() -> datetime:
    """Return the present moment in UTC: the one place where certdesk reads the machine's clock."""
    return datetime.now(UTC)


def aware(moment: datetime) -> datetime:
    """Return ``moment`` in UTC. Raises ValueError for a naive datetime, whose zone nobody knows."""
    if moment.tzinfo is None:
        raise ValueError(f"a moment without a time zone: {moment.isoformat()}")
    return moment.astimezone(UTC)


def rfc3339(moment: datetime | None) -> str | None:
    """Return ``moment`` as RFC 3339 in UTC with whole seconds, such as 2027-02-10T14:03:00Z; None stays None."""
    return None if moment is None else aware(moment).strftime("%Y-%m-%dT%H:%M:%SZ")
