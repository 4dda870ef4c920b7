"""Against a strict Slack that we did not write (minutehand): limits of blocks, workspaces apart, guests, refusals, rates."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse, WebClient

from bot.demo.parts.errors import PartError
from bot.demo.parts.minutehand_slack import SIGNING_SECRET, Minutehand
from bot.demo.parts.process import free_port
from bot.slack.app import make_app
from bot.slack.callers import Callers
from bot.slack.departures import Departures
from bot.slack.http import SlackDoor
from bot.slack.identity import Identity
from bot.slack.intake import Intake
from bot.slack.limits import MAX_BLOCKS
from bot.slack.notifier import Notifier
from bot.slack.settings import SlackSettings
from bot.slack.workspaces import Clients
from bot.web import Site, WebServer
from bot.web import make_app as make_site
from commands import report, requests
from commands.attachment import Attachment
from commands.caller import TERMINAL, Role
from commands.messages import compose
from commands.reply import Paragraph, Reply, Tone
from commands.reply_json import reply_to_json
from services import linking
from services.model.alerts import Forecast
from services.model.audiences import Kind
from services.model.clock import utc_now
from services.model.fleet import Tally
from services.model.text import say
from services.model.workspaces import Workspace, WorkspaceState
from services.ports import Message
from services.reporting import Report
from storage.vault import Vault
from tests.unit.commands_world import desk_of, make_bench

HOME, THERE = "T0HOME", "T2MOON"
UNMODELLED = ("metadata", "include_locale")
LEASE = timedelta(minutes=1)
PORT = free_port()
SETTINGS = SlackSettings(
    mode="http",
    bot_token="xoxb-home",
    signing_secret=SIGNING_SECRET,
    team=HOME,
    client_id="1.2",
    client_secret="hush",
    redirect_url="https://certdesk.test/slack/oauth/callback",
)


@pytest.fixture(scope="module")
def slack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Minutehand]:
    folder: Path = tmp_path_factory.mktemp("minutehand")
    try:
        part = Minutehand.start(
            folder,
            people=[
                {"key": "ana", "name": "Ana Agent"},
                {"key": "gus", "name": "Gus Guest", "account": "guest"},
                {"key": "sofia", "name": "Sofia"},
            ],
            channels=[
                {"name": "support", "members": ["ana", "gus"]},
                {"name": "shop", "members": ["sofia"]},
            ],
            workspaces=[
                {
                    "team_id": HOME,
                    "domain": "home",
                    "bot_user_id": "U0HOMEBOT",
                    "bot_id": "B0HOME",
                    "tokens": ["xoxb-home"],
                    "members": ["ana", "gus"],
                },
                {
                    "team_id": THERE,
                    "domain": "moon",
                    "bot_user_id": "U2MOONBOT",
                    "bot_id": "B2MOON",
                    "tokens": ["xoxb-moon"],
                    "members": ["sofia"],
                },
            ],
            request_url=f"http://127.0.0.1:{PORT}/slack/events",
        )
    except PartError as error:
        pytest.fail(str(error), pytrace=False)
    with part:
        yield part


class Served(WebClient):
    """A client that leaves out what minutehand says that it does not model (501 not_implemented); all else is as it was."""

    def __init__(self, inner: WebClient) -> None:
        super().__init__()
        self._inner = inner

    def api_call(self, api_method: str, **given: Any) -> SlackResponse:
        for where in ("json", "params", "data"):
            if isinstance(given.get(where), dict):
                given[where] = {key: value for key, value in given[where].items() if key not in UNMODELLED}
        return self._inner.api_call(api_method, **given)


class World:
    """certdesk's Slack side, in this process, with its calls led to minutehand."""

    def __init__(self, slack: Minutehand, settings: SlackSettings = SETTINGS) -> None:
        self.slack, self.bench, self.vault = slack, make_bench(), Vault([bytes(32)])
        self.storage, self.desk = self.bench.storage, replace(desk_of(self.bench), clock=utc_now)
        self.clients = Clients(settings, self.storage, self.vault)
        self.departures = Departures(settings, self.desk)
        self.identity = Identity(self.asking(), settings, utc_now, storage=self.storage)
        self.callers = Callers(self.identity, self.asking, self.storage, utc_now)
        intake = Intake(self.storage, utc_now, lambda: None, settings.workspace)
        self.door = SlackDoor(make_app(settings, intake, left=self.departures.heard), SIGNING_SECRET, utc_now)
        self.notifier = Notifier(
            self.posting,
            self.storage,
            partial(compose, self.desk),
            utc_now,
            departures=self.departures,
        )
        bare = Workspace(THERE, "", "Moon", "U2MOONBOT", b"", f"{THERE}/U1", utc_now())
        with self.storage.write() as tx:
            tx.workspaces.install(
                replace(bare, sealed_token=self.vault.seal(b"xoxb-moon", bare.token_binding))
            )

    def asking(self, team: str = "") -> WebClient:
        return Served(self.clients.asking(team))

    def posting(self, team: str = "") -> WebClient:
        return Served(self.clients.posting(team))

    def channel(self, name: str, team: str = "") -> str:
        listed = self.asking(team).conversations_list()["channels"]
        return str(next(one["id"] for one in listed if one["name"] == name))

    def user(self, name: str, team: str = "") -> str:
        listed = self.asking(team).users_list()["members"]
        return str(next(one["id"] for one in listed if one["name"].startswith(name)))

    def owe(self, key: str, reply: Reply, channel: str, **fields: Any) -> None:
        now = utc_now()
        body = reply_to_json(reply)
        plain = Message(
            f"msg_{key}", key, "reply", channel, "", private=False, body=body, created_at=now, run_after=now
        )
        with self.storage.write() as tx:
            tx.outbox.put(replace(plain, **fields))

    def deliver(self) -> None:
        with self.storage.write() as tx:
            due = tx.outbox.claim(utc_now(), LEASE, 9)
        for message in due:
            self.notifier.deliver(message)

    def delivered(self, key: str) -> bool:
        self.deliver()
        return self.row(key).sent == 1

    def row(self, key: str) -> Message:
        with self.storage.read() as tx:
            row = tx.outbox.by_key(key)
        assert row is not None
        return row

    def messages(self, channel: str, team: str = "") -> list[Any]:
        return list(self.asking(team).conversations_history(channel=channel)["messages"])

    def texts(self, channel: str, team: str = "") -> str:
        return str(self.messages(channel, team))


