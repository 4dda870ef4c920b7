"""Lengths of time and numbers in words: three hours, five days left, expired since yesterday. Pure."""

from datetime import datetime, timedelta

from services.model.text import Text, say

_UNITS: tuple[tuple[timedelta, timedelta, str, str], ...] = (
    # from this length on, counted in this unit: one, and several
    (timedelta(days=2), timedelta(days=1), "{count} day", "{count} days"),
    (timedelta(hours=1), timedelta(hours=1), "{count} hour", "{count} hours"),
    (timedelta(0), timedelta(minutes=1), "{count} minute", "{count} minutes"),
)


def span(length: timedelta) -> Text:
    """Return how long ``length`` is, rounded down: days from two days on, hours from one hour on, else minutes.

    A negative length is as long as nothing.
    """
    held = max(length, timedelta(0))
    if held < timedelta(minutes=1):
        return say("less than a minute")
    _, unit, one, several = next(row for row in _UNITS if held >= row[0])
    count = held // unit
    return say(one if count == 1 else several, count=count)


def margin(deadline: datetime, now: datetime) -> Text:
    """Return how much time is left until ``deadline``, or since when there is none left."""
    if deadline <= now:
        return say("expired {span} ago", span=span(now - deadline))
    return say("{span} left", span=span(deadline - now))


def number(count: int) -> str:
    """Return ``count`` with its thousands apart, as in 4,210."""
    return f"{count:,}"
