"""Makes home.png (as in docs), home-support.png and home-oncall.png of a small fleet: `python -m tests.browser.home_pictures FOLDER`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect

from bot.demo.parts import chromium
from bot.demo.parts.local_slack import BOT_USER, LocalSlack
from bot.slack.clients import posting_client
from bot.slack.homes import Homes
from bot.slack.settings import SlackSettings
from commands.caller import Caller, Role
from services import home
from services.model.lifecycle import State
from services.ports import Request
from tests.browser.alert_pictures import FONTS, NOWHERE, Fleet, play
from tests.unit.alert_world import DAY, HOUR, MINUTE

WIDTH = 1200
PEOPLE = {
    "merchant": Caller("T0MOON/U0MERCHANT", Role.MERCHANT, frozenset({"comet", "halley", "vega"})),
    "support": Caller("T0MOON/U0SUPPORT", Role.SUPPORT, None),
    "oncall": Caller("T0MOON/U0ONCALL", Role.ONCALL, None),
}
USERS = [
    {"id": caller.person.rpartition("/")[2], "name": name, "real_name": name.capitalize()}
    for name, caller in PEOPLE.items()
]
CHANNELS = ({"id": "C0ALERTS", "name": "ssl-alerts", "members": ["U0ONCALL", BOT_USER]},)
_FIELD = """() => document.querySelectorAll('.home .bk-unknown').forEach(one => {
    const field = document.createElement('input');
    field.style = 'display:block;width:100%;padding:8px;border:1px solid #8d8d8d;border-radius:4px';
    one.replaceWith(field);
})"""
"""Shows the field for a search as Slack does; this workspace's page has fields in modals alone."""


def publish(fleet: Fleet, slack: LocalSlack) -> None:
    """Publish everybody's Home."""
    client = posting_client(SlackSettings(api_url=slack.api_url, bot_token="xoxb-local"))
    homes = Homes(lambda _team: client, fleet.desk, _caller, date_tokens=False)
    for caller in PEOPLE.values():
        home.show(fleet.desk, caller.person, team="")
    with fleet.storage.write() as tx:
        owed = tx.outbox.claim(fleet.now, MINUTE, 10, via=home.HOME)
    for message in owed:
        homes.deliver(message)


def _caller(request: Request) -> Caller:
    return next(one for one in PEOPLE.values() if one.person == f"{request.team}/{request.user}")


def photograph(page: Page, url: str, user: str, seen: str, picture: Path) -> None:
    """Show a person's Home in a window that is high enough for it, and take the picture."""
    page.set_viewport_size({"width": WIDTH, "height": 800})
    page.goto(url)
    page.locator("select").first.select_option(user)
    page.locator(".sidebar-item", has_text="certdesk").click()
    expect(page.locator(".home")).to_contain_text(seen)
    page.evaluate(_FIELD)
    needed = page.evaluate("() => document.querySelector('.home-inner').scrollHeight")
    page.set_viewport_size({"width": WIDTH, "height": 140 + int(needed)})
    page.locator(".main").screenshot(path=picture)


def make(folder: Path) -> None:
    """Play a day and write the pictures into `folder`. Raises PartError."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        LocalSlack.start(Path(scratch), request_url=NOWHERE, users=USERS, channels=CHANNELS) as slack,
        chromium.browser(fonts=FONTS) as browser,
        browser.new_context() as context,
    ):
        fleet = Fleet(slack)
        play(fleet)
        for store, code in (("vega", "vega"), ("comet", "comet")):
            certificate = fleet.certificate(f"cert_{store}")
            fleet.change(certificate, wanted=(f"{code}.test", f"shop.{code}.test", f"www.{code}.test"))
        fleet.change(fleet.certificate("cert_vega"), renew_at=fleet.now + 5 * DAY)
        found = fleet.moved("comet.test")
        blocked = fleet.certificate("cert_comet")
        fleet.change(blocked, state=State.BLOCKED, problem=found, retry_at=fleet.now + 2 * HOUR)
        fleet.pass_(DAY / 24)
        publish(fleet, slack)
        page = context.new_page()
        for name, seen in (("merchant", "comet"), ("support", "All stores"), ("oncall", "Open alerts")):
            user = PEOPLE[name].person.rpartition("/")[2]
            picture = "home.png" if name == "merchant" else f"home-{name}.png"
            photograph(page, slack.page_url, user, seen, folder / picture)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
