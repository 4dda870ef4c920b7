"""Which RDAP server speaks for a domain: the configuration's, else the one of IANA's list, read through whoisit."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import idna

from services.model import names
from services.model.clock import Clock

if TYPE_CHECKING:
    from whoisit.query import QueryBuilder

IANA = "https://data.iana.org/rdap/dns.json"
"""IANA's list of RDAP servers by top-level domain (RFC 9224 §4)."""
FRESH = timedelta(days=1)
"""How long the list is used before it is read again."""
AGAIN = timedelta(minutes=10)
"""How soon a list is asked for again that could not be had."""
ANY = "*"
UNREGISTERED = frozenset(
    {"test", "example", "invalid", "localhost", "local", "onion", "alt", "internal", "arpa"}
)
"""Top-level domains in which nobody registers names (RFC 6761, 6762, 7686, 9476, 3172; ICANN for internal)."""
_NOTHING: Mapping[str, Any] = {"services": [[[], []]]}
"""A list without entries, for the kinds of objects that certdesk does not ask for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to ask for one domain, or why nowhere."""

    url: str = ""
    trusted: bool = False
    """Whether the configuration names the server."""
    error: str = ""
    """Empty, or: unregistered, no_rdap, no_list."""


class Servers:
    """Knows the servers. Any thread may call; the list is fetched when it is first needed, and kept for a day."""

    def __init__(
        self,
        servers: Mapping[str, str],
        fetch: Callable[[str], bytes | None],
        clock: Clock,
        listed_at: str = IANA,
    ) -> None:
        """Take base URLs by domain suffix, ``*`` for all others; an empty URL means that nobody is asked.

        ``fetch`` returns what is at a URL, or None if that cannot be had.
        """
        self._servers = {_suffix(key): url.strip() for key, url in servers.items()}
        self._fetch, self._clock, self._listed_at = fetch, clock, listed_at
        self._list: QueryBuilder | None = None
        self._read_after: datetime | None = None
        self._lock = threading.Lock()

    def place_of(self, domain: str) -> Place:
        """Return where to ask for ``domain``: the longest suffix that the configuration has, before IANA's list."""
        named = next((here for here in (*names.climb(domain), ANY) if here in self._servers), None)
        if named is not None:
            base = self._servers[named]
            url = f"{base.rstrip('/')}/domain/{domain}"
            return Place(url, trusted=True) if base else Place(error="no_rdap")
        if domain.rpartition(".")[2] in UNREGISTERED:
            return Place(error="unregistered")
        known = self._known()
        return _listed(known, domain) if known else Place(error="no_list")

    def _known(self) -> "QueryBuilder | None":
        """Return the list, read again when it is a day old; an old one serves until a newer one can be had."""
        with self._lock:
            now = self._clock()
            if self._read_after is None or now >= self._read_after:
                content = self._fetch(self._listed_at)
                found = read_list(content, now) if content is not None else None
                self._list = found or self._list
                self._read_after = now + (FRESH if found else AGAIN)
            return self._list


def _suffix(key: str) -> str:
    """Return a suffix as names end: lower case, A-labels, no dots around it."""
    bare = key.strip().strip(".").lower()
    try:
        return bare if bare.isascii() else idna.encode(bare, uts46=True).decode("ascii")
    except idna.IDNAError:
        return bare


def read_list(content: bytes, now: datetime) -> "QueryBuilder | None":
    """Return IANA's list with whoisit's own additions to it (registries that IANA does not list); None if it is none.

    An instance of our own is filled: the library's is one for the whole process, looks filled to other threads before it
    is, and loads five lists where one is wanted. Only https is taken from the list.
    """
    # half a second: only where a domain is looked up by the list
    from whoisit.bootstrap import BaseBootstrap  # noqa: PLC0415
    from whoisit.errors import WhoisItError  # noqa: PLC0415
    from whoisit.query import QueryBuilder  # noqa: PLC0415

    services = _services(content)
    if not services:
        return None
    book = BaseBootstrap()
    lists = {**dict.fromkeys(book.BOOTSTRAP_URLS, _NOTHING), "dns": {"services": services}}
    try:
        book.load_bootstrap_data(
            {"timestamp": int(now.timestamp()), **lists}, overrides=True, from_json=False
        )
    except (WhoisItError, ValueError):  # ValueError: a URL that is none
        return None
    return QueryBuilder(book)


def _services(content: bytes) -> list[tuple[list[str], list[str]]]:
    """Return the entries that have the form of RFC 9224 §3: top-level domains and URLs."""
    try:
        found = json.loads(content)["services"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
    return [
        ([label.lower() for label in entry[0]], entry[1])
        for entry in (found if isinstance(found, list) else ())
        if isinstance(entry, list) and len(entry) == 2 and all(_texts(each) for each in entry)
    ]


def _texts(given: object) -> bool:
    return isinstance(given, list) and all(isinstance(each, str) for each in given)


def _listed(known: "QueryBuilder", domain: str) -> Place:
    from whoisit.errors import WhoisItError  # noqa: PLC0415

    try:
        return Place(str(known.build("domain", domain)[1]))
    except WhoisItError:  # the list has no server for it
        return Place(error="no_rdap")
