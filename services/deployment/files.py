"""Deploy target ``files``: PEM files per name, behind a symbolic link that is swapped to the new revision at once."""

import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from services.deployment.running import SHOWN, CommandTimeoutError, run
from services.deployment.writing import Ownership, make_folder, ownership, sync, write_file
from services.issuance.chain import read_chain
from services.model.certificates import Revision
from services.model.errors import DeployError
from services.model.names import base, is_wildcard
from services.model.text import say

CHAIN, KEY, COMBINED = "fullchain.pem", "privkey.pem", "combined.pem"
REVISIONS = ".revisions"
RELOAD_SECONDS = 30


@dataclass(frozen=True, slots=True)
class FilesSettings:
    """The keys of a target of kind ``files``."""

    directory: Path
    """The folder, made if it is not there."""
    directories: tuple[Path, ...] = ()
    """Further folders that get the same."""
    combined: bool = False
    """Write combined.pem too: the chain and then the key in one file."""
    user: str = ""
    """Whose files they are: a name or a number; empty: certdesk's own user's. To give files away takes its privilege."""
    group: str = ""
    """Their group: a name or a number; empty: certdesk's own."""
    mode: str = "0600"
    """Their mode, in octal; nobody but a user and a group may be let in."""
    reload: tuple[str, ...] = ()
    """Command, as an argument list, that is run after a change; empty: none."""

    def __post_init__(self) -> None:
        """Raise ValueError for a mode that cannot be; users and groups are those of the machine that writes."""
        ownership("", "", self.mode)


class FilesTarget:
    """Writes DIRECTORY/NAME/fullchain.pem and privkey.pem. NAME is a symbolic link, so key and chain change together."""

    def __init__(self, name: str, settings: FilesSettings, reload_seconds: float = RELOAD_SECONDS) -> None:
        self.name = name
        self._reload_seconds = reload_seconds
        self._settings = settings
        self._directories = (settings.directory, *settings.directories)

    def deploy(self, revision: Revision, key: str) -> None:
        """Write the revision's files into a folder of its own, then swap each name's link to it, then reload.

        With several directories all of them have the files before the first link is swapped. See `DeployTarget`.
        """
        with self.prepared(revision, key) as swap:
            swap()
        if self._settings.reload:
            self._reload(key)

    @contextmanager
    def prepared(self, revision: Revision, key: str) -> Iterator[Callable[[], None]]:
        """Have the revision's files on disk in every directory; what is given lets the names' links lead to them.

        Nobody else changes the target as long as the block lasts, and nothing is swapped where something stands in the way.
        Raises DeployError.
        """
        with self._told(), self._alone() as owner:
            folders = [self._write(directory, owner, revision, key) for directory in self._directories]
            links = [(_link(folder, name), folder) for folder in folders for name in revision.names]
            for link, _ in links:
                self._ours(link)
            yield partial(_swap_all, links)

    def current(self, name: str) -> str | None:
        """Return the serial number that every directory has for ``name``; see `DeployTarget`."""
        with self._told():
            serials = {_serial(directory / directory_name(name) / CHAIN) for directory in self._directories}
        return serials.pop() if len(serials) == 1 else None

    def remove(self, name: str) -> None:
        """Take the name's link away in every directory, then reload."""
        with self.removing(name) as (there, unlink):
            unlink()
        if there and self._settings.reload:
            self._reload("")

    @contextmanager
    def removing(self, name: str) -> Iterator[tuple[bool, Callable[[], None]]]:
        """Give whether the name has a link, and what takes it away; nobody else changes the target meanwhile.

        Raises DeployError.
        """
        with self._told(), self._alone():
            links = [directory / directory_name(name) for directory in self._directories]
            there = [link for link in links if os.path.lexists(link)]
            for link in there:
                self._ours(link)
            yield bool(there), partial(_unlink_all, there)

    def discard(self, revision: Revision) -> bool:
        """Delete the revision's folder in every directory where no name's link leads to it."""
        with self._told(), self._alone():
            gone = [_discard(directory, revision) for directory in self._directories]
        return all(gone)

    @contextmanager
    def _alone(self) -> Iterator[Ownership]:
        """Let nobody else on this machine change the target meanwhile, so that several directories stay alike.

        Gives whose the files are to be.
        """
        owner = ownership(self._settings.user, self._settings.group, self._settings.mode)
        folder = self._directories[0] / REVISIONS
        for made in (folder.parent, folder):
            make_folder(made, owner)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield owner
        finally:
            os.close(descriptor)

    def _write(self, directory: Path, owner: Ownership, revision: Revision, key: str) -> Path:
        """Return the revision's folder, complete and on disk before any link leads to it."""
        folder = directory / REVISIONS / revision.id
        for made in (directory, folder.parent, folder):
            make_folder(made, owner)
        chain = revision.chain or ""
        write_file(folder / CHAIN, chain, owner)
        write_file(folder / KEY, key, owner)
        if self._settings.combined:
            write_file(folder / COMBINED, f"{chain.rstrip()}\n{key}", owner)
        sync(folder)
        return folder

    def _ours(self, link: Path) -> None:
        """Raise DeployError if something that is not our link stands in the name's place."""
        if os.path.lexists(link) and not link.is_symlink():
            raise DeployError(
                say(
                    "Target {target}: {path} is not certdesk's symbolic link; move it away, and certdesk tries again.",
                    target=self.name,
                    path=str(link),
                )
            )

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Let what the system says be a DeployError that names the target and the path."""
        try:
            yield
        except ValueError as error:
            raise DeployError(
                say("Target {target} cannot be written: {why}.", target=self.name, why=str(error))
            ) from error
        except OSError as error:
            raise DeployError(
                say(
                    "Target {target} could not write {path}: {why}.",
                    target=self.name,
                    path=str(error.filename or self._directories[0]),
                    why=error.strerror or str(error),
                )
            ) from error

    def _reload(self, key: str) -> None:
        """Run the reload command as an argument list, never through a shell; its children end with it."""
        try:
            ended = run(self._settings.reload, self._reload_seconds, secret=key)
        except (OSError, CommandTimeoutError) as error:
            raise DeployError(
                say("Target {target}: the reload command failed: {why}.", target=self.name, why=str(error))
            ) from error
        if ended.code:
            raise DeployError(
                say(
                    "Target {target}: the reload command ended with {code}: {output}",
                    target=self.name,
                    code=ended.code,
                    output=ended.output[-SHOWN:] or "no output",
                )
            )


def directory_name(name: str) -> str:
    """Return the folder name for ``name``: a wildcard's asterisk, which shells and globs would expand, becomes ``_``."""
    return f"_.{base(name)}" if is_wildcard(name) else name


