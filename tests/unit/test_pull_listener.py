"""The listener of a pull target: who may not ask gets no key, whatever is sent; and what is answered is of this moment."""

import gc
import http.client
import os
import re
import socket
import ssl
import stat
import threading
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from time import monotonic

import pytest

from bot.config import ConfigurationError
from bot.demo.parts import tls
from bot.demo.parts.process import free_port, wait_until
from bot.pull import PullListener
from services.deployment.answers import Answers
from services.deployment.pull import PullSettings
from tests.unit.pull_world import TARGET, Breakable, PullWorld, UnixConnection, ask

TOKEN = "a-token-of-some-length"


@pytest.fixture
def world() -> PullWorld:
    return PullWorld()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def listening(world: PullWorld, stack: ExitStack, settings: PullSettings) -> PullListener:
    listener = PullListener(TARGET, settings, Answers(TARGET, world.storage, world.vault, monotonic))
    listener.start()
    stack.callback(listener.stop)
    return listener


@pytest.fixture
def open_one(world: PullWorld, stack: ExitStack) -> PullListener:
    """Give a listener on a loopback address without a token."""
    return listening(world, stack, PullSettings("127.0.0.1:0"))


@pytest.fixture
def with_token(world: PullWorld, stack: ExitStack, tmp_path: Path) -> PullListener:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    return listening(world, stack, PullSettings("127.0.0.1:0", token_file=tmp_path / "token"))


def test_chain_and_key_or_nothing(world: PullWorld, open_one: PullListener) -> None:
    expected = world.published("moon.test", "*.moon.test")
    for name in ("moon.test", "MOON.test", "moon.test.", "any.moon.test"):
        assert ask(open_one.port, name) == (200, expected)
    for name in (
        "sun.test",
        "deep.any.moon.test",
        "",
        "%00",
        "x" * 300,
        "%ff%fe",
        "moon.test&server_name=sun.test",
    ):
        assert ask(open_one.port, name) == (204, b"")


def is_answered(listener: PullListener, expected: bytes) -> bool:
    return ask(listener.port, "moon.test") == (200, expected)


def test_a_new_revision_is_answered_with_as_soon_as_it_is_deployed(
    world: PullWorld, open_one: PullListener
) -> None:
    for _ in range(5):
        wait_until(partial(is_answered, open_one, world.published("moon.test")), 1, "the new one")
    world.target.remove("moon.test")
    wait_until(lambda: ask(open_one.port, "moon.test")[0] == 204, 1, "nothing")


def test_answers_come_from_memory(world: PullWorld, open_one: PullListener) -> None:
    world.published("moon.test")
    assert isinstance(world.storage, Breakable)
    ask(open_one.port, "moon.test")
    before = world.storage.looks
    connection = http.client.HTTPConnection("127.0.0.1", open_one.port, timeout=5)
    asked = 0
    while world.storage.looks == before:  # until the next look is due
        connection.request("GET", "/?server_name=moon.test")
        assert connection.getresponse().read()
        asked += 1
    connection.close()
    assert asked > 1


def test_it_goes_on_without_the_database(world: PullWorld, open_one: PullListener) -> None:
    expected = world.published("moon.test")
    assert ask(open_one.port, "moon.test")[0] == 200
    assert isinstance(world.storage, Breakable)
    world.storage.down = True
    for _ in range(3):
        assert ask(open_one.port, "moon.test") == (200, expected)
    assert ask(open_one.port, "sun.test") == (204, b"")


def test_before_it_has_ever_read_it_says_so(world: PullWorld, open_one: PullListener) -> None:
    world.published("moon.test")
    assert isinstance(world.storage, Breakable)
    world.storage.down = True
    assert ask(open_one.port, "moon.test")[0] == 503


def test_many_at_once(world: PullWorld, open_one: PullListener) -> None:
    expected = {name: world.published(name) for name in (f"shop{n}.test" for n in range(20))}
    with ThreadPoolExecutor(16) as pool:
        asked = list(expected) * 10
        for name, answer in zip(asked, pool.map(lambda name: ask(open_one.port, name), asked), strict=True):
            assert answer == (200, expected[name])


# --- who may ask


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Digest {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": "Basic " + b64encode(TOKEN.encode()).decode()},
        {"Authorization": "Basic " + b64encode(f"{TOKEN}:x".encode()).decode()},
        {"Authorization": "Basic !!!"},
        {"X_Authorization": f"Bearer {TOKEN}"},
    ],
)
def test_without_the_token_nobody_learns_anything(
    world: PullWorld, with_token: PullListener, headers: dict[str, str]
) -> None:
    world.published("moon.test")
    assert ask(with_token.port, "moon.test", **headers) == (401, b"")
    assert ask(with_token.port, "sun.test", **headers) == (401, b"")  # nor whether a name is ours
    assert ask(with_token.port, "moon.test", "/other", **headers) == (401, b"")


