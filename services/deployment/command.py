"""Deploy target ``exec``: a command of app.yaml gets chain and key as temporary files, for every place that has no kind of its own."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.deployment.files import CHAIN, COMBINED, KEY
from services.deployment.running import SHOWN, CommandTimeoutError, Ended, run
from services.deployment.writing import write_file
from services.model.certificates import Revision
from services.model.errors import DeployError
from services.model.text import Text, say
from services.ports import UNTOLD

FOLDER = "certdesk-exec-"
"""How the names of the temporary folders begin."""
LONGEST = 600
LEFT_OVER = 3600
"""Seconds after which a temporary folder is one that a killed process left; longer than any command may take."""


@dataclass(frozen=True, slots=True)
class ExecSettings:
    """The keys of a target of kind ``exec``."""

    command: tuple[str, ...]
    """The command, as an argument list; it is run without a shell, and nothing is added to it."""
    seconds: int = 60
    """How long it may take; then it is ended with its children."""
    directory: Path | None = None
    """Where the temporary files are, such as a folder in memory; left out: the system's place for them."""

    def __post_init__(self) -> None:
        """Raise ValueError for a command without a word and for a time that is none."""
        if not self.command:
            raise ValueError("command: at least the program is needed")
        if not 1 <= self.seconds <= LONGEST:
            raise ValueError(f"seconds: a number from 1 to {LONGEST} is needed")


class ExecTarget:
    """Runs the command for each revision and each name that is removed; what is served then is the command's to see to."""

    def __init__(self, name: str, settings: ExecSettings) -> None:
        self.name = name
        self._settings = settings
        self._place = settings.directory or Path(tempfile.gettempdir())

    def deploy(self, revision: Revision, key: str) -> None:
        """Give the command the revision's files, which are gone when it has ended; see `DeployTarget`."""
        with self._files(revision, key) as folder:
            more = {
                "CERT_CHAIN": str(folder / CHAIN),
                "CERT_KEY": str(folder / KEY),
                "CERT_COMBINED": str(folder / COMBINED),
                "CERT_SERIAL": revision.serial or "",
                "CERT_NOT_AFTER": revision.not_after.isoformat() if revision.not_after else "",
            }
            self._run("deploy", revision.names, more, key)

    def current(self, name: str) -> str | None:  # noqa: ARG002 - a command cannot be asked
        """Return `UNTOLD`."""
        return UNTOLD

    def remove(self, name: str) -> None:
        """Tell the command that the name is served no more."""
        self._run("remove", (name,), {})

    def discard(self, revision: Revision) -> bool:  # noqa: ARG002 - nothing is kept here
        """Return True: nothing is kept."""
        return True

    @contextmanager
    def _files(self, revision: Revision, key: str) -> Iterator[Path]:
        """Give a folder with the files, for certdesk's own user alone, which ends with the block. Raises DeployError."""
        self._sweep()
        chain = revision.chain or ""
        try:
            self._place.mkdir(parents=True, exist_ok=True)
            made = tempfile.TemporaryDirectory(prefix=FOLDER, dir=self._place)  # of mode 0700
        except OSError as error:
            raise self._unwritten(error) from error
        with made:
            folder = Path(made.name)
            try:
                for file, text in ((CHAIN, chain), (KEY, key), (COMBINED, f"{chain.rstrip()}\n{key}")):
                    write_file(folder / file, text)
            except OSError as error:
                raise self._unwritten(error) from error
            yield folder

    def _unwritten(self, error: OSError) -> DeployError:
        return DeployError(
            say(
                "Target {target} could not write {path}: {why}.",
                target=self.name,
                path=str(error.filename or self._place),
                why=error.strerror or str(error),
            )
        )

    def _sweep(self) -> None:
        """Delete folders of ours that a process which was killed could not."""
        for folder in self._place.glob(f"{FOLDER}*"):
            with contextlib.suppress(OSError):  # gone meanwhile, or not to be deleted: what matters goes on
                found = folder.lstat()
                if found.st_uid == os.getuid() and time.time() - found.st_mtime > LEFT_OVER:
                    shutil.rmtree(folder)

    def _run(self, action: str, names: Sequence[str], more: Mapping[str, str], key: str = "") -> None:
        """Run the command; raises DeployError with the end of what it printed, without the key."""
        environment = {
            "CERT_ACTION": action,
            "CERT_TARGET": self.name,
            "CERT_NAMES": " ".join(names),
            **more,
        }
        seconds = self._settings.seconds
        try:
            ended = run(self._settings.command, seconds, secret=key, environment=environment)
        except CommandTimeoutError as error:
            raise DeployError(
                say(
                    "Target {target}: the command did not end within {seconds} s: {output}",
                    target=self.name,
                    seconds=seconds,
                    output=_shown(error.output),
                )
            ) from error
        except OSError as error:
            raise DeployError(
                say(
                    "Target {target}: the command cannot be started: {why}.",
                    target=self.name,
                    why=f"{error.strerror or error} ({self._settings.command[0]})",
                )
            ) from error
        self._judge(ended)

    def _judge(self, ended: Ended) -> None:
        if ended.code:
            raise DeployError(
                say(
                    "Target {target}: the command ended with {code}: {output}",
                    target=self.name,
                    code=ended.code,
                    output=_shown(ended.output),
                )
            )


def _shown(output: str) -> str | Text:
    """Return the end of what a command printed, on one line."""
    return " ".join(output[-SHOWN:].split()) or say("it printed nothing")
