"""What a claim costs in a database of 100,000 certificates of which none, a few or many are due.

    python -m tests.bench.claim [database URL]

Without a URL it fills a SQLite file of its own. Prints microseconds for one claim in a transaction of its own, and the
ratio to the same claim in a database that holds only what is due: near 1 means that it costs what is due, not what
is stored.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, text

from services.model.certificates import Certificate
from services.model.lifecycle import State
from storage import records
from storage.database import Database
from storage.schema import CERTIFICATES, METADATA, WATCHES

STORED = 100_000
DUE = (0, 10, 100)
ROUNDS = 30
LEASE = timedelta(seconds=60)
NOW = datetime(2027, 1, 1, tzinfo=UTC)


def certificate(number: int) -> Certificate:
    """Return an installed certificate, to be renewed some time in the next 60 days."""
    renew_at = NOW + timedelta(hours=1, seconds=number * 37 % (60 * 86400))
    return Certificate(
        id=f"cert_{number:07}",
        store=f"store{number // 3}",
        domain=f"shop{number}.test",
        wanted=(f"shop{number}.test", f"www.shop{number}.test"),
        created_at=NOW,
        updated_at=NOW,
        state=State.INSTALLED,
        run_after=renew_at,
        renew_at=renew_at,
        installed=f"rev_{number:07}",
        not_after=NOW + timedelta(days=1 + number % 90),
    )


def fill(database: Database, stored: int) -> None:
    """Store that many certificates, and when each is to be looked at next within the coming day."""
    for start in range(0, stored, 5000):
        numbers = range(start, min(start + 5000, stored))
        rows = [records.certificate_values(certificate(number)) for number in numbers]
        watches = [_watch(number) for number in numbers]
        with database.writing() as connection:
            connection.execute(insert(CERTIFICATES), rows)
            connection.execute(insert(WATCHES), watches)


def _watch(number: int) -> dict[str, Any]:
    due_at = NOW + timedelta(hours=1, seconds=number * 37 % 86400)
    return {"id": f"cert_{number:07}", "due_at": due_at, "fence": 0, "lease_until": None}


def _claim_times(database: Database, due: int) -> list[float]:
    """Return the seconds that each of some claims took, each of ``due`` rows that were due."""
    times, now = [], NOW
    for _ in range(ROUNDS):
        with database.write() as tx:
            rows = tx.certificates.get_many([f"cert_{number:07}" for number in range(due)])
            for row in rows:
                tx.certificates.save(replace(row, run_after=now), None)
        began = time.perf_counter()
        with database.write() as tx:
            claimed = tx.certificates.claim(now, LEASE, max(due, 1))
        times.append(time.perf_counter() - began)
        _check(len(claimed), due)
        with database.write() as tx:
            for row in claimed:
                tx.certificates.save(replace(row, run_after=NOW + timedelta(days=30)), None)
    return times


def _check(claimed: int, due: int) -> None:
    if claimed != due:
        raise SystemExit(f"{claimed} rows were claimed where {due} were due")


@contextmanager
def filled(url: str | None, stored: int) -> Iterator[Database]:
    """Yield a database that holds ``stored`` certificates: the one at ``url``, which is emptied first, or a file."""
    with tempfile.TemporaryDirectory(prefix="certdesk-bench-") as folder:
        database = Database.open(url or f"sqlite:///{folder}/certdesk.db", migrate=True)
        try:
            with database.writing() as connection:
                for table in reversed(METADATA.sorted_tables):
                    connection.execute(delete(table))
            fill(database, stored)
            settle(database)
            yield database
        finally:
            database.close()


def settle(database: Database) -> None:
    """Let PostgreSQL learn how much there is, as it does by itself after a minute; nobody does so for SQLite."""
    with database.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ANALYZE"))


def _measured(url: str | None, stored: int) -> dict[int, float]:
    """Return the median seconds of a claim for each number of due rows."""
    with filled(url, stored) as database:
        return {due: statistics.median(_claim_times(database, due)) for due in DUE}


def measure(url: str | None = None, stored: int = STORED) -> dict[str, Any]:
    """Return, for each number of due rows, microseconds in the full and in the small database and their ratio."""
    small, full = _measured(url, max(DUE)), _measured(url, stored)
    rows = [
        {"due": due, "us": full[due] * 1e6, "us_small": small[due] * 1e6, "ratio": full[due] / small[due]}
        for due in DUE
    ]
    return {"stored": stored, "claims": rows}


def main() -> None:
    """Measure and print."""
    found = measure(sys.argv[1] if len(sys.argv) > 1 else None)
    print(f"one claim, {found['stored']:,} certificates stored (beside {max(DUE)})")
    for row in found["claims"]:
        print(
            f"  {row['due']:>4} due: {row['us']:>8.0f} us   {row['us_small']:>8.0f} us   x{row['ratio']:.2f}"
        )


if __name__ == "__main__":
    main()
