"""Whose turn it is to write: SQLite takes one writer at a time, and its own way of waiting is to sleep and try again."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Lets the threads of one process write one after the other (``one_at_a_time``), and no thread inside itself."""

    def __init__(self, *, one_at_a_time: bool) -> None:
        self._lock = threading.Lock() if one_at_a_time else None
        self._mine = threading.local()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for the turn and keep it. Raises RuntimeError if this thread has it already: it would wait for ever."""
        if getattr(self._mine, "writing", False):
            raise RuntimeError("a write transaction inside another one of the same thread")
        self._mine.writing = True
        try:
            if self._lock is None:
                yield
            else:
                with self._lock:
                    yield
        finally:
            self._mine.writing = False
