"""Ports: alerts and who suffers from them, the fleet's watch, breakers and budgets as the database keeps them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from services.model.alerts import Alert, Forecast, Severity, Sighting, Tally
from services.model.pacing import Breaker, Watch


class Alerts(Protocol):
    """Alerts, which are a queue, and the sightings that they are made of."""

    def get(self, alert: str) -> Alert | None:
        """Return the alert with this id, or None."""
        ...

    def latest(self, key: str) -> Alert | None:
        """Return the newest alert with this key, open or healed, or None."""
        ...

    def add(self, alert: Alert) -> bool:
        """Insert; False, and nothing changed, if an open one has its key. Safe when two do it at once.

        After False that one cannot heal before the transaction ends.
        """
        ...

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Alert]:
        """Claim alerts with due_at <= now and no unexpired lease, longest due first; ``fence`` grows by one each."""
        ...

    def save(self, alert: Alert) -> None:
        """Save a claimed alert and give its lease back. Raises LeaseLostError if its fence is not the stored one.

        The same if it is open and another open alert has its key by now: a cause has one open alert at a time.

        Its members may have changed since it was claimed (the stored ``stirred`` is larger): then the stored due_at
        stays, if it is the earlier one. ``stirred`` itself is never written by a save or a change; nor are key, code,
        thing, owner, wide and opened_at.
        """
        ...

    def change(self, alert: Alert, now: datetime) -> bool:
        """Save a change from outside the queue (a click) and raise the fence by one.

        False, and nothing saved, if the stored fence is not the alert's, a lease is still held after ``now``, or the alert
        is open and another open one has its key. Its due_at is saved as in `save`.
        """
        ...

    def stir(self, key: str, due_at: datetime) -> None:
        """Tell the open alert with this key that its members changed: due at ``due_at`` or earlier, ``stirred`` grows."""
        ...

    def listing(self, limit: int = 100, *, told: bool = False) -> Sequence[Alert]:
        """Return open alerts with members: the gravest first, then by the earliest deadline, then by id.

        ``told``: only those that people were told of (`said` is set).
        """
        ...

    def opened_since(self, code: str, since: datetime) -> int:
        """Return how many alerts of this code were opened after ``since``, collective ones left out."""
        ...

    def shared(self, code: str) -> Sequence[Alert]:
        """Return the open alerts of this code whose cause is the platform's or a CA's, sorted by key."""
        ...

    def between(self, since: datetime, until: datetime) -> tuple[Sequence[Alert], Sequence[Alert]]:
        """Return what was told of and opened, and what was told of and healed, from ``since`` to before ``until``."""
        ...

    def sightings(self, certificate: str) -> Sequence[Sighting]:
        """Return what the certificate suffers from, by position; empty for most."""
        ...

    def put_sighting(self, sighting: Sighting) -> None:
        """Insert, or replace the one with the same certificate and key."""
        ...

    def drop_sighting(self, certificate: str, key: str) -> None:
        """Forget one; nothing happens if there is none."""
        ...

    def members(
        self, key: str, limit: int = 100, *, store: str | None = None, blocking: bool = False
    ) -> Sequence[Sighting]:
        """Return confirmed sightings that belong to the alert with this key, the earliest deadline first (none last).

        ``blocking``: only those that stand in the way of renewal.
        """
        ...

    def tally(self, key: str) -> Tally:
        """Count the confirmed sightings that belong to the alert with this key."""
        ...

    def tags(self, key: str, tags: Sequence[str]) -> frozenset[str]:
        """Return those of ``tags`` that the store of any confirmed member has."""
        ...

    def suffering(self, code: str, limit: int, store: str | None = None) -> Sequence[Sighting]:
        """Return one sighting of each certificate that suffers from the finding's code, the earliest deadline first.

        With ``store`` only of that store's certificates.
        """
        ...

    def forecast(
        self, until: datetime, bands: Mapping[Severity, datetime], stores: frozenset[str] | None = None
    ) -> Forecast:
        """Return which installed certificates with renew_at <= until will not renew as things stand.

        Blocked is one with a confirmed sighting that blocks; the one at the lowest position counts. Its band is the
        highest severity whose moment in ``bands`` is not before its deadline, else INFO. ``stores`` None: all of them.
        """
        ...

    def blocked(
        self, until: datetime, code: str, limit: int = 100, *, stores: frozenset[str] | None = None
    ) -> Sequence[Sighting]:
        """Return the sightings that `forecast` counts for this code, the earliest deadline first."""
        ...


class Watches(Protocol):
    """The fleet's watch: a queue with one row for each certificate."""

    def plan(self, certificate: str, due_at: datetime) -> None:
        """Insert, or make due at ``due_at`` if that is earlier than planned."""
        ...

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Watch]:
        """Claim watches with due_at <= now and no unexpired lease, longest due first; ``fence`` grows by one each."""
        ...

    def done(self, watch: Watch, due_at: datetime) -> None:
        """Give a claimed watch back, due again at ``due_at``. Raises LeaseLostError if it was claimed again since."""
        ...

    def next_due(self) -> datetime | None:
        """Return the earliest due_at, leased or not; None if there are no watches."""
        ...


class Breakers(Protocol):
    """Breakers, one for each thing that failed lately: few rows, and none in good times."""

    def get(self, thing: str) -> Breaker | None:
        """Return the breaker of this thing, or None: nothing has failed lately."""
        ...

    def all(self) -> Sequence[Breaker]:
        """Return every breaker, sorted by thing."""
        ...

    def put(self, breaker: Breaker) -> None:
        """Insert or replace."""
        ...

    def drop(self, thing: str) -> None:
        """Forget; nothing happens if there is none."""
        ...

    def take_canary(self, thing: str, now: datetime, until: datetime) -> bool:
        """Make the caller the canary: True for one caller only, if probe_at <= now; probe_at is then ``until``."""
        ...


class Budgets(Protocol):
    """Token buckets as one moment for each: when the bucket will be full again (GCRA's theoretical arrival time)."""

    def full_at(self, keys: Sequence[str]) -> Mapping[str, datetime]:
        """Return the stored moments of those ``keys`` that have one; a bucket without is full."""
        ...

    def spend(self, key: str, cost: timedelta, now: datetime) -> datetime:
        """Take one token, which takes ``cost`` to grow again: full_at becomes max(full_at, now) + cost; return it.

        Atomic: of two at once both are counted.
        """
        ...

    def hold(self, key: str, until: datetime) -> None:
        """Make full_at at least ``until``: the CA has said so itself."""
        ...

    def forget(self, before: datetime) -> int:
        """Drop what is full since ``before``; return how many."""
        ...
