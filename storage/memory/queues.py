"""Requests and messages, in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.model.clock import aware
from services.ports import Message, Request
from storage import records
from storage.memory.tables import MemoryRepository, claim, held


class MemoryRequests(MemoryRepository):
    """`services.ports.Requests`."""

    __slots__ = ()

    def add(self, request: Request) -> bool:
        """Insert; False, and nothing changed, if one with this ``dedupe`` exists."""
        kept = records.request(records.settled(records.request_values(request)))
        if any(stored.dedupe == kept.dedupe for stored in self._tables.requests.values()):
            return False
        self._put(kept)
        return True

    def get(self, request: str) -> Request | None:
        """Return the request with this id, or None."""
        return self._tables.requests.get(request)

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Request]:
        """Claim undone requests without an unexpired lease, oldest first."""
        undone = [row for row in self._tables.requests.values() if row.done_at is None]
        rows = claim(undone, lambda row: row.created_at, now, lease, limit)
        tried = [replace(row, tries=row.tries + 1) for row in rows]
        self._put(*tried)
        return tried

    def finish(self, request: Request, now: datetime) -> None:
        """Mark a claimed request as done. Raises LeaseLostError if another worker has claimed it since."""
        stored = held(self._tables.requests, request)
        self._put(replace(stored, done_at=aware(now), lease_until=None))

    def _put(self, *rows: Request) -> None:
        if rows:
            self._view.own("requests")
            self._tables.requests.update({row.id: row for row in rows})


class MemoryOutbox(MemoryRepository):
    """`services.ports.Outbox`."""

    __slots__ = ()

    def put(self, message: Message) -> None:
        """Insert, or merge into the message with the same key."""
        new = records.message(records.settled(records.message_values(message)))
        stored = self.by_key(message.key)
        if stored is not None:
            changed = replace(stored, kind=new.kind, body=new.body, follows=new.follows)
            new = _dirty(changed, new.run_after or new.created_at)
        self._put(new)

    def by_key(self, key: str) -> Message | None:
        """Return the message with this key, or None."""
        return next((row for row in self._tables.outbox.values() if row.key == key), None)

    def touch(self, certificate: str, now: datetime) -> None:
        """Make every message that follows the certificate dirty and due now."""
        now = aware(now)
        self._put(*(_dirty(row, now) for row in self._tables.outbox.values() if certificate in row.follows))

    def follow(self, message: Message, follows: Sequence[str]) -> None:
        """Have a claimed message follow these from now on. Raises LeaseLostError if another worker has claimed it since."""
        stored = held(self._tables.outbox, message)
        self._put(replace(stored, follows=tuple(follows)))

    def followed(self, thing: str) -> bool:
        """Tell whether any message follows this."""
        return any(thing in row.follows for row in self._tables.outbox.values())

    def followed_under(self, prefix: str) -> Sequence[str]:
        """Return what is followed that begins with ``prefix``, each once, sorted."""
        things = {thing for row in self._tables.outbox.values() for thing in row.follows}
        return sorted(thing for thing in things if thing.startswith(prefix))

    def claim(self, now: datetime, lease: timedelta, limit: int, via: str = "slack") -> Sequence[Message]:
        """Claim dirty messages of ``via`` that are due, oldest change first."""
        due = {
            row.id: row.run_after
            for row in self._owed(via)
            if row.run_after is not None and row.run_after <= aware(now)
        }
        messages = [self._tables.outbox[id_] for id_ in due]
        rows = claim(messages, lambda row: due[row.id], now, lease, limit)
        self._put(*rows)
        return rows

    def delivered(self, message: Message, ts: str, *, final: bool) -> None:
        """Record that ``message.version`` was sent as ``ts``; a final one that nothing has changed since follows no more."""
        stored = held(self._tables.outbox, message)
        later = stored.version > message.version
        sent = replace(stored, ts=ts, sent=message.version, failures=0, error="", lease_until=None)
        follows = () if final and not later else stored.follows
        self._put(replace(sent, follows=follows, run_after=stored.run_after if later else None))

    def postponed(self, message: Message, run_after: datetime, error: str) -> None:
        """Record a failed delivery. Raises LeaseLostError if another worker has claimed it since."""
        stored = held(self._tables.outbox, message)
        failed = replace(
            stored, failures=stored.failures + 1, error=records.storable(error), lease_until=None
        )
        self._put(replace(failed, run_after=aware(run_after)))

    def fall_back(self, message: Message, channel: str, origin: str) -> None:
        """Give a claimed message to ``channel`` of the support workspace; with no channel it is closed."""
        stored = replace(held(self._tables.outbox, message), origin=origin, lease_until=None)
        if not channel:
            self._put(replace(stored, sent=stored.version, run_after=None))
            return
        moved = replace(stored, team="", channel=channel, ts=None, failures=0, error="")
        self._put(replace(moved, run_after=message.run_after or message.created_at))

    def revive(self, via: str = "slack") -> None:
        """Make every dirty message of ``via`` that has failed due as of its creation."""
        self._put(*(replace(row, run_after=row.created_at) for row in self._owed(via) if row.failures))

    def waiting(self) -> int:
        """Return how many messages are dirty."""
        return sum(row.version > row.sent for row in self._tables.outbox.values())

    def oldest(self, via: str = "slack") -> datetime | None:
        """Return since when the longest waiting dirty message of ``via`` has been due; None if none is."""
        return min((row.run_after for row in self._owed(via) if row.run_after is not None), default=None)

    def struggling(self, via: str = "slack") -> int:
        """Return how many dirty messages of ``via`` have failed at least once."""
        return sum(row.failures > 0 for row in self._owed(via))

    def _owed(self, via: str) -> Sequence[Message]:
        return [row for row in self._tables.outbox.values() if row.via == via and row.version > row.sent]

    def _put(self, *rows: Message) -> None:
        if rows:
            self._view.own("outbox")
            self._tables.outbox.update({row.id: row for row in rows})


def _dirty(message: Message, since: datetime) -> Message:
    """Return the message with one change more; one that is due already keeps its place."""
    waiting = message.run_after if message.version > message.sent else None
    run_after = since if waiting is None else min(waiting, since)
    return replace(message, version=message.version + 1, run_after=run_after)
