"""Replies in a terminal: readable, steering nothing, with moments in the local zone; JSON in ASCII for machines."""

import io
import json
import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import terminal
from bot.terminal_text import clean, sentence, shown
from commands.reply import (
    Button,
    Buttons,
    Code,
    Fields,
    Hint,
    Mark,
    Mention,
    Outcome,
    Paragraph,
    Plan,
    Problem,
    Reply,
    Row,
    Rows,
    Tone,
)
from services.model.text import say

MOMENT = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)
SEOUL = ZoneInfo("Asia/Seoul")
REPLY = Reply(
    Tone.WARN,
    say("Certificate for {name} has to wait", name="한국.test"),
    (
        Plan(
            "한국.test",
            (
                (say("check"), Mark.DONE),
                (say("CSR"), Mark.NOW),
                (say("order"), Mark.NEXT),
                (say("issue"), Mark.STOPPED),
            ),
        ),
        Problem(
            "dns.not_hosted",
            say("DNS of {name} is elsewhere.", name="한국.test"),
            say("Change the name servers."),
            say("the merchant"),
            blocks=True,
        ),
        Problem(
            "dns.lame", say("One server is silent."), say("Look at it."), say("the platform"), blocks=False
        ),
        Fields(
            (
                (say("Store"), "moon"),
                (say("Valid until"), MOMENT),
                (say("Names"), ("a.test", "b.test")),
                (say("Count"), 3),
            )
        ),
        Rows(
            (
                Row("한국.test", Tone.GOOD, say("Installed"), say("valid until {at}", at=MOMENT)),
                Row("b.test", Tone.BAD, say("Failed"), say("")),
            )
        ),
        Code("-----BEGIN-----\nabc"),
        Paragraph(say("certdesk checks again at {at}.", at=MOMENT)),
        Hint(say("To try at once, type: {command}", command="/ssl renew 한국.test")),
    ),
)
EXPECTED = """\
! Certificate for 한국.test has to wait
  한국.test
  ✓ check  ▶ CSR  · order  ✗ issue
  ✗ DNS of 한국.test is elsewhere.
    What to do: Change the name servers.
    Whose move: the merchant [dns.not_hosted]
  ! One server is silent.
    What to do: Look at it.
    Whose move: the platform [dns.lame]
  Store        moon
  Valid until  2027-02-10 23:03 UTC+09:00
  Names        a.test, b.test
  Count        3
  ✓ 한국.test  Installed  valid until 2027-02-10 23:03 UTC+09:00
  ✗ b.test     Failed
-----BEGIN-----
abc
  certdesk checks again at 2027-02-10 23:03 UTC+09:00.
  → To try at once, type: certdesk ssl renew 한국.test
"""


def test_every_part_as_text() -> None:
    assert terminal.text(REPLY, zone=SEOUL) == EXPECTED


def test_text_is_wrapped_at_the_width_and_nothing_of_it_is_lost() -> None:
    long = Reply(Tone.INFO, say("t"), (Paragraph(say("word " * 60)), Code("x" * 200), Hint(say("y" * 200))))
    written = terminal.text(long, width=40)
    assert all(len(line) <= 40 for line in written.splitlines())
    assert [written.count(sign) for sign in ("word", "x", "y")] == [60, 200, 200]


def test_commands_with_their_summaries_stand_below_each_other() -> None:
    usage = "/ssl add NAME… [--store STORE]"
    reply = Reply(
        Tone.INFO, say("t"), (Fields(((say("{command}", command=usage), say("Get certificates")),)),)
    )
    assert terminal.text(reply).splitlines()[1:] == [
        "  certdesk ssl add NAME… [--store STORE]",
        "    Get certificates",
    ]
    assert terminal.text(Reply(Tone.INFO, say("t"), (Fields(()), Rows(())))).splitlines()[0] == "i t"


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        (UTC, "2027-02-10 14:03 UTC"),
        (SEOUL, "2027-02-10 23:03 UTC+09:00"),
        (ZoneInfo("America/St_Johns"), "2027-02-10 10:33 UTC-03:30"),
        (timezone(timedelta(hours=14)), "2027-02-11 04:03 UTC+14:00"),
    ],
)
def test_moments_are_local_with_their_offset(zone: Any, text: str) -> None:
    assert shown(MOMENT, zone) == text
    assert sentence(say("until {at}", at=say("{at}", at=MOMENT)), zone) == f"until {text}"


