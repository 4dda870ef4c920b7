"""Open modals follow what they are about: shown by handle, worked on meanwhile, ended when they are closed, never lost."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from slack_bolt import BoltRequest

from bot.slack.clients import posting_client
from bot.slack.live_views import ACKNOWLEDGED, LiveViews
from bot.slack.render_views import modal
from bot.slack.screens import SlackScreens
from bot.slack.sent_off import taken_in
from bot.slack.settings import SlackSettings
from bot.slack.workspaces import alone
from bot.text.language import language
from commands import live, messages, picking
from commands.reply import Outcome, Reply, Sheet, Tone
from commands.screens import handle
from commands.sheets import WAITING
from services.model.lifecycle import State
from services.model.text import say
from services.ports import Message, Request
from tests.desks import MOON, Bench, finding
from tests.unit.commands_world import make_bench
from tests.unit.sheet_world import Screen, ask, rows, send
from tests.unit.slack_world import SlackApi, no, ok
from tests.unit.test_slack_intake import Front
from tests.unit.test_slack_views import VIEW, click, submission

GONE = no("not_found")


@pytest.fixture
def bench() -> Bench:
    return make_bench()


@pytest.fixture
def slack() -> Iterator[SlackApi]:
    api = SlackApi()
    api.tell("views.update", ok())
    api.tell("views.open", ok())
    yield api
    api.stop()


@pytest.fixture
def views(bench: Bench, slack: SlackApi) -> LiveViews:
    return LiveViews(alone(posting_client(SlackSettings(bot_token="xoxb", api_url=slack.url))), bench.desk)


def deliver(bench: Bench, views: LiveViews) -> int:
    """Do what the pump does until nothing is due; return how many rows were delivered."""
    done = 0
    while claimed := claim(bench):
        for row in claimed:
            views.deliver(row)
            done += 1
    return done


def claim(bench: Bench) -> list[Message]:
    with bench.storage.write() as tx:
        return list(tx.outbox.claim(bench.now, timedelta(minutes=1), 10, live.VIA))


def left(bench: Bench) -> list[Message]:
    with bench.storage.write() as tx:
        return list(tx.outbox.claim(bench.now, timedelta(minutes=1), 10))


def title(call: dict[str, Any]) -> str:
    return str(call["view"]["blocks"][0]["text"]["text"])


def test_a_modal_shows_each_step_of_the_work_until_it_is_done(
    bench: Bench, slack: SlackApi, views: LiveViews
) -> None:
    row = send(bench, MOON, "add", picking.memory("moon"), names=["shop.moon.test"])
    assert deliver(bench, views) == 1
    bench.change("shop.moon.test", state=State.ORDERING)
    assert deliver(bench, views) == 1
    bench.install("shop.moon.test")
    assert deliver(bench, views) == 1
    bench.change("shop.moon.test", state=State.INSTALLED)
    assert deliver(bench, views) == 0  # nothing changes it any more
    calls = slack.asked("views.update")
    assert {call["external_id"] for call in calls} == {row.channel}
    assert {call["view"]["external_id"] for call in calls} == {row.channel}
    assert [title(call)[:10] for call in calls] == ["⏳ Getting ", "⏳ Getting ", "✅ Certific"]


def test_names_are_checked_between_two_looks_of_the_modal(
    bench: Bench, slack: SlackApi, views: LiveViews
) -> None:
    bench.checker.says["www.moon.test"] = (finding("dns.not_hosted", "www.moon.test"),)
    ask(bench, MOON, Screen(), text="add")
    assert deliver(bench, views) == 2
    before, after = slack.asked("views.update")
    assert "Being checked now" in str(before)
    assert "cannot get one yet" in str(after)
    assert [one for one in after["view"]["blocks"] if one["type"] == "input"] == [
        one for one in before["view"]["blocks"] if one["type"] == "input"
    ]


def test_a_modal_that_slack_does_not_know_yet_is_looked_for_again(
    bench: Bench, slack: SlackApi, views: LiveViews
) -> None:
    slack.tell("views.update", GONE, ok())
    send(bench, MOON, "add", picking.memory("moon"), names=["shop.moon.test"])
    assert deliver(bench, views) == 1
    assert rows(bench) == []
    bench.now += timedelta(seconds=1)
    assert deliver(bench, views) == 1
    assert left(bench) == []


def test_a_modal_that_was_closed_ends_and_the_work_is_told_by_direct_message(
    bench: Bench, slack: SlackApi, views: LiveViews
) -> None:
    slack.tell("views.update", ok(), GONE)
    send(bench, MOON, "add", picking.memory("moon"), names=["shop.moon.test"])
    deliver(bench, views)
    bench.change("shop.moon.test", state=State.ORDERING)
    assert deliver(bench, views) == 1
    [message] = left(bench)
    assert (message.kind, message.channel, message.user, message.private) == (
        messages.PROGRESS,
        "",
        "U1",
        True,
    )
    assert message.follows == (bench.certificate("shop.moon.test").id,)
    bench.install("shop.moon.test")
    assert deliver(bench, views) == 0
    assert "is installed" in messages.compose(bench.desk, message).reply.title.plain()


def test_what_was_never_seen_is_told_by_direct_message(
    bench: Bench, slack: SlackApi, views: LiveViews
) -> None:
    slack.tell("views.update", GONE)
    send(bench, MOON, "link", store="sun")
    deliver(bench, views)
    assert left(bench) == []
    bench.now += ACKNOWLEDGED + timedelta(seconds=1)
    deliver(bench, views)
    [message] = left(bench)
    assert (message.kind, message.channel) == (messages.REPLY, "")
    assert deliver(bench, views) == 0


def test_a_form_that_was_closed_is_not_told_of(bench: Bench, slack: SlackApi, views: LiveViews) -> None:
    slack.tell("views.update", GONE)
    ask(bench, MOON, Screen(), text="add")
    send(bench, MOON, "renew", typed="shop.moon.test")
    bench.now += ACKNOWLEDGED + timedelta(seconds=1)
    deliver(bench, views)
    assert left(bench) == []
    assert rows(bench) == []


@pytest.mark.parametrize("answer", [no("ratelimited", 429, retry_after="7"), no("fatal_error", 500)])
def test_slack_that_does_not_answer_is_asked_later(
    bench: Bench, slack: SlackApi, views: LiveViews, answer: Any
) -> None:
    slack.tell("views.update", answer, ok())
    send(bench, MOON, "add", picking.memory("moon"), names=["shop.moon.test"])
    deliver(bench, views)
    assert rows(bench) == []
    bench.now += timedelta(seconds=8)
    assert deliver(bench, views) == 1
    assert len(slack.asked("views.update")) == 2


def test_a_view_that_slack_refuses_becomes_a_message(bench: Bench, slack: SlackApi, views: LiveViews) -> None:
    slack.tell("views.update", no("invalid_arguments"))
    send(bench, MOON, "add", picking.memory("moon"), names=["shop.moon.test"])
    deliver(bench, views)
    assert [message.kind for message in left(bench)] == [messages.PROGRESS]


def test_a_worker_that_ends_leaves_the_rest_of_the_names_to_another(
    bench: Bench, slack: SlackApi, views: LiveViews
) -> None:
    bench.store("moon", *(f"n{number}.moon.test" for number in range(9)))
    ask(bench, MOON, Screen(), text="add")
    [row] = claim(bench)
    views.deliver(row)
    [lost] = claim(bench)  # and with it its worker
    assert lost.id == row.id
    bench.now += timedelta(minutes=2)
    other = LiveViews(alone(posting_client(SlackSettings(bot_token="xoxb", api_url=slack.url))), bench.desk)
    deliver(bench, other)
    assert len(bench.checker.asked) == len(set(bench.checker.asked)) == 11
    assert "Being checked now" not in str(slack.asked("views.update")[-1])


def test_a_row_that_another_worker_has_is_left_to_it(bench: Bench, views: LiveViews) -> None:
    send(bench, MOON, "add", picking.memory("moon"), names=["shop.moon.test"])
    [mine] = claim(bench)
    bench.now += timedelta(minutes=2)
    [theirs] = claim(bench)
    views.deliver(mine)
    views.deliver(theirs)
    assert claim(bench) == []


def test_a_kind_of_a_later_version_waits(bench: Bench, views: LiveViews, slack: SlackApi) -> None:
    row = live.row(request(), "h", Outcome(Reply(Tone.INFO, say("Done"))), bench.now)
    with bench.storage.write() as tx:
        tx.outbox.put(replace(row, kind="sheet_of_tomorrow"))
    assert deliver(bench, views) == 1
    assert slack.calls == []


# --- the acknowledgement ---------------------------------------------------------------------------------------------


def request(**changes: Any) -> Request:
    given: dict[str, Any] = {
        "id": "req_1",
        "dedupe": "d",
        "team": "T1",
        "user": "U1",
        "channel": "C1",
        "text": "add",
        "created_at": make_bench().now,
    }
    return Request(**(given | changes))


def test_the_modal_waits_under_the_handle_by_which_the_answer_finds_it() -> None:
    front = Front()
    answer = front.app.dispatch(BoltRequest(mode="socket_mode", body=submission()))
    [row] = front.rows
    said = taken_in(submission())
    assert said["response_action"] == "update"
    assert said["view"]["external_id"] == handle(row)
    assert WAITING.title.plain() in str(answer.body)
    again = front.app.dispatch(BoltRequest(mode="socket_mode", body=submission()))
    assert (again.body, len(front.rows)) == (answer.body, 1)


def test_what_is_wrong_with_the_fields_is_told_at_once_and_not_written_down() -> None:
    front = Front()
    typed = {"typed": {"typed": {"type": "plain_text_input", "value": "not a name"}}}
    body = submission(view={**VIEW, "state": {"values": typed}})
    answer = front.app.dispatch(BoltRequest(mode="socket_mode", body=body))
    assert '"response_action": "errors"' in str(answer.body)
    assert "“not” is a single label" in taken_in(body)["errors"]["typed"]
    assert front.rows == []


def test_what_is_wrong_is_told_in_the_language_in_which_the_modal_is_shown() -> None:
    """Whoever listens knows nobody's language: another process looked it up, or it was too long ago."""
    shown = modal(Sheet("add", say("Add"), (), say("Send")), language=language("ko"))
    typed = {"typed": {"typed": {"type": "plain_text_input", "value": ""}}}
    view = {**VIEW, "state": {"values": typed}, "callback_id": shown["callback_id"]}
    front = Front()
    answer = front.app.dispatch(BoltRequest(mode="socket_mode", body=submission(view=view)))
    korean = language("ko").plain(say("Tick a name above, or type one here."))
    assert json.loads(str(answer.body))["errors"] == {"typed": korean}
    ticked = {**VIEW, "callback_id": shown["callback_id"]}
    waiting = front.app.dispatch(BoltRequest(mode="socket_mode", body=submission(view=ticked)))
    assert json.loads(str(waiting.body))["view"]["callback_id"] == f"{WAITING.name}:ko"
    [row] = front.rows
    assert row.text == "add"


