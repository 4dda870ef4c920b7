"""Know before it breaks, end to end on real parts: found early, told once, acted upon by a click, and green when it heals."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.demo.parts.bind import Bind
from bot.demo.parts.local_slack import LocalSlack
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.process import wait_until
from tests.integration.early_world import ALERTS, PATIENCE, SUPPORT, Early, early, pebble_ca, said, workspace
from tests.parts import STORE, ZONE

LATE = timedelta(days=15)
"""What is left of a certificate whose trouble is worth a message."""
WITHOUT_ADDRESS = ZONE.replace("shop A 127.0.0.1\n", 'shop TXT "gone"\n')
FORBIDDEN = ZONE + 'shop CAA 0 issue "other-ca.example"\n'


@pytest.fixture(scope="module")
def slack(tmp_path_factory: pytest.TempPathFactory, edge: Edge) -> Iterator[LocalSlack]:
    with workspace(tmp_path_factory.mktemp("slack"), edge) as made:
        yield made


@pytest.fixture
def world(tmp_path: Path, bind: Bind, edge: Edge, pebble: Pebble, slack: LocalSlack) -> Iterator[Early]:
    """Give a certdesk that runs, with the store's certificate installed."""
    with (
        early(tmp_path, bind, edge, pebble, slack, ACME__CAS=[pebble_ca(pebble)]) as made,
        made.desk.start("run"),
    ):
        assert made.desk.one("add", STORE, "--wait")["state"] == "installed"
        yield made


def forecast(world: Early) -> list[str]:
    _, found = world.desk.ssl("forecast", "90")
    return [cause["code"] for cause in found["causes"]]


def listed(world: Early) -> list[str]:
    code, found = world.desk.ssl("alerts")
    assert code == 0
    return [alert["code"] for alert in found["alerts"]]


def test_an_address_that_is_lost_is_told_once_and_the_same_message_turns_green(world: Early) -> None:
    world.zone(WITHOUT_ADDRESS)
    wait_until(lambda: forecast(world) == ["dns.no_address"], PATIENCE, "the forecast to know")
    assert world.posted() == []  # 90 days are left: nobody need be told yet
    # The forecast knows at the first sight; an alert is owed only when the second one, apart in time, says the same.
    wait_until(lambda: listed(world) == ["dns.no_address"], PATIENCE, "the alert to be opened")
    assert world.posted() == []
    world.aged(LATE)
    message = world.shows(STORE, "127.0.0.1", "Acknowledge")
    for label in ("Check again", "Renew now", "Snooze", "Hand to support"):
        assert label in said(message)
    world.clicks(message, "Acknowledge")
    acknowledged = world.shows("Acknowledged by")
    assert acknowledged["ts"] == message["ts"]
    assert "Alert acknowledged" in world.desk.run("ssl", "history", STORE).stdout
    wait_until(lambda: any("cknowledged" in line for line in world.thread()), PATIENCE, "who did it")
    world.clicks(message, "Acknowledge")  # the click of somebody who saw the message as it was
    wait_until(lambda: len(world.whispered()) == 1, PATIENCE, "what a stale click is told")
    assert "has changed since you saw it" in world.whispered()[0]
    world.zone(ZONE)
    healed = world.shows("Healed")
    assert healed["ts"] == message["ts"]
    assert not [block for block in healed["blocks"] if block["type"] == "actions"]
    assert forecast(world) == []
    assert len(world.thread()) == 1
    history = " ".join(world.desk.run("ssl", "history", STORE).stdout.split())
    assert "Checked ahead of renewal: " in history
    assert "Part of an alert: alert_" in history
    assert f"People were told, in the channel: {ALERTS}" in history
    assert "No longer part of the alert about: dns.no_address moon.test" in history
    assert "Checked ahead of renewal: nothing is in the way" in history
    assert world.posted(SUPPORT) == []


def test_a_store_that_is_closed_is_told_and_green_when_it_is_open_again(world: Early) -> None:
    world.aged(LATE)
    assert world.desk.run("stores", "set-status", "moon", "inactive").returncode == 0
    message = world.shows("inactive", "Acknowledge")
    assert world.desk.run("stores", "set-status", "moon", "active").returncode == 0
    healed = world.shows("Healed")
    assert healed["ts"] == message["ts"]


def test_caa_that_forbids_every_ca_is_seen_before_the_renewal(world: Early) -> None:
    world.aged(timedelta(days=5))
    world.zone(FORBIDDEN)
    message = world.shows("CAA", "other-ca.example", "pebble.test", "Acknowledge")
    assert "Urgent" in said(message)
    world.zone(ZONE)
    assert world.shows("Healed")["ts"] == message["ts"]
