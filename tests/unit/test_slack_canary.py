"""The canary tells deafness from silence, mends it by a new connection, and never cries wolf because Slack is away."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.slack.canary import PATIENCE, PERIOD, REACTION, Canary
from bot.slack.clients import posting_client
from bot.slack.settings import SlackSettings
from storage.memory import MemoryStorage
from tests.unit.slack_world import FakeClock, SlackApi, no, ok

CHANNEL = "C0CANARY"
KEY = f"canary:{CHANNEL}"
LEASE = timedelta(seconds=60)


class Nest:
    """A canary whose message stands in Slack; the test sings for Slack."""

    def __init__(self, api: SlackApi) -> None:
        self.api, self.clock, self.storage, self.reconnected = api, FakeClock(), MemoryStorage(), 0
        self.canary = self.another()
        for method in ("reactions.add", "reactions.remove"):
            api.tell(method, ok())

    def another(self) -> Canary:
        client = posting_client(SlackSettings(api_url=self.api.url, bot_token="xoxb-1"))
        return Canary(client, self.storage, CHANNEL, self._reconnect)

    def _reconnect(self) -> None:
        self.reconnected += 1

    def tick(self, *, after: timedelta = timedelta()) -> list[str]:
        """Let time pass and tick; which methods were called."""
        self.clock.now += after
        self.api.calls.clear()
        self.canary.tick(self.clock())
        return list(self.api.methods)

    def post(self, ts: str = "7.7") -> None:
        """Do what the notifier does."""
        with self.storage.write() as tx:
            for message in tx.outbox.claim(self.clock(), LEASE, 10):
                tx.outbox.delivered(message, ts, final=True)

    def echo(self, ts: str = "7.7", **more: Any) -> None:
        self.canary.heard(
            {"type": "reaction_added", "reaction": REACTION, "item": {"channel": CHANNEL, "ts": ts}, **more}
        )

    def silent_since(self) -> datetime | None:
        return self.canary.silent_since


@pytest.fixture
def nest() -> Iterator[Nest]:
    api = SlackApi()
    made = Nest(api)
    made.tick()
    made.post()
    yield made
    api.stop()


def test_its_message_is_posted_once_for_all_processes(nest: Nest) -> None:
    with nest.storage.read() as tx:
        message = tx.outbox.by_key(KEY)
    assert message is not None
    assert (message.channel, message.version, message.private) == (CHANNEL, 1, False)
    nest.canary = nest.another()
    assert nest.tick() == ["reactions.add"]
    with nest.storage.read() as tx:
        assert tx.outbox.waiting() == 0


def test_what_is_heard_is_taken_back_and_sung_again_after_a_while(nest: Nest) -> None:
    assert nest.tick() == ["reactions.add"]
    assert nest.api.calls[0][1] == {"channel": CHANNEL, "timestamp": "7.7", "name": REACTION}
    nest.echo()
    assert nest.tick() == ["reactions.remove"]
    assert nest.tick(after=PERIOD - timedelta(seconds=1)) == []
    assert nest.tick(after=timedelta(seconds=1)) == ["reactions.add"]
    assert (nest.silent_since(), nest.reconnected) == (None, 0)


def test_what_does_not_come_back_is_deafness_from_when_it_was_sung(nest: Nest) -> None:
    nest.tick()
    sung = nest.clock()
    assert nest.tick(after=PATIENCE - timedelta(seconds=1)) == []
    assert nest.silent_since() is None
    assert nest.tick(after=timedelta(seconds=1)) == ["reactions.remove", "reactions.add"]
    assert (nest.silent_since(), nest.reconnected) == (sung, 1)
    assert nest.tick() == []
    nest.tick(after=PATIENCE)
    assert (nest.silent_since(), nest.reconnected) == (sung, 2)
    nest.echo()
    assert nest.silent_since() is None
    assert nest.tick() == ["reactions.remove"]
    assert nest.tick(after=PATIENCE) == []


def test_what_another_process_heard_and_took_away_was_heard(nest: Nest) -> None:
    nest.tick()
    nest.api.tell("reactions.remove", no("no_reaction"))
    assert nest.tick(after=PATIENCE) == ["reactions.remove"]
    assert (nest.silent_since(), nest.reconnected) == (None, 0)
    assert nest.tick(after=PERIOD) == ["reactions.add"]


def test_a_reaction_that_was_left_behind_is_renewed(nest: Nest) -> None:
    nest.api.tell("reactions.add", no("already_reacted"), ok())
    assert nest.tick() == ["reactions.add", "reactions.remove", "reactions.add"]
    nest.echo()
    nest.tick()
    assert (nest.silent_since(), nest.reconnected) == (None, 0)


def test_a_persons_reaction_elsewhere_shows_that_events_arrive(nest: Nest) -> None:
    nest.tick()
    nest.tick(after=PATIENCE)
    assert nest.silent_since() is not None
    nest.echo(ts="1.1", user="U1", reaction="tada")
    assert nest.silent_since() is None
    nest.canary.heard({"type": "reaction_added", "item": None})


@pytest.mark.parametrize("error", ["fatal_error", "missing_scope", "ratelimited", "not_in_channel"])
def test_where_slack_does_not_let_it_sing_it_says_nothing(nest: Nest, error: str) -> None:
    nest.api.tell("reactions.add", no(error))
    assert nest.tick() == ["reactions.add"]
    assert nest.tick(after=PATIENCE) == []
    assert nest.tick(after=PERIOD) == ["reactions.add"]
    assert (nest.silent_since(), nest.reconnected) == (None, 0)


def test_where_slack_goes_away_meanwhile_nothing_is_known(nest: Nest) -> None:
    nest.tick()
    nest.api.tell("reactions.remove", (503, {}, "down"))
    for _ in range(3):
        assert nest.tick(after=PATIENCE) == ["reactions.remove"]
    assert (nest.silent_since(), nest.reconnected) == (None, 0)
    nest.api.tell("reactions.remove", ok())
    nest.tick(after=PATIENCE)
    assert nest.reconnected == 1


def test_a_message_that_somebody_deleted_is_posted_anew(nest: Nest) -> None:
    nest.api.tell("reactions.add", no("message_not_found"))
    nest.tick()
    nest.tick()
    with nest.storage.read() as tx:
        assert tx.outbox.waiting() == 1
    assert nest.tick(after=PERIOD) == []
    nest.post("8.8")
    nest.api.tell("reactions.add", ok())
    assert nest.tick() == ["reactions.add"]
    assert nest.api.calls[0][1]["timestamp"] == "8.8"
    with nest.storage.read() as tx:
        assert tx.outbox.waiting() == 0
