"""Every Reply becomes a message that Slack takes, and that reads well."""

import re
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.slack.limits import MAX_SECTION, violations
from bot.slack.render import _DRAW, MARKS, MAX_ROWS, TONES, render
from commands.reply import (
    Button,
    Buttons,
    Code,
    Fields,
    Hint,
    Mark,
    Mention,
    Menu,
    Paragraph,
    Part,
    Plan,
    Problem,
    Reply,
    Row,
    Rows,
    Steps,
    Tone,
)
from services.model.text import NOTHING, Text, say

_long = st.one_of(
    st.text(max_size=80),
    st.text(alphabet="<>&`*_~:@#\n\ud83d a.", max_size=400),
    st.builds(lambda piece, times: piece * times, st.text(min_size=1, max_size=9), st.integers(1, 3000)),
)
_texts = st.one_of(
    st.builds(lambda value: say("{value}", value=value), _long),
    st.builds(lambda one, two: say("A {one} of {two}.", one=one, two=two), _long, st.datetimes().map(str)),
    st.builds(lambda names: say("{names}", names=tuple(names)), st.lists(_long, max_size=20)),
    st.just(NOTHING),
)
_rows = st.builds(Row, _long, st.sampled_from(Tone), _texts, _texts)
_confirms = st.one_of(st.none(), _texts)
_actions = st.one_of(st.sampled_from(("alert.ack", "alert.check")), _long)
_items = st.one_of(
    st.builds(Button, _actions, _long, _texts, st.sampled_from(("", "primary", "loud")), _confirms),
    st.builds(Menu, _actions, _texts, st.lists(st.tuples(_long, _texts), max_size=6).map(tuple)),
)
_parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(Buttons, st.lists(_items, max_size=8).map(tuple)),
    st.builds(Mention, st.lists(_long, max_size=4).map(tuple), _texts),
    st.builds(Paragraph, _texts),
    st.builds(Hint, _texts),
    st.builds(Fields, st.lists(st.tuples(_texts, _long), max_size=25).map(tuple)),
    st.builds(Plan, _long, st.lists(st.tuples(_texts, st.sampled_from(Mark)), max_size=9).map(tuple)),
    st.builds(Problem, _long, _texts, _texts, _texts, st.booleans()),
    st.builds(Rows, st.lists(_rows, max_size=40).map(tuple)),
    st.builds(Code, _long),
    st.builds(Steps, st.lists(_texts, max_size=40).map(tuple)),
)
_replies = st.builds(Reply, st.sampled_from(Tone), _texts, st.lists(_parts, max_size=70).map(tuple))


_UNSEEN = ("type", "action_id", "value")


def _strings(piece: Any) -> list[str]:
    if isinstance(piece, dict):
        return [text for key, value in piece.items() if key not in _UNSEEN for text in _strings(value)]
    if isinstance(piece, list | tuple):
        return [text for item in piece for text in _strings(item)]
    return [piece] if isinstance(piece, str) else []


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(_replies, st.booleans())
def test_any_reply_is_a_message_that_slack_takes(reply: Reply, date_tokens: bool) -> None:
    message = render(reply, date_tokens=date_tokens)
    assert violations(message.text, message.blocks) == []
    for text in [message.text, *_strings(message.blocks)]:
        assert "<" not in text  # there are no moments and no groups in these replies
        text.encode()


def _texts_of(reply: Reply) -> list[str]:
    return _strings(render(reply).blocks)


def test_a_title_carries_the_sign_of_its_tone() -> None:
    for tone, sign in TONES.items():
        [header] = render(Reply(tone, say("Hello {name}", name="a.test"))).blocks
        assert header == {
            "type": "header",
            "text": {"type": "plain_text", "text": f"{sign} Hello a.test", "emoji": False},
        }


def test_signs_and_marks_are_told_apart_by_shape() -> None:
    assert len(set(TONES.values())) == len(Tone)
    assert len(set(MARKS.values())) == len(Mark)


def test_a_plan_is_one_line_below_its_name() -> None:
    steps = ((say("check"), Mark.DONE), (say("order"), Mark.NOW), (say("issue"), Mark.NEXT))
    shown = _texts_of(Reply(Tone.PROGRESS, say("Working"), (Plan("shop.moon.test", steps),)))
    assert shown[1] == "`shop.moon.test`\n✓ check → ▸ *order* → ○ issue"


def test_moments_read_in_utc_where_a_workspace_shows_no_date_tokens() -> None:
    at = datetime(2027, 2, 20, 23, 40, tzinfo=UTC)
    pairs = ((say("Valid until"), at),)
    reply = Reply(Tone.GOOD, say("Hello"), (Paragraph(say("Until {at}.", at=at)), Fields(pairs)))
    assert any("<!date^" in text for text in _texts_of(reply))
    message = render(reply, date_tokens=False)
    assert _strings(message.blocks)[1:] == [
        "Until 2027-02-20 23:40 UTC.",
        "*Valid until*\n2027-02-20 23:40 UTC",
    ]
    assert message.text.endswith("Until 2027-02-20 23:40 UTC.")


