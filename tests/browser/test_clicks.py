"""What support and on-call click, in a real browser: a link is approved, an alert is acknowledged and snoozed."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bot.demo.parts.bind import Bind
from bot.demo.parts.local_slack import BOT_USER, LocalSlack
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from tests.browser.workspace import Person
from tests.integration.early_world import ALERTS, ONCALL, PATIENCE, SUPPORT, Early, early, pebble_ca
from tests.parts import STORE

LONG = PATIENCE * 1000
"""Milliseconds within which something must come about."""
AGENT, MERCHANT, SHOP = "U0AGENT", "U0MERCHANT", "C0SHOP"
USERS = (
    {"id": ONCALL, "name": "mina", "real_name": "Mina"},
    {"id": AGENT, "name": "ana", "real_name": "Ana"},
    {"id": MERCHANT, "name": "juno", "real_name": "Juno"},
)
MEMBERS = [BOT_USER, *(str(user["id"]) for user in USERS)]
CHANNELS = tuple({"id": id_, "name": id_.lower(), "members": MEMBERS} for id_ in (SHOP, ALERTS, SUPPORT))


@pytest.fixture(scope="module")
def slack(tmp_path_factory: pytest.TempPathFactory, edge: Edge) -> Iterator[LocalSlack]:
    folder = tmp_path_factory.mktemp("slack")
    url = f"http://{edge.upstream}/slack/events"
    with LocalSlack.start(folder, request_url=url, users=USERS, channels=CHANNELS) as made:
        yield made


@pytest.fixture
def world(tmp_path: Path, bind: Bind, edge: Edge, pebble: Pebble, slack: LocalSlack) -> Iterator[Early]:
    """Give a certdesk that runs, with the store's certificate installed."""
    settings: dict[str, object] = {"ACME__CAS": [pebble_ca(pebble)], "SLACK__SUPPORT": [AGENT]}
    with early(tmp_path, bind, edge, pebble, slack, **settings) as made, made.desk.start("run"):
        assert made.desk.one("add", STORE, "--wait")["state"] == "installed"
        yield made


def at(page: Page, slack: LocalSlack, user: str, channel: str) -> Person:
    """Return the person before that channel."""
    person = Person(page, slack.page_url)
    person.acts_as(user)
    page.locator(".sidebar-item").filter(has_text=channel.lower()).click()
    expect(page.locator(".channel-title")).to_contain_text(channel.lower())
    return person


def test_a_support_agent_approves_a_link_and_the_merchant_sees_their_store(
    world: Early, slack: LocalSlack, chromium_page: Page
) -> None:
    merchant = at(chromium_page, slack, MERCHANT, SHOP)
    merchant.types("/ssl status")
    merchant.sees("link")
    merchant.types("/ssl link moon")
    merchant.sees("Your request for the store moon is taken")
    at(chromium_page, slack, AGENT, SUPPORT)
    request = chromium_page.locator(".msg").last
    expect(request).to_contain_text("Somebody asks to be linked to the store moon", timeout=LONG)
    request.get_by_role("button", name="Approve").click()
    expect(request).to_contain_text("Approved: the person is linked to the store moon", timeout=LONG)
    expect(request.get_by_role("button")).to_have_count(0)
    merchant = at(chromium_page, slack, MERCHANT, SHOP)
    merchant.types("/ssl status")
    merchant.sees(STORE)


def test_on_call_acknowledges_an_alert_and_snoozes_it(
    world: Early, slack: LocalSlack, chromium_page: Page
) -> None:
    world.aged(timedelta(days=15))
    assert world.desk.run("stores", "set-status", "moon", "inactive").returncode == 0
    at(chromium_page, slack, ONCALL, ALERTS)
    alert = chromium_page.locator(".msg").last
    expect(alert).to_contain_text("inactive", timeout=LONG)
    alert.locator("select").select_option(label="1 day")
    expect(alert).to_contain_text("Snoozed by", timeout=LONG)
    alert.get_by_role("button", name="Acknowledge").click()
    expect(alert).to_contain_text("Acknowledged by", timeout=LONG)
    history = world.desk.run("ssl", "history", STORE).stdout
    assert "acknowledged" in history
    assert "snoozed" in history
    assert len(world.posted()) == 1  # the same message all along
