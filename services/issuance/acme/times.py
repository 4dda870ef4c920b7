"""Moments as CAs write them: Retry-After headers, RFC 3339 stamps, and dates inside sentences. All aware UTC."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(days=7)
"""The longest time a CA can make certdesk wait in one go: no published rate limit refills more slowly."""

_IN_TEXT = re.compile(
    r"retry after (\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)? ?(?:UTC|Z|\+0000)", re.IGNORECASE
)


def retry_after(header: str | None, now: datetime) -> datetime | None:
    """Return the moment that a Retry-After header means (seconds or an HTTP-date, RFC 9110 §10.2.3).

    None without a header or for one that is neither. Never before ``now``, never later than LONGEST after it.
    """
    if header is None:
        return None
    value = header.strip()
    if value.isascii() and value.isdigit():
        return now + min(timedelta(seconds=int(value[:9])), LONGEST)
    moment = _http_date(value)
    return None if moment is None else _bounded(moment, now)


def retry_in_text(text: str, now: datetime) -> datetime | None:
    """Return the moment of "retry after 2027-02-10 14:03:00 UTC" in a problem's detail, bounded as `retry_after`."""
    found = _IN_TEXT.search(text)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00")
    except ValueError:
        return None
    return _bounded(moment, now)


def stamp(text: object) -> datetime | None:
    """Return an RFC 3339 stamp as a moment in UTC; None for what is none or has no zone."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
        # "-0000" means UTC of an unknown local zone (RFC 5322 §3.3) and comes back naive.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _bounded(moment: datetime, now: datetime) -> datetime:
    return min(max(moment, now), now + LONGEST)