@pytest.mark.parametrize(
    "authorization",
    [f"Bearer {TOKEN}", f"bearer {TOKEN}", "Basic " + b64encode(f"certdesk:{TOKEN}".encode()).decode()],
)
def test_with_the_token_the_answer_is_given(
    world: PullWorld, with_token: PullListener, authorization: str
) -> None:
    expected = world.published("moon.test")
    assert ask(with_token.port, "moon.test", Authorization=authorization) == (200, expected)
    assert ask(with_token.port, "moon.test", "/other", Authorization=authorization)[0] == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8403"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "10.0.0.1"},
        {"Host": ""},
        {"Host": "127.0.0.1@evil.example"},
        {"Origin": "http://127.0.0.1:8403"},
        {"Sec_Fetch_Site": "cross-site"},
        {"X_Forwarded_For": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
        {"Via": "1.1 edge"},
    ],
)
def test_what_a_browser_or_a_proxy_brings_here_from_outside_is_refused(
    world: PullWorld, open_one: PullListener, headers: dict[str, str]
) -> None:
    world.published("moon.test")
    assert ask(open_one.port, "moon.test", **headers) == (403, b"")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8403", "localhost:8403", "[::1]:8403", "LOCALHOST"])
def test_this_machines_own_names_are_let_in(world: PullWorld, open_one: PullListener, host: str) -> None:
    expected = world.published("moon.test")
    assert ask(open_one.port, "moon.test", Host=host) == (200, expected)


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /?server_name=moon.test HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /?server_name=moon.test HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
        b"GET /?server_name=moon.test HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /?server_name=moon.test HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET /?server_name=moon.test HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET /?server_name=moon.test HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n",
        b"GET /?server_name=moon.test HTTP/1.1\r\n\r\n",
        b"GET /?server_name=moon.test HTTP/2.0\r\nHost: localhost\r\n\r\n",
        b"GET /?server_name=moon.test\r\n\r\n",
        b"GET  /?server_name=moon.test HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://evil.example/?server_name=moon.test HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"\r\n\r\n",
        b"GET /?server_name=moon.test HTTP/1.1\r\nX: " + b"y" * 9000,
        b"\xff" * 9000,
    ],
)
def test_whatever_else_is_sent_no_key_comes_back(
    world: PullWorld, open_one: PullListener, sent: bytes
) -> None:
    world.published("moon.test")
    with socket.create_connection(("127.0.0.1", open_one.port), timeout=5) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        came = b"".join(iter(lambda: client.recv(65_536), b""))
    assert b"PRIVATE KEY" not in came
    assert b" 200 " not in came
    assert ask(open_one.port, "moon.test")[0] == 200  # and it goes on


def test_requests_in_pieces_and_several_in_one_are_answered_in_their_order(
    world: PullWorld, open_one: PullListener
) -> None:
    expected = world.published("moon.test")
    request = b"GET /?server_name=%b HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", open_one.port), timeout=5) as client:
        client.sendall((request % b"moon.test")[:10])
        client.sendall((request % b"moon.test")[10:])
        client.sendall(
            request % b"sun.test"
            + (request % b"moon.test").replace(b"1.1\r\n", b"1.1\r\nConnection: close\r\n")
        )
        came = b"".join(iter(lambda: client.recv(65_536), b""))
    assert came.count(expected) == 2
    assert re.findall(rb"HTTP/1\.1 (\d+)", came) == [b"200", b"204", b"200"]


# --- where it listens