@pytest.fixture
def world(slack: Minutehand, monkeypatch: pytest.MonkeyPatch) -> World:
    for name, value in slack.environment.items():
        monkeypatch.setenv(name, value)
    return World(slack)


def _reply(title: str, parts: int = 0) -> Reply:
    some = tuple(Paragraph(say("Line {n}", n=n)) for n in range(parts))
    return Reply(Tone.WARN, say("{title}", title=title), some)


def test_the_longest_message_is_taken_and_one_block_more_would_not_be(world: World) -> None:
    support = world.channel("support")
    world.owe("long", _reply("A long one", parts=80), support)
    world.deliver()
    assert world.row("long").sent == 1
    divider = [{"type": "divider"}]
    client = world.posting()
    assert client.chat_postMessage(channel=support, text="most", blocks=divider * MAX_BLOCKS)["ok"]
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        client.chat_postMessage(channel=support, text="more", blocks=divider * (MAX_BLOCKS + 1))


def test_one_workspaces_token_reaches_no_channel_of_another(world: World) -> None:
    world.owe("here", _reply("Of the moon"), world.channel("shop", THERE), team=THERE)
    world.owe("astray", _reply("Astray"), world.channel("support"), team=THERE)
    world.deliver()
    assert world.row("here").sent == 1
    assert world.row("astray").error == "Slack: channel_not_found"
    assert "Of the moon" in world.texts(world.channel("shop", THERE), THERE)
    assert "Of the moon" not in world.texts(world.channel("support"))


def test_a_guest_has_no_staff_role_whatever_the_settings_say(slack: Minutehand, world: World) -> None:
    ana, gus = world.user("ana"), world.user("gus")
    listed = World(slack, replace(SETTINGS, roles={Role.SUPPORT: (ana, gus)}))
    known = [listed.identity.reader(user) for user in (ana, gus)]
    assert [caller.role if caller else None for caller in known] == [Role.SUPPORT, Role.NOBODY]


