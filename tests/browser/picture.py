"""Makes docs/workspace.png, the README's picture, from a real exchange: `python -m tests.browser.picture`."""

import tempfile
from pathlib import Path

from bot.demo.parts import chromium
from bot.demo.sample import NAME
from tests.browser.workspace import Person, world

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "workspace.png"
WIDTH, HEIGHT = 1200, 800
FONTS = ("fonts-noto-color-emoji",)


def make(picture: Path) -> None:
    """Play an exchange in a new world and photograph it. Raises PartError."""
    with (
        tempfile.TemporaryDirectory() as folder,
        world(Path(folder)) as running,
        chromium.browser(fonts=FONTS) as browser,
        browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}) as context,
    ):
        assert running.slack is not None
        mina = Person(context.new_page(), running.slack.page_url)
        mina.types(f"/ssl add {NAME}")
        mina.sees("is installed", "✓ verified")
        mina.types("/ssl add comet.test")
        mina.sees("has to wait", "To try at once")
        mina.types("/ssl status")
        mina.sees("comet.test", NAME)
        mina.begins(f"/ssl renew {NAME}")
        mina.page.screenshot(path=picture)


if __name__ == "__main__":
    make(PICTURE)
