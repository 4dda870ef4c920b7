"""Each web server with the target that feeds it, as the documents set it up: nginx, HAProxy and Caddy."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.demo.parts.caddy import Caddy
from bot.demo.parts.nginx import Edge
from bot.demo.parts.process import free_port
from bot.pull import PullListener
from services.deployment.answers import FRESH, Answers
from services.deployment.files import FilesSettings, FilesTarget
from services.deployment.pull import PullSettings
from services.ports import DeployTarget
from tests.handshakes import Deployed
from tests.haproxy_world import HaproxyWorld
from tests.minted import Mint
from tests.unit.pull_world import TARGET, PullWorld

TARGETS = Path(__file__).resolve().parents[1] / "docs" / "targets.md"
TOKEN = "a-token-of-some-length"
NAME = "moon.test"


@dataclass(frozen=True)
class Serving:
    """A server that runs and serves `NAME`."""

    port: int
    mint: Mint
    target: DeployTarget
    lag: float = 0.0
    """Seconds for which it may go on with the former certificate."""
    keep: Callable[..., object] = lambda *_: None
    """Stores a revision and its key, as certdesk has before it deploys."""

    def renew(self) -> Deployed:
        """Hand over a new certificate; return when."""
        revision, key = self.mint.revision(NAME)
        self.keep(revision, key)
        began = time.monotonic()
        self.target.deploy(revision, key)
        return Deployed(revision.serial or "", began, time.monotonic())


@contextmanager
def nginx(folder: Path) -> Iterator[Serving]:
    """Start the target `files` and nginx, as the demo has it."""
    target = FilesTarget("edge", FilesSettings(folder / "certificates"))
    stores = {NAME: "<!doctype html>"}
    places = folder / "edge", free_port(), free_port()
    with Edge.start(*places, certificates=folder / "certificates", stores=stores) as edge:
        (folder / "certificates" / NAME).unlink()  # the stand-in
        yield Serving(edge.https_port, Mint(), target)


@contextmanager
def haproxy(folder: Path) -> Iterator[Serving]:
    """Start the target `haproxy` and HAProxy."""
    world = HaproxyWorld(folder)
    try:
        yield Serving(world.https_port, Mint(), world.target())
    finally:
        world.stop()


@contextmanager
def caddy(folder: Path) -> Iterator[Serving]:
    """Start the target `http` and Caddy, which asks it at each handshake."""
    (folder / "token").write_text(TOKEN)
    world, settings = PullWorld(), PullSettings("127.0.0.1:0", token_file=folder / "token")
    answers = Answers(TARGET, world.storage, world.vault, time.monotonic)
    listener = PullListener(TARGET, settings, answers)
    listener.start()
    port = free_port()
    try:
        with Caddy.start(folder, port, caddyfile(port, listener.port)):
            yield Serving(port, world.mint, world.target, FRESH, world.keep)
    finally:
        listener.stop()


def caddyfile(port: int, asked: int) -> str:
    """Return the document's configuration with this machine's ports: Caddy's own, and that of the pull target."""
    text = TARGETS.read_text().partition("```caddyfile\n")[2].partition("```")[0]
    there = "http://caddy:TOKEN@127.0.0.1:8403/"
    assert there in text
    return f"{{\n\tadmin off\n\tauto_https disable_redirects\n\thttps_port {port}\n}}\n" + text.replace(
        there, f"http://caddy:{TOKEN}@127.0.0.1:{asked}/"
    )


SERVERS: Mapping[str, Callable[[Path], AbstractContextManager[Serving]]] = {
    "nginx": nginx,
    "HAProxy": haproxy,
    "Caddy": caddy,
}
