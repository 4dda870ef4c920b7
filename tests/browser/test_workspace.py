"""What a support agent sees in the workspace, in a real browser: typed commands, finished messages, mistakes told."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from bot.demo import world as demo_world
from bot.demo.parts.errors import PartError
from bot.demo.sample import NAME
from bot.demo.world import World
from tests.browser.workspace import Person, world


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    try:
        with world(tmp_path_factory.mktemp("world")) as started:
            yield started
    except PartError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def mina(running: World, chromium_page: Page) -> Person:
    assert running.slack is not None
    running.slack.reset()
    return Person(chromium_page, running.slack.page_url)


def status(running: World, *words: str) -> list[dict[str, object]]:
    said = json.loads(demo_world.run(running.environment, "ssl", "status", *words, "--json"))
    certificates: list[dict[str, object]] = said.get("certificates", [said])
    return certificates


def test_add_ends_with_the_serial_and_the_expiry_and_status_lists_it(mina: Person, running: World) -> None:
    mina.types(f"/ssl add {NAME}")
    message = mina.sees(f"Certificate for {NAME} is installed", "✓ verified")
    [certificate] = status(running, NAME)
    expiry = str(certificate["not_after"])[:16].replace("T", " ") + " UTC"
    assert certificate["serial"]
    for text in (str(certificate["serial"]), expiry, "Renews by itself"):
        expect(message).to_contain_text(text)
    expect(message).not_to_contain_text("<!date")
    mina.types("/ssl status")
    mina.sees(NAME, "Installed", f"valid until {expiry}")
    mina.types(f"/ssl status {NAME} --csr")
    message = mina.sees("-----END CERTIFICATE REQUEST-----")
    expect(message.locator("code", has_text="CERTIFICATE REQUEST")).to_have_count(2)
    expect(message).not_to_contain_text("`")


def test_what_blocks_is_said_with_its_remedy(mina: Person) -> None:
    mina.types("/ssl add comet.test")
    mina.sees(
        "Certificate for comet.test has to wait",
        "✕ check",
        "DNS of comet.test is not hosted on the platform",
        "What to do: At the registrar of comet.test replace ns1.elsewhere.test by ns1.platform.test",
        "Whose move: the merchant",
        "goes on by itself",
    )


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("/ssl ad shop.moon.test", "Did you mean: /ssl add"),
        ("/ssl add mina@moon.test", "mina@moon.test"),
        ("/ssl add moon.shops.test", "default domain"),
        ("/ssl add payload.example.test", "payload.example.test"),
        ("/ssl add <https://x.test|click>", "No certificate is made"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_made_of_it(
    mina: Person, running: World, typed: str, seen: str
) -> None:
    before = status(running)
    mina.types(typed)
    message = mina.sees(seen)
    assert message.locator("a").count() == 0
    assert status(running) == before
