"""A workspace that others wrote, over signed HTTP and over Socket Mode: a command becomes a row, then a message that is edited in place."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from prometheus_client import CollectorRegistry
from slack_sdk.socket_mode.builtin.connection import Connection

from bot.demo.parts.errors import PartError
from bot.demo.parts.local_slack import LocalSlack
from bot.demo.parts.process import wait_until
from bot.slack.app import make_app
from bot.slack.canary import PATIENCE, Canary
from bot.slack.clients import asking_client, posting_client
from bot.slack.http import SlackDoor
from bot.slack.identity import Identity
from bot.slack.intake import Intake
from bot.slack.notifier import Notifier
from bot.slack.settings import SlackSettings
from bot.slack.signature import sign
from bot.slack.transport import SocketTransport
from bot.slack.workspaces import alone
from bot.web import Site, WebServer
from bot.web import make_app as make_web
from commands.caller import Role
from commands.reply import Button, Buttons, Composed, Mark, Menu, Plan, Reply, Tone
from commands.reply_json import reply_from_json
from services.model.clock import utc_now
from services.model.identity import new_id
from services.model.text import say
from services.ports import Message, Request
from storage.database import Database

SECRET = "local-signing-secret"
LEASE = timedelta(seconds=30)


class Desk:
    """Storage, intake and a worker of the test's own: each request is answered by one message that changes twice."""

    def __init__(self, folder: Path, slack: LocalSlack, mode: str) -> None:
        self.storage = Database.open(f"sqlite:///{folder}/certdesk.db")
        self.settings = SlackSettings(
            mode="socket" if mode == "socket" else "http",
            bot_token="xoxb-local",
            app_token="xapp-local",
            signing_secret=SECRET,
            api_url=slack.api_url,
            roles={Role.SUPPORT: (slack.first_user,)},
        )
        self.woken = 0
        self.events: list[Mapping[str, Any]] = []
        self.app = make_app(self.settings, Intake(self.storage, utc_now, self._wake), self.events.append)
        self.identity = Identity(asking_client(self.settings), self.settings, utc_now)
        self.notifier = Notifier(alone(posting_client(self.settings)), self.storage, compose, utc_now)

    def _wake(self) -> None:
        self.woken += 1

    def claim(self) -> list[Request]:
        with self.storage.write() as tx:
            return list(tx.requests.claim(utc_now(), LEASE, 10))

    def show(self, request: Request, step: str, *, private: bool = False) -> None:
        """Put the answer to ``request`` into the outbox, at this step, and let it be delivered."""
        now = utc_now()
        message = Message(
            new_id("msg"), f"request:{request.id}", "reply", request.channel, request.user,
            private=private, body={"name": request.text, "step": step}, created_at=now, run_after=now,
        )  # fmt: skip
        self.owe(message)

    def owe(self, *messages: Message) -> None:
        """Put messages into the outbox and deliver what is due, as the pump does: one after another."""
        with self.storage.write() as tx:
            for message in messages:
                tx.outbox.put(message)
        while True:
            with self.storage.write() as tx:
                claimed = tx.outbox.claim(utc_now(), LEASE, 1)
            if not claimed:
                return
            self.notifier.deliver(claimed[0])


ACTIONS = Buttons(
    (
        Button("alert.ack", "alr_1 7", say("Acknowledge"), "primary"),
        Button("alert.renew", "alr_1 7", say("Renew now"), "", say("Renew now?")),
        Menu("alert.snooze", say("Snooze …"), (("alr_1 7 1d", say("1 day")), ("alr_1 7 3d", say("3 days")))),
    )
)


def compose(message: Message) -> Composed:
    if message.kind == "alert":
        return Composed(Reply(Tone.WARN, say("DNS left the platform"), (ACTIONS,)), final=False)
    if message.kind == "alert_note":
        return Composed(Reply(Tone.BAD, say("It is urgent now")), final=True)
    if "step" not in message.body:
        return Composed(reply_from_json(message.body), final=True)
    step = message.body["step"]
    marks = (Mark.DONE, Mark.DONE) if step == "done" else (Mark.DONE, Mark.NOW)
    plan = Plan(message.body["name"], ((say("check"), marks[0]), (say("issue"), marks[1])))
    tone = Tone.GOOD if step == "done" else Tone.PROGRESS
    return Composed(Reply(tone, say("Certificate: {step}", step=step), (plan,)), step == "done")


