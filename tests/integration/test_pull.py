"""A pull target over real processes and databases, and Caddy as docs/targets.md sets it up."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bot.demo.parts.caddy import Caddy
from bot.demo.parts.errors import PartMissing
from bot.demo.parts.postgres import Postgres
from bot.demo.parts.process import free_port, wait_until
from bot.pull import PullListener
from services.deployment.answers import Answers
from services.deployment.pull import PullSettings
from storage.database import Database
from storage.vault import Vault, new_key, parse_key
from tests.children import Desk
from tests.handshakes import context, seen
from tests.serving import TOKEN, caddyfile
from tests.unit.pull_world import TARGET, PullWorld, ask


@pytest.fixture
def world() -> PullWorld:
    return PullWorld()


@pytest.fixture
def listener(world: PullWorld, tmp_path: Path) -> Iterator[PullListener]:
    (tmp_path / "token").write_text(TOKEN)
    settings = PullSettings("127.0.0.1:0", token_file=tmp_path / "token")
    made = PullListener(TARGET, settings, Answers(TARGET, world.storage, world.vault, time.monotonic))
    made.start()
    yield made
    made.stop()


def test_caddy_serves_what_it_asks_for(world: PullWorld, listener: PullListener, tmp_path: Path) -> None:
    world.published("moon.test", "*.moon.test")
    port = free_port()
    try:
        caddy = Caddy.start(tmp_path, port, caddyfile(port, listener.port))
    except PartMissing as missing:
        pytest.fail(str(missing), pytrace=False)
    trusting = context(world.mint.root)
    with caddy:
        first = seen(trusting, port, "moon.test")
        assert seen(trusting, port, "any.moon.test") == first == world.target.current("moon.test")
        with pytest.raises(OSError, match="alert"):
            seen(trusting, port, "sun.test")
        world.published("moon.test")
        now = world.target.current("moon.test")
        assert now != first
        wait_until(lambda: seen(trusting, port, "moon.test") == now, 5, "the renewal at Caddy")
        assert seen(trusting, port, "any.moon.test") == first


def test_a_process_that_serves_answers_with_what_another_one_published(tmp_path: Path) -> None:
    desk, port, token = Desk(tmp_path), free_port(), tmp_path / "token"
    token.write_text(TOKEN)
    (tmp_path / "app.yaml").write_text("log: {format: text}\n")
    url, key = f"sqlite:///{tmp_path / 'certdesk.db'}", new_key()
    desk.set(
        DATABASE__URL=url,
        VAULT__KEY=key,
        HTTP__LISTEN=f"127.0.0.1:{free_port()}",
        DEPLOY__TARGETS=[
            {"name": TARGET, "kind": "http", "listen": f"127.0.0.1:{port}", "token_file": str(token)}
        ],
    )
    with desk.start("run"):
        storage = Database.open(url)
        world = PullWorld(storage, Vault((parse_key(key),)))
        for _ in range(3):
            expected = world.published("moon.test")
            wait_until(partial(answers, port, expected), 5, "the answer of the other process")
        assert ask_at(port, "moon.test", "wrong-token-of-length")[0] == 401
        storage.close()


def ask_at(port: int, name: str, token: str = TOKEN) -> tuple[int, bytes]:
    return ask(port, name, Authorization=f"Bearer {token}")


def answers(port: int, expected: bytes) -> bool:
    return ask_at(port, "moon.test") == (200, expected)


def test_on_postgresql_another_machines_listener_sees_it_too(postgres: Postgres) -> None:
    url = postgres.new_database()
    here, there = Database.open(url, migrate=True), Database.open(url)
    world = PullWorld(here)
    listener = PullListener(
        TARGET, PullSettings("127.0.0.1:0"), Answers(TARGET, there, world.vault, time.monotonic)
    )
    listener.start()
    try:
        for _ in range(3):
            expected = world.published("moon.test")
            wait_until(lambda expected=expected: ask(listener.port, "moon.test")[1] == expected, 5, "it")  # type: ignore[misc]
    finally:
        listener.stop()
        here.close()
        there.close()
