"""Edges that misbehave, on real sockets: for each host name another kind of trouble, over http and https."""

import contextlib
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.demo.parts import tls

PROBED = "/.well-known/certdesk/"
_PATIENCE = 5.0
_HANDSHAKE = b"\x16"
"""How a TLS record begins that carries a handshake (RFC 8446 §5.1)."""
_ALERT = b"\x15\x03\x01\x00\x02\x02\x32"
"""What TLS servers say to what is no TLS: a fatal decode_error (RFC 8446 §6.2)."""
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
_DRIP = 0.02
"""Seconds between two bytes of a server that feeds drop by drop."""


@dataclass(frozen=True)
class Asked:
    """One request, and what is needed to answer it well or badly."""

    connection: socket.socket
    scheme: str
    host: str
    path: str
    proof: Callable[[str], str]
    stopped: threading.Event

    def send(self, status: int, body: bytes = b"", *fields: str) -> None:
        """Send a whole answer."""
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *fields, "", ""]
        self.connection.sendall("\r\n".join(lines).encode() + body)

    @property
    def proven(self) -> bytes:
        """What a good edge answers."""
        return self.proof(self.path.removeprefix(PROBED)).encode()


Behaviour = Callable[[Asked], None]


def good(asked: Asked) -> None:
    """Answer as certdesk does, for whichever path leads there."""
    asked.send(200, asked.proven, "Server: edge")


def page(status: int, body: bytes = b"<h1>Something</h1>", server: str = "nginx") -> Behaviour:
    """Return what answers with a page."""
    return lambda asked: asked.send(status, body, f"Server: {server}")


def redirect(location: str, status: int = 301) -> Behaviour:
    """Return what redirects to ``location``, whose gaps {host} and {path} are filled from the request."""
    return lambda asked: asked.send(
        status, b"moved", "Location: " + location.format(host=asked.host, path=asked.path)
    )


def only_http(behaviour: Behaviour, https: Behaviour = good) -> Behaviour:
    """Return what behaves so over http, and otherwise over https."""
    return lambda asked: (behaviour if asked.scheme == "http" else https)(asked)


def silent(asked: Asked) -> None:
    """Accept, read, and never answer."""
    asked.stopped.wait(_PATIENCE * 2)


def drip(asked: Asked) -> None:
    """Feed a header drop by drop, without end."""
    asked.connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    _drip(asked)


def drip_body(asked: Asked) -> None:
    """Feed a body drop by drop."""
    asked.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n")
    _drip(asked)


def _drip(asked: Asked) -> None:
    while not asked.stopped.wait(_DRIP):
        asked.connection.sendall(b"x")


def huge_header(asked: Asked) -> None:
    """Send header fields without end."""
    asked.connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not asked.stopped.is_set():
        asked.connection.sendall(b"X-More: " + b"y" * 1000 + b"\r\n")


def huge_body(asked: Asked) -> None:
    """Send a body without end."""
    asked.connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not asked.stopped.is_set():
        asked.connection.sendall(b"z" * 1000)


def garbage(asked: Asked) -> None:
    """Speak something else."""
    asked.connection.sendall(b"SSH-2.0-Edge_1.0\r\n")


def hang_up(_asked: Asked) -> None:
    """Close without a word."""


def reset(asked: Asked) -> None:
    """Break the connection off (RST)."""
    asked.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def chunked(asked: Asked) -> None:
    """Answer well, in chunks and after an interim answer."""
    proof = asked.proven
    asked.connection.sendall(
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"a;x=y\r\n"
        + proof[:10]
        + b"\r\n"
        + f"{len(proof) - 10:X}\r\n".encode()
        + proof[10:]
        + b"\r\n0\r\n\r\n"
    )


def proof_as(shape: Callable[[bytes], bytes]) -> Behaviour:
    """Return what answers with the proof in another shape."""
    return lambda asked: asked.send(200, shape(asked.proven))


def cut_short(asked: Asked) -> None:
    """Promise more than the proof, and hang up."""
    asked.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + asked.proven)


def unlimited(asked: Asked) -> None:
    """Answer well, and tell the end by closing."""
    asked.connection.sendall(b"HTTP/1.0 200 OK\nServer: old\n\n" + asked.proven + b"\n")


@dataclass
class Edges:
    """Edges at some addresses with the same two ports; from `start` to `stop`."""

    folder: Path
    addresses: Sequence[str]
    http_port: int
    https_port: int
    proof: Callable[[str], str]
    rules: Mapping[str, Behaviour] = field(default_factory=dict)
    """Host name ("*.x" for those one label below), or "ADDRESS HOST", -> behaviour."""
    default: Behaviour = good
    no_tls: frozenset[str] = frozenset()
    """Host names for which the TLS handshake is broken off with an alert."""
    plain: frozenset[str] = frozenset()
    """Addresses that speak plain HTTP on the https port, and TLS on the http port."""

    def start(self) -> Self:
        """Listen everywhere; an address that this machine does not have (IPv6, where there is none) is left out."""
        self.stopped = threading.Event()
        tls.self_signed(self.folder, ["edge.test"])
        self._servers: list[tuple[_Server, threading.Thread]] = []
        for address in self.addresses:
            with contextlib.suppress(OSError) if ":" in address else contextlib.nullcontext():
                for scheme, port in (("http", self.http_port), ("https", self.https_port)):
                    self._serve(_Server((address, port), self, scheme))
        return self

    def _serve(self, server: "_Server") -> None:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        self._servers.append((server, thread))

    def behaviour(self, address: str, host: str) -> Behaviour:
        """Return how a request is answered."""
        keys = (f"{address} {host}", host, f"*.{host.partition('.')[2]}")
        return next((self.rules[key] for key in keys if key in self.rules), self.default)

    def context(self) -> ssl.SSLContext:
        """Return the TLS side."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "fullchain.pem", self.folder / "privkey.pem")
        context.sni_callback = self._choose
        return context

    def _choose(self, _socket: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int | None:
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME if name in self.no_tls else None

    def stop(self) -> None:
        """Stop answering."""
        self.stopped.set()
        for server, thread in self._servers:
            server.shutdown()
            thread.join()
            server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, place: tuple[str, int], edges: Edges, scheme: str) -> None:
        self.address_family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        self.edges, self.scheme, self.address = edges, scheme, place[0]
        swapped = place[0] in edges.plain
        self._tls = edges.context() if (scheme == "https") != swapped else None
        super().__init__(place, socketserver.BaseRequestHandler)

    def finish_request(self, request: object, client_address: object) -> None:
        """Answer one connection, in its own thread."""
        assert isinstance(request, socket.socket)
        request.settimeout(_PATIENCE)
        with contextlib.suppress(OSError):
            spoken_to = request.recv(1, socket.MSG_PEEK) == _HANDSHAKE
            if spoken_to != (self._tls is not None):
                request.recv(4096)
                request.sendall(_ALERT if self._tls else _BAD_REQUEST)
                return
            if self._tls is None:
                self._answer(request)
                return
            with self._tls.wrap_socket(request, server_side=True) as secured:
                self._answer(secured)

    def _answer(self, connection: socket.socket) -> None:
        raw = b""
        while b"\r\n\r\n" not in raw:
            piece = connection.recv(4096)
            if not piece:
                return
            raw += piece
        first, *lines = raw.decode("latin-1").split("\r\n")
        host = next(line[6:].strip() for line in lines if line.lower().startswith("host: "))
        edges = self.edges
        asked = Asked(connection, self.scheme, host, first.split(" ")[1], edges.proof, edges.stopped)
        edges.behaviour(self.address, host)(asked)
