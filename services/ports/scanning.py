"""Ports: the scans' queue, and what a scan needs from outside: one exchange over HTTP, and the source of a store's theme."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from services.model.scans import Site


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came back for one URL; no redirect is followed."""

    url: str
    status: int = 0
    """0: no answer; `error` says why."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Header fields by name in lower case; of a field that is there several times the values are joined by commas."""
    body: bytes = b""
    """Decoded, and never longer than was asked for."""
    size: int | None = None
    """Bytes of all of the body, if known."""
    whole: bool = True
    """Whether `body` is all of it."""
    error: str = ""
    """``not_public``, ``no_address``, ``port``, ``refused``, ``timeout``, ``tls``, ``untrusted``, ``unreachable`` or ``broken``."""
    detail: str = ""

    @property
    def type(self) -> str:
        """The media type, lower case, without parameters."""
        return self.fields.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def found(self) -> bool:
        """Whether there is something at the URL."""
        return 200 <= self.status < 300


class Fetcher(Protocol):
    """Asks for URLs. Safe to use from many threads."""

    def fetch(self, url: str, most: int) -> Fetched:
        """Return what GET gives, at most ``most`` bytes of the decoded body; never raises for what the far side does.

        It connects only to addresses that are public or expressly allowed, and to the very address it has judged.
        """
        ...


class Themes(Protocol):
    """The sources of stores' themes."""

    def files(self, store: str) -> Mapping[str, str]:
        """Return path -> text of the theme's files, line ends as they are; empty if the store has none.

        Raises CertdeskError, with what to tell people, if they cannot be read. A path is relative and below the theme's folder.
        """
        ...


class Scans(Protocol):
    """Names whose pages are scanned: a queue with one row for each."""

    def get(self, name: str) -> Site | None:
        """Return the row of this name, or None."""
        ...

    def ask(self, name: str, store: str, paths: tuple[str, ...], now: datetime) -> Site:
        """Have the name scanned now, before all that come round by themselves, and return its row; a scan of the same ``paths`` that is due or under way is joined.

        Of what was found while the name was another store's, nothing is left.
        """
        ...

    def plan(self, name: str, store: str, due_at: datetime) -> bool:
        """Insert a row that is due at ``due_at``; False, and nothing changed, if the name has one for this store."""
        ...

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Site]:
        """Claim rows with run_after <= now and no unexpired lease, longest due first, as `Certificates.claim`."""
        ...

    def seize(self, name: str, now: datetime, lease: timedelta) -> Site | None:
        """Claim this row, whoever holds it: that one's scan then ends without a result. None without such a row."""
        ...

    def alive(self, site: Site, until: datetime) -> None:
        """Save how far a claimed scan is, and hold it until then. Raises LeaseLostError if its fence is an old one."""
        ...

    def save(self, site: Site) -> None:
        """Save a claimed row's result, next scan and its paths, and give its lease back. Raises LeaseLostError as above.

        What was asked for since it was claimed stays due.
        """
        ...
