"""What Slack said, remembered for a while, so that it is not asked about everybody and everything each time."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.slack.errors import CALL_ERRORS, read_error
from services.model.clock import Clock

_log = structlog.get_logger(__name__)
FAILURE_KEPT = timedelta(seconds=5)
"""How long a failed look-up counts: long enough to spare Slack, short enough to go unnoticed."""
MOST_KEPT = 10_000
"""Answers that are remembered at once."""


class Kept:
    """Remembers answers for a while; an answer that could not be had is None, and is remembered for a moment only. Safe to use from many threads."""

    def __init__(self, clock: Clock, keep: timedelta) -> None:
        """Remember an answer for as long as ``keep``, and a failure for `FAILURE_KEPT`."""
        self._clock, self._keep = clock, keep
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, str], tuple[datetime, Any]] = {}

    def get(self, key: tuple[str, str], ask: Callable[[], Any]) -> Any:
        """Return the remembered answer, or ask. Two threads may ask at once; neither waits for the other."""
        now = self._clock()
        with self._lock:
            until, answer = self._answers.get(key, (now, None))
        if now < until:
            return answer
        answer = self._asked(key, ask)
        with self._lock:
            if len(self._answers) >= MOST_KEPT:
                self._answers.clear()
            self._answers[key] = (now + (FAILURE_KEPT if answer is None else self._keep), answer)
        return answer

    def held(self, key: tuple[str, str]) -> Any:
        """Return the remembered answer; None if there is none (any more). Never asks."""
        with self._lock:
            until, answer = self._answers.get(key, (None, None))
        return answer if until is not None and self._clock() < until else None

    def _asked(self, key: tuple[str, str], ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except (*CALL_ERRORS, KeyError) as error:
            _log.warning("slack.lookup_failed", kind=key[0], id=key[1], error=read_error(error).code)
            return None
