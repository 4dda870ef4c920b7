"""HAProxy's Runtime API: its certificates and lists of certificates, over the Unix socket of a running HAProxy.

Commands and answers are those of HAProxy 2.6's management guide, section 9.3. A command gets a connection of its own.
"""

import contextlib
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SHOWN = 300
"""Characters of an answer that an error quotes."""
_READ = 65_536
_ENTRY = re.compile(r"^(?P<file>\S+):(?P<line>\d+)(?P<rest>.*)$")


class RuntimeApiError(Exception):
    """HAProxy refused a command; the text says why and which, and quotes no certificate and no key."""


class UnreachableError(RuntimeApiError):
    """HAProxy cannot be asked."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list of certificates (crt-list) as the running HAProxy has it."""

    file: str
    line: str
    names: tuple[str, ...]
    """Its filters of SNI names; empty: those of the certificate."""


@dataclass(frozen=True, slots=True)
class Stores:
    """What is in HAProxy's memory."""

    files: frozenset[str]
    """Names of the certificates it knows."""
    changing: str | None
    """The one that has been set and not committed yet; HAProxy has one such transaction at a time, for everybody."""


class RuntimeApi:
    """Asks one HAProxy. Every method raises RuntimeApiError. Callers see to it that one of them changes things at a time."""

    def __init__(self, path: Path, seconds: float = 10.0) -> None:
        """``seconds`` is how long a connection may say nothing."""
        self._path, self._seconds = path, seconds

    def stores(self) -> Stores:
        """Return which certificates HAProxy has."""
        asked = "show ssl cert"
        lines = self._ask(asked).splitlines()
        if any(lines) and not lines[0].startswith(("# transaction", "# filename")):
            raise _refused(asked, lines[0])
        changing = next((line[1:] for line in lines if line.startswith("*")), None)
        return Stores(frozenset(line for line in lines if line and line[0] not in "#*"), changing)

    def serial(self, file: str) -> str | None:
        """Return the serial number of a certificate, lower-case hex without leading zeros; None if there is none."""
        found = re.search(r"^Serial: ([0-9A-Fa-f]+)$", self._ask(f"show ssl cert {file}"), re.MULTILINE)
        return found[1].lower().lstrip("0") if found else None

    def entries(self, crt_list: str) -> Sequence[Entry]:
        """Return the lines of a list of certificates that a `bind` line of HAProxy names."""
        asked = f"show ssl crt-list -n {crt_list}"
        said = self._ask(asked)
        if not said.startswith(f"# {crt_list}\n"):
            raise _refused(asked, said)
        found = (_ENTRY.match(line) for line in said.splitlines()[1:])
        return [Entry(one["file"], one["line"], _names(one["rest"])) for one in found if one]

    def put(self, file: str, pem: str, *, known: bool) -> None:
        """Let the certificate be this chain and key, at once for every list that has it; what HAProxy refuses changes nothing.

        ``known`` tells whether it is among the `stores`.
        """
        if not known:
            self._done(f"new ssl cert {file}", "New empty certificate store")
        try:
            # HAProxy 2.6 answers that it updated another one where somebody else's transaction is open, and spoils that
            self._done(f"set ssl cert {file}", f"Transaction created for certificate {file}!", payload=pem)
            self._done(f"commit ssl cert {file}", "Success!")
        except RuntimeApiError:
            with contextlib.suppress(RuntimeApiError):
                self.abort(file)
            raise

    def abort(self, file: str) -> None:
        """Leave off a transaction; none that is open is no error."""
        self._ask(f"abort ssl cert {file}")

    def add(self, crt_list: str, file: str, name: str) -> None:
        """Add a line to a list: the certificate, for this name."""
        self._done(f"add ssl crt-list {crt_list}", "Success!", payload=f"{file} {name}")

    def take_off(self, crt_list: str, entry: Entry) -> None:
        """Take a line off a list."""
        self._done(f"del ssl crt-list {crt_list} {entry.file}:{entry.line}", " deleted in ")

    def forget(self, file: str) -> None:
        """Let HAProxy forget a certificate that is on no list."""
        self._done(f"del ssl cert {file}", " deleted!")

    def _done(self, asked: str, expected: str, *, payload: str | None = None) -> None:
        said = self._ask(asked, payload)
        if expected not in said:
            raise _refused(asked, said)

    def _ask(self, asked: str, payload: str | None = None) -> str:
        """Return the answer to one command; a payload ends with an empty line, so it has none itself."""
        lines = () if payload is None else (line for line in payload.splitlines() if line.strip())
        command = asked if payload is None else "\n".join((f"{asked} <<", *lines, ""))
        answer = bytearray()
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(self._seconds)
                connection.connect(str(self._path))
                connection.sendall(f"{command}\n".encode())
                while piece := connection.recv(_READ):
                    answer += piece
        except OSError as error:
            why = error.strerror or str(error) or type(error).__name__
            raise UnreachableError(f"{why} ({asked})") from error
        if not answer:
            raise RuntimeApiError(
                f"no answer to {len(command)} bytes, of which tune.bufsize is the limit ({asked})"
            )
        return answer.decode(errors="replace")


def _names(rest: str) -> tuple[str, ...]:
    """Return the names after a line's options, which stand in brackets."""
    return tuple(re.sub(r"\[.*?\]", "", rest).split())


def _refused(asked: str, said: str) -> RuntimeApiError:
    return RuntimeApiError(f"{' '.join(said.split())[:SHOWN]} ({asked})")