def test_what_slack_takes_at_its_own_rate_is_late_and_not_lost(slack: Minutehand, world: World) -> None:
    support = world.channel("support")
    slack.fail("chat.postMessage", {"kind": "rate_limited", "retry_after": "PT1S"})
    world.owe("late", _reply("Late and not lost"), support)
    world.deliver()
    late = world.row("late")
    assert (late.sent, late.error) == (0, "Slack: ratelimited")
    assert late.run_after is not None
    _until(lambda: world.delivered("late"))
    assert world.texts(support).count("Late and not lost") >= 1


def test_blocks_that_slack_refuses_go_as_text(slack: Minutehand, world: World) -> None:
    slack.fail("chat.postMessage", {"kind": "refused", "error": "invalid_blocks"})
    support = world.channel("support")
    world.owe("plain", _reply("Plain after all"), support)
    world.deliver()
    assert world.row("plain").sent == 1
    assert "Plain after all" in world.texts(support)


def test_a_report_is_one_message_with_its_picture(slack: Minutehand, world: World) -> None:
    support = world.channel("support")
    facts = report.to_json(Report(utc_now(), (Tally(0, "well", 3),), (), Forecast(utc_now(), 0, 0)))
    attached = (Attachment("report.png", facts), Attachment("report.csv", facts))
    world.owe("report", Reply(Tone.GOOD, say("A picture of it"), attached), support)
    world.deliver()
    assert (world.row("report").sent, world.row("report").error) == (1, "")
    [message] = [m for m in world.messages(support) if "A picture of it" in str(m)]
    assert [file["name"] for file in message["files"]] == ["report.png", "report.csv"]
    assert [file["mimetype"] for file in message["files"]] == ["image/png", "text/csv"]


def test_a_revoked_token_is_the_end_of_the_workspace_and_its_alert_stands_with_support(
    slack: Minutehand, world: World
) -> None:
    support = world.channel("support")
    desk = replace(world.desk, alerting=replace(world.desk.alerting, support_channel=support))
    departures = Departures(SETTINGS, desk)
    notifier = Notifier(world.posting, world.storage, partial(compose, desk), utc_now, departures=departures)
    slack.fail("chat.postMessage", {"kind": "refused", "error": "token_revoked"})
    world.owe("alert", _reply("Blocked"), world.channel("shop", THERE), team=THERE)
    for _ in range(3):
        with world.storage.write() as tx:
            due = tx.outbox.claim(utc_now(), LEASE, 9)
        for message in due:
            notifier.deliver(message)
    assert (world.row("alert").team, world.row("alert").sent) == ("", 1)
    with world.storage.read() as tx:
        workspace = tx.workspaces.get(THERE)
    assert workspace is not None
    assert workspace.state is WorkspaceState.REVOKED
    assert "not installed any more" in world.texts(support)


def test_a_signed_command_of_another_workspace_is_answered_there(slack: Minutehand, world: World) -> None:
    sofia = world.user("sofia", THERE)
    linking.link(world.desk, Kind.WORKSPACE, THERE, "moon", TERMINAL.person)
    linking.link(world.desk, Kind.PERSON, f"{THERE}/{sofia}", "moon", TERMINAL.person)
    site = Site(lambda _: None, b"k", list, CollectorRegistry(), slack=world.door)
    server = WebServer(make_site(site), "127.0.0.1", PORT)
    server.start()
    try:
        slack.command("sofia", "/ssl", "status sun.test", "shop")
    finally:
        server.stop()
    with world.storage.write() as tx:
        [request] = tx.requests.claim(utc_now(), LEASE, 9)
    assert (request.workspace, request.user, request.channel) == (THERE, sofia, world.channel("shop", THERE))
    caller = world.callers.caller(request)
    assert (caller.role, caller.stores) == (Role.MERCHANT, frozenset({"moon"}))
    requests.perform(world.desk, request, caller)
    world.deliver()
    answer = world.row(f"request:{request.id}")
    assert (answer.team, answer.sent, answer.error) == (THERE, 1, "")


def _until(condition: Any, seconds: float = 10) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.05)
