"""What Slack sends becomes one row and an acknowledgement; what Slack did not send leaves nothing but a log line."""

import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from slack_bolt import BoltRequest, BoltResponse
from structlog.testing import capture_logs
from werkzeug.datastructures import Headers

from bot.demo.parts.process import wait_until
from bot.slack.app import FORM, make_app
from bot.slack.http import SlackDoor
from bot.slack.intake import Intake
from bot.slack.payloads import sender
from bot.slack.settings import SlackSettings
from bot.slack.signature import Refusal, refusal, sign
from services.ports import Storage
from tests.unit.slack_world import FakeClock, FakeStorage

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SETTINGS = SlackSettings(mode="http", bot_token="xoxb-secret", signing_secret=SECRET)


class Front:
    """The door with Bolt behind it, and a way to knock as Slack does."""

    def __init__(self, settings: SlackSettings = SETTINGS) -> None:
        self.clock, self.storage, self.woken = FakeClock(), FakeStorage(), 0
        self.app = make_app(settings, Intake(self.storage.port, self.clock, self._wake))
        self.door = SlackDoor(self.app, settings.signing_secret, self.clock)

    def _wake(self) -> None:
        self.woken += 1

    def knock(
        self, body: bytes, *, secret: str = SECRET, age: int = 0, headers: Mapping[str, str] | None = None
    ) -> BoltResponse:
        at = str(int(self.clock().timestamp()) - age)
        signed = {
            "Content-Type": FORM,
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": sign(secret, at, body),
        }
        return self.door.answer(body, Headers({**signed, **(headers or {})}))

    @property
    def rows(self) -> list[Any]:
        return list(self.storage.requests.rows.values())


def form(text: str, **more: str) -> bytes:
    fields = {
        "token": "t",
        "team_id": "T0MOON",
        "channel_id": "C0SUPPORT",
        "user_id": "U0AGENT",
        "command": "/ssl",
        "text": text,
        "trigger_id": "13345224609.738474920.8088930838d88f008e0",
        "api_app_id": "A0",
    }
    return urlencode({**fields, **more}).encode()


def test_a_command_becomes_one_row_and_an_empty_acknowledgement() -> None:
    front = Front()
    answer = front.knock(form("add shop.moon.test"))
    assert (answer.status, answer.body) == (200, "")
    [row] = front.rows
    assert (row.team, row.user, row.channel, row.text) == (
        "T0MOON",
        "U0AGENT",
        "C0SUPPORT",
        "add shop.moon.test",
    )
    assert row.dedupe == "13345224609.738474920.8088930838d88f008e0"
    assert row.created_at == front.clock()
    assert row.id.startswith("req_")
    assert front.woken == 1


def test_the_same_trigger_again_changes_nothing() -> None:
    front = Front()
    front.knock(form("add shop.moon.test"))
    again = front.knock(form("add shop.moon.test"), headers={"X-Slack-Retry-Num": "1"})
    assert (again.status, len(front.rows), front.woken) == (200, 1, 1)


@pytest.mark.parametrize("text", ["add payload.example.test", "payload", "a=b&payload=c", "{payload}", ""])
def test_the_word_payload_does_not_empty_the_body(text: str) -> None:
    front = Front()
    assert front.knock(form(text)).status == 200
    assert [row.text for row in front.rows] == [text]


def test_other_commands_are_not_ours() -> None:
    front = Front()
    assert front.knock(form("x", command="/other")).status == 404
    assert front.rows == []


def test_the_command_may_be_called_otherwise() -> None:
    front = Front(SlackSettings(mode="http", bot_token="x", signing_secret=SECRET, command="/tls"))
    assert front.knock(form("x", command="/tls")).status == 200
    assert len(front.rows) == 1


@pytest.mark.parametrize("text", ["nul\x00byte", "\ud83d half"])
def test_what_a_database_would_refuse_is_taken_out(text: str) -> None:
    front = Front()
    body = json.loads(json.dumps({"command": "/ssl", "text": text, "team_id": "T", "user_id": "U"}))
    body |= {"channel_id": "C", "trigger_id": "1"}
    assert front.app.dispatch(BoltRequest(mode="socket_mode", body=body)).status == 200
    [row] = front.rows
    assert "\x00" not in row.text
    row.text.encode()


