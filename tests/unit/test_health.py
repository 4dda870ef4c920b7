"""The facts about certdesk itself are gathered rightly, shown, counted and told: each fault is one alert that heals."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from bot import metrics
from bot.config import load
from bot.health import Health
from bot.wiring import Application, build
from services.alerting.selfcheck import Refused
from services.model.alerts import SELF, Alert
from services.model.pacing import Breaker
from services.ports import Message
from storage.vault import new_key
from tests.desks import NOW

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LEASE = timedelta(minutes=2)


@dataclass
class Line:
    """Socket Mode's connection, as a test sets it."""

    lost_at: datetime | None = None

    def deaf_since(self) -> datetime | None:
        return self.lost_at


@dataclass
class World:
    """An application whose clock a test sets, with a worker that is alive."""

    application: Application
    clock: list[datetime]
    line: Line = field(default_factory=Line)

    def pass_time(self, by: timedelta) -> None:
        self.clock[0] += by
        self.application.storage.heartbeat("w", self.clock[0])

    def health(self, *, listens: bool = True) -> Health:
        return Health(self.application, slack=True, deaf_since=self.line.deaf_since, listens=listens)

    def bad(self, health: Health) -> list[str]:
        return [check.thing for check in health.checks() if not check.ok]

    def owe(self, via: str = "slack") -> None:
        message = Message(
            f"msg_{via}",
            f"k:{via}",
            "reply",
            "C1",
            "",
            private=False,
            body={},
            created_at=self.clock[0],
            via=via,
        )
        with self.application.storage.write() as tx:
            tx.outbox.put(message)

    def fail(self, wait: timedelta, via: str = "slack") -> None:
        """Try to deliver what is owed, in vain."""
        with self.application.storage.write() as tx:
            [message] = tx.outbox.claim(self.clock[0], LEASE, 1, via=via)
            tx.outbox.postponed(message, self.clock[0] + wait, "503")

    def open_alerts(self) -> list[Alert]:
        with self.application.storage.read() as tx:
            keys = [seen.key for seen in tx.alerts.sightings(SELF)]
            found = [tx.alerts.latest(key) for key in keys]
        return [alert for alert in found if alert is not None and alert.open]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = [NOW]
    hooks = '[{"name": "own", "kind": "json", "url": "http://127.0.0.1:9/", "secret": "s"}]'
    environment = {
        "CERTDESK_DATABASE__URL": f"sqlite:///{tmp_path}/x.db",
        "CERTDESK_VAULT__KEY": new_key(),
        "CERTDESK_ALERTS__WEBHOOKS": hooks,
    }
    application = build(load(environment, tmp_path), clock=lambda: clock[0])
    made = World(application, clock)
    made.pass_time(timedelta(0))
    yield made
    application.close()


def test_all_is_well_at_first(world: World) -> None:
    assert world.bad(world.health()) == []


def test_a_message_that_nobody_takes_is_noticed(world: World) -> None:
    health = world.health()
    world.owe()
    world.pass_time(10 * MINUTE)
    assert world.bad(health) == []
    world.pass_time(MINUTE)
    assert world.bad(health) == ["messages to Slack"]
    world.owe("webhook")
    world.pass_time(11 * MINUTE)
    assert world.bad(health) == ["messages to Slack", "messages to webhooks"]


def test_messages_that_fail_again_and_again_are_noticed_and_told_once(world: World) -> None:
    health = world.health()
    world.owe()
    for _ in range(12):
        world.fail(MINUTE)
        health.tend()
        world.pass_time(MINUTE)
    health.tend()
    assert world.bad(health) == ["messages to Slack"]
    [alert] = world.open_alerts()
    assert alert.code == "certdesk.undelivered"
    assert alert.thing == "messages to Slack"

    anew = world.health()  # another process, or this one after a restart, knows since when
    anew.tend()
    assert [one.id for one in world.open_alerts()] == [alert.id]
    with world.application.storage.write() as tx:
        [message] = tx.outbox.claim(world.clock[0], LEASE, 1)
        tx.outbox.delivered(message, "1.2", final=True)
    anew.tend()
    with world.application.storage.read() as tx:
        assert tx.alerts.sightings(SELF) == []