@pytest.fixture
def web(tmp_path: Path, local_slack: LocalSlack) -> Iterator[tuple[Desk, str]]:
    """Give a desk behind the address that the workspace sends its signed requests to."""
    desk = Desk(tmp_path, local_slack, "http")
    url = urlsplit(local_slack.request_url or "")
    door = SlackDoor(desk.app, SECRET, utc_now)
    site = Site(lambda _token: None, b"key", list, CollectorRegistry(), door)
    with ExitStack() as stack:
        stack.callback(desk.storage.close)
        server = WebServer(make_web(site), str(url.hostname), int(url.port or 0))
        stack.callback(server.stop)
        server.start()
        yield desk, url.geturl()


@pytest.fixture
def socket_slack(tmp_path: Path) -> Iterator[LocalSlack]:
    with LocalSlack.start(tmp_path / "slack") as slack:
        yield slack


@pytest.fixture
def socket(tmp_path: Path, socket_slack: LocalSlack) -> Iterator[tuple[Desk, SocketTransport]]:
    desk = Desk(tmp_path, socket_slack, "socket")
    transport = SocketTransport(desk.app, desk.settings, utc_now)
    with ExitStack() as stack:
        stack.callback(desk.storage.close)
        stack.callback(transport.stop)
        transport.start()
        yield desk, transport


def _answered_in_place(desk: Desk, slack: LocalSlack, text: str) -> None:
    """Do the main job as far as Slack goes: command, row, message, edit."""
    slack.command(text)
    wait_until(lambda: desk.woken > 0, 10, "a row for the command")
    [request] = desk.claim()
    assert (request.team, request.user, request.channel) == ("T0MOON", slack.first_user, slack.first_channel)
    assert request.text == text
    assert desk.identity.caller(request).role is Role.SUPPORT
    desk.show(request, "under way")
    [first] = slack.messages()
    assert first["blocks"][0]["text"]["text"] == "⏳ Certificate: under way"
    desk.show(request, "done")
    [second] = slack.messages()
    assert second["ts"] == first["ts"]
    assert second["blocks"][0]["text"]["text"] == "✅ Certificate: done"
    assert "✓ issue" in second["blocks"][1]["text"]["text"]
    with desk.storage.write() as tx:
        tx.requests.finish(request, utc_now())
        assert tx.outbox.waiting() == 0


def test_over_http_a_command_is_answered_and_the_answer_is_edited_in_place(
    web: tuple[Desk, str], local_slack: LocalSlack
) -> None:
    _answered_in_place(web[0], local_slack, "add shop.moon.test")


def test_over_socket_mode_too(socket: tuple[Desk, SocketTransport], socket_slack: LocalSlack) -> None:
    desk, transport = socket
    wait_until(transport.connected, 10, "a connection")
    _answered_in_place(desk, socket_slack, "add payload.example.test")


def test_a_name_with_payload_in_it_arrives_over_http(web: tuple[Desk, str], local_slack: LocalSlack) -> None:
    local_slack.command("add payload.example.test")
    assert [request.text for request in web[0].claim()] == ["add payload.example.test"]


def test_a_private_answer_is_for_its_person_alone(web: tuple[Desk, str], local_slack: LocalSlack) -> None:
    local_slack.command("status")
    [request] = web[0].claim()
    web[0].show(request, "done", private=True)
    [message] = local_slack.messages()
    assert (message["subtype"], message["ephemeral_to"]) == ("ephemeral", local_slack.first_user)


def test_what_must_stay_private_and_goes_on_is_told_directly(
    web: tuple[Desk, str], local_slack: LocalSlack
) -> None:
    local_slack.command("add shop.moon.test")
    [request] = web[0].claim()
    web[0].show(request, "under way", private=True)
    [pointer] = local_slack.messages()
    assert (pointer["subtype"], pointer["ephemeral_to"]) == ("ephemeral", local_slack.first_user)
    assert "in a direct message" in pointer["text"]
    with web[0].storage.read() as tx:
        row = tx.outbox.by_key(f"request:{request.id}")
    assert row is not None
    direct = str(row.ts).partition("/")[0]
    web[0].show(request, "done", private=True)
    [message] = local_slack.messages(direct)
    assert message["blocks"][0]["text"]["text"] == "✅ Certificate: done"
    assert local_slack.messages() == [pointer]


