"""What the demo prints: headed sections, lines with their time, and on a terminal the plan as it moves."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.status import Status
from rich.text import Text

from bot.slack.render import MARKS
from commands import progress
from services.model.certificates import Certificate, Happening

WORDS = {
    "added": "wanted",
    "asked": "renewal asked for",
    "checks_passed": "checks passed",
    "checks_blocked": "blocked",
    "csr_made": "key and CSR made",
    "order_placed": "order placed",
    "challenges_answered": "challenge answered",
    "validated": "validated by the CA",
    "finalized": "CSR sent",
    "issued": "certificate issued",
    "deployed": "deployed to",
    "verified": "served by the edge",
    "attempt_failed": "failed",
    "route_failed": "next CA",
    "fault": "fault, trying again",
}
_BAD = frozenset({"checks_blocked", "attempt_failed", "fault"})
_FILE_WIDTH = 100
"""Columns of what somebody said, where nobody's terminal sets them."""


class Transcript:
    """The demo's own voice; the same lines whether a person or a file reads them."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True, emoji=False, markup=False)
        self._status: Status | None = None

    def head(self, text: str, aside: str = "") -> None:
        """Begin a section; ``aside`` is a remark beside its title."""
        self._console.print(Text.assemble("\n", (text, "bold"), (f"   {aside}" if aside else "", "dim")))

    def line(self, text: str) -> None:
        """Print one line of a section."""
        self._console.print(Text(f"    {text}"))

    def done(self, text: str) -> None:
        """Print one line of a section that is a success."""
        self._console.print(Text.assemble("  ", ("✓", "green"), f" {text}"))

    def missing(self, text: str) -> None:
        """Print one line about something that is not there, and what takes its place."""
        self._console.print(Text.assemble("  ", ("!", "bold yellow"), f" {text}"))

    def quote(self, who: str, said: Sequence[str]) -> None:
        """Print what somebody said, with their name before the first line and a bar before each."""
        width = (self._console.width if self._console.is_terminal else _FILE_WIDTH) - len(who) - 9
        wrapped = [piece for line in said for piece in textwrap.wrap(line, max(width, 30))]
        for place, piece in enumerate(wrapped):
            name = who if place == 0 else " " * len(who)
            self._console.print(Text.assemble("    ", (f"{name} │", "cyan"), f" {piece}"))

    def happened(self, happening: Happening, begun: datetime) -> None:
        """Print one step of a certificate's history with its seconds since the section began."""
        if happening.what not in WORDS:
            return
        seconds = (happening.at - begun).total_seconds()
        sign = ("✕", "bold red") if happening.what in _BAD else ("✓", "green")
        text = Text.assemble("  ", sign, (f" {seconds:6.2f} s", "dim"), f"  {WORDS[happening.what]:<20} ")
        text.append(str(happening.details))
        text.rstrip()
        if self._console.is_terminal:
            text.truncate(self._console.width, overflow="ellipsis")
        self._console.print(text)

    @contextmanager
    def live(self, what: str) -> Iterator[None]:
        """Show on a terminal that something is under way, until the block ends."""
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(Text(what)) as status:
            self._status = status
            try:
                yield
            finally:
                self._status = None

    def plan(self, certificate: Certificate, name: str) -> None:
        """Show how far the plan is: check → CSR → order → challenge → issue → deploy → verified."""
        if self._status is not None:
            steps = progress.plan(certificate, name).steps
            self._status.update(Text(" → ".join(f"{MARKS[mark]} {label.plain()}" for label, mark in steps)))

    def verbatim(self, text: str) -> None:
        """Print a line as it is, for machines."""
        print(text, file=self._console.file, flush=True)
