"""A scan on the real parts: a certificate from pebble, pages behind nginx, hosts out of BIND, commands as people type them."""

import csv
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.demo.parts.bind import Bind
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.process import wait_until
from storage.database import Database
from tests.children import Desk, desk_on, imported
from tests.parts import STORE

PATIENCE = 60.0
INNER = "http://10.9.9.9/latest"
HOME = f"""<!doctype html><title>Moon</title><link rel=stylesheet href=/theme.css>
<script src="http://{STORE}/own.js"></script>
<img src="http://nowhere.moon.test/a.png">
<form action="http://{STORE}/subscribe"></form>
<!-- <script src="http://{STORE}/trap.js"></script> -->
<a href="/cart">cart</a><a href="/inner">inner</a>
<img src="{INNER}">
"""
PAGES = {
    "index.html": HOME,
    "theme.css": f'a {{ background: url("http://{STORE}/own.png") }}',
    "own.js": "1",
    "own.png": "png",
    "cart/index.html": f'<iframe src="http://{STORE}/frame"></iframe>',
}


@pytest.fixture
def shop(edge: Edge) -> Iterator[Path]:
    """Put pages with problems into the store, and take them away again."""
    folder = edge.pages / STORE
    before = (folder / "index.html").read_text()
    for name, text in PAGES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    yield folder
    for name in PAGES:
        (folder / name).unlink()
    (folder / "cart").rmdir()
    (folder / "index.html").write_text(before)


@pytest.fixture
def desk(tmp_path: Path, bind: Bind, edge: Edge, pebble: Pebble, shop: Path) -> Desk:
    made = desk_on(tmp_path, bind, edge, pebble)
    made.set(SCAN__DELAY="0.01", SCAN__PATHS=["/login"], SCAN__AUTOMATIC="false")
    return imported(made)


def test_what_is_planted_is_found_with_advice_and_files(desk: Desk) -> None:
    with desk.start("run"):
        desk.one("add", STORE, "--wait")
    begun = time.monotonic()
    code, data = desk.ssl("scan", STORE)
    assert time.monotonic() - begun < 20
    assert code == 1
    site = f"https://{STORE}/"
    assert data["pages"] == [site, f"{site}cart"]
    found = {(one["url"], one["class"], one["advice"]) for one in data["problems"]}
    assert found == {
        (f"http://{STORE}/own.js", "blockable", "https"),
        (f"http://{STORE}/own.png", "upgradeable", "https"),
        (f"http://{STORE}/subscribe", "form", "https"),
        (f"http://{STORE}/frame", "blockable", "remove"),
        ("http://nowhere.moon.test/a.png", "upgradeable", "remove"),
        (INNER, "blockable", "remove"),
    }
    assert data["https"]["redirect"] == "https"
    folder = desk.folder / "files"
    folder.mkdir()
    done = desk.run("ssl", "scan", STORE, "/cart", "--files", str(folder))
    assert done.returncode == 1
    assert f"1 thing on the pages of {STORE} is not over https" in done.stdout
    with (folder / "scan.csv").open(encoding="utf-8") as table:
        assert [row["url"] for row in csv.DictReader(table)] == [f"http://{STORE}/frame"]
    assert "default-src 'none'" in (folder / "scan.html").read_text("utf-8")


def test_only_addresses_that_are_allowed_are_connected_to(desk: Desk) -> None:
    """Without probe.allow_networks this machine's own addresses are out of bounds, even for a store's own name."""
    with desk.start("run"):
        desk.one("add", STORE, "--wait")
    desk.set(PROBE__ALLOW_NETWORKS=[])
    code, data = desk.ssl("scan", STORE)
    assert (code, data["pages"], data["problems"]) == (1, [], [])
    assert [one["code"] for one in data["findings"]] == ["content.page_not_https"]
    assert data["findings"][0]["evidence"] == {"error": "not_public", "detail": "127.0.0.1"}


def test_workers_scan_what_somebody_has_asked_for(desk: Desk) -> None:
    """As a request of Slack's leaves it: a row that is due, which nobody waits for. Its first scan was planned, and the next one is."""
    desk.set(SCAN__AUTOMATIC="true")
    with desk.start("run"):
        desk.one("add", STORE, "--wait")
        storage = Database.open(desk.environment["CERTDESK_DATABASE__URL"])
        try:
            now = desk_clock(storage)
            with storage.write() as tx:
                planned = tx.scans.get(STORE)
                tx.scans.ask(STORE, "moon", (), now)
            wait_until(lambda: answered(storage), PATIENCE, "the scan")
            with storage.read() as tx:
                row = tx.scans.get(STORE)
        finally:
            storage.close()
    assert planned is not None
    assert planned.run_after is not None
    assert timedelta(0) < planned.run_after - now <= timedelta(hours=1)
    assert row is not None
    assert row.run_after is not None
    assert (row.count, row.first) == (6, 6)
    assert timedelta(days=7) <= row.run_after - now < timedelta(days=7, hours=1)


def desk_clock(storage: Database) -> datetime:
    beat = storage.last_heartbeat()
    assert beat is not None
    return beat


def answered(storage: Database) -> bool:
    with storage.read() as tx:
        row = tx.scans.get(STORE)
    return row is not None and row.answered is not None