def test_a_forged_signature_is_refused_and_leaves_no_trace() -> None:
    front = Front()
    answer = front.knock(form("add shop.moon.test"), secret="another")
    assert (answer.status, answer.body, front.rows, front.woken) == (401, "", [], 0)


@pytest.mark.parametrize("age", [301, -301, 86400])
def test_an_old_request_is_refused(age: int) -> None:
    front = Front()
    assert front.knock(form("add shop.moon.test"), age=age).status == 401
    assert front.rows == []


@pytest.mark.parametrize("age", [299, -299])
def test_a_request_of_the_last_minutes_is_taken(age: int) -> None:
    assert Front().knock(form("add shop.moon.test"), age=age).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0=ü"},
        {"X-Slack-Request-Timestamp": "now"},
        {"X-Slack-Request-Timestamp": "²"},
        {"X-Slack-Request-Timestamp": "1" * 400},
        {"X-Slack-Request-Timestamp": "-5"},
    ],
)
def test_a_signature_that_is_none_is_refused(headers: dict[str, str]) -> None:
    front = Front()
    assert front.knock(form("add shop.moon.test"), headers=headers).status == 401
    assert front.rows == []


def test_nothing_is_parsed_before_it_is_verified() -> None:
    front = Front()
    assert (
        front.knock(b'{"broken', secret="another", headers={"Content-Type": "application/json"}).status == 401
    )
    assert front.knock(b"ssl_check=1&token=t", secret="another").status == 401
    assert front.knock(b"\xff\xfe", secret="another").status == 401


def test_signed_nonsense_is_refused_without_harm() -> None:
    front = Front()
    assert front.knock(b'{"broken', headers={"Content-Type": "application/json"}).status == 400
    assert front.knock(b"\xff\xfe=1").status == 404
    assert front.knock(b"ssl_check=1&token=t").status == 200
    assert front.rows == []


def test_unsigned_headers_do_not_steer_bolt() -> None:
    front = Front()
    answer = front.knock(form("status"), headers={"X-Slack-Bolt-Lazy-Only": "1"})
    assert answer.status == 200
    assert len(front.rows) == 1


def test_without_a_secret_nothing_is_genuine() -> None:
    clock = FakeClock()
    at = str(int(clock().timestamp()))
    assert refusal("", at, sign("", at, b""), b"", clock()) is Refusal.UNSIGNED


