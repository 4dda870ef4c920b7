"""An answer with files goes with them in one message; where Slack takes no files its words go all the same."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from commands.attachment import Attachment
from commands.reply import Composed, Hint, Reply, Tone
from services.model.text import say
from tests.unit.slack_world import SlackApi, no, ok
from tests.unit.test_slack_notifier import World

EMPTY = {"needs_somebody": 0, "under_way": 0, "well": 2}
FACTS: dict[str, Any] = {
    "at": "2027-02-10T14:03:00Z",
    "expired": EMPTY,
    "weeks": [{"begins": "2027-02-10T14:03:00Z"} | EMPTY],
    "later": EMPTY,
    "past": [{"begins": "2027-02-03T14:03:00Z", "installed": 1, "failed": 0}],
    "blockers": [],
}
REPLY = Reply(Tone.GOOD, say("Report"), (Hint(say("A hint")), Attachment("report.csv", FACTS)))
ASK, SHARE = "files.getUploadURLExternal", "files.completeUploadExternal"


@pytest.fixture
def world() -> Iterator[World]:
    api = SlackApi()
    made = World(api)
    api.tell(ASK, ok(upload_url=f"{api.url}upload", file_id="F1"))
    api.tell("upload", ok())
    api.tell(SHARE, ok(files=[{"id": "F1"}]))
    made.composed = lambda _message: Composed(REPLY, final=True)
    yield made
    api.stop()


def test_words_and_files_are_one_message(world: World) -> None:
    row = world.deliver()
    assert world.api.methods == [ASK, "upload", SHARE]
    [asked], [shared] = world.api.asked(ASK), world.api.asked(SHARE)
    assert (asked["filename"], shared["channel_id"], row.sent) == ("report.csv", "C1", 1)
    assert [block["type"] for block in json.loads(shared["blocks"])] == ["header", "context"]
    assert "initial_comment" not in shared
    assert json.loads(shared["files"]) == [{"id": "F1", "title": "Figures of the report"}]


def test_what_is_private_goes_into_the_direct_messages(world: World) -> None:
    """No file can be shown to one person alone in a channel."""
    row = world.deliver(private=True)
    assert world.api.methods == ["conversations.open", ASK, "upload", SHARE, "chat.postEphemeral"]
    assert (world.api.asked(SHARE)[0]["channel_id"], row.sent) == ("D1", 1)
    [line] = world.api.asked("chat.postEphemeral")
    assert (line["channel"], line["user"]) == ("C1", "U1")
    assert "in a direct message: Slack shows no file to one person alone" in line["text"]


def test_where_certdesk_may_not_write_it_goes_to_the_person(world: World) -> None:
    world.api.tell(SHARE, no("not_in_channel"), ok(files=[{"id": "F1"}]))
    assert world.deliver().sent == 1
    assert [one["channel_id"] for one in world.api.asked(SHARE)] == ["C1", "D1"]


@pytest.mark.parametrize("error", ["missing_scope", "file_uploads_disabled", "storage_limit_reached"])
def test_where_slack_takes_no_files_the_words_go_and_say_what_to_do(world: World, error: str) -> None:
    world.api.tell(ASK, no(error))
    row = world.deliver()
    assert (world.api.methods, row.sent) == ([ASK, "chat.postMessage"], 1)
    [posted] = world.api.asked("chat.postMessage")
    assert "files:write" in str(posted["blocks"])
    assert "--files FOLDER" in str(posted["blocks"])


def test_blocks_that_are_refused_go_as_text_with_the_files(world: World) -> None:
    world.api.tell(SHARE, no("invalid_blocks"), ok(files=[{"id": "F1"}]))
    assert world.deliver().sent == 1
    again = world.api.asked(SHARE)[1]
    assert again["initial_comment"].startswith("✅ Report")
    assert "blocks" not in again


@pytest.mark.parametrize("method", [ASK, "upload", SHARE])
def test_an_outage_puts_it_off_and_loses_nothing(world: World, method: str) -> None:
    world.api.tell(method, no("internal_error", 503))
    row = world.deliver()
    assert row.sent == 0
    assert world.waits(row).total_seconds() == 5
    assert "chat.postMessage" not in world.api.methods
