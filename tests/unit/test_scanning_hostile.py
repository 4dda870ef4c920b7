"""A merchant's pages, and whoever they lead to, may be hostile: no scan fails, goes astray, hangs or gets large for it."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, ip_address, ip_network
from itertools import pairwise

import pytest

from services.model.scans import Scan
from services.model.settings import Probing, Scanning
from services.ports import Fetched
from services.scanning.crawl import Outside
from services.scanning.fetching import Address, SocketFetcher
from services.scanning.guest import ELSEWHERE
from services.scanning.running import Scanner
from services.scanning.themes import NoThemes
from tests.unit.test_scanning_crawl import HOME, HOST, Web
from tests.unit.test_scanning_fetching import HEAD, served

NOW = datetime(2027, 2, 10, tzinfo=UTC)


@dataclass
class Slow(Web):
    """A web whose answers take their time; a test's clock goes on by it."""

    seconds: float = 0
    now: float = 0

    def fetch(self, url: str, most: int) -> Fetched:
        self.now += self.seconds
        return super().fetch(url, most)


@pytest.fixture
def web() -> Slow:
    made = Slow()
    made.put(f"http://{HOST}/", status=301, location=HOME)
    made.put(HOME, "<p>well</p>")
    return made


def scan(
    web: Slow,
    settings: Scanning | None = None,
    told: Callable[[int, int], None] = lambda _pages, _problems: None,
    own: Callable[[str], bool] = lambda host: host == HOST,
) -> Scan:
    def pause(seconds: float) -> None:
        web.now += seconds

    outside = Outside(web, settings or Scanning(paths=(), pages=5), pause, lambda: web.now)
    return Scanner(outside, NoThemes(), lambda: NOW).scan(HOST, "moon", own, told=told)


def whys(scan_: Scan) -> list[str]:
    return [one.why.plain() for one in scan_.skipped]


# --- what is no URL


@pytest.mark.parametrize(
    "loc", ["https://[x", "https://[x]/", f"https://{HOST}:x/", "//", "https://\u2100.test/"]
)
def test_a_sitemap_may_list_what_is_no_url(web: Slow, loc: str) -> None:
    web.put(f"{HOME}sitemap.xml", f"<urlset><loc>{loc}</loc><loc>{HOME}m</loc></urlset>", "application/xml")
    web.put(f"{HOME}m", "<p>")
    assert scan(web).pages == (HOME, f"{HOME}m")


@pytest.mark.parametrize(
    "leads", ["https://[", "javascript:alert(1)", "ftp://a.test/", "https://\u2100.test/"]
)
def test_a_redirect_to_what_is_no_page_is_skipped_and_no_finding(web: Slow, leads: str) -> None:
    web.put(f"{HOME}login", status=302, location=leads)
    web.put(f"http://{HOST}/", status=302, location=leads)
    done = scan(web, Scanning(paths=("/login",), pages=0))
    assert [one.url for one in done.skipped] == [f"{HOME}login"]
    assert (done.findings, done.transport.redirect) == ((), "unknown")


def test_characters_that_nobody_sees_and_half_pairs_are_shown_by_their_numbers(web: Slow) -> None:
    web.put(
        HOME, "<img src='http://a.test/\u202egnp\x1b.exe'><script>i.src='http://a.test/\\ud800.png'</script>"
    )
    found = [one.found.url for one in scan(web).problems]
    assert found == ["http://a.test/%E2%80%AEgnp%1B.exe", "http://a.test/%EF%BF%BD.png"]


def test_a_url_without_end_is_kept_to_a_length_that_servers_take(web: Slow) -> None:
    web.put(HOME, f"<img src=http://a.test/{'x' * 10**6}><a href=/{'y' * 10**5}>y</a>")
    done = scan(web)
    assert [len(one.found.url) for one in done.problems] == [2048]
    assert done.pages == (HOME,)


def test_what_servers_say_is_shortened_and_printable(web: Slow) -> None:
    web.put(f"{HOME}a", "x", "x\x1b]8;;http://evil.test/" * 3000)
    web.put(f"{HOME}b", status=302, location=f"https://evil.test/{'x' * 3000}")
    web.pages[f"{HOME}c"] = Fetched(f"{HOME}c", error="broken", detail="\x1b[31m" + "x" * 60_000)
    done = scan(web, Scanning(paths=("/a", "/b", "/c"), pages=0))
    assert len(done.skipped) == 3
    assert all(why.isprintable() and len(why) < 300 for why in whys(done))


# --- time


