"""One fetch: bounded in bytes and seconds whatever the server does, and never to an address that is not allowed."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_network

import pytest

from services.model.settings import Probing
from services.scanning.fetching import SocketFetcher

Serve = Callable[[socket.socket], None]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


@contextmanager
def served(serve: Serve, where: tuple[str, int] = ("127.0.0.1", 0)) -> Iterator[int]:
    """Yield the port on which one connection is taken, and ``serve`` is called once its request is there."""
    with socket.create_server(where) as listener:

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    while b"\r\n\r\n" not in connection.recv(65536):
                        pass
                    serve(connection)
                except OSError:
                    return

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname()[1]


def _fetcher(
    port: int, *, allowed: bool = True, timeout: float = 5, address: str = "127.0.0.1"
) -> SocketFetcher:
    networks = (ip_network("127.0.0.0/8"),) if allowed else ()
    probing = Probing(http_port=port, https_port=port, allow_networks=networks)
    return SocketFetcher(probing, lambda _: (ip_address(address),), timeout)


def _send(*pieces: bytes) -> Serve:
    return lambda connection: connection.sendall(b"".join(pieces))


def test_a_page_is_fetched_whole_with_its_fields() -> None:
    body = _send(HEAD, b"Set-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 2\r\n\r\nhi")
    with served(body) as port:
        answer = _fetcher(port).fetch("http://a.test/x y?z=1#f", 100)
    assert (answer.status, answer.body, answer.whole, answer.size, answer.type) == (
        200,
        b"hi",
        True,
        2,
        "text/html",
    )
    assert answer.fields["set-cookie"] == "a, b"


def test_a_page_that_is_too_large_is_cut() -> None:
    with served(_send(HEAD, b"Content-Length: 9000\r\n\r\n", b"x" * 9000)) as port:
        answer = _fetcher(port).fetch("http://a.test/", 100)
    assert (len(answer.body), answer.whole, answer.size) == (100, False, 9000)


def test_a_bomb_is_unpacked_no_further_than_asked_for() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    with served(_send(HEAD, b"Content-Encoding: gzip\r\n\r\n", bomb)) as port:
        answer = _fetcher(port).fetch("http://a.test/", 1000)
    assert (len(answer.body), answer.whole) == (1000, False)


def test_a_page_that_is_packed_is_unpacked() -> None:
    with served(_send(HEAD, b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"hello" * 99))) as port:
        answer = _fetcher(port).fetch("http://a.test/", 1000)
    assert (answer.body, answer.whole) == (b"hello" * 99, True)


@pytest.mark.parametrize("begin", [b"", HEAD, HEAD + b"\r\n"])
def test_a_server_that_drips_without_end_is_left_in_time(begin: bytes) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(begin)
        for _ in range(200):
            connection.sendall(b"x")
            time.sleep(0.05)

    begun = time.monotonic()
    with served(drip) as port:
        answer = _fetcher(port, timeout=0.5).fetch("http://a.test/", 10_000)
    assert answer.error == "timeout"
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize(
    "said",
    [
        b"nonsense\r\n\r\n",
        HEAD + b"Content-Encoding: gzip\r\n\r\nnot gzip",
        HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"<p>" * 999, mtime=0)[:20],
        HEAD + b"Content-Encoding: br\r\n\r\n\x0b\x02\x80",
        HEAD + b"Content-Length: 100\r\n\r\nshort",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        HEAD + b"X: " + b"x" * 100_000,
        HEAD + b"X: 1\r\n" * 500 + b"\r\n",
        b"",
    ],
)
def test_what_is_no_answer_is_an_error(said: bytes) -> None:
    with served(_send(said)) as port:
        answer = _fetcher(port).fetch("http://a.test/", 100)
    assert (answer.status, answer.error) == (0, "broken")


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1"]
)
def test_an_address_that_is_not_public_is_never_connected_to(address: str) -> None:
    answer = _fetcher(9, allowed=False, address=address).fetch("http://a.test/", 100)
    assert (answer.status, answer.error) == (0, "not_public")


def test_another_port_a_strange_scheme_and_what_is_no_url_are_not_asked_for() -> None:
    fetcher = _fetcher(9)
    assert fetcher.fetch("http://a.test:22/", 100).error == "port"
    for url in ("ftp://a.test/", "http://", "http://[x", "http://a.test:99999/", "file:///etc/passwd"):
        assert fetcher.fetch(url, 100).error == "broken"


def test_a_certificate_that_nobody_trusts_is_no_answer_over_https() -> None:
    with served(_send(HEAD)) as port:
        assert _fetcher(port).fetch("https://a.test/", 100).error in {"tls", "broken", "timeout"}