def test_the_signature_is_that_of_slacks_documentation() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    assert sign(SECRET, "1531420618", body) == (
        "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    )


def test_a_failure_is_told_with_an_id_that_the_log_has_too() -> None:
    front = Front()
    front.storage.fail_with = OSError("database is on fire")
    with capture_logs() as logs:
        answer = front.knock(form("add shop.moon.test"))
    said = json.loads(answer.body)
    assert answer.status == 200
    assert said["response_type"] == "ephemeral"
    assert "on fire" not in said["text"]
    error_id = said["text"].rpartition("error id ")[2].rstrip(".")
    assert len(error_id) == 8
    assert [entry["error_id"] for entry in logs if entry["event"] == "slack.request_failed"] == [error_id]
    assert (front.rows, front.woken) == ([], 0)


def test_secrets_stay_out_of_repr_and_log() -> None:
    front = Front()
    front.storage.fail_with = OSError("no")
    with capture_logs() as logs:
        front.knock(form("add shop.moon.test"))
        front.knock(form("add shop.moon.test"), secret="another")
    assert len(logs) == 2
    shown = f"{logs} {SETTINGS!r}"
    assert "xoxb-secret" not in shown
    assert SECRET not in shown


def test_the_person_of_a_button_is_named_with_their_own_team() -> None:
    body = {"team": {"id": "THOST"}, "user": {"id": "U9", "team_id": "TGUEST"}}
    assert sender(body) == ("TGUEST", "U9")
    assert sender({"team_id": "T1", "user_id": "U1", "user_name": "ana"}) == ("T1", "U1")


def _commands(count: int) -> list[dict[str, str]]:
    flat = {"command": "/ssl", "team_id": "T", "user_id": "U", "channel_id": "C"}
    return [flat | {"text": f"add n{number}.test", "trigger_id": str(number)} for number in range(count)]


class Slow:
    """A storage whose first transaction waits until the test lets it go on."""

    def __init__(self) -> None:
        self.inner, self.entered, self.go_on = FakeStorage(), threading.Event(), threading.Event()
        self.transactions, self.poison = 0, ""

    @contextmanager
    def write(self) -> Iterator[FakeStorage]:
        self.transactions += 1
        if self.transactions == 1:
            self.entered.set()
            assert self.go_on.wait(10)
        before = dict(self.inner.requests.rows)
        with self.inner.write() as storage:
            yield storage
        if self.poison in self.inner.requests.rows:
            self.inner.requests.rows = before
            raise OSError("refused")


def _together(slow: Slow, bodies: list[dict[str, str]]) -> tuple[list[bool | OSError], int]:
    """Take the first command in, and while it is being written all others; what became of each, and the wake-ups."""
    woken: list[None] = []
    intake = Intake(cast("Storage", slow), FakeClock(), lambda: woken.append(None))

    def take(body: dict[str, str]) -> bool | OSError:
        try:
            return intake.take(body)
        except OSError as error:
            return error

    with ThreadPoolExecutor(len(bodies)) as pool:
        first = pool.submit(take, bodies[0])
        assert slow.entered.wait(10)
        others = [pool.submit(take, body) for body in bodies[1:]]
        wait_until(lambda: len(intake._line) == len(others), 10, "the line")
        slow.go_on.set()
        return [done.result(10) for done in (first, *others)], len(woken)


def test_commands_that_arrive_together_share_a_transaction() -> None:
    slow = Slow()
    outcomes, woken = _together(slow, _commands(12))
    assert outcomes == [True] * 12
    assert len(slow.inner.requests.rows) == 12
    assert (slow.transactions, woken) == (2, 2)


def test_the_same_command_twice_at_once_is_one_row() -> None:
    slow = Slow()
    outcomes, _ = _together(slow, [*_commands(2), *_commands(2)])
    assert sorted(outcomes, key=str) == [False, False, True, True]
    assert len(slow.inner.requests.rows) == 2


def test_one_bad_row_costs_its_neighbours_nothing_but_time() -> None:
    slow = Slow()
    slow.poison = "3"
    outcomes, _ = _together(slow, _commands(6))
    failed = [number for number, outcome in enumerate(outcomes) if outcome is not True]
    assert set(slow.inner.requests.rows) == {str(number) for number in range(6) if number not in failed}
    assert 3 in failed
    assert (
        len(failed) <= 2
    )  # the bad one, and the one that led its batch: both were told that nothing was written


def test_after_a_failure_the_next_command_is_taken() -> None:
    storage = FakeStorage()
    intake = Intake(storage.port, FakeClock(), lambda: None)
    one, two = _commands(2)
    storage.fail_with = OSError("down")
    with pytest.raises(OSError, match="down"):
        intake.take(one)
    storage.fail_with = None
    assert intake.take(two)
    assert intake.take(one)


def click(**changes: Any) -> dict[str, Any]:
    """Return what Slack sends for a click by a person of another workspace in a shared channel, with changes to it."""
    body: dict[str, Any] = {
        "type": "block_actions",
        "user": {"id": "U9", "username": "ines", "team_id": "TGUEST"},
        "team": {"id": "THOST", "domain": "moon"},
        "api_app_id": "A0",
        "token": "t",
        "container": {
            "type": "message",
            "message_ts": "1.2",
            "channel_id": "C0ALERTS",
            "is_ephemeral": False,
        },
        "trigger_id": "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3",
        "channel": {"id": "C0ALERTS", "name": "alerts"},
        "message": {"ts": "1.2", "text": "payload"},
        "actions": [
            {
                "type": "button",
                "action_id": "alert.ack",
                "block_id": "b",
                "value": "alr_1 7",
                "action_ts": "3.4",
            }
        ],
    }
    return body | changes


def knocked(front: Front, body: Mapping[str, Any]) -> BoltResponse:
    return front.knock(urlencode({"payload": json.dumps(body)}).encode())


MENU = {
    "type": "static_select",
    "action_id": "alert.snooze",
    "selected_option": {"text": {"type": "plain_text", "text": "1 day"}, "value": "alr_1 7 1d"},
}


def test_a_click_becomes_one_row_of_its_own_kind() -> None:
    front = Front()
    answer = knocked(front, click())
    assert (answer.status, answer.body, front.woken) == (200, "", 1)
    [row] = front.rows
    assert (row.kind, row.text, row.dedupe) == ("click", "alert.ack alr_1 7", click()["trigger_id"])
    assert (row.team, row.user, row.channel) == ("TGUEST", "U9", "C0ALERTS")
    assert knocked(front, click()).status == 200
    assert (len(front.rows), front.woken) == (1, 1)


def test_a_command_is_of_the_other_kind() -> None:
    front = Front()
    front.knock(form("status"))
    assert [row.kind for row in front.rows] == ["command"]


def test_over_socket_mode_a_click_is_the_same() -> None:
    front = Front()
    assert front.app.dispatch(BoltRequest(mode="socket_mode", body=click())).status == 200
    assert [row.text for row in front.rows] == ["alert.ack alr_1 7"]


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (MENU, "alert.snooze alr_1 7 1d"),
        (MENU | {"type": "overflow"}, "alert.snooze alr_1 7 1d"),
        (
            {"type": "button", "action_id": "certificate.retry:2", "value": "cert_1"},
            "certificate.retry cert_1",
        ),
    ],
)
def test_what_was_chosen_is_the_value(action: dict[str, Any], text: str) -> None:
    front = Front()
    knocked(front, click(actions=[action]))
    assert [row.text for row in front.rows] == [text]


