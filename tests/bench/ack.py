"""How fast a signed slash command is acknowledged, beside a bare Bolt app that only acks behind the same server.

`python -m tests.bench.ack` sends 2,000 requests, 50 in flight, from a second process, to each in turn, and prints
p50, p99 (milliseconds), requests per second and errors, then one line of JSON. http-01 answers are measured as well.
"""

import argparse
import asyncio
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

import flask
from prometheus_client import CollectorRegistry
from slack_bolt import Ack, App
from slack_bolt.adapter.flask import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult

from bot.slack.app import make_app
from bot.slack.http import SlackDoor
from bot.slack.intake import Intake
from bot.slack.settings import SlackSettings
from bot.slack.signature import sign
from bot.web import Site, WebServer
from bot.web import make_app as make_web
from services.model.clock import utc_now
from storage.database import Database

SECRET = "bench-signing-secret"
TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
SLASH, HTTP01 = "/slack/events", f"/.well-known/acme-challenge/{TOKEN}"
AIM_P99, AIM_RATIO = 150.0, 2.0


@dataclass(frozen=True)
class Figures:
    """What one load measured; times in milliseconds."""

    p50: float
    p99: float
    per_second: float
    errors: int

    def __str__(self) -> str:
        return f"p50 {self.p50:6.1f} ms   p99 {self.p99:6.1f} ms   {self.per_second:6.0f}/s   {self.errors} errors"


def ours(folder: str) -> tuple[flask.Flask, Callable[[], None]]:
    """Return certdesk's HTTP side over a real database, and what closes it."""
    storage = Database.open(f"sqlite:///{folder}/bench.db")
    settings = SlackSettings(mode="http", bot_token="xoxb-bench", signing_secret=SECRET)
    bolt = make_app(settings, Intake(storage, utc_now, lambda: None))
    answers = {TOKEN: f"{TOKEN}.{'x' * 43}"}
    site = Site(answers.get, b"key", list, CollectorRegistry(), SlackDoor(bolt, SECRET, utc_now))
    return make_web(site), storage.close


def bare(_folder: str) -> tuple[flask.Flask, Callable[[], None]]:
    """Return a Bolt app that does nothing but ack, as its documentation sets it up behind Flask."""

    def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T", bot_token="xoxb-bench")

    bolt = App(
        signing_secret=SECRET,
        authorize=authorize,
        process_before_response=True,
        token_verification_enabled=False,
        logger=logging.getLogger("bench.bare"),
    )

    def take(ack: Ack) -> None:
        ack()

    bolt.command("/ssl")(take)
    handler = SlackRequestHandler(bolt)
    app = flask.Flask("bare")
    app.post(SLASH)(lambda: handler.handle(flask.request))
    return app, lambda: None


@contextmanager
def serving(make: Callable[[str], tuple[flask.Flask, Callable[[], None]]]) -> Iterator[int]:
    """Serve one of the two on a free port for the length of the block."""
    with tempfile.TemporaryDirectory() as folder:
        app, close = make(folder)
        server = WebServer(app, "127.0.0.1", 0)
        server.start()
        try:
            yield server.port
        finally:
            server.stop()
            close()


def load(port: int, path: str, count: int, in_flight: int) -> Figures:
    """Let a second process send the requests."""
    words = [str(word) for word in ("--load", port, path, count, in_flight)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.ack", *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return Figures(**json.loads(done.stdout))


# --- the second process ----------------------------------------------------------------------------------------------


def request_bytes(path: str, number: int) -> bytes:
    """Return one HTTP request: a signed slash command with a trigger of its own, or a plain GET."""
    if path != SLASH:
        return f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()
    fields = {"command": "/ssl", "text": f"add shop{number}.moon.test", "team_id": "T0", "user_id": "U0"}
    more = {"channel_id": "C0", "trigger_id": f"{time.time_ns()}.{number}"}
    body = urlencode(fields | more).encode()
    at = str(int(time.time()))
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\nX-Slack-Request-Timestamp: {at}\r\n"
        f"X-Slack-Signature: {sign(SECRET, at, body)}\r\n\r\n"
    )
    return head.encode() + body


