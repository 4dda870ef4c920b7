"""How long a fleet of 10,000 certificates takes to be planned that a CA wants replaced at once, on SQLite and on PostgreSQL.

    python -m tests.bench.recall [database URL]

Each is noted in a transaction of its own, as the steps of certificates do it; then they join the plan, and one step of
the whole plan is measured. What is left out is the asking of the CA itself: that is ten a second, on purpose.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert, update

from bot.demo.parts.postgres import Postgres
from services.bulk import steps
from services.desk import Desk
from services.model.certificates import Certificate, Revision
from services.model.jobs import Counts
from services.model.recalls import Recall
from services.model.settings import Alerting, Issuing, Platform, Renewing
from services.recalling import noting
from services.recalling.carrying import GAP
from storage import records
from storage.database import Database
from storage.schema import CERTIFICATES, REVISIONS
from tests.bench.claim import LEASE, NOW, certificate, filled, settle
from tests.bench.figures import aim, table
from tests.desks import ScriptedChecker

FLEET = 10_000
MOST_SECONDS = 120.0
CA = "pebble"
CHANNEL = Alerting(channel="C0ALERTS")


def measure(url: str | None, fleet: int = FLEET) -> dict[str, float]:
    """Return the seconds of each part of the planning, and of one step of the plan when all is in it."""
    with filled(url, fleet) as database:
        rows = [certificate(number) for number in range(fleet)]
        _revised(database, rows)
        settle(database)
        found = {}
        found["asking"] = _timed(lambda: _asked(database, fleet))
        found["noting"] = _timed(lambda: _noted(database, rows))
        settle(database)
        desk = _desk(database)
        found["joining"] = _timed(lambda: _joined(desk, database, fleet))
        found["step"] = _timed(lambda: _stepped(desk, database))
        return found


def _timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _revised(database: Database, rows: list[Certificate]) -> None:
    """Give each its installed revision, and let it be asked about in six hours."""
    made = [Revision(str(row.installed), row.id, row.wanted, "CSR", b"key", NOW, ca=CA) for row in rows]
    with database.writing() as connection:
        connection.execute(insert(REVISIONS), [records.revision_values(one) for one in made])
        past = NOW - timedelta(hours=1)
        connection.execute(update(CERTIFICATES).values(ari_after=NOW + timedelta(hours=6), renew_at=past))


def _asked(database: Database, fleet: int) -> None:
    with database.write() as tx:
        _check(tx.recalls.ask_all(CA, NOW, GAP) == fleet)


def _noted(database: Database, rows: list[Certificate]) -> None:
    for number, row in enumerate(rows):
        recall = Recall(
            revision=str(row.installed),
            certificate=row.id,
            store=row.store,
            name=row.domain,
            ca=CA,
            seen_at=NOW + GAP * number,
            not_after=row.not_after or NOW,
            planned=True,
        )
        with database.write() as tx:
            noting.keep(tx, CHANNEL, 20, recall, NOW)


def _desk(database: Database) -> Desk:
    return Desk(
        storage=database,
        checker=ScriptedChecker(),
        platform=Platform(),
        issuing=Issuing(),
        renewing=Renewing(),
        clock=lambda: NOW,
        wildcards=False,
        wake=lambda: None,
        alerting=CHANNEL,
    )


def _joined(desk: Desk, database: Database, fleet: int) -> None:
    """Do steps until all are in the plan."""
    while (counts := _counts(database)).left < fleet:
        before = counts.left
        _stepped(desk, database)
        _check(_counts(database).left > before)


def _stepped(desk: Desk, database: Database) -> None:
    with database.write() as tx:
        plan = tx.jobs.get(tx.recalls.plan(CA) or noting.id_after(CA, ""))
        if plan is None:
            raise SystemExit("there is no plan")
        [held] = tx.jobs.claim((plan.run_after or NOW) + LEASE, LEASE, 1)
    steps.step(desk, replace(held))


def _counts(database: Database) -> Counts:
    with database.read() as tx:
        return tx.jobs.counts(noting.id_after(CA, ""))


def _check(holds: bool) -> None:
    if not holds:
        raise SystemExit("the plan is not what it should be")


def show(name: str, url: str | None, fleet: int = FLEET) -> bool:
    """Measure one database, print it, and tell whether the aim holds."""
    found = measure(url, fleet)
    planned = found["asking"] + found["noting"] + found["joining"]
    rows = [
        ("the CA is to be asked about each, at a moment of its own", f"{found['asking']:.2f} s"),
        ("each is noted, in a transaction of its own", f"{found['noting']:.2f} s"),
        ("they join the plan, in order", f"{found['joining']:.2f} s"),
        ("all of it", f"{planned:.2f} s"),
        ("one step of the plan then", f"{found['step'] * 1e3:.1f} ms"),
    ]
    print(f"  {name}, {fleet:,} certificates")
    table(("part", "time"), rows)
    return aim(
        f"{name}: {fleet:,} are planned within {MOST_SECONDS:.0f} s of work", holds=planned <= MOST_SECONDS
    )


def bench(folder: Path) -> bool:
    """Measure both databases."""
    sqlite = show("SQLite", None)
    with Postgres.start(folder / "postgres") as server:
        return show("PostgreSQL", server.new_database()) and sqlite


if __name__ == "__main__":
    given = sys.argv[1] if len(sys.argv) > 1 else None
    sys.exit(0 if show("PostgreSQL" if given else "SQLite", given) else 1)
