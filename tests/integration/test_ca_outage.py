"""A CA that is down, and one whose limits are spent: attempts stop, people can read why, and all goes on by itself.

The CA is a pebble behind a proxy, the workers are certdesk's own; the clock alone is a test's, so that minutes pass at once.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.config import load
from bot.demo.parts.bind import Bind
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.process import wait_until
from bot.wiring import Application, build
from bot.workers import Workers
from services import overview
from services.issuance import adding
from services.model.clock import utc_now
from services.model.findings import Owner
from services.model.lifecycle import RESTING, State
from services.model.sight import EVERY
from services.model.status import NameStatus
from services.model.stores import Domain, Store, StoreStatus
from tests.children import desk_on
from tests.faults import acme_proxy as play
from tests.faults.acme_proxy import AcmeProxy

PATIENCE = 60.0
ZONE = "$TTL 60\n@ SOA ns1.moon.test. host.moon.test. 1 60 60 600 60\n@ NS ns1.moon.test.\n@ A 127.0.0.1\n* A 127.0.0.1\n"
DOWN = play.plain(503, "<html>maintenance</html>")


@dataclass
class Moving:
    """A clock that goes on, and can be put forward."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


@dataclass
class World:
    """certdesk with its workers, and the CA that a test lets fail."""

    application: Application
    proxy: AcmeProxy
    clock: Moving
    bind: Bind

    def names(self, count: int, word: str) -> list[str]:
        """Return names of as many new domains, hosted and added."""
        found = [f"shop.{word}{number}.test" for number in range(count)]
        with self.application.storage.write() as tx:
            tx.stores.put(Store("moon", StoreStatus.ACTIVE))
            for name in found:
                tx.stores.put_domain(Domain(name, "moon"))
        for name in found:
            self.bind.reload_zone(name.partition(".")[2], ZONE)
        return found

    def add(self, *names: str) -> None:
        """Ask for certificates."""
        adding.add(self.application.desk, names, store=None, visible=EVERY, actor="T1/U1")

    def status(self, name: str) -> NameStatus:
        """Return what /ssl status knows."""
        return overview.describe(self.application.desk, name, visible=EVERY)

    def states(self) -> list[State]:
        """Return the state of every certificate."""
        with self.application.storage.read() as tx:
            return [one.state for one in tx.certificates.listing(limit=100)]

    def waits(self, what: str, count: int = 1) -> None:
        """Wait until nothing is at work and so many certificates wait."""
        wait_until(
            lambda: self.states().count(State.BLOCKED) == count and set(self.states()) <= RESTING,
            PATIENCE,
            what,
        )

    def all_installed(self) -> bool:
        return set(self.states()) == {State.INSTALLED}

    def passing(self, until: Callable[[], bool], what: str) -> None:
        """Let half a minute pass at each look until something holds."""

        def holds() -> bool:
            found = until()
            if not found:
                self.clock.ahead += timedelta(seconds=30)
            return found

        wait_until(holds, PATIENCE, what)

    def alerts(self) -> list[tuple[str, str]]:
        """Return the open alerts: what is wrong with what."""
        with self.application.storage.read() as tx:
            return [(alert.code, alert.thing) for alert in tx.alerts.listing()]


@pytest.fixture
def proxy(pebble: Pebble, tmp_path: Path) -> Iterator[AcmeProxy]:
    with AcmeProxy(pebble.directory, pebble.ca_bundle, tmp_path / "proxy").running() as running:
        yield running


@pytest.fixture
def limits() -> dict[str, Any]:
    return {}


@pytest.fixture
def world(
    tmp_path: Path, bind: Bind, edge: Edge, pebble: Pebble, proxy: AcmeProxy, limits: dict[str, Any]
) -> Iterator[World]:
    desk = desk_on(tmp_path, bind, edge, pebble)
    ca = {"name": "ca-one", "directory": proxy.directory, "ca_bundle": str(proxy.ca_bundle), "limits": limits}
    desk.set(
        ACME__CAS=[ca],
        ACME__CHALLENGES=["dns-01"],
        PLATFORM__ADDRESSES=[],
        RENEWAL__LEASE_SECONDS="86400",  # longer than what a test lets pass while a step is under way
        RDAP__SERVERS={"*": ""},
        DEPLOY__TARGETS=[{"name": "files", "kind": "files", "directory": str(tmp_path / "files")}],
    )
    clock = Moving()
    with ExitStack() as stack:
        application = build(load(desk.environment, tmp_path), clock)
        stack.callback(application.close)
        workers = Workers(application, None)
        stack.callback(workers.stop)
        workers.start()
        yield World(application, proxy, clock, bind)


