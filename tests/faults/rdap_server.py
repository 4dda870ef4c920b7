"""A registry's RDAP server on loopback: it answers from a table, well or badly, and keeps what it was asked."""

import contextlib
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

SLOW = "slow"
"""Says nothing until the server stops."""
TRICKLE = "trickle"
"""Sends the head of its answer byte by byte, without end."""
DRIP = "drip"
"""Sends the body byte by byte, without end."""
STOP = "stop"
"""Closes the connection in the middle of the body."""


@dataclass(frozen=True)
class Reply:
    """How one path is answered."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: str = ""
    """Empty, or SLOW, TRICKLE, DRIP or STOP."""


def answer(name: str, *statuses: str, expires: datetime | str | None = None, **more: Any) -> dict[str, Any]:
    """Return a domain object (RFC 9083 §5.3) as registries send it; ``more`` are further members."""
    stamp = expires.isoformat() if isinstance(expires, datetime) else expires
    events = [{"eventAction": "registration", "eventDate": "2020-02-10T00:00:00Z"}]
    if stamp is not None:
        events.append({"eventAction": "expiration", "eventDate": stamp})
    return {
        "objectClassName": "domain",
        "handle": f"{name.upper()}-1",
        "ldhName": name,
        "rdapConformance": ["rdap_level_0"],
        "status": list(statuses or ("active",)),
        "events": events,
        **more,
    }


def registrar(name: str, **more: Any) -> dict[str, Any]:
    """Return a registrar's entity with its jCard."""
    card = ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", name]]]
    return {"objectClassName": "entity", "roles": ["registrar"], "vcardArray": card, **more}


def days(count: float) -> datetime:
    """Return the moment so many days from now; negative ones are past."""
    return datetime.now(UTC) + timedelta(days=count)


class RdapServer:
    """Serves /domain/NAME below its base URL; a name that is not in the table is unknown to it (404)."""

    def __init__(self, tls: ssl.SSLContext | None = None, *, healthy: bool = False) -> None:
        """Answer by https if ``tls`` has a certificate; if ``healthy``, any other name is registered for a year."""
        self.replies: dict[str, Reply] = {}
        self._healthy = healthy
        self.asked: list[str] = []
        self.most = 0
        """The most exchanges that were under way at once."""
        self.hold: threading.Event | None = None
        """Where set, replies wait for it."""
        self._under_way = 0
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self)
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._scheme = "https" if tls else "http"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The base URL, with the final slash that RFC 9224 §3 wants."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}/"

    def put(self, name: str, document: object, **more: Any) -> None:
        """Let ``document`` be the answer for the domain ``name``: an object as JSON, bytes as they are."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        headers = {"Content-Type": "application/rdap+json", **more.pop("headers", {})}
        self.replies[f"/domain/{name}"] = Reply(body=body, headers=headers, **more)

    @contextlib.contextmanager
    def counted(self, path: str) -> Iterator[Reply]:
        """Yield the reply for ``path``, and count how many are under way meanwhile."""
        with self._lock:
            self.asked.append(path)
            self._under_way += 1
            self.most = max(self.most, self._under_way)
        if self.hold is not None:
            self.hold.wait(10)
        try:
            yield self.replies.get(path) or self._unlisted(path)
        finally:
            with self._lock:
                self._under_way -= 1

    def _unlisted(self, path: str) -> Reply:
        if not self._healthy:
            return Reply(404, b'{"errorCode": 404}')
        return Reply(body=json.dumps(answer(path.rpartition("/")[2], expires=days(365))).encode())

    def stop(self) -> None:
        """Stop answering, in the middle of whatever."""
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    def __init__(self, place: tuple[str, int], rdap: RdapServer) -> None:
        self.rdap = rdap
        super().__init__(place, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep silent about callers that went away: they are meant to."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10
    server: _Server

    def do_GET(self) -> None:
        with self.server.rdap.counted(self.path) as reply:
            if reply.manner in _MANNERS:
                self.close_connection = True
                with contextlib.suppress(OSError):
                    _MANNERS[reply.manner](self, reply)
                return
            self.send_response(reply.status)
            for key, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(reply.body)

    def drip(self, bytes_: bytes) -> None:
        """Send the same bytes again and again, a few times in a second."""
        while not self.server.rdap.stopping.wait(0.05):
            self.wfile.write(bytes_)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server has
        """Log nothing."""


def _slow(handler: _Handler, _reply: Reply) -> None:
    handler.server.rdap.stopping.wait(30)


def _trickle(handler: _Handler, _reply: Reply) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Filler: ")
    handler.drip(b"x")


def _drip(handler: _Handler, _reply: Reply) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    handler.drip(b" ")


def _stop(handler: _Handler, reply: Reply) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + reply.body)


_MANNERS = {SLOW: _slow, TRICKLE: _trickle, DRIP: _drip, STOP: _stop}
