"""A job for many names on real parts: its worker is killed in the middle, and another one goes on to the end."""

import json
import signal
from contextlib import closing
from pathlib import Path

import pytest

from bot.demo.parts.bind import Bind
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.process import wait_until
from services.model.jobs import Counts, Job, JobState
from storage.database import Database
from tests.children import Desk, desk_on, imported
from tests.parts import STORE

PATIENCE = 120.0
NAMES = (STORE, *(f"{letter}.wild.moon.test" for letter in "abcdef"))
"""More than are at work at once; all of them come into one certificate, which grows while it is at work."""


@pytest.fixture
def desk(tmp_path: Path, bind: Bind, edge: Edge, pebble: Pebble) -> Desk:
    """Give a certdesk whose leases end soon, and a store with all the names."""
    made = desk_on(tmp_path, bind, edge, pebble)
    rows = "".join(f"moon,active,ko-KR,{name},false\n" for name in NAMES)
    (made.folder / "stores.csv").write_text(f"store,status,locale,domain,default\n{rows}")
    (made.folder / "names.csv").write_text("store,name\n" + "".join(f"moon,{name}\n" for name in NAMES))
    made.set(RENEWAL__LEASE_SECONDS="5", ACME__CHALLENGES=["http-01"])
    return imported(made)


def state(storage: Database, job: str) -> tuple[Job, Counts]:
    with storage.read() as tx:
        found = tx.jobs.get(job)
        assert found is not None
        return found, tx.jobs.counts(job)


def test_a_list_is_worked_off_though_its_worker_is_killed(desk: Desk) -> None:
    with closing(Database.open(desk.environment["CERTDESK_DATABASE__URL"])) as storage:
        done = desk.run("ssl", "add", "--file", str(desk.folder / "names.csv"), "--json")
        assert done.returncode == 0, done.stderr
        job = json.loads(done.stdout)["job"]
        assert state(storage, job)[1] == Counts(waiting=len(NAMES))
        with desk.start("serve"):
            first = desk.start("work", 1)
            wait_until(lambda: state(storage, job)[1].begun > 0, PATIENCE, "the first names to be begun")
            first.signal(signal.SIGKILL)
            wait_until(lambda: not first.alive, PATIENCE, "the worker's end")
            assert not state(storage, job)[0].over
            with desk.start("work", 2):
                wait_until(lambda: state(storage, job)[0].over, PATIENCE, "the end of the job")
        found, counts = state(storage, job)
        # the test's edge has no page for each of the names, which the proof sees: then an item is not done
        assert (found.state, counts.finished, counts.left) == (JobState.DONE, len(NAMES), 0)
        with storage.read() as tx:
            [certificate] = tx.certificates.listing()
            revision = tx.certificates.revision(certificate.installed or "")
        assert certificate.wanted == tuple(sorted(NAMES))
        assert revision is not None
        assert set(revision.names) == set(NAMES)


def test_a_list_with_a_wrong_line_does_nothing(desk: Desk) -> None:
    (desk.folder / "names.csv").write_text(f"{STORE}\nother.test\n")
    code, data = desk.ssl("add", "--file", str(desk.folder / "names.csv"))
    assert code == 1
    assert [one["line"] for one in data["lines"]] == [2]
    with closing(Database.open(desk.environment["CERTDESK_DATABASE__URL"])) as storage, storage.read() as tx:
        assert not tx.certificates.listing()
