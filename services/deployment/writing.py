"""Files on disk that appear whole or not at all, with the owner and the mode that app.yaml wants."""

import contextlib
import grp
import os
import pwd
import re
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whose files are, and who may read them."""

    uid: int = -1
    """-1: the user that certdesk runs as."""
    gid: int = -1
    mode: int = 0o600

    @property
    def folder_mode(self) -> int:
        """Return the mode of a folder whose files have `mode`: who may read a file may enter."""
        return self.mode | (self.mode & 0o444) >> 2 | 0o700

    def put_on(self, descriptor: int, *, folder: bool = False) -> None:
        """Give an open file its owner and mode. Raises OSError."""
        if (self.uid, self.gid) != (-1, -1):
            os.fchown(descriptor, self.uid, self.gid)
        os.fchmod(descriptor, self.folder_mode if folder else self.mode)

    def fits(self, found: os.stat_result) -> bool:
        """Tell whether a file has this owner and mode."""
        return (
            stat.S_IMODE(found.st_mode) == self.mode
            and self.uid in (-1, found.st_uid)
            and self.gid in (-1, found.st_gid)
        )


OURS = Ownership()
_NUMBER = re.compile(r"[0-9]{1,9}")


def ownership(user: str, group: str, mode: str) -> Ownership:
    """Return what ``user`` and ``group`` (names or numbers, empty: ours) and ``mode`` (octal, such as 0640) mean.

    Raises ValueError for what does not exist, and for a mode with which everybody could read a key.
    """
    try:
        bits = int(mode, 8)
    except ValueError:
        raise ValueError('mode: an octal number in quotes is needed, such as "0640"') from None
    if bits & ~0o640 or not bits & 0o400:
        raise ValueError(
            'mode: private keys are for their owner and one group to read: "0600", "0640", "0400" or "0440" is needed'
        )
    return Ownership(_uid(user), _gid(group), bits)


def _uid(user: str) -> int:
    if not user or _NUMBER.fullmatch(user):
        return int(user or -1)
    try:
        return pwd.getpwnam(user).pw_uid
    except (KeyError, ValueError):  # ValueError: characters that no name has
        raise ValueError(f"user: this machine knows no user {user}") from None


def _gid(group: str) -> int:
    if not group or _NUMBER.fullmatch(group):
        return int(group or -1)
    try:
        return grp.getgrnam(group).gr_gid
    except (KeyError, ValueError):
        raise ValueError(f"group: this machine knows no group {group}") from None


def make_folder(folder: Path, owner: Ownership) -> None:
    """Make ``folder`` and what is above it; its own owner and mode are set where `owner` says more than ours."""
    folder.mkdir(parents=True, exist_ok=True)
    if owner != OURS:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            owner.put_on(descriptor, folder=True)
        finally:
            os.close(descriptor)


def write_file(path: Path, text: str, owner: Ownership = OURS) -> None:
    """Write ``text`` through a temporary file; the name appears only when all of it is on disk, with its owner and mode.

    A file that is right already is left as it is. Raises OSError.
    """
    content = text.encode()
    if path.is_file() and not path.is_symlink() and path.read_bytes() == content:
        if not owner.fits(path.stat()):
            with _opened(path) as descriptor:
                owner.put_on(descriptor)
        return
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            owner.put_on(file.fileno())
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)  # a full disk must not leave parts of a key behind


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def sync(folder: Path) -> None:
    """Bring the folder's own entries to disk, so that a rename survives a power cut. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
