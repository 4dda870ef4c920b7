"""What to do about an insecure URL: whether the same is to be had over https, which is looked up, and then decided purely."""

from collections.abc import Callable
from dataclasses import dataclass

from services.model.scans import Advice, Found, Kind
from services.model.text import Text, say
from services.ports.scanning import Fetched, Fetcher
from services.scanning import urls
from services.scanning.crawl import MOST_REDIRECTS, REDIRECTS
from services.scanning.words import unfetched

MOST_BYTES = 256 * 1024
"""Bytes of a file that are compared, where its size is not told."""
_ABOUT = 0.1
"""By how much of its size the same file may differ from one answer to the next."""
_GONE = frozenset({404, 410})
_SAME_TYPES = {
    "application/javascript": "text/javascript",
    "application/x-javascript": "text/javascript",
    "image/jpg": "image/jpeg",
    "image/vnd.microsoft.icon": "image/x-icon",
    "application/font-woff": "font/woff",
    "application/font-woff2": "font/woff2",
}
_LEADS = frozenset({Kind.FORM, Kind.NAVIGATIONAL})
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_MAY_BE_PAGES = frozenset({"iframe", "frame", "object", "embed", "link", "a", "area"})
"""Elements that load pages; of all others one that answers in place of the file is a server's way to say that it has none."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the two addresses of one thing answer."""

    plain: Fetched
    secure: Fetched
    """Where its redirects led, as long as they are https."""
    page: bool = True
    """Whether it may be a page: no script, style, font, image or film is one."""

    def is_it(self, answer: Fetched) -> bool:
        """Tell whether an answer is the thing, and no page in place of it."""
        return answer.found and (self.page or answer.type not in _PAGES)


class Adviser:
    """Looks each URL up once; a host that has no https is not asked again. One thread at a time."""

    def __init__(self, fetcher: Fetcher, most: int, over: Callable[[], bool] = lambda: False) -> None:
        """``most``: so many URLs are looked up, and none once it is ``over``; of further ones it is said what their host's first one showed."""
        self._fetcher, self._left, self._over = fetcher, most, over
        self._known: dict[tuple[str, bool, bool], tuple[Advice, Text]] = {}
        self._hosts: dict[str, Fetched] = {}

    def advise(self, found: Found) -> tuple[Advice, Text]:
        """Return what to do about ``found``, and why."""
        leads = found.kind in _LEADS
        url = _root(found.url) if leads else found.url
        page = found.kind is Kind.LIKELY or found.element in _MAY_BE_PAGES
        key = (url, leads, page)
        if key not in self._known:
            self._known[key] = self._look(url, leads=leads, page=page)
        return self._known[key]

    def _look(self, url: str, *, leads: bool, page: bool) -> tuple[Advice, Text]:
        host = urls.host_of(url)
        if url.startswith("ws:"):
            url = "http:" + url.removeprefix("ws:")
        unable = self._hosts.get(host)
        if (self._left <= 0 or self._over()) and unable is None:
            return Advice.UPLOAD, say(
                "certdesk has not looked whether it answers over https, for there are too many: try it, or move it into the store's"
                " own space."
            )
        self._left -= 1
        secure = unable or self._secure("https:" + url.removeprefix("http:"))
        if not secure.status:
            self._hosts[host] = secure
        if leads:
            return decide_link(secure)
        return decide(Facts(self._fetcher.fetch(url, MOST_BYTES), secure, page))

    def _secure(self, url: str) -> Fetched:
        """Return what answers over https; a redirect to http:// counts as no answer."""
        for _ in range(MOST_REDIRECTS):
            answer = self._fetcher.fetch(url, MOST_BYTES)
            if answer.status not in REDIRECTS or "location" not in answer.fields:
                return answer
            url = urls.joined(answer.fields["location"], url)
            if not url.startswith("https:"):
                break
        return Fetched(url, error="broken", detail="it leads back to http://")


def _root(url: str) -> str:
    """Return the first page of the URL's site: what only leads there must not be set off by looking."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0].partition('?')[0].partition('#')[0]}/"


def decide_link(secure: Fetched) -> tuple[Advice, Text]:
    """Return what to do about a form or a link to a site that answers ``secure`` over https."""
    if secure.status:
        return Advice.HTTPS, say("The site answers over https: change http:// to https://.")
    text = "The site does not answer over https, so whoever is sent there is not safe: remove it, or use another site. {why}"
    return Advice.REMOVE, say(text, why=unfetched(secure))


def decide(facts: Facts) -> tuple[Advice, Text]:
    """Return what to do about a file, and why."""
    plain, secure = facts.plain, facts.secure
    if facts.is_it(secure) and (not facts.is_it(plain) or _alike(plain, secure)):
        return Advice.HTTPS, say("The same file answers over https: change http:// to https://.")
    if secure.found and not facts.is_it(secure) and not facts.is_it(plain):
        return Advice.REMOVE, say("A page answers in place of the file: remove it, or link another one.")
    if secure.found:
        return Advice.UPLOAD, say(
            "Something else answers over https ({secure} in place of {plain}): upload the file to the store's own space, and link"
            " that.",
            secure=_described(secure),
            plain=_described(plain),
        )
    if plain.found:
        return Advice.UPLOAD, _upload(secure)
    if secure.status in _GONE or plain.status in _GONE or not (plain.status or secure.status):
        return Advice.REMOVE, say("It answers neither over https nor over http://: remove it.")
    return Advice.UPLOAD, _upload(secure)


def _upload(secure: Fetched) -> Text:
    why = (
        say("It answers with status {status}.", status=str(secure.status))
        if secure.status
        else unfetched(secure)
    )
    return say(
        "It is not to be had over https: upload the file to the store's own space, and link that. {why}",
        why=why,
    )


def _alike(plain: Fetched, secure: Fetched) -> bool:
    """Tell whether two answers are the same thing: of one type and about one size."""
    if _type(plain) != _type(secure):
        return False
    if plain.body == secure.body:
        return True
    if plain.size is None or secure.size is None:
        return plain.whole == secure.whole
    return abs(plain.size - secure.size) <= max(_ABOUT * max(plain.size, secure.size), 512)


def _type(answer: Fetched) -> str:
    return _SAME_TYPES.get(answer.type, answer.type)


def _described(answer: Fetched) -> Text:
    if answer.size is None:
        return say("{type}", type=answer.type or "?")
    return say("{type} of {size:,} bytes", type=answer.type or "?", size=answer.size)
