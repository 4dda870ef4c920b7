"""What robots.txt allows (RFC 9309), and the pages that a sitemap lists (sitemaps.org); both from untrusted bytes."""

import re
from html import unescape

from protego import Protego

from services.scanning.fetching import AGENT

MOST_BYTES = 500 * 1024
"""Bytes of robots.txt that are read: what RFC 9309 §2.5 asks for."""
_LOC = re.compile(r"<(?:\w+:)?loc\s*>\s*(?:<!\[CDATA\[)?([^<\]]{1,2048})", re.IGNORECASE)
_INDEX = re.compile(r"<(?:\w+:)?sitemapindex[\s>]", re.IGNORECASE)


class Robots:
    """The rules of one host for certdesk."""

    def __init__(self, text: str = "", *, closed: bool = False) -> None:
        """Read the rules; ``closed``: robots.txt could not be read, and then nothing is allowed (RFC 9309 §2.3.1.4)."""
        self._rules = Protego.parse(text)
        self.closed = closed

    def allows(self, url: str) -> bool:
        """Tell whether a crawler may ask for ``url``."""
        return not self.closed and bool(self._rules.can_fetch(url, AGENT))

    @property
    def delay(self) -> float:
        """Seconds between two requests that the host asks for; 0 if it asks for none."""
        return float(self._rules.crawl_delay(AGENT) or 0)

    @property
    def sitemaps(self) -> tuple[str, ...]:
        """URLs of sitemaps that it names."""
        return tuple(self._rules.sitemaps)


def sitemap(text: str) -> tuple[tuple[str, ...], bool]:
    """Return the URLs of a sitemap, and whether they are sitemaps themselves.

    It is searched, not parsed: no entity of it is ever expanded, and a broken one still gives what it has.
    """
    return tuple(unescape(found.strip()) for found in _LOC.findall(text)), bool(_INDEX.search(text))
