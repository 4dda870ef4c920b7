"""/ssl rollback on real parts: issued, renewed, rolled back, the edge serves the earlier one, and renewal waits until a person ends that."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.demo.parts.bind import Bind
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.process import wait_until
from storage.database import Database
from tests.children import Desk, desk_on, imported, served
from tests.parts import STORE

PATIENCE = 60.0
NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def desk(tmp_path: Path, bind: Bind, edge: Edge, pebble: Pebble) -> Desk:
    return imported(desk_on(tmp_path, bind, edge, pebble))


@contextmanager
def opened(desk: Desk) -> Iterator[Database]:
    storage = Database.open(desk.environment["CERTDESK_DATABASE__URL"])
    try:
        yield storage
    finally:
        storage.close()


def chain_of(desk: Desk, serial: str) -> str:
    with opened(desk) as storage, storage.read() as tx:
        [row] = tx.certificates.listing()
        [chain] = [one.chain for one in tx.certificates.revisions(row.id) if one.serial == serial]
    assert chain is not None
    return chain


def resting(desk: Desk) -> dict[str, Any]:
    status = desk.status(STORE)
    return status if status["state"] == "installed" else {"serial": ""}


def test_the_edge_serves_the_one_before_and_renewal_waits_until_a_person_renews(
    desk: Desk, edge: Edge, pebble: Pebble
) -> None:
    root = desk.folder / "root.pem"

    def at_the_edge() -> str:
        return served(edge, STORE, root)

    with desk.start("run"):
        first = desk.one("add", STORE, "--wait")["serial"]
        second = desk.one("renew", STORE, "--wait")["serial"]
        assert len({first, second}) == 2
        assert at_the_edge() == second

        # without the hold the one before would be renewed at once: its CA's window (RFC 9773) is over
        pebble.set_renewal_info(chain_of(desk, first), NOW - 2 * HOUR, NOW - HOUR, "https://status.test/")
        code, data = desk.ssl("rollback", STORE)
        assert (code, data["rollback"]["in_place_of"]) == (0, second)
        wait_until(lambda: resting(desk)["serial"] == first, PATIENCE, "the roll-back's end")
        status = desk.status(STORE)
        assert (at_the_edge(), status["findings"]) == (first, [])
        assert status["rollback"]["in_place_of"] == second
        again_from = datetime.fromisoformat(status["rollback"]["renews_again_from"])
        assert again_from > NOW + timedelta(days=2)
        with opened(desk) as storage, storage.read() as tx:
            [row] = tx.certificates.listing()
        assert row.window is not None
        assert row.window.end < NOW
        assert row.renew_at is not None
        assert row.renew_at.replace(microsecond=0) == again_from

        third = desk.one("renew", STORE, "--wait")["serial"]
        assert third not in {first, second}
        assert at_the_edge() == third
        assert "rollback" not in desk.status(STORE)
    assert desk.ssl("rollback", STORE)[0] == 0
    history = desk.run("ssl", "history", STORE).stdout
    assert "Rolled back to the certificate before" in history