def test_without_a_zone_it_is_the_machines_own() -> None:
    local = MOMENT.astimezone()
    assert shown(MOMENT).startswith(local.strftime("%Y-%m-%d %H:%M UTC"))


STEERING = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "a\rb",
    "\x9b2J",
    "x\u202eevil",
    "a\x00b",
    "\x08\x08",
    "lone\udcff",
]


@pytest.mark.parametrize("value", STEERING)
def test_values_cannot_steer_the_terminal(value: str) -> None:
    reply = Reply(
        Tone.INFO,
        say("{v}", v=value),
        (
            Paragraph(say("{v}", v=(value,))),
            Plan(value, ()),
            Rows((Row(value, Tone.INFO, say("x"), say("{v}", v=value)),)),
            Code(value),
            Fields(((say("k"), value),)),
            Problem(value, say("{v}", v=value), say(""), say(""), blocks=True),
        ),
    )
    written = terminal.text(reply)
    assert not set(written) & {"\x1b", "\x9b", "\x07", "\x08", "\r", "\x00", "\u202e", "\udcff"}


@given(st.text(st.characters(exclude_categories=())))
def test_cleaned_text_is_one_line_that_can_be_written(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned.splitlines()) <= 1
    cleaned.encode("utf-8")
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    "value", ["[bold]x[/bold]", "[/]", ":smile:", "{0.__class__}", "%s", "[link=x]y[/link]"]
)
def test_values_are_never_mark_up(value: str) -> None:
    written = terminal.text(Reply(Tone.INFO, say("{v}", v=value), (Plan(value, ()), Code(value))))
    assert written.count(value) == 3


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Latin(io.TextIOWrapper):
    """A pipe whose encoding lacks most signs."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="latin-1")

    def written(self) -> str:
        self.flush()
        inner: Any = self.buffer
        return str(inner.getvalue().decode("latin-1"))


def test_signs_that_an_encoding_lacks_are_replaced() -> None:
    with Latin() as pipe:
        terminal.show(Outcome(REPLY), out=pipe)
        written = pipe.written()
    assert "+ check  > CSR  · order  x issue" in written or "+ check  > CSR  . order  x issue" in written
    assert "\\ud55c\\uad6d.test" in written


def test_a_person_sees_styles_and_a_pipe_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen, pipe = Screen(), io.StringIO()
    terminal.show(Outcome(REPLY), out=screen)
    terminal.show(Outcome(REPLY), out=pipe)
    assert "\x1b[" in screen.getvalue()
    assert "\x1b" not in pipe.getvalue()


def test_usage_errors_go_to_the_error_stream() -> None:
    out, err = io.StringIO(), io.StringIO()
    terminal.show(Outcome(Reply(Tone.WARN, say("The name is missing.")), exit_code=2), out=out, err=err)
    assert out.getvalue() == ""
    assert err.getvalue() == "! The name is missing.\n"
    terminal.show(Outcome(Reply(Tone.GOOD, say("Done"))), out=out, err=err)
    assert out.getvalue() == "✓ Done\n"


def test_the_standard_streams_are_used_unless_others_are_given(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show(Outcome(Reply(Tone.GOOD, say("Done"))))
    terminal.show(Outcome(Reply(Tone.WARN, say("Usage")), exit_code=2))
    terminal.show(Outcome(Reply(Tone.GOOD, say("x")), data={"a": 1}), json=True)
    terminal.follow([Reply(Tone.GOOD, say("Followed"))])
    captured = capsys.readouterr()
    assert captured.out == '✓ Done\n{\n  "a": 1\n}\n✓ Followed\n'
    assert captured.err == "! Usage\n"
    assert sys.stdout is not None


def test_json_is_one_ascii_document() -> None:
    out = io.StringIO()
    data = {"name": "한국.test\x1b[31m", "findings": []}
    terminal.show(Outcome(REPLY, data=data), json=True, out=out)
    assert out.getvalue().isascii()
    assert "\x1b" not in out.getvalue()
    assert json.loads(out.getvalue()) == data


def test_json_of_an_answer_without_data_is_its_title() -> None:
    assert json.loads(terminal.as_json(Outcome(Reply(Tone.INFO, say("Hello {n}", n=1))))) == {
        "message": "Hello 1"
    }


def test_json_has_commands_as_they_are_typed_in_a_terminal() -> None:
    data = {
        "error": "The name is missing.",
        "usage": "/ssl add NAME…",
        "certificates": [
            {"name": "x/ssl y", "findings": [{"remedy": "Type: /ssl renew a.test", "evidence": "/ssl z"}]}
        ],
    }
    written = json.loads(terminal.as_json(Outcome(REPLY, exit_code=2, data=data)))
    assert written["usage"] == "certdesk ssl add NAME…"
    [one] = written["certificates"]
    assert one == {
        "name": "x/ssl y",
        "findings": [{"remedy": "Type: certdesk ssl renew a.test", "evidence": "/ssl z"}],
    }


def test_following_one_name_in_a_pipe_names_it_in_each_line() -> None:
    out = io.StringIO()
    title = say("Getting a certificate for {name}", name="shop.moon.test")
    steps = ((say("check"), Mark.DONE), (say("challenge"), Mark.NOW))
    terminal.follow([Reply(Tone.PROGRESS, title, (Plan("", steps),)), Reply(Tone.GOOD, say("Done"))], out=out)
    assert out.getvalue().splitlines() == ["shop.moon.test: challenge", "✓ Done"]


def step(mark: Mark, label: str) -> Reply:
    rows = Rows((Row("b.test", Tone.PROGRESS, say("step: {step}", step=label), say("")),))
    return Reply(
        Tone.PROGRESS,
        say("Working"),
        (Plan("a.test", ((say("check"), Mark.DONE), (say("{l}", l=label), mark))), rows),
    )


def test_following_in_a_pipe_prints_each_step_once_and_the_end_in_full() -> None:
    out = io.StringIO()
    end = Reply(Tone.GOOD, say("Done"), (Paragraph(say("All is well.")),))
    terminal.follow(
        [
            step(Mark.NOW, "CSR"),
            step(Mark.NOW, "CSR"),
            step(Mark.NOW, "order"),
            step(Mark.STOPPED, "order"),
            end,
        ],
        out=out,
    )
    assert out.getvalue().splitlines() == [
        "a.test: CSR",
        "b.test: step: CSR",
        "a.test: order",
        "b.test: step: order",
        "✓ Done",
        "  All is well.",
    ]


def test_following_nothing_prints_nothing() -> None:
    out = io.StringIO()
    terminal.follow([], out=out)
    assert out.getvalue() == ""


def test_following_on_a_screen_leaves_the_last_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    screen = Screen()
    terminal.follow([step(Mark.NOW, "CSR"), Reply(Tone.GOOD, say("Done"))], out=screen)
    assert "CSR" in screen.getvalue()
    assert "Done" in screen.getvalue()
    assert screen.getvalue().rindex("Done") > screen.getvalue().rindex("CSR")


def test_what_can_be_clicked_is_left_out_and_a_call_on_people_is_a_sentence() -> None:
    button = Buttons((Button("alert.ack", "alert_1 4", say("Acknowledge")),))
    call = Mention(("S0ONCALL",), say("Please look at this."))
    written = terminal.text(Reply(Tone.BAD, say("Urgent"), (call, button)))
    assert written == "✗ Urgent\n  Please look at this.\n"
