"""Revocation at a real pebble: by the account and by the key, replaced first or at once, and after a kill -9 between steps."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.demo.parts.bind import Bind
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.process import wait_until
from services.issuance.acme.errors import short
from services.issuance.chain import read_chain
from services.issuance.csr import spki_hash
from services.issuance.responders import Http01
from services.model.clock import utc_now
from services.model.errors import CaError
from services.model.revoking import Revocation, Stage
from storage.database import Database
from storage.memory import MemoryStorage
from tests.children import Desk, desk_on, imported, served
from tests.faults.acme_world import adapter, challenge_server, issue
from tests.parts import STORE

PATIENCE = 60.0
NAME = "a.wild.moon.test"


def revoked(pebble: Pebble, serial: str) -> bool:
    return pebble.certificate_status(serial)["Status"] == "Revoked"


def test_an_account_revokes_what_it_has_ordered_and_again_is_harmless(pebble: Pebble, edge: Edge) -> None:
    storage = MemoryStorage()
    with (
        challenge_server(storage, int(edge.upstream.rpartition(":")[2])),
        adapter(pebble.directory, pebble.ca_bundle, storage) as ca,
    ):
        chain = issue(ca, [NAME], Http01(storage, utc_now)).chain
        serial = read_chain(chain).serial
        assert not revoked(pebble, serial)
        assert ca.revoke(chain, 4)
        assert revoked(pebble, serial)
        assert pebble.certificate_status(serial)["Reason"] == 4
        assert not ca.revoke(chain, 4)
        info = ca.renewal_info(chain)  # what is revoked is to be replaced at once: RFC 9773 §4.2
        assert info is not None
        assert info.window.end <= utc_now()


def test_another_account_may_not_but_the_key_of_the_certificate_may(pebble: Pebble, edge: Edge) -> None:
    storage = MemoryStorage()
    with (
        challenge_server(storage, int(edge.upstream.rpartition(":")[2])),
        adapter(pebble.directory, pebble.ca_bundle, storage) as ca,
        adapter(pebble.directory, pebble.ca_bundle, MemoryStorage()) as stranger,
    ):
        issued = issue(ca, [NAME], Http01(storage, utc_now))
        serial = read_chain(issued.chain).serial
        with pytest.raises(CaError) as refused:
            stranger.revoke(issued.chain, 1)
        assert short(refused.value.type) == "unauthorized"
        assert not revoked(pebble, serial)
        assert stranger.revoke(issued.chain, 1, issued.key)
        assert revoked(pebble, serial)
        assert not stranger.revoke(issued.chain, 1, issued.key)


@pytest.fixture
def desk(tmp_path: Path, bind: Bind, edge: Edge, pebble: Pebble) -> Desk:
    made = desk_on(tmp_path, bind, edge, pebble)
    made.set(RENEWAL__LEASE_SECONDS="5", ACME__CHALLENGES=["http-01"])
    return imported(made)


@contextmanager
def opened(desk: Desk) -> Iterator[Database]:
    storage = Database.open(desk.environment["CERTDESK_DATABASE__URL"])
    try:
        yield storage
    finally:
        storage.close()


def the_one(storage: Database) -> Revocation:
    with storage.read() as tx:
        [row] = tx.certificates.listing()
        [found] = tx.revocations.of(row.id)
    return found


def ended(storage: Database) -> bool:
    with storage.read() as tx:
        [row] = tx.certificates.listing()
        [found] = tx.revocations.of(row.id)
    return found.stage is Stage.DONE and row.installed != found.revision and row.revocation is None


@pytest.mark.parametrize("reason", ["superseded", "keyCompromise"])
def test_the_serial_is_revoked_at_the_ca_and_another_one_is_served(
    desk: Desk, pebble: Pebble, edge: Edge, reason: str
) -> None:
    with desk.start("run"), opened(desk) as storage:
        serial = desk.one("add", STORE, "--wait")["serial"]
        code, data = desk.ssl("revoke", STORE, "--reason", reason)
        assert (code, data["revocation"]["serial"]) == (0, serial)
        wait_until(lambda: ended(storage), PATIENCE, "the revocation")
        assert revoked(pebble, serial)
        status = desk.status(STORE)
        assert status["serial"] != serial
        assert (status["state"], status["findings"]) == ("installed", [])
        assert served(edge, STORE, desk.folder / "root.pem") == status["serial"]
        assert not revoked(pebble, status["serial"])
        assert [one["stage"] for one in status["revocations"]] == ["done"]
        with storage.read() as tx:
            old = tx.certificates.revision(the_one(storage).revision)
            assert old is not None
            barred = tx.revocations.barred([spki_hash(old.csr)])
        assert bool(barred) is (reason == "keyCompromise")
    history = desk.run("ssl", "history", STORE).stdout
    assert "Revocation begun" in history
    assert "Revoked at the CA" in history


@pytest.mark.parametrize("stage", [Stage.REPLACING, Stage.REVOKING])
def test_a_worker_that_is_killed_in_between_is_followed_by_one_that_ends_it(
    desk: Desk, pebble: Pebble, stage: Stage
) -> None:
    with opened(desk) as storage, desk.start("serve"):
        with desk.start("work", 1):
            serial = desk.one("add", STORE, "--wait")["serial"]
        reason = "superseded" if stage is Stage.REPLACING else "keyCompromise"
        desk.ssl("revoke", STORE, "--reason", reason)
        with desk.start("work", 2) as worker:
            wait_until(lambda: the_one(storage).fence > 0, PATIENCE, "the first claim")
            worker.signal(signal.SIGKILL)
            wait_until(lambda: not worker.alive, PATIENCE, "the worker's end")
        with desk.start("work", 3):
            wait_until(lambda: ended(storage), 3 * PATIENCE, "the revocation")
        assert revoked(pebble, serial)
