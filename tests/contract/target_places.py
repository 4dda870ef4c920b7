"""The places of the targets' contract suite: each kind's target, and a look at what it really has that asks no code of ours."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from services.deployment.command import ExecSettings, ExecTarget
from services.deployment.files import FilesSettings, FilesTarget
from services.deployment.pull import PullSettings, PullTarget
from services.model.certificates import Revision
from services.ports import DeployTarget
from tests.haproxy_world import HaproxyWorld
from tests.kubernetes_world import KubernetesWorld
from tests.unit.pull_world import Breakable, PullWorld

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "targets.md"


class Place(Protocol):
    """Where a target puts certificates, seen from outside."""

    def target(self) -> DeployTarget:
        """Return a target of its own, as another process would make it from the same settings."""
        ...

    def served(self, name: str) -> tuple[str, str] | None:
        """Return (chain, key), PEM, that is served for exactly this name; None if nothing of ours is."""
        ...

    def failing(self) -> AbstractContextManager[object]:
        """Let what is new not be taken, after a part of it has been, as long as the block lasts."""
        ...

    def kept(self) -> bool:
        """Tell whether the target keeps files of revisions that `discard` throws away."""
        ...


class Files:
    """Two directories; half way fails the second one."""

    def __init__(self, folder: Path) -> None:
        self.directories = folder / "one", folder / "two"

    def target(self) -> DeployTarget:
        first, second = self.directories
        return FilesTarget("edge", FilesSettings(first, (second,), combined=True))

    def served(self, name: str) -> tuple[str, str] | None:
        """Go through the link once, as who opens the folder does."""
        place = (self.directories[0] / name.replace("*", "_")).resolve()
        if not place.is_dir():
            return None
        chain, key, both = (
            (place / file).read_text() for file in ("fullchain.pem", "privkey.pem", "combined.pem")
        )
        assert both == chain + key
        return chain, key

    @contextmanager
    def failing(self) -> Iterator[None]:
        place = self.directories[1] / ".revisions"
        aside = place.with_name("aside")
        place.rename(aside)
        place.write_text("in the way")
        try:
            yield
        finally:
            place.unlink()
            aside.rename(place)

    def kept(self) -> bool:
        return True


class Pull:
    """What a listener would answer; half way fails the commit."""

    def __init__(self) -> None:
        self._storage = Breakable()
        self._world = PullWorld(self._storage)

    def target(self) -> DeployTarget:
        return _Stored(self._world)

    def served(self, name: str) -> tuple[str, str] | None:
        answers = self._world.answers("edge")
        answers.refresh()
        found = answers.load(name) if self._published(name) else None
        if found is None:
            return None
        chain, begin, key = found.decode().partition("-----BEGIN PRIVATE KEY-----")
        return chain, begin + key

    def _published(self, name: str) -> bool:
        """Tell whether the name itself is published, and not the wildcard over it."""
        with self._storage.read() as tx:
            return tx.publications.get("edge", name) is not None

    @contextmanager
    def failing(self) -> Iterator[None]:
        self._storage.uncommitted = True
        try:
            yield
        finally:
            self._storage.uncommitted = False

    def kept(self) -> bool:
        return True


class _Stored:
    """The target, whose revisions are in the database before they are deployed, as certdesk's are."""

    def __init__(self, world: PullWorld) -> None:
        self._world, self._target = world, PullTarget("edge", PullSettings("127.0.0.1:0"), world.storage)
        self.name = self._target.name
        self.current, self.remove, self.discard = (
            self._target.current,
            self._target.remove,
            self._target.discard,
        )

    def deploy(self, revision: Revision, key: str) -> None:
        assert isinstance(self._world.storage, Breakable)
        failing, self._world.storage.uncommitted = self._world.storage.uncommitted, False
        kept = self._world.keep(revision, key)
        self._world.storage.uncommitted = failing
        self._target.deploy(kept, key)


class Balancer:
    """A running HAProxy, asked by TLS handshakes; half way it takes the certificate and refuses to commit it."""

    def __init__(self, request: pytest.FixtureRequest, folder: Path) -> None:
        self._world = HaproxyWorld(folder)
        request.addfinalizer(self._world.stop)

    def target(self) -> DeployTarget:
        return self._world.target()

    def served(self, name: str) -> tuple[str, str] | None:
        """Find the file of the certificate that was shown: who shook hands with it has its key."""
        shown = self._world.shown(name)
        return self._world.pair(shown) if shown else None

    def failing(self) -> AbstractContextManager[None]:
        return self._world.refusing("commit ssl cert")

    def kept(self) -> bool:
        return True


class Cluster:
    """A namespace of secrets; half way its quota is full."""

    def __init__(self, request: pytest.FixtureRequest, folder: Path) -> None:
        self._world = KubernetesWorld(folder)
        request.addfinalizer(self._world.stop)

    def target(self) -> DeployTarget:
        return self._world.target()

    def served(self, name: str) -> tuple[str, str] | None:
        return self._world.pair(f"{name[2:]}.wildcard" if name.startswith("*.") else name)

    def failing(self) -> AbstractContextManager[None]:
        return self._world.failing()

    def kept(self) -> bool:
        return False


class Command:
    """A folder that the script of docs/targets.md writes to; half way fails the script."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._temporary = folder / "certificates", folder / "temporary"
        self._folder.mkdir()
        self._script = documented_script(folder, self._folder)

    def target(self) -> DeployTarget:
        return ExecTarget("edge", ExecSettings((str(self._script),), directory=self._temporary))

    def served(self, name: str) -> tuple[str, str] | None:
        try:
            both = (self._folder / f"{name}.pem").read_text()
        except FileNotFoundError:
            return None
        chain, begin, key = both.partition("-----BEGIN PRIVATE KEY-----")
        return chain, begin + key

    @contextmanager
    def failing(self) -> Iterator[None]:
        aside = self._folder.with_name("aside")
        self._folder.rename(aside)
        try:
            yield
        finally:
            aside.rename(self._folder)

    def kept(self) -> bool:
        return False


def documented_script(folder: Path, certificates: Path) -> Path:
    """Return the document's script, which writes to ``certificates`` here."""
    text = DOCUMENT.read_text().partition("```sh\n")[2].partition("```")[0]
    assert "/srv/certificates" in text
    script = folder / "put-certificate"
    script.write_text(text.replace("/srv/certificates", str(certificates)))
    script.chmod(0o700)
    return script


PLACES: Mapping[str, Callable[[pytest.FixtureRequest, Path], Place]] = {
    "files": lambda _, folder: Files(folder),
    "haproxy": Balancer,
    "http": lambda *_: Pull(),
    "kubernetes": Cluster,
    "exec": lambda _, folder: Command(folder),
}
"""Every kind of `bot.targets.KINDS`."""
