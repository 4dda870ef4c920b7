"""Webhooks on a real HTTP server: delivered once per state, tried again after failures, and never led astray."""

import contextlib
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bot.webhooks import LARGEST, SELDOM, SOON, Webhooks
from services.model.alerts import Alert, Severity
from services.model.findings import Owner
from services.model.settings import Hook
from services.ports import Message
from storage.memory import MemoryStorage

NOW = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)
LEASE = timedelta(minutes=2)
SECRET = "not-for-others"
ALERT = Alert(
    id="alert_1",
    key="ca.unavailable letsencrypt",
    code="ca.unavailable",
    thing="letsencrypt",
    owner=Owner.CA,
    wide=True,
    opened_at=NOW,
    severity=Severity.CRITICAL,
    members=3,
)


@dataclass(frozen=True)
class Got:
    """What arrived."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """Somebody's webhook, as a test sets it."""

    status: int = 202
    headers: dict[str, str] = field(default_factory=dict)
    says: bytes = b"{}"
    got: list[Got] = field(default_factory=list)
    url: str = ""

    def handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(Got(self.path, dict(self.headers), body))
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(receiver.says)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # nobody has to read it to the end
                    self.wfile.write(receiver.says)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), made.handler())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    yield made
    server.shutdown()
    thread.join(10)
    server.server_close()


@dataclass
class World:
    """An outbox with one page in it."""

    url: str
    kind: str = "json"
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    now: datetime = NOW
    seconds: float = 5.0

    def __post_init__(self) -> None:
        with self.storage.write() as tx:
            tx.alerts.add(ALERT)
        self.owe()

    def owe(self, hook: str = "own", alert: str = ALERT.id) -> None:
        key = f"page:{alert}:{hook}"
        message = Message(
            f"msg_{hook}_{alert}", key, "page", hook, "", private=False, body={"alert": alert}, created_at=self.now,
            via="webhook",
        )  # fmt: skip
        with self.storage.write() as tx:
            tx.outbox.put(message)

    def change(self, **changes: object) -> None:
        """Change the alert, as a click does, and owe the page again."""
        with self.storage.write() as tx:
            alert = tx.alerts.get(ALERT.id)
            assert alert is not None
            assert tx.alerts.change(replace(alert, **changes), self.now)  # type: ignore[arg-type]
        self.owe()

    def run(self) -> int:
        """Deliver what is due, and return how many messages were."""
        webhooks = Webhooks(
            (Hook("own", self.kind, self.url, SECRET),), self.storage, lambda: self.now, self.seconds
        )
        with self.storage.write() as tx:
            due = tx.outbox.claim(self.now, LEASE, 10, via="webhook")
        for message in due:
            webhooks.deliver(message)
        return len(due)

    def stored(self) -> Message:
        with self.storage.read() as tx:
            found = tx.outbox.by_key("page:alert_1:own")
        assert found is not None
        return found

    def retry_in(self) -> timedelta:
        after = self.stored().run_after
        assert after is not None
        return after - self.now


def test_a_page_is_signed_and_delivered_once(receiver: Receiver) -> None:
    world = World(receiver.url)
    assert world.run() == 1
    assert world.run() == 0
    [got] = receiver.got
    signed = hmac.new(
        SECRET.encode(), got.headers["X-Certdesk-Timestamp"].encode() + b"." + got.body, hashlib.sha256
    )
    assert got.headers["X-Certdesk-Signature"] == f"v1={signed.hexdigest()}"
    assert got.headers["Content-Type"] == "application/json"
    assert json.loads(got.body)["action"] == "trigger"
    assert world.stored().sent == world.stored().version


