"""Several workspaces: each is spoken to with its own token, sees what is linked to it, and may go away without a loss."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any, cast

import pytest
from slack_bolt import BoltRequest

from bot.slack.app import make_app
from bot.slack.callers import Callers
from bot.slack.departures import Departures
from bot.slack.homes import Homes
from bot.slack.identity import Identity
from bot.slack.intake import Intake
from bot.slack.notifier import Notifier
from bot.slack.rooms import SlackRooms
from bot.slack.rotation import AGAIN, AHEAD, Rotation
from bot.slack.screens import SlackScreens
from bot.slack.settings import SlackSettings
from bot.slack.workspaces import Clients
from commands import requests, workspaces
from commands.caller import TERMINAL, Caller, Role
from commands.dispatch import dispatch
from commands.hearing import UNSEEN, Room
from commands.messages import compose
from commands.reply import Reply, Sheet, Tone
from commands.reply_json import reply_to_json
from services import home, linking
from services.alerting import merchants
from services.model.audiences import Kind
from services.model.errors import DatabaseUnavailableError, NotFoundError
from services.model.findings import Owner
from services.model.lifecycle import State
from services.model.proposals import Decider, Proposal
from services.model.text import say
from services.model.workspaces import Workspace, WorkspaceState, place, placed
from services.ports import Message, Request, Storage, Transaction
from storage.vault import Vault
from tests.desks import SUPPORT, finding
from tests.unit.commands_world import alert, desk_of, make_bench, sighting
from tests.unit.slack_connect import channel_info, link_shared
from tests.unit.slack_world import Answer, SlackApi, no, ok

HOME, THERE, ELSEWHERE = "T0HOME", "T2MOON", "T3SUN"
SETTINGS = SlackSettings(
    mode="http",
    bot_token="xoxb-home",
    team=HOME,
    client_id="1.2",
    client_secret="hush",
    redirect_url="https://certdesk.test/slack/oauth/callback",
    roles={Role.ADMIN: ("U1",)},
    merchants={"U1": ("sun",)},
)
LEASE = timedelta(minutes=1)
REPLY = Reply(Tone.WARN, say("The certificate of {name} is blocked", name="shop.moon.test"))


class Slack(SlackApi):
    """Remembers with which token each method was called, and can refuse one."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens: list[tuple[str, str]] = []
        self.refused: dict[str, str] = {}

    def answer(self, handler: BaseHTTPRequestHandler, method: str) -> Answer:
        token = str(handler.headers.get("Authorization", "")).removeprefix("Bearer ")
        self.tokens.append((method, token))
        return no(self.refused[token]) if token in self.refused else super().answer(handler, method)


class World:
    """certdesk in three workspaces, put together as in `bot.slackside`."""

    def __init__(self, api: Slack, settings: SlackSettings = SETTINGS) -> None:
        self.api, self.bench, self.vault = api, make_bench(), Vault([bytes(32)])
        self.storage, self.desk = self.bench.storage, desk_of(self.bench)
        self.settings = replace(settings, api_url=api.url)
        self.clients = Clients(self.settings, self.storage, self.vault)
        self.departures = Departures(self.settings, self.desk)
        identity = Identity(self.clients.asking(), self.settings, self.clock, storage=self.storage)
        self.callers = Callers(identity, self.clients.asking, self.storage, self.clock)
        self.intake = Intake(self.storage, self.clock, lambda: None, self.settings.workspace)
        self.app = make_app(self.settings, self.intake, left=self.departures.heard)
        self.screens = SlackScreens(self.clients.posting)
        self.rooms = SlackRooms(self.clients.asking, self.settings, self.callers.reader, self.clock)
        self.notifier = Notifier(
            self.clients.posting,
            self.storage,
            partial(compose, self.desk),
            self.clock,
            departures=self.departures,
        )
        self.posted = 0
        api.tell("auth.test", ok(team_id=HOME))
        api.tell("users.info", ok(user={"id": "U1", "team_id": THERE}))
        api.tell("chat.postMessage", ok(ts="1.1", channel="C1"))
        api.tell("chat.postEphemeral", ok(message_ts="1.2"))
        api.tell("chat.update", ok(ts="1.1", channel="C1"))
        api.tell("conversations.open", ok(channel={"id": "D1"}))
        api.tell("views.open", ok())
        for team in (THERE, ELSEWHERE):
            self.install(team)

    def clock(self) -> Any:
        return self.bench.now

    def install(self, team: str, token: str = "") -> Workspace:
        bare = Workspace(team, "", team.title(), f"UBOT{team}", b"", f"{team}/U9", self.bench.now)
        sealed = self.vault.seal((token or f"xoxb-{team}").encode(), bare.token_binding)
        self.bench.now += timedelta(seconds=5)
        with self.storage.write() as tx:
            return tx.workspaces.install(replace(bare, sealed_token=sealed))

    def link(self, kind: Kind, who: str, store: str) -> None:
        linking.link(self.desk, kind, who, store, TERMINAL.person)

    def hear(self, body: dict[str, Any]) -> None:
        assert self.app.dispatch(BoltRequest(mode="socket_mode", body=body)).status == 200

    def type(self, text: str, team: str = THERE, user: str = "U1", channel: str = "C1") -> Caller:
        """Type a command in a workspace and let it be performed; return who asked."""
        self.posted += 1
        self.hear(
            {
                "command": "/ssl",
                "text": text,
                "team_id": team,
                "user_id": user,
                "channel_id": channel,
                "trigger_id": f"{self.posted}.1",
            }
        )
        with self.storage.write() as tx:
            [request] = tx.requests.claim(self.bench.now, LEASE, 9)
        request = self.callers.placed(request)
        caller = self.callers.caller(request)
        requests.perform(self.desk, request, caller, lambda user: f"{HOME}/{user}")
        return caller

    def owe(self, key: str = "alert:1", **fields: Any) -> None:
        body = reply_to_json(REPLY)
        now = self.bench.now
        plain = Message(
            f"msg_{key}", key, "reply", "C1", "", private=False, body=body, created_at=now, run_after=now
        )
        with self.storage.write() as tx:
            tx.outbox.put(replace(plain, **fields))

    def deliver(self) -> list[tuple[str, str]]:
        """Deliver until nothing is due; return the calls that it took, as (method, token)."""
        before = len(self.api.tokens)
        for _ in range(20):
            with self.storage.write() as tx:
                due = tx.outbox.claim(self.bench.now, LEASE, 9)
            if not due:
                return self.api.tokens[before:]
            for message in due:
                self.notifier.deliver(message)
        raise AssertionError("it goes round in circles")

    def row(self, key: str) -> Message:
        with self.storage.read() as tx:
            row = tx.outbox.by_key(key)
        assert row is not None
        return row

    def state(self, team: str = THERE) -> WorkspaceState:
        with self.storage.read() as tx:
            workspace = tx.workspaces.get(team)
        assert workspace is not None
        return workspace.state

    def said(self) -> str:
        """Return the text of the newest post, in the channel or in direct messages."""
        posts = [body for name, body in self.api.calls if name.startswith("chat.")]
        return str([body for body in posts if "in a direct message" not in str(body)][-1])


