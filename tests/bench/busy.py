"""Bench: acknowledging signed slash commands while certificates are issued in the same `certdesk run` process.

Beside it, a bare Bolt app that only acks, behind the same server, in a process that does nothing else.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bot import wiring
from bot.demo.parts.process import wait_until
from tests.bench import ack, issuance
from tests.bench.figures import aim, table
from tests.bench.world import LOOPBACK, STORE, World, opened, run_certdesk, variables, world

REQUESTS, IN_FLIGHT, ISSUANCES, ROUNDS = 2000, 50, 20, 3
P99, TIMES = 150.0, 2.0
PATIENCE = 120.0
ANSWER = {
    "ok": True,
    "ts": "1.1",
    "team_id": "T0",
    "user": {"id": "U0", "team_id": "T0", "locale": "en-US"},
}
"""What the bench's Slack says to every call."""


def bench(folder: Path) -> bool:
    """Load both in turn, print the table of the runs with the median p99, and tell whether the aims hold."""
    names = issuance.names("busy", ROUNDS * ISSUANCES)
    with world(folder, names) as town, _slack() as api, _bare() as bare_port:
        runs = _runs(town, api, bare_port, names)
    theirs, mine = ack.middle([run[0] for run in runs]), ack.middle([run[1] for run in runs])
    table(
        (f"{REQUESTS} signed commands, {IN_FLIGHT} in flight", "p50", "p99", "rate", "errors"),
        [
            _row("bare Bolt app, ack only", theirs),
            _row(f"certdesk, {ISSUANCES} issuances running", mine),
        ],
    )
    under_way = ", ".join(f"{left:.0%}" for _, _, left in runs)
    print(f"  part of each load during which issuances were under way: {under_way}")
    held = (
        aim(f"p99 under {P99:g} ms: {mine.p99:.1f} ms", holds=mine.p99 < P99),
        aim(
            f"p99 at most {TIMES:g} times the bare app's: {mine.p99 / theirs.p99:.2f} times",
            holds=mine.p99 <= TIMES * theirs.p99,
        ),
        aim(f"no error: {mine.errors}", holds=mine.errors == 0),
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


def _runs(
    town: World, api: str, bare_port: int, names: Sequence[str]
) -> list[tuple[ack.Figures, ack.Figures, float]]:
    """Return, for each round, the bare app's figures, certdesk's, and the part of the load's time with issuances under way."""
    folder = town.folder / "certdesk"
    slack = {"SLACK__BOT_TOKEN": "xoxb-bench", "SLACK__SIGNING_SECRET": ack.SECRET, "SLACK__API_URL": api}
    environment = {**town.environment(folder), **variables(slack)}
    with opened(environment) as application, run_certdesk(environment, folder):
        issuance.give(application, tuple(names))
        for port in (bare_port, town.http_port):
            ack.load(port, ack.SLASH, 200, IN_FLIGHT)  # warm both up
        return [
            _round(application, town, bare_port, tuple(names[n * ISSUANCES : (n + 1) * ISSUANCES]))
            for n in range(ROUNDS)
        ]


def _round(
    application: wiring.Application, town: World, bare_port: int, names: tuple[str, ...]
) -> tuple[ack.Figures, ack.Figures, float]:
    before = issuance.installed(application)
    wait_until(lambda: _idle(application), PATIENCE, "the commands of the last load are done")
    theirs = ack.load(bare_port, ack.SLASH, REQUESTS, IN_FLIGHT)
    with issuance.adding(application, names):
        began = application.clock()
        mine = ack.load(town.http_port, ack.SLASH, REQUESTS, IN_FLIGHT)
        ended = application.clock()
        wanted = before + len(names)
        wait_until(
            lambda: issuance.installed(application) == wanted, PATIENCE, f"{wanted} certificates installed"
        )
    return theirs, mine, (min(issuance.last_proof(application), ended) - began) / (ended - began)


def _idle(application: wiring.Application) -> bool:
    """Tell whether nothing is left to do but messages, which leave as slowly as Slack wants them."""
    with application.storage.read() as tx:
        rows = tx.certificates.listing(STORE, 1000)
    return all(row.resting for row in rows)


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
