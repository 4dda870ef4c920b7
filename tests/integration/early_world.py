"""A certdesk that watches, on real parts: BIND, pebble, an edge, and a workspace with a channel for alerts and one for support."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.demo.parts.bind import Bind
from bot.demo.parts.local_slack import BOT_USER, LocalSlack
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.process import wait_until
from services.model.certificates import Certificate
from services.model.clock import utc_now
from services.ports import Transaction
from storage.database import Database
from tests.children import Desk, desk_on, imported
from tests.parts import STORE, ZONE

ONCALL, ALERTS, SUPPORT = "U0ONCALL", "C0ALERTS", "C0SUPPORT"
DOMAIN = "moon.test"
USERS = ({"id": ONCALL, "name": "mina", "real_name": "Mina"},)
CHANNELS = tuple({"id": id_, "name": id_.lower(), "members": [ONCALL, BOT_USER]} for id_ in (ALERTS, SUPPORT))
PATIENCE = 120.0
"""Seconds within which something must come about: a look that is disturbed is taken again in a minute."""
OFTEN: Mapping[str, object] = {
    "RENEWAL__WATCH_HOURS": "0.0005",
    "RENEWAL__DNS_RECHECK_MINUTES": "0.02",
    "RENEWAL__BLOCKED_RECHECK_MINUTES": "0.02",
    "RENEWAL__BACKOFF_MINUTES": [0.02],
    "ALERTS__CONFIRM_MINUTES": "0.02",
    "ALERTS__SETTLE_SECONDS": "1",
    "ALERTS__CHANNEL": ALERTS,
    "ALERTS__SUPPORT_CHANNEL": SUPPORT,
    "ALERTS__DIGEST": {"daily": ""},
    "RDAP__SERVERS": {"*": ""},
    "SLACK__BOT_TOKEN": "xoxb-local",
    "SLACK__SIGNING_SECRET": "local-signing-secret",
    "SLACK__TEAM": "T0MOON",
    "SLACK__ONCALL": [ONCALL],
    "SLACK__DATE_TOKENS": "false",
}
"""Days of watching in seconds; who is told, and where."""


def workspace(folder: Path, edge: Edge) -> LocalSlack:
    """Start a workspace that sends to where certdesk listens behind the edge."""
    url = f"http://{edge.upstream}/slack/events"
    return LocalSlack.start(folder, request_url=url, users=USERS, channels=CHANNELS)


def pebble_ca(pebble: Pebble) -> dict[str, str | list[str]]:
    """Return the entry of acme.cas that lets certdesk order from pebble."""
    return {
        "name": "pebble",
        "directory": pebble.directory,
        "ca_bundle": str(pebble.ca_bundle),
        "caa_domains": ["pebble.test"],
    }


@dataclass
class Early:
    """The desk, what it stands on, and what its workspace shows."""

    desk: Desk
    bind: Bind
    slack: LocalSlack
    storage: Database

    def zone(self, text: str) -> None:
        """Let the store's zone read so from now on."""
        self.bind.reload_zone(DOMAIN, text)

    def certificate(self, name: str = STORE) -> Certificate:
        """Return the certificate that has ``name`` among the wanted ones."""
        with self.storage.read() as tx:
            return next(one for one in tx.certificates.listing(limit=100) if name in one.wanted)

    def aged(self, left: timedelta, name: str = STORE) -> None:
        """Let the installed certificate be one of 90 days with ``left`` to go, whose renewal is due tomorrow."""
        now = utc_now()

        def done() -> bool:
            with self.storage.write() as tx:
                held = tx.certificates.claim_one(self.certificate(name).id, now, timedelta(seconds=30))
                return held is not None and _saved(tx, held, now + left)

        wait_until(done, PATIENCE, "a moment in which no worker has the certificate")

    def posted(self, channel: str = ALERTS) -> list[dict[str, Any]]:
        """Return the messages of a channel that everybody sees, in no thread."""
        every = (one for one in self.slack.messages(channel) if "ephemeral_to" not in one)
        return [one for one in every if one.get("thread_ts") in (None, one["ts"])]

    def whispered(self, channel: str = ALERTS) -> list[str]:
        """Return what one person alone was told."""
        return [said(one) for one in self.slack.messages(channel) if "ephemeral_to" in one]

    def thread(self, channel: str = ALERTS) -> list[str]:
        """Return what stands in the threads of a channel."""
        every = (one for one in self.slack.messages(channel) if "ephemeral_to" not in one)
        return [said(one) for one in every if one.get("thread_ts") not in (None, one["ts"])]

    def shows(self, *words: str, channel: str = ALERTS) -> dict[str, Any]:
        """Wait until the only message of the channel holds every word; return it."""

        def holds() -> bool:
            return any(all(word in said(one) for word in words) for one in self.posted(channel))

        wait_until(holds, PATIENCE, f"{words} in {channel}: {[said(one) for one in self.posted(channel)]}")
        [message] = self.posted(channel)
        return message

    def clicks(self, message: Mapping[str, Any], label: str, channel: str = ALERTS) -> None:
        """Click the button with this label as on-call."""
        [blocks] = [block for block in message["blocks"] if block["type"] == "actions"]
        button = next(one for one in blocks["elements"] if one.get("text", {}).get("text") == label)
        self.slack.interact(channel, message["ts"], button | {"block_id": "b"})


def _saved(tx: Transaction, held: Certificate, not_after: datetime) -> bool:
    now = utc_now()
    aged = replace(
        held,
        not_before=not_after - timedelta(days=90),
        not_after=not_after,
        renew_at=now + timedelta(days=1),
        ari_after=now + timedelta(days=1),
        run_after=now + timedelta(days=1),
    )
    tx.certificates.save(aged, None)
    return True


def said(message: Mapping[str, Any]) -> str:
    """Return everything that a message shows, as one text."""
    return str(message.get("text", "")) + str(message.get("blocks", ""))


@contextmanager
def early(
    folder: Path, bind: Bind, edge: Edge, pebble: Pebble, slack: LocalSlack, **settings: object
) -> Iterator[Early]:
    """Give a certdesk with its stores, not started yet; the zone of the store is whole again afterwards."""
    desk = desk_on(folder, bind, edge, pebble)
    desk.set(**{**OFTEN, "SLACK__API_URL": slack.api_url, **settings})
    slack.reset()
    imported(desk)
    storage = Database.open(desk.environment["CERTDESK_DATABASE__URL"])
    try:
        yield Early(desk, bind, slack, storage)
    finally:
        storage.close()
        bind.reload_zone(DOMAIN, ZONE)
