"""Implements `services.checks.world.Web` on plain sockets: one exchange, one connection, one deadline."""

import errno
import re
import socket
import ssl
import time
from ipaddress import IPv4Address, IPv6Address, ip_address

from services.checks.doors import REST, Doors
from services.checks.http_answer import read
from services.checks.reach import globally_reachable, may_be_used
from services.checks.world import Fetched
from services.model.settings import Probing

Address = IPv4Address | IPv6Address
_FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
_PIECE = 8192
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.IGNORECASE)
_PATH = re.compile(r"/[!-~]*")
_NOT_TLS = frozenset(
    {
        "HTTP_REQUEST",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "UNKNOWN_PROTOCOL",
        "WRONG_VERSION_NUMBER",
    }
)
"""OpenSSL's reasons for bytes that are no TLS record."""
_ERRORS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ECONNABORTED: "reset",
    errno.ENETUNREACH: "unreachable",
    errno.EHOSTUNREACH: "unreachable",
    errno.ETIMEDOUT: "timeout",
}
"""What an errno means of the peer; every other one is a matter of this machine."""


class SocketWeb:
    """Any thread may call. ``probing`` gives the seconds of a whole exchange and the networks that may be used.

    An address and port that took no connection in time count as silent for a few seconds, whatever the name.
    """

    def __init__(self, probing: Probing) -> None:
        self._timeout = probing.timeout
        self._allowed = probing.allow_networks
        self._tls = _context()
        self._doors = Doors(max(REST, 2 * probing.timeout))

    def get(self, scheme: str, address: Address, port: int, host: str, path: str) -> Fetched:
        """See `services.checks.world.Web.get`. An address that may not be used gives the error ``local``."""
        if not may_be_used(address, self._allowed):
            return Fetched(error="local", detail=f"probe.allow_networks does not allow {address}")
        if not _HOST.fullmatch(host) or not _PATH.fullmatch(path):
            return Fetched(error="malformed", detail="host or path cannot stand in a request")
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: certdesk\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        if not self._doors.may_knock((address, port)):
            return self._failed(TimeoutError("no connection a moment ago"), address)
        deadline = time.monotonic() + self._timeout
        try:
            with socket.socket(_FAMILY[address.version], socket.SOCK_STREAM) as plain:
                plain.settimeout(self._timeout)
                self._connect(plain, address, port)
                if scheme == "http":
                    return _exchange(plain, request, deadline)
                plain.settimeout(_left(deadline))
                with self._tls.wrap_socket(plain, server_hostname=host) as secure:
                    return _exchange(secure, request, deadline)
        except OSError as error:
            return self._failed(error, address)

    def _connect(self, plain: socket.socket, address: Address, port: int) -> None:
        """Connect, and remember where nobody took the connection in time. Raises OSError."""
        try:
            plain.connect((str(address), port))
        except TimeoutError:
            self._doors.stayed_shut((address, port))
            raise
        except OSError:
            self._doors.answered((address, port))
            raise
        self._doors.answered((address, port))

    def _failed(self, error: OSError, address: Address) -> Fetched:
        kind = kind_of(error)
        detail = getattr(error, "reason", None) or error.strerror or str(error) or type(error).__name__
        if kind in ("timeout", "unreachable") and not has_way(address):
            return Fetched(error="local", detail=f"this machine has no way to {address} ({detail})")
        return Fetched(error=kind, detail=_waited(self._timeout) if kind == "timeout" else str(detail))


def _waited(timeout: float) -> str:
    return f"nothing whole within {timeout:g} s"


def _context() -> ssl.SSLContext:
    """Return what looks at any TLS that is served: whether it may be trusted is judged elsewhere."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.set_alpn_protocols(["http/1.1"])
    return context


def _exchange(connection: socket.socket, request: str, deadline: float) -> Fetched:
    """Send the request and read until the answer can be told. Raises OSError."""
    connection.settimeout(_left(deadline))
    connection.sendall(request.encode("ascii"))
    raw = b""
    while True:
        connection.settimeout(_left(deadline))
        piece = connection.recv(_PIECE)
        raw += piece
        answer = read(raw, ended=not piece)
        if answer is not None:
            return answer


def _left(deadline: float) -> float:
    """Return the seconds that are left. Raises TimeoutError when there are none, however busily a server feeds."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


def kind_of(error: OSError) -> str:
    """Return the word for an error: one of `Fetched.error`."""
    if isinstance(error, ssl.SSLError):
        return "not_tls" if error.reason in _NOT_TLS else "tls"
    if isinstance(error, TimeoutError):
        return "timeout"
    return _ERRORS.get(error.errno or 0, "local")


def has_way(address: Address) -> bool:
    """Tell whether this machine has a route to ``address``, and for IPv6 an address of its own that fits it.

    A machine whose only IPv6 addresses are local ones cannot tell whether a public one answers (RFC 6724 §5).
    """
    try:
        with socket.socket(_FAMILY[address.version], socket.SOCK_DGRAM) as unsent:
            unsent.connect((str(address), 9))  # of a datagram socket: looks the route up and sends nothing
            source = ip_address(unsent.getsockname()[0])
    except OSError:
        return False
    return address.version == 4 or not globally_reachable(address) or globally_reachable(source)
