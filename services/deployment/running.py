"""Commands of app.yaml: run as argument lists, within a time, in a group of their own; what they print is kept, without keys."""

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Self

KEPT = 16_384
"""Bytes of the output that are kept, from its end."""
SHOWN = 300
"""Characters of the output that an error quotes."""
_PIECE = 16
"""Characters in a row of a key that give it away: shorter pieces can be chance."""
_READ_ON = 1.0
"""Seconds for the rest of the output of a command that has ended, whose pipe a child of it may still hold."""
_PEM_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
_BASE64 = re.compile(r"[A-Za-z0-9+/=_-]{16,}")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    output: str
    """The end of what it printed, on both streams."""


class CommandTimeoutError(Exception):
    """A command did not end in time, and was ended with its children."""

    def __init__(self, seconds: float, output: str) -> None:
        super().__init__(f"it did not end within {seconds:g} seconds")
        self.output = output


def run(
    command: Sequence[str], seconds: float, *, secret: str = "", environment: Mapping[str, str] | None = None
) -> Ended:
    """Run ``command`` without a shell and return how it ended; nothing of ``secret`` (a PEM key) is in its output.

    ``environment`` adds to this process's own, of which certdesk's settings (CERTDESK_*) are left out: secrets are among
    them. Raises OSError if it cannot be started and CommandTimeoutError if it does not end within ``seconds``.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("CERTDESK_")}
    child = subprocess.Popen(  # noqa: S603 - the list comes from app.yaml, and nothing of it from outside
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**own, **(environment or {})},
        start_new_session=True,
    )
    with _Output(child.stdout) as output:
        try:
            code = child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise CommandTimeoutError(seconds, redacted(output.text(), secret)) from None
        return Ended(code, redacted(output.text(), secret))


class _Output:
    """Reads a pipe to its end in a thread, so that the command never waits for us, and keeps the last of it."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        if pipe is None:
            raise ValueError("the command has no pipe")
        self._pipe = pipe
        self._kept, self._cut = b"", False
        self._thread = threading.Thread(target=self._read, name="output", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the thread; where a child that was left behind still holds the pipe, the thread ends with that."""

    def _read(self) -> None:
        with self._pipe as pipe:
            while piece := os.read(pipe.fileno(), 65_536):
                whole = self._kept + piece
                self._cut = self._cut or len(whole) > KEPT
                self._kept = whole[-KEPT:]

    def text(self) -> str:
        self._thread.join(_READ_ON)  # the rest of what was printed
        kept, cut = self._kept, self._cut
        # where its beginning is cut off, so may be the key's, and fewer characters than give it away are no loss
        return kept[2 * _PIECE if cut else 0 :].decode(errors="replace").strip()


def redacted(text: str, secret: str) -> str:
    """Return ``text`` without private keys in PEM, and without any piece of the base64 of ``secret``."""
    hidden = _PEM_KEY.sub("…", text)
    body = "".join(line for line in secret.split("\n") if not line.startswith("-----")).replace("\r", "")
    pieces = {body[at : at + _PIECE] for at in range(len(body) - _PIECE + 1)}

    def hide(found: re.Match[str]) -> str:
        run_of = found[0]
        windows = (run_of[at : at + _PIECE] for at in range(len(run_of) - _PIECE + 1))
        return "…" if any(window in pieces for window in windows) else run_of

    return _BASE64.sub(hide, hidden) if pieces else hidden