def test_whoever_holds_the_scan_hears_of_it_before_every_request_however_slow_they_are(web: Slow) -> None:
    web.seconds = 9
    web.put(HOME, "".join(f"<a href=/{n}>n</a><img src=http://a.test/{n}.png>" for n in range(30)))
    web.put(f"{HOME}robots.txt", "User-agent: *\nCrawl-delay: 3600", "text/plain")
    web.put(f"{HOME}login", status=302, location="/1")
    for number in range(30):
        web.put(f"{HOME}{number}", status=302, location=f"/{number + 1}")
    heard: list[float] = []
    scan(web, Scanning(paths=("/login",), total=600), lambda *_: heard.append(web.now))
    gaps = [later - sooner for sooner, later in pairwise(heard)]
    assert max(gaps) <= 10
    assert len(heard) > len(web.asked)


def test_a_slow_store_is_left_after_the_time_that_is_set_whatever_it_leads_to(web: Slow) -> None:
    web.seconds = 10
    for number in range(500):
        web.put(f"{HOME}{number}", status=302, location=f"/{number + 1}")
    web.put(
        HOME, "".join(f"<link rel=stylesheet href=/{n}.css><img src=http://a{n}.test/>" for n in range(300))
    )
    names = tuple(f"/{number * 7}" for number in range(20))
    done = scan(web, Scanning(paths=names, total=100, lookups=2000, sheets=500))
    assert web.now < 100 + 100 + 12 * 10
    assert any("no time left" in why for why in whys(done))


def test_requests_to_one_host_are_apart_those_of_advice_too(web: Slow) -> None:
    web.put(HOME, f"<img src=http://{HOST}/1.png><img src=http://{HOST}/2.png><img src=http://a.test/3.png>")
    web.put(f"{HOME}robots.txt", "User-agent: *\nCrawl-delay: 4", "text/plain")
    scan(web)
    own = sum(HOST in url for url in web.asked)
    elsewhere = sum("a.test" in url for url in web.asked)
    behind_robots = own - 2
    assert web.now == pytest.approx(0.5 + behind_robots * 4 + (elsewhere - 1) * ELSEWHERE)


def test_for_what_nobody_is_asked_nobody_is_waited(web: Slow) -> None:
    web.put(HOME, "".join(f"<img src=http://a.test/{n}.png>" for n in range(50)))
    for number in range(50):
        for scheme in ("http", "https"):
            url = f"{scheme}://a.test/{number}.png"
            web.pages[url] = Fetched(url, error="no_address")
    scan(web)
    assert web.now < 5


# --- robots.txt


def test_robots_that_cannot_be_read_keep_crawlers_away(web: Slow) -> None:
    web.put(HOME, "<a href=/a>a</a>")
    for said in (Fetched(f"{HOME}robots.txt", error="timeout"), Fetched(f"{HOME}robots.txt", 503)):
        web.pages[f"{HOME}robots.txt"] = said
        web.asked.clear()
        done = scan(web)
        assert done.pages == (HOME,)
        assert whys(done) == ["robots.txt could not be read, and so crawlers stay away."]
        assert f"{HOME}sitemap.xml" not in web.asked


def test_robots_are_followed_to_where_they_are_and_each_host_has_its_own(web: Slow) -> None:
    www = f"https://www.{HOST}/"
    web.put(HOME, f"<a href=/no>a</a><a href=/yes>b</a><a href={www}no>c</a><a href={www}else>d</a>")
    web.put(f"{HOME}robots.txt", status=301, location="/robots")
    web.put(f"{HOME}robots", "User-agent: *\nDisallow: /no", "text/plain")
    web.put(f"{www}robots.txt", "User-agent: *\nDisallow: /else", "text/plain")
    for page in (f"{HOME}yes", f"{www}no"):
        web.put(page, "<p>")
    done = scan(web, own=lambda host: host.removeprefix("www.") == HOST)
    assert done.pages == (HOME, f"{HOME}yes", f"{www}no")
    assert [one.url for one in done.skipped] == [f"{HOME}no", f"{www}else"]


def test_a_page_that_leads_to_a_forbidden_one_is_not_followed(web: Slow) -> None:
    web.put(HOME, "<a href=/a>a</a>")
    web.put(f"{HOME}a", status=302, location="/no")
    web.put(f"{HOME}robots.txt", "User-agent: *\nDisallow: /no", "text/plain")
    scan(web)
    assert f"{HOME}no" not in web.asked