@pytest.fixture
def api() -> Iterator[Slack]:
    made = Slack()
    yield made
    made.stop()


@pytest.fixture
def world(api: Slack) -> World:
    return World(api)


# --- who sees what -------------------------------------------------------------------------------------------------


def test_elsewhere_nobody_sees_more_than_what_is_linked_to_both_the_workspace_and_them(world: World) -> None:
    assert world.type("help").role is Role.NOBODY
    world.link(Kind.PERSON, f"{THERE}/U1", "moon")
    assert world.type("help").role is Role.NOBODY  # the workspace has no store yet
    world.link(Kind.WORKSPACE, THERE, "sun")
    assert world.type("help").role is Role.NOBODY  # it has another one
    world.link(Kind.WORKSPACE, THERE, "moon")
    assert world.type("help") == Caller(f"{THERE}/U1", Role.MERCHANT, frozenset({"moon"}))
    assert world.callers.known(f"{THERE}/U1", THERE).stores == frozenset({"moon"})  # as a button asks later
    assert world.type("help", team=ELSEWHERE).role is Role.NOBODY  # what one workspace has, another has not


def test_a_staff_role_and_the_settings_hold_in_the_support_workspace_alone(world: World) -> None:
    world.api.tell("users.info", ok(user={"id": "U1", "team_id": HOME}))
    assert world.type("help", team=HOME).role is Role.ADMIN
    assert world.type("help", team=THERE).role is Role.NOBODY


@pytest.mark.parametrize("command", ["status", "check", "renew", "history", "add"])
def test_a_store_that_is_not_bound_is_answered_like_an_unknown_one(world: World, command: str) -> None:
    world.link(Kind.WORKSPACE, THERE, "moon")
    world.link(Kind.PERSON, f"{THERE}/U1", "moon")
    world.link(Kind.PERSON, f"{THERE}/U1", "sun")  # theirs elsewhere, but not here
    answers = []
    for name in ("shop.sun.test", "shop.nix.test"):
        world.type(f"{command} {name}")
        world.deliver()
        answers.append(world.said().replace(name, "NAME").replace(name.removeprefix("shop."), "NAME"))
    assert answers[0] == answers[1]


def test_a_request_for_a_store_that_is_not_bound_is_seen_by_nobody_and_answered_alike(world: World) -> None:
    answers = []
    for store in ("sun", "nix"):
        world.type(f"link {store}")
        world.deliver()
        answers.append(world.said().replace(store, "STORE"))
    assert answers[0] == answers[1]
    world.bench.now += linking.EARLIEST + linking.SPREAD
    assert world.deliver() == []
    assert [token for method, token in world.api.tokens if method == "chat.postMessage"] == []


