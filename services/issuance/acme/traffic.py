"""What passes between certdesk and a CA: counts for metrics and tests, and what the CA's clock says."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Lock

from services.model.clock import aware

DATE_SECONDS = 30.0
"""Seconds for which a Date header that was read spares the next ones: a clock is not read at each exchange."""
DATE_AGE_SECONDS = 86_400.0
"""Seconds after which what the CA's clock said says nothing any more."""


class Traffic:
    """Counters that any thread may raise: ``get``, ``head``, ``post`` for requests sent, ``bad_nonce`` for repeats."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = Lock()
        self._dated: tuple[datetime, float] | None = None

    def add(self, what: str) -> None:
        """Count one more of ``what``."""
        with self._lock:
            self._counts[what] += 1

    def counts(self) -> Mapping[str, int]:
        """Return the counts so far."""
        with self._lock:
            return dict(self._counts)

    def dated(self, headers: Mapping[str, str], monotonic: float) -> None:
        """Take note of a reply's Date (RFC 9110 §6.6.1), that came at ``monotonic`` seconds of a clock nobody sets.

        One from a cache is as old as its Age says, so it tells nothing; nor does one that cannot be read.
        """
        known = self._dated
        if (known is not None and monotonic - known[1] < DATE_SECONDS) or headers.get("Age", "0") != "0":
            return
        try:
            self._dated = (aware(parsedate_to_datetime(headers.get("Date", ""))), monotonic)
        except ValueError:  # no date, or one without a zone
            return

    def clock_ahead(self, now: datetime, monotonic: float) -> timedelta | None:
        """Return how far the CA's clock is ahead of ours, which says ``now``; None if it has not been heard of lately.

        Precise to a second or two. What was heard earlier is carried on by the clock that nobody sets, so that
        setting this machine's clock right shows at once.
        """
        known = self._dated
        if known is None or monotonic - known[1] > DATE_AGE_SECONDS:
            return None
        heard, at = known
        return heard + timedelta(seconds=monotonic - at) - now
