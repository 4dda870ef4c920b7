"""A worker that dies while it renews a workspace's token loses nothing: the next one asks again within Slack's grace.

Slack's rules, from its docs ("Using token rotation"): a refresh token is revoked "after a short grace period" once it was used, a
refresh does not end the present token, and of several tokens of an installation the newest two are good. That a refresh token which
is used twice in that time gives two pairs is seen in slackapi/node-slack-sdk#2504.
"""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from multiprocessing import connection
from pathlib import Path

import pytest

from bot.slack.departures import Departures
from bot.slack.rotation import AHEAD, LASTS, SECONDS, Rotation
from bot.slack.settings import SlackSettings
from services.model.settings import Alerting
from services.model.workspaces import Workspace
from storage.database import Database
from storage.vault import Vault
from tests.desks import NOW, Bench
from tests.unit.slack_world import Answer, SlackApi, no, ok

TEAM = "T2MOON"
ENDS = NOW + AHEAD - timedelta(seconds=1)
AGAIN = NOW + LASTS + timedelta(seconds=SECONDS)
"""By when another worker sees to it at the latest."""


class RotatingSlack(SlackApi):
    """Renews tokens by Slack's rules. With ``victim`` that process is killed when its request has been taken in."""

    def __init__(self, grace: timedelta) -> None:
        super().__init__()
        self.now, self.grace = NOW, grace
        self.victim: multiprocessing.process.BaseProcess | None = None
        self.given = 1
        self.used: dict[str, datetime] = {}
        """Refresh token -> when it was used first."""

    def answer(self, handler: BaseHTTPRequestHandler, method: str) -> Answer:
        if method != "oauth.v2.access":
            return ok(team_id=TEAM)
        refresh = str(self.calls[-1][1]["refresh_token"])
        known = {f"xoxe-{number}" for number in range(1, self.given + 1)}
        if refresh not in known or self.now - self.used.setdefault(refresh, self.now) > self.grace:
            return no("invalid_refresh_token")
        self.given += 1
        if self.victim is not None:
            assert self.victim.pid is not None
            os.kill(self.victim.pid, signal.SIGKILL)
            connection.wait([self.victim.sentinel])  # dead, and left to the thread that joins it to be reaped
        return ok(
            access_token=f"xoxe.xoxb-{self.given}", refresh_token=f"xoxe-{self.given}", expires_in=43_200
        )


@pytest.fixture
def slack() -> Iterator[RotatingSlack]:
    made = RotatingSlack(grace=timedelta(minutes=1))
    yield made
    made.stop()


class World:
    """A database on disk with one workspace, whose token ends soon."""

    def __init__(self, folder: Path, slack: RotatingSlack) -> None:
        self.url, self.slack = f"sqlite:///{folder / 'certdesk.db'}", slack
        self.storage, self.vault = Database.open(self.url, migrate=True), Vault([bytes(32)])
        bare = Workspace(TEAM, "", "Moon", "U1", b"", f"{TEAM}/U9", NOW - timedelta(days=1))
        row = replace(
            bare,
            sealed_token=self.vault.seal(b"xoxe.xoxb-1", bare.token_binding),
            sealed_refresh=self.vault.seal(b"xoxe-1", bare.refresh_binding),
            expires_at=ENDS,
        )
        with self.storage.write() as tx:
            tx.workspaces.install(row)

    def killed(self, where: str) -> None:
        """Let a worker of its own process begin to renew, and die."""
        worker = multiprocessing.get_context("spawn").Process(
            target=work, args=(self.url, self.slack.url, where)
        )
        self.slack.victim = worker if where == "in the call" else None
        worker.start()
        worker.join(60)
        assert worker.exitcode == -signal.SIGKILL
        self.slack.victim = None
        assert self.token() == "xoxe.xoxb-1"

    def token(self) -> str:
        row = self.row()
        return self.vault.open(row.sealed_token, row.token_binding).decode()

    def row(self) -> Workspace:
        with self.storage.read() as tx:
            found = tx.workspaces.get(TEAM)
        assert found is not None
        return found


@pytest.fixture
def world(tmp_path: Path, slack: RotatingSlack) -> Iterator[World]:
    made = World(tmp_path, slack)
    yield made
    made.storage.close()


def rotation(storage: Database, api_url: str, kind: type[Rotation] = Rotation) -> Rotation:
    settings = SlackSettings(
        api_url=api_url,
        team="T0HOME",
        client_id="1.2",
        client_secret="hush",
        redirect_url="https://certdesk.test/slack/oauth/callback",
    )
    desk = replace(Bench(storage).desk, alerting=Alerting(support_channel="C0SUPPORT"))
    return kind(settings, storage, Vault([bytes(32)]), Departures(settings, desk))


class Doomed(Rotation):
    """Dies with the new pair in its hands."""

    def _save(self, *_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def work(url: str, api_url: str, where: str) -> None:
    """Be a worker that renews once."""
    storage = Database.open(url)
    rotation(storage, api_url, Doomed if where == "before the write" else Rotation).tick("first", NOW)


@pytest.mark.parametrize("where", ["in the call", "before the write"])
def test_the_next_worker_renews_with_the_same_refresh_token(world: World, where: str) -> None:
    world.killed(where)
    world.slack.now = AGAIN
    rotation(world.storage, world.slack.url).tick("second", AGAIN)
    assert [body["refresh_token"] for body in world.slack.asked("oauth.v2.access")] == ["xoxe-1", "xoxe-1"]
    assert world.token() == "xoxe.xoxb-3"
    row = world.row()
    assert row.active
    assert world.vault.open(row.sealed_refresh or b"", row.refresh_binding) == b"xoxe-3"


def test_after_the_grace_the_present_token_works_on_and_people_are_told_in_time(world: World) -> None:
    world.killed("before the write")
    world.slack.now = NOW + timedelta(hours=1)
    rotation(world.storage, world.slack.url).tick("second", world.slack.now)
    assert world.row().active
    assert world.token() == "xoxe.xoxb-1"
    with world.storage.write() as tx:
        owed = tx.outbox.claim(world.slack.now, LASTS, 9)
    told = {(message.team, message.channel, message.user) for message in owed}
    assert told == {("", "C0SUPPORT", ""), (TEAM, "", "U9")}
    assert {message.body["link"] for message in owed} == {"https://certdesk.test/slack/install"}


def test_a_renewal_that_nobody_disturbs_is_written_at_once(world: World) -> None:
    rotation(world.storage, world.slack.url).tick("first", NOW)
    assert world.token() == "xoxe.xoxb-2"
