"""A pump empties one queue: it claims what is due, hands each row to a thread, and sleeps until woken or until the next is due."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Generic, TypeVar

import structlog

from services.model.clock import Clock
from services.model.identity import new_id

log = structlog.get_logger()

Row = TypeVar("Row")
LONGEST_SLEEP = 0.25
"""Seconds after which the queue is looked at again: another process may have written to it."""
RESTS: Mapping[str, float] = {
    "watch": 2.0,
    "alerts": 1.0,
    "pages": 1.0,
    "jobs": 1.0,
    "revocations": 1.0,
    "scans": 1.0,
}
"""The same for queues in which nothing is urgent enough to look at the database so often."""
SHORTEST_SLEEP = 0.005
AFTER_A_FAULT = 2.0
"""Seconds to wait after the queue could not be read."""


class Pump(Generic[Row]):
    """One queue and the threads that work on it."""

    def __init__(
        self,
        name: str,
        claim: Callable[[int], Sequence[Row]],
        handle: Callable[[Row], None],
        *,
        threads: int,
        clock: Clock,
        next_due: Callable[[], datetime | None] = lambda: None,
        broken: Callable[[Row, str], None] = lambda *_: None,
    ) -> None:
        """Empty a queue: ``claim`` takes rows, ``handle`` does one, ``broken`` is told of one that raised, with an id."""
        self.name = name
        self._claim = claim
        self._handle = handle
        self._threads = threads
        self._clock = clock
        self._next_due = next_due
        self._broken = broken
        self._rest = RESTS.get(name, LONGEST_SLEEP)
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._busy = 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._thread = threading.Thread(target=self._loop, name=f"{name}-pump", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Look at the queue now."""
        self._woken.set()

    @property
    def going_on(self) -> bool:
        """Whether rows may still be worked on; False while the pump stops."""
        return not self._stopping.is_set()

    def stop(self) -> None:
        """Claim nothing more, let the steps under way end, and return when they have. May be called twice."""
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown(wait=True)

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                free = self._threads - self._busy
                rows = self._claim(free) if free else ()
                pause = 0.0 if rows else self._pause() if free else self._rest
            except Exception:  # an outermost loop: a database that is away must not end the worker
                log.exception("queue not readable", queue=self.name)
                rows, pause = (), AFTER_A_FAULT
            for row in rows:
                with self._lock:
                    self._busy += 1
                self._pool.submit(self._work, row).add_done_callback(self._done)
            if not rows:
                self._woken.wait(max(pause, SHORTEST_SLEEP))

    def _pause(self) -> float:
        due = self._next_due()
        return self._rest if due is None else min(self._rest, (due - self._clock()).total_seconds())

    def _work(self, row: Row) -> None:
        try:
            self._handle(row)
        except Exception:  # an outermost loop: one bad row must not stop the others; its lease ends
            error_id = new_id("err")
            log.exception("work failed", queue=self.name, row=getattr(row, "id", ""), error_id=error_id)
            try:
                self._broken(row, error_id)
            except Exception:  # still the outermost loop: the database may be what is broken
                log.exception("fault not recorded", queue=self.name, error_id=error_id)

    def _done(self, _: Future[None]) -> None:
        with self._lock:
            self._busy -= 1
        self._woken.set()
