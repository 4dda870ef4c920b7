"""Reads what may be hostile in a process of its own, within seconds and bytes, so that nothing else waits while it is read.

A page is parsed in Python, where the longest one can keep a processor busy for many seconds and every other thread with it,
and no thread can be ended. A process can.
"""

import contextlib
import os
import pickle
import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ParamSpec, Protocol, Self, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")
SECONDS = 20.0
"""How long one page may be read: many times what the largest of honest ones takes."""
MOST_MEMORY = 1024**3
"""Bytes of address space that the process may take."""
_NICE = 10
_ENDED = (EOFError, OSError, pickle.UnpicklingError)


class UnreadError(Exception):
    """It took too long, or too much memory, or could not be read at all."""


class Reader(Protocol):
    """What runs a function that reads."""

    def __call__(
        self, function: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs
    ) -> Result:
        """Return what the function returns, which is one of a module, as are its arguments' types. Raises UnreadError."""
        ...


class Apart:
    """Implements `Reader` in a process that is begun when it is first needed. One thread at a time; a context manager, which ends it."""

    def __init__(self, seconds: float = SECONDS, memory: int = MOST_MEMORY) -> None:
        self._seconds, self._memory = seconds, memory
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def __call__(
        self, function: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs
    ) -> Result:
        """Return what the function returns; see `Reader`."""
        line = self._line or self._begin()
        try:
            line.send((function, args, kwargs))
            if line.poll(self._seconds):
                result: Result = line.recv()
                return result
        except _ENDED:
            self._end()
            raise UnreadError from None
        self._end()
        raise UnreadError

    def _begin(self) -> Connection:
        ours, theirs = socket.socketpair()
        with theirs:
            own = {name: value for name, value in os.environ.items() if not name.startswith("CERTDESK_")}
            paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
            number = theirs.fileno()
            self._process = subprocess.Popen(  # noqa: S603 - this very module
                [sys.executable, "-m", __name__, str(number), str(self._memory)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**own, "PYTHONPATH": paths},  # no setting of certdesk's, for secrets are among them
                pass_fds=(number,),
                start_new_session=True,
            )
        self._line = Connection(ours.detach())
        return self._line

    def _end(self) -> None:
        line, process, self._line, self._process = self._line, self._process, None, None
        if line is not None:
            line.close()
        if process is not None:
            process.kill()
            process.wait()


def serve(line: Connection) -> None:
    """Run what comes over the line, in the process apart, until it is closed; whatever goes wrong ends the process."""
    with contextlib.suppress(EOFError):
        while True:
            function, args, kwargs = line.recv()
            line.send(function(*args, **kwargs))


def here(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Implement `Reader` in this process, without limits: for what is trusted, and for tests."""
    return function(*args, **kwargs)


if __name__ == "__main__":
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
    serve(Connection(int(sys.argv[1])))