def test_a_channel_without_us_leads_to_a_direct_message(
    web: tuple[Desk, str], local_slack: LocalSlack
) -> None:
    local_slack.command("add shop.moon.test")
    [request] = web[0].claim()
    web[0].show(replace(request, channel="C0NOWHERE"), "done")
    with web[0].storage.read() as tx:
        row = tx.outbox.by_key(f"request:{request.id}")
    assert row is not None
    [message] = local_slack.messages(str(row.ts).partition("/")[0])
    assert "/invite @certdesk" in str(message["blocks"])


def _alert(slack: LocalSlack, kind: str = "alert", thread: str = "") -> Message:
    now = utc_now()
    return Message(
        new_id("msg"), f"{kind}:1", kind, slack.first_channel, "", private=False, body={}, created_at=now,
        run_after=now, thread=thread,
    )  # fmt: skip


def _clicks(desk: Desk, slack: LocalSlack) -> None:
    """Post an alert with its actions and a note, then use a button and the menu."""
    desk.owe(_alert(slack), _alert(slack, "alert_note", thread="alert:1"))
    posted, note = slack.messages()
    assert note["thread_ts"] == posted["ts"]
    [actions] = [block for block in posted["blocks"] if block["type"] == "actions"]
    button, _, menu = actions["elements"]
    slack.interact(slack.first_channel, posted["ts"], button | {"block_id": actions.get("block_id", "b")})
    wait_until(lambda: desk.woken == 1, 10, "a row for the click")
    chosen = {"selected_option": menu["options"][1], "block_id": actions.get("block_id", "b")}
    slack.interact(slack.first_channel, posted["ts"], menu | chosen)
    wait_until(lambda: desk.woken == 2, 10, "a row for the choice")
    rows = sorted(desk.claim(), key=lambda row: row.text)
    assert [(row.kind, row.text) for row in rows] == [
        ("click", "alert.ack alr_1 7"),
        ("click", "alert.snooze alr_1 7 3d"),
    ]
    assert {(row.team, row.user, row.channel) for row in rows} == {
        ("T0MOON", slack.first_user, slack.first_channel)
    }
    assert desk.identity.caller(rows[0]).role is Role.SUPPORT


def test_over_http_a_click_arrives(web: tuple[Desk, str], local_slack: LocalSlack) -> None:
    _clicks(web[0], local_slack)


def test_over_socket_mode_a_click_arrives(
    socket: tuple[Desk, SocketTransport], socket_slack: LocalSlack
) -> None:
    desk, transport = socket
    wait_until(transport.connected, 10, "a connection")
    _clicks(desk, socket_slack)


def _body(trigger: str = "1.2.abc") -> bytes:
    fields = {"command": "/ssl", "text": "add a.test", "team_id": "T0MOON", "user_id": "U0AGENT"}
    return urlencode({**fields, "channel_id": "C0SUPPORT", "trigger_id": trigger}).encode()


def _post(
    url: str, body: bytes, age: int = 0, secret: str = SECRET, headers: dict[str, str] | None = None
) -> requests.Response:
    at = str(int(utc_now().timestamp()) - age)
    known: dict[str, Any] = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": sign(secret, at, body),
    }
    return requests.post(url, data=body, headers={**known, **(headers or {})}, timeout=10)


def test_a_forged_an_old_and_an_unsigned_request_get_401_and_leave_nothing(web: tuple[Desk, str]) -> None:
    desk, url = web
    answers = [
        _post(url, _body(), secret="guessed"),
        _post(url, _body(), age=301),
        _post(url, _body(), headers={"X-Slack-Signature": "v0=00"}),
        requests.post(url, data=_body(), timeout=10),
        requests.post(url, data=b'{"type": "url_verification", "challenge": "x"}', timeout=10),
    ]
    assert [(answer.status_code, answer.text) for answer in answers] == [(401, "")] * 5
    assert (desk.claim(), desk.woken) == ([], 0)


def test_a_request_that_is_sent_again_does_nothing_twice(web: tuple[Desk, str]) -> None:
    desk, url = web
    answers = [_post(url, _body(), headers={"X-Slack-Retry-Num": str(n)}) for n in range(3)]
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "")] * 3
    assert len(desk.claim()) == 1
    assert desk.woken == 1


