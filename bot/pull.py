"""The listeners of targets of kind ``http``: GET /?server_name=NAME gives chain and key in PEM, or 204 for a name that is not ours."""

import asyncio
import contextlib
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from bot import pull_places
from bot import settings as wired
from bot.pull_http import FAILED, FIRST, LATER, Connection, Gate
from bot.web import SWITCH_SECONDS
from bot.wiring import Application
from services.deployment.answers import Answers
from services.deployment.pull import SOCKET, PullSettings
from services.model.errors import CertdeskError

log = structlog.get_logger()

PATIENCE = 0.05
"""Seconds that an answer waits for a look at the publications, before it is given from memory."""
SWEEP = 15.0
"""Seconds between two looks for keys that nobody asks for any more."""


def listeners(application: Application) -> list["PullListener"]:
    """Return a listener, not yet started, for each target of kind ``http``. Raises ConfigurationError."""
    made: list[PullListener] = []
    with contextlib.ExitStack() as stack:
        for entry in wired.targets(application.loaded):
            if isinstance(entry.settings, PullSettings):
                answers = Answers(entry.name, application.storage, application.vault, time.monotonic)
                made.append(PullListener(entry.name, entry.settings, answers))
                stack.callback(made[-1].stop)
        stack.pop_all()
    return made


class PullListener:
    """One target's listener, in a thread of its own."""

    def __init__(self, target: str, settings: PullSettings, answers: Answers) -> None:
        """Bind and listen. Raises ConfigurationError with what is in the way."""
        self._target, self._settings, self._answers = target, settings, answers
        self._unix = settings.listen.startswith(SOCKET)
        self.gate = Gate(pull_places.token(target, settings), hosts=not self._unix)
        self._context = pull_places.context(target, settings)
        self._socket = pull_places.listening(target, settings)
        self.connections: set[Connection] = set()
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="pull")
        self._loop = asyncio.new_event_loop()
        self._flight: asyncio.Future[None] | None = None
        self._flown = 0.0
        self._thread = threading.Thread(target=self._run, name=f"pull {target}", daemon=True)
        self._begun = threading.Event()
        self._down = False

    @property
    def port(self) -> int:
        """The port that is listened on; 0 for a Unix socket."""
        return 0 if self._unix else int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Begin to answer."""
        sys.setswitchinterval(SWITCH_SECONDS)
        self._thread.start()
        self._begun.wait()

    def stop(self) -> None:
        """Answer nothing more, and close everything. May be called twice, and without `start`."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        if not self._loop.is_closed():
            self._loop.close()
        self._pool.shutdown()
        self._socket.close()
        if self._unix:
            Path(self._settings.listen.removeprefix(SOCKET)).unlink(missing_ok=True)

    # --- what connections ask, in the loop's thread

    def at_once(self, name: str) -> bytes | None:
        """Return the answer for ``name``, None for 204, or LATER if memory alone does not do."""
        if self._answers.stale:
            return LATER
        revision = self._answers.revision_of(name)
        return None if revision is None else self._answers.find(revision) or LATER

    async def soon(self, name: str) -> bytes | None:
        """Return the answer for ``name`` after a look at what was published; FAILED if nothing can be said."""
        if self._answers.stale:
            await self._looked()
        if not self._answers.known:
            return FAILED
        revision = self._answers.revision_of(name)
        if revision is None:
            return None
        kept = self._answers.find(revision)
        return kept if kept is not None else await self._loop.run_in_executor(self._pool, self._load, name)

    async def _looked(self) -> None:
        """Wait, but not for long, for the one look that is under way; there is never more than one."""
        now = self._loop.time()
        if self._flight is None or self._flight.done():
            self._flight = self._loop.run_in_executor(self._pool, self._refresh)
            self._flown = now
        patience = PATIENCE if self._answers.known else FIRST
        await asyncio.wait({self._flight}, timeout=max(0.0, self._flown + patience - now))

    def _refresh(self) -> None:
        try:
            self._answers.refresh()
        except CertdeskError as error:
            if not self._down:
                log.warning("answers of a target go on from memory", target=self._target, why=str(error))
            self._down = True
        else:
            self._down = False

    def _load(self, name: str) -> bytes | None:
        try:
            return self._answers.load(name)
        except CertdeskError as error:
            log.warning("a certificate could not be answered", target=self._target, why=str(error))
            return FAILED

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        create = self._loop.create_unix_server if self._unix else self._loop.create_server
        server = self._loop.run_until_complete(
            create(lambda: Connection(self), sock=self._socket, ssl=self._context, backlog=1024)
        )
        self._sweep()
        self._loop.call_soon(self._begun.set)
        self._loop.run_forever()
        self._loop.remove_reader(self._socket)  # no more are accepted
        self._turn()  # the last ones become connections, which a closed server would not let them
        server.close()
        for connection in list(self.connections):
            connection.close()
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        self._turn()  # what was closed lets go of its socket a turn later

    def _turn(self) -> None:
        """Let everything that is ready now have its turn."""
        self._loop.run_until_complete(asyncio.sleep(0))

    def _sweep(self) -> None:
        """Let go of keys that nobody asks for, whether somebody asks for others or not."""
        self._answers.forget()
        self._loop.call_later(SWEEP, self._sweep)
