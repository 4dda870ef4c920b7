"""The proof of service of every day on the real edge: another certificate, a chain that lacks its CA's, and what is right again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.demo.parts.bind import Bind
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.process import wait_until
from services.model.clock import utc_now
from storage.database import Database
from tests.children import LOOPBACK, Desk, desk_on, imported
from tests.parts import STORE

PATIENCE = 60.0
CODE = "deploy.not_served"


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


def seen(desk: Desk) -> list[dict[str, Any]]:
    """Return what the last look found at the edge."""
    return [f for f in desk.status(STORE)["findings"] if f["code"] == CODE]


def after_a_look(desk: Desk, storage: Database, holds: Callable[[], bool]) -> None:
    """Bring the day's look forward, and wait for what it saw."""
    with storage.write() as tx:
        [row] = tx.certificates.listing()
        tx.watches.plan(row.id, utc_now())
    wait_until(holds, PATIENCE, "the look at the edge")


def test_what_the_edge_serves_instead_is_seen_named_and_over_when_it_is_right_again(
    desk: Desk, edge: Edge
) -> None:
    with desk.start("run"), opened(desk) as storage:
        serial = desk.one("add", STORE, "--wait")["serial"]
        place = edge.certificates / STORE
        right = place.readlink()

        def put(where: Path) -> None:
            place.unlink()
            place.symlink_to(where)

        put(edge.folder / "self-signed" / "any")
        after_a_look(desk, storage, lambda: bool(seen(desk)))
        [found] = seen(desk)
        [one] = found["evidence"]["found"]
        assert (one["why"], one["address"], found["evidence"]["required"]) == ("foreign", LOOPBACK, serial)
        assert "self-signed" in found["summary"]
        assert one["protocol"] in {"TLSv1.2", "TLSv1.3"}
        status = desk.status(STORE)
        assert (status["state"], status["serial"]) == ("installed", serial)
        assert status["label"] == "Installed, but the edge does not serve it"

        bare = desk.folder / "bare"
        bare.mkdir()
        source = edge.certificates / right
        leaf, mark, _ = (source / "fullchain.pem").read_text().partition("-----END CERTIFICATE-----\n")
        (bare / "fullchain.pem").write_text(leaf + mark)
        (bare / "privkey.pem").write_bytes((source / "privkey.pem").read_bytes())
        put(bare)
        after_a_look(desk, storage, lambda: why(desk) == "incomplete")

        put(right)
        after_a_look(desk, storage, lambda: not seen(desk))
        assert desk.status(STORE)["label"] == "Installed"


def why(desk: Desk) -> str:
    found = seen(desk)
    return str(found[0]["evidence"]["found"][0]["why"]) if found else ""
