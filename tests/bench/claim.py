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

from sqlalchemy import insert, text

from services.model.certificates import Certificate
from services.model.lifecycle import State
from storage import records
from storage.database import Database
from storage.schema import CERTIFICATES

STORED = 100_000
DUE = (0, 10, 100)
ROUNDS = 30
LEASE = timedelta(seconds=60)
NOW = datetime(2027, 1, 1, tzinfo=UTC)


def _certificate(number: int) -> Certificate:
    """Return an installed certificate, to be renewed some time in the next 60 days."""
    return Certificate(
        id=f"cert_{number:07}",
        store=f"store{number // 3}",
        domain=f"shop{number}.test",
        wanted=(f"shop{number}.test", f"www.shop{number}.test"),
        created_at=NOW,
        updated_at=NOW,
        state=State.INSTALLED,
        run_after=NOW + timedelta(hours=1, seconds=number * 37 % (60 * 86400)),
        not_after=NOW + timedelta(days=1 + number % 90),
    )


def _fill(database: Database, stored: int) -> None:
    for start in range(0, stored, 5000):
        numbers = range(start, min(start + 5000, stored))
        rows = [records.certificate_values(_certificate(number)) for number in numbers]
        with database.writing() as connection:
            connection.execute(insert(CERTIFICATES), rows)


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
def _database(url: str | None) -> Iterator[Database]:
    with tempfile.TemporaryDirectory(prefix="certdesk-bench-") as folder:
        database = Database.open(url or f"sqlite:///{folder}/certdesk.db", migrate=True)
        try:
            with database.writing() as connection:
                connection.execute(text("DELETE FROM certificates"))
            yield database
        finally:
            database.close()


def _measured(url: str | None, stored: int) -> dict[int, float]:
    """Return the median seconds of a claim for each number of due rows."""
    with _database(url) as database:
        _fill(database, stored)
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