def test_where_only_the_container_names_the_channel_it_is_that_one() -> None:
    front = Front()
    body = click()
    del body["channel"]
    knocked(front, body)
    assert [row.channel for row in front.rows] == ["C0ALERTS"]


@pytest.mark.parametrize(
    "body",
    [
        click(actions=[{"type": "button", "action_id": "somebody.elses", "value": "x"}]),
        click(actions=[{"type": "button", "action_id": "alert.ack; drop", "value": "x"}]),
        click(actions=[{"type": "button", "action_id": "alert.ack:x", "value": "x"}]),
        click(actions=[{"type": "button", "action_id": "alert.ack"}]),
        click(actions=[{"type": "button", "action_id": "alert.ack", "value": ""}]),
        click(actions=[{"type": "button", "action_id": "alert.ack", "value": "v" * 151}]),
        click(actions=[{"type": "button", "action_id": "alert.ack", "value": ["x"]}]),
        click(actions=[MENU | {"selected_option": None}]),
        click(channel=None, container={"type": "view"}),
        click(user={"team_id": "T"}),
    ],
)
def test_a_click_on_nothing_of_ours_is_acknowledged_and_logged(body: dict[str, Any]) -> None:
    front = Front()
    with capture_logs() as logs:
        answer = knocked(front, body)
    assert (answer.status, front.rows, front.woken) == (200, [], 0)
    assert [entry["event"] for entry in logs] == ["slack.ignored"]


@pytest.mark.parametrize("actions", [[], None, "x", [None], {}])
def test_a_click_without_an_action_does_no_harm(actions: Any) -> None:
    front = Front()
    with capture_logs() as logs:
        assert knocked(front, click(actions=actions)).status == 200
    assert front.rows == []
    assert [entry["event"] for entry in logs] == ["slack.ignored"]


def test_a_click_that_cannot_be_written_is_apologised_for() -> None:
    front = Front()
    front.storage.fail_with = OSError("down")
    with capture_logs() as logs:
        answer = knocked(front, click())
    assert "nothing was changed" in str(answer.body)
    assert "slack.request_failed" in [entry["event"] for entry in logs]
