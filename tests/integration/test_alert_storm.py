"""The storm: 5,000 certificates lose one name server within an hour. One message, one page; healed: the same ones turn green."""

import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.demo.parts.postgres import Postgres
from services.alerting.causes import causes_of
from services.alerting.rounds import tend_due
from services.alerting.sighting import sight
from services.model.alerts import Severity
from services.model.certificates import Certificate
from services.model.findings import Finding, Owner
from services.model.lifecycle import State
from services.model.stores import Store
from services.ports import Message, Storage
from storage.database import Database
from storage.memory import MemoryStorage
from tests.unit.alert_world import CHANNEL, DAY, HOUR, NOW, OURS, World, found, lame

FLEET = 5000
KEY = f"dns.lame {OURS}"
PUMP = timedelta(seconds=1)
"""How often the pump looks at what is due, in simulated time."""


@pytest.fixture(params=["memory", "sqlite"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    made: Storage = (
        MemoryStorage() if request.param == "memory" else Database.open(f"sqlite:///{tmp_path / 'storm.db'}")
    )
    yield made
    made.close()


def fleet(storage: Storage, chance: random.Random, count: int = FLEET) -> list[Certificate]:
    """Put ``count`` stores with a certificate each, with margins from 1.5 to 60 days."""
    made = []
    for number in range(count):
        end = NOW + timedelta(days=chance.uniform(1.5, 60))
        name = f"s{number:04}.test"
        made.append(
            Certificate(
                f"cert_{number:04}",
                f"s{number:04}",
                name,
                (name,),
                NOW,
                NOW,
                state=State.INSTALLED,
                installed=f"rev_{number}",
                not_before=end - 90 * DAY,
                not_after=end,
                renew_at=end - 30 * DAY,
            )
        )
    with storage.write() as tx:
        for certificate in made:
            tx.stores.put(Store(certificate.store))
            assert tx.certificates.add(certificate)
    return made


class Slack:
    """Delivers what is owed, as the notifier does: counts what is posted and what is edited."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.posted: list[Message] = []
        self.edits: Counter[str] = Counter()

    def deliver(self, world: World) -> None:
        for via in ("slack", "webhook"):
            with self._storage.write() as tx:
                for message in tx.outbox.claim(world.now, timedelta(minutes=1), 100, via):
                    if message.ts is None:
                        self.posted.append(message)
                    else:
                        self.edits[message.key] += 1
                    tx.outbox.delivered(message, message.ts or f"ts_{message.id}", final=False)

    def new(self, via: str, channel: str) -> list[Message]:
        """Return what was posted anew there, lines in threads included."""
        return [message for message in self.posted if (message.via, message.channel) == (via, channel)]


def hour(world: World, slack: Slack, looks: list[tuple[Certificate, tuple[Finding, ...]]]) -> None:
    """Spread the looks over a simulated hour, with the pump tending alerts and messages leaving all the while."""
    end, pumped = world.now + HOUR, world.now
    step = HOUR / len(looks)
    for certificate, findings in looks:
        world.now += step
        with world.storage.write() as tx:
            fresh = tuple(replace(finding, checked_at=world.now) for finding in findings)
            tx.certificates.put_findings(certificate.id, fresh)
            sight(tx, world.policy, certificate, fresh, world.now)
        if world.now - pumped >= PUMP:
            pumped = world.now
            tend_due(world.desk)
            slack.deliver(world)
    world.now = end
    for _ in range(3):
        world.pass_(2 * world.policy.settle)
        tend_due(world.desk)
        slack.deliver(world)


def test_a_storm_is_one_message_and_one_page(storage: Storage) -> None:
    chance = random.Random(20270301)  # noqa: S311 - a test that can be repeated
    certificates = fleet(storage, chance)
    world, slack = World(storage), Slack(storage)

    chance.shuffle(certificates)
    for _ in range(2):  # seen twice, an hour apart: the second look confirms
        hour(world, slack, [(one, (lame(one.domain),)) for one in certificates])

    alert = world.alert(KEY)
    posted = slack.new("slack", CHANNEL)
    assert 1 <= len(posted) <= 3
    assert [message.kind for message in posted].count("alert") == 1
    assert len(slack.new("webhook", "pager")) == 1
    assert (alert.members, alert.most, alert.severity) == (FLEET, FLEET, Severity.CRITICAL)
    assert alert.said is Severity.CRITICAL
    assert slack.edits[posted[0].key] <= 2 * 3600 / world.policy.settle.total_seconds()

    before = len(slack.posted)
    pages = slack.edits[f"page:{alert.id}:pager"]
    chance.shuffle(certificates)
    hour(world, slack, [(one, ()) for one in certificates])
    healed = world.alert(KEY)
    assert healed.id == alert.id
    assert (healed.healed_at is not None, healed.members) == (True, 0)
    assert len(slack.posted) == before, "nothing new is posted when it heals"
    assert slack.edits[f"page:{alert.id}:pager"] == pages + 1, "the page is resolved, once"
    assert slack.edits[posted[0].key] > 0
    with storage.read() as tx:
        assert tx.alerts.tally(KEY).certificates == 0
        assert tx.outbox.waiting() == 0


# --- many at once, as several workers see them ------------------------------------------------------------------------

CROWD, HANDS = 240, 6
"""Certificates, and threads that look at them at the same moment."""
PATIENCE = 120.0


def _several(certificate: Certificate, chance: random.Random) -> list[Finding]:
    """Return two to four wide causes of one certificate, in any order."""
    domain = certificate.domain
    all_ = [
        lame(domain, "ns1.platform.test"),
        lame(f"www.{domain}", "ns2.platform.test"),
        found("access.unreachable", f"a.{domain}", owner=Owner.PLATFORM, addresses=["192.0.2.1"]),
        found("ca.unavailable", f"b.{domain}", ca="first"),
    ]
    chance.shuffle(all_)
    return all_[: chance.randint(2, 4)]


def _look(storage: Storage, world: World, seen: Sequence[tuple[Certificate, Sequence[Finding]]]) -> None:
    for certificate, findings in seen:
        fresh = [replace(finding, checked_at=world.now) for finding in findings]
        with storage.write() as tx:
            tx.certificates.put_findings(certificate.id, fresh)
            sight(tx, world.policy, certificate, fresh, world.now)


def test_workers_that_see_several_causes_in_any_order_never_block_each_other(postgres: Postgres) -> None:
    """Two processes' worth of threads and tenders on PostgreSQL: nothing fails, all are counted, each alert is one message."""
    chance = random.Random(20270302)  # noqa: S311 - a test that can be repeated
    with (
        closing(Database.open(postgres.new_database(), migrate=True)) as storage,
        ThreadPoolExecutor(HANDS + 2) as hands,
    ):
        world = World(storage)
        crowd = fleet(storage, chance, CROWD)
        causes = {one.id: _several(one, chance) for one in crowd}
        counts = Counter(causes_of(None, [f])[0].cause.key for some in causes.values() for f in some)
        over = threading.Event()

        def tend() -> None:
            while not over.is_set():
                if not tend_due(world.desk):
                    over.wait(0.01)

        def look(*, healthy: bool) -> None:
            chance.shuffle(crowd)
            for some in causes.values():
                chance.shuffle(some)
            seen = [(one, () if healthy else tuple(causes[one.id])) for one in crowd]
            work = [hands.submit(_look, storage, world, seen[hand::HANDS]) for hand in range(HANDS)]
            for done in work:
                done.result(PATIENCE)
            world.pass_(2 * world.policy.confirm)

        tenders = [hands.submit(tend) for _ in range(2)]
        look(healthy=False)
        look(healthy=False)
        with storage.read() as tx:
            assert {key: tx.alerts.tally(key).certificates for key in counts} == dict(counts)
        look(healthy=True)
        over.set()
        for done in tenders:
            done.result(PATIENCE)
        world.tend()
        posted = [message.key for message in world.outbox() if message.kind == "alert"]
        alerts = [world.alert(key) for key in counts]
        assert all(alert.healed_at is not None for alert in alerts)
        assert sorted(posted) == sorted(f"alert:{alert.id}:{CHANNEL}" for alert in alerts)