@pytest.mark.parametrize(
    "text",
    [
        "User-agent: *\nDisallow: /" + "*a" * 200 + "b",
        "User-agent: *\n" + "".join(f"Disallow: /*{n}*x$\n" for n in range(20_000)),
        "User-agent: *\nCrawl-delay: nan\nCrawl-delay: inf\nCrawl-delay: -1\nCrawl-delay: 9e999",
        "\0" * 500_000,
        "Sitemap: https://[x\nSitemap: https://10.0.0.1/\nSitemap: file:///etc/passwd",
    ],
)
def test_hostile_rules_end_soon(web: Slow, text: str) -> None:
    web.put(HOME, f"<a href=/{'a' * 1500}>a</a>")
    web.put(f"{HOME}robots.txt", text, "text/plain")
    done = scan(web)
    assert done.pages == (HOME,)
    assert web.now < 60
    assert not [url for url in web.asked if "10.0.0.1" in url or url.startswith("file")]


@pytest.mark.parametrize(
    "text",
    [
        f"<sitemapindex><loc>{HOME}sitemap.xml</loc></sitemapindex>",
        "<sitemapindex>" + f"<loc>{HOME}s.xml</loc>" * 20_000 + "</sitemapindex>",
        '<!DOCTYPE a [<!ENTITY b "&c;&c;"><!ENTITY c "&d;&d;">]><urlset><loc>&b;</loc></urlset>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><urlset><loc>&x;</loc></urlset>',
        "<urlset>" + "<loc>" * 300_000,
    ],
)
def test_a_sitemap_that_loops_or_swells_is_left(web: Slow, text: str) -> None:
    web.put(f"{HOME}sitemap.xml", text, "application/xml")
    web.put(f"{HOME}s.xml", text, "application/xml")
    done = scan(web)
    assert done.pages == (HOME,)
    assert len(web.asked) < 15


# --- inside addresses


@dataclass
class Rebinding:
    """A host that is public when it is first asked for, and inside ever after."""

    asked: int = 0

    def __call__(self, host: str) -> tuple[Address, ...]:
        self.asked += 1
        return (ip_address("127.0.0.1" if self.asked == 1 else "10.0.0.1"),)


def test_the_address_that_was_judged_is_the_one_that_is_connected_to() -> None:
    """The name is resolved once for each request: whatever DNS says a moment later, no socket goes there."""
    resolve = Rebinding()
    with served(lambda connection: connection.sendall(HEAD + b"Content-Length: 2\r\n\r\nhi")) as port:
        probing = Probing(http_port=port, https_port=port, allow_networks=(ip_network("127.0.0.1/32"),))
        fetcher = SocketFetcher(probing, resolve, 5)
        assert fetcher.fetch("http://a.test/", 100).body == b"hi"
        assert resolve.asked == 1
        assert fetcher.fetch("http://a.test/", 100).error == "not_public"


@pytest.mark.parametrize(
    "leads",
    [
        "http://127.0.0.9:{port}/latest/meta-data",
        "http://inner.test:{port}/",
        "http://[::ffff:127.0.0.9]:{port}/",
        "http://2130706441:{port}/",
        "//user@127.0.0.9:{port}/",
    ],
)
def test_no_page_redirect_or_advice_leads_inside(leads: str) -> None:
    """Real sockets: the shop is on an address that is allowed, the inner service on one that is not, on the same port."""
    leads_to = {HOST: "127.0.0.1", "inner.test": "127.0.0.9"}

    def resolve(host: str) -> tuple[Address, ...]:
        try:
            return (ip_address(host),)
        except ValueError:
            return (IPv4Address(leads_to[host]),) if host in leads_to else ()

    with socket.create_server(("127.0.0.9", 0)) as inner:
        port = inner.getsockname()[1]
        inner.settimeout(0.2)
        target = leads.format(port=port)

        def shop(connection: socket.socket) -> None:
            body = f"<img src={target}>".encode()
            more = f"Location: {target}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            connection.sendall(b"HTTP/1.1 302 Found\r\nContent-Type: text/html\r\n" + more + body)

        with served(shop, ("127.0.0.1", port)):
            probing = Probing(http_port=port, https_port=port, allow_networks=(ip_network("127.0.0.1/32"),))
            fetcher = SocketFetcher(probing, resolve, 5)
            answer = fetcher.fetch(f"http://{HOST}/", 1000)
            assert answer.status == 302
            led = fetcher.fetch(answer.fields["location"].replace("//user", "http://user"), 1000)
            assert led.status == 0
        with pytest.raises(TimeoutError):
            inner.accept()
