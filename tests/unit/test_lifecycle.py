"""The pumps and the ticker: queues are emptied, faults end nothing, and stopping lets what is under way end."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.demo.parts.process import wait_until
from bot.pump import LONGEST_SLEEP, Pump
from bot.ticker import Tick, Ticker
from services.model.clock import utc_now


@dataclass
class Queue:
    """Rows that a pump claims; what it does with them is counted."""

    rows: list[int] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    faults: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    most: int = 0
    now: int = 0
    claims: int = 0

    def claim(self, limit: int) -> Sequence[int]:
        with self.lock:
            self.claims += 1
            if self.faults:
                self.faults -= 1
                raise OSError("the database is away")
            taken, self.rows = self.rows[:limit], self.rows[limit:]
            return taken

    def handle(self, row: int) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        if row < 0:
            with self.lock:
                self.now -= 1
            raise ValueError("a bad row")
        threading.Event().wait(0.002)
        with self.lock:
            self.now -= 1
            self.done.append(row)

    def pump(self, next_due: Callable[[], datetime | None] = lambda: None, threads: int = 4) -> Pump[int]:
        return Pump("test", self.claim, self.handle, threads=threads, clock=utc_now, next_due=next_due)


def test_every_row_is_done_once_by_at_most_so_many_threads() -> None:
    queue = Queue(rows=list(range(200)))
    pump = queue.pump()
    pump.start()
    wait_until(lambda: len(queue.done) == 200, 10, "the empty queue")
    pump.stop()
    assert sorted(queue.done) == list(range(200))
    assert 1 < queue.most <= 4


def test_a_bad_row_does_not_stop_the_others() -> None:
    queue = Queue(rows=[-1, 1, -1, 2])
    pump = queue.pump()
    pump.start()
    wait_until(lambda: len(queue.done) == 2, 10, "the good rows")
    pump.stop()
    assert sorted(queue.done) == [1, 2]


def test_a_queue_that_cannot_be_read_is_read_again() -> None:
    queue = Queue(rows=[1], faults=1)
    pump = queue.pump()
    pump.start()
    wait_until(lambda: queue.claims == 1, 10, "the fault")
    pump.wake()
    wait_until(lambda: queue.done == [1], 10, "the row")
    pump.stop()


def test_waking_starts_at_once_and_an_idle_queue_is_left_in_peace() -> None:
    queue = Queue()
    pump = queue.pump(next_due=lambda: utc_now() + timedelta(hours=1))
    pump.start()
    wait_until(lambda: queue.claims == 1, 10, "the first look")
    threading.Event().wait(0.3)
    assert queue.claims <= 1 + 0.3 / LONGEST_SLEEP + 1
    queue.rows = [7]
    pump.wake()
    wait_until(lambda: queue.done == [7], 0.5, "the row that was woken for")
    pump.stop()


def test_what_falls_due_is_claimed_without_being_woken() -> None:
    queue = Queue()
    due = utc_now() + timedelta(seconds=0.2)
    pump = queue.pump(next_due=lambda: due if queue.claims < 3 else None)
    pump.start()
    wait_until(lambda: queue.claims == 1, 10, "the first look")
    queue.rows = [7]
    wait_until(lambda: queue.done == [7], 0.8, "the row that fell due")
    pump.stop()


def test_stopping_waits_for_what_is_under_way_and_may_be_done_twice() -> None:
    queue = Queue(rows=list(range(50)))
    pump = queue.pump()
    pump.start()
    wait_until(lambda: bool(queue.done), 10, "the first row")
    before = pump.going_on
    pump.stop()
    pump.stop()
    assert (before, pump.going_on) == (True, False)
    assert queue.now == 0
    left = len(queue.done)
    queue.rows.append(99)
    pump.wake()
    assert len(queue.done) == left


def test_a_pump_that_never_started_can_be_stopped() -> None:
    Queue().pump().stop()


def test_the_ticker_ticks_until_it_is_stopped() -> None:
    ticks: list[int] = []
    ticker = Ticker((Tick("test", 0.05, lambda: ticks.append(1)),))
    ticker.stop()
    ticker.start()
    wait_until(lambda: len(ticks) >= 3, 10, "three ticks")
    ticker.stop()
    count = len(ticks)
    threading.Event().wait(0.15)
    assert len(ticks) == count
