"""Scans have threads of their own: however many are due and however long each hangs, a certificate is issued meanwhile."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.config import load
from bot.demo.parts.process import wait_until
from bot.scans import Scans
from bot.wiring import Application, build
from bot.workers import Workers
from services.model.lifecycle import State
from services.model.settings import Scanning
from services.model.stores import Domain
from services.ports import Fetched
from services.scanning.crawl import Outside
from services.scanning.running import Scanner
from services.scanning.sites import Sites
from services.scanning.themes import NoThemes
from storage.vault import new_key
from tests.building import Built

THREADS, WAITING, PATIENCE = 2, 300, 30.0


@dataclass
class Moving(Built):
    """A world whose clock goes on by itself, a little at each look."""

    def clock(self) -> datetime:
        self.now += timedelta(milliseconds=20)
        return self.now


@dataclass
class Stuck:
    """`services.ports.Fetcher` of servers that answer nothing until the test lets them."""

    let_go: threading.Event = field(default_factory=threading.Event)
    hosts: list[str] = field(default_factory=list)

    def fetch(self, url: str, most: int) -> Fetched:
        self.hosts.append(url)
        self.let_go.wait()
        return Fetched(url, error="timeout")


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    made = Stuck()
    yield made
    made.let_go.set()


@pytest.fixture
def built() -> Built:
    return Moving()


@pytest.fixture
def application(tmp_path: Path, built: Built, stuck: Stuck) -> Iterator[Application]:
    """Give an application of these parts, many names of which are due to be scanned."""
    settings = Scanning(workers=THREADS)
    scanner = Scanner(Outside(stuck, settings, lambda _: None, lambda: 0.0), NoThemes(), built.clock)
    environment = {"CERTDESK_VAULT__KEY": new_key(), "CERTDESK_DATABASE__URL": "sqlite:///c.db"}
    wired = build(load(environment, tmp_path))
    with built.storage.write() as tx:
        for number in range(WAITING):
            tx.stores.put_domain(Domain(f"n{number}.test", "moon"))
            tx.scans.plan(f"n{number}.test", "moon", built.now - timedelta(days=1))
    yield replace(
        wired,
        storage=built.storage,
        desk=built.desk,
        parts=built.parts,
        watching=built.parts,
        sites=Sites(built.storage, scanner, built.clock),
        clock=built.clock,
    )
    wired.close()


def test_a_full_queue_of_scans_that_hang_delays_no_certificate(
    application: Application, built: Built, stuck: Stuck
) -> None:
    workers = Workers(application, None)
    workers.start()
    try:
        wait_until(lambda: len(stuck.hosts) == THREADS, PATIENCE, "the scans to fill their threads")
        built.add("a.moon.test")
        wait_until(lambda: installed(built), PATIENCE, "the certificate, while all scans hang")
        assert len(stuck.hosts) == THREADS
        with built.storage.write() as tx:
            left = tx.scans.claim(built.now, timedelta(0), WAITING)
        assert len(left) == WAITING - THREADS
    finally:
        stuck.let_go.set()
        workers.stop()


def installed(built: Built) -> bool:
    with built.storage.read() as tx:
        return any(one.state is State.INSTALLED for one in tx.certificates.listing(limit=10))


def test_a_scan_that_hangs_asks_for_nothing_more_once_certdesk_stops_and_stays_due(
    application: Application, built: Built, stuck: Stuck
) -> None:
    pump = Scans(application).pump()
    pump.start()
    wait_until(lambda: len(stuck.hosts) == THREADS, PATIENCE, "the scans to fill their threads")
    stopper = threading.Thread(target=pump.stop)
    stopper.start()
    wait_until(lambda: not pump.going_on, PATIENCE, "the pump to be told")
    stuck.let_go.set()
    stopper.join(PATIENCE)
    assert not stopper.is_alive()
    assert len(stuck.hosts) == THREADS
    with built.storage.write() as tx:
        assert len(tx.scans.claim(built.now, timedelta(0), WAITING + 1)) == WAITING
