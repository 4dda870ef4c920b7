"""The HTTP side answers what it should, shows nothing back, and stops cleanly."""

import hashlib
import hmac
import http.client
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry, Counter

from bot.demo.parts.process import port_open, wait_until
from bot.web import MAX_BODY, Site, WebServer, make_app
from services.alerting.selfcheck import Check
from services.checks.edge_proof import edge_proof
from services.model.text import say

KEY = b"0123456789abcdef"
TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"


class Parts:
    """What the pages are made of, as a test sets it."""

    def __init__(self) -> None:
        self.answers, self.reasons, self.asked = {TOKEN: f"{TOKEN}.thumb"}, list[str](), list[str]()
        self.checks = list[Check]()
        self.registry = CollectorRegistry()
        Counter("certdesk_tests", "Tests", registry=self.registry).inc()

    def answer_for(self, token: str) -> str | None:
        self.asked.append(token)
        return self.answers.get(token)

    def site(self) -> Site:
        return Site(self.answer_for, KEY, lambda: self.reasons, self.registry, checks=lambda: self.checks)


@pytest.fixture
def parts() -> Parts:
    return Parts()


@pytest.fixture
def client(parts: Parts) -> FlaskClient:
    return make_app(parts.site()).test_client()


def test_a_challenge_is_answered(client: FlaskClient) -> None:
    answer = client.get(f"/.well-known/acme-challenge/{TOKEN}")
    assert (answer.status_code, answer.text) == (200, f"{TOKEN}.thumb")
    assert answer.content_type == "text/plain; charset=utf-8"


@pytest.mark.parametrize("token", ["unknown", "a" * 201, "<script>", "a/../b", "%00", "..", "é"])
def test_an_unknown_token_is_not_found_and_not_shown(client: FlaskClient, token: str) -> None:
    for folder in ("acme-challenge", "other"):
        answer = client.get(f"/.well-known/{folder}/{token}")
        assert answer.status_code == 404
        assert answer.text.lower() == "not found\n"


def test_what_cannot_be_a_token_is_not_looked_up(client: FlaskClient, parts: Parts) -> None:
    client.get("/.well-known/acme-challenge/it's")
    assert parts.asked == []


def test_the_edge_proves_that_it_is_ours(client: FlaskClient) -> None:
    answer = client.get("/.well-known/certdesk/probe-1")
    assert answer.text == hmac.new(KEY, b"probe-1", hashlib.sha256).hexdigest() == edge_proof(KEY, "probe-1")
    assert client.get("/.well-known/certdesk/no!").status_code == 404


def test_health(client: FlaskClient, parts: Parts) -> None:
    assert client.get("/health/live").status_code == 200
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json) == (200, {"ready": True, "reasons": []})
    parts.reasons.append("The database does not answer.")
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json) == (
        503,
        {"ready": False, "reasons": ["The database does not answer."]},
    )


def test_how_certdesk_itself_is(client: FlaskClient, parts: Parts) -> None:
    parts.checks.append(Check("workers", "certdesk.stalled", say("Workers run.")))
    well = client.get("/health")
    assert well.status_code == 200
    assert well.json == {
        "ok": True,
        "checks": [
            {
                "name": "workers",
                "code": "certdesk.stalled",
                "ok": True,
                "since": None,
                "sentence": "Workers run.",
                "remedy": None,
            }
        ],
    }
    since = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)
    parts.checks.append(Check("watch", "certdesk.stalled", say("It is late."), say("On-call: look."), since))
    ill = client.get("/health")
    assert ill.status_code == 503
    assert ill.json is not None
    assert ill.json["ok"] is False
    assert ill.json["checks"][1]["since"] == "2027-02-10T14:03:00Z"
    assert ill.json["checks"][1]["remedy"] == "On-call: look."
    assert client.get("/health/ready").status_code == 200


def test_metrics(client: FlaskClient) -> None:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert "certdesk_tests_total 1.0" in answer.text


def test_there_is_no_slack_page_without_http_mode(client: FlaskClient) -> None:
    assert client.post("/slack/events", data="x").status_code == 404


@pytest.mark.parametrize("path", ["/health/live", "/nowhere", "/metrics"])
def test_every_answer_is_guarded(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("path", ["//health/live", "/health/live/", "/", "/health"])
def test_nothing_is_redirected(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={"Host": "evil.test"})
    assert answer.status_code in (200, 404)
    assert "evil.test" not in answer.text + str(answer.headers)


def test_secrets_stay_out_of_repr(parts: Parts) -> None:
    assert str(KEY) not in repr(parts.site())


@pytest.fixture
def server(parts: Parts) -> Iterator[WebServer]:
    server = WebServer(make_app(parts.site()), "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


def _get(port: int, path: str, host: str = "127.0.0.1") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


def test_the_server_answers_and_names_no_product(server: WebServer) -> None:
    answer = _get(server.port, "/health/live")
    assert answer.status == 200
    assert answer.getheader("Server") is None


def test_a_body_that_is_too_large_is_refused(server: WebServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        head = f"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("host", ["::1", "localhost"])
def test_other_addresses_can_be_listened_on(parts: Parts, host: str) -> None:
    server = WebServer(make_app(parts.site()), host, 0)
    server.start()
    try:
        assert _get(server.port, "/health/live", host).status == 200
    finally:
        server.stop()


def test_a_port_that_is_taken_raises(server: WebServer, parts: Parts) -> None:
    with pytest.raises(OSError, match="in use"):
        WebServer(make_app(parts.site()), "127.0.0.1", server.port)


def test_a_server_that_never_started_can_be_stopped_twice(parts: Parts) -> None:
    server = WebServer(make_app(parts.site()), "127.0.0.1", 0)
    server.stop()
    server.stop()


def test_stopping_finishes_what_is_being_answered(parts: Parts) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def slow() -> list[str]:
        entered.set()
        assert go_on.wait(10)
        return []

    server = WebServer(make_app(Site(parts.answer_for, KEY, slow, parts.registry)), "127.0.0.1", 0)
    server.start()
    statuses: list[int] = []
    asking = threading.Thread(target=lambda: statuses.append(_get(server.port, "/health/ready").status))
    asking.start()
    assert entered.wait(10)
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    wait_until(lambda: not port_open(server.port)(), 10, "the listener's end")
    go_on.set()
    for thread in (asking, stopping):
        thread.join(10)
    assert statuses == [200]


def test_an_idle_connection_does_not_hold_up_the_end(server: WebServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as idle:
        server.stop()
        assert idle.recv(1) == b""


def test_a_loop_that_sees_the_end_before_it_is_woken_is_no_fault(parts: Parts) -> None:
    class Seen(threading.Event):
        """Is set, and the loop has ended, before `stop` comes to its next line."""

        def set(self) -> None:
            super().set()
            web._thread.join(10)

    web = WebServer(make_app(parts.site()), "127.0.0.1", 0)
    web._stopping = Seen()
    web.start()
    web.stop()
    assert not web._thread.is_alive()
    assert not port_open(web.port)()
