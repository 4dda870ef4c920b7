"""Shows a scan as people see it, in every language: the message in a local workspace, and the page: `python -m tests.browser.scan_pictures FOLDER`.

Without a folder it makes docs/scan.png, the message in English.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page

from bot.attachments import made
from bot.demo.parts import chromium
from bot.demo.parts.local_slack import BOT_USER, LocalSlack
from bot.slack.clients import posting_client
from bot.slack.render import render
from bot.slack.settings import SlackSettings
from bot.text.language import Language, languages
from commands import scan_view
from services.model.scans import Scan, Site
from services.model.settings import Scanning
from services.scanning.crawl import Outside
from services.scanning.running import Scanner
from services.scanning.sites import concluded
from tests.desks import NOW
from tests.unit.test_scanning_crawl import HOME, HOST, Web

DOCS = Path(__file__).resolve().parents[2] / "docs"
FONTS = ("fonts-noto-color-emoji", "fonts-noto-cjk")
NOWHERE = "http://127.0.0.1:9/slack/events"
USERS = ({"id": "U0MINA1", "name": "mina", "real_name": "Mina"},)
CHANNEL, NEWS = "C0SUPPORT", "C0MOON"
CHANNELS = (
    {"id": CHANNEL, "name": "ssl-support", "members": ["U0MINA1", BOT_USER]},
    {"id": NEWS, "name": "store-moon", "members": ["U0MINA1", BOT_USER]},
)
CSS = "@font-face { font-family: Moon; src: url(http://fonts.example/moon.woff2) }\nbody { background: url(http://cdn.example/paper.png) }"
PAGE = """<!doctype html><title>Moon</title><link rel=canonical href=http://shop.moon.test/>
<link rel=stylesheet href=/theme.css><script src=http://cdn.example/slider.js></script>
<img src=http://cdn.example/logo.png><img src=http://old.example/banner-summer-2019.jpg>
<video src=http://cdn.example/film.mp4></video><iframe src=http://maps.example/embed?q=moon></iframe>
<form action=http://news.example/subscribe></form><a href=http://shop.moon.test/about>About</a>
<script>new Image().src = "http://track.example/pixel.gif?p=" + location</script>
<a href=/cart>Cart</a><a href=/private/orders>Orders</a><a href=/about>About</a>"""


class _Themes:
    def files(self, store: str) -> dict[str, str]:
        return {"layout/theme.liquid": PAGE, "assets/theme.css": CSS}


def site() -> Site:
    """Scan a shop that has a little of everything."""
    web = Web()
    web.put(f"http://{HOST}/", status=301, location=HOME)
    for path in ("", "login", "cart", "about"):
        web.put(HOME + path, PAGE, strict_transport_security="max-age=31536000")
    web.put(f"{HOME}checkout", status=302, location=f"http://{HOST}/checkout")
    web.put(f"{HOME}robots.txt", "User-agent: *\nDisallow: /private", "text/plain")
    web.put(f"{HOME}theme.css", CSS, "text/css")
    types = {"js": "text/javascript", "woff2": "font/woff2", "mp4": "video/mp4", "png": "image/png"}
    for url in (
        "cdn.example/slider.js",
        "fonts.example/moon.woff2",
        "cdn.example/paper.png",
        "cdn.example/film.mp4",
    ):
        for scheme in ("http", "https"):
            web.put(f"{scheme}://{url}", url, types[url.rpartition(".")[2]])
    web.put("http://cdn.example/logo.png", "logo", "image/png")
    web.put("https://cdn.example/logo.png", "x" * 9000, "image/png")
    web.put("http://maps.example/embed?q=moon", "map")
    web.put("https://news.example/", "news")
    outside = Outside(web, Scanning(), lambda _: None, lambda: 0.0)
    found = Scanner(outside, _Themes(), lambda: NOW).scan(HOST, "moon", lambda host: host == HOST)
    return concluded(Site(HOST, "moon", NOW, NOW), found, NOW)


def photograph(
    browser: Browser, slack: LocalSlack, scanned: Site, language: Language, folder: Path
) -> Iterator[Path]:
    """Post the message and the news, show the page, and take a picture of each."""
    client = posting_client(SlackSettings(api_url=slack.api_url, bot_token="xoxb-local"))
    with browser.new_context(viewport={"width": 1200, "height": 800}) as context:
        page = context.new_page()
        replies = {CHANNEL: scan_view.found(scanned, private=False), NEWS: scan_view.news(scanned, 3, 14)}
        for channel, reply in replies.items():
            shown = render(reply, language=language, date_tokens=False)
            client.chat_postMessage(channel=channel, text=shown.text, blocks=shown.blocks)
            yield message(page, slack.page_url, channel, folder / f"{language.code}-{channel}.png")
        assert scanned.scan is not None
        yield report(page, scanned.scan, language, folder / f"{language.code}-page.png")


def message(page: Page, url: str, channel: str, picture: Path) -> Path:
    """Take a picture of the last message in a channel."""
    page.set_viewport_size({"width": 1200, "height": 800})
    page.goto(url)
    page.locator(
        ".sidebar-item", has_text=next(str(one["name"]) for one in CHANNELS if one["id"] == channel)
    ).click()
    last = page.locator(".msg").last
    last.wait_for()
    needed = last.evaluate("one => one.getBoundingClientRect().height")
    page.set_viewport_size({"width": 1200, "height": 190 + int(needed)})
    last.scroll_into_view_if_needed()
    page.screenshot(path=picture)
    return picture


def report(page: Page, scan: Scan, language: Language, picture: Path) -> Path:
    """Take a picture of the page with all that was found."""
    html = made(scan_view.attached(scan)[0], language).content.decode()
    page.set_viewport_size({"width": 1200, "height": 800})
    page.set_content(html)
    page.screenshot(path=picture, full_page=True)
    return picture


def make(folder: Path, wanted: tuple[Language, ...]) -> list[Path]:
    """Take all pictures. Raises PartError."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        LocalSlack.start(Path(scratch), request_url=NOWHERE, users=USERS, channels=CHANNELS) as slack,
        chromium.browser(fonts=FONTS) as browser,
    ):
        scanned = site()
        return [one for language in wanted for one in photograph(browser, slack, scanned, language, folder)]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        make(Path(sys.argv[1]), tuple(languages()))
    else:
        with tempfile.TemporaryDirectory() as made_in:
            first, *_ = make(Path(made_in), tuple(languages())[:1])
            (DOCS / "scan.png").write_bytes(first.read_bytes())
