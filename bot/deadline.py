"""Ends an HTTP exchange at its deadline, however slowly the answer trickles in: a time-out of a socket counts each byte anew."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from requests import Session
from requests.adapters import HTTPAdapter

AGAIN = 0.5
"""Seconds after which a connection that was only being made at the deadline is shut as well."""


@contextmanager
def session_until(seconds: float) -> Iterator[Session]:
    """Open a session whose connections are shut ``seconds`` from now; whoever reads then meets their end (an OSError)."""
    adapter, over = _Adapter(), threading.Event()

    def shut() -> None:
        left = seconds
        while not over.wait(left):
            adapter.shut()
            left = AGAIN

    watch = threading.Thread(target=shut, name="deadline", daemon=True)
    with Session() as session:
        session.trust_env = False  # no passwords of a .netrc
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        watch.start()
        try:
            yield session
        finally:
            over.set()
            watch.join()


class _Adapter(HTTPAdapter):
    """Knows the connections that it has made."""

    def __init__(self) -> None:
        super().__init__()
        self._made: list[Any] = []

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """Return the pool for a request, which from now on tells of each connection that it makes."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        make = pool.ConnectionCls

        def connection(*given: Any, **named: Any) -> Any:
            self._made.append(make(*given, **named))
            return self._made[-1]

        pool.ConnectionCls = connection
        return pool

    def shut(self) -> None:
        """End every connection; whoever waits for its next byte meets the end of the stream."""
        for connection in tuple(self._made):
            if connection.sock is not None:
                with contextlib.suppress(OSError):  # it has ended by itself
                    # of the socket below TLS: the layer above it belongs to the thread that reads
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
