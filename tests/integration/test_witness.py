"""The proof of service of every day on the real edge: another certificate, a chain that lacks its CA's, and what is right again."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from bot.demo.parts.bind import Bind
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.process import wait_until
from services.deployment.installing import not_served
from services.deployment.proof import TlsProbe
from services.model.certificates import Revision
from services.model.clock import utc_now
from services.model.settings import Platform, Probing
from storage.database import Database
from tests.children import LOOPBACK, Desk, desk_on, imported
from tests.minted import Mint
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


class Shows(socketserver.ThreadingTCPServer):
    """Shakes hands at one address and one port with one certificate."""

    daemon_threads, allow_reuse_address = True, True

    def __init__(self, address: str, port: int, folder: Path) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / "fullchain.pem", folder / "privkey.pem")
        super().__init__((address, port), socketserver.BaseRequestHandler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        with suppress(OSError), self._context.wrap_socket(request, server_side=True):
            pass


@contextmanager
def showing(folder: Path, address: str, port: int, revision: Revision, key: str) -> Iterator[int]:
    place = folder / revision.id
    place.mkdir(exist_ok=True)
    (place / "fullchain.pem").write_text(revision.chain or "")
    (place / "privkey.pem").write_text(key)
    with Shows(address, port, place) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


def test_every_edge_address_is_looked_at_whichever_family_it_is_of(tmp_path: Path) -> None:
    mint = Mint()
    old, new = mint.revision("moon.test"), mint.revision("moon.test")
    (tmp_path / "root.pem").write_text(mint.root)
    addresses = ("127.0.0.1", "127.0.0.2", "::1", "127.0.0.3")
    with (
        showing(tmp_path, "127.0.0.1", 0, *new) as port,
        showing(tmp_path, "127.0.0.2", port, *old),
        showing(tmp_path, "::1", port, *old),
    ):
        platform = Platform(addresses=tuple(ip_address(one) for one in addresses))
        probe = TlsProbe(platform, Probing(https_port=port, ca_bundle=tmp_path / "root.pem"))
        looked = probe.served("moon.test", new[0].chain or "")
    serials = (new[0].serial, old[0].serial, old[0].serial, None)
    assert [(one.address, one.serial) for one in looked] == list(zip(addresses, serials, strict=True))
    assert [one.trusted for one in looked] == [True, True, True, None]
    wrong = [one for one in looked if one.serial != new[0].serial]
    said = not_served(wrong, new[0], utc_now()).summary.plain()
    assert f"The edge at 127.0.0.2, ::1 serves serial {old[0].serial} for moon.test" in said
    assert "The edge at 127.0.0.3 does not answer (Connection refused)" in said


def why(desk: Desk) -> str:
    found = seen(desk)
    return str(found[0]["evidence"]["found"][0]["why"]) if found else ""
