"""Bench: the full lifecycle of one-name certificates on one pebble, beside certbot one at a time and lego eight at a time."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot import wiring
from bot.demo.parts.process import wait_until
from services.issuance.adding import add
from services.model.lifecycle import Event, State
from services.model.sight import EVERY
from services.model.stores import Domain, Store
from tests.bench import rivals
from tests.bench.figures import aim, cpu_seconds, table
from tests.bench.world import STORE, World, opened, run_certdesk, world

OURS, CERTBOT, LEGO = 200, 10, 40
LEGO_AT_ONCE = 8
PATIENCE = 180.0
RETRY_AFTER = 1
"""What pebble says in Retry-After, in seconds."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one client did."""

    client: str
    certificates: int
    seconds: float
    cpu: float
    """Processor seconds of the client, user and system."""

    @property
    def rate(self) -> float:
        """Certificates per second."""
        return self.certificates / self.seconds

    @property
    def row(self) -> tuple[str, int, str, str, str]:
        """The line of the table."""
        each = 1000 * self.cpu / self.certificates
        return (
            self.client,
            self.certificates,
            f"{self.seconds:.2f} s",
            f"{self.rate:.2f}/s",
            f"{each:.1f} ms",
        )


def names(kind: str, count: int) -> tuple[str, ...]:
    """Return ``count`` registrable domains."""
    return tuple(f"{kind}{number:03}.test" for number in range(count))


def bench(folder: Path) -> bool:
    """Run all three, print the table and the aims; tell whether all aims hold."""
    ours, others = names("shop", OURS), names("other", CERTBOT + LEGO + 2)
    certbot_names, lego_names = others[: CERTBOT + 1], others[CERTBOT + 1 :]
    with world(folder, (*ours, *others), retry_after=RETRY_AFTER) as town:
        mine = certdesk(town, ours)
        seconds, cpu = rivals.certbot(town, folder / "certbot", certbot_names)
        certbot = Result("certbot, one at a time", CERTBOT, seconds, cpu)
        seconds, cpu = rivals.lego(town, folder / "lego", lego_names, LEGO_AT_ONCE)
        lego = Result("lego, eight at a time", LEGO, seconds, cpu)
    results = (mine, certbot, lego)
    table(
        ("client (http-01, one pebble)", "issued", "time", "rate", "client CPU each"),
        [r.row for r in results],
    )
    each = 1000 * mine.cpu / mine.certificates
    held = [
        aim(
            f"at least 60 times certbot's rate: {mine.rate / certbot.rate:.0f} times",
            holds=mine.rate >= 60 * certbot.rate,
        ),
        aim(
            f"at least 25 times lego's rate: {mine.rate / lego.rate:.0f} times",
            holds=mine.rate >= 25 * lego.rate,
        ),
        aim(f"at most 20 ms client CPU for each certificate: {each:.1f} ms", holds=each <= 20),
    ]
    return all(held)


def certdesk(town: World, wanted: tuple[str, ...]) -> Result:
    """Issue ``wanted`` with `certdesk run`; counted from the first row's writing to the last installation."""
    folder = town.folder / "certdesk"
    environment = town.environment(folder)
    with opened(environment) as application, run_certdesk(environment, folder) as running:
        give(application, wanted)
        before = cpu_seconds(running.pid)
        with adding(application, wanted):
            wait_until(
                lambda: installed(application) == len(wanted),
                PATIENCE,
                f"{len(wanted)} certificates installed",
            )
            cpu = cpu_seconds(running.pid) - before
        seconds = (last_proof(application) - _first_wish(application)).total_seconds()
    return Result("certdesk, as it comes", len(wanted), seconds, cpu)


def give(application: wiring.Application, domains: tuple[str, ...]) -> None:
    """Let the bench's store own ``domains``."""
    with application.storage.write() as tx:
        tx.stores.put(Store(STORE))
        for name in domains:
            tx.stores.put_domain(Domain(name, STORE))


@contextmanager
def adding(application: wiring.Application, wanted: tuple[str, ...]) -> Iterator[None]:
    """Ask for all names, as two people would who add a hundred each."""
    half = len(wanted) // 2
    with ThreadPoolExecutor(1) as pool:
        asked = [pool.submit(_add, application, some) for some in (wanted[:half], wanted[half:])]
        yield
        for each in asked:
            each.result()


def _add(application: wiring.Application, some: tuple[str, ...]) -> None:
    add(application.desk, some, store=STORE, visible=EVERY, actor="bench")


def installed(application: wiring.Application) -> int:
    """Return how many certificates are installed. Asked rarely: it takes its time from what is measured."""
    time.sleep(0.2)
    with application.storage.read() as tx:
        return sum(
            row.state is State.INSTALLED and row.run_after is not None
            for row in tx.certificates.listing(STORE, 1000)
        )


def _first_wish(application: wiring.Application) -> datetime:
    with application.storage.read() as tx:
        return min(row.created_at for row in tx.certificates.listing(STORE, 1000))


def last_proof(application: wiring.Application) -> datetime:
    """Return when the last certificate was proved to be installed."""
    with application.storage.read() as tx:
        rows = tx.certificates.listing(STORE, 1000)
        histories = [tx.certificates.history(row.id) for row in rows]
    return max(
        happening.at
        for history in histories
        for happening in history
        if happening.what == Event.VERIFIED.value
    )
