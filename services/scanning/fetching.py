"""Implements `services.ports.scanning.Fetcher`: one GET, one connection to one judged address, one deadline."""

import io
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterable
from email.message import Message
from http.client import HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from urllib.parse import quote, urlsplit

import idna

from services.checks.reach import may_be_used
from services.checks.web import kind_of
from services.model.settings import Probing
from services.ports.scanning import Fetched

Address = IPv4Address | IPv6Address
Resolver = Callable[[str], Iterable[Address]]
"""From a host name, or an address as text, to its addresses; none if it has none."""
AGENT = "certdesk-scan"
"""What robots.txt knows it by."""
_PIECE = 16 * 1024
_SAFE = "/?&=%:@!$'()*+,;~-._#[]"
_DEFAULT = {"http": 80, "https": 443}
_WORDS = {"not_tls": "tls", "local": "unreachable", "reset": "broken"}
_GZIP = 16 + zlib.MAX_WBITS
_PACKED = ("gzip", "x-gzip")


class SocketFetcher:
    """Any thread may call. ``probing`` names the ports that stand for 80 and 443, the trusted roots and the allowed networks."""

    def __init__(self, probing: Probing, resolve: Resolver, timeout: float) -> None:
        """``timeout``: seconds that one exchange may take in all, however the far side spends them."""
        self._allowed = probing.allow_networks
        self._ports = {"http": probing.http_port, "https": probing.https_port}
        self._resolve, self._timeout = resolve, timeout
        self._tls = ssl.create_default_context()
        if probing.ca_bundle is not None:
            self._tls.load_verify_locations(cafile=str(probing.ca_bundle))

    def fetch(self, url: str, most: int) -> Fetched:
        """Return what GET gives; see `services.ports.scanning.Fetcher`."""
        try:
            parts = urlsplit(url)
            host, port = _ascii((parts.hostname or "").rstrip(".")), parts.port
            target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_SAFE)
        except (ValueError, idna.IDNAError) as error:
            return Fetched(url, error="broken", detail=str(error))
        if parts.scheme not in _DEFAULT or not host or len(host) > 253:
            return Fetched(url, error="broken", detail="no URL that can be asked for")
        if port not in (None, _DEFAULT[parts.scheme], self._ports[parts.scheme]):
            return Fetched(url, error="port", detail=f"port {port}")
        addresses = tuple(self._resolve(host))
        usable = [address for address in addresses if may_be_used(address, self._allowed)]
        if not usable:
            word = "not_public" if addresses else "no_address"
            return Fetched(url, error=word, detail=", ".join(map(str, addresses)))
        deadline = time.monotonic() + self._timeout
        try:
            return self._exchange(url, parts.scheme, host, usable[0], target, most, deadline)
        except (OSError, HTTPException, zlib.error, ValueError) as error:
            return Fetched(url, error=_word(error), detail=_detail(error))

    def _exchange(
        self, url: str, scheme: str, host: str, address: Address, target: str, most: int, deadline: float
    ) -> Fetched:
        where = (str(address), self._ports[scheme])
        with socket.create_connection(where, timeout=_left(deadline)) as plain:
            if scheme == "http":
                return _ask(plain, url, host, target, most, deadline)
            plain.settimeout(_left(deadline))
            with self._tls.wrap_socket(plain, server_hostname=host) as secure:
                return _ask(secure, url, host, target, most, deadline)


def _ask(connection: socket.socket, url: str, host: str, target: str, most: int, deadline: float) -> Fetched:
    shown = f"[{host}]" if ":" in host else host
    request = (
        f"GET {target} HTTP/1.1\r\nHost: {shown}\r\nUser-Agent: {AGENT}\r\nAccept: */*\r\n"
        "Accept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    )
    connection.settimeout(_left(deadline))
    connection.sendall(request.encode("ascii"))
    timed: Any = _Timed(connection, deadline)
    answer = HTTPResponse(timed, method="GET")
    try:
        answer.begin()
        body, whole = _body(answer, most)
        fields = _fields(answer.headers)
        plain = "content-encoding" not in fields
        length = answer.getheader("content-length") or ""
        size = int(length) if plain and length.isdecimal() and len(length) < 16 else None
        return Fetched(url, answer.status, fields, body, len(body) if whole else size, whole)
    finally:
        answer.close()


class _Timed(io.RawIOBase):
    """A connection as a file, each read of which has as long as is left of the whole exchange."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        super().__init__()
        self._connection, self._deadline = connection, deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what `http.client` reads from."""
        return io.BufferedReader(self, _PIECE)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(_left(self._deadline))
        return self._connection.recv_into(buffer)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


def _fields(headers: Message) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        fields[key] = f"{fields[key]}, {value}" if key in fields else str(value)
    return fields


def _body(answer: HTTPResponse, most: int) -> tuple[bytes, bool]:
    """Return at most ``most`` bytes of the decoded body, and whether that is all. Raises zlib.error for a broken one.

    A body that unpacks to more than that, whatever its size on the way, is read no further.
    """
    coding = (answer.getheader("content-encoding") or "identity").strip().lower()
    if coding not in ("identity", "", *_PACKED):
        raise ValueError(f"content-encoding {coding}, which nobody asked for")
    packed = coding in _PACKED
    unpack = zlib.decompressobj(_GZIP) if packed else None
    body = bytearray()
    while piece := answer.read1(_PIECE):
        if unpack is None:
            body += piece
        else:
            body += unpack.decompress(piece, max(1, most + 1 - len(body)))
        if len(body) > most:
            return bytes(body[:most]), False
        if unpack is not None and unpack.eof:
            return bytes(body), True
    if answer.length or unpack is not None:  # http.client says nothing of it where it is asked for pieces
        raise ValueError("it ends before its end")
    return bytes(body), True


def _ascii(host: str) -> str:
    """Return the host as DNS knows it (UTS 46). Raises IDNAError."""
    return host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")


def _word(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "untrusted"
    if isinstance(error, OSError) and not isinstance(error, HTTPException):
        kind = kind_of(error)
        return _WORDS.get(kind, kind)
    return "broken"


def _detail(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
