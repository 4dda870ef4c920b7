"""The way to RDAP servers: one bounded GET, with redirects that lead nowhere but to the same or to public hosts."""

import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import urljoin, urlsplit

import urllib3
from requests.utils import get_environ_proxies, select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, LocationValueError, SSLError
from urllib3.exceptions import TimeoutError as WireTimeoutError
from urllib3.response import BaseHTTPResponse

from services.checks.reach import may_be_used
from services.model.settings import Probing

REDIRECTS = 3
"""How many are followed; registries use one, if any (RFC 7480 §5.2)."""
ADDRESSES = 4
"""Addresses of one server that are tried."""
_REDIRECTED = frozenset({301, 302, 303, 307, 308})
_HEADERS = {
    "Accept": "application/rdap+json, application/json;q=0.9",
    "Accept-Encoding": "identity",
    "User-Agent": "certdesk",
}
_PIECE = 1 << 14
Networks = tuple[IPv4Network | IPv6Network, ...]


class WireError(Exception):
    """There was no whole reply. ``why``: timeout, refused, unreachable, tls, not_public, redirected, malformed."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply."""

    url: str
    """Who gave it, after redirects."""
    status: int
    body: bytes
    retry_after: str | None
    """The Retry-After header, as it was sent."""


class Wire:
    """Makes exchanges. Any thread may call; connections are kept open for the next exchange with the same server."""

    def __init__(self, probing: Probing, timeout: float) -> None:
        """Who is not trusted must be public or in ``probing.allow_networks``; ``timeout`` is for a whole exchange."""
        self._timeout = timeout
        self._tls = ssl.create_default_context()
        if probing.ca_bundle is not None:
            self._tls.load_verify_locations(cafile=str(probing.ca_bundle))
        self._pools = {True: _pools(self._tls, None), False: _pools(self._tls, probing.allow_networks)}
        self._proxies: dict[str, urllib3.ProxyManager] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections that are kept. May be called twice."""
        for pools in (*self._pools.values(), *self._proxies.values()):
            pools.clear()

    def get(self, url: str, largest: int, *, trusted: bool) -> Reply:
        """Return the reply to GET ``url``, redirects followed. Raises WireError if there is no whole one in time.

        ``trusted``: the configuration names this server, so plain HTTP and inside addresses are as meant. A redirect
        may lead to the same server again, or by https to a public address; ``largest`` is in bytes.
        """
        if not _is_web(url):
            raise WireError("malformed")
        until, here = time.monotonic() + self._timeout, url
        for _ in range(1 + REDIRECTS):
            known = trusted and urlsplit(here).netloc == urlsplit(url).netloc
            reply, location = self._exchange(here, until, largest, trusted=known)
            if location is None:
                return reply
            here = _target(url, here, location)
        raise WireError("redirected")

    def _exchange(self, url: str, until: float, largest: int, *, trusted: bool) -> tuple[Reply, str | None]:
        """Make one exchange; return the reply and, for a redirect, where it leads."""
        left = until - time.monotonic()
        if left <= 0:
            raise WireError("timeout")
        try:
            response = self._manager(url, trusted=trusted).request(
                "GET",
                url,
                headers=_HEADERS,
                timeout=urllib3.Timeout(connect=left, read=left),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                body = _read(response, until, largest)
            finally:
                response.close()  # a whole body has given the connection back before
        except (OSError, HTTPError, HTTPException, ValueError) as error:
            raise WireError(_why(error)) from error
        location = response.headers.get("Location") if response.status in _REDIRECTED else None
        return Reply(url, response.status, body, response.headers.get("Retry-After")), location

    def _manager(self, url: str, *, trusted: bool) -> urllib3.PoolManager:
        """Return the connections for ``url``: through the environment's proxy, if it has one for an outside host."""
        proxy = None if _inside(url) else select_proxy(url, get_environ_proxies(url))
        if proxy is None:
            return self._pools[trusted]
        with self._lock:
            if proxy not in self._proxies:
                self._proxies[proxy] = urllib3.ProxyManager(proxy, ssl_context=self._tls)
            return self._proxies[proxy]


