"""A storage that keeps requests and messages, and a Slack Web API on loopback that answers as a test tells it to."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl

from services.model.errors import LeaseLostError
from services.ports import Message, Request, Storage, Transaction

NOW = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)


@dataclass
class FakeClock:
    """A clock that moves when it is told to."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class FakeRequests:
    rows: dict[str, Request] = field(default_factory=dict)

    def add(self, request: Request) -> bool:
        if request.dedupe in self.rows:
            return False
        self.rows[request.dedupe] = request
        return True


@dataclass
class FakeOutbox:
    """The outbox for one message at a time: what became of each delivery."""

    rows: dict[str, Message] = field(default_factory=dict)
    finals: dict[str, bool] = field(default_factory=dict)
    stolen: set[str] = field(default_factory=set)
    """Keys that another worker has claimed since."""

    def put(self, message: Message) -> None:
        self.rows[message.key] = message

    def by_key(self, key: str) -> Message | None:
        return self.rows.get(key)

    def delivered(self, message: Message, ts: str, *, final: bool) -> None:
        self._held(message)
        self.finals[message.key] = final
        self.rows[message.key] = replace(
            self.rows[message.key], ts=ts, sent=message.version, error="", failures=0
        )

    def postponed(self, message: Message, run_after: datetime, error: str) -> None:
        self._held(message)
        row = self.rows[message.key]
        self.rows[message.key] = replace(row, run_after=run_after, error=error, failures=row.failures + 1)

    def _held(self, message: Message) -> None:
        if message.key in self.stolen:
            raise LeaseLostError(message.id)


class FakeStorage:
    """Requests and outbox; `fail_with` makes the next write raise."""

    def __init__(self) -> None:
        self.requests, self.outbox = FakeRequests(), FakeOutbox()
        self.fail_with: Exception | None = None
        self._lock = threading.Lock()

    @contextmanager
    def write(self) -> Iterator["FakeStorage"]:
        with self._lock:
            if self.fail_with is not None:
                raise self.fail_with
            yield self

    @contextmanager
    def read(self) -> Iterator["FakeStorage"]:
        yield self

    @property
    def port(self) -> Storage:
        """The same, as what the code under test knows."""
        return cast("Storage", self)

    @property
    def transaction(self) -> Transaction:
        return cast("Transaction", self)


Answer = tuple[int, Mapping[str, str], Any]
"""HTTP status, extra headers, body (JSON-ready, or text as it is)."""


def ok(**more: Any) -> Answer:
    return 200, {}, {"ok": True, **more}


def no(error: str, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, named, {"ok": False, "error": error}


class SlackApi:
    """Answers each method from a list; the last answer repeats. `calls` keeps what was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._answers: dict[str, list[Answer]] = {}
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                api.respond(self, self.path.rpartition("/")[2], body)

            def do_GET(self) -> None:
                api.respond(self, self.path.rpartition("/")[2], "")

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/api/"

    def tell(self, method: str, *answers: Answer) -> None:
        self._answers[method] = list(answers)

    def asked(self, method: str) -> list[dict[str, Any]]:
        return [body for name, body in self.calls if name == method]

    @property
    def methods(self) -> Sequence[str]:
        return [name for name, _ in self.calls]

    def respond(self, handler: BaseHTTPRequestHandler, method: str, body: str) -> None:
        self.calls.append((method, json.loads(body) if body.startswith("{") else dict(parse_qsl(body))))
        status, headers, said = self.answer(handler, method)
        content = (said if isinstance(said, str) else json.dumps(said)).encode()
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def answer(self, _handler: BaseHTTPRequestHandler, method: str) -> Answer:
        """Return what is answered: the next one that was told, the last one again and again."""
        waiting = self._answers[method]
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
