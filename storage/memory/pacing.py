"""Watches, breakers and budgets, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.model.clock import aware
from services.model.pacing import Breaker, Watch
from storage import records
from storage.memory.tables import MemoryRepository, claim, held


class MemoryWatches(MemoryRepository):
    """`services.ports.Watches`."""

    __slots__ = ()

    def plan(self, certificate: str, due_at: datetime) -> None:
        """Insert, or make due at ``due_at`` if that is earlier than planned."""
        due_at = aware(due_at)
        stored = self._tables.watches.get(certificate)
        if stored is None:
            self._put(Watch(certificate, due_at))
        elif due_at < stored.due_at:
            self._put(replace(stored, due_at=due_at))

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Watch]:
        """Claim watches with due_at <= now and no unexpired lease, longest due first."""
        due = [row for row in self._tables.watches.values() if row.due_at <= aware(now)]
        rows = claim(due, lambda row: row.due_at, now, lease, limit)
        self._put(*rows)
        return rows

    def done(self, watch: Watch, due_at: datetime) -> None:
        """Give a claimed watch back, due again at ``due_at``. Raises LeaseLostError if it was claimed again since."""
        stored = held(self._tables.watches, watch)
        self._put(replace(stored, due_at=aware(due_at), lease_until=None))

    def next_due(self) -> datetime | None:
        """Return the earliest due_at, leased or not; None if there are no watches."""
        return min((row.due_at for row in self._tables.watches.values()), default=None)

    def _put(self, *rows: Watch) -> None:
        if rows:
            self._view.own("watches")
            self._tables.watches.update({row.id: row for row in rows})


class MemoryBreakers(MemoryRepository):
    """`services.ports.Breakers`."""

    __slots__ = ()

    def get(self, thing: str) -> Breaker | None:
        """Return the breaker of this thing, or None."""
        return self._tables.breakers.get(thing)

    def all(self) -> Sequence[Breaker]:
        """Return every breaker, sorted by thing."""
        return sorted(self._tables.breakers.values(), key=lambda row: row.thing)

    def put(self, breaker: Breaker) -> None:
        """Insert or replace."""
        kept = records.breaker(records.settled(records.breaker_values(breaker)))
        self._view.own("breakers")
        self._tables.breakers[kept.thing] = kept

    def drop(self, thing: str) -> None:
        """Forget; nothing happens if there is none."""
        self._view.own("breakers")
        self._tables.breakers.pop(thing, None)

    def take_canary(self, thing: str, now: datetime, until: datetime) -> bool:
        """Make the caller the canary: True for one caller only, if probe_at <= now; probe_at is then ``until``."""
        stored = self.get(thing)
        if stored is None or stored.probe_at is None or stored.probe_at > aware(now):
            return False
        self.put(replace(stored, probe_at=until))
        return True


class MemoryBudgets(MemoryRepository):
    """`services.ports.Budgets`."""

    __slots__ = ()

    def full_at(self, keys: Sequence[str]) -> Mapping[str, datetime]:
        """Return the stored moments of those ``keys`` that have one."""
        return {key: self._tables.budgets[key] for key in keys if key in self._tables.budgets}

    def spend(self, key: str, cost: timedelta, now: datetime) -> datetime:
        """Take one token, which takes ``cost`` to grow again; return when the bucket is full again."""
        return self._put(key, max(self._tables.budgets.get(key, aware(now)), aware(now)) + cost)

    def hold(self, key: str, until: datetime) -> None:
        """Make full_at at least ``until``."""
        self._put(key, max(self._tables.budgets.get(key, aware(until)), aware(until)))

    def forget(self, before: datetime) -> int:
        """Drop what is full since ``before``; return how many."""
        gone = [key for key, moment in self._tables.budgets.items() if moment <= aware(before)]
        if gone:
            self._view.own("budgets")
        for key in gone:
            del self._tables.budgets[key]
        return len(gone)

    def _put(self, key: str, moment: datetime) -> datetime:
        self._view.own("budgets")
        self._tables.budgets[key] = moment
        return moment