def test_support_decides_in_its_own_workspace_and_the_answer_goes_back(world: World) -> None:
    world.link(Kind.WORKSPACE, THERE, "moon")
    world.type("link moon")
    assert world.deliver() == [("chat.postEphemeral", f"xoxb-{THERE}")]
    world.bench.now += linking.EARLIEST + linking.SPREAD
    assert world.deliver() == [("chat.postMessage", "xoxb-home")]
    with world.storage.read() as tx:
        [wish] = [
            row for row in (tx.links.request(body["request"]) for body in _bodies(world)) if row is not None
        ]
    assert wish.channel == f"{THERE}/C1"
    linking.decide(world.desk, wish.id, f"{HOME}/U7", approved=True)
    answer = world.row(f"link_answer:{wish.id}")
    assert (answer.team, answer.channel, answer.user) == (THERE, "C1", "U1")
    assert world.type("help").stores == frozenset({"moon"})


def test_what_is_no_longer_linked_to_a_workspace_nobody_is_let_into_there(world: World) -> None:
    """Its people would else be told that there is the store, and be let in once another one asks for it again."""
    world.link(Kind.WORKSPACE, THERE, "moon")
    world.type("link moon")
    world.bench.now += linking.EARLIEST + linking.SPREAD
    world.deliver()
    [body] = _bodies(world)
    assert linking.unlink(world.desk, Kind.WORKSPACE, THERE, "moon")
    with pytest.raises(NotFoundError, match=f"{THERE} is not linked to the store moon"):
        linking.decide(world.desk, body["request"], f"{HOME}/U7", approved=True)
    world.link(Kind.WORKSPACE, THERE, "moon")  # it is still open, and can be approved now
    assert linking.decide(world.desk, body["request"], f"{HOME}/U7", approved=True).done
    # what could not be sent before it was taken back again is not sent any more
    assert linking.unlink(world.desk, Kind.WORKSPACE, THERE, "moon")
    calls = world.deliver()
    assert [call for call in calls if call[1] == f"xoxb-{THERE}"] == []


def _bodies(world: World) -> list[dict[str, str]]:
    key = "link_request:"
    outbox = world.storage._committed.outbox.values()  # type: ignore[attr-defined]
    return [dict(row.body) for row in outbox if row.key.startswith(key)]


def test_a_channel_means_a_store_in_its_own_workspace_alone(world: World) -> None:
    world.link(Kind.WORKSPACE, THERE, "moon")
    world.link(Kind.PERSON, f"{THERE}/U1", "moon")
    world.link(Kind.CHANNEL, placed(THERE, "C1"), "moon")
    world.link(Kind.CHANNEL, "C1", "sun")
    world.type("links")
    world.deliver()
    assert "moon" in world.said()
    assert "sun" not in world.said()


def test_a_person_of_an_organisation_without_certdesk_is_the_support_workspaces_guest(world: World) -> None:
    world.link(Kind.PERSON, "T9OTHER/U1", "moon")
    world.api.tell("users.info", ok(user={"id": "U1", "team_id": "T9OTHER", "is_stranger": True}))
    assert world.type("help", team="T9OTHER").stores == frozenset({"moon"})
    assert ("users.info", "xoxb-home") in world.api.tokens


def test_support_links_and_unlinks_a_workspace_by_command(world: World) -> None:
    world.api.tell("users.info", ok(user={"id": "U1", "team_id": HOME}))
    world.type(f"link workspace {THERE.lower()} moon", team=HOME)
    world.deliver()
    assert "is linked to the store moon now" in world.said()
    world.type("link workspace T9NONE moon", team=HOME)
    world.deliver()
    assert "not installed" in world.said()
    assert "opens `/slack/install` at certdesk's own address and agrees" in world.said()
    world.type(f"links workspace {THERE}", team=HOME)
    world.deliver()
    assert "moon" in world.said()
    with world.storage.read() as tx:
        assert [link.store for link in tx.links.of(Kind.WORKSPACE, THERE)] == ["moon"]
    world.type(f"unlink workspace {THERE} moon", team=HOME)
    world.deliver()
    assert "Nobody sees the store there any more" in world.said()
    assert world.type(f"link workspace {THERE} sun", team=THERE).role is Role.NOBODY
    world.deliver()
    with world.storage.read() as tx:
        assert [link.store for link in tx.links.of(Kind.WORKSPACE, THERE)] == ["moon"]


# --- who is spoken to with what --------------------------------------------------------------------------------------


def test_each_workspace_is_spoken_to_with_its_own_token(world: World) -> None:
    for team, token in ((THERE, f"xoxb-{THERE}"), (ELSEWHERE, f"xoxb-{ELSEWHERE}"), (HOME, "xoxb-home")):
        world.type("help", team=team)
        assert {token_ for _, token_ in world.deliver()} == {token}
        request = Request("r", "r", team, "U1", "C1", "", world.bench.now, trigger="1.2")
        asked = replace(request, workspace=world.settings.workspace(team))
        assert world.screens.sheet(asked, Sheet("note", say("certdesk"), ()))
        assert world.api.tokens[-1] == ("views.open", token)