def _link(folder: Path, name: str) -> Path:
    """Return where the link of ``name`` is that leads to the revision's ``folder``."""
    return folder.parent.parent / directory_name(name)


def _swap_all(links: Sequence[tuple[Path, Path]]) -> None:
    """Make each link lead to its folder."""
    for link, folder in links:
        _swap(link, folder)


def _unlink_all(links: Sequence[Path]) -> None:
    for link in links:
        link.unlink(missing_ok=True)
        sync(link.parent)


def _swap(link: Path, folder: Path) -> None:
    """Make ``link`` lead to ``folder`` in one rename, which a reader sees before or after but never half done."""
    target = os.path.relpath(folder, link.parent)
    if link.is_symlink() and str(link.readlink()) == target:
        return
    fresh = link.with_name(f".{link.name}.{secrets.token_hex(4)}")
    fresh.symlink_to(target)
    try:
        fresh.replace(link)
    finally:
        fresh.unlink(missing_ok=True)
    sync(link.parent)


def _serial(chain: Path) -> str | None:
    try:
        return read_chain(chain.read_text(encoding="ascii")).serial
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def _discard(directory: Path, revision: Revision) -> bool:
    """Delete the folder of the revision unless a link of one of its names leads to it; return whether it is gone."""
    folder = directory / REVISIONS / revision.id
    if not os.path.lexists(folder):
        return True
    links = [_link(folder, name) for name in revision.names]
    if any(link.is_symlink() and link.resolve() == folder.resolve() for link in links):
        return False
    shutil.rmtree(folder)
    sync(folder.parent)
    return True
