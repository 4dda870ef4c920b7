"""A person before the local workspace's page: types into the message box and reads certdesk's messages."""

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests
from playwright.sync_api import Locator, Page, expect
from rich.console import Console

from bot.demo import world as demo_world
from bot.demo.parts.errors import PartMissing
from bot.demo.transcript import Transcript
from bot.demo.world import World
from bot.slack.signature import sign
from services.model.clock import utc_now

PATIENCE = 60_000
"""Milliseconds that certdesk's answer may take."""


@contextmanager
def world(folder: Path, mode: demo_world.Mode = "http") -> Iterator[World]:
    """Run the demo's world, workspace included, while the block lasts; ``mode``: how Slack reaches it. Raises PartError."""
    told = io.StringIO()
    with ExitStack() as stack:
        started = demo_world.start(folder, stack, Transcript(Console(file=told, width=200)), mode=mode)
        if started.slack is None:
            raise PartMissing("local-slack", told.getvalue(), "see the reason above")
        yield started


def signed(running: World, body: Mapping[str, str]) -> requests.Response:
    """Send what Slack would send."""
    content = urlencode(body).encode()
    at = str(int(utc_now().timestamp()))
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": sign("local-signing-secret", at, content),
    }
    return requests.post(f"{running.web}/slack/events", data=content, headers=headers, timeout=10)


class Person:
    """Sits before a page that shows the workspace's only channel."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        page.goto(url)
        self._box = page.locator("textarea.composer-input")
        expect(self._box).to_be_visible()
        self._read = page.locator(".msg").count()

    def types(self, text: str) -> None:
        """Write `text` into the message box and send it."""
        self._read = self.page.locator(".msg").count()
        self.begins(text)
        self._box.press("Enter")

    def begins(self, text: str) -> None:
        """Write `text` into the message box and leave it there."""
        self._box.fill(text)

    def sees(self, *texts: str) -> Locator:
        """Wait until the message that answers the latest command holds every text; return it."""
        answer = self.page.locator(".msg").nth(self._read)
        for text in texts:
            expect(answer).to_contain_text(text, timeout=PATIENCE)
        return answer

    def acts_as(self, user: str) -> None:
        """Go on as another person."""
        self.page.locator("select").first.select_option(user)

    def sends(self) -> None:
        """Send what stands in the message box."""
        self._box.press("Enter")

    def sees_modal(self, *texts: str) -> Locator:
        """Wait until a modal is open that holds every text; return it."""
        modal = self.page.locator(".modal")
        for text in texts:
            expect(modal).to_contain_text(text, timeout=PATIENCE)
        return modal

    def ticks(self, *names: str) -> None:
        """Tick the boxes with these labels."""
        for name in names:
            self.page.locator(".bk-options label").get_by_text(name, exact=True).click()

    def fills(self, text: str) -> None:
        """Write into the only field of the modal."""
        self.page.locator(".modal-body input, .modal-body textarea").fill(text)

    def submits(self) -> None:
        """Send the modal off."""
        self.page.locator(".modal-foot .primary").click()


def status(running: World, name: str) -> Mapping[str, Any]:
    """Return how a name stands, as `certdesk ssl status --json` says it."""
    found: Mapping[str, Any] = json.loads(
        demo_world.run(running.environment, "ssl", "status", name, "--json")
    )
    return found


def gets_a_certificate(merchant: Person, running: World, name: str) -> None:
    """Let a merchant get one without typing its name: `/ssl add`, a field error, a tick, and progress until it is installed."""
    merchant.begins("/ssl add")
    merchant.sends()
    modal = merchant.sees_modal("Get certificates", name, "nothing is in the way")
    expect(modal).not_to_contain_text("Being checked now")
    expect(modal).not_to_contain_text("moon.test")
    merchant.submits()
    merchant.sees_modal("Tick a name above, or type one here.")
    merchant.ticks(name)
    merchant.submits()
    modal = merchant.sees_modal(f"Certificate for {name} is installed", "✓ verified")
    certificate = status(running, name)
    expect(modal).to_contain_text(str(certificate["serial"]))
    assert certificate["state"] == "installed"
