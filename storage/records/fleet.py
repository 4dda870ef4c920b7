"""Portions of the fleet as ranges of `urgency`, by which listings are sorted: what both databases and the twin look for."""

from dataclasses import dataclass
from datetime import datetime

from services.model.clock import aware
from services.model.fleet import SOON, WEEK, Health, Portion
from services.model.lifecycle import State
from storage.records.certificates import EPOCH, GROUP, MICROSECOND

GROUPS = range(3)
"""What needs somebody, what is under way, what is well."""
WELL = GROUPS[-1] * GROUP
"""The smallest urgency of what is well."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a listing: ``low`` <= urgency < ``high``, of one state or of any."""

    low: int
    high: int
    state: State | None = None


_STATES = {
    Portion.NEEDS_SUPPORT: State.NEEDS_SUPPORT,
    Portion.FAILED: State.FAILED,
    Portion.BLOCKED: State.BLOCKED,
}
_GROUPS = {Portion.NEEDS_SOMEBODY: 0, Portion.UNDER_WAY: 1, Portion.INSTALLED: 2}


def spans(portion: Portion, now: datetime) -> tuple[Span, ...]:
    """Return the stretches that make up a portion, in the order of the listing."""
    if portion is Portion.EXPIRED:
        return tuple(Span(group * GROUP + 1, group * GROUP + ends_at(now) + 1) for group in GROUPS)
    if portion is Portion.ENDING:
        first, last = ends_at(now) + 1, ends_at(now + SOON) + 1
        return tuple(Span(group * GROUP + first, group * GROUP + last) for group in GROUPS)
    if (group := _GROUPS.get(portion)) is not None:
        return (Span(group * GROUP, (group + 1) * GROUP),)
    return (Span(0, len(GROUPS) * GROUP, _STATES.get(portion)),)


def ends_at(moment: datetime) -> int:
    """Return what the urgency of a certificate that ends at ``moment`` has above that of its group."""
    return max(1, (aware(moment) - EPOCH) // MICROSECOND)


HEALTH = tuple(Health)
"""What the groups of a listing mean."""


def week_of(urgency: int, now: datetime, weeks: int) -> int | None:
    """Return the week in which a certificate of such an urgency ends; None: it has no end, or is retired."""
    end = urgency % GROUP
    if not end or urgency // GROUP >= len(GROUPS):
        return None
    left = end - ends_at(now)
    return -1 if left <= 0 else min((left - 1) // (WEEK // MICROSECOND), weeks)
