"""Makes docs/report.png from /ssl report of a small fleet in a local workspace: `python -m tests.browser.report_picture`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect

from bot.demo.parts import chromium
from bot.demo.parts.local_slack import BOT_USER, LocalSlack
from commands import messages
from commands.caller import Caller, Role
from commands.dispatch import dispatch
from services.model.certificates import Happening
from services.model.lifecycle import State
from services.ports import Message
from tests.browser.alert_pictures import DOCS, FONTS, NOWHERE, WIDTH, Fleet, play
from tests.unit.alert_world import DAY, HOUR, MINUTE

CHANNEL = "C0SUPPORT"
USERS = ({"id": "U0MINA1", "name": "mina", "real_name": "Mina"},)
CHANNELS = (
    {"id": CHANNEL, "name": "ssl-support", "members": ["U0MINA1", BOT_USER]},
    {"id": "C0ALERTS", "name": "ssl-alerts", "members": ["U0MINA1", BOT_USER]},
)
MINA = Caller("T0MOON/U0MINA1", Role.SUPPORT, None)
WEEKS = 13
_LOADED = "() => [...document.images].length > 0 && [...document.images].every(one => one.complete && one.naturalWidth)"
_OPENED = """() => document.querySelectorAll('.msg img').forEach(one => {
    one.style = 'width:880px;max-width:none;max-height:none';
    one.parentElement.style.maxWidth = 'none';
})"""
"""Shows the picture as large as Slack opens it at a click; this workspace's page has it as wide as a thumb."""


def remember(fleet: Fleet) -> None:
    """Write down how attempts have ended in the past weeks: some fail each week, and one week is bad."""
    with fleet.storage.write() as tx:
        for week in range(WEEKS):
            good, bad = 40 + 7 * week % 23, 22 if week == 9 else 1 + week % 4
            for number in range(good + bad):
                what = "verified" if number < good else "attempt_failed"
                at = fleet.now - (WEEKS - week) * 7 * DAY + number * HOUR
                tx.certificates.record(Happening(f"cert_well-{number:03}", at, what))


def stop(fleet: Fleet) -> None:
    """Let what is due and cannot renew be stuck, as its worker finds it, and a few renewals be under way."""
    with fleet.storage.read() as tx:
        rows = [one for one in tx.certificates.listing(limit=2000) if one.renew_at is not None]
    for row in rows:
        due = row.renew_at is not None and row.renew_at <= fleet.now
        if due and fleet.sightings(row):
            problem = fleet.lame(row.domain)
            fleet.change(row, state=State.BLOCKED, problem=problem, retry_at=fleet.now + 2 * HOUR)
        elif row.store.startswith("well-03"):
            fleet.change(row, state=State.VALIDATING)


def report(fleet: Fleet) -> None:
    """Type the command, and deliver the answer."""
    kind, body = messages.content(dispatch("report", MINA, fleet.desk, CHANNEL))
    message = Message.in_channel("report", kind, CHANNEL, body, fleet.now)
    with fleet.storage.write() as tx:
        tx.outbox.put(message)
    fleet.pass_(MINUTE)
    fleet.tell()


def photograph(page: Page, url: str, picture: Path) -> None:
    """Show the answer in a window that is high enough for it, and take the picture."""
    page.goto(url)
    page.locator(".sidebar-item", has_text="ssl-support").click()
    answer = page.locator(".msg").last
    expect(answer).to_contain_text("will not renew")
    page.wait_for_function(_LOADED)
    page.evaluate(_OPENED)
    needed = answer.evaluate("one => one.getBoundingClientRect().height")
    page.set_viewport_size({"width": WIDTH, "height": 190 + int(needed)})
    answer.scroll_into_view_if_needed()
    page.screenshot(path=picture)


def make(picture: Path) -> None:
    """Play a day in a new workspace, ask for the report, and photograph it. Raises PartError."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        LocalSlack.start(Path(scratch), request_url=NOWHERE, users=USERS, channels=CHANNELS) as slack,
        chromium.browser(fonts=FONTS) as browser,
        browser.new_context(viewport={"width": WIDTH, "height": 800}) as context,
    ):
        fleet = Fleet(slack)
        play(fleet)
        remember(fleet)
        stop(fleet)
        report(fleet)
        photograph(context.new_page(), slack.page_url, picture)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS / "report.png")
