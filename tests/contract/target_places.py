"""The places of the targets' contract suite: each kind's target, and a look at what it really has that asks no code of ours."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from services.deployment.files import FilesSettings, FilesTarget
from services.ports import DeployTarget


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


PLACES: Mapping[str, Callable[[pytest.FixtureRequest, Path], Place]] = {
    "files": lambda _, folder: Files(folder),
}
"""Every kind of `bot.targets.KINDS`."""
