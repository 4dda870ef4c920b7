"""Deploy target ``files``: PEM files per name, behind a symbolic link that is swapped to the new revision at once."""

import os
import secrets
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from services.model.certificates import Revision
from services.model.errors import DeployError
from services.model.names import base, is_wildcard
from services.model.settings import TargetSettings
from services.model.text import say

CHAIN, KEY = "fullchain.pem", "privkey.pem"
REVISIONS = ".revisions"
RELOAD_SECONDS = 30


class FilesTarget:
    """Writes DIRECTORY/NAME/fullchain.pem and privkey.pem. NAME is a symbolic link, so key and chain change together."""

    def __init__(self, settings: TargetSettings, reload_seconds: float = RELOAD_SECONDS) -> None:
        self._reload_seconds = reload_seconds
        self.name = settings.name
        self._directory = settings.directory
        self._reload = settings.reload

    def deploy(self, revision: Revision, key: str) -> None:
        """Write the revision's files (0600) into a folder of its own, then swap each name's link to it, then reload.

        Idempotent: an interrupted deployment is completed by the next call. Raises DeployError.
        """
        try:
            folder = self._write(revision, key)
            for name in revision.names:
                self._swap(name, folder)
        except OSError as error:
            raise DeployError(
                say(
                    "Target {target} could not write {path}: {why}.",
                    target=self.name,
                    path=str(error.filename or self._directory),
                    why=error.strerror or str(error),
                )
            ) from error
        if self._reload:
            self._run(self._reload)

    def _write(self, revision: Revision, key: str) -> Path:
        """Return the revision's folder, complete and on disk before any link leads to it."""
        folder = self._directory / REVISIONS / revision.id
        folder.mkdir(parents=True, exist_ok=True)
        _write_file(folder / CHAIN, revision.chain or "")
        _write_file(folder / KEY, key)
        _sync(folder)
        return folder

    def _swap(self, name: str, folder: Path) -> None:
        """Make NAME lead to ``folder`` in one rename, which a reader sees before or after but never half done."""
        link = self._directory / directory_name(name)
        target = os.path.relpath(folder, link.parent)
        if link.is_symlink() and str(link.readlink()) == target:
            return
        if link.exists() and not link.is_symlink():
            raise DeployError(
                say(
                    "Target {target}: {path} is not certdesk's symbolic link; move it away, and certdesk tries again.",
                    target=self.name,
                    path=str(link),
                )
            )
        fresh = link.with_name(f".{link.name}.{secrets.token_hex(4)}")
        fresh.symlink_to(target)
        fresh.replace(link)
        _sync(link.parent)

    def _run(self, command: Sequence[str]) -> None:
        """Run the reload command as an argument list, never through a shell; its children end with it."""
        try:
            child = subprocess.Popen(  # noqa: S603 - the list comes from app.yaml, and nothing of it from outside
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise self._failed(str(error)) from error
        with child:
            try:
                output, _ = child.communicate(timeout=self._reload_seconds)
            except subprocess.TimeoutExpired as error:
                os.killpg(child.pid, signal.SIGKILL)
                raise self._failed(f"it did not end within {self._reload_seconds:g} seconds") from error
        if child.returncode:
            raise DeployError(
                say(
                    "Target {target}: the reload command ended with {code}: {output}",
                    target=self.name,
                    code=child.returncode,
                    output=output.decode(errors="replace").strip()[-300:] or "no output",
                )
            )

    def _failed(self, why: str) -> DeployError:
        return DeployError(
            say("Target {target}: the reload command failed: {why}.", target=self.name, why=why)
        )


def directory_name(name: str) -> str:
    """Return the folder name for ``name``: a wildcard's asterisk, which shells and globs would expand, becomes ``_``."""
    return f"_.{base(name)}" if is_wildcard(name) else name


def _write_file(path: Path, text: str) -> None:
    """Write ``text`` through a temporary file of mode 0600; the name appears only when all of it is on disk."""
    content = text.encode()
    if path.is_file() and not path.is_symlink() and path.read_bytes() == content:
        path.chmod(0o600)
        return
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)  # a full disk must not leave parts of a key behind


def _sync(folder: Path) -> None:
    """Bring the folder's own entries to disk, so that a rename survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