def test_a_pause_of_one_workspace_holds_up_no_other(world: World) -> None:
    world.api.refused[f"xoxb-{ELSEWHERE}"] = "missing_scope"
    world.owe("alert:1", team=ELSEWHERE)
    world.owe("alert:2", team=THERE)
    world.owe("alert:3")
    world.deliver()
    assert world.row("alert:1").sent == 0
    assert world.row("alert:2").sent == world.row("alert:3").sent == 1


def test_to_take_in_a_command_asks_slack_nothing(world: World) -> None:
    for number in range(3):
        world.hear(
            {
                "command": "/ssl",
                "text": "",
                "team_id": THERE,
                "user_id": "U1",
                "channel_id": "C1",
                "trigger_id": str(number),
            }
        )
    assert world.api.calls == []


def test_the_support_workspace_can_be_installed_like_the_others(api: Slack) -> None:
    world = World(api, replace(SETTINGS, bot_token=""))
    world.owe()
    world.deliver()
    assert world.row("alert:1").sent == 0  # nobody has installed it there yet
    world.install(HOME)
    world.bench.now += timedelta(hours=1)
    assert ("chat.postMessage", f"xoxb-{HOME}") in world.deliver()


def test_with_one_workspace_every_team_is_it_and_no_installation_is_looked_at(api: Slack) -> None:
    world = World(api, replace(SETTINGS, client_id="", team=""))
    world.api.tell("users.info", ok(user={"id": "U1", "team_id": HOME}))
    assert world.type("help", team=THERE).person == f"{HOME}/U1"
    assert {token for _, token in world.deliver()} == {"xoxb-home"}


# --- who reads there -------------------------------------------------------------------------------------------------


HOST = "certdesk.example.test"
PRIVATE = ok(channel=channel_info("C1", is_private=True))


def _room(world: World, *members: str) -> None:
    world.api.tell("conversations.info", PRIVATE)
    world.api.tell("conversations.members", ok(members=list(members)))
    world.link(Kind.WORKSPACE, THERE, "moon")
    world.link(Kind.PERSON, f"{THERE}/U1", "moon")
    assert dispatch("add shop.moon.test", SUPPORT, world.desk).exit_code == 0


def test_a_channel_elsewhere_is_looked_up_there_once_and_its_readers_are_who_they_are_there(
    world: World,
) -> None:
    _room(world, "U1")
    world.link(Kind.PERSON, f"{THERE}/U1", "sun")  # theirs, and not known in that workspace
    for _ in range(5):
        reader = Caller(f"{THERE}/U1", Role.MERCHANT, frozenset({"moon"}))
        assert world.rooms.room(placed(THERE, "C1")) == Room(known=True, readers=(reader,))
    asked = [(method, token) for method, token in world.api.tokens if method.startswith("conversations")]
    assert asked == [(f"conversations.{what}", f"xoxb-{THERE}") for what in ("info", "members")]


def test_the_same_id_is_another_channel_elsewhere(api: Slack) -> None:
    world = World(api, replace(SETTINGS, staff_channels=frozenset({"C1"})))
    _room(world, "U1")
    world.api.tell("users.info", ok(user={"id": "U1", "team_id": HOME}))
    assert world.rooms.room("C1").staff
    assert not world.rooms.room(placed(THERE, "C1")).staff


@pytest.mark.parametrize("state", [WorkspaceState.UNINSTALLED, WorkspaceState.REVOKED])
def test_nothing_is_known_of_a_channel_where_certdesk_is_not_any_more(
    world: World, state: WorkspaceState
) -> None:
    _room(world, "U1")
    with world.storage.write() as tx:
        assert tx.workspaces.leave(THERE, state, world.bench.now)
    assert world.rooms.room(placed(THERE, "C1")) == UNSEEN
    assert [method for method, _ in world.api.tokens if method.startswith("conversations")] == []


def _shared(world: World, url: str) -> list[str]:
    """Share a link in a channel elsewhere; return the tokens with which something was shown."""
    body = link_shared("U1", THERE, url, channel="C1")
    world.hear({**body, "team_id": THERE, "event_id": url, "authorizations": [{"team_id": THERE}]})
    with world.storage.write() as tx:
        [request] = tx.requests.claim(world.bench.now, LEASE, 9)
    caller = world.callers.caller(world.callers.placed(request))
    requests.perform(world.desk, request, caller, screens=world.screens, rooms=world.rooms)
    return [token for method, token in world.api.tokens if method == "chat.unfurl"]


def test_a_link_that_is_shared_elsewhere_is_shown_there_where_all_who_read_may_see_it(api: Slack) -> None:
    world = World(api, replace(SETTINGS, link_domain=HOST))
    world.api.tell("chat.unfurl", ok())
    _room(world, "U1")
    assert _shared(world, f"https://{HOST}/certificates/shop.moon.test") == [f"xoxb-{THERE}"]
    assert _shared(world, f"https://{HOST}/certificates/shop.sun.test") == [f"xoxb-{THERE}"]  # no more


