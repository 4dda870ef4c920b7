"""Makes docs/alerts.png and docs/digest.png from alerts of a small fleet: `python -m tests.browser.alert_pictures`."""

import sys
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Page, expect

from bot.demo.parts import chromium
from bot.demo.parts.local_slack import BOT_USER, LocalSlack
from bot.slack.clients import posting_client
from bot.slack.notifier import Notifier
from bot.slack.settings import SlackSettings
from bot.slack.workspaces import alone
from commands.messages import compose
from services.alerting import clicks, digest
from services.checks import delegation, servers, store
from services.checks.nameservers import Probe, Service, Zone
from services.checks.zones import Delegation
from services.model.clock import utc_now
from services.model.findings import Finding
from services.model.settings import Alerting, Platform
from services.model.stores import Store, StoreStatus
from services.ports import Message
from tests.unit.alert_world import DAY, HOUR, MINUTE, World

DOCS = Path(__file__).resolve().parents[2] / "docs"
WIDTH = 1200
FONTS = ("fonts-noto-color-emoji",)
ALERTS, DIGEST = "C0ALERTS", "C0DIGEST"
USERS = ({"id": "U0ONCALL", "name": "mina", "real_name": "Mina"},)
CHANNELS = (
    {"id": ALERTS, "name": "ssl-alerts", "members": ["U0ONCALL", BOT_USER]},
    {"id": DIGEST, "name": "ssl-digest", "members": ["U0ONCALL", BOT_USER]},
)
PLATFORM = Platform(name_servers=("ns1.platform.test", "ns2.platform.test"))
POLICY = Alerting(channel=ALERTS, oncall_group="S0ONCALL", manager_group="S0LEADS")
NOWHERE = "http://127.0.0.1:9/slack/events"
"""Nobody clicks in these pictures."""
HEALTHY, FRESH = 640, 9
GROUP = 412
"""Certificates behind the name servers that fail."""


_GROUPS = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode())
        walker.currentNode.data = walker.currentNode.data.replaceAll('<!subteam^S0ONCALL>', '@oncall');
}"""
"""Shows a user group by its handle, as Slack does; this workspace's page shows the token."""


_MOMENTS = """([posted, replied]) => {
    document.querySelectorAll('.msg').forEach((one, place) => {
        one.querySelector('.msg-time').textContent = posted[place];
    });
    document.querySelectorAll('.thread-summary-time').forEach(one => { one.textContent = `Last reply ${replied}`; });
}"""
"""Shows when a message was posted by the clock of the play, which what the messages say goes by; the workspace has a clock of its own."""


class Fleet(World):
    """A fleet whose alerts are delivered to the workspace as they come."""

    def __init__(self, slack: LocalSlack) -> None:
        super().__init__(policy=POLICY, now=utc_now() - DAY)
        self._stamps: dict[str, list[str]] = {}
        """When each message of a channel was posted, in the order of the channel."""
        self._replied: dict[str, str] = {}
        """When the newest message of a channel's threads was posted."""
        client = posting_client(SlackSettings(api_url=slack.api_url, bot_token="xoxb-local"))
        self._notifier = Notifier(
            alone(client),
            self.storage,
            lambda message: compose(self.desk, message),
            lambda: self.now,
            date_tokens=False,  # the workspace's page shows tokens as they are written
        )

    def tell(self) -> None:
        """Tend what is due and deliver what is owed."""
        self.pass_(MINUTE)
        self.tend()
        while True:
            with self.storage.write() as tx:
                claimed = tx.outbox.claim(self.now, MINUTE, 1)
            if not claimed:
                return
            self._deliver(claimed[0])

    def _deliver(self, message: Message) -> None:
        self._notifier.deliver(message)
        moment = f"{self.now:%I:%M %p}"
        if message.thread:
            self._replied[message.channel] = moment
        elif message.ts is None:
            self._stamps.setdefault(message.channel, []).append(moment)

    def moments(self, channel: str) -> tuple[list[str], str]:
        """Return when the messages of a channel were posted, and the newest answer in a thread of it."""
        return self._stamps[channel], self._replied.get(channel, "")

    def moved(self, name: str) -> Finding:
        """Return what the check finds where a domain's name servers are another company's."""
        probes = (Probe("ns1.elsewhere.test", "192.0.2.1", Service.SERVES),)
        zone = Zone(name, ("ns1.elsewhere.test", "ns2.elsewhere.test"), probes=probes)
        [finding] = delegation.decide(delegation.Facts(name, name, Delegation((zone,))), PLATFORM, self.now)
        return finding

    def lame(self, name: str) -> Finding:
        """Return what the check finds where the platform's name servers do not serve the zone."""
        probes = tuple(
            Probe(host, f"192.0.2.{place}", Service.LAME, "REFUSED")
            for place, host in enumerate(PLATFORM.name_servers, 1)
        )
        zone = Zone(name, PLATFORM.name_servers, probes=probes)
        facts = delegation.Facts(name, name, Delegation((zone,)))
        return next(one for one in servers.decide(facts, PLATFORM, self.now) if one.code == "dns.lame")

    def closed(self, name: str) -> Finding:
        """Return what the check finds where a store does not trade."""
        [finding] = store.decide(name, Store("halley", StoreStatus.INACTIVE), self.now)
        return finding


