"""Three strikes at a real CA: support is told everything once, and a fix that the watch sees starts it again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.demo.parts.bind import Bind
from bot.demo.parts.local_slack import LocalSlack
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.process import wait_until
from tests.faults import acme_proxy as play
from tests.faults.acme_proxy import AcmeProxy
from tests.integration.early_world import ALERTS, PATIENCE, SUPPORT, Early, early, said, workspace
from tests.parts import STORE, ZONE

LEFTOVER = ZONE + '_acme-challenge.shop TXT "left-over"\n'
REFUSAL = "CAA record for shop.moon.test prevents issuance"


@pytest.fixture(scope="module")
def slack(tmp_path_factory: pytest.TempPathFactory, edge: Edge) -> Iterator[LocalSlack]:
    with workspace(tmp_path_factory.mktemp("slack"), edge) as made:
        yield made


@pytest.fixture
def proxy(pebble: Pebble, tmp_path: Path) -> Iterator[AcmeProxy]:
    with AcmeProxy(pebble.directory, pebble.ca_bundle, tmp_path / "proxy").running() as running:
        yield running


@pytest.fixture
def world(
    tmp_path: Path, bind: Bind, edge: Edge, pebble: Pebble, slack: LocalSlack, proxy: AcmeProxy
) -> Iterator[Early]:
    """Give a certdesk that runs and whose CA is behind the proxy."""
    ca = {"name": "ca-one", "directory": proxy.directory, "ca_bundle": str(proxy.ca_bundle)}
    with early(tmp_path, bind, edge, pebble, slack, ACME__CAS=[ca]) as made, made.desk.start("run"):
        yield made


def test_support_is_told_everything_and_a_fix_starts_it_again(world: Early, proxy: AcmeProxy) -> None:
    world.zone(LEFTOVER)
    proxy.fault("new_order", play.problem(403, "caa", REFUSAL), times=3)
    assert world.desk.one("add", STORE)["state"] == "checking"
    message = world.shows(REFUSAL, "Try again", channel=SUPPORT)
    for known in (STORE, "moon", "ca-one", "3 attempts in a row have failed", "What failed"):
        assert known in said(message)
    wait_until(lambda: len(world.thread(SUPPORT)) == 1, PATIENCE, "the time line")
    assert world.thread(SUPPORT)[0].count(REFUSAL) >= 3
    assert world.desk.status(STORE)["state"] == "needs_support"
    orders = proxy.count("new_order")
    world.zone(ZONE)
    solved = world.shows("Solved", channel=SUPPORT)
    assert solved["ts"] == message["ts"]
    assert proxy.count("new_order") == orders + 1
    assert world.posted(ALERTS) == []
    history = " ".join(world.desk.run("ssl", "history", STORE).stdout.split())
    for told in (
        f"People were told, in the channel: {SUPPORT}",
        "Evidence of a fix: Since the last try: old challenge records are gone",
        "/my-order/",
        REFUSAL,
    ):
        assert told in history


def test_a_persons_click_starts_it_again_and_the_difference_is_told(world: Early, proxy: AcmeProxy) -> None:
    world.zone(LEFTOVER)
    proxy.fault("new_order", play.problem(403, "caa", REFUSAL), times=4)
    world.desk.one("add", STORE)
    message = world.shows("3 attempts in a row", "Try again", channel=SUPPORT)
    assert "the CA is still forbidden by CAA" in said(message)
    world.clicks(message, "Try again", channel=SUPPORT)
    wait_until(lambda: len(world.whispered(SUPPORT)) == 1, PATIENCE, "the answer to the click")
    solved = world.shows("Solved", channel=SUPPORT)
    assert solved["ts"] == message["ts"]
    history = world.desk.run("ssl", "history", STORE).stdout
    assert "(by T0MOON/U0ONCALL)" in history