def test_a_sheet_that_is_nothing_of_ours_is_closed() -> None:
    front = Front()
    body = submission(view={**VIEW, "callback_id": "A B"})
    assert front.app.dispatch(BoltRequest(mode="socket_mode", body=body)).body == ""
    assert front.rows == []


# --- opening ---------------------------------------------------------------------------------------------------------


def test_a_command_opens_a_modal_under_its_own_handle(slack: SlackApi) -> None:
    screens = SlackScreens(alone(posting_client(SlackSettings(bot_token="xoxb", api_url=slack.url))))
    asked = request(trigger="1.2")
    assert screens.sheet(asked, WAITING)
    [call] = slack.asked("views.open")
    assert call["view"]["external_id"] == handle(asked) == asked.id


def test_a_click_in_a_modal_changes_that_modal(slack: SlackApi) -> None:
    screens = SlackScreens(alone(posting_client(SlackSettings(bot_token="xoxb", api_url=slack.url))))
    front = Front()
    actions = [{"action_id": "menu.add", "value": "-", "type": "button"}]
    front.app.dispatch(BoltRequest(mode="socket_mode", body=click(actions=actions, view=VIEW)))
    [row] = front.rows
    assert screens.sheet(row, WAITING)
    [call] = slack.asked("views.update")
    assert (call["view_id"], call["view"]["external_id"]) == ("V1", row.id)
    assert call["hash"] == VIEW["hash"]


def test_a_click_on_a_page_that_another_click_has_changed_does_nothing(slack: SlackApi) -> None:
    screens = SlackScreens(alone(posting_client(SlackSettings(bot_token="xoxb", api_url=slack.url))))
    clicked = request(view="V1", form={"kind": "modal", "hash": "1"})
    slack.tell("views.update", no("hash_conflict"))
    assert screens.sheet(clicked, WAITING)  # and no message is sent in its place
    slack.tell("views.update", no("not_found"))
    assert not screens.sheet(clicked, WAITING)


def test_a_trigger_that_ran_out_opens_nothing(slack: SlackApi) -> None:
    slack.tell("views.open", no("expired_trigger_id"))
    screens = SlackScreens(alone(posting_client(SlackSettings(bot_token="xoxb", api_url=slack.url))))
    assert not screens.sheet(request(trigger="1.2"), WAITING)
    assert not screens.sheet(request(), WAITING)
