"""The HTTP of pull targets: requests are read, let in or refused, and answered; nothing here knows where answers come from.

A small HTTP/1.1 of our own on asyncio: web servers ask at each handshake, so an answer from memory must cost next to
nothing. It takes GET without a body and nothing else.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

HEAD = 8192
"""Bytes that a request may have."""
CONNECTIONS = 2000
"""At the same time, for each listener."""
FIRST, IDLE = 5.0, 120.0
"""Seconds for a request to arrive whole, and for the next one to begin."""
LATER, FAILED = b"later", b"failed"
"""What is no answer yet, and what can be none."""
_FROM_BROWSERS = ("origin", "sec-fetch-site", "sec-fetch-mode")
_FROM_PROXIES = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
_REASONS = {
    200: "OK",
    204: "No Content",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


class Answering(Protocol):
    """Where answers come from; everything is called in the loop's thread."""

    gate: "Gate"
    connections: "set[Connection]"

    def at_once(self, name: str) -> bytes | None:
        """Return the answer for ``name``, None for 204, or `LATER` if memory alone does not do."""
        ...

    async def soon(self, name: str) -> bytes | None:
        """Return the answer for ``name``, None for 204, or `FAILED` if nothing can be said."""
        ...


@dataclass(frozen=True, slots=True)
class Gate:
    """Who gets an answer: who knows the token, and where there is none, what surely comes from this machine."""

    token: bytes = field(default=b"", repr=False)
    """SHA-256 of the token; empty: none is asked for."""
    hosts: bool = False
    """Whether the Host header must be a loopback address: a browser that was led here by a name of a stranger's sends that name."""

    def refuses(self, headers: Mapping[str, str]) -> int:
        """Return the status that refuses these headers; 0 lets them in."""
        if self.token:
            given = _credentials(headers.get("authorization", ""))
            return 0 if hmac.compare_digest(hashlib.sha256(given).digest(), self.token) else 401
        if any(name in headers for name in (*_FROM_BROWSERS, *_FROM_PROXIES)):
            return 403
        return 403 if self.hosts and not _is_loopback(headers.get("host", "")) else 0


def _credentials(header: str) -> bytes:
    """Return the token of a Bearer header, or the password of a Basic one, which URLs with user and password send."""
    kind, _, rest = header.partition(" ")
    if kind.lower() == "bearer":
        return rest.strip().encode()
    if kind.lower() != "basic":
        return b""
    try:
        return base64.b64decode(rest.strip(), validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""


def _is_loopback(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname if "@" not in host else None
    try:
        return name == "localhost" or ip_address(name or "").is_loopback
    except ValueError:
        return False


class Connection(asyncio.Protocol):
    """One client; its requests are answered one after another."""

    def __init__(self, listener: Answering) -> None:
        self._listener, self._buffer = listener, b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._busy: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless there are too many."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_server gives
        self._transport = transport
        if len(self._listener.connections) >= CONNECTIONS:
            transport.abort()
            return
        self._listener.connections.add(self)
        self._wait(FIRST)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Let go of it."""
        self._listener.connections.discard(self)
        self._wait(None)
        if self._busy is not None:
            self._busy.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer what has arrived whole."""
        if not self._buffer and self._busy is None:
            self._wait(FIRST)
        self._buffer += data
        if len(self._buffer) > HEAD:
            self._answer(431, last=True)
        elif self._busy is None:
            self._next()

    def close(self) -> None:
        """End it now."""
        if self._transport is not None:
            self._transport.abort()

    def _wait(self, seconds: float | None) -> None:
        """End the connection unless something happens within ``seconds``."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else asyncio.get_running_loop().call_later(seconds, self.close)

    def _next(self) -> None:
        """Answer every request that has arrived whole, as long as it needs nothing but memory."""
        while self._busy is None and (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
            name, status, last = _asked(head, self._listener.gate)
            if status:
                self._answer(status, last=last)
            elif (answer := self._listener.at_once(name)) is not LATER:
                self._give(answer, last=last)
            else:
                self._wait(None)
                self._busy = asyncio.get_running_loop().create_task(self._give_later(name, last=last))

    async def _give_later(self, name: str, *, last: bool) -> None:
        answer = await self._listener.soon(name)
        self._busy = None
        self._give(answer, last=last)
        self._next()

    def _give(self, answer: bytes | None, *, last: bool) -> None:
        if answer is FAILED:
            self._answer(503, last=last)
        elif answer is None:
            self._answer(204, last=last)
        else:
            self._answer(200, answer, last=last)

    def _answer(self, status: int, body: bytes = b"", *, last: bool = False) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(_head(status, len(body), last=last) + body)
        if last:
            self._buffer = b""
            self._transport.close()
        self._wait(IDLE)


def _head(status: int, length: int, *, last: bool) -> bytes:
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}", "Cache-Control: no-store"]
    if status == 200:
        lines.append("Content-Type: application/pem-certificate-chain")
    if status != 204:
        lines.append(f"Content-Length: {length}")
    if status == 401:
        lines.append('WWW-Authenticate: Bearer realm="certdesk", Basic realm="certdesk"')
    if last:
        lines.append("Connection: close")
    return "\r\n".join((*lines, "", "")).encode()


@dataclass(frozen=True, slots=True)
class _Request:
    """One request as it came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    last: bool
    """Whether the connection ends after it."""


def _read(head: bytes) -> _Request | None:
    """Return the request, None for what is none: each header once, no body, ASCII alone (RFC 9112 §2, §3, §6)."""
    try:
        first, *lines = head.decode("ascii").split("\r\n")
        method, target, version = first.split(" ")
    except (UnicodeDecodeError, ValueError):
        return None
    pairs = [line.partition(":") for line in lines]
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    fine = all(colon and name and name == name.strip() for name, colon, _ in pairs)
    body = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
    if not fine or len(headers) != len(pairs) or body or version not in ("HTTP/1.1", "HTTP/1.0"):
        return None
    path, _, query = target.partition("?")
    last = version == "HTTP/1.0" or "close" in headers.get("connection", "").lower()
    return _Request(method, path, query, headers, last)


def _asked(head: bytes, gate: Gate) -> tuple[str, int, bool]:
    """Return (the name that is asked for, the status that answers without it or 0, whether the connection ends after it)."""
    request = _read(head)
    if request is None:
        return "", 400, True
    refused = gate.refuses(request.headers)
    if refused or request.method != "GET":
        return "", refused or 405, True
    if request.path != "/":
        return "", 404, request.last
    names = parse_qs(request.query).get("server_name", [])
    name = names[0].lower().removesuffix(".") if len(names) == 1 else ""
    return (name, 0, request.last) if 0 < len(name) < 254 else ("", 204, request.last)
