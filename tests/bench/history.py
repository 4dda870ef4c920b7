"""What `/ssl history NAME` costs with a million rows in the audit trail, and what a row costs, on both databases.

    python -m tests.bench.history

The rows are put in as the version before the look-up's table had them, so that the migration that fills it is measured too.
Beside each look stands the same one with a thousand rows: near 1 means that it costs what is shown.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import insert

from bot.demo.parts.postgres import Postgres
from bot.slack.render import render
from commands.caller import Caller, Role
from commands.dispatch import dispatch
from services.model.audit import Entry, chained
from storage import records, upgrade
from storage.audiences import AUDIT
from storage.database import Database
from storage.engines import engines_for
from tests.bench.claim import NOW, fill, settle
from tests.bench.figures import aim, median, percentile, table
from tests.desks import Bench

ROWS, SMALL = 1_000_000, 1_000
NAMES = 50  # certificates that are stored, to be asked about
EVERY = 20_000  # of so many rows one is about each of the names that are asked about
ROUNDS, APPENDED = 100, 500
HISTORY_AIM = 0.1  # seconds at the 95th percentile
BEFORE = "0016"
SUPPORT = Caller("T1/U_SUPPORT", Role.SUPPORT, None)
MERCHANT = Caller("T1/U_MERCHANT", Role.MERCHANT, frozenset({"store2"}))
OLD, COMMON, SILENT = "shop7.test", "shop8.test", "shop6.test"
"""Names with a few rows among all, with a row in every fiftieth, and with none. They are of the store2."""


def _rows(count: int) -> Iterator[Entry]:
    """Yield so many rows of a trail: a few of the name ``OLD``, the first of them the very first row."""
    last: Entry | None = None
    for number in range(count):
        name = OLD if number % EVERY == 0 else COMMON if number % 50 == 1 else f"other{number % 90_000}.test"
        reason = f"approved by T1/U_SECOND: prop_{number}"
        last = chained(
            Entry(NOW, "T1/U_SUPPORT", "support", "remove", f"{name} www.{name}", "done", reason), last
        )
        yield last


@contextmanager
def _filled(url: str | None, rows: int) -> Iterator[tuple[Database, Mapping[str, float]]]:
    """Yield a database with so many rows, and the seconds of filling its table of words and of appending without and with it."""
    with tempfile.TemporaryDirectory(prefix="certdesk-bench-") as folder:
        database = Database(engines_for(url or f"sqlite:///{folder}/certdesk.db"))
        try:
            _upgrade(database, BEFORE)
            fill(database, NAMES)
            _stores(database)
            made = _rows(rows)
            while some := list(islice(made, 5000)):
                with database.writing() as connection:
                    connection.execute(insert(AUDIT), [records.entry_values(row) for row in some])
            without = median(_appended(database))
            began = time.perf_counter()
            database.migrate()
            migrated = time.perf_counter() - began
            settle(database)
            yield (
                database,
                {"migration": migrated, "without": without, "with": median(_appended(database))},
            )
        finally:
            database.close()


def _stores(database: Database) -> None:
    bench = Bench(database, now=NOW)
    for number in range(NAMES):
        bench.store(f"store{number // 3}", f"shop{number}.test")


def _upgrade(database: Database, version: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(upgrade._MIGRATIONS))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)


def _appended(database: Database) -> Sequence[float]:
    """Return the seconds of each of some rows, each added in the one transaction that five of them share, as a job's are."""
    times = []
    for number in range(-20, APPENDED // 5):  # the first ones warm it up
        with database.write() as tx:
            for item in range(5):
                subject = f"late{number + 20}x{item}.test cert_{number + 20:026}"
                reason = f"job_{number + 20:026}: asked by T1/U_SUPPORT, approved by T1/U_SECOND"
                entry = Entry(NOW, "T1/U_SUPPORT", "support", "bulk.renew", subject, "done", reason)
                began = time.perf_counter()
                tx.audit.append(entry)
                times.append(time.perf_counter() - began)
    return times[100:]


def _looks(database: Database, rows: int) -> Mapping[str, Sequence[float]]:
    few = -(-rows // EVERY)
    asked: Mapping[str, tuple[Caller, str, int]] = {
        f"support, a name with {few} rows among all": (SUPPORT, OLD, few),
        "support, a name in every fiftieth row": (SUPPORT, COMMON, min(100, rows // 50)),
        "support, a name with none": (SUPPORT, SILENT, 0),
        "a merchant, a name in every fiftieth row": (MERCHANT, COMMON, min(100, rows // 50)),
    }
    return {name: _timed(partial(_look, database, *how)) for name, how in asked.items()}


def _look(database: Database, caller: Caller, name: str, rows: int) -> None:
    outcome = dispatch(f"history {name}", caller, Bench(database, now=NOW).desk)
    render(outcome.reply)
    shown = (outcome.data or {}).get("history", ())
    if len([row for row in shown if row["what"] == "audit_done"]) != rows:
        raise SystemExit(f"the history of {name} did not show its {rows} rows")


def _timed(act: Callable[[], None]) -> Sequence[float]:
    act()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return times


def show(name: str, urls: Sequence[str | None]) -> bool:
    """Measure one database (``urls``: a small one and a large one, both empty), print it, and tell whether the aim holds."""
    small_url, url = urls
    with _filled(small_url, SMALL) as (database, _):
        small = list(_looks(database, SMALL).values())
    with _filled(url, ROWS) as (database, cost):
        full = _looks(database, ROWS)
    print(f"  {name}: /ssl history, {ROWS:,} rows in the trail")
    head = ("asked by", "p50", "p95", f"p50 of {SMALL:,}")
    table(
        head,
        [
            (who, _ms(median(times)), _ms(percentile(times, 0.95)), _ms(median(small[place])))
            for place, (who, times) in enumerate(full.items())
        ],
    )
    print(
        f"  a row more: {cost['with'] * 1e6:.0f} us, {cost['without'] * 1e6:.0f} us without its words;"
        f" the migration that fills them: {cost['migration']:.1f} s\n"
    )
    slowest = max(percentile(times, 0.95) for times in full.values())
    return aim(
        f"{name}: /ssl history takes {_ms(HISTORY_AIM)} at p95 at the most", holds=slowest < HISTORY_AIM
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


def bench(folder: Path) -> bool:
    """Measure both databases."""
    sqlite = show("SQLite", (None, None))
    with Postgres.start(folder / "postgres") as server:
        return show("PostgreSQL", (server.new_database(), server.new_database())) and sqlite


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="certdesk-bench-") as place:
        sys.exit(0 if bench(Path(place)) else 1)