def play(fleet: Fleet) -> None:
    """Let a day pass: a domain that moves away and comes back, one that stays away, a store that closes, an outage."""
    for number in range(HEALTHY):
        fleet.install(f"well-{number:03}", (31 + number % 58) * DAY)
    for number in range(FRESH):
        fleet.install(f"new-{number:03}", 90 * DAY - number * HOUR)
    vega, comet = fleet.install("vega", 12 * DAY), fleet.install("comet", 19 * DAY)
    halley = fleet.install("halley", 6 * DAY, failures=2)
    fleet.confirm(vega, fleet.moved("vega.test"))
    fleet.tell()
    fleet.pass_(3 * HOUR)
    fleet.see(vega)
    fleet.tell()
    fleet.confirm(comet, fleet.moved("comet.test"))
    fleet.tell()
    fleet.see(halley, fleet.closed("halley.test"))
    fleet.tell()
    outage(fleet)
    alert = fleet.alert("dns.not_hosted comet.test")
    clicks.acknowledge(fleet.desk, alert.id, alert.version, "T0MOON/U0ONCALL")
    fleet.tell()


def outage(fleet: Fleet) -> None:
    """Let the platform's name servers fail for many stores at once."""
    group = [fleet.install(f"shop-{n:03}", (4 + n % 80) * DAY + n * MINUTE) for n in range(GROUP)]
    for _ in range(2):
        for certificate in group:
            fleet.see(certificate, fleet.lame(certificate.wanted[0]))
        fleet.pass_(POLICY.confirm)
    fleet.tell()


def daily(fleet: Fleet) -> None:
    """Put the daily digest out now, in a channel of its own."""
    fleet.policy = replace(fleet.policy, channel=DIGEST, digest_daily=f"{fleet.now:%H:%M}", digest_weekly="")
    fleet.pass_(timedelta(minutes=2))
    if not digest.put(fleet.desk, fleet.now):
        raise RuntimeError("there is nothing to say")
    fleet.tell()


def photograph(
    page: Page, url: str, channel: str, seen: str, picture: Path, moments: tuple[list[str], str] | None = None
) -> None:
    """Show a channel in a window that is high enough for everything in it, and take the picture.

    ``moments``: when its messages were posted, in their order, and the newest answer in a thread.
    """
    page.goto(url)
    page.locator(".sidebar-item", has_text=channel).click()
    expect(page.locator(".msg").last).to_contain_text(seen)
    page.evaluate(_GROUPS)
    if moments is not None:
        expect(page.locator(".msg")).to_have_count(len(moments[0]))
        page.evaluate(_MOMENTS, list(moments))
    needed = page.evaluate(
        "() => Math.max(...[...document.querySelectorAll('*')].map(e => e.scrollHeight - e.clientHeight))"
    )
    page.set_viewport_size({"width": WIDTH, "height": 800 + int(needed) + 20})
    page.screenshot(path=picture)


def make(folder: Path) -> None:
    """Play the day in a new workspace and write both pictures into `folder`. Raises PartError."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        LocalSlack.start(Path(scratch), request_url=NOWHERE, users=USERS, channels=CHANNELS) as slack,
        chromium.browser(fonts=FONTS) as browser,
        browser.new_context(viewport={"width": WIDTH, "height": 800}) as context,
    ):
        fleet = Fleet(slack)
        play(fleet)
        daily(fleet)
        page = context.new_page()
        photograph(page, slack.page_url, "ssl-alerts", "412", folder / "alerts.png", fleet.moments(ALERTS))
        photograph(
            page, slack.page_url, "ssl-digest", "The past day", folder / "digest.png", fleet.moments(DIGEST)
        )


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS)