def test_a_socket_that_broke_is_connected_again(
    socket: tuple[Desk, SocketTransport], socket_slack: LocalSlack
) -> None:
    desk, transport = socket
    wait_until(transport.connected, 10, "a connection")
    transport._client.disconnect()
    wait_until(lambda: not transport.connected(), 10, "the break")
    transport.check()
    wait_until(transport.connected, 10, "a new connection")
    socket_slack.command("status")
    wait_until(lambda: desk.woken == 1, 10, "a row")


def test_a_silent_socket_is_replaced(tmp_path: Path, socket_slack: LocalSlack) -> None:
    desk = Desk(tmp_path, socket_slack, "socket")
    now = [utc_now()]
    transport = SocketTransport(desk.app, desk.settings, lambda: now[0])
    with ExitStack() as stack:
        stack.callback(desk.storage.close)
        stack.callback(transport.stop)
        transport.start()
        wait_until(transport.connected, 10, "a connection")
        first = transport._client.session_id()
        transport.check()
        assert transport._client.session_id() == first
        now[0] += timedelta(hours=3)
        transport.check()
        assert transport._client.session_id() != first
        assert transport.connected()


def test_without_slack_the_transport_waits_for_it(tmp_path: Path, socket_slack: LocalSlack) -> None:
    desk = Desk(tmp_path, socket_slack, "socket")
    nowhere = replace(desk.settings, api_url="http://127.0.0.1:9/api/")
    transport = SocketTransport(desk.app, nowhere, utc_now)
    transport.start()
    transport.check()
    assert not transport.connected()
    transport.stop()
    transport.stop()
    transport.check()
    desk.storage.close()


def _react_until_heard(desk: Desk, slack: LocalSlack, ts: str) -> None:
    """Put a person's reaction on a message, as the workspace's page does, through its own WebSocket, until it is heard.

    The workspace may have sent the first one into the old connection. The page stays open meanwhile: a connection that
    is closed with something unread takes what was sent last along.
    """
    page = Connection(url=slack.page_url.replace("http", "ws") + "/ui", logger=logging.getLogger("page"))
    said = {"channel": slack.first_channel, "ts": ts, "user": slack.first_user, "name": "bird"}
    with closing(page):
        page.connect()
        for _ in range(20):
            for present in (False, True):
                page.send(json.dumps({"t": "reaction", "present": present, **said}))
            with suppress(PartError):
                wait_until(lambda: bool(desk.events), 1, "the event")
                return
    pytest.fail("no reaction was heard")


def test_the_canary_mends_a_deaf_connection_and_hears_again(
    socket: tuple[Desk, SocketTransport], socket_slack: LocalSlack
) -> None:
    """This workspace tells an app nothing of the app's own reactions: to the canary that is a deaf connection."""
    desk, transport = socket
    wait_until(transport.connected, 10, "a connection")
    first = transport._client.session_id()
    client = posting_client(desk.settings)
    canary = Canary(client, desk.storage, socket_slack.first_channel, transport.reconnect)
    begun = utc_now()
    canary.tick(begun)
    desk.owe()
    canary.tick(begun)
    [message] = socket_slack.messages()
    assert [one["name"] for one in message["reactions"]] == ["bird"]
    canary.tick(begun + PATIENCE)
    silent_since = canary.silent_since
    assert silent_since == begun
    assert transport._client.session_id() != first
    wait_until(transport.connected, 10, "a new connection")
    _react_until_heard(desk, socket_slack, message["ts"])
    canary.heard(desk.events[0])
    assert canary.silent_since is None
    canary.tick(begun + PATIENCE)
    [message] = socket_slack.messages()
    assert [one["users"] for one in message["reactions"]] == [[socket_slack.first_user]]


def test_a_connection_that_is_lost_is_known_since_when(tmp_path: Path, socket_slack: LocalSlack) -> None:
    desk = Desk(tmp_path, socket_slack, "socket")
    now = [utc_now()]
    nowhere = replace(desk.settings, api_url="http://127.0.0.1:9/api/")
    transport = SocketTransport(desk.app, nowhere, lambda: now[0])
    with closing(desk.storage):
        lost = now[0]
        transport.start()
        assert transport.deaf_since() == lost
        now[0] += timedelta(minutes=3)
        transport.check()
        assert transport.deaf_since() == lost
        transport.stop()


def test_a_connection_that_works_is_not_deaf(socket: tuple[Desk, SocketTransport]) -> None:
    transport = socket[1]
    wait_until(transport.connected, 10, "a connection")
    transport.check()
    assert transport.deaf_since() is None
