"""Whatever Slack answers meanwhile: nothing is lost, nothing is posted twice, and each channel keeps its order."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.clients import posting_client
from bot.slack.notifier import Notifier
from bot.slack.settings import SlackSettings
from bot.slack.workspaces import alone
from commands.reply import Composed, Reply, Tone
from services.model.text import say
from services.ports import Message
from storage.memory import MemoryStorage
from tests.unit.slack_world import Answer, FakeClock, SlackApi, no, ok

LEASE = timedelta(seconds=60)
TROUBLE: Mapping[str, Answer] = {
    "limited": no("ratelimited", 429, Retry_After="17"),
    "down": (503, {}, "no JSON"),
    "fatal": (500, {}, {"ok": False, "error": "fatal_error"}),
}


class Workspace(SlackApi):
    """Keeps what is posted, unless trouble is on: then each call takes the next trouble for its answer."""

    def __init__(self) -> None:
        super().__init__()
        self.forget()

    def forget(self) -> None:
        self.posted: list[dict[str, Any]] = []
        self.trouble: list[str] = []

    def respond(self, handler: BaseHTTPRequestHandler, method: str, body: str) -> None:
        if self.trouble:
            self.tell(method, TROUBLE[self.trouble.pop(0)])
        else:
            self.tell(method, self._done(method, json.loads(body)))
        super().respond(handler, method, body)

    def _done(self, method: str, said: dict[str, Any]) -> Answer:
        if method == "chat.postMessage":
            self.posted.append(said | {"ts": f"{len(self.posted) + 1}.0"})
            return ok(ts=self.posted[-1]["ts"], channel=said["channel"])
        [kept] = [one for one in self.posted if (one["channel"], one["ts"]) == (said["channel"], said["ts"])]
        kept["text"] = said["text"]
        return ok(ts=said["ts"], channel=said["channel"])


class Traffic:
    """An outbox, one worker thread's notifier, and a clock."""

    def __init__(self, workspace: Workspace) -> None:
        self.clock, self.storage, self.workspace = FakeClock(), MemoryStorage(), workspace
        client = posting_client(SlackSettings(api_url=workspace.url, bot_token="xoxb-1"))
        self.notifier = Notifier(alone(client), self.storage, _compose, self.clock)
        self.owed: dict[str, Message] = {}

    def put(self, key: str, channel: str, text: str, thread: str = "") -> None:
        self.clock.advance(seconds=0.01)
        now = self.clock()
        kind = "alert_note" if thread else "alert"
        message = Message(
            f"msg_{len(self.owed):05}", key, kind, channel, "", private=False, body={"text": text},
            created_at=now, run_after=now, thread=thread,
        )  # fmt: skip
        with self.storage.write() as tx:
            tx.outbox.put(message)
        self.owed.setdefault(key, message)

    def work(self) -> bool:
        """Deliver the next message that is due; False if none is."""
        with self.storage.write() as tx:
            claimed = tx.outbox.claim(self.clock(), LEASE, 1)
        for message in claimed:
            self.notifier.deliver(message)
        return bool(claimed)

    def drain(self) -> None:
        """Let time pass until nothing is owed, a day at most."""
        for _ in range(24 * 60 * 4):
            while self.work():
                self.clock.advance(seconds=0.01)
            with self.storage.read() as tx:
                if not tx.outbox.waiting():
                    return
            self.clock.advance(seconds=15)
        pytest.fail("something is owed for ever")


def _compose(message: Message) -> Composed:
    return Composed(Reply(Tone.WARN, say("{text}", text=str(message.body["text"]))), final=False)


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    api = Workspace()
    yield api
    api.stop()


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("alert"), st.sampled_from(("C1", "C2"))),
        st.tuples(st.just("note"), st.integers(0, 9)),
        st.tuples(st.just("edit"), st.integers(0, 9)),
        st.tuples(st.just("trouble"), st.sampled_from(sorted(TROUBLE))),
        st.tuples(st.just("work"), st.integers(1, 5)),
        st.tuples(st.just("wait"), st.integers(1, 40)),
    ),
    max_size=40,
)


def _play(traffic: Traffic, steps: list[tuple[str, Any]]) -> dict[str, str]:
    """Do the steps; the last text of each message."""
    alerts: list[tuple[str, str]] = []
    texts: dict[str, str] = {}
    for number, (what, value) in enumerate(steps):
        text = f"text {number}"
        if what == "alert":
            alerts.append((f"alert:{number}", value))
            traffic.put(*alerts[-1], text)
            texts[alerts[-1][0]] = text
        elif what == "note" and alerts:
            key, channel = alerts[value % len(alerts)]
            traffic.put(f"note:{number}", channel, text, thread=key)
            texts[f"note:{number}"] = text
        elif what == "edit" and alerts:
            key, channel = alerts[value % len(alerts)]
            traffic.put(key, channel, text)
            texts[key] = text
        elif what == "trouble":
            traffic.workspace.trouble.append(value)
        elif what == "work":
            for _ in range(value):
                traffic.work()
        elif what == "wait":
            traffic.clock.advance(seconds=value)
    return texts


@settings(max_examples=60)
@given(_steps)
def test_nothing_is_lost_nothing_is_doubled_and_order_is_kept(
    workspace: Workspace, steps: list[tuple[str, Any]]
) -> None:
    workspace.forget()
    traffic = Traffic(workspace)
    texts = _play(traffic, steps)
    traffic.drain()
    ids = [one["metadata"]["event_payload"]["id"] for one in workspace.posted]
    assert sorted(ids) == sorted(message.id for message in traffic.owed.values())
    by_id = {message.id: message for message in traffic.owed.values()}
    places = {by_id[id_].key: one for id_, one in zip(ids, workspace.posted, strict=True)}
    for key, text in texts.items():
        assert text in places[key]["text"]
        thread = traffic.owed[key].thread
        assert places[key].get("thread_ts") == (places[thread]["ts"] if thread else None)
        assert places[key]["channel"] == traffic.owed[key].channel
    for where in {(message.channel, message.thread) for message in by_id.values()}:
        told = [id_ for id_ in ids if (by_id[id_].channel, by_id[id_].thread) == where]
        assert told == sorted(told)


def test_after_a_pause_what_was_due_before_its_end_lines_up(workspace: Workspace) -> None:
    workspace.forget()
    traffic = Traffic(workspace)
    traffic.put("first", "C1", "first")
    workspace.trouble.append("limited")
    traffic.work()
    traffic.clock.advance(seconds=16)
    traffic.put(
        "second", "C1", "second"
    )  # due a second before the pause ends, and not claimed in that second
    traffic.clock.advance(seconds=5)
    traffic.drain()
    assert [one["text"] for one in workspace.posted] == ["⚠️ first", "⚠️ second"]


def test_edits_that_pile_up_are_one(workspace: Workspace) -> None:
    workspace.forget()
    workspace.calls.clear()
    traffic = Traffic(workspace)
    for number in range(400):
        traffic.put("alert", "C1", f"{number} certificates")
    traffic.drain()
    assert workspace.methods == ["chat.postMessage"]
    assert workspace.posted[0]["text"] == "⚠️ 399 certificates"
