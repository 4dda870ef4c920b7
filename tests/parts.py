"""Fixtures that start the real parts: lazily, once a session, on free loopback ports, joined to one small world.

`pebble` asks `bind` for names and validates at `edge`, which forwards challenges to `edge.upstream`, where a test
lets certdesk listen. A part that cannot be had fails the run with a sentence that names it; nothing is skipped.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from bot.demo.parts import chromium, fetch, nginx
from bot.demo.parts.bind import Bind
from bot.demo.parts.errors import PartError, PartMissing
from bot.demo.parts.local_slack import LocalSlack
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.postgres import Postgres
from bot.demo.parts.process import free_port

ZONE = """$TTL 60
@ SOA ns1.moon.test. hostmaster.moon.test. 1 60 60 600 60
@ NS ns1.moon.test.
@ A 127.0.0.1
ns1 A 127.0.0.1
shop A 127.0.0.1
*.wild A 127.0.0.1
"""
STORE = "shop.moon.test"


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Let a part's one sentence be what the run reports."""
    try:
        yield
    except PartError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    with _told():
        part = Bind.start(tmp_path_factory.mktemp("bind"), {"moon.test": ZONE})
    with part:
        yield part


@pytest.fixture(scope="session")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    folder = tmp_path_factory.mktemp("edge")
    with _told():
        part = Edge.start(
            folder,
            free_port(),
            free_port(),
            certificates=folder / "certificates",
            stores={STORE: nginx.store_page("Moon"), "*.wild.moon.test": nginx.store_page("Wild Moon")},
            upstream=f"127.0.0.1:{free_port()}",
        )
    with part:
        yield part


@pytest.fixture(scope="session")
def pebble(tmp_path_factory: pytest.TempPathFactory, bind: Bind, edge: Edge) -> Iterator[Pebble]:
    with _told():
        part = Pebble.start(
            tmp_path_factory.mktemp("pebble"),
            dns_server=f"{bind.addresses[0]}:{bind.port}",
            http_port=edge.http_port,
            tls_port=edge.https_port,
        )
    with part:
        yield part


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with _told():
        part = Postgres.start(tmp_path_factory.mktemp("postgres"))
    with part:
        yield part


@pytest.fixture(scope="session")
def local_slack_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSlack]:
    with _told():
        url = f"http://127.0.0.1:{free_port()}/slack/events"
        part = LocalSlack.start(tmp_path_factory.mktemp("slack"), request_url=url)
    with part:
        yield part


@pytest.fixture
def local_slack(local_slack_session: LocalSlack) -> LocalSlack:
    """Give the workspace, emptied; it sends to `request_url`, where a test listens."""
    local_slack_session.reset()
    return local_slack_session


@dataclass(frozen=True)
class Tool:
    """A program of the system, and the variables it needs where it was unpacked."""

    path: Path
    variables: dict[str, str]


@pytest.fixture(scope="session")
def tool(request: pytest.FixtureRequest) -> Tool:
    """Give the program of this name: the one on the PATH, else Debian's, unpacked."""
    name = str(request.param)
    if found := fetch.program(name):
        return Tool(found, {})
    with _told():
        root = fetch.debian([name])
        if found := fetch.program(name, root):
            return Tool(found, {"LD_LIBRARY_PATH": fetch.library_path(root)})
        raise PartMissing(name, f"its package holds no {name}", f"install {name}")


@pytest.fixture(scope="session")
def chromium_browser() -> Iterator[Browser]:
    with contextlib.ExitStack() as stack:
        with _told():
            browser = stack.enter_context(chromium.browser())
        yield browser


@pytest.fixture
def chromium_page(chromium_browser: Browser) -> Iterator[Page]:
    """Give a page in a profile of its own."""
    with chromium_browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        yield context.new_page()
