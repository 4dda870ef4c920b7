"""The validator sees every limit that it is there for."""

from typing import Any

import pytest

from bot.slack.limits import view_violations, violations

_OK: dict[str, Any] = {"type": "section", "text": {"type": "mrkdwn", "text": "fine"}}


def _mrkdwn(length: int) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": "x" * length}


def _plain(length: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": "x" * length}


def _button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "text": _plain(5), "action_id": "a"} | more


def _actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def _option(**more: Any) -> dict[str, Any]:
    return {"text": _plain(5), "value": "v"} | more


def test_a_message_within_the_limits_breaks_none() -> None:
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(150)},
        {"type": "section", "text": _mrkdwn(3000), "block_id": "one", "accessory": _button(action_id="b")},
        {"type": "section", "fields": [_mrkdwn(500)] * 10, "block_id": "two"},
        {"type": "context", "elements": [_mrkdwn(1)] * 10},
        {"type": "divider"},
        _actions(
            *[_button(action_id=str(n), value="v" * 20) for n in range(24)],
            {"type": "static_select", "action_id": "s", "options": [_option()] * 100},
        ),
    ]
    assert violations("text", blocks) == []


@pytest.mark.parametrize(
    ("text", "blocks", "line"),
    [
        ("x" * 4001, [_OK], "fallback text has 4001 characters, 4000 allowed"),
        (" ", [_OK], "fallback text is empty"),
        ("t", [_OK] * 51, "51 blocks, 50 allowed"),
        (
            "t",
            [{"type": "section", "text": _mrkdwn(2999)}] * 5,
            "14996 characters together, about 13200 allowed",
        ),
        ("t", [_OK | {"block_id": "b"}] * 2, "block_id b stands twice"),
        ("t", [_actions(_button()), _actions(_button())], "action_id a stands twice"),
        ("t", [{"type": "marquee"}], "block 0: unknown type marquee"),
        ("t", [{"type": "section"}], "block 0: a section without text or fields"),
        (
            "t",
            [{"type": "section", "text": _mrkdwn(3001)}],
            "block 0: text has 3001 characters, 3000 allowed",
        ),
        ("t", [{"type": "section", "text": _mrkdwn(0)}], "block 0: text is empty"),
        ("t", [{"type": "section", "text": {"text": "x"}}], "block 0: text is no text object"),
        ("t", [{"type": "section", "fields": [_mrkdwn(1)] * 11}], "block 0: 11 fields, 10 allowed"),
        (
            "t",
            [{"type": "section", "fields": [_mrkdwn(2001)]}],
            "block 0: field has 2001 characters, 2000 allowed",
        ),
        ("t", [{"type": "header", "text": _plain(151)}], "block 0: header has 151 characters, 150 allowed"),
        ("t", [{"type": "header", "text": _mrkdwn(5)}], "block 0: header must be plain_text"),
        ("t", [{"type": "context", "elements": []}], "block 0: 0 context elements, 1 to 10 allowed"),
        (
            "t",
            [_actions(*[_button(action_id=str(n)) for n in range(26)])],
            "block 0: 26 actions, 1 to 25 allowed",
        ),
        ("t", [_actions(_button(text=_plain(76)))], "block 0: button has 76 characters, 75 allowed"),
        (
            "t",
            [_actions(_button(value="v" * 2001))],
            "block 0: button value has 2001 characters, 2000 allowed",
        ),
        ("t", [_actions(_button(action_id="i" * 256))], "block 0: action_id has 256 characters, 255 allowed"),
        (
            "t",
            [_actions({"type": "static_select", "options": [_option(value="v" * 151)]})],
            "block 0: option value has 151 characters, 150 allowed",
        ),
        (
            "t",
            [_actions(_button(confirm={"title": _plain(101), "text": _mrkdwn(9)}))],
            "block 0: confirm title has 101 characters, 100 allowed",
        ),
        (
            "t",
            [_actions(_button(confirm={"title": _plain(9), "text": _mrkdwn(301)}))],
            "block 0: confirm text has 301 characters, 300 allowed",
        ),
        (
            "t",
            [_actions(_button(confirm={"title": _plain(9), "text": _plain(9), "deny": _plain(31)}))],
            "block 0: confirm's deny has 31 characters, 30 allowed",
        ),
        ("t", [_actions(_button(style="loud"))], "block 0: button style loud is unknown"),
        ("t", [_actions({"type": "slider", "action_id": "a"})], "block 0: unknown element slider"),
        ("t", [_actions({"type": "static_select", "options": []})], "block 0: 0 options, 1 to 100 allowed"),
        (
            "t",
            [_actions({"type": "static_select", "placeholder": _plain(151), "options": [_option()]})],
            "block 0: placeholder has 151 characters, 150 allowed",
        ),
        (
            "t",
            [_actions({"type": "static_select", "options": [_option(text=_plain(76))]})],
            "block 0: option has 76 characters, 75 allowed",
        ),
        (
            "t",
            [_actions({"type": "static_select", "options": [_option(text=_mrkdwn(7))]})],
            "block 0: option must be plain_text",
        ),
        (
            "t",
            [_actions({"type": "overflow", "options": [_option()] * 6})],
            "block 0: 6 options, 1 to 5 allowed",
        ),
        ("t", [_actions()], "block 0: 0 actions, 1 to 25 allowed"),
    ],
)
def test_each_limit_is_seen(text: str, blocks: list[dict[str, Any]], line: str) -> None:
    assert line in violations(text, blocks)


