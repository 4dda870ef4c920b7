"""The demo's transcript: the same lines for a person and for a file, and nothing torn apart that is to be copied."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from bot.demo.transcript import Transcript
from services.model.certificates import Happening

BEGAN = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Paper:
    """What a transcript prints, on so many columns."""

    def __init__(self, width: int, *, terminal: bool) -> None:
        self._file = io.StringIO()
        console = Console(
            file=self._file, width=width, force_terminal=terminal, color_system=None, soft_wrap=True
        )
        self.transcript = Transcript(console)

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self._file.getvalue().splitlines() if line.strip()]


def happening(what: str, details: str = "") -> Happening:
    return Happening("c1", BEGAN + timedelta(seconds=1.25), what, details=details)


def test_a_step_is_told_with_its_seconds_since_the_command() -> None:
    paper = Paper(80, terminal=False)
    paper.transcript.happened(happening("issued", "serial 1ace2b21"), BEGAN)
    assert paper.lines == ["  ✓   1.25 s  certificate issued   serial 1ace2b21"]


@pytest.mark.parametrize("what", ["checks_blocked", "attempt_failed", "fault"])
def test_a_setback_has_a_sign_of_its_own(what: str) -> None:
    paper = Paper(80, terminal=False)
    paper.transcript.happened(happening(what), BEGAN)
    assert paper.lines[0].startswith("  ✕ ")


def test_what_nobody_needs_to_know_is_left_out() -> None:
    paper = Paper(80, terminal=False)
    paper.transcript.happened(happening("renewal_information"), BEGAN)
    assert paper.lines == []


def test_a_long_step_is_cut_on_a_terminal_and_whole_in_a_file() -> None:
    url = "https://127.0.0.1:58485/my-order/" + "x" * 80
    narrow, file = Paper(80, terminal=True), Paper(80, terminal=False)
    for paper in (narrow, file):
        paper.transcript.happened(happening("order_placed", url), BEGAN)
    assert (len(narrow.lines[0]), narrow.lines[0][-1]) == (80, "…")
    assert file.lines[0].endswith(url)


def test_what_is_said_is_wrapped_behind_its_bar() -> None:
    paper = Paper(60, terminal=True)
    paper.transcript.quote("certdesk", ["one", "word " * 20])
    assert paper.lines[0] == "    certdesk │ one"
    assert len(paper.lines) > 3
    assert all(line.startswith("             │ word") and len(line) <= 60 for line in paper.lines[1:])


def test_commands_to_copy_stay_on_one_line() -> None:
    paper = Paper(40, terminal=True)
    command = "curl --cacert /tmp/root.pem https://shop.moon.test:443/ --resolve a:b:c"
    paper.transcript.line(command)
    assert paper.lines == [f"    {command}"]


def test_json_is_printed_as_it_is() -> None:
    paper = Paper(20, terminal=True)
    paper.transcript.verbatim('{"reason": "[bold]it is :lock: so[/bold]", "ok": false}')
    assert paper.lines == ['{"reason": "[bold]it is :lock: so[/bold]", "ok": false}']
