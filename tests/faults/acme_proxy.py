"""A reverse proxy that stands before a test CA and misbehaves on demand, as CAs and networks do.

It speaks HTTPS with a certificate of its own, keeps the Host header (so the CA writes its URLs with the proxy's
address), and does to chosen requests what a `Fault` says; everything else passes unchanged.
"""

import base64
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from bot.demo.parts import tls

KINDS: Mapping[str, str] = {
    "dir": "directory",
    "nonce-plz": "new_nonce",
    "sign-me-up": "new_account",
    "order-plz": "new_order",
    "my-order": "order",
    "authZ": "authorization",
    "chalZ": "challenge",
    "finalize-order": "finalize",
    "certZ": "certificate",
    "draft-ietf-acme-ari-03": "renewal_info",
}
"""What the first part of pebble's paths means."""
_PROBLEM = "application/problem+json"
_HOP_BY_HOP = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive", "date"})
_SLOWEST = 10.0
"""Seconds after which a slow answer goes on in any case."""


@dataclass(frozen=True)
class Asked:
    """A request that came in."""

    kind: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def payload(self) -> Mapping[str, Any]:
        """The signed payload; empty for a POST-as-GET and a GET."""
        text = json.loads(self.body)["payload"] if self.body else ""
        padded = text + "=" * (-len(text) % 4)
        found: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(padded)) if text else {}
        return found


@dataclass(frozen=True)
class Answered:
    """An answer that goes out."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Dropped(Exception):  # noqa: N818 - not an error but an outcome
    """The connection ends without an answer."""


Ca = Callable[[Asked], Answered]
"""Asks the CA behind the proxy."""
Deed = Callable[[Asked, Ca], Answered]
"""What a fault does to a request."""


def _instead(answer: Answered) -> Deed:
    def deed(asked: Asked, ca: Ca) -> Answered:
        return answer

    return deed


def problem(status: int, kind: str, detail: str, **headers: str) -> Deed:
    """Answer with an ACME problem document; the CA hears nothing. Headers are written with underscores."""
    document = {"type": f"urn:ietf:params:acme:error:{kind}", "detail": detail, "status": status}
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    answer = Answered(status, json.dumps(document).encode(), {"Content-Type": _PROBLEM, **named})
    return _instead(answer)


def plain(status: int, body: str, content_type: str = "text/html", **headers: str) -> Deed:
    """Answer with something that is not ACME; the CA hears nothing."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    answer = Answered(status, body.encode(), {"Content-Type": content_type, **named})
    return _instead(answer)


def drop(*, after: bool) -> Deed:
    """End the connection without an answer, before or after the CA took the request."""

    def deed(asked: Asked, ca: Ca) -> Answered:
        if after:
            ca(asked)
        raise Dropped

    return deed


