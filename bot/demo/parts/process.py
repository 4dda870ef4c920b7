"""Child processes that are waited for, logged to a file, and never outlive the process that started them."""

import atexit
import contextlib
import os
import platform
import secrets
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

from bot.demo.parts.errors import PartFailed
from bot.demo.parts.part import Part

# Becomes the user, asks Linux to end the child with its parent (prctl 1 is PR_SET_PDEATHSIG, and is forgotten
# when the user changes), then becomes the child. A parent that has died in between shows as another parent id.
_BOUND = """
import ctypes, os, signal, sys
parent, uid, gid = map(int, sys.argv[1:4])
library = ctypes.CDLL(None)
if uid >= 0:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
library.prctl(1, signal.SIGKILL)
if os.getppid() != parent:
    sys.exit("the parent has ended")
os.execvp(sys.argv[4], sys.argv[4:])
"""
_TAIL = 600  # characters of the log that a failure quotes
_given: set[int] = set()
# below what systems give to outgoing connections (Linux from 32768, RFC 6335 section 6 from 49152), one of which
# could take a port between its being found free and its being listened on
_PORTS = range(20_000, 32_000)


def free_port(address: str = "127.0.0.1") -> int:
    """Return a port free now on `address` for TCP and for UDP, which this process has not given out before."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for _ in range(200):
        with (
            socket.socket(family, socket.SOCK_STREAM) as tcp,
            socket.socket(family, socket.SOCK_DGRAM) as udp,
        ):
            # by chance, so that processes that look at the same time do not find the same
            port = _PORTS[secrets.randbelow(len(_PORTS))]
            if port in _given:
                continue
            with contextlib.suppress(OSError):
                tcp.bind((address, port))
                udp.bind((address, port))
                _given.add(port)
                return port
    raise PartFailed("this machine", f"no free port on {address}")


def port_open(port: int, address: str = "127.0.0.1") -> Callable[[], bool]:
    """Return a condition: somebody accepts TCP connections at address:port."""

    def accepts() -> bool:
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            return False
        return True

    return accepts


def http_ok(url: str, ca_bundle: Path | None = None) -> Callable[[], bool]:
    """Return a condition: GET `url` answers 200, over TLS that `ca_bundle` trusts when it is https."""
    context = ssl.create_default_context(cafile=str(ca_bundle)) if ca_bundle else None

    def answers() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2, context=context) as response:  # noqa: S310 - a loopback part
                return bool(response.status == 200)
        except urllib.error.HTTPError as error:
            error.close()
            return False
        except OSError:
            return False

    return answers


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Return as soon as `condition` holds; raise PartFailed naming `what` when it does not hold in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise PartFailed(what, f"it was not so within {seconds:g} seconds")
        time.sleep(0.01)


class Running(Part):
    """A started child. Leaving its `with` block, or the end of this process, stops it; so does `stop`."""

    _all: ClassVar["weakref.WeakSet[Running]"] = weakref.WeakSet()

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.name, self.log, self._process = name, log, process
        Running._all.add(self)

    @classmethod
    def start(  # noqa: PLR0913 - what a child process has: a name, words, a log, a sign of life, a place, variables, an owner
        cls,
        name: str,
        argv: Sequence[str | Path],
        *,
        log: Path,
        ready: Callable[[], bool] = lambda: True,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        user: tuple[int, int] | None = None,
        seconds: float = 30,
    ) -> Self:
        """Start `argv` with its output in `log` and return when `ready` holds, at the latest after `seconds`.

        `env` adds to this process's variables; `user` is (uid, gid) to become. On Linux the child is bound
        to the thread that starts it: start parts in the main thread. Raises PartFailed with the log's end.
        """
        words = [str(word) for word in argv]
        bound = platform.system() == "Linux"
        if bound:
            uid, gid = user or (-1, -1)
            words = [sys.executable, "-I", "-S", "-c", _BOUND, str(os.getpid()), str(uid), str(gid), *words]
        with log.open("ab") as output:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env={**os.environ, **(env or {})},
                user=user[0] if user and not bound else None,
                group=user[1] if user and not bound else None,
                extra_groups=[] if user and not bound else None,
                process_group=0,  # Ctrl-C is for the one who started it, who then ends it in good order
            )
        with contextlib.ExitStack() as stack:
            running = cls(name, process, log)
            stack.enter_context(running)
            running.wait_for(ready, seconds)
            stack.pop_all()  # it runs: from here on its owner stops it
        return running

    @property
    def pid(self) -> int:
        """The process id of the child."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the child still runs."""
        return self._process.poll() is None

    def wait_for(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        """Return when `condition` holds; raise PartFailed with the log's end if the child ends or time runs out."""

        def over() -> bool:
            return not self.alive or condition()

        try:
            wait_until(over, seconds, self.name)
        except PartFailed as failed:
            raise PartFailed(self.name, f"{failed.reason}; its log ends: {self.tail()}") from None
        if not self.alive:
            raise PartFailed(
                self.name, f"it ended with status {self._process.poll()}; its log ends: {self.tail()}"
            )

    def tail(self) -> str:
        """Return the last words of the log, on one line."""
        return " ".join(self.log.read_text(errors="replace")[-_TAIL:].split())

    def signal(self, number: int) -> None:
        """Send the child a signal."""
        self._process.send_signal(number)

    def stop(self, grace: float = 5) -> None:
        """End the child: asked first, forced after `grace` seconds. May be called again."""
        if self.alive:
            self._process.terminate()
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@atexit.register
def _stop_all() -> None:
    for running in list(Running._all):  # noqa: SLF001 - the class's own register
        running.stop(grace=1)
