"""Makes docs/approvals.png from questions, a request and a job in a local workspace: `python -m tests.browser.approval_pictures`."""

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from bot.demo.parts import chromium
from bot.demo.parts.local_slack import BOT_USER, LocalSlack
from bot.slack.clients import posting_client
from bot.slack.notifier import Notifier
from bot.slack.settings import SlackSettings
from bot.slack.workspaces import alone
from commands import requests
from commands.caller import Caller, Role
from commands.hearing import Room
from commands.messages import compose
from services.alerting import sighting
from services.desk import Desk
from services.model.clock import utc_now
from services.model.lifecycle import State
from services.ports import Request
from tests.browser.alert_pictures import DOCS, FONTS, NOWHERE, WIDTH, photograph
from tests.desks import Bench
from tests.unit.commands_world import desk_of
from tests.unit.test_bulk import CODE, step, work, world

CHANNEL = "C0SUPPORT"
USERS = (
    {"id": "U0MINA1", "name": "mina", "real_name": "Mina"},
    {"id": "U0JUNE", "name": "jun", "real_name": "Jun"},
)
CHANNELS = ({"id": CHANNEL, "name": "ssl-support", "members": ["U0MINA1", "U0JUNE", BOT_USER]},)
MINA, JUN = (Caller(f"T0MOON/{user['id']}", Role.SUPPORT, None) for user in USERS)


class Aloud:
    """A channel of the platform's own people."""

    def room(self, _channel: str) -> Room:
        """Return it."""
        return Room(known=True, staff=True)


class Scene:
    """What two support agents do, delivered to the workspace as it comes."""

    def __init__(self, slack: LocalSlack) -> None:
        self.bench: Bench = world(24)
        self.bench.now = utc_now()
        self._number = 0
        client = posting_client(SlackSettings(api_url=slack.api_url, bot_token="xoxb-local"))
        self._notifier = Notifier(
            alone(client),
            self.bench.storage,
            lambda message: compose(self.desk, message),
            lambda: self.bench.now,
            date_tokens=False,
        )

    @property
    def desk(self) -> Desk:
        """The bench's desk."""
        return desk_of(self.bench, support_channel=CHANNEL)

    def does(self, text: str, caller: Caller, kind: str = "command") -> str:
        """Type or click, and deliver what comes of it; return the id of the proposal, if it was one."""
        self._number += 1
        id_ = f"req_{self._number}"
        user = caller.person.rpartition("/")[2]
        request = Request(id_, id_, "T0MOON", user, CHANNEL, text, self.bench.now, kind=kind)
        with self.bench.storage.write() as tx:
            tx.requests.add(request)
            [claimed] = tx.requests.claim(self.bench.now, timedelta(minutes=1), 1)
        known = {one.person: one for one in (MINA, JUN)}
        requests.perform(
            self.desk, claimed, caller, rooms=Aloud(), known=lambda person, _workspace: known[person]
        )
        self.tell()
        return f"prop_{id_}"

    def tell(self) -> None:
        """Deliver what is owed."""
        while True:
            with self.bench.storage.write() as tx:
                claimed = tx.outbox.claim(self.bench.now, timedelta(minutes=1), 1)
            if not claimed:
                return
            self._notifier.deliver(claimed[0])

    def passes(self, seconds: int) -> None:
        """Let time pass, and what is at work come to its end."""
        self.bench.now += timedelta(seconds=seconds)
        work(self.bench)
        step(self.bench, self.desk)
        self._healed()
        self.bench.now += timedelta(seconds=4)
        self.tell()

    def _healed(self) -> None:
        for row in self.bench.certificates():
            if row.state is State.INSTALLED:
                with self.bench.storage.write() as tx:
                    sighting.sight(tx, self.desk.alerting, row, [], self.bench.now)


def play(scene: Scene) -> None:
    """Ask for a renewal that is approved and half done, for a removal, and for another renewal that waits."""
    asked = scene.does(f"renew --cause {CODE}", MINA)
    scene.does(f"approval.approve {asked}", JUN, "click")
    scene.passes(1)
    for _ in range(3):
        scene.passes(20)
    name = next(row.wanted[0] for row in scene.bench.certificates() if row.not_after is not None)
    scene.does(f"remove {name}", MINA)
    scene.does(f"renew --cause {CODE}", JUN)


def make(picture: Path) -> None:
    """Play it in a new workspace and photograph it. Raises PartError."""
    with tempfile.TemporaryDirectory() as folder, chromium.browser(fonts=FONTS) as browser:
        slack = LocalSlack.start(Path(folder), request_url=NOWHERE, users=USERS, channels=CHANNELS)
        try:
            play(Scene(slack))
            page = browser.new_page(viewport={"width": WIDTH, "height": 800})
            photograph(page, slack.page_url, "ssl-support", "Reject", picture)
        finally:
            slack.stop()


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS / "approvals.png")
