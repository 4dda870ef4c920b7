"""A whole scan of one name: crawl, look at its transport, advise, find the places in the theme, and say what was found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from services.model.clock import Clock
from services.model.errors import CertdeskError
from services.model.findings import CODES, Finding, Owner, Verdict
from services.model.scans import Advice, Kind, Problem, Scan, Skipped
from services.model.text import Text, say, say_n
from services.ports.scanning import Themes
from services.scanning import theme, transport, urls
from services.scanning.advice import Adviser
from services.scanning.apart import Reader, UnreadError
from services.scanning.crawl import Outside, crawl
from services.scanning.crawled import Crawled
from services.scanning.guest import Guest
from services.scanning.words import unfetched

MOST_PROBLEMS = 2_000
"""How many problems a scan keeps; a site with more has them on every page."""
MOST_CHARACTERS = 4_000_000
"""How long the URLs in them may be together."""
MIXED, NOT_HTTPS = "content.mixed", "content.page_not_https"
ORDER: Mapping[Kind, int] = {
    kind: place
    for place, kind in enumerate(
        (Kind.BLOCKABLE, Kind.FORM, Kind.UPGRADEABLE, Kind.LIKELY, Kind.NAVIGATIONAL)
    )
}
"""The gravest first."""


@dataclass(frozen=True, slots=True)
class _InTheme:
    """Where the problems stand in the theme, by URL, and what changes them."""

    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    patch: str = ""
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class Scanner:
    """What scans. Safe to use from many threads."""

    outside: Outside
    themes: Themes
    clock: Clock

    def scan(
        self,
        name: str,
        store: str,
        own: Callable[[str], bool],
        paths: tuple[str, ...] = (),
        told: Callable[[int, int], None] = lambda _pages, _problems: None,
    ) -> Scan:
        """Return what is found on the pages of ``name``; ``own`` knows the store's names, ``told`` hears how far it is.

        With ``paths`` only these pages are looked at. Takes up to the settings' ``total`` seconds, and as many for the advice.
        ``told`` is called before each request, and whatever it raises ends the scan.
        """
        crawled = Crawled()
        guest = Guest(
            self.outside.fetcher,
            own,
            self.outside.settings.delay,
            self.outside.pause,
            lambda: told(len(crawled.pages), len(crawled.things)),
        )
        with self.outside.reading() as reader:
            crawl(self.outside, guest, reader, name, own, crawled, paths)
            way = transport.look(guest, name, own, crawled.hsts)
            problems = self._problems(crawled, guest)
            found = self._in_theme(reader, store, problems)
        left_out = (_left_out(crawled, problems),) if len(problems) < len(set(crawled.seen)) else ()
        scan = Scan(
            name=name,
            store=store,
            scanned_at=self.clock(),
            pages=tuple(crawled.pages),
            problems=tuple(replace(one, places=found.places.get(one.found.url, ())) for one in problems),
            skipped=(*crawled.skipped, *found.skipped, *left_out),
            transport=way,
            patch=found.patch,
        )
        return _concluded(scan, crawled)

    def _in_theme(self, reader: Reader, store: str, problems: tuple[Problem, ...]) -> _InTheme:
        """Look for what was found in the theme's files."""
        if not problems:
            return _InTheme()
        mendable = {one.found.url for one in problems if one.advice is Advice.HTTPS}
        try:
            files = self.themes.files(store)
            if not files:
                return _InTheme()
            places = reader(theme.places, files, {one.found.url for one in problems})
            return _InTheme(places, reader(theme.patch, files, mendable))
        except CertdeskError as error:
            return _InTheme(skipped=(Skipped("scan.theme_source", error.text),))
        except UnreadError:
            text = say("It takes too long to search, so the places in the theme are not named.")
            return _InTheme(skipped=(Skipped("scan.theme_source", text),))

    def _problems(self, crawled: Crawled, guest: Guest) -> tuple[Problem, ...]:
        """Return what was seen, the gravest first, with advice: as much of it as is kept."""
        outside = self.outside
        ends = outside.clock() + outside.settings.total
        adviser = Adviser(guest, outside.settings.lookups, lambda: outside.clock() >= ends)
        once = dict.fromkeys(crawled.seen)
        graded = sorted(once, key=lambda seen: (seen.found.mitigated, ORDER[seen.found.kind]))
        problems: list[Problem] = []
        room = MOST_CHARACTERS
        for seen in graded[:MOST_PROBLEMS]:
            room -= len(seen.page) + len(seen.found.url) + len(seen.found.source)
            if room < 0:
                break
            problems.append(Problem(seen.page, seen.found, *adviser.advise(seen.found)))
        return tuple(problems)


