"""Makes docs/modal.png from a merchant's way through the modal of /ssl add: `python -m tests.browser.modal_picture`."""

import base64
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from bot.demo import world as demo_world
from bot.demo.parts import chromium
from bot.demo.sample import TEAM, VISITOR
from tests.browser.workspace import Person, world

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "modal.png"
FONTS = ("fonts-noto-color-emoji",)
STORE, NAMES = "sun", ("sun.test", "www.sun.test")
"""An English store, and what it gets a certificate for."""
NOWHERE = "outlet.sun.test"
"""A name of the store that DNS does not know yet."""
_FILES = """() => document.querySelectorAll('.modal .bk-unknown').forEach(one => {
    const field = document.createElement('div');
    field.style = 'margin:4px 0;font-family:sans-serif;font-size:14px';
    field.innerHTML = '<span style="display:inline-block;padding:6px 12px;border:1px solid #8d8d8d;'
        + 'border-radius:4px;font-weight:bold">Upload file</span> or drag and drop';
    one.replaceWith(field);
})"""
"""Shows the field for a file as Slack does; this workspace's page does not know it."""
_SIDE_BY_SIDE = """<body style="margin:0"><div style="background:#e8e3e8;display:flex;gap:24px;padding:24px;
align-items:flex-start;width:max-content">{images}</div></body>"""


def make(picture: Path) -> None:
    """Play it in a new world and photograph the modal before and after. Raises PartError."""
    with (
        tempfile.TemporaryDirectory() as folder,
        world(Path(folder)) as running,
        chromium.browser(fonts=FONTS) as browser,
        browser.new_context(viewport={"width": 1200, "height": 1100}) as context,
    ):
        assert running.slack is not None
        demo_world.run(running.environment, "ssl", "link", f"{TEAM}/{VISITOR}", STORE)
        for name in (NAMES[1], NOWHERE):
            demo_world.run(running.environment, "domains", "add", STORE, name)
        page = context.new_page()
        merchant = Person(page, running.slack.page_url)
        merchant.acts_as(VISITOR)
        merchant.begins("/ssl add")
        merchant.sends()
        merchant.sees_modal("nothing is in the way", "cannot get one yet")
        merchant.ticks(*NAMES)
        page.evaluate(_FILES)
        page.locator(".modal-body").evaluate("one => one.style.maxHeight = 'none'")
        before = _modal(page)
        merchant.submits()
        merchant.sees_modal("is installed", "✓ verified")
        _put(page, picture, before, _modal(page))


def _modal(page: Page) -> str:
    image = base64.b64encode(page.locator(".modal").screenshot()).decode()
    return f'<img style="border-radius:10px" src="data:image/png;base64,{image}">'


def _put(page: Page, picture: Path, *images: str) -> None:
    page.set_content(_SIDE_BY_SIDE.format(images="".join(images)))
    page.locator("div").screenshot(path=picture)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE)