def test_the_next_state_is_delivered_under_the_same_key(receiver: Receiver) -> None:
    world = World(receiver.url, kind="pagerduty")
    world.run()
    world.change(acked=Severity.CRITICAL, acked_by="T1/U1")
    world.run()
    world.change(healed_at=NOW, members=0)
    world.run()
    events = [json.loads(got.body) for got in receiver.got]
    assert [event["event_action"] for event in events] == ["trigger", "acknowledge", "resolve"]
    assert {event["dedup_key"] for event in events} == {"alert_1"}


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
def test_what_passes_by_itself_is_tried_again_soon_and_then_less_often(
    receiver: Receiver, status: int
) -> None:
    world = World(receiver.url)
    receiver.status = status
    for wait in (*SOON, SOON[-1]):
        assert world.run() == 1
        assert world.retry_in() == wait
        assert world.run() == 0
        world.now += wait
    receiver.status = 200
    assert world.run() == 1
    assert world.stored().sent == 1
    assert len(receiver.got) == len(SOON) + 2
    deliveries = {got.headers["X-Certdesk-Delivery"] for got in receiver.got}
    assert deliveries == {"msg_own_alert_1.1"}  # so that the receiver can tell a repeat


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_a_refusal_waits_long_and_is_not_lost(receiver: Receiver, status: int) -> None:
    world = World(receiver.url)
    receiver.status, receiver.says = status, b"no such\n key " + SECRET.encode()
    world.run()
    assert world.retry_in() == SELDOM[0]
    assert world.stored().error == f"{status} no such key …"
    world.now += SELDOM[0]
    receiver.status = 200
    assert world.run() == 1
    assert world.stored().sent == 1


def test_retry_after_is_heeded_within_bounds(receiver: Receiver) -> None:
    world = World(receiver.url)
    receiver.status, receiver.headers = 429, {"Retry-After": "90"}
    world.run()
    assert world.retry_in() == timedelta(seconds=90)
    world.now += timedelta(seconds=90)
    receiver.headers = {"Retry-After": "999999"}
    world.run()
    assert world.retry_in() == timedelta(hours=1)


def test_a_redirect_is_refused(receiver: Receiver) -> None:
    world = World(receiver.url)
    receiver.status, receiver.headers = 307, {"Location": f"{receiver.url}/elsewhere"}
    world.run()
    assert [got.path for got in receiver.got] == ["/hook"]
    assert world.retry_in() == SELDOM[0]
    assert world.stored().error.startswith("307")


def test_a_large_answer_is_not_read_to_its_end(receiver: Receiver) -> None:
    world = World(receiver.url)
    receiver.status, receiver.says = 500, b"x" * (50 * LARGEST)
    world.run()
    assert len(world.stored().error) <= 200
    receiver.status = 200
    world.now += SOON[0]
    world.run()
    assert world.stored().sent == 1


@contextmanager
def answering(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Run a server that takes one connection and lets ``talk`` answer; yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join(10)
        assert not thread.is_alive()


def _wait_for(done: threading.Event) -> None:
    assert done.wait(10)


def test_a_server_that_says_nothing_is_left_in_time() -> None:
    done = threading.Event()
    with answering(lambda _: _wait_for(done)) as url:
        world = World(url, seconds=0.3)
        assert world.run() == 1
        done.set()
    assert world.retry_in() == SOON[0]
    assert "Timeout" in world.stored().error


def _trickle(connection: socket.socket) -> None:
    """Begin an answer whose headers have no end: a byte at a time, each within the time-out of the one before."""
    with contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.1 503 Busy\r\nX-Slow: ")
        for _ in range(200):
            connection.sendall(b"a")
            time.sleep(0.05)


def test_an_answer_that_trickles_in_is_left_in_time() -> None:
    with answering(_trickle) as url:
        world = World(url, seconds=0.3)
        begun = time.monotonic()
        world.run()
        assert time.monotonic() - begun < 3
    assert world.retry_in() == SOON[0]


def test_the_address_of_a_webhook_is_kept_like_its_secret(receiver: Receiver) -> None:
    """In many services whoever knows the path or the query may post."""
    private = "/services/T0/B0-PRIVATE?token=also-private"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = f"http://127.0.0.1:{listener.getsockname()[1]}{private}"
    world = World(nobody)
    world.run()
    assert "refused" in world.stored().error
    assert "private" not in world.stored().error.lower()

    world = World(receiver.url + private)
    receiver.status, receiver.says = 404, f"no route to /hook{private}, token also-private".encode()
    world.run()
    assert world.stored().error == "404 no route to …, token …"


def test_what_is_no_http_is_a_failure() -> None:
    with answering(lambda connection: connection.sendall(b"220 mail.test ESMTP\r\n")) as url:
        world = World(url)
        world.run()
    assert world.retry_in() == SOON[0]


def test_nobody_there_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    world = World(url)
    world.run()
    assert world.retry_in() == SOON[0]
    assert SECRET not in world.stored().error


def test_what_nobody_is_to_be_told_any_more_is_done(receiver: Receiver) -> None:
    world = World(receiver.url)
    world.run()
    world.owe(hook="gone")
    world.owe(alert="alert_gone")
    assert world.run() == 2
    assert world.run() == 0
    assert len(receiver.got) == 1
