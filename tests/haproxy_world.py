"""A running HAProxy as docs/haproxy.md sets it up, its target, and a relay before its socket that can refuse commands."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.demo.parts.errors import PartMissing
from bot.demo.parts.haproxy import Haproxy
from bot.demo.parts.process import free_port
from services.deployment.haproxy import HaproxySettings, HaproxyTarget

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "haproxy.md"


def configuration(folder: Path, http_port: int, https_port: int, inside: int) -> str:
    """Return the document's configuration with this machine's places and ports."""
    text = DOCUMENT.read_text().partition("```haproxy\n")[2].partition("```")[0]
    here = {
        "    user haproxy\n    group haproxy\n": "",
        "/run/haproxy/admin.sock user haproxy group certdesk mode 660": f"{folder}/admin.sock mode 600",
        "bind :80\n": f"bind 127.0.0.1:{http_port}\n",
        "bind :443 ": f"bind 127.0.0.1:{https_port} ",
        "/var/lib/certdesk/haproxy": str(folder / "haproxy"),
        "127.0.0.1:8402": f"127.0.0.1:{inside}",
    }
    for there, now in here.items():
        assert there in text, there
        text = text.replace(there, now)
    return text


class HaproxyWorld:
    """A HAProxy that has no certificate yet."""

    def __init__(self, folder: Path, inside: int = 9, change: Callable[[str], str] = str) -> None:
        self.folder, self.refused = folder, ""
        self.afterwards: dict[str, Callable[[], None]] = {}
        self.https_port, self.http_port = free_port(), free_port()
        (folder / "haproxy").mkdir()
        (folder / "haproxy" / "crt-list").touch()
        self._configuration = change(configuration(folder, self.http_port, self.https_port, inside))
        self.balancer = self._run()
        self._relay = _Relay(folder / "relay.sock", folder / "admin.sock", self)

    def _run(self) -> Haproxy:
        try:
            return Haproxy.start(self.folder, self.https_port, self._configuration)
        except PartMissing as missing:
            pytest.fail(str(missing), pytrace=False)

    def again(self) -> None:
        """Let HAProxy start anew, from its files alone."""
        self.balancer.stop()
        self.balancer = self._run()

    def stop(self) -> None:
        """End it."""
        self._relay.stop()
        self.balancer.stop()

    def target(self, crt_list: Path | None = None) -> HaproxyTarget:
        """Return a target of its own over the relay."""
        settings = HaproxySettings(self.folder / "relay.sock", self.folder / "haproxy", crt_list)
        return HaproxyTarget("edge", settings)

    @contextmanager
    def refusing(self, command: str) -> Iterator[None]:
        """Let commands that begin so be refused as long as the block lasts."""
        self.refused = command
        try:
            yield
        finally:
            self.refused = ""

    def once(self, command: str, act: Callable[[], None]) -> None:
        """Let this be done right after the next command that begins so, before its answer is given."""
        self.afterwards[command] = act

    def asked(self, command: str) -> str:
        """Return what HAProxy answers, past the relay."""
        return asked(self.folder / "admin.sock", f"{command}\n".encode()).decode()

    def shown(self, name: str) -> str | None:
        """Return the leaf that is shown for a name, PEM; None if the handshake ends without one."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        host = name.replace("*", "certdesk-probe")
        with socket.create_connection(("127.0.0.1", self.https_port), timeout=5) as connection:
            try:
                secure = context.wrap_socket(connection, server_hostname=host)
            except ssl.SSLError:
                return None
            with secure:
                return ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True) or b"")

    def pair(self, leaf: str) -> tuple[str, str] | None:
        """Return (chain, key) of the revision on disk whose certificate this is."""
        for found in (self.folder / "haproxy" / ".revisions").glob("*/combined.pem"):
            chain, begin, key = found.read_text().partition("-----BEGIN PRIVATE KEY-----")
            if "".join(chain.split()).startswith("".join(leaf.split())):
                return chain, begin + key
        return None


def asked(path: Path, command: bytes) -> bytes:
    """Send bytes to a Unix socket and return all that comes back."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(command)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


class _Relay:
    """Hands commands on to HAProxy, but for those that begin with what its world refuses."""

    def __init__(self, path: Path, behind: Path, world: HaproxyWorld) -> None:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                command = self.request.recv(1 << 20)
                while b" <<\n" in command and not command.endswith(b"\n\n"):
                    command += self.request.recv(1 << 20)
                if world.refused and command.startswith(world.refused.encode()):
                    self.request.sendall(b"Can't commit!\n\n")
                    return
                answer = asked(behind, command)
                for due in [one for one in world.afterwards if command.startswith(one.encode())]:
                    world.afterwards.pop(due)()
                self.request.sendall(answer)

        class Server(socketserver.ThreadingUnixStreamServer):
            request_queue_size = 64
            daemon_threads = True

        self._server = Server(str(path), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
