"""Shoppers while certificates are renewed: no handshake fails, and none shows another certificate than that of the moment."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.demo.parts.bind import Bind
from bot.demo.parts.caddy import Caddy
from bot.demo.parts.errors import PartMissing
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.process import free_port, wait_until
from tests.children import Desk, desk_on, imported
from tests.handshakes import Deployed, Handshake, Load, context, seen
from tests.haproxy_world import HaproxyWorld
from tests.minted import Mint
from tests.parts import STORE
from tests.serving import NAME, SERVERS, TOKEN, Serving, caddyfile

RATE, PACED, IN_A_ROW = 100.0, 5, 60
"""Handshakes a second that are asked for; on a machine that is busy fewer come about (`./certdesk bench handshakes`: 200)."""
LEAST = 100
"""Handshakes below which a test has shown nothing."""


@pytest.fixture(params=list(SERVERS))
def serving(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Serving]:
    with ExitStack() as stack:
        try:
            yield stack.enter_context(SERVERS[request.param](tmp_path))
        except PartMissing as missing:
            pytest.fail(str(missing), pytrace=False)


def test_no_handshake_fails_while_certificates_are_renewed(serving: Serving) -> None:
    deployed = [serving.renew()]
    with Load(context(serving.mint.root), serving.port, NAME, RATE) as load:
        for _ in range(PACED):
            already = len(load.shown)
            wait_until(lambda already=already: len(load.shown) >= already + 10, 30, "ten handshakes")  # type: ignore[misc]
            deployed.append(serving.renew())
        paced = {one.serial for one in deployed[:-1]}
        deployed += [serving.renew() for _ in range(IN_A_ROW)]
        last = len(load.shown)
        wait_until(lambda: len(load.shown) >= max(last + 10, LEAST), 30, "handshakes after the last one")
    assert load.failed == []
    assert load.wrong(deployed, serving.lag) == []
    assert paced | {deployed[-1].serial} <= set(load.serials) <= {one.serial for one in deployed}


def test_a_load_counts_what_fails_and_knows_what_is_wrong() -> None:
    """The instrument itself: nobody listens, and handshakes that showed the certificate of another moment."""
    port = free_port()
    with Load(context(Mint().root), port, NAME, 100.0, threads=2) as load:
        wait_until(lambda: len(load.failed) >= 5, 10, "five failures")
    assert not load.shown
    assert "ConnectionRefusedError" in load.failed[0]
    deployed = [Deployed("a", 0.0, 1.0), Deployed("b", 5.0, 6.0), Deployed("c", 9.0, 9.1)]
    right = [
        (1.5, 1.6, "a"),
        (4.9, 5.1, "a"),
        (4.9, 5.1, "b"),
        (5.5, 5.6, "a"),
        (6.1, 6.2, "b"),
        (9.5, 9.6, "c"),
    ]
    wrong = [(1.5, 1.6, "b"), (6.1, 6.2, "a"), (8.0, 8.5, "c"), (9.5, 9.6, "b"), (9.5, 9.6, "x")]
    load.shown = [Handshake(*one) for one in right]
    assert load.wrong(deployed) == []
    load.shown = [Handshake(*one) for one in wrong]
    assert len(load.wrong(deployed)) == len(wrong)
    assert len(load.wrong(deployed, lag=1.0)) == len(wrong) - 2


class Everywhere:
    """certdesk with a target of each kind that serves, and the server of each."""

    def __init__(self, desk: Desk, ports: dict[str, int]) -> None:
        self.desk, self.ports = desk, ports


@pytest.fixture
def everywhere(tmp_path: Path, bind: Bind, edge: Edge, pebble: Pebble) -> Iterator[Everywhere]:
    desk = imported(desk_on(tmp_path / "desk", bind, edge, pebble))
    balancer, asking, asked = HaproxyWorld(tmp_path), free_port(), free_port()
    (tmp_path / "token").write_text(TOKEN)
    desk.set(
        DEPLOY__TARGETS=[
            {"name": "files", "directory": str(edge.certificates)},
            {
                "name": "balancer",
                "kind": "haproxy",
                "socket": str(tmp_path / "admin.sock"),
                "directory": str(tmp_path / "haproxy"),
            },
            {
                "name": "asked",
                "kind": "http",
                "listen": f"127.0.0.1:{asked}",
                "token_file": str(tmp_path / "token"),
            },
        ]
    )
    ports = {"nginx": edge.https_port, "HAProxy": balancer.https_port, "Caddy": asking}
    with ExitStack() as stack:
        stack.callback(balancer.stop)
        stack.enter_context(desk.start("run"))
        stack.enter_context(Caddy.start(tmp_path, asking, caddyfile(asking, asked)))
        yield Everywhere(desk, ports)


def test_a_renewal_reaches_nginx_haproxy_and_caddy_and_no_shopper_notices(
    everywhere: Everywhere, pebble: Pebble
) -> None:
    trusting = context(pebble.root())
    first = everywhere.desk.one("add", STORE, "--wait")["serial"]
    with ExitStack() as stack:
        loads = {
            server: stack.enter_context(Load(trusting, port, STORE, 40.0, threads=3))
            for server, port in everywhere.ports.items()
        }
        wait_until(lambda: all(len(load.shown) >= 20 for load in loads.values()), 60, "the first handshakes")
        second = everywhere.desk.one("renew", STORE, "--wait")["serial"]
        renewed = time.monotonic()
        wait_until(
            lambda: all(load.shown[-1].began > renewed + 0.5 for load in loads.values()),
            60,
            "handshakes after the renewal",
        )
    assert second != first
    for server, load in loads.items():
        assert load.failed == [], server
        assert set(load.serials) == {first, second}, server
        late = {one.serial for one in load.shown if one.began > renewed}
        assert late == {second}, server
        assert seen(trusting, everywhere.ports[server], STORE) == second
