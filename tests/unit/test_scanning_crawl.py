"""Which pages are looked at, in which order and with which pauses; where redirects lead; and what is advised."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from services.model.scans import Advice, Scan
from services.model.settings import Scanning
from services.ports import Fetched
from services.scanning import theme
from services.scanning.advice import Facts, decide
from services.scanning.crawl import Outside
from services.scanning.guest import ELSEWHERE
from services.scanning.running import Scanner
from services.scanning.themes import FolderThemes, NoThemes
from tests import planted

HOST = "shop.moon.test"
HOME = f"https://{HOST}/"
NOW = datetime(2027, 2, 10, tzinfo=UTC)


@dataclass
class Web:
    """`services.ports.Fetcher`: what a test says; anything else is a 404."""

    pages: dict[str, Fetched] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, url: str, body: str = "", type_: str = "text/html", status: int = 200, **more: str) -> None:
        raw = body.encode()
        fields = {"content-type": type_, **{key.replace("_", "-"): value for key, value in more.items()}}
        self.pages[url] = Fetched(url, status, fields, raw, len(raw))

    def fetch(self, url: str, most: int) -> Fetched:
        self.asked.append(url)
        return self.pages.get(url, Fetched(url, 404, {"content-type": "text/html"}))


@dataclass
class World:
    web: Web = field(default_factory=Web)
    pauses: list[float] = field(default_factory=list)
    settings: Scanning = field(default_factory=lambda: Scanning(paths=("/login",), pages=5, lookups=50))
    now: float = 0

    def scan(self, *paths: str, own: Callable[[str], bool] = lambda host: host == HOST) -> Scan:
        outside = Outside(self.web, self.settings, self.pauses.append, lambda: self.now)
        return Scanner(outside, NoThemes(), lambda: NOW).scan(HOST, "moon", own, paths)


@pytest.fixture
def world() -> World:
    made = World()
    made.web.put(f"http://{HOST}/", status=301, location=HOME)
    return made


def test_home_login_sitemap_and_links_are_looked_at_and_robots_are_heeded(world: World) -> None:
    links = "<a href=/a>a</a><a href=/private/b>b</a><a href=http://shop.moon.test/c>c</a><a href=//other.test/>o</a>"
    world.web.put(HOME, f"<script src=http://cdn.test/x.js></script>{links}<a href=/pic.png>p</a>")
    world.web.put(f"{HOME}login", "<form action=http://shop.moon.test/in>")
    world.web.put(f"{HOME}robots.txt", "User-agent: *\nDisallow: /private\nCrawl-delay: 3", "text/plain")
    mapped = f"<urlset><url><loc>{HOME}m</loc></url><url><loc>https://other.test/</loc></url></urlset>"
    world.web.put(f"{HOME}sitemap.xml", mapped, "application/xml")
    for path in ("a", "c", "m"):
        world.web.put(HOME + path, "<p>well</p>")
    scan = world.scan()
    assert scan.pages == (HOME, f"{HOME}login", f"{HOME}m", f"{HOME}a", f"{HOME}c")
    assert [one.url for one in scan.skipped] == [f"{HOME}private/b"]
    assert {one.as_json()["class"] for one in scan.problems} == {"blockable", "form", "navigational"}
    assert f"{HOME}private/b" not in world.web.asked
    assert not [url for url in world.web.asked if "other.test" in url or "pic.png" in url]
    assert set(world.pauses) == {ELSEWHERE, 0.5, 3.0}


def test_header_fields_that_load_or_lead_are_read_too(world: World) -> None:
    """Chromium reports the same of them as of elements; a style sheet in a field it does not load."""
    world.settings = Scanning(paths=("/login",), pages=0)
    links = (
        "<http://a.test/1.css>; rel=preload; as=style, </2.css>;rel=preload;as=style",
        '<http://a.test/3.png>; as="image"; rel="x preload"; title="<,", <http://a.test/4.mjs>; REL=ModulePreload',
        "<http://a.test/5.css>; rel=stylesheet, <http://a.test/6>; rel=preconnect, <http://a.test/7>; rel=prefetch, <<<",
    )
    world.web.put(HOME, "<p>", link=", ".join(links), refresh=f"9; url=http://{HOST}/8")
    policy = "upgrade-insecure-requests"
    world.web.put(
        f"{HOME}login", "<p>", link="<http://a.test/9.mjs>;rel=modulepreload", content_security_policy=policy
    )
    found = [one.found for one in world.scan().problems]
    assert [(one.url, one.attribute, one.kind.value, one.mitigated) for one in found] == [
        ("http://a.test/1.css", "link", "blockable", False),
        ("http://a.test/4.mjs", "link", "blockable", False),
        ("http://a.test/7", "link", "blockable", False),
        ("http://a.test/3.png", "link", "upgradeable", False),
        (f"http://{HOST}/8", "refresh", "navigational", False),
        ("http://a.test/9.mjs", "link", "blockable", True),
    ]
    assert {(one.element, one.line) for one in found} == {("header", 1)}


def test_only_the_paths_that_were_given_are_looked_at(world: World) -> None:
    world.web.put(f"{HOME}x", "<img src=http://cdn.test/y.png>")
    scan = world.scan("/x")
    assert scan.pages == (f"{HOME}x",)
    assert f"{HOME}robots.txt" not in world.web.asked


def test_own_style_sheets_are_read_with_their_imports_once(world: World) -> None:
    world.settings = Scanning(paths=("/login",), pages=0)
    for page in (HOME, f"{HOME}login"):
        world.web.put(page, "<link rel=stylesheet href=/s.css>")
    world.web.put(f"{HOME}s.css", "@import 't.css'; a { background: url(http://a.test/1.png) }", "text/css")
    world.web.put(f"{HOME}t.css", "@import 's.css'; b { background: url(http://a.test/2.png) }", "text/css")
    scan = world.scan()
    assert [one.found.source for one in scan.problems] == [f"{HOME}s.css", f"{HOME}t.css"]
    assert world.web.asked.count(f"{HOME}s.css") == 1


def test_a_sheet_is_judged_by_the_policy_of_each_page_that_uses_it(world: World) -> None:
    """What upgrade-insecure-requests mends on the first page is open on a check-out that has no such policy."""
    world.settings = Scanning(paths=("/login", "/cart"), pages=0)
    for page, policy in (
        (HOME, "upgrade-insecure-requests"),
        (f"{HOME}login", "default-src *"),
        (f"{HOME}cart", ""),
    ):
        world.web.put(page, "<link rel=stylesheet href=/s.css>", content_security_policy=policy)
    world.web.put(f"{HOME}s.css", "@import 't.css';", "text/css")
    world.web.put(f"{HOME}t.css", "@import 's.css'; b { background: url(http://a.test/2.png) }", "text/css")
    said = [(one.page, one.found.mitigated) for one in world.scan().problems]
    assert said == [(f"{HOME}login", False), (HOME, True)]
    assert world.web.asked.count(f"{HOME}t.css") == 2


def test_a_page_that_leads_to_http_and_a_shop_without_redirect_are_findings(world: World) -> None:
    world.web.put(f"http://{HOST}/", "shop")
    world.web.put(HOME, "<p>x")
    world.web.put(f"{HOME}login", status=302, location=f"http://{HOST}/login")
    scan = world.scan()
    assert [one.code for one in scan.findings] == ["content.page_not_https", "content.page_not_https"]
    assert scan.transport.redirect == "missing"
    assert scan.count == 2


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ([f"http://{HOST}/", HOME], "https"),
        ([f"http://{HOST}/", f"http://www.{HOST}/", HOME], "detour"),
        ([f"http://{HOST}/", "https://elsewhere.test/"], "elsewhere"),
        ([f"http://{HOST}/", f"http://{HOST}/"], "missing"),
    ],
)
def test_the_way_from_http_to_https(world: World, way: list[str], expected: str) -> None:
    for url, leads in pairwise(way):
        world.web.put(url, status=301, location=leads)
    world.web.put(HOME, "<p>", strict_transport_security='max-age="31536000"; includeSubDomains')
    scan = world.scan(own=lambda host: host.endswith(HOST))
    assert scan.transport.redirect == expected
    assert (scan.transport.hsts, scan.transport.subdomains) == (31536000, True)


def test_a_redirect_loop_and_another_site_are_skipped(world: World) -> None:
    world.web.put(HOME, "<p>")
    world.web.put(f"{HOME}login", status=302, location="https://elsewhere.test/")
    scan = world.scan()
    assert [one.url for one in scan.skipped] == [f"{HOME}login"]
    assert "https://elsewhere.test/" not in world.web.asked


def test_a_name_that_does_not_answer_is_asked_for_nothing_more(world: World) -> None:
    world.web.pages[HOME] = Fetched(HOME, error="untrusted", detail="self-signed certificate")
    scan = world.scan()
    assert [one.code for one in scan.findings] == ["content.page_not_https"]
    assert world.web.asked == [HOME, f"http://{HOST}/"]


def test_the_scan_ends_when_its_time_is_over(world: World) -> None:
    world.web.put(HOME, "".join(f"<a href=/{n}>{n}</a>" for n in range(50)))
    world.settings = Scanning(paths=(), pages=50, total=-1)
    assert world.scan().pages == (HOME,)


def _file(
    url: str, status: int = 200, type_: str = "image/png", size: int | None = 1000, error: str = ""
) -> Fetched:
    if error:
        return Fetched(url, error=error)
    return Fetched(url, status, {"content-type": type_}, url.encode(), size)


@pytest.mark.parametrize(
    ("plain", "secure", "advice"),
    [
        (_file("h"), _file("s"), Advice.HTTPS),
        (_file("h"), _file("s", size=1400), Advice.HTTPS),
        (_file("h", type_="image/jpg"), _file("s", type_="image/jpeg"), Advice.HTTPS),
        (_file("h", error="refused"), _file("s"), Advice.HTTPS),
        (_file("h", size=50_000), _file("s", size=9000), Advice.UPLOAD),
        (_file("h"), _file("s", type_="text/html"), Advice.UPLOAD),
        (_file("h"), _file("s", status=404), Advice.UPLOAD),
        (_file("h"), _file("s", error="untrusted"), Advice.UPLOAD),
        (_file("h", status=404), _file("s", status=404), Advice.REMOVE),
        (_file("h", error="no_address"), _file("s", error="no_address"), Advice.REMOVE),
        (_file("h", status=503), _file("s", status=503), Advice.UPLOAD),
    ],
)
def test_advice_by_what_both_addresses_answer(plain: Fetched, secure: Fetched, advice: Advice) -> None:
    assert decide(Facts(plain, secure))[0] is advice


@pytest.mark.parametrize(
    ("plain", "secure", "advice"),
    [
        (_file("h"), _file("s", type_="text/html"), Advice.UPLOAD),
        (_file("h", type_="text/html"), _file("s", type_="text/html"), Advice.REMOVE),
        (_file("h", status=301), _file("s", type_="text/html"), Advice.REMOVE),
        (_file("h", status=404), _file("s", type_="application/xhtml+xml"), Advice.REMOVE),
        (_file("h", type_="text/html"), _file("s"), Advice.HTTPS),
    ],
)
def test_a_page_in_place_of_a_picture_is_not_the_picture(
    plain: Fetched, secure: Fetched, advice: Advice
) -> None:
    """Many shops' servers answer 200 and a page for whatever they do not have."""
    assert decide(Facts(plain, secure, page=False))[0] is advice


