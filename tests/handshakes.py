"""TLS clients of the tests: one look at what is served, and a steady load of handshakes that counts what failed."""

import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True)
class Handshake:
    """One that succeeded: the chain leads to the root, and the name fits."""

    began: float
    ended: float
    serial: str


@dataclass(frozen=True, slots=True)
class Deployed:
    """When a certificate was handed over, by the clock of `time.monotonic`."""

    serial: str
    began: float
    ended: float


@dataclass
class Load:
    """Handshakes at a steady rate from several threads, each a new connection, as long as the block lasts."""

    trusting: ssl.SSLContext
    port: int
    name: str
    rate: float = 200.0
    threads: int = 8
    shown: list[Handshake] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._began = time.monotonic()
        self._lasted = 0.0
        self._pool = [threading.Thread(target=self._run, args=(number,)) for number in range(self.threads)]

    @property
    def per_second(self) -> float:
        """Handshakes in each second, whatever became of them, until now or until the end."""
        return (len(self.shown) + len(self.failed)) / (self._lasted or time.monotonic() - self._began)

    @property
    def serials(self) -> "Counter[str]":
        """How many handshakes showed each serial number."""
        return Counter(one.serial for one in self.shown)

    def wrong(self, deployed: Sequence[Deployed], lag: float = 0.0) -> list[str]:
        """Return the handshakes that were shown a certificate which was not the one of that moment.

        Right is what was handed over last before the handshake began, or what was handed over while it lasted. ``lag`` is how
        many seconds a server may go on with the former one.
        """
        return [
            f"{one.serial} at {one.began - self._began:.3f} s"
            for one in self.shown
            if one.serial not in _right(one, deployed, lag)
        ]

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        for thread in self._pool:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._pool:
            thread.join()
        self._lasted = time.monotonic() - self._began

    def _run(self, number: int) -> None:
        each = self.threads / self.rate
        due = self._began + number / self.rate
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due += each
            began = time.monotonic()
            try:
                serial = seen(self.trusting, self.port, self.name)
            except OSError as error:
                self.failed.append(f"{error!r} at {began - self._began:.3f} s")
            else:
                self.shown.append(Handshake(began, time.monotonic(), serial))


def _right(handshake: Handshake, deployed: Sequence[Deployed], lag: float) -> set[str]:
    """Return the serial numbers that the handshake may show."""
    before = [number for number, one in enumerate(deployed) if one.ended + lag <= handshake.began]
    rest = deployed[before[-1] if before else 0 :]
    return {one.serial for one in rest if one.began <= handshake.ended}
