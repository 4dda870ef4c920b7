"""What breaks one of Slack's limits is trimmed right before it leaves: never lost, never refused for ever, always logged."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from bot import metrics
from bot.slack.clients import posting_client
from bot.slack.limits import view_violations, violations
from bot.slack.live_views import LiveViews
from bot.slack.notifier import Notifier
from bot.slack.reader import Reader
from bot.slack.render import Rendered
from bot.slack.screens import SlackScreens
from bot.slack.settings import SlackSettings
from bot.slack.soundness import HOME, MESSAGE, MODAL, UNFURL, Soundness, without_files
from bot.slack.workspaces import alone
from commands.reply import Button, Buttons, Composed, Page, Paragraph, Reply, Sheet, Tone
from services.model.text import say
from services.ports import Message, Request
from storage.memory import MemoryStorage
from tests.desks import MOON, NOW, Bench
from tests.unit.commands_world import make_bench
from tests.unit.sheet_world import Screen, ask, rows
from tests.unit.slack_world import FakeClock, FakeStorage, SlackApi, no, ok
from tests.unit.test_home_delivery import Published

READER = Reader()
SECTION: dict[str, Any] = {"type": "section", "text": {"type": "mrkdwn", "text": "fine"}}
LONG: dict[str, Any] = {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}


def _no_buttons(text: str, blocks: Sequence[Any]) -> list[str]:
    """Return what a Slack would say that takes no buttons any more: a limit that the drawing does not know."""
    return ["no buttons"] * any(block["type"] == "actions" for block in blocks) + violations(text, blocks)


def _no_fields(view: Any) -> list[str]:
    return ["no fields"] * any(one["type"] == "input" for one in view["blocks"]) + view_violations(view)


@pytest.fixture
def api() -> Iterator[SlackApi]:
    api = SlackApi()
    api.tell("chat.postMessage", ok(ts="1.2", channel="C1"))
    for method in ("views.update", "views.open", "chat.unfurl"):
        api.tell(method, ok())
    yield api
    api.stop()


@pytest.fixture
def bench() -> Bench:
    return make_bench()


def client(api: SlackApi) -> Any:
    return alone(posting_client(SlackSettings(api_url=api.url, bot_token="xoxb-1")))


def types(view: Any) -> list[str]:
    return [block["type"] for block in view["blocks"]]


def test_what_is_sound_leaves_as_it_is() -> None:
    soundness = Soundness()
    rendered = Rendered("text", (SECTION,))
    view = {"type": "modal", "title": {"type": "plain_text", "text": "t"}, "blocks": [SECTION]}
    assert soundness.message(rendered, "m", READER) is rendered
    assert soundness.view(view, "m", READER) is view
    assert set(soundness.counts().values()) == {0}


def test_of_a_message_that_is_not_sound_the_rest_is_sent_with_an_id_that_is_in_the_log() -> None:
    soundness = Soundness()
    with capture_logs() as logs:
        sent = soundness.message(Rendered("text", (SECTION, LONG, SECTION)), "msg_1", READER)
    assert violations(sent.text, sent.blocks) == []
    assert types({"blocks": sent.blocks}) == ["section", "section", "context"]
    [line] = logs
    assert (line["event"], line["log_level"], line["row"]) == ("slack.unsound", "error", "msg_1")
    assert line["broken"] == ["block 1: header has 151 characters, 150 allowed"]
    assert line["error_id"] in sent.text
    assert line["error_id"] in str(sent.blocks)
    assert soundness.counts() == {MESSAGE: 1, MODAL: 0, HOME: 0, UNFURL: 0}


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("t", [LONG]),
        ("x" * 9000, [SECTION]),
        ("  ", [SECTION]),
        ("t", [SECTION] * 80),
        ("t", [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2900}}] * 9),
        ("t", [{**SECTION, "block_id": "b"}] * 3),
        ("t", [{"type": "marquee"}]),
        ("", []),
    ],
)
def test_whatever_a_message_breaks_what_is_sent_breaks_nothing(text: str, blocks: list[Any]) -> None:
    sent = Soundness().message(Rendered(text, tuple(blocks)), "m", READER)
    assert violations(sent.text, sent.blocks) == []
    assert "err_" in sent.text


@pytest.mark.parametrize(
    "changes",
    [
        {"blocks": [LONG]},
        {"blocks": [SECTION] * 130},
        {"blocks": [{"type": "input"}], "submit": None},
        {"title": {"type": "plain_text", "text": "x" * 30}},
        {"title": {"type": "plain_text", "text": " "}},
        {"private_metadata": "x" * 3001},
    ],
)
def test_whatever_a_view_breaks_what_is_shown_breaks_nothing(changes: dict[str, Any]) -> None:
    view = {"type": "modal", "title": {"type": "plain_text", "text": "t"}, "blocks": [SECTION], **changes}
    if "submit" in changes:
        label = {"type": "plain_text", "text": "l"}
        view["blocks"] = [{"type": "input", "label": label, "element": {"type": "plain_text_input"}}]
        del view["submit"]
    shown = Soundness().view(view, "m", READER)
    assert view_violations(shown) == []
    assert "err_" in str(shown["blocks"][-1])


def test_the_notifier_sends_what_is_sound_once_and_is_done(api: SlackApi) -> None:
    storage, soundness = FakeStorage(), Soundness(_no_buttons)
    buttons = Buttons((Button("home.show", "all", say("Show all")),))
    reply = Reply(Tone.GOOD, say("It is done"), (Paragraph(say("Well done.")), buttons))
    notifier = Notifier(
        client(api), storage.port, lambda _m: Composed(reply, final=True), FakeClock(), soundness=soundness
    )
    message = Message("m", "m", "reply", "C1", "U1", private=False, body={}, created_at=NOW, version=1)
    storage.outbox.put(message)
    notifier.deliver(message)
    [posted] = api.asked("chat.postMessage")
    assert types(posted) == ["header", "section", "context"]
    assert (storage.outbox.rows["m"].ts, storage.outbox.rows["m"].failures) == ("1.2", 0)
    assert soundness.counts()[MESSAGE] == 1


def test_what_slack_alone_finds_unsound_goes_as_text_and_is_counted(api: SlackApi) -> None:
    storage, soundness = FakeStorage(), Soundness()
    api.tell("chat.postMessage", no("invalid_blocks"), ok(ts="1.2", channel="C1"))
    reply = Reply(Tone.GOOD, say("It is done"))
    notifier = Notifier(
        client(api), storage.port, lambda _m: Composed(reply, final=True), FakeClock(), soundness=soundness
    )
    message = Message("m", "m", "reply", "C1", "U1", private=False, body={}, created_at=NOW, version=1)
    storage.outbox.put(message)
    with capture_logs() as logs:
        notifier.deliver(message)
    assert [one["blocks"] for one in api.asked("chat.postMessage")][1] == []
    assert (storage.outbox.rows["m"].ts, storage.outbox.rows["m"].failures) == ("1.2", 0)
    assert soundness.counts()[MESSAGE] == 1
    assert [line["broken"] for line in logs if line["event"] == "slack.unsound"] == [["invalid_blocks"]]


def test_a_live_modal_shows_what_is_sound(api: SlackApi, bench: Bench) -> None:
    ask(bench, MOON, Screen(), text="add")
    soundness = Soundness(view_rules=_no_fields)
    views = LiveViews(client(api), bench.desk, soundness=soundness)
    [row] = rows(bench)
    views.deliver(row)
    [shown] = api.asked("views.update")
    assert "input" not in types(shown["view"])
    assert "err_" in str(shown["view"]["blocks"][-1])
    assert soundness.counts()[MODAL] == 1


def test_a_live_modal_that_slack_refuses_says_so_instead_of_standing_still(
    api: SlackApi, bench: Bench
) -> None:
    api.tell("views.update", no("invalid_blocks"), no("invalid_blocks"), ok())
    ask(bench, MOON, Screen(), text="add")
    soundness = Soundness()
    views = LiveViews(client(api), bench.desk, soundness=soundness)
    [row] = rows(bench)
    views.deliver(row)
    last = api.asked("views.update")[-1]["view"]
    assert (types(last), "submit" in last, soundness.counts()[MODAL]) == (["section"], False, 1)


def request(**fields: Any) -> Request:
    return Request("r1", "once", "T1", "U1", "C1", "add", NOW, trigger="1.2", **fields)


def test_a_modal_that_is_opened_shows_what_is_sound(api: SlackApi) -> None:
    soundness = Soundness(view_rules=_no_fields)
    screens = SlackScreens(client(api), soundness=soundness)
    buttons = Buttons((Button("home.show", "all", say("Show all")),))
    sheet = Sheet("note", say("x" * 40), (buttons,))
    assert screens.sheet(request(), sheet)
    assert soundness.counts()[MODAL] == 0  # the drawing cuts a title by itself
    assert types(api.asked("views.open")[0]["view"]) == ["actions"]


def test_a_modal_that_slack_refuses_is_counted_and_the_message_takes_its_place(api: SlackApi) -> None:
    api.tell("views.open", no("invalid_arguments"))
    soundness = Soundness()
    shown = SlackScreens(client(api), soundness=soundness).sheet(request(), Sheet("note", say("x"), ()))
    assert (shown, soundness.counts()[MODAL]) == (False, 1)


def test_where_the_app_may_not_read_files_the_modal_opens_without_the_field(
    api: SlackApi, bench: Bench
) -> None:
    api.tell("views.open", no("invalid_arguments"), ok())
    soundness, screen = Soundness(), Screen()
    ask(bench, MOON, screen, text="add")
    assert SlackScreens(client(api), soundness=soundness).sheet(request(), screen.sheets[0])
    first, second = (types(one["view"]) for one in api.asked("views.open"))
    assert first.count("input") == second.count("input") + 1
    assert soundness.counts()[MODAL] == 0
    api.tell("views.update", no("invalid_arguments"), ok())
    [row] = rows(bench)
    LiveViews(client(api), bench.desk, soundness=soundness).deliver(row)
    assert "file_input" not in str(api.asked("views.update")[-1])


def test_an_unfurl_shows_what_is_sound(api: SlackApi) -> None:
    soundness = Soundness(_no_buttons)
    reply = Reply(Tone.GOOD, say("It is done"), (Buttons((Button("home.show", "all", say("All")),)),))
    assert SlackScreens(client(api), soundness=soundness).unfurl(request(), {"https://x.test/c/1": reply})
    assert "actions" not in str(api.asked("chat.unfurl")[0])
    assert soundness.counts()[UNFURL] == 1


def test_a_home_tab_shows_what_is_sound_and_is_not_tried_for_ever(api: SlackApi) -> None:
    world = Published(api, soundness=(soundness := Soundness(view_rules=_no_fields)))
    world.add("shop.moon.test")
    world.opened()
    assert "input" not in types(world.views[-1])
    api.tell("views.publish", no("invalid_blocks"), ok(view={}))
    world.opened()
    assert world.row().failures == 0
    assert soundness.counts()[HOME] >= 1
    assert SlackScreens(client(api), soundness=soundness).page(request(), Page(()))


def test_fields_for_files_can_be_left_out() -> None:
    field = {"type": "input", "element": {"type": "file_input"}}
    assert without_files({"blocks": [SECTION]}) is None
    assert without_files({"blocks": [SECTION, field]}) == {"blocks": [SECTION]}


def test_the_counts_are_a_metric() -> None:
    soundness = Soundness()
    soundness.fault(HOME, "row", ["line"])
    registry = metrics.registry(MemoryStorage(), {}, FakeClock(), soundness.counts)
    text = generate_latest(registry).decode()
    assert 'certdesk_slack_unsound_total{kind="home"} 1.0' in text
    assert 'certdesk_slack_unsound_total{kind="message"} 0.0' in text