async def _one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bool:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    await reader.readexactly(length)
    return head.startswith(b"HTTP/1.1 200 ")


async def _client(
    port: int, path: str, numbers: Iterator[int], times: list[float], errors: list[str]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in numbers:
        request = request_bytes(path, number)
        start = time.perf_counter()
        try:
            fine = await asyncio.wait_for(_one(reader, writer, request), 10)
        except (OSError, EOFError, TimeoutError) as error:
            errors.append(repr(error))
            break
        times.append((time.perf_counter() - start) * 1000)
        if not fine:
            errors.append("status")
    writer.close()
    await writer.wait_closed()


async def send(port: int, path: str, count: int, in_flight: int) -> Figures:
    """Send ``count`` requests over ``in_flight`` connections, each with one request at a time."""
    times: list[float] = []
    errors: list[str] = []
    numbers = iter(range(count))
    start = time.perf_counter()
    await asyncio.gather(*(_client(port, path, numbers, times, errors) for _ in range(in_flight)))
    seconds = time.perf_counter() - start
    missing = count - len(times)
    return Figures(
        median(times), quantiles(times, n=100)[98], len(times) / seconds, max(missing, len(errors))
    )


# --- the report ------------------------------------------------------------------------------------------------------


def middle(figures: Sequence[Figures]) -> Figures:
    """Return the run with the median p99, with the errors of all of them."""
    chosen = sorted(figures, key=lambda one: one.p99)[len(figures) // 2]
    return Figures(chosen.p50, chosen.p99, chosen.per_second, sum(one.errors for one in figures))


def compare(count: int, in_flight: int, rounds: int) -> dict[str, Any]:
    """Measure both in turn, ``rounds`` times, on servers that stay up; print and return the figures.

    The ratio is the median of the rounds' own: the two loads of a round saw the same machine.
    """
    with serving(bare) as bare_port, serving(ours) as our_port:
        for port in (bare_port, our_port):
            load(port, SLASH, min(200, count), in_flight)  # warm both up
        pairs = [
            tuple(load(port, SLASH, count, in_flight) for port in (bare_port, our_port))
            for _ in range(rounds)
        ]
        http01 = load(our_port, HTTP01, count, in_flight)
    theirs, mine = (middle(found) for found in zip(*pairs, strict=True))
    ratio = median(one.p99 / other.p99 for other, one in pairs)
    met = mine.p99 < AIM_P99 and ratio <= AIM_RATIO and mine.errors == 0
    print(f"bare Bolt, ack only      {theirs}")
    print(f"certdesk, row and ack    {mine}")
    print(f"certdesk, http-01        {http01}")
    print(
        f"p99 is {ratio:.2f} times the bare app's; aim: under {AIM_P99:.0f} ms, at most {AIM_RATIO:.0f} times, no error"
    )
    return {
        "ack_p50_ms": round(mine.p50, 2),
        "ack_p99_ms": round(mine.p99, 2),
        "ack_per_second": round(mine.per_second),
        "ack_errors": mine.errors,
        "bare_p99_ms": round(theirs.p99, 2),
        "ratio": round(ratio, 2),
        "http01_p99_ms": round(http01.p99, 2),
        "http01_per_second": round(http01.per_second),
        "met": met,
    }


def main() -> int:
    """Run as the bench, or, with --load, as its second process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--in-flight", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--load", nargs=4, metavar=("PORT", "PATH", "COUNT", "IN_FLIGHT"), help=argparse.SUPPRESS
    )
    options = parser.parse_args()
    if options.load:
        port, path, count, in_flight = options.load
        print(json.dumps(asyncio.run(send(int(port), path, int(count), int(in_flight))).__dict__))
        return 0
    found = compare(options.requests, options.in_flight, options.rounds)
    print(json.dumps(found))
    return 0 if found["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
