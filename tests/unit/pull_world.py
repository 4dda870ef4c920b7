"""A pull target over a storage, with real revisions, and its listener."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from services.deployment.answers import Answers
from services.deployment.pull import PullSettings, PullTarget
from services.model.certificates import Certificate, Revision
from services.model.errors import DatabaseUnavailableError
from services.model.text import say
from services.ports import Storage
from storage.memory.storage import MemoryStorage, MemoryTransaction
from storage.vault import Vault
from tests.minted import Mint

TARGET = "pull"


class Breakable(MemoryStorage):
    """A storage that does not answer while it is ``down``, or fails at commits; `looks` counts transactions for reading."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.uncommitted, self.looks = False, False, 0

    @contextmanager
    def read(self) -> Iterator[MemoryTransaction]:
        self.looks += 1
        if self.down:
            raise DatabaseUnavailableError(say("The database does not answer."))
        with super().read() as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[MemoryTransaction]:
        with super().write() as tx:
            yield tx
            if self.uncommitted:
                raise DatabaseUnavailableError(say("The database does not answer."))


@dataclass
class PullWorld:
    """What is published, and by what clock it is looked at."""

    storage: Storage = field(default_factory=Breakable)
    vault: Vault = field(default_factory=lambda: Vault((bytes(32),)))
    mint: Mint = field(default_factory=Mint)
    seconds: float = 0.0

    @property
    def target(self) -> PullTarget:
        return PullTarget(TARGET, PullSettings("127.0.0.1:0"), self.storage)

    def answers(self, target: str = TARGET) -> Answers:
        """Return answers that go by the world's clock."""
        return Answers(target, self.storage, self.vault, lambda: self.seconds)

    def issued(self, *names: str) -> tuple[Revision, str]:
        """Return a revision, stored, and its key."""
        made, key = self.mint.revision(*names)
        revision = self.keep(made, key)
        return revision, key

    def keep(self, made: Revision, key: str) -> Revision:
        """Store a revision with its key sealed; return it."""
        revision = replace(made, sealed_key=self.vault.seal(key.encode(), made.key_binding))
        with self.storage.write() as tx:
            if tx.certificates.get(revision.certificate) is None:
                now = self.mint.now
                tx.certificates.add(
                    Certificate(revision.certificate, "moon", "moon.test", ("moon.test",), now, now)
                )
            tx.certificates.put_revision(revision)
        return revision

    def published(self, *names: str) -> bytes:
        """Publish a new revision for these names; return what is to be answered."""
        revision, key = self.issued(*names)
        self.target.deploy(revision, key)
        return (revision.chain or "").rstrip().encode() + b"\n" + key.encode()


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=5)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(port: int, name: str, path: str = "/", **headers: str) -> tuple[int, bytes]:
    """Ask at a port of 127.0.0.1 for a name; return (status, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(
            "GET",
            f"{path}?server_name={name}",
            headers={key.replace("_", "-"): value for key, value in headers.items()},
        )
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
