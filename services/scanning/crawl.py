"""Which pages of a store are looked at, and what they hold: asked for one after another, with pauses, within limits."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urldefrag, urlsplit

from services.model.scans import Found, Skipped
from services.model.settings import Scanning
from services.model.text import Text, say
from services.ports.scanning import Fetched, Fetcher
from services.scanning import pages, sheets, urls
from services.scanning.charsets import text_of
from services.scanning.robots import MOST_BYTES, Robots, sitemap
from services.scanning.words import unfetched

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 5
MOST_DELAY = 10.0
"""Seconds between two requests that a robots.txt can ask for."""
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_SITEMAPS = 3
"""How many files of a sitemap are read."""


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


@dataclass(frozen=True, slots=True)
class Outside:
    """What a crawl works with."""

    fetcher: Fetcher
    settings: Scanning
    pause: Callable[[float], None]
    """Waits so many seconds."""
    clock: Callable[[], float]
    """Seconds from some moment on that never go back."""


def crawl(
    outside: Outside,
    name: str,
    own: Callable[[str], bool],
    paths: tuple[str, ...] = (),
    told: Callable[[Crawled], None] = lambda _: None,
) -> Crawled:
    """Look at pages of ``name``: only ``paths`` if there are any, else the first page, those of the settings, of the sitemap and linked ones.

    ``own`` tells whether a host is one of the store's names; ``told`` hears after each page, and before each style sheet, how far it is.
    """
    return _Crawler(outside, name, own, told).run(paths)


class _Crawler:
    def __init__(
        self, outside: Outside, name: str, own: Callable[[str], bool], told: Callable[[Crawled], None]
    ) -> None:
        self._outside, self._own, self._told = outside, own, told
        self._home = f"https://{name}/"
        self._ends = outside.clock() + outside.settings.total
        self._robots = Robots()
        self._asked: set[str] = set()
        self._sheets: set[str] = set()
        self._links: deque[str] = deque()
        self._all = Crawled()
        self._begun = False

    def run(self, paths: tuple[str, ...]) -> Crawled:
        """Crawl, and return what was seen."""
        settings = self._outside.settings
        named = [urls.joined(path, self._home) for path in paths] or [
            self._home,
            *(urls.joined(path, self._home) for path in settings.paths),
        ]
        for url in named:
            self._visit(url, by_name=True)
            if self._all.unreachable is not None:
                return self._all
        if not paths:
            self._read_robots()
            self._links.extendleft(reversed(list(self._mapped())))
            self._wander(settings.pages)
        return self._all

    def _wander(self, most: int) -> None:
        """Visit linked pages of the store, the nearest first."""
        left = most
        while self._links and left > 0 and not self._over:
            url = self._links.popleft()
            if url in self._asked:
                continue
            left -= 1
            if self._robots.allows(url):
                self._visit(url)
            else:
                self._asked.add(url)
                self._skip(url, say("robots.txt asks crawlers to stay away from it."))

    @property
    def _over(self) -> bool:
        return self._outside.clock() >= self._ends

    def _skip(self, url: str, why: Text) -> None:
        self._all.skipped.append(Skipped(url, why))

    def _get(self, url: str, most: int) -> Fetched:
        """Ask for one URL, after the pause that the store's server is owed."""
        if self._begun:
            self._outside.pause(max(self._outside.settings.delay, min(self._robots.delay, MOST_DELAY)))
        self._begun = True
        return self._outside.fetcher.fetch(url, most)

    def _visit(self, url: str, *, by_name: bool = False) -> None:
        """Look at one page, wherever it leads within the store."""
        first = url
        for _ in range(MOST_REDIRECTS + 1):
            if url in self._asked:
                return
            self._asked.add(url)
            answer = self._get(url, self._outside.settings.page_bytes)
            if answer.status not in REDIRECTS or "location" not in answer.fields:
                self._look(first, answer, by_name=by_name)
                return
            url = urls.joined(answer.fields["location"], url)
            if not url.startswith("https:"):
                self._all.insecure.append((first, url))
                return
            if not self._own(urls.host_of(url)):
                self._skip(first, say("It leads to another site: {url}", url=url))
                return
        self._skip(first, say("It redirects too often."))

    def _look(self, first: str, answer: Fetched, *, by_name: bool) -> None:
        if not answer.status:
            if by_name and not self._all.pages and urls.host_of(answer.url) == urls.host_of(self._home):
                self._all.unreachable = answer
            self._skip(first, unfetched(answer))
        elif not answer.found:
            self._skip(first, say("It answers with status {status}.", status=str(answer.status)))
        elif answer.type not in _PAGES:
            self._skip(first, say("It is no page, but {type}.", type=answer.type or "?"))
        else:
            self._read(answer)

    def _read(self, answer: Fetched) -> None:
        """Take what a page holds, and the style sheets that it uses."""
        text = text_of(answer.body, answer.fields.get("content-type", ""))
        policies = tuple(filter(None, (answer.fields.get("content-security-policy"),)))
        page = pages.read(text, answer.url, self._own, policies)
        if not self._all.pages:
            self._all.hsts = answer.fields.get("strict-transport-security", "")
        self._all.pages.append(answer.url)
        self._all.seen += [Seen(answer.url, found) for found in page.found]
        if not answer.whole:
            self._skip(answer.url, say("It is very large, and only its beginning was read."))
        self._links += [link for link in map(self._link, page.links) if link]
        self._told(self._all)
        waiting = deque(page.sheets)
        while waiting and len(self._sheets) < self._outside.settings.sheets and not self._over:
            waiting += self._sheet(waiting.popleft(), answer.url, page)

    def _sheet(self, url: str, at: str, page: pages.Page) -> Iterable[str]:
        """Take what a style sheet loads; return the sheets that it imports. Each is read once, for the first page that uses it."""
        url = urldefrag(url).url
        if url in self._sheets or not url.startswith("https:"):
            return ()
        self._sheets.add(url)
        self._told(self._all)
        answer = self._get(url, self._outside.settings.page_bytes)
        if not answer.found:
            why = (
                say("It answers with status {status}.", status=str(answer.status))
                if answer.status
                else unfetched(answer)
            )
            self._skip(url, why)
            return ()
        text = text_of(answer.body, answer.fields.get("content-type", ""))
        sheet = sheets.read(text, answer.url, page.mitigations)
        self._all.seen += [Seen(at, found) for found in sheet.found]
        return sheet.sheets

    def _link(self, url: str) -> str:
        """Return the page of the store that a link leads to, over https; empty for any other one."""
        url = urldefrag(url).url
        if url.startswith("http:"):
            url = "https:" + url.removeprefix("http:")
        if not url.startswith("https:") or not self._own(urls.host_of(url)):
            return ""
        last = urlsplit(url).path.rpartition("/")[2]
        kind = last.rpartition(".")[2].lower() if "." in last else "html"
        return url if kind in ("html", "htm", "php", "aspx", "jsp") else ""

    def _read_robots(self) -> None:
        answer = self._get(urls.joined("/robots.txt", self._home), MOST_BYTES)
        closed = answer.status >= 500
        self._robots = Robots(text_of(answer.body, "") if answer.found else "", closed=closed)

    def _mapped(self) -> Iterable[str]:
        """Yield the pages of the store that its sitemap lists."""
        waiting = deque(self._robots.sitemaps or (urls.joined("/sitemap.xml", self._home),))
        for _ in range(_SITEMAPS):
            if not waiting or self._over:
                return
            url = waiting.popleft()
            if not self._own(urls.host_of(url)):
                continue
            answer = self._get(url, self._outside.settings.page_bytes)
            if not answer.found:
                continue
            listed, index = sitemap(text_of(answer.body, answer.fields.get("content-type", "")))
            if index:
                waiting += listed[:_SITEMAPS]
            else:
                yield from filter(None, map(self._link, listed[: self._outside.settings.pages]))
