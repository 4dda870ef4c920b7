"""Lengths of time and numbers in words: three hours, five days left, expired since yesterday. Pure."""

from collections.abc import Callable
from datetime import datetime, timedelta

from services.model.text import Text, say, say_n

_UNITS: tuple[tuple[timedelta, timedelta, Callable[[int], Text]], ...] = (
    # from this length on, counted in this unit
    (timedelta(days=2), timedelta(days=1), lambda count: say_n("{count} day", "{count} days", count=count)),
    (
        timedelta(hours=1),
        timedelta(hours=1),
        lambda count: say_n("{count} hour", "{count} hours", count=count),
    ),
    (
        timedelta(0),
        timedelta(minutes=1),
        lambda count: say_n("{count} minute", "{count} minutes", count=count),
    ),
)


def span(length: timedelta) -> Text:
    """Return how long ``length`` is, rounded down: days from two days on, hours from one hour on, else minutes.

    A negative length is as long as nothing.
    """
    held = max(length, timedelta(0))
    if held < timedelta(minutes=1):
        return say("less than a minute")
    _, unit, words = next(row for row in _UNITS if held >= row[0])
    return words(held // unit)


def margin(deadline: datetime, now: datetime) -> Text:
    """Return how much time is left until ``deadline``, or since when there is none left."""
    if deadline <= now:
        return say("expired {span} ago", span=span(now - deadline))
    return say("{span} left", span=span(deadline - now))


def number(count: int) -> Text:
    """Return ``count`` with its thousands apart as the reader's language parts them: 4,210 in English."""
    return say("{count:,}", count=count)