def test_a_problem_says_what_whose_move_and_what_to_do() -> None:
    problem = Problem(
        "dns.not_hosted",
        say("DNS of {name} is at {server}.", name="shop.moon.test", server="ns1.elsewhere.test"),
        say("Change the name servers."),
        say("the merchant"),
        blocks=True,
    )
    shown = _texts_of(Reply(Tone.BAD, say("Blocked"), (problem,)))
    assert shown[1:] == [
        "⛔ DNS of `shop.moon.test` is at `ns1.elsewhere.test`.\n*What to do:* Change the name servers.",
        "Whose move: the merchant · `dns.not_hosted`",
    ]


def test_a_long_list_says_how_many_are_left_and_how_to_see_them() -> None:
    rows = tuple(
        Row(f"n{place}.test", Tone.GOOD, say("installed"), NOTHING) for place in range(MAX_ROWS + 73)
    )
    shown = _texts_of(Reply(Tone.INFO, say("All"), (Rows(rows),)))
    assert shown[1].splitlines()[0] == "✅ `n0.test` · installed"
    assert shown[-1] == "… and 73 more: `/ssl status NAME`"


def test_fields_stand_in_groups_of_ten() -> None:
    pairs = tuple((say("Label {n}", n=n), f"value {n}") for n in range(12))
    blocks = render(Reply(Tone.INFO, say("Fields"), (Fields(pairs),))).blocks
    assert [len(block["fields"]) for block in blocks[1:]] == [10, 2]
    assert blocks[1]["fields"][0]["text"] == "*Label 0*\nvalue 0"


def test_code_is_split_at_its_lines_and_every_piece_is_fenced() -> None:
    lines = [f"line {number} " + "x" * 60 for number in range(80)]
    blocks = render(Reply(Tone.INFO, say("CSR"), (Code("\n".join(lines)),))).blocks
    texts = [block["text"]["text"] for block in blocks[1:]]
    assert len(texts) > 1
    assert all(text.startswith("```\n") and text.endswith("\n```") for text in texts)
    assert "\n".join(text[4:-4] for text in texts) == "\n".join(lines)


def test_what_is_to_be_copied_is_not_folded_away() -> None:
    code, steps = Code("one\ntwo"), Steps((say("Do this."),))
    blocks = render(Reply(Tone.INFO, say("CSR"), (code, Paragraph(say("Then:")), steps))).blocks[1:]
    assert [block.get("expand", False) for block in blocks] == [True, False, True]


