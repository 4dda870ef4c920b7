"""Which pages of a store are looked at, and what they hold: asked for one after another, with pauses, within limits."""

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from urllib.parse import urlsplit

from services.model.scans import Skipped
from services.model.settings import Scanning
from services.model.text import Text, say
from services.ports.scanning import Fetched, Fetcher
from services.scanning import headers, pages, sheets, urls
from services.scanning.apart import Reader, UnreadError, here
from services.scanning.charsets import text_of
from services.scanning.crawled import Crawled
from services.scanning.guest import Guest
from services.scanning.policies import Mitigations
from services.scanning.robots import MOST_BYTES, Robots, sitemap
from services.scanning.room import MOST_FOUND
from services.scanning.words import unfetched

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 5
MOST_LINKS = 2_000
"""How many different links are kept of all that pages hold."""
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_SITEMAPS = 3
"""How many files of a sitemap are read."""
_UNREAD = say("It takes too long to read, so nothing is known of it.")
_CUT = say("It holds so much over http:// that only the first {count} things are named.", count=MOST_FOUND)
_CLOSED = say("robots.txt could not be read, and so crawlers stay away.")


@dataclass(frozen=True, slots=True)
class Outside:
    """What a crawl works with."""

    fetcher: Fetcher
    settings: Scanning
    pause: Callable[[float], None]
    """Waits so many seconds."""
    clock: Callable[[], float]
    """Seconds from some moment on that never go back."""
    reading: Callable[[], AbstractContextManager[Reader]] = lambda: nullcontext(here)
    """Gives each scan what reads its pages."""


def crawl(
    outside: Outside,
    guest: Guest,
    reader: Reader,
    name: str,
    own: Callable[[str], bool],
    into: Crawled,
    paths: tuple[str, ...] = (),
) -> None:
    """Look at pages of ``name``: only ``paths`` if there are any, else the first page, those of the settings, of the sitemap and linked ones.

    ``own`` tells whether a host is one of the store's names; what is seen is put ``into`` as it comes.
    """
    _Crawler(outside, guest, reader, name, own, into).run(paths)