def test_what_may_be_a_page_is_told_by_what_loads_it(world: World) -> None:
    world.web.put(HOME, "<img src=http://a.test/x><iframe src=http://a.test/x></iframe>")
    world.web.put("https://a.test/x", "<p>parked")
    assert [(one.found.element, one.advice) for one in world.scan().problems] == [
        ("iframe", Advice.HTTPS),
        ("img", Advice.REMOVE),
    ]


def test_a_form_is_never_sent_to_find_out(world: World) -> None:
    world.web.put(HOME, "<form action=http://pay.test/charge?id=1>")
    [problem] = world.scan().problems
    assert problem.advice is Advice.HTTPS
    assert [url for url in world.web.asked if "pay.test" in url] == ["https://pay.test/"]


def test_a_patch_changes_just_what_is_wrong_and_says_where(tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("themes")
    (root / "moon").mkdir()
    theme_file = root / "moon" / "head.liquid"
    theme_file.write_text(
        '<p>\n<img src="http://a.test/x.png?a=1&amp;b=2">\n<img src=http://a.test/x.png2>\n'
    )
    (root / "secret.txt").write_text("http://a.test/x.png?a=1&b=2")
    (root / "moon" / "link.txt").symlink_to(root / "secret.txt")
    files = FolderThemes(f"{root}/{{store}}").files("moon")
    assert list(files) == ["head.liquid"]
    assert FolderThemes(f"{root}/{{store}}").files("..") == {}
    url = "http://a.test/x.png?a=1&b=2"
    assert theme.places(files, [url]) == {url: ("head.liquid:2",)}
    patch = theme.patch(files, ["http://a.test/x.png?a=1&b=2"])
    changed = [line for line in patch.splitlines() if line[0] in "+-" and line[:3] not in ("+++", "---")]
    assert changed == [
        '-<img src="http://a.test/x.png?a=1&amp;b=2">',
        '+<img src="https://a.test/x.png?a=1&amp;b=2">',
    ]


def test_the_fixture_site_is_crawled_whole(world: World) -> None:
    for name in planted.SITE.iterdir():
        kind = "text/css" if name.suffix == ".css" else "text/html"
        world.web.put(HOME + name.name, name.read_text(), kind)
    scan = world.scan(*(f"/{name}" for name in planted.PAGES))
    numbers = {label[0] for one in scan.problems if (label := planted.label(one.found.url))}
    assert numbers == {one.number for one in planted.planted()}