def test_a_link_that_is_shared_elsewhere_shows_nothing_where_somebody_reads_who_may_not(api: Slack) -> None:
    world = World(api, replace(SETTINGS, link_domain=HOST))
    world.api.tell("chat.unfurl", ok())
    _room(world, "U1", "U2")  # U2 is linked to nothing
    assert _shared(world, f"https://{HOST}/certificates/shop.moon.test") == []


# --- when certdesk is sent away ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["account_inactive", "invalid_auth", "token_revoked"])
def test_what_a_lost_workspace_was_owed_falls_back_to_support_once_and_says_why(
    world: World, code: str
) -> None:
    world.api.refused[f"xoxb-{THERE}"] = code
    world.owe("alert:1", team=THERE)
    world.owe("note:1", team=THERE, thread="alert:1")
    world.owe("answer:1", team=THERE, user="U1", private=True)
    world.deliver()
    assert world.state() is WorkspaceState.REVOKED
    alert = world.row("alert:1")
    assert (alert.team, alert.channel, alert.origin) == ("", "C_SUPPORT", f"{THERE}/C1")
    assert alert.sent == alert.version
    posts = [body for name, body in world.api.calls if name == "chat.postMessage"]
    told = [body for body in posts if body["channel"] == "C_SUPPORT"]
    assert any("not installed any more" in str(body) and "is blocked" in str(body) for body in told)
    assert any("does not take certdesk's token" in str(body) for body in told)
    answer = world.row("answer:1")
    assert (answer.sent, answer.ts, answer.channel) == (1, None, "C1")  # nobody else's business: it is closed
    assert world.row("note:1").origin
    world.bench.now += timedelta(days=1)
    assert world.deliver() == []


def test_support_is_told_once_however_often_it_is_heard_of(world: World) -> None:
    event = {"type": "event_callback", "team_id": THERE, "event_id": "E1", "event_time": 2_000_000_000}
    world.hear({**event, "event": {"type": "tokens_revoked", "tokens": {"bot": ["UB"], "oauth": []}}})
    world.hear({**event, "event": {"type": "app_uninstalled"}})
    assert world.state() is WorkspaceState.REVOKED
    assert [method for method, _ in world.deliver()] == ["chat.postMessage"]