class _Bounded(HTTPConnection):
    """A connection to permitted addresses alone, whose reply's head arrives in time however it trickles in."""

    allowed: Networks | None = ()
    """Networks that may be reached though they are not public; None: any address."""

    def _new_conn(self) -> socket.socket:
        found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        permitted = [address for address in addresses if self._permits(address)][:ADDRESSES]
        if not permitted:
            raise WireError("not_public")
        timeout = self.timeout if isinstance(self.timeout, int | float) else 5.0
        return _first(permitted, self.port, time.monotonic() + timeout)

    def _permits(self, address: str) -> bool:
        return self.allowed is None or may_be_used(ip_address(address.partition("%")[0]), self.allowed)

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as in urllib3
        """Return the reply whose head has been read. Raises TimeoutError if that took longer than the timeout."""
        connected, late = self.sock, threading.Event()
        timeout = self.timeout if isinstance(self.timeout, int | float) else 5.0
        timer = threading.Timer(timeout, _cut, (connected, late))
        timer.start()
        try:
            response = super().getresponse()
        except (OSError, HTTPException) as error:
            raise (TimeoutError() if late.is_set() else error) from error
        finally:
            timer.cancel()
        if late.is_set():  # a head that was cut off passes for a short one
            response.close()
            raise TimeoutError
        return response


class _BoundedTls(_Bounded, HTTPSConnection):
    """The same over TLS."""


def _first(addresses: list[str], port: int, until: float) -> socket.socket:
    """Return a connection to the first address that takes one. Raises the last one's OSError."""
    for address in addresses[:-1]:
        with suppress(OSError):
            return socket.create_connection((address, port), max(0.05, (until - time.monotonic()) / 2))
    return socket.create_connection((addresses[-1], port), max(0.05, until - time.monotonic()))


def _cut(connected: socket.socket | None, late: threading.Event) -> None:
    late.set()
    if connected is not None:
        with suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)


def _pools(tls: ssl.SSLContext, allowed: Networks | None) -> urllib3.PoolManager:
    """Return a pool manager whose connections are bounded, and reach only public addresses and ``allowed`` ones."""
    given = {"allowed": allowed}
    plain = {"ConnectionCls": type("_Plain", (_Bounded,), given)}
    sealed = {"ConnectionCls": type("_Sealed", (_BoundedTls,), given)}
    manager = urllib3.PoolManager(ssl_context=tls)
    manager.pool_classes_by_scheme = {
        "http": type("_PlainPool", (HTTPConnectionPool,), plain),
        "https": type("_SealedPool", (HTTPSConnectionPool,), sealed),
    }
    return manager


def _read(response: BaseHTTPResponse, until: float, largest: int) -> bytes:
    """Return the body, however it trickles in. Raises WireError at the deadline, and if there is more than ``largest``."""
    pieces: list[bytes] = []
    size = 0
    while piece := response.read1(_PIECE, decode_content=False):
        size += len(piece)
        if size > largest:
            raise WireError("malformed")
        if time.monotonic() > until:
            raise WireError("timeout")
        pieces.append(piece)
    response.read()  # nothing is left: tells http.client so, which gives the connection back
    return b"".join(pieces)


def _target(first: str, here: str, location: str) -> str:
    """Return where a redirect leads. Raises WireError unless that is the same server, or another one by https."""
    try:
        target = urljoin(here, location)
        parts, origin = urlsplit(target), urlsplit(first)
        same = parts.netloc == origin.netloc and parts.scheme == origin.scheme
        if (same or parts.scheme == "https") and parts.hostname and parts.username is None:
            return target
    except ValueError:
        pass
    raise WireError("redirected")


def _is_web(url: str) -> bool:
    """Tell whether it is a URL of HTTP or HTTPS with a host."""
    try:
        parts = urlsplit(url)
    except ValueError:  # such as brackets that hold no IPv6 address
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _inside(url: str) -> bool:
    """Tell whether the URL's host is this machine or an address that no proxy can be meant for."""
    host = urlsplit(url).hostname or ""
    try:
        return not may_be_used(ip_address(host), ())
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _why(error: BaseException) -> str:
    """Return the word for what went wrong; errors carry what caused them."""
    chain: list[BaseException] = []
    here: BaseException | None = error
    while here is not None and here not in chain:
        chain.append(here)
        here = here.__cause__ or here.__context__
    found = (word for kinds, word in _WORDS if any(isinstance(each, kinds) for each in chain))
    return next(found, "malformed")


_WORDS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    # the first that fits counts
    ((WireTimeoutError, TimeoutError), "timeout"),
    ((SSLError, ssl.SSLError), "tls"),
    ((ConnectionRefusedError,), "refused"),
    ((HTTPException, LocationValueError, ValueError), "malformed"),
    ((OSError,), "unreachable"),
)
