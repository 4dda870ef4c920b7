"""The clients that certdesk is measured beside: certbot of PyPI and lego of Debian, on the same pebble by the same http-01.

Each has made its account before the clock starts, writes its usual files, and keeps its own defaults; certificates
are for P-256 keys, as certdesk's are.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bot.demo.parts import fetch
from bot.demo.parts.errors import PartFailed, PartMissing
from tests.bench.world import LOOPBACK, World

ONE_AT_MOST = 120.0
"""Seconds that one certificate may take."""


def certbot(world: World, folder: Path, names: Sequence[str]) -> tuple[float, float]:
    """Issue all but the first of ``names`` one after the other with `certbot certonly --standalone`.

    Return the seconds that passed and the processor seconds that were used.
    """
    folder.mkdir(parents=True)
    folders = [word for part in ("config", "work", "logs") for word in (f"--{part}-dir", str(folder / part))]
    words = [
        str(_certbot()), "certonly", "--standalone", "--non-interactive", "--agree-tos", "--register-unsafely-without-email",
        "--server", world.pebble.directory, "--http-01-port", str(world.http_port), "--http-01-address", LOOPBACK, *folders,
    ]  # fmt: skip
    run = partial(_run, env={"REQUESTS_CA_BUNDLE": str(world.pebble.ca_bundle)})
    return _timed(1, lambda name: run([*words, "-d", name]), names)


def lego(world: World, folder: Path, names: Sequence[str], at_once: int) -> tuple[float, float]:
    """Issue all but the first of ``names`` with lego, ``at_once`` processes at a time, answers through a webroot.

    Return the seconds that passed and the processor seconds that were used, without those of the webroot's server.
    """
    webroot = folder / "webroot"
    webroot.mkdir(parents=True)
    words = [
        str(_lego()), "--server", world.pebble.directory, "--accept-tos", "--email", "bench@platform.test", "--key-type", "ec256",
        "--path", str(folder / "lego"), "--http", "--http.webroot", str(webroot),
    ]  # fmt: skip
    run = partial(_run, env={"LEGO_CA_CERTIFICATES": str(world.pebble.ca_bundle)})
    with _serving(webroot, world.http_port):
        return _timed(at_once, lambda name: run([*words, "--domains", name, "run"]), names)


def _timed(at_once: int, issue: Callable[[str], None], names: Sequence[str]) -> tuple[float, float]:
    warm_up, *counted = names
    issue(warm_up)
    before, start = _children(), time.monotonic()
    with ThreadPoolExecutor(at_once) as pool:
        for done in [pool.submit(issue, name) for name in counted]:
            done.result()
    return time.monotonic() - start, _children() - before


def _children() -> float:
    """Return the processor seconds of all children of this process that have ended and were waited for."""
    times = os.times()
    return times.children_user + times.children_system


def _run(words: Sequence[str], env: Mapping[str, str]) -> None:
    done = subprocess.run(
        words, env={**os.environ, **env}, capture_output=True, text=True, check=False, timeout=ONE_AT_MOST
    )
    if done.returncode:
        raise PartFailed(Path(words[0]).name, " ".join((done.stderr or done.stdout).split())[-500:])


def _lego() -> Path:
    found = fetch.program("lego")
    return found or fetch.debian(["lego"]) / "usr" / "bin" / "lego"


def _certbot() -> Path:
    """Return certbot, in a virtual environment of its own that is made once."""
    folder = fetch.CACHE / "certbot"
    program = folder / "bin" / "certbot"
    if not program.exists():
        for words in (
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input", "certbot"],
        ):
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode:
                raise PartMissing("certbot", done.stderr.strip()[-300:], "see that PyPI can be reached")
    return program


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128


@contextmanager
def _serving(webroot: Path, port: int) -> Iterator[None]:
    with _Server((LOOPBACK, port), partial(_Quiet, directory=str(webroot))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
