"""The fleet's watch on PostgreSQL: two workers share it, nobody is looked at twice at once, and a death in the middle resumes."""

import signal
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.demo.parts.bind import Bind
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.postgres import Postgres
from bot.demo.parts.process import wait_until
from bot.lookout import WATCH_LEASE
from services.model.certificates import Certificate
from services.model.clock import utc_now
from services.model.identity import new_id
from services.model.lifecycle import State
from services.model.stores import Domain, Store, StoreStatus
from storage.database import Database
from tests.children import Desk, desk_on

PATIENCE = 60.0
COUNT, WATCHERS = 40, 2


@pytest.fixture
def silence() -> Iterator[str]:
    """Give the address of a resolver that never answers: each look takes its time."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{mute.getsockname()[1]}"


@pytest.fixture
def desk(tmp_path: Path, bind: Bind, edge: Edge, pebble: Pebble, postgres: Postgres, silence: str) -> Desk:
    made = desk_on(tmp_path, bind, edge, pebble)
    made.set(
        DATABASE__URL=postgres.new_database(),
        PLATFORM__ADDRESSES=[],
        RDAP__SERVERS={"*": ""},
        DNS__RESOLVERS=[silence],
        DNS__TIMEOUT="0.3",
        RENEWAL__WATCHERS=str(WATCHERS),
    )
    assert made.run("migrate").returncode == 0
    return made


@pytest.fixture
def storage(desk: Desk) -> Iterator[Database]:
    opened = Database.open(desk.environment["CERTDESK_DATABASE__URL"])
    yield opened
    opened.close()


def fleet(storage: Database) -> None:
    """Put installed certificates of a deleted store, each due for a look now."""
    now = utc_now()
    every = [
        Certificate(
            new_id("cert"), "moon", f"fleet{n}.test", (f"fleet{n}.test",), now, now,
            state=State.INSTALLED, run_after=now + timedelta(days=30), renew_at=now + timedelta(days=30),
            not_before=now, not_after=now + timedelta(days=60),
        )
        for n in range(COUNT)
    ]  # fmt: skip
    with storage.write() as tx:
        tx.stores.put(Store("moon", StoreStatus.DELETED))
        for one in every:
            tx.stores.put_domain(Domain(one.domain, "moon"))
            assert tx.certificates.add(one)
            tx.watches.plan(one.id, now)


def seen(storage: Database) -> int:
    """Return how many certificates were looked at: their findings are saved."""
    with storage.read() as tx:
        return sum(bool(tx.certificates.findings(one.id)) for one in tx.certificates.listing(limit=100))


def test_two_workers_share_the_watch_and_what_a_dead_one_held_is_looked_at_later(
    desk: Desk, storage: Database
) -> None:
    fleet(storage)
    killed, other = desk.start("work", 1), desk.start("work", 2)
    with killed, other:
        wait_until(lambda: seen(storage) > 4, PATIENCE, "the first looks")
        killed.signal(signal.SIGKILL)
        wait_until(lambda: not killed.alive, PATIENCE, "the death of one worker")
        at_the_time = seen(storage)
        assert at_the_time < COUNT - WATCHERS, "nothing was left for the other one"
        wait_until(lambda: seen(storage) >= COUNT - WATCHERS, PATIENCE, "the looks of the other worker")
    # both have ended, and what they had in hand is saved
    with storage.write() as tx:
        # in a quarter of an hour: those that the dead one had in hand, and nobody else
        orphans = tx.watches.claim(utc_now() + WATCH_LEASE, timedelta(days=9), 100)
        assert len(orphans) == COUNT - seen(storage) <= WATCHERS
        assert {watch.fence for watch in orphans} <= {2}
        later = tx.watches.claim(utc_now() + timedelta(days=2), timedelta(minutes=1), 100)
    assert len(later) == COUNT - len(orphans)
    assert {watch.fence for watch in later} == {2}, "one of them was looked at twice"
