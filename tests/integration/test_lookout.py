"""The pumps that look ahead, on a real database: an alert reaches its webhook, heals there, and a broken look is planned anew."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bot.config import load
from bot.demo.parts.process import wait_until
from bot.health import Health
from bot.lookout import WATCH_AGAIN
from bot.service import started
from bot.wiring import Application, build
from bot.workers import Workers
from services.issuance import adding
from services.model.clock import utc_now
from services.model.findings import Finding
from services.model.sight import EVERY
from services.ports import Subject
from storage.vault import new_key
from tests.desks import Bench


class Receiver(ThreadingHTTPServer):
    """Somebody's webhook: keeps what arrives."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        got = self.got

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join(10)


@pytest.fixture
def environment(tmp_path: Path, receiver: Receiver) -> dict[str, str]:
    hook = {
        "name": "own",
        "kind": "json",
        "url": f"http://127.0.0.1:{receiver.server_address[1]}/",
        "secret": "s",
        "severity": "urgent",
    }
    return {
        "CERTDESK_DATABASE__URL": f"sqlite:///{tmp_path}/x.db",
        "CERTDESK_VAULT__KEY": new_key(),
        "CERTDESK_ALERTS__WEBHOOKS": json.dumps([hook]),
    }


@pytest.fixture
def application(environment: dict[str, str], tmp_path: Path) -> Iterator[Application]:
    made = build(load(environment, tmp_path))
    yield made
    made.close()


def working(application: Application, until: Callable[[], bool], what: str) -> None:
    """Let workers run until something has happened."""
    workers = Workers(application, None)
    workers.start()
    try:
        wait_until(until, 20, what)
    finally:
        workers.stop()


def health(application: Application, ahead: timedelta) -> Health:
    """Look at an application to which a CA has said that its clock is so far ahead."""
    told = replace(application, clocks={"letsencrypt": lambda: ahead})
    return Health(told, slack=False, deaf_since=None, listens=True)


def test_a_fault_of_certdesks_own_is_paged_once_and_resolved(
    application: Application, receiver: Receiver
) -> None:
    application.storage.heartbeat("w", utc_now())
    for _ in range(3):
        health(application, timedelta(minutes=7)).tend()
    working(application, lambda: len(receiver.got) > 0, "the page")
    health(application, timedelta(minutes=7)).tend()
    working(application, lambda: nothing_is_due(application), "quiet")
    assert [event["action"] for event in receiver.got] == ["trigger"]
    assert (receiver.got[0]["code"], receiver.got[0]["severity"]) == ("certdesk.clock", "urgent")
    health(application, timedelta(0)).tend()
    working(application, lambda: len(receiver.got) > 1, "the resolution")
    assert [event["action"] for event in receiver.got] == ["trigger", "resolve"]
    assert receiver.got[0]["id"] == receiver.got[1]["id"]


def test_when_every_worker_is_gone_the_half_that_listens_tells_the_webhooks(
    environment: dict[str, str], application: Application, receiver: Receiver, tmp_path: Path
) -> None:
    loaded = load({**environment, "CERTDESK_HTTP__LISTEN": "127.0.0.1:0"}, tmp_path)
    application.storage.heartbeat("w", utc_now() - timedelta(minutes=10))
    with ExitStack() as stack:
        serving = started(loaded, stack, listen=True, work=False)
        Health(serving, slack=False, deaf_since=None, listens=True).tend()
        wait_until(lambda: len(receiver.got) > 0, 20, "the page")
    assert (receiver.got[0]["code"], receiver.got[0]["thing"]) == ("certdesk.stalled", "workers")


def nothing_is_due(application: Application) -> bool:
    with application.storage.read() as tx:
        open_ones = tx.alerts.listing()
        waits = all(alert.due_at is None or alert.due_at > utc_now() for alert in open_ones)
        return bool(open_ones) and waits and tx.outbox.waiting() == 0


class BrokenChecker:
    """`services.ports.Checker` that fails as nobody foresaw."""

    def check(self, subject: Subject) -> tuple[Finding, ...]:
        raise RuntimeError(subject.name)

    def rules(self, subject: Subject) -> tuple[Finding, ...]:
        return ()


def test_a_look_that_fails_as_nobody_foresaw_is_planned_anew(application: Application) -> None:
    bench = Bench(application.storage, now=utc_now())
    bench.store("moon", "shop.moon.test")
    adding.add(bench.desk, ["shop.moon.test"], store=None, visible=EVERY, actor="T1/U1")
    bench.install("shop.moon.test", renew_at=bench.now + timedelta(days=60))
    watched = replace(application, watching=replace(application.watching, checker=BrokenChecker()))
    with application.storage.write() as tx:
        tx.watches.plan(bench.certificate("shop.moon.test").id, utc_now())
    began = utc_now()

    def planned() -> bool:
        with application.storage.read() as tx:
            due = tx.watches.next_due()
        return due is not None and due > began

    working(watched, planned, "the look to be planned anew")
    with application.storage.read() as tx:
        due = tx.watches.next_due()
    assert due is not None
    assert began + WATCH_AGAIN <= due <= utc_now() + WATCH_AGAIN