def _modal(**more: Any) -> dict[str, Any]:
    return {"type": "modal", "title": _plain(24), "blocks": [_OK]} | more


def _input(element: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [{"type": "input", "label": _plain(5), "element": {"action_id": "a"} | element} | more]


def test_a_view_within_the_limits_breaks_none() -> None:
    fields = [
        *_input({"type": "checkboxes", "options": [_option()] * 10}, label=_plain(2000), hint=_plain(2000)),
        *_input({"type": "plain_text_input", "action_id": "t", "max_length": 3000}),
        *_input({"type": "file_input", "action_id": "f", "max_files": 1, "filetypes": ["csv"]}),
    ]
    sent = {"submit": _plain(24), "close": _plain(24), "private_metadata": "x" * 3000}
    assert view_violations(_modal(blocks=[*fields, *[_OK] * 97], **sent)) == []
    assert view_violations({"type": "home", "blocks": [_OK] * 100}) == []


@pytest.mark.parametrize(
    ("view", "line"),
    [
        (_modal(blocks=[_OK] * 101), "101 blocks, 100 allowed"),
        (_modal(private_metadata="x" * 3001), "private_metadata has more than 3000 characters"),
        (_modal(title=_plain(25)), "title has 25 characters, 24 allowed"),
        (_modal(title=_mrkdwn(5)), "title must be plain_text"),
        (_modal(submit=_plain(25)), "submit has 25 characters, 24 allowed"),
        (_modal(close=_plain(25)), "close has 25 characters, 24 allowed"),
        (
            _modal(blocks=_input({"type": "plain_text_input"})),
            "a modal with fields has no button that sends it off",
        ),
        (
            {"type": "home", "blocks": _input({"type": "file_input"})},
            "a field for files outside of a modal",
        ),
        (
            _modal(blocks=_input({"type": "checkboxes", "options": [_option()] * 11})),
            "block 0: 11 options, 1 to 10 allowed",
        ),
        (
            _modal(blocks=_input({"type": "plain_text_input", "max_length": 3001})),
            "block 0: max_length 3001, 3000 allowed",
        ),
        (
            _modal(blocks=_input({"type": "file_input", "max_files": 11})),
            "block 0: max_files 11, 1 to 10 allowed",
        ),
        (
            _modal(blocks=_input({"type": "file_input", "filetypes": [".csv"]})),
            "block 0: filetypes are no ends of file names",
        ),
        (
            _modal(blocks=[_actions({"type": "file_input"})]),
            "block 0: a field for files outside of an input block",
        ),
        (
            _modal(blocks=_input({"type": "plain_text_input"}, label=_plain(2001))),
            "block 0: label has 2001 characters, 2000 allowed",
        ),
        (
            _modal(blocks=_input({"type": "plain_text_input"}, hint=_plain(2001))),
            "block 0: hint has 2001 characters, 2000 allowed",
        ),
    ],
)
def test_each_limit_of_a_view_is_seen(view: dict[str, Any], line: str) -> None:
    assert line in view_violations(view)
