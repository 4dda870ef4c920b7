"""What waits after a failure: channels, threads and workspaces that take nothing until some moment."""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.model.workspaces import placed
from services.ports import Message

REMEMBERED = timedelta(hours=1)
"""How long a pause that has ended is kept: by then everything that was due before its end has been claimed."""


def everywhere(message: Message) -> str:
    """Return what a whole workspace is paused by."""
    return f"*{message.team}"


@dataclass(frozen=True, slots=True)
class Pause:
    """Until when a channel takes nothing, and what Slack said."""

    until: datetime
    error: str


class Pauses:
    """Channels (and threads) that take nothing until some moment; this process's alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, Pause] = {}

    def find(self, message: Message, now: datetime) -> Pause | None:
        """Return the pause that the message has to wait for, the longest one; None if it need not wait.

        Those that waited are all due when their pause ends, and sorted by age. So a message that was due before the end
        and is claimed after it has to line up with them: it is put off to that moment, which is past.
        """
        with self._lock:
            self._held = {
                where: pause for where, pause in self._held.items() if pause.until > now - REMEMBERED
            }
            found = [
                self._held[where]
                for where in (placed(message.team, message.channel), message.thread, everywhere(message))
                if where in self._held and _waits(message, self._held[where], now)
            ]
        return max(found, key=lambda pause: pause.until, default=None)

    def pause(self, where: str, pause: Pause) -> None:
        """Pause ``where`` (a channel, the key of a thread's message, or a workspace), unless it is paused for longer."""
        with self._lock:
            held = self._held.get(where)
            if held is None or held.until < pause.until:
                self._held[where] = pause


def _waits(message: Message, pause: Pause, now: datetime) -> bool:
    return pause.until > now or (message.run_after is not None and message.run_after < pause.until)