def test_a_unix_socket_is_its_owners_alone(world: PullWorld, stack: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "pull.sock"
    expected = world.published("moon.test")
    listener = listening(world, stack, PullSettings(f"unix:{path}"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    connection = UnixConnection(path)
    connection.request("GET", "/?server_name=moon.test")
    assert connection.getresponse().read() == expected
    connection.close()
    with pytest.raises(ConfigurationError, match="pull"):
        PullListener(TARGET, PullSettings(f"unix:{path}"), world.answers())
    listener.stop()
    assert not path.exists()


@pytest.mark.filterwarnings("error::ResourceWarning")
def test_what_was_accepted_at_the_moment_of_the_stop_is_closed(world: PullWorld, stack: ExitStack) -> None:
    for _ in range(40):
        listener = listening(world, stack, PullSettings("127.0.0.1:0"))
        with ExitStack() as clients:
            for _ in range(8):
                clients.enter_context(socket.create_connection(("127.0.0.1", listener.port), timeout=5))
            listener.stop()
    gc.collect()


def test_a_socket_that_a_dead_process_left_is_taken_over_with_a_group_that_may_ask(
    world: PullWorld, stack: ExitStack, tmp_path: Path
) -> None:
    path = tmp_path / "pull.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    listening(world, stack, PullSettings(f"unix:{path}", group=str(os.getgid())))
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"listen": "0.0.0.0:8403"}, "both a token"),
        ({"listen": "[::]:8403"}, "both a token"),
        ({"listen": "10.0.0.5:8403", "token_file": Path("t")}, "both a token"),
        (
            {
                "listen": "10.0.0.5:8403",
                "tls_certificate": Path("c"),
                "tls_key": Path("k"),
                "tls_client_ca": Path("a"),
            },
            "both a token",
        ),
        ({"listen": "127.0.0.1:8403", "tls_certificate": Path("c")}, "belong together"),
        ({"listen": "example.test:8403"}, "is needed"),
        ({"listen": "127.0.0.1"}, "is needed"),
        ({"listen": "127.0.0.1:99999"}, "is needed"),
        ({"listen": "unix:pull.sock"}, "begins with /"),
        ({"listen": "127.0.0.1:8403", "group": "www"}, "Unix socket"),
    ],
)
def test_settings_that_would_let_strangers_ask_are_refused(keys: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        PullSettings(**keys)  # type: ignore[arg-type]


@pytest.mark.parametrize("held", [None, "short", "", "ünïcödé-and-long-enough"])
def test_a_token_that_is_none_is_refused_at_the_start(
    world: PullWorld, tmp_path: Path, held: str | None
) -> None:
    if held is not None:
        (tmp_path / "token").write_text(held)
    with pytest.raises(ConfigurationError, match="token"):
        PullListener(TARGET, PullSettings("127.0.0.1:0", token_file=tmp_path / "token"), world.answers())


def test_a_port_that_is_taken_is_named(world: PullWorld) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigurationError, match=listen):
            PullListener(TARGET, PullSettings(listen), world.answers())


def test_with_tls_a_client_needs_a_certificate_of_our_ca_and_the_token(
    world: PullWorld, stack: ExitStack, tmp_path: Path
) -> None:
    ours, client, stranger = tmp_path / "ours", tmp_path / "client", tmp_path / "stranger"
    bundle = tls.issued(ours, ["127.0.0.1"])
    client_ca = tls.issued(client, ["edge.test"])
    tls.issued(stranger, ["edge.test"])
    (tmp_path / "token").write_text(TOKEN)
    settings = PullSettings(
        "127.0.0.1:0",
        token_file=tmp_path / "token",
        tls_certificate=ours / "fullchain.pem",
        tls_key=ours / "privkey.pem",
        tls_client_ca=client_ca,
    )
    expected = world.published("moon.test")
    listener = listening(world, stack, settings)

    def came(folder: Path | None, token: str) -> tuple[int, bytes]:
        context = ssl.create_default_context(cafile=str(bundle))
        if folder is not None:
            context.load_cert_chain(folder / "fullchain.pem", folder / "privkey.pem")
        connection = http.client.HTTPSConnection("127.0.0.1", listener.port, timeout=5, context=context)
        try:
            connection.request("GET", "/?server_name=moon.test", headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    assert came(client, TOKEN) == (200, expected)
    assert came(client, "wrong-token-of-length")[0] == 401
    for folder in (None, stranger):
        with pytest.raises(OSError, match=r"certificate|alert|reset|ca|Remote end"):
            came(folder, TOKEN)
    with socket.create_connection(("127.0.0.1", listener.port), timeout=5) as plain:
        plain.sendall(b"GET /?server_name=moon.test HTTP/1.1\r\nHost: localhost\r\n\r\n")
        plain.shutdown(socket.SHUT_WR)
        assert b"PRIVATE" not in b"".join(iter(lambda: plain.recv(65_536), b""))


def test_it_stops_with_clients_connected(world: PullWorld, stack: ExitStack) -> None:
    listener = listening(world, stack, PullSettings("127.0.0.1:0"))
    client = stack.enter_context(socket.create_connection(("127.0.0.1", listener.port), timeout=5))
    ask(listener.port, "moon.test")
    listener.stop()
    listener.stop()
    assert client.recv(1) == b""
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("pull")]
