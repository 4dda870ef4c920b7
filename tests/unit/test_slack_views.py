"""Modals and the Home tab: what Slack sends of them becomes one row, and what is shown stays within Slack's limits."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_bolt import BoltRequest

from bot.slack.limits import MAX_OPTIONS, MAX_TICKS, view_violations, violations
from bot.slack.payloads import NotOursError, clicked, opened, submitted
from bot.slack.render_views import home, modal
from commands.fields import Choice, Entry, Files
from commands.reply import Button, Buttons, Heading, Hint, Page, Paragraph, Sheet, Tone
from commands.sheet_json import sheet_from_json, sheet_to_json
from services.model.text import say
from tests.unit.test_slack_intake import Front

VIEW = {
    "id": "V1",
    "type": "modal",
    "callback_id": "add",
    "hash": "156663117.cd33ad1f",
    "private_metadata": "moon",
    "state": {
        "values": {
            "names": {
                "names": {
                    "type": "checkboxes",
                    "selected_options": [{"value": "a.moon.test"}, {"value": "b.moon.test"}],
                }
            },
            "note": {"note": {"type": "plain_text_input", "value": "hello\x00"}},
            "one": {"one": {"type": "static_select", "selected_option": {"value": "ko"}}},
            "empty": {"empty": {"type": "plain_text_input", "value": None}},
        }
    },
}
USER = {"id": "U1", "team_id": "T9"}
VALUES = {"names": ["a.moon.test", "b.moon.test"], "note": "hello", "one": "ko"}


def submission(**changes: Any) -> dict[str, Any]:
    body = {"type": "view_submission", "team": {"id": "T1"}, "user": USER, "trigger_id": "1.2", "view": VIEW}
    return {**body, **changes}


def click(**changes: Any) -> dict[str, Any]:
    actions = [{"action_id": "home.page", "value": "2", "type": "button"}]
    body = {"type": "block_actions", "user": USER, "trigger_id": "1.3", "actions": actions}
    return {**body, "view": {**VIEW, "type": "home"}, **changes}


def test_a_modal_that_is_sent_off_becomes_one_row() -> None:
    front = Front()
    for _ in range(2):  # Slack asks again when it has heard nothing
        answer = front.app.dispatch(BoltRequest(mode="socket_mode", body=submission()))
        assert answer.status == 200
    [row] = front.rows
    assert (row.kind, row.text, row.team, row.user, row.channel) == ("submission", "add", "T9", "U1", "")
    assert (row.view, row.trigger) == ("V1", "1.2")
    assert row.form == {
        "values": VALUES,
        "memory": "moon",
        "hash": "156663117.cd33ad1f",
        "kind": "modal",
    }


def test_over_http_it_is_the_same() -> None:
    front = Front()
    body = urlencode({"payload": json.dumps(submission())}).encode()
    assert front.knock(body).status == 200
    assert [row.kind for row in front.rows] == ["submission"]


def test_a_click_in_the_home_tab_brings_what_stood_there() -> None:
    front = Front()
    assert front.app.dispatch(BoltRequest(mode="socket_mode", body=click())).status == 200
    [row] = front.rows
    assert (row.kind, row.text, row.channel, row.view) == ("click", "home.page 2", "", "V1")
    assert (row.form["values"], row.form["kind"]) == (VALUES, "home")


def test_a_local_workspace_tells_of_a_click_in_the_home_tab_without_its_view() -> None:
    """As local-slack sends it: a message that has no channel."""
    body = click(container={"type": "message", "is_ephemeral": False}, channel={})
    del body["view"]
    front = Front()
    assert front.app.dispatch(BoltRequest(mode="socket_mode", body=body)).status == 200
    [row] = front.rows
    assert (row.kind, row.text, row.channel, row.view) == ("click", "home.page 2", "", "")
    assert row.form == {"kind": "home"}
    with pytest.raises(NotOursError):  # what can only stand in a message
        clicked({**body, "actions": [{"action_id": "approval.approve", "value": "prop_1"}]})


def test_what_was_typed_into_a_view_is_in_the_form_alone() -> None:
    typed = {"action_id": "home.search", "value": "x" * 200, "type": "plain_text_input"}
    assert clicked(click(actions=[typed])).text == "home.search"


def test_the_home_tab_that_is_opened_becomes_one_row() -> None:
    event = {"type": "app_home_opened", "user": "U1", "tab": "home", "channel": "D1"}
    body = {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": event}
    front = Front()
    for _ in range(2):
        assert front.app.dispatch(BoltRequest(mode="socket_mode", body=body)).status == 200
    [row] = front.rows
    assert (row.kind, row.team, row.user, row.dedupe) == ("home", "T1", "U1", "Ev1")
    with pytest.raises(NotOursError):
        opened({**body, "event": {**event, "tab": "messages"}})


@pytest.mark.parametrize(
    "changes",
    [{"view": None}, {"view": {}}, {"view": {"id": "V1"}}, {"view": {**VIEW, "callback_id": "A B"}}],
)
def test_a_view_that_is_not_ours_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(NotOursError):
        submitted(submission(**changes))


@pytest.mark.parametrize(
    "state", [None, {}, {"values": None}, {"values": {"a": None}}, {"values": {"a": {"b": 1}}}]
)
def test_a_broken_state_is_an_empty_form(state: Any) -> None:
    assert submitted(submission(view={**VIEW, "state": state})).form["values"] == {}


PARTS = (
    Paragraph(say("Which names?")),
    Choice(
        "names", say("Names"), tuple((f"n{i}", say("{n}", n=f"n{i}.test")) for i in range(3)), chosen=("n1",)
    ),
    Choice("many", say("Many"), tuple((f"n{i}", say("Name")) for i in range(MAX_TICKS + 1))),
    Choice("one", say("One"), (("a", say("A")), ("b", say("B"))), chosen=("b",), several=False),
    Entry("more", say("Others"), initial="x", lines=True, hint=say("One on each line"), optional=True),
    Files("list", say("A list"), ("csv", "txt"), hint=say("A name in each line")),
    Buttons((Button("home.page", "1", say("Next")), Button("home.page", "2", say("Last")))),
    Hint(say("That is all.")),
)


def test_a_sheet_is_a_modal_that_slack_takes() -> None:
    view = modal(Sheet("add", say("Add certificates"), PARTS, say("Get certificates"), "moon"))
    assert view_violations(view) == []
    assert view["callback_id"] == "add"
    assert view["private_metadata"] == "moon"
    kinds = [block["element"]["type"] for block in view["blocks"] if block["type"] == "input"]
    assert kinds == [
        "checkboxes",
        "multi_static_select",
        "radio_buttons",
        "plain_text_input",
        "file_input",
    ]
    names, one = view["blocks"][1]["element"], view["blocks"][3]["element"]
    assert [option["value"] for option in names["initial_options"]] == ["n1"]
    assert one["initial_option"]["value"] == "b"


def test_a_page_is_a_home_tab_that_slack_takes() -> None:
    pieces = tuple(part for part in PARTS if not isinstance(part, Files))
    view = home(Page(pieces, "2"))
    assert (view["type"], view_violations(view)) == ("home", [])
    assert "a field for files outside of a modal" in view_violations(home(Page(PARTS)))


def test_a_sheet_that_waits_is_the_same_sheet_afterwards() -> None:
    enters = Entry("find", say("Find"), enters=True)
    sheet = Sheet("add", say("Add"), (*PARTS, enters), say("Send"), "moon", Heading(Tone.WARN, say("Now")))
    assert sheet_from_json(json.loads(json.dumps(sheet_to_json(sheet)))) == sheet


@pytest.mark.parametrize(
    ("element", "line"),
    [
        ({"max_files": 11}, "block 0: max_files 11, 1 to 10 allowed"),
        ({"max_files": 0}, "block 0: max_files 0, 1 to 10 allowed"),
        ({"filetypes": []}, "block 0: filetypes are no ends of file names"),
        ({"filetypes": [".csv"]}, "block 0: filetypes are no ends of file names"),
    ],
)
def test_the_limits_of_a_field_for_files(element: dict[str, Any], line: str) -> None:
    field = {"type": "file_input", "action_id": "file", **element}
    block = {"type": "input", "label": {"type": "plain_text", "text": "l"}, "element": field}
    assert line in violations("t", [block])
    assert "block 0: a field for files outside of an input block" in violations(
        "t", [{"type": "actions", "elements": [{"type": "file_input"}]}]
    )


def test_more_than_slack_takes_is_cut() -> None:
    many = Choice("many", say("x" * 3000), tuple((f"n{i}", say("y" * 100)) for i in range(MAX_OPTIONS + 50)))
    sheet = Sheet("add", say("z" * 50), (*[Paragraph(say("p"))] * 150, many), say("s" * 50), "m" * 4000)
    found = view_violations(modal(sheet))
    assert found == []
