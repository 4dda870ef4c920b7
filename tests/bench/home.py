"""What a Home costs in a fleet of 100,000 certificates, and `/ssl status` with a million stored, on both databases.

    python -m tests.bench.home [database URL]

Each look is what is done for one opening, click or refresh: gather with the person's rights, compose, and draw for Slack. It is
measured beside the same look at a fleet of a thousand: near 1 means that it costs what is shown.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from bot.demo.parts.postgres import Postgres
from bot.slack.render import render
from bot.slack.render_views import home as drawn
from commands.caller import Caller, Role
from commands.dispatch import dispatch
from commands.home import look
from commands.home_memory import Shown
from services.desk import Desk
from services.model.alerts import Alert, Severity
from services.model.certificates import Certificate
from services.model.clock import rfc3339
from services.model.findings import Owner
from services.model.fleet import Portion
from services.model.lifecycle import State
from services.ports import Message
from storage import records
from storage.database import Database
from storage.schema import CERTIFICATES, DOMAINS, SIGHTINGS, STORES
from tests.bench import fleet
from tests.bench.claim import NOW, certificate, filled, settle
from tests.bench.figures import aim, median, percentile, table
from tests.desks import Bench, finding

FLEET, SMALL, MANY = 100_000, 1_000, 1_000_000
ALERTS, MEMBERS = 1_000, 5  # open alerts, and certificates that suffer from each
ROUNDS = 40
HOME_AIM, STATUS_AIM = 0.3, 0.1  # seconds at the 95th percentile
TROUBLED = 50  # one of so many certificates is blocked
SUPPORT = Caller("T1/U_SUPPORT", Role.SUPPORT, None)
ONCALL = Caller("T1/U_ONCALL", Role.ONCALL, None)
MERCHANT = Caller("T1/U_MERCHANT", Role.MERCHANT, frozenset({"store7"}))
AGENCY = Caller("T1/U_AGENCY", Role.MERCHANT, frozenset(f"store{number}" for number in range(50)))
Row = tuple[str, Sequence[float]]


def fill(database: Database, stored: int) -> None:
    """Store that many certificates with their stores and domains, one in `TROUBLED` of them blocked."""
    for start in range(0, stored, 5000):
        numbers = range(start, min(start + 5000, stored))
        rows = [records.certificate_values(_certificate(number)) for number in numbers]
        stores = [
            {"id": f"store{number}", "status": "active", "locale": "en", "tags": "[]"}
            for number in sorted({number // 3 for number in numbers} - {(start - 1) // 3 if start else -1})
        ]
        domains = [
            {"name": f"shop{number}.test", "store": f"store{number // 3}", "is_default": False}
            for number in numbers
        ]
        with database.writing() as connection:
            connection.execute(insert(STORES), stores)
            connection.execute(insert(DOMAINS), domains)
            connection.execute(insert(CERTIFICATES), rows)
    settle(database)


def _certificate(number: int) -> Certificate:
    made = certificate(number)
    if number % TROUBLED:
        return made
    found = finding("dns.not_hosted", made.domain)
    return replace(made, state=State.BLOCKED, problem=found, retry_at=made.run_after)


def _desk(database: Database) -> Desk:
    return Bench(database, now=NOW).desk


def alarm(database: Database, stored: int) -> None:
    """Store `ALERTS` open alerts with `MEMBERS` of the ``stored`` certificates each."""
    things = [f"ns{number}.test" for number in range(ALERTS)]
    suffer = [
        fleet.sighting((number * MEMBERS + member) % stored, f"dns.lame {thing}", blocks=True)
        for number, thing in enumerate(things)
        for member in range(MEMBERS)
    ]
    with database.writing() as connection:
        connection.execute(insert(SIGHTINGS), [records.sighting_values(one) for one in suffer])
    with database.write() as tx:
        for number, thing in enumerate(things):
            tx.alerts.add(_alert(number, thing))
    settle(database)


def _alert(number: int, thing: str) -> Alert:
    return Alert(
        f"alert_{number:04}",
        f"dns.lame {thing}",
        "dns.lame",
        thing,
        Owner.PLATFORM,
        wide=False,
        opened_at=NOW,
        severity=Severity.URGENT,
        said=Severity.URGENT,
        lead=finding("dns.lame", f"shop{number}.test"),
        members=MEMBERS,
        most=MEMBERS,
        earliest=NOW + timedelta(days=3, minutes=number),
    )


# --- the Home tab ---------------------------------------------------------------------------------------------------


def _looks(database: Database) -> Mapping[str, Sequence[float]]:
    """Return the seconds of each look of some of each kind."""
    with database.read() as tx:
        middle = tx.fleet.page(Portion.INSTALLED, None, NOW, 10).positions[-1]
    deep = (int(middle[0]) + 45 * 86_400_000_000, "", "")
    asked: Mapping[str, tuple[Caller, Shown]] = {
        "support, the worst of all": (SUPPORT, Shown()),
        "support, half way back": (SUPPORT, Shown(what=Portion.ALL, after=deep)),
        "support, one state": (SUPPORT, Shown(what=Portion.BLOCKED)),
        "support, expires soon": (SUPPORT, Shown(what=Portion.ENDING)),
        "support, a search": (SUPPORT, Shown(search="shop")),
        f"on-call, {ALERTS:,} open alerts": (ONCALL, Shown()),
        "a merchant": (MERCHANT, Shown()),
        "an agency of 50 stores": (AGENCY, Shown()),
        "an agency, a search": (AGENCY, Shown(search="shop1")),
    }
    return {name: _timed(partial(_look, database, *how)) for name, how in asked.items()}


def _look(database: Database, caller: Caller, shown: Shown) -> None:
    body = {"person": caller.person, "shown": shown.to_json(), "opened_at": rfc3339(NOW)}
    message = Message("msg_1", "home", "home", "", "U1", private=True, body=body, created_at=NOW)
    view = drawn(look(_desk(database), caller, message).page)
    _check(len(view["blocks"]) > 10, "a Home")


# --- /ssl status ----------------------------------------------------------------------------------------------------


def _statuses(database: Database, stored: int) -> Sequence[Row]:
    """Return the seconds of each use of the command, as Slack's answer is made of it."""
    asked: Mapping[str, tuple[Caller, str]] = {
        "support, all": (SUPPORT, "status"),
        "support, a name": (SUPPORT, f"status shop{stored // 2 + 1}.test"),
        "support, a store": (SUPPORT, f"status store{stored // 6}"),
        "a merchant, all": (MERCHANT, "status"),
        "an agency of 50 stores, all": (AGENCY, "status"),
    }
    return [(name, _timed(partial(_status, database, *how))) for name, how in asked.items()]


