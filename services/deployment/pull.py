"""Deploy target ``http``: nothing is sent anywhere; servers ask for the certificate of a name (bot/pull.py answers)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from services.model.certificates import Revision
from services.model.errors import DatabaseUnavailableError, DeployError
from services.model.text import say
from services.ports import Storage

SOCKET = "unix:"
_LISTEN = "listen: 127.0.0.1:8403, [::1]:8403 or unix:/run/certdesk/pull.sock is needed"


@dataclass(frozen=True, slots=True)
class PullSettings:
    """The keys of a target of kind ``http``.

    Whoever gets an answer has a private key. So it is open to this machine alone, by a socket's rights or by a loopback
    address, unless both a token and a client certificate are asked for.
    """

    listen: str
    """ADDRESS:PORT or unix:PATH."""
    token_file: Path | None = None
    """File with the token that clients have to send, 16 characters at least; read once, at the start."""
    tls_certificate: Path | None = None
    """PEM chain of the listener's own certificate; with it TLS is spoken, and clients need a certificate too."""
    tls_key: Path | None = None
    """Its private key."""
    tls_client_ca: Path | None = None
    """PEM file of the CA that signs clients' certificates."""
    group: str = ""
    """Group that may connect to a Unix socket besides certdesk's own user; empty: nobody."""

    def __post_init__(self) -> None:
        """Raise ValueError for what would let strangers ask."""
        tls = (self.tls_certificate, self.tls_key, self.tls_client_ca)
        if any(tls) and not all(tls):
            raise ValueError(
                "tls_certificate, tls_key and tls_client_ca belong together: set all of them, or none"
            )
        if self.listen.startswith(SOCKET):
            if not Path(self.listen.removeprefix(SOCKET)).is_absolute():
                raise ValueError(f"{_LISTEN}; the path of a socket begins with /")
            return
        if self.group:
            raise ValueError("group: it is for a Unix socket, whose rights tell who may connect")
        if not self.local and not (self.token_file and all(tls)):
            raise ValueError(
                "listen: beyond this machine keys are given only to who has both a token (token_file) and a client "
                "certificate (tls_certificate, tls_key, tls_client_ca)"
            )

    @property
    def local(self) -> bool:
        """Whether only this machine can connect. Raises ValueError for what is no address."""
        return self.listen.startswith(SOCKET) or ip_address(self.address[0]).is_loopback

    @property
    def address(self) -> tuple[str, int]:
        """(address, port) of a listener that is no socket. Raises ValueError."""
        host, _, port = self.listen.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        try:
            ip_address(host)
        except ValueError:
            raise ValueError(_LISTEN) from None
        if not (port.isascii() and port.isdigit() and len(port) < 6 and 0 <= int(port) < 65_536):
            raise ValueError(_LISTEN)
        return host, int(port)


class PullTarget:
    """Publishes which revision is answered with for each name; every process that listens sees it within moments."""

    def __init__(self, name: str, _settings: PullSettings, storage: Storage) -> None:
        self.name = name
        self._storage = storage

    def deploy(self, revision: Revision, key: str) -> None:  # noqa: ARG002 - it lies in the vault already
        """Let each name lead to the revision, all in one transaction; its key stays where it is, in the vault."""
        with self._told(), self._storage.write() as tx:
            tx.publications.put(self.name, revision.names, revision.id)

    def current(self, name: str) -> str | None:
        """Return the serial number that ``name`` is answered with; see `DeployTarget`."""
        with self._told(), self._storage.read() as tx:
            published = tx.publications.get(self.name, name)
            revision = tx.certificates.revision(published) if published else None
        return revision.serial if revision else None

    def remove(self, name: str) -> None:
        """Answer nothing for the name any more."""
        with self._told(), self._storage.write() as tx:
            tx.publications.put(self.name, (name,), None)

    def discard(self, revision: Revision) -> bool:
        """Tell whether no name leads to the revision; nothing else is kept."""
        with self._told(), self._storage.read() as tx:
            return not tx.publications.used(self.name, revision.id)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except DatabaseUnavailableError as error:
            raise DeployError(say("Target {target}: {why}", target=self.name, why=error.text)) from error
