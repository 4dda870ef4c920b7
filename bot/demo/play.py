"""`certdesk demo`: plays the main job by itself, shows where to look, and stays up until Ctrl-C."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from io import TextIOWrapper
from pathlib import Path
from types import FrameType

from bot.config import PREFIX
from bot.demo import guide
from bot.demo import world as demo_world
from bot.demo.desks import Desk, Terminal, Workspace
from bot.demo.parts import fetch
from bot.demo.parts.errors import PartError
from bot.demo.sample import NAME
from bot.demo.stage import PlayError, Stage, main_job
from bot.demo.transcript import Transcript
from bot.demo.world import World
from services.model.errors import CertdeskError
from storage.database import Database

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOOKS = 0.5
"""Seconds between looks at what runs, while the demo stays up."""


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


def play(*, once: bool, cache: Path = fetch.CACHE) -> int:
    """Play the demo; return the exit code: 0, 1 with the reason told, or 128 and the number of the signal that ended it.

    With ``once`` a JSON line comes last, and everything stops. Parts are fetched into ``cache``.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without the signs shows others
    _forget_settings()
    transcript, signals, began = Transcript(), Signals(), time.monotonic()
    result: dict[str, object] = {"ok": False, "name": NAME}
    code = 1
    try:
        _played(transcript, signals, result, cache, began, once=once)
        code = 0
    except Stopped as stopped:
        result |= {"ok": False, "reason": str(stopped)}
        code = 128 + stopped.number
    except (PartError, PlayError, CertdeskError, OSError, subprocess.SubprocessError) as error:
        result |= {"ok": False, "reason": str(error)}
    result.setdefault("seconds", round(time.monotonic() - began, 1))
    with contextlib.suppress(OSError):  # whoever read it may have gone
        if "reason" in result:
            transcript.head(f"The demo did not come to its end: {result['reason']}")
        if once:
            transcript.verbatim(json.dumps(result))
    return code


def _forget_settings() -> None:
    """Take the caller's own settings out of the way: the demo must never speak to a real Slack or a real CA."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]


def _played(
    transcript: Transcript,
    signals: Signals,
    result: dict[str, object],
    cache: Path,
    began: float,
    *,
    once: bool,
) -> None:
    with ExitStack() as stack:
        try:
            transcript.head("certdesk demo", "the main job on real parts, all on this machine")
            folder = Path(tempfile.mkdtemp(prefix="certdesk-demo-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            world = demo_world.start(folder, stack, transcript, cache)
            result |= main_job(_stage(world, stack, transcript, signals))
            result |= {"ok": True, "seconds": round(time.monotonic() - began, 1)}
            if not once:
                guide.where_to_look(world, transcript)
                guide.what_to_try(world, transcript)
                _stay_up(world, signals)
                transcript.head("Stopping all that the demo started.")
        finally:
            signals.ignore()


def _stage(world: World, stack: ExitStack, transcript: Transcript, signals: Signals) -> Stage:
    storage = Database.open(world.database_url)
    stack.callback(storage.close)
    desk: Desk = Workspace(world.slack) if world.slack else Terminal(world.environment)
    stack.callback(desk.stop)
    return Stage(world, desk, storage, transcript, signals.check)


def _stay_up(world: World, signals: Signals) -> None:
    """Return at Ctrl-C, SIGTERM or SIGHUP. Raises PlayError if certdesk ends before."""
    with contextlib.suppress(Stopped):
        while world.certdesk.alive:
            signals.check()
            time.sleep(_LOOKS)
        raise PlayError(f"certdesk has ended; its log ends: {world.certdesk.tail()}")
