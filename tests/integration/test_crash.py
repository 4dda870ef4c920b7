"""Workers that are killed: another one goes on from the saved step, with the same key, CSR and order; none is issued twice."""

import json
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bot.demo.parts.bind import Bind
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.postgres import Postgres
from bot.demo.parts.process import Running, wait_until
from services.model.certificates import Certificate, Happening, Revision
from services.model.lifecycle import State
from storage.database import Database
from tests.children import Desk, desk_on, imported
from tests.parts import STORE

PATIENCE = 60.0


@pytest.fixture
def desk(tmp_path: Path, bind: Bind, edge: Edge, pebble: Pebble) -> Desk:
    """Give a certdesk whose leases end soon, with http-01 answered by whichever process serves."""
    made = desk_on(tmp_path, bind, edge, pebble)
    made.set(
        RENEWAL__LEASE_SECONDS="5",
        ACME__CHALLENGES=["http-01"],
    )
    return imported(made)


@contextmanager
def opened(desk: Desk) -> Iterator[Database]:
    storage = Database.open(desk.environment["CERTDESK_DATABASE__URL"])
    try:
        yield storage
    finally:
        storage.close()


def the_one(storage: Database) -> tuple[Certificate, list[Revision], list[Happening]]:
    with storage.read() as tx:
        [one] = tx.certificates.listing()
        return one, list(tx.certificates.revisions(one.id)), list(tx.certificates.history(one.id))


def killed_once(running: Running, storage: Database, there: Callable[[Certificate], bool]) -> None:
    """Kill the worker as soon as ``there`` says so of the certificate: no warning, no clean-up."""
    wait_until(lambda: there(the_one(storage)[0]), PATIENCE, "the step to die in")
    running.signal(signal.SIGKILL)
    wait_until(lambda: not running.alive, PATIENCE, "the worker's end")


def installed(storage: Database) -> bool:
    return the_one(storage)[0].state is State.INSTALLED


STEPS = (State.ORDERING, State.VALIDATING, State.COLLECTING, State.DEPLOYING)
"""Where a death is seen often enough to aim at; every single write has its turn in tests/unit/test_steps_crash.py."""


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_a_step_is_followed_by_one_that_goes_on_from_there(
    desk: Desk, step: State
) -> None:
    reached = STEPS[STEPS.index(step) :]
    with opened(desk) as storage:
        assert desk.one("add", STORE)["state"] == "checking"
        with desk.start("serve"):
            killed_once(desk.start("work", 1), storage, lambda one: one.state in reached or one.resting)
            before, drafts, _ = the_one(storage)
            with desk.start("work", 2):
                wait_until(lambda: installed(storage), PATIENCE, "the installed certificate")
        one, revisions, history = the_one(storage)
    _same_work(before, drafts, one, revisions, history)


def test_workers_killed_at_random_moments_end_installed(desk: Desk) -> None:
    chance = random.SystemRandom()
    with opened(desk) as storage, desk.start("serve"):
        desk.one("add", STORE)
        for number in range(4):
            worker = desk.start("work", number)
            threading.Event().wait(chance.uniform(0.6, 2.5))  # somewhere in its start or in a step
            worker.signal(signal.SIGKILL)
            worker.stop()
        with desk.start("work", 9):
            wait_until(lambda: installed(storage), PATIENCE, "the installed certificate")
        one, revisions, history = the_one(storage)
    assert [r.id for r in revisions if r.chain] == [one.installed]
    assert len(revisions) == 1
    assert Counter(row.what for row in history)["issued"] == 1


def _same_work(
    before: Certificate,
    drafts: list[Revision],
    one: Certificate,
    revisions: list[Revision],
    history: list[Happening],
) -> None:
    happened = Counter(row.what for row in history)
    assert happened["csr_made"] == happened["issued"] == 1
    assert happened["order_placed"] == 1
    [revision] = revisions
    assert one.installed == revision.id
    if drafts:
        [draft] = drafts
        assert (draft.id, draft.csr, draft.sealed_key) == (revision.id, revision.csr, revision.sealed_key)
        if draft.order_url is not None:
            assert draft.order_url == revision.order_url
    assert one.state is State.INSTALLED
    assert one.failures == 0
    assert before.id == one.id


def test_a_worker_asked_to_stop_ends_its_step_and_gives_the_row_back(desk: Desk) -> None:
    with opened(desk) as storage, desk.start("serve"):
        desk.one("add", STORE)
        worker = desk.start("work", 1)
        wait_until(lambda: the_one(storage)[0].state is not State.CHECKING, PATIENCE, "the first step")
        worker.signal(signal.SIGTERM)
        wait_until(lambda: not worker.alive, PATIENCE, "the worker's end")
        one, _, _ = the_one(storage)
        assert one.lease_until is None
        with desk.start("work", 2):
            wait_until(lambda: installed(storage), PATIENCE, "the installed certificate")
        assert len(the_one(storage)[1]) == 1


def test_two_workers_share_twenty_certificates_on_postgresql_and_none_is_issued_twice(
    tmp_path: Path, bind: Bind, edge: Edge, pebble: Pebble, postgres: Postgres
) -> None:
    desk = desk_on(tmp_path, bind, edge, pebble)
    desk.set(
        DATABASE__URL=postgres.new_database(),
        DEPLOY__TARGETS=[{"name": "files", "kind": "files", "directory": str(tmp_path / "files")}],
        ACME__CHALLENGES=["dns-01"],
        RENEWAL__WORKERS="4",
        LOG__FORMAT="json",
    )
    zone = "$TTL 60\n@ SOA ns1.moon.test. host.moon.test. 1 60 60 600 60\n@ NS ns1.moon.test.\n@ A 127.0.0.1\n* A 127.0.0.1\n"
    names = [f"shop.many{number}.test" for number in range(20)]
    rows = "".join(f"moon,active,en,{name},false\n" for name in names)
    (tmp_path / "stores.csv").write_text("store,status,locale,domain,default\n" + rows)
    for name in names:
        bind.reload_zone(name.partition(".")[2], zone)
    assert desk.run("migrate").returncode == 0
    assert desk.run("stores", "import", str(tmp_path / "stores.csv")).returncode == 0
    with ExitStack() as stack:
        stack.enter_context(desk.start("serve"))
        storage = stack.enter_context(opened(desk))
        code, data = desk.ssl("add", *names)
        assert code == 0
        assert len(data["certificates"]) == 20
        logs = [stack.enter_context(desk.start("work", number)).log for number in (1, 2)]

        def settled() -> bool:
            with storage.read() as tx:
                return all(one.state is State.INSTALLED for one in tx.certificates.listing(limit=30))

        wait_until(settled, 120, "twenty installed certificates")
        with storage.read() as tx:
            every = tx.certificates.listing(limit=30)
            revisions = [tx.certificates.revisions(one.id) for one in every]
            happened = [Counter(row.what for row in tx.certificates.history(one.id)) for one in every]
    assert [len(some) for some in revisions] == [1] * 20
    assert all(each["order_placed"] == each["issued"] == 1 for each in happened)
    shares = [
        sum(json.loads(line)["event"] == "issued" for line in log.read_text().splitlines() if line[:1] == "{")
        for log in logs
    ]
    assert sum(shares) == 20
    assert min(shares) > 0, "one worker did everything"
