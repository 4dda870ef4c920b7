"""TLS clients of the tests: one look at what is served, and a steady load of handshakes that counts what failed."""

import socket
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Self

from services.issuance.chain import serial_hex


def context(root: str) -> ssl.SSLContext:
    """Return a client's context that trusts this root (PEM) alone."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(cadata=root)
    return made


def seen(trusting: ssl.SSLContext, port: int, name: str) -> str:
    """Return the serial number, lower-case hex, of what 127.0.0.1:PORT serves for ``name``. Raises OSError."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as connection,
        trusting.wrap_socket(connection, server_hostname=name) as secure,
    ):
        shown = secure.getpeercert() or {}
        return serial_hex(int(str(shown["serialNumber"]), 16))


@dataclass
class Load:
    """Handshakes at a steady rate from several threads, each a new connection, as long as the block lasts."""

    trusting: ssl.SSLContext
    port: int
    name: str
    rate: float = 200.0
    threads: int = 8
    shown: "Counter[str]" = field(default_factory=Counter)
    """Serial number -> handshakes that showed it."""
    failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ended = threading.Event()
        self._began = time.monotonic()
        self._pool = [threading.Thread(target=self._run, args=(number,)) for number in range(self.threads)]

    @property
    def per_second(self) -> float:
        """Handshakes in each second so far."""
        return (self.shown.total() + len(self.failed)) / (time.monotonic() - self._began)

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        for thread in self._pool:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._pool:
            thread.join()

    def _run(self, number: int) -> None:
        each = self.threads / self.rate
        due = self._began + number / self.rate
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            due += each
            try:
                self.shown[seen(self.trusting, self.port, self.name)] += 1
            except OSError as error:
                self.failed.append(repr(error))
