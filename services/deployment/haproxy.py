"""Deploy target ``haproxy``: a running HAProxy gets the certificate over its socket, and files keep it for the next start."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.deployment.files import COMBINED, FilesSettings, FilesTarget, directory_name
from services.deployment.runtime_api import Entry, RuntimeApi, RuntimeApiError, UnreachableError
from services.deployment.writing import ownership, write_file
from services.model.certificates import Revision
from services.model.errors import DeployError
from services.model.text import say

LIST = "crt-list"
_TAKEN = re.compile(r"[A-Za-z0-9/._+@:=-]*")
"""What HAProxy's command line takes in a path without more ado."""


@dataclass(frozen=True, slots=True)
class HaproxySettings:
    """The keys of a target of kind ``haproxy``."""

    socket: Path
    """HAProxy's `stats socket` with `level admin`, on this machine."""
    directory: Path
    """The folder of the files, made if it is not there."""
    crt_list: Path | None = None
    """The list that HAProxy's `bind` line names; left out: DIRECTORY/crt-list."""
    user: str = ""
    """As in `files`."""
    group: str = ""
    mode: str = "0600"

    def __post_init__(self) -> None:
        """Raise ValueError for a mode that cannot be, and for paths that HAProxy's commands cannot say."""
        ownership("", "", self.mode)
        for key, path in (("directory", self.directory), ("crt_list", self.list_path)):
            if not _TAKEN.fullmatch(str(path)):
                raise ValueError(f"{key}: HAProxy's commands take no path with spaces or the like")

    @property
    def list_path(self) -> Path:
        """Where the list is."""
        return self.crt_list or self.directory / LIST


class HaproxyTarget:
    """Keeps three things alike: files as the target ``files`` writes them, the list of certificates, and HAProxy's memory.

    Each name has an entry of its own in the list, `DIRECTORY/NAME/combined.pem NAME`, so that names change apart from each
    other. HAProxy takes a certificate before it is on disk, so that what it refuses cannot keep it from starting later.
    """

    def __init__(self, name: str, settings: HaproxySettings, seconds: float = 10.0) -> None:
        """``seconds`` is how long HAProxy may say nothing."""
        self.name = name
        self._settings = settings
        self._list = settings.list_path
        self._files = FilesTarget(
            name,
            FilesSettings(
                settings.directory,
                combined=True,
                user=settings.user,
                group=settings.group,
                mode=settings.mode,
            ),
        )
        self._running = RuntimeApi(settings.socket, seconds)

    def deploy(self, revision: Revision, key: str) -> None:
        """Let HAProxy take it for each name, then the files, then the list; see `DeployTarget`."""
        with self._files.prepared(revision, key) as swap, self._told():
            self._write_list(self._lines())  # HAProxy starts with an empty list, and with none it does not
            entries = self._entries()
            self._take(revision, key)
            swap()
            lines = self._lines()
            ours = (_line(self._file(name), name) for name in revision.names)
            self._write_list((*lines, *(line for line in ours if line not in lines)))
            there = {(entry.file, *entry.names) for entry in entries}
            for name in revision.names:
                if (self._file(name), name) not in there:
                    self._running.add(str(self._list), self._file(name), name)
            self._agree(revision)

    def current(self, name: str) -> str | None:
        """Return the serial number that files, list and HAProxy's memory have for ``name``; see `DeployTarget`."""
        serial = self._files.current(name)
        file = self._file(name)
        with self._told():
            if serial is None or _line(file, name) not in self._lines():
                return None
            there = any((entry.file, entry.names) == (file, (name,)) for entry in self._entries())
            return serial if there and self._running.serial(file) == serial.lstrip("0") else None

    def remove(self, name: str) -> None:
        """Take the name off the list, in HAProxy and on disk, and then its certificate away."""
        file = self._file(name)
        with self._files.removing(name) as (_, unlink), self._told():
            entries = self._entries()
            self._write_list([line for line in self._lines() if line.split()[:1] != [file]])
            for entry in entries:
                if entry.file == file:
                    self._running.take_off(str(self._list), entry)
            if file in self._running.stores().files:
                self._running.forget(file)
            unlink()

    def discard(self, revision: Revision) -> bool:
        """See `FilesTarget.discard`; HAProxy has what the names lead to and nothing else."""
        return self._files.discard(revision)

    def _take(self, revision: Revision, key: str) -> None:
        """Put chain and key into HAProxy's memory under each name; the first refusal comes before the first change."""
        stores = self._running.stores()
        if stores.changing is not None:
            self._leave_off(stores.changing)
        pem = f"{(revision.chain or '').rstrip()}\n{key}"
        serial = (revision.serial or "").lstrip("0")
        for name in revision.names:
            file = self._file(name)
            known = file in stores.files
            if not known or self._running.serial(file) != serial:
                self._running.put(file, pem, known=known)

    def _leave_off(self, changing: str) -> None:
        """Abort a transaction that an interrupted deployment of ours left; another's is theirs to end."""
        if not changing.startswith(f"{self._settings.directory}/"):
            raise DeployError(
                say(
                    "Target {target}: HAProxy holds a change of {path} that is not committed, and takes no other one until "
                    "then. Commit or abort it.",
                    target=self.name,
                    path=changing,
                )
            )
        self._running.abort(changing)

    def _agree(self, revision: Revision) -> None:
        """Raise DeployError if HAProxy does not have the revision after all, as when it was reloaded meanwhile."""
        serial = (revision.serial or "").lstrip("0")
        for name in revision.names:
            if self._running.serial(self._file(name)) != serial:
                raise DeployError(
                    say(
                        "Target {target}: HAProxy has changed while the certificate of {name} was put to it.",
                        target=self.name,
                        name=name,
                    )
                )

    def _entries(self) -> Sequence[Entry]:
        return self._running.entries(str(self._list))

    def _file(self, name: str) -> str:
        """Return what HAProxy calls the certificate of ``name``: the path of its file."""
        return str(self._settings.directory / directory_name(name) / COMBINED)

    def _lines(self) -> tuple[str, ...]:
        """Return the lines of the list on disk, those of other people among them."""
        try:
            return tuple(self._list.read_text(encoding="utf-8").splitlines())
        except FileNotFoundError:
            return ()

    def _write_list(self, lines: Sequence[str]) -> None:
        """Write the list, if it is another one."""
        owner = ownership(self._settings.user, self._settings.group, self._settings.mode)
        self._list.parent.mkdir(parents=True, exist_ok=True)
        write_file(self._list, "".join(f"{line}\n" for line in lines), owner)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Let what HAProxy says be a DeployError that names the target and the socket."""
        try:
            yield
        except UnreachableError as error:
            raise DeployError(
                say(
                    "Target {target}: HAProxy at {socket} does not answer: {why}.",
                    target=self.name,
                    socket=str(self._settings.socket),
                    why=str(error),
                )
            ) from error
        except RuntimeApiError as error:
            raise DeployError(
                say(
                    "Target {target}: HAProxy at {socket} refused: {why}.",
                    target=self.name,
                    socket=str(self._settings.socket),
                    why=str(error),
                )
            ) from error


def _line(file: str, name: str) -> str:
    return f"{file} {name}"