def test_a_single_failure_is_no_fault(world: World) -> None:
    health = world.health()
    world.owe()
    world.fail(MINUTE)
    health.tend()
    world.pass_time(MINUTE)
    with world.application.storage.write() as tx:
        [message] = tx.outbox.claim(world.clock[0], LEASE, 1)
        tx.outbox.delivered(message, "1.2", final=True)
    health.tend()
    world.pass_time(timedelta(hours=1))
    world.owe()
    world.fail(MINUTE)
    assert world.bad(health) == []


def test_deafness_is_noticed_by_whoever_holds_the_line_and_kept_by_the_others(world: World) -> None:
    holder, other = world.health(), world.health(listens=False)
    world.line.lost_at = NOW
    assert world.bad(holder) == []
    world.pass_time(6 * MINUTE)
    holder.tend()
    assert [alert.code for alert in world.open_alerts()] == ["certdesk.deaf"]
    world.pass_time(6 * MINUTE)
    other.tend()
    assert [alert.code for alert in world.open_alerts()] == ["certdesk.deaf"]
    world.line.lost_at = None
    holder.tend()
    other.tend()
    with world.application.storage.read() as tx:
        assert tx.alerts.sightings(SELF) == []


def test_a_watch_that_stands_still_is_noticed(world: World) -> None:
    health = world.health()
    with world.application.storage.write() as tx:
        tx.watches.plan("cert_1", NOW)
    world.pass_time(DAY)
    assert world.bad(health) == []
    world.pass_time(MINUTE)
    assert world.bad(health) == ["watch"]


def test_workers_that_are_gone_are_noticed(world: World) -> None:
    world.clock[0] += 3 * MINUTE
    assert world.bad(world.health()) == ["workers"]


def test_a_token_that_slack_refuses_is_an_alert_that_heals(world: World) -> None:
    refused = [Refused("invalid_auth", NOW)]
    health = Health(
        world.application,
        slack=True,
        deaf_since=None,
        listens=True,
        token=lambda: refused[0] if refused else None,
    )
    assert world.bad(health) == ["Slack's token"]
    health.tend()
    [alert] = world.open_alerts()
    assert alert.key == "certdesk.undelivered Slack's token"
    refused.clear()
    assert world.bad(health) == []
    health.tend()
    with world.application.storage.read() as tx:
        assert not tx.alerts.sightings(SELF)


def test_a_cas_clock_is_compared(world: World) -> None:
    application = replace(world.application, clocks={"ca1": lambda: 5 * MINUTE, "ca2": lambda: None})
    health = Health(application, slack=False, deaf_since=None, listens=True)
    assert [check.thing for check in health.checks() if not check.ok] == ["clock against ca1"]


def test_a_database_that_is_gone_is_all_that_is_said(world: World) -> None:
    world.application.storage.close()
    (Path(world.application.loaded.database_url.removeprefix("sqlite:///"))).write_bytes(b"no database" * 500)
    health = world.health()
    [check] = health.checks()
    assert check.thing == "database"
    assert not check.ok
    health.tend()  # says so in the log and goes on


def test_metrics_tell_of_alerts_queues_and_breakers(world: World) -> None:
    app = world.application
    with app.storage.write() as tx:
        tx.watches.plan("cert_1", NOW - 90 * MINUTE)
        tx.breakers.put(
            Breaker("ca x", ("c1", "c2", "c3"), NOW, "ca.unavailable", "It is down.", opened_at=NOW)
        )
        tx.breakers.put(Breaker("ca y", ("c1",), NOW, "ca.unavailable", "It was down."))
    world.owe("webhook")
    world.pass_time(2 * MINUTE)
    text = generate_latest(metrics.registry(app.storage, app.traffic, app.clock)).decode()
    assert "certdesk_watch_delay_seconds 5520.0" in text
    assert 'certdesk_outbox_delay_seconds{via="webhook"} 120.0' in text
    assert 'certdesk_outbox_delay_seconds{via="slack"} 0.0' in text
    assert "certdesk_breakers_open 1.0" in text
    assert 'certdesk_alerts_open{severity="critical"} 0.0' in text
