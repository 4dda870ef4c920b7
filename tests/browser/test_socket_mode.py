"""The same in a real browser over Socket Mode: a modal with a field error and progress, and the Home tab."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from bot.demo import world as demo_world
from bot.demo.parts.errors import PartError
from bot.demo.sample import TEAM, VISITOR
from bot.demo.world import World
from tests.browser.workspace import PATIENCE, Person, gets_a_certificate, world

STORE, NAME = "sun", "sun.test"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    try:
        with world(tmp_path_factory.mktemp("world"), "socket") as started:
            demo_world.run(started.environment, "ssl", "link", f"{TEAM}/{VISITOR}", STORE)
            yield started
    except PartError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def merchant(running: World, chromium_page: Page) -> Person:
    assert running.slack is not None
    running.slack.reset()
    person = Person(chromium_page, running.slack.page_url)
    person.acts_as(VISITOR)
    return person


def test_nothing_comes_by_http(running: World) -> None:
    assert running.slack is not None
    assert running.slack.request_url is None
    assert "mode: socket" in (running.folder / "app.yaml").read_text()


def test_a_merchant_gets_a_certificate_through_the_modal(running: World, merchant: Person) -> None:
    gets_a_certificate(merchant, running, NAME)


def test_a_merchant_sees_their_home(running: World, merchant: Person) -> None:
    demo_world.run(running.environment, "ssl", "add", NAME, "--wait")
    merchant.page.locator(".sidebar-item", has_text="certdesk").click()
    home = merchant.page.locator(".home")
    for text in ("Manage certificates", NAME, "Installed"):
        expect(home).to_contain_text(text, timeout=PATIENCE)
    expect(home).not_to_contain_text("moon")
