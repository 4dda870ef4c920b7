"""What a crawl has seen so far."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.model.scans import Found, Skipped
from services.ports.scanning import Fetched

MOST_SEEN = 20_000
"""How many insecure URLs are kept of all that pages hold."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One insecure URL, and the page on which it was seen."""

    page: str
    found: Found


@dataclass(slots=True)
class Crawled:
    """What the pages of a store hold."""

    pages: list[str] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    insecure: list[tuple[str, str]] = field(default_factory=list)
    """Pages that lead to http://: what was asked for, and where it led."""
    unreachable: Fetched | None = None
    """What came of the first page, if that does not answer over https."""
    hsts: str = ""
    """The field Strict-Transport-Security of the first page."""
    things: set[tuple[str, str]] = field(default_factory=set)
    """What is different in `seen`: URL, and what loads it."""

    def see(self, page: str, found: Iterable[Found]) -> None:
        """Take note of what a page, or a style sheet that it uses, holds."""
        for one in found:
            if len(self.seen) < MOST_SEEN:
                self.seen.append(Seen(page, one))
                self.things.add((one.url, one.element))
