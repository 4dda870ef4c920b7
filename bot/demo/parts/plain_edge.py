"""A small edge of our own in this process, where no nginx is to be had; the same to its users as `nginx.Edge`.

Like it, it reads certificates from DIRECTORY/NAME at each handshake, forwards the ACME and probe paths, redirects the
rest of plain HTTP to https and serves each store's page. It speaks HTTP/1.0 only: one answer per connection.
"""

import contextlib
import http.client
import http.server
import mimetypes
import socket
import socketserver
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from bot.demo.parts import tls
from bot.demo.parts.nginx import FORWARDED, entry_of, lay_store
from bot.demo.parts.part import Part

_PATIENCE = 10.0
"""Seconds that a peer may take for a handshake, a request or an answer."""


@dataclass
class PlainEdge(Part):
    """A running edge; `pages` holds a folder per host name, whose files it serves as they are. Safe to use from threads."""

    addresses: tuple[str, ...]
    http_port: int
    https_port: int
    certificates: Path
    pages: Path
    folder: Path
    upstream: str
    _names: frozenset[str] = frozenset()
    _servers: list[tuple["_Server", threading.Thread]] = field(default_factory=list)

    @classmethod
    def start(
        cls,
        folder: Path,
        http_port: int,
        https_port: int,
        *,
        certificates: Path,
        stores: Mapping[str, str],
        addresses: Sequence[str] = ("127.0.0.1",),
        upstream: str = "127.0.0.1:8402",
    ) -> Self:
        """Serve `stores` (host name -> page as HTML; "*.x" for a wildcard) with certificates of that folder.

        What is forwarded, redirected and laid down is as with `nginx.Edge.start`. Raises OSError if a port is taken.
        """
        folder, certificates = folder.resolve(), certificates.resolve()
        for made in (folder / "pages", certificates):
            made.mkdir(parents=True, exist_ok=True)
        tls.self_signed(folder / "self-signed" / "any", ["no-such-store.invalid"])
        places = (certificates, folder / "pages", folder, upstream)
        edge = cls(tuple(addresses), http_port, https_port, *places)
        edge.add_stores(stores)
        try:
            for address in addresses:
                edge._serve(_Server((address, http_port), edge, secure=False))
                edge._serve(_Server((address, https_port), edge, secure=True))
        except OSError:
            edge.stop()
            raise
        return edge

    def _serve(self, server: "_Server") -> None:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True, name="plain-edge")
        thread.start()
        self._servers.append((server, thread))

    def add_stores(self, stores: Mapping[str, str]) -> None:
        """Serve these stores too."""
        for name, page in stores.items():
            lay_store(self.folder, self.certificates, name, page)
        self._names = self._names | frozenset(stores)

    def entry(self, host: str | None) -> str | None:
        """Return the folder's name for a host name, "_.x" for one that only a wildcard fits; None if it is no store's."""
        name = (host or "").lower()
        wild = "*." + name.partition(".")[2]
        return next((entry_of(known) for known in (name, wild) if known in self._names), None)

    def context(self, name: str | None) -> ssl.SSLContext:
        """Return what a handshake for `name` is answered with: the certificate that lies there now."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.num_tickets = 0  # each connection shows the certificate of that moment
        entry = self.entry(name)
        if entry is not None:
            with contextlib.suppress(OSError):
                # resolved once: the link may be swapped between the reading of chain and key
                return _loaded(context, (self.certificates / entry).resolve(strict=True))
        return _loaded(context, self.folder / "self-signed" / "any")

    def stop(self) -> None:
        """End it; may be called again."""
        while self._servers:
            server, thread = self._servers.pop()
            server.shutdown()
            thread.join()
            server.server_close()


def _loaded(context: ssl.SSLContext, folder: Path) -> ssl.SSLContext:
    context.load_cert_chain(folder / "fullchain.pem", folder / "privkey.pem")
    return context


class _Server(socketserver.ThreadingTCPServer):
    """One port of an edge."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, place: tuple[str, int], edge: PlainEdge, *, secure: bool) -> None:
        self.address_family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        self.edge, self.secure = edge, secure
        self._any = edge.context(None)
        self._any.sni_callback = self._choose
        super().__init__(place, _Handler)

    def _choose(self, connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        connection.context = self.edge.context(name)

    def finish_request(self, request: object, client_address: object) -> None:
        """Shake hands, in the connection's own thread, and answer. A peer that breaks off is nobody's fault."""
        assert isinstance(request, socket.socket)  # noqa: S101 - a TCP server's
        request.settimeout(_PATIENCE)
        with contextlib.suppress(OSError):
            if not self.secure:
                super().finish_request(request, client_address)
                return
            with self._any.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    server_version = "edge"

    def do_GET(self) -> None:
        edge, host = self.server.edge, self._host()
        if self.path.startswith(FORWARDED):
            self._forward(edge.upstream)
        elif not self.server.secure:
            port = "" if edge.https_port == 443 else f":{edge.https_port}"
            self._answer(301, b"", Location=f"https://{host}{port}{self.path}")
        else:
            self._page(edge, edge.entry(host))

    do_HEAD = do_GET  # noqa: N815 - its name in http.server

    def _host(self) -> str:
        host = self.headers.get("Host", "").lower()
        return host if host.endswith("]") else host.rpartition(":")[0] or host

    def _forward(self, upstream: str) -> None:
        connection = http.client.HTTPConnection(upstream, timeout=_PATIENCE)
        try:
            connection.request(self.command, self.path, headers={"Host": self._host()})
            answer = connection.getresponse()
            body, kind = answer.read(), answer.headers.get("Content-Type", "text/plain")
        except (OSError, http.client.HTTPException):
            self._answer(502, b"the platform does not answer\n")
        else:
            self._answer(answer.status, body, **{"Content-Type": kind})
        finally:
            connection.close()

    def _page(self, edge: PlainEdge, entry: str | None) -> None:
        wanted = self.path.partition("?")[0].lstrip("/")
        place = (edge.pages / (entry or "") / wanted).resolve()
        file = place / "index.html" if place.is_dir() else place
        if entry is None or not file.is_relative_to(edge.pages / entry) or not file.is_file():
            self._answer(404, b"there is nothing here\n")
            return
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        self._answer(200, file.read_bytes(), **{"Content-Type": kind})

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in http.server
        """Say nothing."""
