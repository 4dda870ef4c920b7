"""What a play on this machine is: real parts in a folder of their own, an orderly end whatever comes, and an exit code."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from io import TextIOWrapper
from pathlib import Path
from types import FrameType

from bot.config import PREFIX
from bot.demo.parts.errors import PartError
from bot.demo.stage import PlayError
from bot.demo.transcript import Transcript
from services.model.errors import CertdeskError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """A signal came; ``number`` is its number."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"stopped by {signal.Signals(number).name}")


class Signals:
    """Turns the first Ctrl-C, SIGTERM or SIGHUP into Stopped; once the clearing up has begun, none disturbs it."""

    def __init__(self) -> None:
        self._number, self._deaf = 0, False
        for number in _SIGNALS:
            signal.signal(number, self._came)

    def _came(self, number: int, _: FrameType | None) -> None:
        first, self._number = not self._number, number
        if first and not self._deaf:
            raise Stopped(number)

    def check(self) -> None:
        """Raise Stopped if a signal has come: Python drops what is raised at some moments, in a destructor say."""
        if self._number:
            raise Stopped(self._number)

    def ignore(self) -> None:
        """Raise nothing from now on."""
        self._deaf = True


Act = Callable[[Path, ExitStack, Signals], None]
"""Plays in a folder, with a stack that is left at the end. Raises PlayError if it did not come to its end."""


def perform(act: Act, transcript: Transcript, what: str) -> tuple[int, str]:
    """Play; return the exit code and why it ended early: 0 and nothing, 1, or 128 and the number of the signal that ended it.

    Why is also told in the transcript, after ``what``. Nothing is left behind.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without the signs shows others
    _forget_settings()
    signals = Signals()
    try:
        _played(act, signals, what)
    except Stopped as stopped:
        code, reason = 128 + stopped.number, str(stopped)
    except (PartError, PlayError, CertdeskError, OSError, subprocess.SubprocessError) as error:
        code, reason = 1, str(error)
    else:
        return 0, ""
    with contextlib.suppress(OSError):  # whoever read it may have gone
        transcript.head(f"{what} did not come to its end: {reason}")
    return code, reason


def _played(act: Act, signals: Signals, what: str) -> None:
    with ExitStack() as stack:
        try:
            folder = Path(tempfile.mkdtemp(prefix=f"certdesk-{what.rsplit(maxsplit=1)[-1]}-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            act(folder, stack, signals)
        finally:
            signals.ignore()


def _forget_settings() -> None:
    """Take the caller's own settings out of the way: the demo must never speak to a real Slack or a real CA."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
