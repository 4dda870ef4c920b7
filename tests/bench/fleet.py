"""What keeping watch costs in a fleet of 100,000 certificates, on SQLite and on PostgreSQL.

    python -m tests.bench.fleet [database URL]

A scheduling pass claims what is due in both queues; its cost has to follow what is due, not what is stored, so each is
measured beside a small fleet. Then what people ask for: the forecast, and a look at an alert with 5,000 members.
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, update

from bot.demo.parts.postgres import Postgres
from services.model.alerts import Alert, Severity, Sighting
from services.model.findings import Owner
from storage import records
from storage.database import Database
from storage.schema import CERTIFICATES, SIGHTINGS, STORES, WATCHES
from tests.bench.claim import LEASE, NOW, STORED, certificate, filled, settle
from tests.bench.figures import aim, table

DUE = (0, 100, 1000)
SMALL = max(DUE)
ROUNDS = 15
BLOCKED = 1000
MEMBERS = 5000
FEW = 2.0  # times as long as in a small fleet a pass may take: deeper indices and colder pages, not more rows
CHANCE = 0.002  # seconds that a pass may take longer by chance
MONTH = NOW + timedelta(days=30)
BANDS = {
    severity: NOW + timedelta(days=days)
    for severity, days in ((Severity.WARNING, 21), (Severity.URGENT, 7), (Severity.CRITICAL, 2))
}
Row = tuple[str, float]


@dataclass(frozen=True, slots=True)
class Pass:
    """The seconds of the quickest scheduling pass with ``due`` rows due in each queue: a busy machine slows the others."""

    due: int
    seconds: float
    small: float

    @property
    def ratio(self) -> float:
        """How many times as long it takes in the full fleet."""
        return self.seconds / self.small


def measure(url: str | None, stored: int = STORED) -> tuple[Sequence[Pass], Sequence[Row]]:
    """Return what passes cost beside a small fleet, and what questions cost in the full one, in seconds."""
    with filled(url, SMALL) as database:
        small = _passes(database)
    with filled(url, stored) as database:
        full = _passes(database)
        _suffer(database, stored)
        settle(database)
        return [Pass(due, full[due], small[due]) for due in DUE], _questions(database)


# --- scheduling -----------------------------------------------------------------------------------------------------


def _passes(database: Database) -> dict[int, float]:
    return {due: min(_pass(database, due) for _ in range(ROUNDS)) for due in DUE}


def _pass(database: Database, due: int) -> float:
    """Make ``due`` rows of each queue due, and return how long it takes to claim them all."""
    ids = [f"cert_{number:07}" for number in range(due)]
    _make_due(database, ids)
    began = time.perf_counter()
    with database.write() as tx:
        watches = tx.watches.claim(NOW, LEASE, SMALL)
    with database.write() as tx:
        certificates = tx.certificates.claim(NOW, LEASE, SMALL)
    seconds = time.perf_counter() - began
    _check([watch.id for watch in watches] == [row.id for row in certificates] == ids, "a pass")
    with database.write() as tx:
        for watch in watches:
            tx.watches.done(watch, NOW + timedelta(days=1))
        for row in certificates:
            tx.certificates.save(replace(row, run_after=row.renew_at), None)
    return seconds


def _make_due(database: Database, ids: Sequence[str]) -> None:
    with database.writing() as connection:
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            connection.execute(update(WATCHES).where(WATCHES.c.id.in_(some)).values(due_at=NOW))
            chosen = update(CERTIFICATES).where(CERTIFICATES.c.id.in_(some))
            connection.execute(chosen.values(run_after=NOW))


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise SystemExit(f"{what} did not find what was stored")


# --- questions ------------------------------------------------------------------------------------------------------

_WIDE, _OWN = "ca.unavailable pebble", "dns.lame"


def _suffer(database: Database, stored: int) -> None:
    """Store an alert with `MEMBERS` members, which block nothing, and `BLOCKED` certificates that will not renew."""
    step = stored // MEMBERS
    shared = [sighting(number * step, _WIDE, blocks=False) for number in range(MEMBERS)]
    own = [sighting(number, f"{_OWN} ns{number}.test", blocks=True) for number in range(BLOCKED)]
    stores = sorted({sighting.store for sighting in shared})
    with database.writing() as connection:
        connection.execute(insert(SIGHTINGS), [records.sighting_values(row) for row in shared + own])
        rows = [{"id": store, "status": "active", "locale": "en", "tags": '["a"]'} for store in stores]
        connection.execute(insert(STORES), rows)
    with database.write() as tx:
        tx.alerts.add(_alert())


def sighting(number: int, key: str, *, blocks: bool) -> Sighting:
    """Return what the watch has confirmed of a certificate of the bench: that it suffers from the cause ``key``."""
    suffering = certificate(number)
    return Sighting(
        certificate=suffering.id,
        key=key,
        alert=key,
        code=key.partition(" ")[0],
        owner=Owner.MERCHANT if blocks else Owner.PLATFORM,
        store=suffering.store,
        name=suffering.domain,
        blocks=blocks,
        position=0,
        first_seen=NOW,
        last_seen=NOW,
        confirmed=True,
        deadline=suffering.not_after,
        lifetime=timedelta(days=90),
        renews_at=suffering.renew_at,
    )


def _alert() -> Alert:
    code, _, thing = _WIDE.partition(" ")
    return Alert("alert_wide", _WIDE, code, thing, Owner.PLATFORM, wide=True, opened_at=NOW, due_at=NOW)


def _questions(database: Database) -> Sequence[Row]:
    some = frozenset(f"store{number}" for number in range(0, 3000, 3))
    asked: Sequence[tuple[str, Callable[[Any], Any], Callable[[Any], bool]]] = (
        (
            f"forecast of the fleet, {BLOCKED:,} blocked",
            lambda tx: tx.alerts.forecast(MONTH, BANDS),
            lambda found: found.blocked == BLOCKED,
        ),
        (
            "forecast of 1,000 stores",
            lambda tx: tx.alerts.forecast(MONTH, BANDS, some),
            lambda found: 0 < found.blocked < found.due,
        ),
        (
            "the first 100 that are blocked",
            lambda tx: tx.alerts.blocked(MONTH, _OWN),
            lambda found: len(found) == 100,
        ),
        (
            f"tally of {MEMBERS:,} members",
            lambda tx: tx.alerts.tally(_WIDE),
            lambda found: found.certificates == MEMBERS,
        ),
        (
            f"the first 100 of {MEMBERS:,} members",
            lambda tx: tx.alerts.members(_WIDE),
            lambda found: len(found) == 100,
        ),
        (
            f"tags of {MEMBERS:,} members",
            lambda tx: tx.alerts.tags(_WIDE, ["a", "b"]),
            lambda found: found == {"a"},
        ),
    )
    rows = [(name, _asked(database, ask, holds)) for name, ask, holds in asked]
    looks = statistics.median(_look(database, round_) for round_ in range(ROUNDS))
    return [*rows, (f"a look at the alert with {MEMBERS:,} members", looks)]


def _asked(database: Database, ask: Callable[[Any], Any], holds: Callable[[Any], bool]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        with database.read() as tx:
            found = ask(tx)
        times.append(time.perf_counter() - began)
        _check(holds(found), "a question")
    return statistics.median(times)


def _look(database: Database, number: int) -> float:
    """Claim the alert, gather what it is decided by, and save it."""
    now = NOW + number * LEASE
    began = time.perf_counter()
    with database.write() as tx:
        (alert,) = tx.alerts.claim(now, LEASE, 10)
    with database.read() as tx:
        tally, first = tx.alerts.tally(_WIDE), tx.alerts.members(_WIDE, 1)
        tx.alerts.tags(_WIDE, ["a"])
    with database.write() as tx:
        tx.alerts.save(replace(alert, members=tally.certificates, earliest=first[0].deadline, due_at=now))
    return time.perf_counter() - began


# --- showing --------------------------------------------------------------------------------------------------------


def show(name: str, url: str | None, stored: int = STORED) -> bool:
    """Measure one database, print it, and tell whether passes cost what is due."""
    passes, questions = measure(url, stored)
    print(f"  {name}, {stored:,} certificates")
    rows = [(p.due, f"{p.seconds * 1e3:.2f} ms", f"{p.small * 1e3:.2f} ms", f"{p.ratio:.2f}") for p in passes]
    table(("due in each queue", "one pass", f"of {SMALL:,} stored", "ratio"), rows)
    table(("question", "median"), [(question, f"{seconds * 1e3:.2f} ms") for question, seconds in questions])
    holds = all(row.seconds <= FEW * row.small + CHANCE for row in passes)
    return aim(
        f"{name}: a pass costs what is due: at most {FEW:g} x what it costs in a small fleet", holds=holds
    )


def bench(folder: Path) -> bool:
    """Measure both databases."""
    sqlite = show("SQLite", None)
    with Postgres.start(folder / "postgres") as server:
        return show("PostgreSQL", server.new_database()) and sqlite


if __name__ == "__main__":
    given = sys.argv[1] if len(sys.argv) > 1 else None
    sys.exit(0 if show("PostgreSQL" if given else "SQLite", given) else 1)
