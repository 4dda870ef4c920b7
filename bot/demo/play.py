"""`certdesk demo`: plays the main job by itself, shows where to look, and stays up until Ctrl-C."""

import contextlib
import json
import time
from contextlib import ExitStack
from pathlib import Path

from bot.demo import guide, session
from bot.demo import world as demo_world
from bot.demo.desks import Desk, Terminal, Workspace
from bot.demo.parts import fetch
from bot.demo.sample import NAME
from bot.demo.session import Signals, Stopped
from bot.demo.stage import PlayError, Stage, main_job
from bot.demo.transcript import Transcript
from bot.demo.world import World
from storage.database import Database

_LOOKS = 0.5
"""Seconds between looks at what runs, while the demo stays up."""


def play(*, once: bool, cache: Path = fetch.CACHE) -> int:
    """Play the demo; return the exit code: 0, 1 with the reason told, or 128 and the number of the signal that ended it.

    With ``once`` a JSON line comes last, and everything stops. Parts are fetched into ``cache``.
    """
    transcript, began = Transcript(), time.monotonic()
    result: dict[str, object] = {"ok": False, "name": NAME}

    def act(folder: Path, stack: ExitStack, signals: Signals) -> None:
        transcript.head("certdesk demo", "the main job on real parts, all on this machine")
        world = demo_world.start(folder, stack, transcript, cache)
        result.update(main_job(_stage(world, stack, transcript, signals)))
        result.update(ok=True, seconds=round(time.monotonic() - began, 1))
        if not once:
            guide.where_to_look(world, transcript)
            guide.what_to_try(world, transcript)
            _stay_up(world, signals)
            transcript.head("Stopping all that the demo started.")

    code, reason = session.perform(act, transcript, "The demo")
    if reason:
        result.update(ok=False, reason=reason)
    result.setdefault("seconds", round(time.monotonic() - began, 1))
    if once:
        with contextlib.suppress(OSError):  # whoever read it may have gone
            transcript.verbatim(json.dumps(result))
    return code


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
