"""A person before the local workspace's page: types into the message box and reads certdesk's messages."""

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, expect
from rich.console import Console

from bot.demo import world as demo_world
from bot.demo.parts.errors import PartMissing
from bot.demo.transcript import Transcript
from bot.demo.world import World

PATIENCE = 60_000
"""Milliseconds that certdesk's answer may take."""


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Run the demo's world, workspace included, while the block lasts. Raises PartError."""
    told = io.StringIO()
    with ExitStack() as stack:
        started = demo_world.start(folder, stack, Transcript(Console(file=told, width=200)))
        if started.slack is None:
            raise PartMissing("local-slack", told.getvalue(), "see the reason above")
        yield started


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