def test_a_ca_that_is_down_is_tried_by_one_at_a_time_and_all_go_on_when_it_is_back(world: World) -> None:
    names = world.names(6, "down")
    down = [True]
    world.proxy.fault("new_order", DOWN, times=None, when=lambda _: down[0])
    world.add(*names)
    world.waits("all six to wait for the CA", 6)
    for name in names:
        status = world.status(name)
        assert [f.code for f in status.findings if f.blocks] == ["ca.unavailable"]
        assert "one order at a time" in status.findings[0].summary.plain()
        assert status.next_attempt_at is not None
        assert status.next_attempt_at > world.clock()
        assert status.certificate is not None
        assert (status.certificate.failures, status.certificate.strikes) == (0, 0)
    asked = world.proxy.count("new_order")
    assert asked <= 6
    world.passing(lambda: world.proxy.count("new_order") > asked, "the first canary")
    world.waits("all to wait again", 6)
    seen = [("ca.unavailable", "ca-one")]
    world.passing(lambda: world.alerts() == seen, "one alert, when it has lasted for a while")
    tried = world.proxy.count("new_order")
    assert tried <= asked + 6
    down[0] = False
    world.passing(world.all_installed, "all six to be installed")
    assert world.proxy.count("new_order") == tried + 6
    wait_until(lambda: world.alerts() == [], PATIENCE, "the alert to heal")
    with world.application.storage.read() as tx:
        assert tx.breakers.all() == []


@pytest.mark.parametrize("limits", [{"orders": "2 per 1h"}])
def test_a_budget_that_is_spent_sends_nothing_to_the_ca_and_says_until_when(world: World) -> None:
    names = world.names(3, "budget")
    world.add(*names)
    wait_until(lambda: world.states().count(State.INSTALLED) == 2, PATIENCE, "two installed certificates")
    world.waits("the third to wait")
    assert world.proxy.count("new_order") == 2
    [waiting] = [status for name in names if (status := world.status(name)).state == "blocked"]
    [finding] = [f for f in waiting.findings if f.blocks]
    assert (finding.code, finding.evidence["limit"]) == ("ca.rate_limited", "orders")
    said = finding.summary.plain()
    assert "By our own count ca-one takes no further order" in said
    assert "2 in an hour" in said
    assert waiting.next_attempt_at is not None
    left = waiting.next_attempt_at - world.clock()
    assert timedelta(minutes=25) < left <= timedelta(minutes=30)
    world.passing(world.all_installed, "the third, when the budget has grown again")
    assert world.proxy.count("new_order") == 3


def test_a_refusal_with_retry_after_is_kept_until_then(world: World) -> None:
    [name] = world.names(1, "refused")
    refusal = play.problem(429, "rateLimited", "too many new orders recently", Retry_After="7200")
    world.proxy.fault("new_order", refusal)
    world.add(name)
    wait_until(lambda: world.states() == [State.FAILED], PATIENCE, "the refusal")
    status = world.status(name)
    [finding] = [f for f in status.findings if f.blocks]
    assert (finding.code, finding.owner) == ("ca.rate_limited", Owner.CA)
    assert "too many new orders recently" in finding.summary.plain()
    assert status.next_attempt_at is not None
    assert timedelta(hours=1, minutes=59) < status.next_attempt_at - world.clock() <= timedelta(hours=2)
    assert status.certificate is not None
    assert status.certificate.strikes == 0
    [other] = world.names(1, "other")
    world.add(other)
    world.waits("another one, which is not even sent")
    assert world.proxy.count("new_order") == 1
    assert "has said that its rate limit" in world.status(other).findings[0].summary.plain()
    world.passing(world.all_installed, "both, when the time has come")
