"""What the demo prints: headed sections, lines with their time, and on a terminal the plan as it moves."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.status import Status
from rich.text import Text

from commands import progress
from commands.reply import Mark
from services.model.certificates import Certificate, Happening

MARKS = {Mark.DONE: "✓", Mark.NOW: "●", Mark.NEXT: "○", Mark.STOPPED: "✕"}
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
    "fault": "fault, trying again",
}


class Transcript:
    """The demo's own voice; the same lines whether a person or a file reads them."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._status: Status | None = None

    def head(self, text: str) -> None:
        """Begin a section."""
        self._console.print(Text(f"\n{text}", style="bold"))

    def line(self, text: str, mark: str = " ") -> None:
        """Print one line of a section."""
        self._console.print(Text(f"  {mark} {text}"))

    def done(self, text: str) -> None:
        """Print one line of a section that is a success."""
        self.line(text, "✓")

    def quote(self, who: str, text: str) -> None:
        """Print what somebody said, line by line."""
        for part in [line for line in text.splitlines() if line.strip()]:
            self._console.print(Text(f"    {who} │ {part}"))

    def happened(self, happening: Happening, begun: datetime) -> None:
        """Print one step of a certificate's history with its seconds since the section began."""
        if happening.what in WORDS:
            seconds = (happening.at - begun).total_seconds()
            self._console.print(
                Text(f"  ✓ {seconds:6.2f} s  {WORDS[happening.what]:<20} {happening.details}")
            )

    @contextmanager
    def live(self, what: str) -> Iterator["Transcript"]:
        """Show on a terminal that something is under way, until the block ends."""
        if not sys.stdout.isatty():
            yield self
            return
        with self._console.status(what) as status:
            self._status = status
            yield self
        self._status = None

    def plan(self, certificate: Certificate, name: str) -> None:
        """Show how far the plan is: check → CSR → order → challenge → issue → deploy → verified."""
        if self._status is not None:
            steps = progress.plan(certificate, name).steps
            self._status.update("  ".join(f"{MARKS[mark]} {label}" for label, mark in steps))

    def print(self, text: str) -> None:
        """Print a line as it is."""
        self._console.print(Text(text))
