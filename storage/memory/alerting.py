"""Alerts and the sightings that they are made of, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

from services.model.alerts import Alert, Forecast, Outlook, Severity, Sighting, Tally, collective_key
from services.model.clock import aware
from services.model.errors import LeaseLostError
from services.model.findings import Owner
from storage import records
from storage.memory.tables import MemoryRepository, claim, free, held


def _soonest(sighting: Sighting) -> tuple[bool, datetime | None, str, str]:
    """Sort by deadline, none last, then by certificate and cause."""
    return sighting.deadline is None, sighting.deadline, sighting.certificate, sighting.key


def _gravest(alert: Alert) -> tuple[int, bool, datetime | None, str]:
    return -alert.severity, alert.earliest is None, alert.earliest, alert.id


class MemorySightings(MemoryRepository):
    """`services.ports.Alerts`, the part about sightings."""

    __slots__ = ()

    def sightings(self, certificate: str) -> Sequence[Sighting]:
        """Return what the certificate suffers from, by position; empty for most."""
        rows = [row for row in self._tables.sightings.values() if row.certificate == certificate]
        return sorted(rows, key=lambda row: (row.position, row.key))

    def put_sighting(self, sighting: Sighting) -> None:
        """Insert, or replace the one with the same certificate and key."""
        kept = records.sighting(records.settled(records.sighting_values(sighting)))
        self._view.own("sightings")
        self._tables.sightings[kept.certificate, kept.key] = kept

    def drop_sighting(self, certificate: str, key: str) -> None:
        """Forget one; nothing happens if there is none."""
        self._view.own("sightings")
        self._tables.sightings.pop((certificate, key), None)

    def members(
        self, key: str, limit: int = 100, *, store: str | None = None, blocking: bool = False
    ) -> Sequence[Sighting]:
        """Return confirmed sightings that belong to the alert with this key, the earliest deadline first (none last).

        ``blocking``: only those that stand in the way of renewal.
        """
        rows = [row for row in self._confirmed(key) if store in (None, row.store) and row.blocks >= blocking]
        return sorted(rows, key=_soonest)[:limit]

    def suffering(self, code: str, limit: int, store: str | None = None) -> Sequence[Sighting]:
        """Return one sighting of each certificate that suffers from the finding's code, the earliest deadline first.

        With ``store`` only of that store's certificates.
        """
        found: dict[str, Sighting] = {}
        every = self._tables.sightings.values()
        rows = [row for row in every if row.code == code and store in (None, row.store)]
        for row in sorted(rows, key=_soonest):
            found.setdefault(row.certificate, row)
        return list(found.values())[:limit]

    def tally(self, key: str) -> Tally:
        """Count the confirmed sightings that belong to the alert with this key."""
        rows = self._confirmed(key)
        return Tally(
            certificates=len({row.certificate for row in rows}),
            stores=len({row.store for row in rows}),
            blocked=len({row.certificate for row in rows if row.blocks}),
            earliest=min((row.deadline for row in rows if row.deadline is not None), default=None),
        )

    def tags(self, key: str, tags: Sequence[str]) -> frozenset[str]:
        """Return those of ``tags`` that the store of any confirmed member has."""
        stores = {row.store for row in self._confirmed(key)} & self._tables.stores.keys()
        return frozenset(tags) & {tag for store in stores for tag in self._tables.stores[store].tags}

    def _confirmed(self, key: str) -> Sequence[Sighting]:
        return [row for row in self._tables.sightings.values() if row.alert == key and row.confirmed]

    def forecast(
        self, until: datetime, bands: Mapping[Severity, datetime], stores: frozenset[str] | None = None
    ) -> Forecast:
        """Return which installed certificates with renew_at <= until will not renew as things stand."""
        blocked = self._foremost(until, stores)

        def group(row: Sighting) -> tuple[str, Owner, Severity]:
            return row.code, row.owner, _band(row.deadline, bands)

        ranked = sorted(blocked, key=lambda row: (group(row), _soonest(row)))
        groups = [(key, list(rows)) for key, rows in groupby(ranked, group)]
        outlooks = [
            Outlook(code, owner, band, len(rows), rows[0].deadline, rows[0].name)
            for (code, owner, band), rows in groups
        ]
        outlooks.sort(key=lambda row: (-row.certificates, row.code, row.owner, -row.band))
        return Forecast(aware(until), len(self._renewing(until, stores)), len(blocked), tuple(outlooks))

    def blocked(
        self, until: datetime, code: str, limit: int = 100, *, stores: frozenset[str] | None = None
    ) -> Sequence[Sighting]:
        """Return the sightings that `forecast` counts for this code, the earliest deadline first."""
        rows = [row for row in self._foremost(until, stores) if row.code == code]
        return sorted(rows, key=_soonest)[:limit]

    def _renewing(self, until: datetime, stores: frozenset[str] | None) -> frozenset[str]:
        """Return the ids of installed certificates that are to be renewed by then."""
        return frozenset(
            row.id
            for row in self._tables.certificates.values()
            if row.installed is not None
            and row.renew_at is not None
            and row.renew_at <= aware(until)
            and (stores is None or row.store in stores)
        )

    def _foremost(self, until: datetime, stores: frozenset[str] | None) -> Sequence[Sighting]:
        """Return, for each certificate that will not renew, the sighting that it is counted by."""
        renewing = self._renewing(until, stores)
        blocking = [
            row
            for row in self._tables.sightings.values()
            if row.confirmed and row.blocks and row.certificate in renewing
        ]
        blocking.sort(key=lambda row: (row.position, row.key), reverse=True)
        return list({row.certificate: row for row in blocking}.values())


def _band(deadline: datetime | None, bands: Mapping[Severity, datetime]) -> Severity:
    if deadline is None:
        return Severity.INFO
    return max((severity for severity, moment in bands.items() if deadline <= moment), default=Severity.INFO)


class MemoryAlerts(MemorySightings):
    """`services.ports.Alerts`."""

    __slots__ = ()

    def get(self, alert: str) -> Alert | None:
        """Return the alert with this id, or None."""
        return self._tables.alerts.get(alert)

    def latest(self, key: str) -> Alert | None:
        """Return the newest alert with this key, open or healed, or None."""
        rows = [row for row in self._tables.alerts.values() if row.key == key]
        return max(rows, key=lambda row: (row.opened_at, row.id), default=None)

    def add(self, alert: Alert) -> bool:
        """Insert; False, and nothing changed, if an open one has its key."""
        if alert.open and self._open(alert.key):
            return False
        self._put(_kept(alert))
        return True

    def _open(self, key: str) -> Alert | None:
        return next((row for row in self._tables.alerts.values() if row.open and row.key == key), None)

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Alert]:
        """Claim alerts with due_at <= now and no unexpired lease, longest due first."""
        due = {
            row.id: row.due_at
            for row in self._tables.alerts.values()
            if row.due_at is not None and row.due_at <= aware(now)
        }
        alerts = [self._tables.alerts[id_] for id_ in due]
        rows = claim(alerts, lambda row: due[row.id], now, lease, limit)
        self._put(*rows)
        return rows

    def save(self, alert: Alert) -> None:
        """Save a claimed alert and give its lease back. Raises LeaseLostError for an old fence or a key that is taken."""
        stored = held(self._tables.alerts, alert)
        if self._taken(alert):
            raise LeaseLostError(alert.id)
        self._put(_merged(stored, replace(alert, lease_until=None)))

    def change(self, alert: Alert, now: datetime) -> bool:
        """Save a change from outside the queue and raise the fence; False if it has moved meanwhile."""
        stored = self.get(alert.id)
        if stored is None or stored.fence != alert.fence or not free(stored, aware(now)):
            return False
        if self._taken(alert):
            return False
        self._put(_merged(stored, replace(alert, lease_until=None, fence=alert.fence + 1)))
        return True

    def _taken(self, alert: Alert) -> bool:
        """Tell whether it is to be open and another open one has its key."""
        other = self._open(alert.key)
        return alert.open and other is not None and other.id != alert.id

    def stir(self, key: str, due_at: datetime) -> None:
        """Tell the open alert with this key that its members changed."""
        stored = self._open(key)
        if stored is not None:
            due = _earlier(stored.due_at, aware(due_at))
            self._put(replace(stored, due_at=due, stirred=stored.stirred + 1))

    def listing(self, limit: int = 100, *, told: bool = False) -> Sequence[Alert]:
        """Return open alerts with members: the gravest first, then by the earliest deadline, then by id."""
        rows = [row for row in self._tables.alerts.values() if row.open and row.members]
        return sorted((row for row in rows if row.said is not None or not told), key=_gravest)[:limit]

    def opened_since(self, code: str, since: datetime) -> int:
        """Return how many alerts of this code were opened after ``since``, collective ones left out."""
        return sum(
            row.code == code and row.opened_at > aware(since) and row.key != collective_key(code)
            for row in self._tables.alerts.values()
        )

    def shared(self, code: str) -> Sequence[Alert]:
        """Return the open alerts of this code whose cause is the platform's or a CA's, sorted by key."""
        rows = [row for row in self._tables.alerts.values() if row.open and row.wide and row.code == code]
        return sorted(rows, key=lambda row: row.key)

    def between(self, since: datetime, until: datetime) -> tuple[Sequence[Alert], Sequence[Alert]]:
        """Return what was told of and opened, and what was told of and healed, from ``since`` to before ``until``."""
        since, until = aware(since), aware(until)
        told = [row for row in self._tables.alerts.values() if row.said is not None]
        opened = [(row.opened_at, row.id, row) for row in told if since <= row.opened_at < until]
        healed = [
            (row.healed_at, row.id, row) for row in told if row.healed_at and since <= row.healed_at < until
        ]
        return [row for *_, row in sorted(opened)], [row for *_, row in sorted(healed)]

    def _put(self, *rows: Alert) -> None:
        if rows:
            self._view.own("alerts")
            self._tables.alerts.update({row.id: row for row in rows})


def _kept(alert: Alert) -> Alert:
    """Return the alert as a database would give it back."""
    return records.alert(records.settled(records.alert_values(alert)))


def _merged(stored: Alert, new: Alert) -> Alert:
    """Return what a save leaves: what never changes stays, and so does the earlier due_at of one that was stirred."""
    due_at = _earlier(new.due_at, stored.due_at) if stored.stirred > new.stirred else new.due_at
    fixed = {name: getattr(stored, name) for name in _FIXED}
    return _kept(replace(new, due_at=due_at, **fixed))


_FIXED = ("key", "code", "thing", "owner", "wide", "opened_at", "stirred")


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the earlier moment; None is never."""
    return min((moment for moment in (one, other) if moment is not None), default=None)
