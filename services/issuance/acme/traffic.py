"""Counts of what passes between certdesk and a CA, for metrics and tests."""

from collections import Counter
from collections.abc import Mapping
from threading import Lock


class Traffic:
    """Counters that any thread may raise: ``get``, ``head``, ``post`` for requests sent, ``bad_nonce`` for repeats."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def add(self, what: str) -> None:
        """Count one more of ``what``."""
        with self._lock:
            self._counts[what] += 1

    def counts(self) -> Mapping[str, int]:
        """Return the counts so far."""
        with self._lock:
            return dict(self._counts)
