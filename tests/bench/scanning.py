"""Bench: a scan of a store of 24 pages over TLS, with what it takes besides its pauses: seconds a page.

Each page is one of the fixture site and some 150 KB of a shop's usual mark-up. Sockets, TLS and the process that reads are the real ones.
"""

import time
from datetime import UTC, datetime
from ipaddress import IPv4Address, ip_network
from pathlib import Path

from services.model.scans import Scan
from services.model.settings import Probing, Scanning
from services.scanning.apart import Apart
from services.scanning.crawl import Outside
from services.scanning.fetching import SocketFetcher
from services.scanning.running import Scanner
from services.scanning.sites import Own
from services.scanning.themes import NoThemes
from tests import planted
from tests.bench.figures import aim, table
from tests.browser import scanned_site

PAGES = 24
AIM = 1.0
"""Seconds a page."""
_PRODUCT = (
    '<li class="product"><a href="/products/{n}"><img src="https://cdn.test/{n}.webp" srcset="https://cdn.test/{n}-2.webp 2x" alt="">'
    '<h3 style="margin:0">Moon lamp {n}</h3><p>A lamp that shines as the moon does.</p><span data-price="{n}">{n} €</span></a></li>\n'
)
BODY = "<ul>" + "".join(_PRODUCT.format(n=n) for n in range(550)) + "</ul>"


def write(site: Path) -> tuple[str, ...]:
    """Write the store's pages, and return their paths."""
    originals = [planted.text(name) for name in planted.PAGES]
    names = tuple(f"page{number}.html" for number in range(PAGES))
    for number, name in enumerate(names):
        (site / name).write_text(BODY + originals[number % len(originals)], encoding="utf-8")
    for sheet in planted.SITE.glob("*.css"):
        (site / sheet.name).write_bytes(sheet.read_bytes())
    return tuple(f"/{name}" for name in names)


def scan(folder: Path, delay: float) -> tuple[Scan, float]:
    """Scan the store; return what was found, and how many seconds it took."""
    site = folder / f"site{delay}"
    site.mkdir()
    paths = write(site)
    with scanned_site.served(folder / "tls", site) as port:
        probing = Probing(
            http_port=port,
            https_port=port,
            allow_networks=(ip_network("127.0.0.0/8"),),
            ca_bundle=folder / "tls" / "fullchain.pem",
        )
        fetcher = SocketFetcher(
            probing, lambda host: (IPv4Address("127.0.0.1"),) if host == planted.HOST else (), 10
        )
        outside = Outside(fetcher, Scanning(delay=delay), time.sleep, time.monotonic, Apart)
        scanner = Scanner(outside, NoThemes(), lambda: datetime.now(UTC))
        began = time.monotonic()
        found = scanner.scan(planted.HOST, "moon", Own(frozenset({planted.HOST})), paths)
        return found, time.monotonic() - began


def bench(folder: Path) -> bool:
    """Print seconds a page without pauses and with the usual ones, and tell whether the aim holds."""
    rows, each = [], {}
    for delay in (0.0, Scanning().delay):
        found, took = scan(folder, delay)
        each[delay] = took / len(found.pages)
        rows.append(
            (f"{delay:g} s", len(found.pages), len(found.problems), f"{took:.1f} s", f"{each[delay]:.2f} s")
        )
    table(("pause", "pages", "problems", "all", "a page"), rows)
    return aim(f"below {AIM:g} s a page", holds=all(one < AIM for one in each.values()))