def _status(database: Database, caller: Caller, text: str) -> None:
    outcome = dispatch(text, caller, _desk(database))
    render(outcome.reply)
    _check(outcome.exit_code == 0, "a status")


def _timed(act: Callable[[], Any]) -> Sequence[float]:
    act()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return times


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise SystemExit(f"{what} did not show what was stored")


# --- showing --------------------------------------------------------------------------------------------------------


def show(name: str, url: str | None, stored: int = FLEET, many: int = MANY) -> bool:
    """Measure one database, print it, and tell whether the aims hold."""
    with filled(url, 0) as database:
        fill(database, SMALL)
        alarm(database, SMALL)
        small = _looks(database)
    with filled(url, 0) as database:
        fill(database, stored)
        alarm(database, stored)
        full = _looks(database)
    print(f"  {name}: a Home, {stored:,} certificates stored")
    head = ("what is shown", "p50", "p95", f"p50 of {SMALL:,}", "ratio")
    table(head, [_row(kind, full[kind], small[kind]) for kind in full])
    with filled(url, 0) as database:
        fill(database, many)
        statuses = _statuses(database, many)
    print(f"  {name}: /ssl status, {many:,} certificates stored")
    table(
        ("asked by", "p50", "p95"), [(who, _ms(median(t)), _ms(percentile(t, 0.95))) for who, t in statuses]
    )
    slowest = max(percentile(times, 0.95) for times in full.values())
    held = aim(f"{name}: a Home takes {_ms(HOME_AIM)} at p95 at the most", holds=slowest < HOME_AIM)
    slowest = max(percentile(times, 0.95) for _, times in statuses)
    return (
        aim(f"{name}: /ssl status takes {_ms(STATUS_AIM)} at p95 at the most", holds=slowest < STATUS_AIM)
        and held
    )


def _row(kind: str, times: Sequence[float], small: Sequence[float]) -> tuple[str, ...]:
    ratio = f"{median(times) / median(small):.2f}"
    return kind, _ms(median(times)), _ms(percentile(times, 0.95)), _ms(median(small)), ratio


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


def bench(folder: Path) -> bool:
    """Measure both databases."""
    sqlite = show("SQLite", None)
    with Postgres.start(folder / "postgres") as server:
        return show("PostgreSQL", server.new_database()) and sqlite


if __name__ == "__main__":
    given = sys.argv[1] if len(sys.argv) > 1 else None
    sys.exit(0 if show("PostgreSQL" if given else "SQLite", given) else 1)