def changed(change: Callable[[dict[str, Any]], object], **headers: str) -> Deed:
    """Let the CA answer, and change its JSON document; headers, written with underscores, are added."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}

    def deed(asked: Asked, ca: Ca) -> Answered:
        answer = ca(asked)
        document = json.loads(answer.body)
        change(document)
        return Answered(answer.status, json.dumps(document).encode(), {**answer.headers, **named})

    return deed


def body(text: str) -> Deed:
    """Let the CA answer, and put another body in."""
    return lambda asked, ca: Answered(200, text.encode(), ca(asked).headers)


def without(header: str) -> Deed:
    """Let the CA answer, and take a header out."""

    def deed(asked: Asked, ca: Ca) -> Answered:
        answer = ca(asked)
        kept = {key: value for key, value in answer.headers.items() if key.lower() != header.lower()}
        return Answered(answer.status, answer.body, kept)

    return deed


@dataclass
class _Rule:
    kind: str
    deed: Deed
    times: int | None
    when: Callable[[Asked], bool]


class AcmeProxy:
    """The proxy; `directory` and `ca_bundle` are what an adapter needs to speak to it."""

    def __init__(self, directory: str, ca_bundle: Path, folder: Path) -> None:
        self._origin = "{0.scheme}://{0.netloc}".format(urlsplit(directory))
        self._session = requests.Session()
        self._session.verify = str(ca_bundle)
        self._session.trust_env = False
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        self._go_on = threading.Event()
        self._open: set[socket.socket] = set()
        self.seen: list[Asked] = []
        self.connections = 0
        """How many connections were ever opened."""
        self.ca_bundle = tls.issued(folder, ["127.0.0.1"])
        self._server = _Server(self, folder)
        self.directory = f"https://127.0.0.1:{self._server.server_address[1]}{urlsplit(directory).path}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def fault(
        self,
        kind: str,
        deed: Deed,
        times: int | None = 1,
        when: Callable[[Asked], bool] = bool,
    ) -> None:
        """Do ``deed`` to the next ``times`` (None: all) requests of ``kind``, or to those for which ``when`` holds."""
        with self._lock:
            self._rules.append(_Rule(kind, deed, times, when))

    def slow(self, kind: str, times: int | None = 1) -> None:
        """Keep the next answers back until the proxy stops."""

        def deed(asked: Asked, ca: Ca) -> Answered:
            self._go_on.wait(_SLOWEST)
            return ca(asked)

        self.fault(kind, deed, times)

    def trickle(self, kind: str, times: int | None = 1) -> None:
        """Send the next answers' bodies byte by byte, a tenth of a second apart."""
        self.fault(kind, lambda asked, ca: _Trickled(**vars(ca(asked))), times)

    def count(self, kind: str) -> int:
        """Return how many requests of the kind came in."""
        with self._lock:
            return sum(asked.kind == kind for asked in self.seen)

    def answer(self, asked: Asked) -> Answered:
        """Return what the request gets. Raises Dropped."""
        with self._lock:
            self.seen.append(asked)
            rule = next(
                (r for r in self._rules if r.kind == asked.kind and r.times != 0 and r.when(asked)), None
            )
            if rule is not None and rule.times is not None:
                rule.times -= 1
        return rule.deed(asked, self._ask) if rule else self._ask(asked)

    def _ask(self, asked: Asked) -> Answered:
        kept = {key: value for key, value in asked.headers.items() if key.lower() not in _HOP_BY_HOP}
        found = self._session.request(
            asked.method,
            self._origin + asked.path,
            data=asked.body or None,
            headers=kept,
            timeout=_SLOWEST,
        )
        headers = {key: value for key, value in found.headers.items() if key.lower() not in _HOP_BY_HOP}
        return Answered(found.status_code, found.content, headers)

    def pause(self) -> bool:
        """Wait a tenth of a second; tell whether the proxy stops."""
        return self._go_on.wait(0.1)

    def opened(self, connection: socket.socket) -> None:
        """Note a connection."""
        with self._lock:
            self._open.add(connection)
            self.connections += 1

    def closed(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._open.discard(connection)

    @contextlib.contextmanager
    def running(self) -> Iterator["AcmeProxy"]:
        """Serve while the block runs."""
        self._thread.start()
        try:
            yield self
        finally:
            self._go_on.set()
            self._server.shutdown()
            self._thread.join()
            with self._lock:
                for connection in self._open:
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
            self._server.server_close()
            self._session.close()


class _Trickled(Answered):
    """An answer whose body comes byte by byte."""


class _Server(ThreadingHTTPServer):
    def __init__(self, proxy: AcmeProxy, folder: Path) -> None:
        self.proxy = proxy
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "fullchain.pem", folder / "privkey.pem")
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        self.request = self.server.context.wrap_socket(
            self.request, server_side=True, do_handshake_on_connect=False
        )
        self.server.proxy.opened(self.request)
        super().setup()

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client went away, or does not trust the certificate
            self.request.do_handshake()
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()
        self.server.proxy.closed(self.request)
        self.request.close()

    def _answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        first = self.path.strip("/").partition("/")[0]
        kind = KINDS.get(first, first)
        try:
            answer = self.server.proxy.answer(
                Asked(kind, self.command, self.path, dict(self.headers.items()), sent)
            )
        except Dropped:
            self.close_connection = True
            return
        self._head(answer)
        if self.command != "HEAD":
            self._body(answer)

    def _head(self, answer: Answered) -> None:
        self.send_response_only(answer.status)
        for key, value in answer.headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()

    def _body(self, answer: Answered) -> None:
        if not isinstance(answer, _Trickled):
            self.wfile.write(answer.body)
            return
        for index in range(len(answer.body)):
            self.wfile.write(answer.body[index : index + 1])
            if self.server.proxy.pause():
                return

    do_GET = do_POST = do_HEAD = _answer  # noqa: N815 - the names http.server looks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's signature
        """Say nothing: the tests speak."""
