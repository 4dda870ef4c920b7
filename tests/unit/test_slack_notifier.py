"""A message is posted once and then edited in place; whatever Slack answers, it is not lost."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.slack.clients import posting_client
from bot.slack.delivery import OFTEN, SELDOM, SOON, THEN, Then
from bot.slack.notifier import Notifier
from bot.slack.settings import SlackSettings
from bot.slack.workspaces import alone
from commands.reply import Composed, Paragraph, Reply, Tone
from services.model.errors import CertdeskError
from services.model.text import say
from services.ports import Message
from tests.unit.slack_world import NOW, Answer, FakeClock, FakeStorage, SlackApi, no, ok

REPLY = Reply(Tone.GOOD, say("Certificate for {name} is installed", name="shop.moon.test"))


class World:
    """One message on its way to a Slack that answers as it is told."""

    def __init__(self, api: SlackApi) -> None:
        self.api, self.clock, self.storage = api, FakeClock(), FakeStorage()
        self.composed: Callable[[Message], Composed] = lambda _message: Composed(REPLY, final=True)
        self.notifier = self.another()
        for method in ("chat.postMessage", "chat.update"):
            api.tell(method, ok(ts="1700000000.000100", channel="C1"))
        api.tell("chat.postEphemeral", ok(message_ts="1700000000.000200"))
        api.tell("conversations.open", ok(channel={"id": "D1"}))

    def another(self, url: str = "") -> Notifier:
        client = posting_client(SlackSettings(api_url=url or self.api.url, bot_token="xoxb-1"))
        return Notifier(alone(client), self.storage.port, self._compose, self.clock)

    def _compose(self, message: Message) -> Composed:
        return self.composed(message)

    def deliver(self, key: str = "m", **fields: Any) -> Message:
        """Let one more change of the message be delivered; the row after it."""
        row = self.storage.outbox.rows.get(key) or Message(
            f"msg_{key}", key, "reply", "C1", "U1", private=False, body={}, created_at=self.clock(), version=0
        )
        row = replace(row, version=row.version + 1, **fields)
        self.storage.outbox.put(row)
        self.notifier.deliver(row)
        return self.storage.outbox.rows[key]

    def waits(self, row: Message) -> timedelta:
        assert row.run_after is not None
        assert row.sent < row.version
        return row.run_after - self.clock()


@pytest.fixture
def world() -> Iterator[World]:
    api = SlackApi()
    yield World(api)
    api.stop()


def test_it_is_posted_once_and_then_edited_in_place(world: World) -> None:
    world.composed = lambda message: Composed(REPLY, final=message.version == 2)
    row = world.deliver()
    assert (row.ts, row.sent, world.storage.outbox.finals["m"]) == ("1700000000.000100", 1, False)
    row = world.deliver()
    assert (row.ts, row.sent, world.storage.outbox.finals["m"]) == ("1700000000.000100", 2, True)
    assert world.api.methods == ["chat.postMessage", "chat.update"]
    [posted], [edited] = world.api.asked("chat.postMessage"), world.api.asked("chat.update")
    assert posted["channel"] == edited["channel"] == "C1"
    assert posted["text"] == "✅ Certificate for `shop.moon.test` is installed"
    assert posted["blocks"][0]["type"] == "header"
    assert posted["metadata"]["event_payload"] == {"id": "msg_m"}
    assert (posted["unfurl_links"], edited["ts"], edited["parse"]) == (False, "1700000000.000100", "none")


def test_what_is_quiet_is_done_without_a_word_to_slack(world: World) -> None:
    world.composed = lambda _message: Composed(REPLY, final=True, quiet=True)
    row = world.deliver()
    assert (world.api.methods, row.ts, row.sent) == ([], "", 1)
    world.composed = lambda message: Composed(REPLY, final=False, quiet=message.version == 3)
    world.deliver()
    row = world.deliver()
    assert (world.api.methods, row.ts, row.sent) == (["chat.postMessage"], "1700000000.000100", 3)


def test_what_is_private_and_finished_is_ephemeral(world: World) -> None:
    row = world.deliver(private=True)
    assert (world.api.methods, row.sent) == (["chat.postEphemeral"], 1)
    assert world.api.asked("chat.postEphemeral")[0]["user"] == "U1"
    world.deliver()
    assert world.api.methods == ["chat.postEphemeral"] * 2


def test_a_reply_may_be_private_though_its_message_is_not(world: World) -> None:
    world.composed = lambda _message: Composed(replace(REPLY, private=True), final=True)
    world.deliver()
    assert world.api.methods == ["chat.postEphemeral"]


def test_what_is_private_and_goes_on_changing_stands_in_direct_messages(world: World) -> None:
    world.composed = lambda message: Composed(REPLY, final=message.version == 2)
    row = world.deliver(private=True)
    assert row.ts == "D1/1700000000.000100"
    assert world.api.methods == ["conversations.open", "chat.postMessage", "chat.postEphemeral"]
    world.deliver()
    assert world.api.methods[3:] == ["chat.update"]
    assert world.api.asked("chat.update")[0]["channel"] == "D1"
    assert "invite" not in str(world.api.calls)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (
            "progress",
            "certdesk answers you in a direct message, which shows how things go on",
        ),
        (
            "approval",
            "certdesk asks you in a direct message: nothing is done before the question there is answered",
        ),
    ],
)
def test_where_it_was_asked_one_line_says_that_it_goes_on_in_direct_messages(
    world: World, kind: str, told: str
) -> None:
    world.composed = lambda _message: Composed(REPLY, final=False)
    world.deliver(private=True, kind=kind)
    [line] = world.api.asked("chat.postEphemeral")
    assert (line["channel"], line["user"], told in line["text"]) == ("C1", "U1", True)


def test_a_channel_that_takes_no_such_line_is_no_failure(world: World) -> None:
    world.api.tell("chat.postEphemeral", no("not_in_channel"))
    world.composed = lambda _message: Composed(REPLY, final=False)
    row = world.deliver(private=True)
    assert (row.ts, row.sent, row.failures) == ("D1/1700000000.000100", 1, 0)
    assert world.api.methods == ["conversations.open", "chat.postMessage", "chat.postEphemeral"]


@pytest.mark.parametrize("channel", ["", "D7"])
def test_of_what_was_asked_in_no_channel_nothing_is_said_elsewhere(world: World, channel: str) -> None:
    world.composed = lambda _message: Composed(REPLY, final=False)
    world.deliver(private=True, channel=channel)
    assert "chat.postEphemeral" not in world.api.methods


def test_direct_messages_are_private_as_they_are(world: World) -> None:
    row = world.deliver(private=True, channel="D7")
    assert (world.api.methods, row.ts) == (["chat.postMessage"], "1700000000.000100")
    world.deliver()
    assert world.api.methods == ["chat.postMessage", "chat.update"]


@pytest.mark.parametrize("error", ["not_in_channel", "channel_not_found", "is_archived", "restricted_action"])
def test_where_certdesk_may_not_write_the_person_is_told_directly(world: World, error: str) -> None:
    world.api.tell("chat.postMessage", no(error), ok(ts="1.2", channel="D1"))
    row = world.deliver()
    assert world.api.methods == ["chat.postMessage", "conversations.open", "chat.postMessage"]
    assert world.api.asked("conversations.open")[0]["users"] == "U1"
    assert world.api.asked("chat.postMessage")[1]["channel"] == "D1"
    assert "/invite @certdesk" in world.api.asked("chat.postMessage")[1]["text"]
    assert (row.ts, row.sent) == ("D1/1.2", 1)
    world.deliver()  # the edits follow it there
    assert world.api.asked("chat.update")[0]["channel"] == "D1"


def test_an_ephemeral_answer_finds_its_person_too(world: World) -> None:
    world.api.tell("chat.postEphemeral", no("not_in_channel"))
    assert world.deliver(private=True).ts == "D1/1700000000.000100"


@pytest.mark.parametrize("error", ["message_not_found", "cant_update_message", "edit_window_closed"])
def test_what_cannot_be_edited_is_posted_anew(world: World, error: str) -> None:
    world.deliver()
    world.api.tell("chat.update", no(error))
    world.api.tell("chat.postMessage", ok(ts="9.9", channel="C1"))
    row = world.deliver()
    assert world.api.methods == ["chat.postMessage", "chat.update", "chat.postMessage"]
    assert (row.ts, row.sent) == ("9.9", 2)


@pytest.mark.parametrize("error", ["msg_too_long", "invalid_blocks", "msg_blocks_too_long"])
def test_blocks_that_are_refused_leave_the_text(world: World, error: str) -> None:
    world.api.tell("chat.postMessage", no(error), ok(ts="1.2", channel="C1"))
    assert world.deliver().sent == 1
    blocks = [call["blocks"] for call in world.api.asked("chat.postMessage")]
    assert blocks[0]
    assert blocks[1] == []


def test_a_rate_limit_is_kept_and_pauses_its_channel_alone(world: World) -> None:
    world.api.tell("chat.postMessage", no("ratelimited", 429, Retry_After="17"), ok(ts="1.2"))
    row = world.deliver("first")
    assert world.waits(row) == timedelta(seconds=17)
    assert row.error == "Slack: ratelimited"
    world.clock.advance(seconds=5)
    assert world.waits(world.deliver("second")) == timedelta(seconds=12)  # behind the first one
    assert len(world.api.calls) == 1
    assert world.deliver("elsewhere", channel="C2").sent == 1
    world.clock.advance(seconds=12)
    assert world.deliver("second").sent == 2


@pytest.mark.parametrize("failure", [(503, {}, "no JSON"), (500, {}, {"ok": False, "error": "fatal_error"})])
def test_an_outage_backs_off_and_pauses_everything(world: World, failure: Answer) -> None:
    world.api.tell("chat.postMessage", failure)
    for step in (*SOON, SOON[-1]):
        row = world.deliver()
        assert world.waits(row) == step
        assert row.error.startswith("Slack: ")
        assert world.waits(world.deliver("other", channel="C2")) == step
        world.clock.advance(seconds=step.total_seconds())
    world.api.tell("chat.postMessage", ok(ts="1.2"))
    assert world.deliver().sent == len(SOON) + 2


def test_no_connection_backs_off(world: World) -> None:
    world.notifier = world.another("http://127.0.0.1:9/api/")
    row = world.deliver()
    assert world.waits(row) == SOON[0]
    assert row.error == "Slack: URLError"


@pytest.mark.parametrize("error", ["invalid_auth", "missing_scope", "token_revoked"])
def test_a_bad_token_waits_for_its_operator(world: World, error: str) -> None:
    world.api.tell("chat.postMessage", no(error))
    row = world.deliver()
    assert (world.waits(row), row.error) == (SELDOM[0], f"Slack: {error}")
    world.deliver("other", channel="C2")
    assert len(world.api.calls) == 1


def test_who_cannot_be_reached_at_all_is_not_forgotten_and_holds_up_nobody(world: World) -> None:
    world.api.tell("chat.postMessage", no("channel_not_found"))
    world.api.tell("conversations.open", no("cannot_dm_bot"))
    row = world.deliver()
    assert (world.waits(row), row.error) == (SELDOM[0], "Slack: cannot_dm_bot")
    world.api.tell("chat.postMessage", ok(ts="1.2"))
    assert world.deliver("other").sent == 1


def test_a_way_is_tried_once(world: World) -> None:
    world.api.tell("chat.postMessage", no("channel_not_found"))
    row = world.deliver()
    assert world.api.methods == ["chat.postMessage", "conversations.open", "chat.postMessage"]
    assert world.waits(row) == SELDOM[0]


def test_an_unknown_error_is_tried_again(world: World) -> None:
    world.api.tell("chat.postMessage", no("something_new"))
    row = world.deliver()
    assert (world.waits(row), row.error) == (SOON[0], "Slack: something_new")


def test_what_cannot_be_composed_waits(world: World) -> None:
    def unknown(_message: Message) -> Composed:
        raise CertdeskError(say("There is no way to compose {kind}.", kind="x"))

    world.composed = unknown
    row = world.deliver()
    assert (world.waits(row), row.error) == (SELDOM[0], "There is no way to compose x.")
    assert world.api.calls == []


@pytest.mark.parametrize("answer", [ok(ts="1.2"), no("fatal_error")])
def test_a_message_that_another_worker_took_is_left_to_it(world: World, answer: Answer) -> None:
    world.api.tell("chat.postMessage", answer)
    world.storage.outbox.stolen.add("m")
    row = world.deliver()
    assert (row.sent, row.failures) == (0, 0)


def test_the_text_is_that_of_the_moment(world: World) -> None:
    world.composed = lambda message: Composed(
        replace(REPLY, parts=(Paragraph(say("Version {n}.", n=message.version)),)), final=False
    )
    world.deliver()
    world.deliver()
    assert world.api.asked("chat.update")[0]["text"].endswith("Version 2.")


def test_each_code_has_one_answer() -> None:
    assert THEN["not_in_channel"] is Then.DIRECT
    assert set(THEN.values()) == set(Then) - {Then.LATER}


def test_a_note_stands_in_the_thread_of_its_message(world: World) -> None:
    world.deliver("alert", user="")
    row = world.deliver("note", user="", thread="alert")
    _, posted = world.api.asked("chat.postMessage")
    assert (posted["channel"], posted["thread_ts"]) == ("C1", "1700000000.000100")
    assert "thread_ts" not in world.api.asked("chat.postMessage")[0]
    assert row.sent == 1
    world.api.tell("chat.postMessage", no("fatal_error"))
    world.deliver("note", user="", thread="alert")  # its edits are as any other's
    assert world.api.methods[-1] == "chat.update"


def test_a_note_waits_until_its_message_is_posted(world: World) -> None:
    world.api.tell("chat.postMessage", no("something_new"), ok(ts="5.5", channel="C1"))
    alert = world.deliver("alert", user="")
    row = world.deliver("note", user="", thread="alert", run_after=world.clock())
    assert world.waits(row) == world.waits(alert) == SOON[0]
    assert row.error == "Slack: something_new"
    assert len(world.api.calls) == 1
    world.clock.advance(seconds=5)
    world.deliver("alert")
    world.deliver("note", run_after=row.run_after)
    assert world.api.asked("chat.postMessage")[-1]["thread_ts"] == "5.5"


def test_a_later_note_does_not_overtake_one_that_waits(world: World) -> None:
    world.deliver("first", user="", thread="alert", run_after=world.clock())
    world.clock.advance(seconds=0.5)
    begun = world.clock()
    world.deliver("alert", user="")
    later = world.deliver("second", user="", thread="alert", run_after=begun)
    assert world.waits(later) == timedelta(seconds=0.5)  # as the first one does
    assert len(world.api.calls) == 1


def test_a_note_follows_its_message_to_direct_messages(world: World) -> None:
    world.api.tell("chat.postMessage", no("not_in_channel"), ok(ts="1.2"), ok(ts="1.3"))
    assert world.deliver("alert").ts == "D1/1.2"
    assert world.deliver("note", thread="alert").ts == "D1/1.3"
    posted = world.api.asked("chat.postMessage")[-1]
    assert (posted["channel"], posted["thread_ts"]) == ("D1", "1.2")
    assert "/invite" not in str(posted)


def test_a_note_stands_below_a_message_that_was_posted_anew(world: World) -> None:
    world.deliver("alert", user="")
    world.api.tell("chat.update", no("message_not_found"))
    world.api.tell("chat.postMessage", ok(ts="9.9", channel="C1"))
    world.deliver("alert")
    world.deliver("note", user="", thread="alert")
    assert world.api.asked("chat.postMessage")[-1]["thread_ts"] == "9.9"


def test_a_note_of_a_message_that_never_was_is_told_in_the_channel_after_a_while(world: World) -> None:
    row = world.deliver("note", user="", thread="alert")
    assert (world.waits(row), world.api.calls) == (timedelta(seconds=1), [])
    world.clock.advance(minutes=10)
    assert world.deliver("note").sent == 2
    assert "thread_ts" not in world.api.asked("chat.postMessage")[0]


@pytest.mark.parametrize("error", ["cannot_reply_to_message", "thread_not_found", "message_not_found"])
def test_where_a_thread_takes_nothing_the_channel_is_told(world: World, error: str) -> None:
    world.deliver("alert", user="")
    world.api.tell("chat.postMessage", no(error), ok(ts="2.2"))
    assert world.deliver("note", user="", thread="alert").ts == "2.2"
    assert "thread_ts" not in world.api.asked("chat.postMessage")[-1]


def test_what_is_for_nobody_in_particular_is_tried_often_until_the_channel_takes_it(world: World) -> None:
    world.api.tell("chat.postMessage", no("not_in_channel"))
    for step in (*OFTEN, OFTEN[-1]):
        assert world.waits(world.deliver("alert", user="")) == step
        world.clock.advance(seconds=step.total_seconds())
    assert "conversations.open" not in world.api.methods
    assert world.deliver("other", channel="C2", user="").failures == 1  # tried by itself: nothing is paused
    assert world.api.asked("chat.postMessage")[-1]["channel"] == "C2"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (no("ratelimited", 429, Retry_After="400"), "Slack took no more messages at that rate."),
        ((503, {}, "down"), "Slack could not be reached."),
        (no("not_in_channel"), "Slack did not take it (`not_in_channel`)."),
    ],
)
def test_a_delay_is_said_with_its_reason(world: World, answer: Answer, said: str) -> None:
    world.api.tell("chat.postMessage", answer)
    world.deliver(user="")
    world.clock.advance(minutes=9)
    world.api.tell("chat.postMessage", ok(ts="1.2"))
    world.deliver()
    posted = world.api.asked("chat.postMessage")[-1]
    assert posted["text"].splitlines()[-1].startswith("Delayed by 9 minutes: Slack ")
    assert posted["blocks"][-1]["elements"][0]["text"] == f"Delayed by 9 minutes: {said}"
    world.deliver()  # the edit is of now
    assert "Delayed" not in str(world.api.asked("chat.update"))


def test_what_waited_behind_a_pause_says_so_too(world: World) -> None:
    world.api.tell("chat.postMessage", no("ratelimited", 429, Retry_After="400"), ok(ts="1.2"))
    world.deliver("first")
    world.deliver("second")
    world.clock.advance(minutes=7)
    world.deliver("second")
    assert "Delayed by 7 minutes: Slack took no more" in world.api.asked("chat.postMessage")[-1]["text"]


def test_a_short_delay_and_one_of_our_own_are_not_slacks(world: World) -> None:
    world.api.tell("chat.postMessage", no("ratelimited", 429, Retry_After="20"), ok(ts="1.2"))
    world.deliver("short")
    world.clock.advance(minutes=4)
    world.deliver("short")
    world.deliver("ours", created_at=NOW - timedelta(hours=3))
    assert "Delayed" not in str(world.api.calls)


def test_a_note_that_somebody_deleted_is_posted_anew_in_its_thread(world: World) -> None:
    world.deliver("alert", user="")
    world.deliver("note", user="", thread="alert")
    world.api.tell("chat.update", no("message_not_found"))
    world.deliver("note")
    assert world.api.methods[-2:] == ["chat.update", "chat.postMessage"]
    assert world.api.asked("chat.postMessage")[-1]["thread_ts"] == "1700000000.000100"