@pytest.mark.parametrize("length", [1, 62, 498])
def test_where_no_fences_are_drawn_each_line_of_code_stands_in_a_span(length: int) -> None:
    lines = [*("<" * (length // 4) or "x" for _ in range(MAX_SECTION // (length + 1))), "", "/x"]
    message = render(Reply(Tone.INFO, say("CSR"), (Code("\n".join(lines)),)), date_tokens=False)
    shown = "\n".join(block["text"]["text"] for block in message.blocks[1:])
    assert shown.splitlines() == [f"`{line.replace('<', '&lt;')}`" if line else "" for line in lines]
    assert not violations(message.text, message.blocks)


def test_where_no_fences_are_drawn_a_span_that_ends_in_an_address_is_none() -> None:
    said = say("{what}, {name}", what="order https://ca.test/1_2", name="https://ca.test/3")
    message = render(Reply(Tone.INFO, said), date_tokens=False)
    assert message.text[2:] == " order https://ca.test/1_2, `https://ca.test/3`"


def test_what_does_not_fit_is_said_to_be_missing() -> None:
    parts = tuple(Paragraph(say("Sentence number {n}.", n=n)) for n in range(90))
    blocks = render(Reply(Tone.INFO, say("Long"), parts), command="/tls").blocks
    assert len(blocks) == 50
    assert blocks[-1]["elements"][0]["text"] == "This message was cut. For one name alone: `/tls status NAME`"


def test_a_message_that_fits_exactly_is_not_cut() -> None:
    parts = tuple(Paragraph(say("Sentence number {n}.", n=n)) for n in range(49))
    blocks = render(Reply(Tone.INFO, say("Full"), parts)).blocks
    assert len(blocks) == 50
    assert blocks[-1]["text"]["text"] == "Sentence number 48."


def test_the_fallback_speaks_the_whole_message() -> None:
    problem = Problem("a.b", say("It broke."), say("Mend it."), say("the merchant"), blocks=True)
    plan = Plan("a.test", ((say("check"), Mark.DONE), (say("order"), Mark.STOPPED)))
    text = render(Reply(Tone.BAD, say("Title"), (plan, problem, Hint(say("Look there."))))).text
    assert text == "⛔ Title\n✕ `a.test` · order\nIt broke.\nMend it.\nLook there."


def test_every_kind_of_part_can_be_drawn() -> None:
    assert {*_DRAW, Buttons} == set(get_args(Part))


def test_slack_makes_no_links_by_itself() -> None:
    pieces: list[Text] = [say("See {name}", name="a.test")]
    blocks = render(Reply(Tone.INFO, say("T"), (Paragraph(pieces[0]), Hint(pieces[0])))).blocks
    assert blocks[1]["text"]["verbatim"] is True
    assert blocks[2]["elements"][0]["verbatim"] is True
    assert not re.search(r"https?:", str(blocks))


ACK = Button("alert.ack", "alr_1 7", say("Acknowledge"), "primary")
SNOOZE = Menu("alert.snooze", say("Snooze …"), (("alr_1 7 1d", say("1 day")), ("alr_1 7 3d", say("3 days"))))


def _elements(reply: Reply) -> list[dict[str, Any]]:
    blocks = render(reply).blocks
    return [element for block in blocks if block["type"] == "actions" for element in block["elements"]]


def test_a_button_carries_its_action_its_value_and_what_is_asked_before_it_acts() -> None:
    renew = Button("alert.renew", "alr_1 7", say("Renew now"), "danger", say("Renew {n} now?", n=3))
    plain_ack, asked = _elements(Reply(Tone.BAD, say("T"), (Buttons((ACK, renew)),)))
    assert plain_ack == {
        "type": "button",
        "text": {"type": "plain_text", "text": "Acknowledge", "emoji": False},
        "value": "alr_1 7",
        "style": "primary",
        "action_id": "alert.ack",
    }
    assert (asked["style"], asked["action_id"]) == ("danger", "alert.renew")
    assert {name: text["text"] for name, text in asked["confirm"].items()} == {
        "title": "Renew now",
        "text": "Renew 3 now?",
        "confirm": "Renew now",
        "deny": "Cancel",
    }


def test_a_menu_offers_its_values() -> None:
    [menu] = _elements(Reply(Tone.BAD, say("T"), (Buttons((SNOOZE,)),)))
    assert (menu["type"], menu["action_id"], menu["placeholder"]["text"]) == (
        "static_select",
        "alert.snooze",
        "Snooze …",
    )
    assert [(option["value"], option["text"]["text"]) for option in menu["options"]] == [
        ("alr_1 7 1d", "1 day"),
        ("alr_1 7 3d", "3 days"),
    ]


def test_each_element_of_a_message_has_an_id_of_its_own() -> None:
    elements = _elements(Reply(Tone.BAD, say("T"), (Buttons((ACK, ACK)), Buttons((SNOOZE, ACK)))))
    assert [element["action_id"] for element in elements] == [
        "alert.ack",
        "alert.ack:2",
        "alert.snooze",
        "alert.ack:3",
    ]


def test_more_buttons_than_one_block_holds_stand_in_two() -> None:
    buttons = tuple(Button(f"alert.n{n}", "v", say("Click")) for n in range(30))
    blocks = render(Reply(Tone.INFO, say("T"), (Buttons(buttons),))).blocks
    assert [len(block["elements"]) for block in blocks[1:]] == [25, 5]


def test_what_slack_would_refuse_is_left_out_and_nothing_that_acts_is_cut() -> None:
    wrong = (
        Button("alert.ack", "", say("No value")),
        Button("", "v", say("No action")),
        Button("alert.ack", "v" * 2001, say("Too long")),
        Menu("alert.snooze", say("Nothing to choose"), ()),
        Menu("alert.snooze", say("Too long"), (("v" * 151, say("x")),)),
    )
    assert _elements(Reply(Tone.INFO, say("T"), (Buttons(wrong),))) == []
    assert len(_elements(Reply(Tone.INFO, say("T"), (Buttons((*wrong, ACK)),)))) == 1


def test_a_mention_notifies_in_the_blocks_and_in_the_text() -> None:
    part = Mention(("S0ONCALL", "S0LEADS"), say("{name} expires soon.", name="a.test"))
    message = render(Reply(Tone.BAD, say("T"), (Paragraph(say("First.")), part)))
    assert (
        message.blocks[2]["text"]["text"] == "<!subteam^S0ONCALL> <!subteam^S0LEADS> `a.test` expires soon."
    )
    assert message.text.splitlines()[1] == message.blocks[2]["text"]["text"]


@pytest.mark.parametrize(
    "group", ["here", "channel", "!here", "S", "s0oncall", "S0> <!here", "S0\n", "U0AGENT", "<!here>", ""]
)
def test_what_is_no_user_group_is_never_called(group: str) -> None:
    message = render(Reply(Tone.BAD, say("T"), (Mention((group,), say("See {x}.", x="<!here> @here")),)))
    for text in [message.text, *_strings(message.blocks)]:
        assert "<" not in text
        assert not re.search(r"(?<![`;\w ])@here", text)


def test_a_message_that_is_cut_keeps_its_mention_and_its_buttons() -> None:
    long = tuple(Paragraph(say("Sentence number {n}: {x}", n=n, x="y" * 340)) for n in range(90))
    parts: tuple[Part, ...] = (Mention(("S0ONCALL",), say("Help.")), *long, Buttons((ACK, SNOOZE)))
    message = render(Reply(Tone.BAD, say("T"), parts))
    assert violations(message.text, message.blocks) == []
    assert message.blocks[1]["text"]["text"] == "<!subteam^S0ONCALL> Help."
    assert "This message was cut" in str(message.blocks[-2])
    assert message.blocks[-1]["type"] == "actions"
    assert "<!subteam^S0ONCALL>" in message.text