class _Crawler:
    def __init__(
        self,
        outside: Outside,
        guest: Guest,
        reader: Reader,
        name: str,
        own: Callable[[str], bool],
        into: Crawled,
    ) -> None:
        self._outside, self._guest, self._reader = outside, guest, reader
        self._own, self._all = own, into
        self._home = f"https://{name}/"
        self._ends = outside.clock() + outside.settings.total
        self._robots: dict[str, Robots] = {}
        self._asked: set[str] = set()
        self._sheets: dict[str, Mitigations] = {}
        """Style sheets that were asked for, and the least that holds on all pages for which they were."""
        self._links: deque[str] = deque()
        self._listed: set[str] = set()

    def run(self, paths: tuple[str, ...]) -> None:
        """Crawl."""
        settings = self._outside.settings
        named = [urls.joined(path, self._home) for path in paths] or [
            self._home,
            *(urls.joined(path, self._home) for path in settings.paths),
        ]
        for place, url in enumerate(named):
            if place and self._over:
                self._skip(url, say("There was no time left for it: the store's server answers too slowly."))
                continue
            self._visit(url, by_name=True)
            if self._all.unreachable is not None:
                return
        if not paths:
            mapped = list(self._mapped())
            self._links.extendleft(reversed([link for link in mapped if link not in self._listed]))
            self._wander(settings.pages)

    def _wander(self, most: int) -> None:
        """Visit linked pages of the store, the nearest first."""
        left = most
        while self._links and left > 0 and not self._over:
            url = self._links.popleft()
            if url in self._asked:
                continue
            left -= 1
            if self._allowed(url):
                self._visit(url)

    def _allowed(self, url: str) -> bool:
        """Tell whether its host lets crawlers ask for ``url``; one that does not is skipped."""
        rules = self._rules(urls.host_of(url))
        if rules.allows(url):
            return True
        self._asked.add(url)
        self._skip(
            url, say("robots.txt asks crawlers to stay away from it.") if not rules.closed else _CLOSED
        )
        return False

    @property
    def _over(self) -> bool:
        return self._outside.clock() >= self._ends

    def _skip(self, url: str, why: Text) -> None:
        self._all.skipped.append(Skipped(url, why))

    def _get(self, url: str) -> Fetched:
        """Ask for one page or sheet."""
        return self._guest.fetch(url, self._outside.settings.page_bytes)

    def _visit(self, url: str, *, by_name: bool = False) -> None:
        """Look at one page, wherever it leads within the store."""
        first = url
        for _ in range(MOST_REDIRECTS + 1):
            if url in self._asked:
                return
            self._asked.add(url)
            answer = self._get(url)
            if answer.status not in REDIRECTS or "location" not in answer.fields:
                self._look(first, answer, by_name=by_name)
                return
            url = urls.joined(answer.fields["location"], url)
            if url.startswith("http:"):
                self._all.insecure.append((first, url))
                return
            if not url.startswith("https:") or not self._own(urls.host_of(url)):
                where = urls.shortened(url or answer.fields["location"])
                self._skip(first, say("It leads to another site: {url}", url=where))
                return
            if self._over or not (by_name or self._allowed(url)):
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
            self._skip(first, say("It is no page, but {type}.", type=urls.shortened(answer.type) or "?"))
        else:
            self._read(answer)

    def _read(self, answer: Fetched) -> None:
        """Take what a page holds, and the style sheets that it uses."""
        text = text_of(answer.body, answer.fields.get("content-type", ""))
        policies = tuple(filter(None, (answer.fields.get("content-security-policy"),)))
        fields = {name: answer.fields[name] for name in headers.FIELDS if name in answer.fields}
        try:
            page = self._reader(pages.read, text, answer.url, self._own, policies)
            ahead = self._reader(headers.read, fields, answer.url, self._own, policies) if fields else []
        except UnreadError:
            self._skip(answer.url, _UNREAD)
            return
        if not self._all.pages:
            self._all.hsts = answer.fields.get("strict-transport-security", "")
        self._all.pages.append(answer.url)
        self._all.see(answer.url, (*ahead, *page.found))
        if not answer.whole:
            self._skip(answer.url, say("It is very large, and only its beginning was read."))
        if page.cut:
            self._skip(answer.url, _CUT)
        for link in filter(None, map(self._link, page.links)):
            if link not in self._listed and len(self._listed) < MOST_LINKS:
                self._listed.add(link)
                self._links.append(link)
        waiting = deque(page.sheets)
        while waiting and len(self._sheets) < self._outside.settings.sheets and not self._over:
            waiting += self._sheet(waiting.popleft(), answer.url, page)

    def _sheet(self, url: str, at: str, page: pages.Page) -> Iterable[str]:
        """Take what a style sheet loads; return the sheets that it imports.

        Each is read once, for the first page that uses it, and once more for one whose policy mends less.
        """
        url = urls.without_fragment(url)
        held = self._sheets.get(url)
        if not url.startswith("https:") or (held is not None and held & page.mitigations == held):
            return ()
        self._sheets[url] = page.mitigations if held is None else held & page.mitigations
        answer = self._followed(url)
        if not answer.found:
            why = (
                say("It answers with status {status}.", status=str(answer.status))
                if answer.status
                else unfetched(answer)
            )
            self._skip(url, why)
            return ()
        text = text_of(answer.body, answer.fields.get("content-type", ""))
        try:
            sheet = self._reader(sheets.read, text, answer.url, page.mitigations)
        except UnreadError:
            self._skip(url, _UNREAD)
            return ()
        if sheet.cut:
            self._skip(url, _CUT)
        self._all.see(at, sheet.found)
        return sheet.sheets

    def _followed(self, url: str) -> Fetched:
        """Return what a style sheet's URL leads to; one that leads to http:// is not followed, as browsers do not."""
        for _ in range(MOST_REDIRECTS):
            answer = self._get(url)
            if answer.status not in REDIRECTS or "location" not in answer.fields:
                return answer
            url = urls.joined(answer.fields["location"], url)
            if not url.startswith("https:"):
                return answer
        return answer

    def _link(self, url: str) -> str:
        """Return the page of the store that a link leads to, over https; empty for any other one."""
        url = urls.without_fragment(urls.joined(url, self._home))
        if url.startswith("http:"):
            url = "https:" + url.removeprefix("http:")
        if not url.startswith("https:") or not self._own(urls.host_of(url)):
            return ""
        last = urlsplit(url).path.rpartition("/")[2]
        kind = last.rpartition(".")[2].lower() if "." in last else "html"
        return url if kind in ("html", "htm", "php", "aspx", "jsp") else ""

    def _rules(self, host: str) -> Robots:
        """Return what the host's robots.txt says, which is read once; its pause is heeded from then on."""
        if host not in self._robots:
            self._robots[host] = rules = self._read_robots(host)
            self._guest.slow_down(host, rules.delay)
        return self._robots[host]

    def _read_robots(self, host: str) -> Robots:
        """Read it, wherever it leads within the store (RFC 9309 §2.3.1.2)."""
        url = f"https://{f'[{host}]' if ':' in host else host}/robots.txt"
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._guest.fetch(url, MOST_BYTES)
            if answer.status not in REDIRECTS or "location" not in answer.fields:
                closed = not answer.status or answer.status >= 500
                return Robots(text_of(answer.body, "") if answer.found else "", closed=closed)
            url = urls.joined(answer.fields["location"], url)
            if not url.startswith("https:") or not self._own(urls.host_of(url)):
                break
        return Robots()

    def _mapped(self) -> Iterable[str]:
        """Yield the pages of the store that its sitemap lists."""
        host = urls.host_of(self._home)
        rules = self._rules(host)
        usual = urls.joined("/sitemap.xml", self._home)
        waiting = deque(rules.sitemaps or ((usual,) if rules.allows(usual) else ()))
        for _ in range(_SITEMAPS):
            if not waiting or self._over:
                return
            url = waiting.popleft()
            if not self._own(urls.host_of(url)):
                continue
            answer = self._get(url)
            if not answer.found:
                continue
            listed, index = sitemap(text_of(answer.body, answer.fields.get("content-type", "")))
            if index:
                waiting += listed[:_SITEMAPS]
            else:
                yield from filter(None, map(self._link, listed[: self._outside.settings.pages]))
