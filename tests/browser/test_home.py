"""The Home tab in a real browser: a merchant sees their own, it changes by itself, and is empty once they are unlinked."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from bot.demo import world as demo_world
from bot.demo.parts.errors import PartError
from bot.demo.sample import AGENT, TEAM, VISITOR
from bot.demo.world import World
from tests.browser.workspace import PATIENCE, Person, signed, world

STORE, NAME = "sun", "sun.test"
OTHERS = "shop.moon.test"
BLOCKED = "comet.test"
WHO = f"{TEAM}/{VISITOR}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    try:
        with world(tmp_path_factory.mktemp("world")) as started:
            demo_world.run(started.environment, "ssl", "add", NAME, "--wait")
            demo_world.run(started.environment, "ssl", "add", OTHERS)
            demo_world.run(started.environment, "ssl", "link", WHO, STORE)
            yield started
    except PartError as error:
        pytest.fail(str(error), pytrace=False)


def opened(running: World, page: Page, user: str = "") -> Locator:
    """Open the Home tab as a person, and return it."""
    assert running.slack is not None
    person = Person(page, running.slack.page_url)
    if user:
        person.acts_as(user)
    page.locator(".sidebar-item", has_text="certdesk").click()
    return page.locator(".home")


def sees(home: Locator, *texts: str) -> None:
    for text in texts:
        expect(home).to_contain_text(text, timeout=PATIENCE)


def test_a_merchants_home_follows_what_is_theirs(running: World, chromium_page: Page) -> None:
    home = opened(running, chromium_page, VISITOR)
    sees(home, "Manage certificates", NAME, "Installed", "Renews by itself")
    expect(home).not_to_contain_text("moon")
    # nobody touches the page from here on: it changes by itself
    demo_world.run(running.environment, "ssl", "add", f"www.{NAME}", "--store", STORE)
    sees(home, f"www.{NAME}")
    demo_world.run(running.environment, "ssl", "link", WHO, "comet")
    sees(home, "comet")
    demo_world.run(running.environment, "ssl", "add", BLOCKED)
    sees(home, "Blocked, watched", "At the registrar of comet.test", "I have changed it, check now")
    home.get_by_role("button", name="I have changed it, check now").click()
    sees(home, "certdesk checks comet.test again now")
    sees(home, "Blocked, watched")
    for store in (STORE, "comet"):
        demo_world.run(running.environment, "ssl", "unlink", WHO, store)
    sees(home, "/ssl link STORE")
    expect(home).not_to_contain_text("test")
    demo_world.run(running.environment, "ssl", "link", WHO, STORE)
    sees(home, NAME)


def test_support_sees_the_fleet_chooses_a_part_of_it_and_searches(
    running: World, chromium_page: Page
) -> None:
    home = opened(running, chromium_page)
    sees(home, "All stores", OTHERS, NAME, "Needs a support agent")
    home.get_by_role("button", name="Get certificates").click()
    modal = chromium_page.locator(".modal")
    expect(modal).to_contain_text("Get certificates", timeout=PATIENCE)
    modal.locator(".modal-foot button").first.click()
    expect(modal).to_have_count(0)
    clicks(running, "home.show", "needs_support", AGENT)
    sees(home, "There is nothing here now: Needs a support agent.")
    clicks(running, "home.find", "typed", AGENT, "https://SHOP.moon.test/cart")
    sees(home, "Found for", OTHERS)
    expect(home).not_to_contain_text(NAME)


def clicks(running: World, action: str, value: str, user: str = VISITOR, typed: str = "") -> None:
    """Click in the Home tab as Slack signs it, with its view: the workspace's page leaves that out, and draws no search."""
    field = {"home.search": {"home.search": {"type": "plain_text_input", "value": typed or None}}}
    home = {"id": "V0HOME", "type": "home", "hash": "1.a", "private_metadata": "", "state": {"values": field}}
    chosen = {"selected_option": {"value": value}} if action == "home.show" else {"value": value}
    body = {
        "type": "block_actions",
        "team": {"id": TEAM},
        "user": {"id": user, "team_id": TEAM},
        "trigger_id": f"{action}.{value}",
        "view": home,
        "container": {"type": "view", "view_id": "V0HOME"},
        "actions": [{"type": "button", "action_id": action, **chosen}],
    }
    assert signed(running, {"payload": json.dumps(body)}).status_code == 200
