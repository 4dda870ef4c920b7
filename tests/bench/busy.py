"""Bench: acknowledging signed slash commands while certificates are issued in the same `certdesk run` process.

Twice: 20 issuances begin with the first command; and 20 are kept under way to the last command, the next asked for as
soon as one is installed. The aims are for the first; the second shows what one process can bear. Beside it, a bare Bolt app that only acks, behind the same server, in a process that does nothing else.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bot import wiring
from bot.demo.parts.errors import PartFailed
from bot.demo.parts.process import wait_until
from services.issuance.adding import add
from services.model.sight import EVERY
from tests.bench import ack, issuance
from tests.bench.figures import aim, table
from tests.bench.world import LOOPBACK, STORE, World, opened, run_certdesk, variables, world

REQUESTS, IN_FLIGHT, ISSUANCES, ROUNDS = 2000, 50, 20, 3
NAMES = 360
"""Names for one round; more than can be issued while it lasts."""
P99, TIMES = 150.0, 2.0
PATIENCE = 120.0
ANSWER = {
    "ok": True,
    "ts": "1.1",
    "team_id": "T0",
    "user": {"id": "U0", "team_id": "T0", "locale": "en-US"},
}
"""What the bench's Slack says to every call."""


@dataclass(frozen=True, slots=True)
class Round:
    """The figures of one round."""

    loads: tuple[ack.Figures, ack.Figures, ack.Figures]
    """The bare app's, certdesk's with 20 issuances, certdesk's with 20 at a time."""
    issued: int
    """How many certificates were asked for, and so as many installed, during the last load."""


def bench(folder: Path) -> bool:
    """Load both in turn, print the table of the runs with the median p99, and tell whether the aims hold."""
    names = issuance.names("busy", ROUNDS * NAMES)
    with world(folder, names) as town, _slack() as api, _bare() as bare_port:
        runs = _runs(town, api, bare_port, names)
    theirs, mine, steady = (ack.middle([run.loads[kind] for run in runs]) for kind in range(3))
    table(
        (f"{REQUESTS} signed commands, {IN_FLIGHT} in flight", "p50", "p99", "rate", "errors"),
        [
            _row("bare Bolt app, ack only", theirs),
            _row(f"certdesk, {ISSUANCES} issuances", mine),
            _row(f"certdesk, {ISSUANCES} issuances at a time throughout", steady),
        ],
    )
    issued = ", ".join(str(run.issued) for run in runs)
    print(f"  certificates issued during each of the last kind of load: {issued}")
    held = (
        aim(f"p99 under {P99:g} ms: {mine.p99:.1f} ms", holds=mine.p99 < P99),
        aim(
            f"p99 at most {TIMES:g} times the bare app's: {mine.p99 / theirs.p99:.2f} times",
            holds=mine.p99 <= TIMES * theirs.p99,
        ),
        aim(f"no error: {mine.errors + steady.errors}", holds=mine.errors + steady.errors == 0),
    )
    return all(held)


def _row(name: str, figures: ack.Figures) -> tuple[object, ...]:
    return (
        name,
        f"{figures.p50:.1f} ms",
        f"{figures.p99:.1f} ms",
        f"{figures.per_second:.0f}/s",
        figures.errors,
    )


def _runs(town: World, api: str, bare_port: int, names: Sequence[str]) -> list[Round]:
    """Start certdesk and load both, round after round."""
    folder = town.folder / "certdesk"
    slack = {"SLACK__BOT_TOKEN": "xoxb-bench", "SLACK__SIGNING_SECRET": ack.SECRET, "SLACK__API_URL": api}
    environment = {**town.environment(folder), **variables(slack)}
    with opened(environment) as application, run_certdesk(environment, folder):
        issuance.give(application, tuple(names))
        for port in (bare_port, town.http_port):
            ack.load(port, ack.SLASH, 200, IN_FLIGHT)  # warm both up
        return [
            _round(application, town, bare_port, tuple(names[n * NAMES : (n + 1) * NAMES]))
            for n in range(ROUNDS)
        ]


def _round(application: wiring.Application, town: World, bare_port: int, names: Sequence[str]) -> Round:
    first, others = names[:ISSUANCES], names[ISSUANCES:]
    theirs = ack.load(bare_port, ack.SLASH, REQUESTS, IN_FLIGHT)
    with _issuing(application, first):
        mine = ack.load(town.http_port, ack.SLASH, REQUESTS, IN_FLIGHT)
    _settled(application)
    with _issuing(application, others) as asked:
        wait_until(lambda: len(asked) >= ISSUANCES, PATIENCE, f"{ISSUANCES} certificates asked for")
        before = len(asked)
        steady = ack.load(town.http_port, ack.SLASH, REQUESTS, IN_FLIGHT)
        issued = len(asked) - before
        if len(asked) == len(others):
            raise PartFailed("the bench", f"{NAMES} names were not enough for {ISSUANCES} at a time")
    _settled(application)
    return Round((theirs, mine, steady), issued)


def _settled(application: wiring.Application) -> None:
    wait_until(lambda: _under_way(application) == 0, PATIENCE, "every certificate installed")


@contextmanager
def _issuing(application: wiring.Application, names: Sequence[str]) -> Iterator[list[str]]:
    """Keep `ISSUANCES` certificates under way for the length of the block; yield the list of names asked for so far."""
    asked: list[str] = []
    over = threading.Event()

    def feed() -> None:
        while not over.is_set() and len(asked) < len(names):
            room = ISSUANCES - _under_way(application)
            some = names[len(asked) : len(asked) + room]
            add(application.desk, some, store=STORE, visible=EVERY, actor="bench")
            asked.extend(some)
            over.wait(0.05)

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield asked
    finally:
        over.set()
        thread.join()


def _under_way(application: wiring.Application) -> int:
    """Return how many certificates are neither installed nor otherwise at rest."""
    with application.storage.read() as tx:
        return sum(
            not row.resting for row in tx.certificates.listing(STORE, 100)
        )  # those under way come first


@contextmanager
def _bare() -> Iterator[int]:
    """Run the bare app in a process of its own; yield its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.busy", "--bare"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.communicate()  # the end of its input ends it


def serve_bare() -> None:
    """Serve the bare app until standard input ends; say its port first."""
    with ack.serving(ack.bare) as port:
        print(port, flush=True)
        sys.stdin.read()


class _Slack(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _slack() -> Iterator[str]:
    """Serve a Slack that knows one person and takes every message; yield its API's URL."""
    with ThreadingHTTPServer((LOOPBACK, 0), _Slack) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{server.server_address[1]}/api/"
        finally:
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    serve_bare()
