"""One subject under examination: the world, the subject, and facts that several checks need, gathered once."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from datetime import datetime
from typing import TypeVar, cast

from services.checks.world import Answer, Server, World
from services.model import names
from services.model.clock import aware
from services.ports import Subject

T = TypeVar("T")
R = TypeVar("R")


class Case:
    """What the gathering half of every check receives. The checks of one case may run in several threads."""

    def __init__(
        self, world: World, subject: Subject, askers: Executor, visitors: Executor | None = None
    ) -> None:
        """``askers`` runs single questions of DNS side by side, ``visitors`` probes of HTTP (None: the same threads).

        What runs there never waits for it.
        """
        self.world = world
        self.subject = subject
        self.base = names.base(subject.name)
        self.now: datetime = aware(world.clock())
        self._askers, self._visitors = askers, visitors or askers
        self._facts: dict[str, object] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def once(self, key: str, gather: Callable[["Case"], T]) -> T:
        """Return ``gather(case)``, called once for each ``key`` whoever asks first; others wait for it."""
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._facts:
                self._facts[key] = gather(self)
            return cast("T", self._facts[key])

    def each(self, function: Callable[[T], R], items: Iterable[T]) -> tuple[R, ...]:
        """Return ``function`` of each item, in order, worked out side by side. Not for use inside ``function``."""
        return _side_by_side(self._askers, function, items)

    def visit(self, function: Callable[[T], R], items: Iterable[T]) -> tuple[R, ...]:
        """Return the same for probes of HTTP, which may wait longer: in threads that no question of DNS waits for."""
        return _side_by_side(self._visitors, function, items)

    def resolve(self, name: str, rtype: str) -> Answer:
        """Return what the resolvers say, validating if they do."""
        return self.once(f"resolve {name} {rtype}", lambda case: case.world.dns.query(name, rtype))

    def ask(self, name: str, rtype: str, server: Server) -> Answer:
        """Return what ``server`` says."""
        return self.world.dns.query(name, rtype, server)


def _side_by_side(threads: Executor, function: Callable[[T], R], items: Iterable[T]) -> tuple[R, ...]:
    todo = tuple(items)
    if len(todo) < 2:
        return tuple(function(item) for item in todo)
    return tuple(threads.map(function, todo))