def _left_out(crawled: Crawled, problems: tuple[Problem, ...]) -> Skipped:
    why = say("More was found than is kept: the {count} gravest are named.", count=len(problems))
    return Skipped(crawled.pages[0], why)


def _concluded(scan: Scan, crawled: Crawled) -> Scan:
    """Return the scan with its findings."""
    findings = [*_mixed(scan), *_unreachable(scan, crawled), *_pages(scan, crawled), *_way(scan)]
    return replace(scan, findings=tuple(findings))


def _mixed(scan: Scan) -> list[Finding]:
    things = {problem.thing for problem in scan.problems}
    if not things:
        return []
    summary = say_n(
        "Pages of {name} load, post or lead to {count} thing over http://.",
        "Pages of {name} load, post or lead to {count} different things over http://.",
        name=scan.name,
        count=len(things),
    )
    remedy = say("Do for each what is said beside it; then scan again.")
    evidence = {
        kind.value: len({problem.thing for problem in scan.problems if problem.found.kind is kind})
        for kind in Kind
    }
    return [_finding(scan, MIXED, summary, remedy, evidence)]


def _unreachable(scan: Scan, crawled: Crawled) -> list[Finding]:
    answer = crawled.unreachable
    if answer is None:
        return []
    summary = say("{name} does not answer over https. {why}", name=scan.name, why=unfetched(answer))
    remedy = say(
        "See what is wrong with its certificate or its address with: {command}",
        command=f"/ssl check {scan.name}",
    )
    evidence = {"error": answer.error, "detail": answer.detail}
    return [_finding(scan, NOT_HTTPS, summary, remedy, evidence, owner=Owner.PLATFORM)]


def _pages(scan: Scan, crawled: Crawled) -> list[Finding]:
    remedy = say("Make the page answer over https itself, or redirect to https.")
    return [
        _finding(
            scan,
            NOT_HTTPS,
            say("The page {page} leads to {url}.", page=urls.shortened(page), url=urls.shortened(url)),
            remedy,
            {"page": page, "url": url},
            owner=Owner.PLATFORM,
        )
        for page, url in crawled.insecure
    ]


_WAYS: Mapping[str, tuple[Text, Text]] = {
    "missing": (
        say("Over http:// the shop is served as it is, and shoppers stay there."),
        say("The platform: redirect http:// to https:// at the edge, with status 301 or 308."),
    ),
    "elsewhere": (
        say("Over http:// the shop leads to another site."),
        say("The platform: redirect http:// to https:// of the same name first."),
    ),
    "detour": (
        say("The way from http:// to https leads over http:// again."),
        say(
            "The platform: let the first redirect lead to https:// of the same name; any other one comes after it."
        ),
    ),
}


def _way(scan: Scan) -> list[Finding]:
    if scan.transport.redirect not in _WAYS:
        return []
    summary, remedy = _WAYS[scan.transport.redirect]
    evidence = {"chain": list(scan.transport.chain)}
    return [_finding(scan, NOT_HTTPS, summary, remedy, evidence, owner=Owner.PLATFORM)]


def _finding(
    scan: Scan,
    code: str,
    summary: Text,
    remedy: Text,
    evidence: Mapping[str, object],
    *,
    owner: Owner | None = None,
) -> Finding:
    """Return a finding: a warning, for a shop sells with it, if badly."""
    whose = owner or CODES[code].owner
    return Finding(code, Verdict.WARN, scan.name, whose, summary, remedy, scan.scanned_at, evidence)