def test_who_installs_and_uninstalls_all_day_makes_two_messages_that_are_edited(world: World) -> None:
    def leaves() -> None:
        with world.storage.write() as tx:
            left = tx.workspaces.leave(THERE, WorkspaceState.UNINSTALLED, world.bench.now)
            assert left is not None
            workspaces.tell(tx, world.desk, left, world.bench.now)

    def comes() -> None:
        installed = world.install(THERE)
        with world.storage.write() as tx:
            workspaces.tell(tx, world.desk, installed, world.bench.now)

    calls: list[tuple[str, str]] = []
    for _ in range(30):
        for happens in (leaves, comes):
            happens()
            world.bench.now += timedelta(seconds=1)
            calls += world.deliver()
    world.bench.now += timedelta(minutes=2)
    calls += world.deliver()
    methods = [method for method, _ in calls]
    assert methods.count("chat.postMessage") == 2
    assert methods.count("chat.update") <= 2 * (30 * 7 // 60 + 2)
    assert "is installed in the workspace" in world.said()
    assert "came or went 60 times" in world.said()
    leaves()
    world.bench.now += timedelta(minutes=2)
    assert {method for method, _ in world.deliver()} == {"chat.update"}
    assert "was uninstalled from the workspace" in world.said()
    comes()
    world.bench.now += timedelta(days=1)
    world.deliver()
    leaves()
    assert [method for method, _ in world.deliver()] == ["chat.postMessage"]
    assert "came or went" not in world.said()


def test_the_news_of_a_workspace_that_is_not_known_any_more(world: World) -> None:
    owed = Message.in_channel("k", "workspace", "C1", {"team": "T9", "times": 1}, world.bench.now)
    assert "no longer knows this workspace" in compose(world.desk, owed).reply.title.plain()


def test_what_a_merchant_was_to_do_falls_back_with_its_steps(world: World) -> None:
    """An alert's steps for a channel of a workspace that is gone are told to support, as they were to be told there."""
    there = placed(THERE, "C1")
    world.link(Kind.WORKSPACE, THERE, "moon")
    world.link(Kind.CHANNEL, there, "moon")
    name = "shop.moon.test"
    dispatch(f"add {name}", SUPPORT, world.desk)
    found = finding("dns.not_hosted", name)
    row = world.bench.change(name, [found], state=State.BLOCKED, problem=found)
    trouble = alert("dns.not_hosted", name, owner=Owner.MERCHANT, lead=found)
    with world.storage.write() as tx:
        tx.alerts.add(trouble)
        tx.alerts.put_sighting(sighting(trouble, certificate=row.id, store="moon", name=name))
        merchants.put_alert(tx, trouble, "moon", world.bench.now)
        merchants.put_steps(tx, "moon", [(found.summary, ())], "req_1", world.bench.now)
    assert world.deliver() == [("chat.postMessage", f"xoxb-{THERE}")] * 2
    assert "Please do this" in world.said()
    with world.storage.write() as tx:
        tx.workspaces.leave(THERE, WorkspaceState.UNINSTALLED, world.bench.now)
        merchants.put_alert(tx, trouble, "moon", world.bench.now)
        merchants.put_steps(tx, "moon", [(found.summary, ())], "req_2", world.bench.now)
    before = len(world.api.calls)
    world.deliver()
    told = [str(body) for method, body in world.api.calls[before:] if method == "chat.postMessage"]
    assert len(told) == 2
    for one in told:
        assert "not installed any more" in one
        assert "Please do this" in one
        assert "not for this channel" not in one


def test_staff_of_the_enterprise_from_another_installed_workspace_count_where_they_asked(
    world: World,
) -> None:
    """Judged by the workspace of their own they would be nobody, and what they asked here could never be approved."""
    world.api.tell("auth.test", ok(team_id=HOME, enterprise_id="E1"))
    world.api.tell(
        "users.info", ok(user={"id": "U1", "team_id": THERE, "enterprise_user": {"enterprise_id": "E1"}})
    )
    here = world.type("help", team=HOME)
    assert (here.person, here.role) == (f"{THERE}/U1", Role.ADMIN)
    assert world.callers.known(here.person, "") == here
    assert world.callers.known(here.person, THERE).role is Role.NOBODY
    assert world.type("help", team=THERE).role is Role.NOBODY
    asked = Proposal(
        "p", "renew", {}, here.person, "admin", "C1", world.bench.now, world.bench.now, Decider.SECOND
    )
    assert asked.workspace == ""
    assert (
        replace(asked, channel=f"{THERE}/C1").workspace
        == replace(asked, channel=f"{THERE}/").workspace
        == THERE
    )


def test_an_uninstalled_workspace_is_called_no_more(world: World) -> None:
    event = {"type": "event_callback", "team_id": THERE, "event_id": "E1", "event_time": 2_000_000_000}
    world.hear({**event, "event": {"type": "app_uninstalled"}})
    assert world.state() is WorkspaceState.UNINSTALLED
    world.owe("alert:1", team=THERE)
    assert {token for _, token in world.deliver()} == {"xoxb-home"}
    assert world.row("alert:1").origin == f"{THERE}/C1"
    world.install(THERE)
    world.owe("alert:2", team=THERE)
    assert world.deliver() == [("chat.postMessage", f"xoxb-{THERE}")]


def test_late_words_and_other_tokens_change_nothing(world: World) -> None:
    old = {"type": "event_callback", "team_id": THERE, "event_id": "E1", "event_time": 1_000}
    world.hear({**old, "event": {"type": "app_uninstalled"}})
    now = {**old, "event_time": 2_000_000_000}
    world.hear({**now, "event": {"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}}})
    world.hear({**now, "team_id": HOME, "event": {"type": "app_uninstalled"}})
    assert world.state() is WorkspaceState.ACTIVE


def test_the_support_workspaces_own_trouble_makes_nothing_fall_anywhere(world: World) -> None:
    world.api.refused["xoxb-home"] = "invalid_auth"
    world.owe()
    world.deliver()
    row = world.row("alert:1")
    assert (row.sent, row.channel, row.origin) == (0, "C1", "")


# --- tokens that end --------------------------------------------------------------------------------------------------


def _rotates(world: World, team: str = THERE, hours: float = 12) -> Workspace:
    """Give the workspace tokens that end."""
    with world.storage.write() as tx:
        workspace = tx.workspaces.get(team)
        assert workspace is not None
        refresh = world.vault.seal(b"xoxe-1", workspace.refresh_binding)
        ends = world.bench.now + timedelta(hours=hours)
        assert tx.workspaces.renew(replace(workspace, sealed_refresh=refresh, expires_at=ends))
        rotating = tx.workspaces.get(team)
        assert rotating is not None
        return rotating


def _rotation(world: World) -> Rotation:
    granted = ok(access_token="xoxe.xoxb-2", refresh_token="xoxe-2", expires_in=43_200, team={"id": THERE})
    world.api.tell("oauth.v2.access", granted)
    return Rotation(world.settings, world.storage, world.vault, world.departures)


def test_a_token_is_renewed_before_it_ends_and_the_new_one_is_used(world: World) -> None:
    before, rotation = _rotates(world), _rotation(world)
    rotation.tick("worker", world.bench.now)
    assert world.api.asked("oauth.v2.access") == []  # it is good for long
    world.bench.now += timedelta(hours=12) - AHEAD + timedelta(seconds=1)
    rotation.tick("worker", world.bench.now)
    [asked] = world.api.asked("oauth.v2.access")
    assert (asked["grant_type"], asked["refresh_token"]) == ("refresh_token", "xoxe-1")
    with world.storage.read() as tx:
        after = tx.workspaces.get(THERE)
    assert after is not None
    assert after.sealed_refresh is not None
    assert after.generation == before.generation + 1
    assert after.expires_at == world.bench.now + timedelta(hours=12)
    assert world.vault.open(after.sealed_refresh, after.refresh_binding) == b"xoxe-2"
    world.owe(team=THERE)
    assert world.deliver() == [("chat.postMessage", "xoxe.xoxb-2")]
    rotation.tick("worker", world.bench.now)
    assert len(world.api.asked("oauth.v2.access")) == 1


def test_of_two_workers_one_renews(world: World) -> None:
    _rotates(world, hours=1)
    assert world.storage.lead("rotation", "another", world.bench.now, LEASE)
    _rotation(world).tick("worker", world.bench.now)
    assert world.api.asked("oauth.v2.access") == []
    world.bench.now += LEASE
    _rotation(world).tick("worker", world.bench.now)
    assert len(world.api.asked("oauth.v2.access")) == 1


def test_what_fails_for_a_while_is_tried_again_and_changes_nothing(world: World) -> None:
    before, rotation = _rotates(world, hours=1), _rotation(world)
    world.api.tell("oauth.v2.access", no("internal_error", 500))
    rotation.tick("worker", world.bench.now)
    rotation.tick("worker", world.bench.now)
    assert len(world.api.asked("oauth.v2.access")) == 1  # not at once
    world.bench.now += AGAIN[0]
    rotation.tick("worker", world.bench.now)
    assert len(world.api.asked("oauth.v2.access")) == 2
    with world.storage.read() as tx:
        assert tx.workspaces.get(THERE) == before
    assert world.deliver() == []


def test_a_refresh_token_that_is_good_no_more_is_the_end_and_support_is_told(world: World) -> None:
    _rotates(world, hours=1)
    rotation = _rotation(world)
    world.api.tell("oauth.v2.access", no("invalid_refresh_token"))
    world.api.refused[f"xoxb-{THERE}"] = "token_revoked"  # the present token is good no more either
    rotation.tick("worker", world.bench.now)
    assert world.state() is WorkspaceState.REVOKED
    assert world.deliver() == [("chat.postMessage", "xoxb-home")]
    assert "does not take certdesk's token" in world.said()
    rotation.tick("worker", world.bench.now)
    assert len(world.api.asked("oauth.v2.access")) == 1


def test_a_token_that_has_ended_waits_to_be_renewed_and_loses_nothing(world: World) -> None:
    _rotates(world, hours=-1)
    world.api.refused[f"xoxb-{THERE}"] = "token_expired"
    world.owe(team=THERE)
    world.deliver()
    assert world.state() is WorkspaceState.ACTIVE
    assert world.row("alert:1").sent == 0
    _rotation(world).tick("worker", world.bench.now)
    world.bench.now += LEASE
    assert ("chat.postMessage", "xoxe.xoxb-2") in world.deliver()


def test_while_the_present_token_works_nothing_falls_back_and_those_who_can_act_are_told_once(
    world: World,
) -> None:
    _rotates(world, hours=3)
    rotation = _rotation(world)
    world.api.tell("oauth.v2.access", no("invalid_refresh_token"))
    for _ in range(3):
        rotation.tick("worker", world.bench.now)
        world.bench.now += AGAIN[-1]
    assert ("auth.test", f"xoxb-{THERE}") in world.api.tokens
    assert world.state() is WorkspaceState.ACTIVE
    calls = world.deliver()
    assert calls.count(("chat.postMessage", "xoxb-home")) == 1
    assert calls.count(("chat.postMessage", f"xoxb-{THERE}")) == 1
    posted = [body for name, body in world.api.calls if name == "chat.postMessage"]
    to_installer, to_support = sorted(posted, key=lambda body: body["channel"] == "C_SUPPORT")
    for told in (to_support, to_installer):
        assert "https://certdesk.test/slack/install" in str(told)
    assert to_support["channel"] == "C_SUPPORT"
    assert "ends on" in str(to_support)
    assert world.api.asked("conversations.open") == [{"users": "U9"}]
    assert "install certdesk again" in str(to_installer)


def test_what_was_told_of_an_end_says_that_it_is_over(world: World) -> None:
    _rotates(world, hours=3)
    rotation = _rotation(world)
    world.api.tell("oauth.v2.access", no("invalid_refresh_token"), ok(access_token="xoxe.xoxb-2"))
    rotation.tick("worker", world.bench.now)
    world.deliver()
    world.bench.now += AGAIN[0]
    rotation.tick("worker", world.bench.now)  # it was not the end after all
    calls = world.deliver()
    assert ("chat.update", "xoxb-home") in calls
    assert ("chat.update", "xoxe.xoxb-2") in calls
    assert "nobody has to do anything" in world.said()


def test_when_the_token_ends_unrenewed_what_it_was_owed_falls_back(world: World) -> None:
    _rotates(world, hours=1)
    rotation = _rotation(world)
    world.api.tell("oauth.v2.access", no("invalid_refresh_token"))
    rotation.tick("worker", world.bench.now)
    world.deliver()
    world.owe(team=THERE)
    world.bench.now += timedelta(hours=1)
    rotation.tick("worker", world.bench.now)
    assert world.state() is WorkspaceState.REVOKED
    assert {token for _, token in world.deliver()} == {"xoxb-home"}
    assert world.row("alert:1").origin == f"{THERE}/C1"
    told = [str(body) for name, body in world.api.calls if name == "chat.update"]
    assert any("has ended" in one for one in told)


def test_a_pair_that_cannot_be_written_is_kept_and_written_next_time(world: World) -> None:
    before, rotation = _rotates(world, hours=1), _rotation(world)
    down = _Down(world.storage)
    rotation = Rotation(world.settings, cast("Storage", down), world.vault, world.departures)
    with pytest.raises(DatabaseUnavailableError):
        rotation.tick("worker", world.bench.now)
    down.down = False
    world.api.tell("oauth.v2.access", no("invalid_refresh_token"))  # the old one is used up
    rotation.tick("worker", world.bench.now)
    with world.storage.read() as tx:
        after = tx.workspaces.get(THERE)
    assert after is not None
    assert after.generation == before.generation + 1
    assert after.sealed_refresh is not None
    assert world.vault.open(after.sealed_refresh, after.refresh_binding) == b"xoxe-2"
    assert len(world.api.asked("oauth.v2.access")) == 1
    assert world.deliver() == []


class _Down:
    """A database that takes no writes while it is down."""

    def __init__(self, storage: Storage) -> None:
        self.storage, self.down = storage, True

    def write(self) -> AbstractContextManager[Transaction]:
        if self.down:
            raise DatabaseUnavailableError(say("The database does not answer."))
        return self.storage.write()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.storage, name)


def test_a_worker_that_was_overtaken_loses_nothing(world: World) -> None:
    """It asks with a refresh token that another one has used since, whose pair is written before Slack's no is read."""
    rotating = _rotates(world, hours=1)

    class Overtaken(Slack):
        def answer(self, handler: BaseHTTPRequestHandler, method: str) -> Answer:
            if method == "oauth.v2.access":
                with world.storage.write() as tx:
                    assert tx.workspaces.renew(
                        replace(rotating, expires_at=world.bench.now + timedelta(hours=12))
                    )
            return super().answer(handler, method)

    api = Overtaken()
    try:
        api.tell("oauth.v2.access", no("invalid_refresh_token"))
        settings = replace(world.settings, api_url=api.url)
        Rotation(settings, world.storage, world.vault, world.departures).tick("worker", world.bench.now)
    finally:
        api.stop()
    assert world.state() is WorkspaceState.ACTIVE
    assert world.deliver() == []


def test_places_are_written_so_that_they_can_be_read() -> None:
    for team, channel in (("", "C1"), ("T2", "C1"), ("T2", "")):
        assert place(placed(team, channel)) == (team, channel)


def test_a_home_tab_is_published_in_the_workspace_where_it_was_opened(world: World) -> None:
    world.link(Kind.WORKSPACE, THERE, "moon")
    world.link(Kind.PERSON, f"{THERE}/U1", "moon")
    world.api.tell("views.publish", ok(view={}))
    event = {"type": "app_home_opened", "user": "U1", "tab": "home"}
    body = {"type": "event_callback", "team_id": THERE, "event_id": "Ev1", "event": event}
    world.hear({**body, "authorizations": [{"team_id": THERE}]})
    with world.storage.write() as tx:
        [request] = tx.requests.claim(world.bench.now, LEASE, 9)
    requests.perform(world.desk, request, world.callers.caller(request))
    with world.storage.write() as tx:
        [owed] = tx.outbox.claim(world.bench.now, LEASE, 9, home.HOME)
    Homes(world.clients.posting, world.desk, world.callers.caller).deliver(owed)
    assert ("views.publish", f"xoxb-{THERE}") in world.api.tokens
    [published] = world.api.asked("views.publish")
    assert "moon" in str(published)
    assert "sun" not in str(published)


def test_a_home_tab_is_made_anew_when_its_workspaces_links_change(world: World) -> None:
    world.link(Kind.WORKSPACE, THERE, "moon")
    world.link(Kind.PERSON, f"{THERE}/U1", "moon")
    world.api.tell("views.publish", ok(view={}))
    homes = Homes(world.clients.posting, world.desk, world.callers.caller)

    def published() -> list[str]:
        before = len(world.api.asked("views.publish"))
        world.bench.now += timedelta(seconds=10)
        with world.storage.write() as tx:
            owed = tx.outbox.claim(world.bench.now, LEASE, 9, home.HOME)
        for one in owed:
            homes.deliver(one)
        return list(map(str, world.api.asked("views.publish")[before:]))

    home.show(world.desk, f"{THERE}/U1", team=THERE)
    dispatch("add shop.moon.test", SUPPORT, world.desk)
    assert "shop.moon.test" in published()[0]
    assert linking.unlink(world.desk, Kind.WORKSPACE, THERE, "moon")
    [after] = published()
    assert "moon" not in after
    world.link(Kind.WORKSPACE, THERE, "moon")
    [again] = published()
    assert "shop.moon.test" in again
