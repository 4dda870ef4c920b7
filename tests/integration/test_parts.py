"""Each real part starts and does its one job."""

import datetime as dt
import hashlib
import hmac
import http.server
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import dns.message
import dns.query
import dns.rcode
import dns.tsigkeyring
import dns.update
import psycopg
import pytest
import requests
import urllib3
from acme import challenges, crypto_util, messages
from acme.client import ClientNetwork, ClientV2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from josepy.jwk import JWKRSA
from playwright.sync_api import Page, expect
from slack_sdk import WebClient

from bot.demo.parts import fetch, minutehand_slack, nginx, tls
from bot.demo.parts.bind import Bind, TsigKey
from bot.demo.parts.dns_server import DnsServer
from bot.demo.parts.errors import PartFailed, PartMissing
from bot.demo.parts.local_slack import LocalSlack
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.plain_edge import PlainEdge
from bot.demo.parts.postgres import Postgres
from bot.demo.parts.process import Running, free_port, wait_until
from bot.demo.parts.python_environment import environment
from tests.parts import STORE, ZONE

Ask = Callable[..., dns.message.Message]


def ask(name: str, rdtype: str, port: int, *, tcp: bool = False) -> dns.message.Message:
    send = dns.query.tcp if tcp else dns.query.udp
    return send(dns.message.make_query(name, rdtype), "127.0.0.1", port=port, timeout=5)


def texts(message: dns.message.Message) -> list[str]:
    return sorted(item.to_text() for rrset in message.answer for item in rrset)


def update(zone: str, key: TsigKey | None) -> dns.update.UpdateMessage:
    ring = dns.tsigkeyring.from_text({key.name: (key.algorithm, key.secret)}) if key else None
    return dns.update.UpdateMessage(zone, keyring=ring)


# pebble


def test_pebble_answers_its_directory_with_renewal_info(pebble: Pebble) -> None:
    said = requests.get(pebble.directory, verify=str(pebble.ca_bundle), timeout=10).json()
    assert "renewalInfo" in said
    assert set(said["meta"]["profiles"]) == {"default"}


def test_pebble_gives_its_root(pebble: Pebble) -> None:
    assert ssl.PEM_cert_to_DER_cert(pebble.root())


def test_pebble_takes_a_renewal_window_only_for_what_it_has_issued(pebble: Pebble, tmp_path: Path) -> None:
    tls.self_signed(tmp_path, ["moon.test"])
    now = dt.datetime.now(dt.UTC)
    with pytest.raises(requests.HTTPError):
        pebble.set_renewal_info((tmp_path / "fullchain.pem").read_text(), now, now + dt.timedelta(hours=1))


def test_pebble_issues_by_profile_and_tells_the_renewal_window_that_was_set(tmp_path: Path) -> None:
    with Pebble.start(tmp_path, profiles={"hour": 3600}, env={"PEBBLE_VA_ALWAYS_VALID": "1"}) as ca:
        client, chain = issue(ca, "shop.moon.test", "hour")
        leaf = x509.load_pem_x509_certificate(chain.encode())
        assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= dt.timedelta(hours=1)
        start = dt.datetime(2030, 1, 2, tzinfo=dt.UTC)
        ca.set_renewal_info(chain, start, start + dt.timedelta(hours=1), "https://example.test/why")
        suggested, _ = client.renewal_time(chain.encode())
        assert suggested is not None
        assert start <= suggested.astimezone(dt.UTC) <= start + dt.timedelta(hours=1)
        assert ca.certificate_status(f"{leaf.serial_number:x}")["Status"] == "Valid"


OLDER = """#!{python}
import http.server, json, ssl, sys
config = json.load(open(sys.argv[2]))["pebble"]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{{"newOrder": "https://localhost/order", "meta": {{}}}}')
host, port = config["listenAddress"].split(":")
server = http.server.HTTPServer((host, int(port)), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(config["certificate"], config["privateKey"])
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


def test_an_older_pebble_is_taken_only_by_who_asks_for_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "bin" / "pebble"
    older.parent.mkdir()
    older.write_text(OLDER.format(python=sys.executable))
    older.chmod(0o755)
    monkeypatch.setenv("PATH", f"{older.parent}:{os.environ['PATH']}")
    with pytest.raises(PartMissing, match=rf"{older} .*without ARI and profiles; to mend: put pebble 2\.10"):
        Pebble.start(tmp_path / "strict")
    with Pebble.start(tmp_path / "lenient", older=True) as ca:
        assert ca.lacks == ("ARI", "profiles")


def issue(ca: Pebble, name: str, profile: str) -> tuple[ClientV2, str]:
    """Get a certificate from a CA that takes every challenge for answered."""
    key = JWKRSA(key=rsa.generate_private_key(65537, 2048))
    network = ClientNetwork(key, verify_ssl=str(ca.ca_bundle))  # type: ignore[arg-type]  # requests takes a path too
    client = ClientV2(ClientV2.get_directory(ca.directory, network), network)
    client.new_account(messages.NewRegistration(terms_of_service_agreed=True))
    private = rsa.generate_private_key(65537, 2048).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    order = client.new_order(crypto_util.make_csr(private, [name]), profile=profile)
    for authorization in order.authorizations:
        challenge = next(
            one for one in authorization.body.challenges if isinstance(one.chall, challenges.HTTP01)
        )
        client.answer_challenge(challenge, challenge.response(key))
    done = client.poll_and_finalize(order)
    return client, done.fullchain_pem


# DNS


def test_bind_takes_a_signed_update_and_answers_it_and_takes_it_back(bind: Bind) -> None:
    name = "_acme-challenge.signed"
    change = update("moon.test", bind.key)
    change.add(name, 1, "TXT", "token")
    assert dns.query.tcp(change, "127.0.0.1", port=bind.port, timeout=5).rcode() == dns.rcode.NOERROR
    assert texts(ask(f"{name}.moon.test", "TXT", bind.port)) == ['"token"']
    # the server is every test's: what is left in its zone a check of another one would find
    change = update("moon.test", bind.key)
    change.delete(name, "TXT", "token")
    assert dns.query.tcp(change, "127.0.0.1", port=bind.port, timeout=5).rcode() == dns.rcode.NOERROR
    assert texts(ask(f"{name}.moon.test", "TXT", bind.port)) == []


def test_bind_takes_no_unsigned_update(bind: Bind) -> None:
    change = update("moon.test", None)
    change.add("evil", 1, "A", "127.0.0.1")
    assert dns.query.tcp(change, "127.0.0.1", port=bind.port, timeout=5).rcode() == dns.rcode.REFUSED


def test_bind_takes_a_new_zone_and_a_new_text_for_it(bind: Bind) -> None:
    bind.reload_zone("sun.test", ZONE)
    bind.reload_zone("sun.test", ZONE + "new A 127.0.0.7\n")
    wait_until(lambda: texts(ask("new.sun.test", "A", bind.port)) == ["127.0.0.7"], 5, "the new zone")


KEY = TsigKey()
OWN = {
    "moon.test": ZONE
    + "alias CNAME www.sun.test.\nempty.below A 127.0.0.1\nchild NS ns.child\nns.child A 127.0.0.8\nloop CNAME loop\n"
    + "".join(f"big TXT {'x' * 200}{number}\n" for number in range(20)),
    "sun.test": ZONE + "www A 127.0.0.9\n",
}


@pytest.fixture(params=[False, True], ids=["udp", "tcp"])
def own_dns(request: pytest.FixtureRequest) -> object:
    with DnsServer(OWN, keys=[KEY]) as server:
        yield lambda name, rdtype: ask(name, rdtype, server.port, tcp=request.param)


@pytest.mark.parametrize(
    ("name", "rdtype", "rcode", "answer"),
    [
        ("shop.moon.test", "A", "NOERROR", ["127.0.0.1"]),
        ("SHOP.moon.test", "A", "NOERROR", ["127.0.0.1"]),
        ("shop.moon.test", "TXT", "NOERROR", []),
        ("none.moon.test", "A", "NXDOMAIN", []),
        ("below.moon.test", "A", "NOERROR", []),
        ("any.wild.moon.test", "A", "NOERROR", ["127.0.0.1"]),
        ("a.b.wild.moon.test", "A", "NOERROR", ["127.0.0.1"]),
        ("alias.moon.test", "A", "NOERROR", ["127.0.0.9", "www.sun.test."]),
        ("alias.moon.test", "CNAME", "NOERROR", ["www.sun.test."]),
        ("elsewhere.example", "A", "REFUSED", []),
    ],
)
def test_our_dns_server_answers_as_the_rules_say(
    own_dns: Ask, name: str, rdtype: str, rcode: str, answer: list[str]
) -> None:
    said = own_dns(name, rdtype)
    assert (dns.rcode.to_text(said.rcode()), texts(said)) == (rcode, answer)
    if rcode != "REFUSED" and not answer:
        assert [rrset.rdtype for rrset in said.authority] == [dns.rdatatype.SOA]


def test_our_dns_server_refers_to_a_delegated_zone(own_dns: Ask) -> None:
    said = own_dns("www.child.moon.test", "A")
    assert not said.flags & dns.flags.AA
    assert [str(rrset[0]) for rrset in said.authority] == ["ns.child.moon.test."]
    assert [str(rrset[0]) for rrset in said.additional] == ["127.0.0.8"]


def test_our_dns_server_ends_a_loop_of_aliases(own_dns: Ask) -> None:
    assert own_dns("loop.moon.test", "A").rcode() == dns.rcode.NOERROR


def test_our_dns_server_truncates_what_is_too_long_for_udp() -> None:
    with DnsServer(OWN) as server:
        assert ask("big.moon.test", "TXT", server.port).flags & dns.flags.TC
        assert len(texts(ask("big.moon.test", "TXT", server.port, tcp=True))) == 20


def test_our_dns_server_as_a_resolver_offers_recursion_and_claims_no_authority() -> None:
    with DnsServer(OWN, resolver=True) as server:
        said = ask("shop.moon.test", "A", server.port)
        assert said.flags & dns.flags.RA
        assert not said.flags & dns.flags.AA
        assert ask("www.child.moon.test", "A", server.port).rcode() == dns.rcode.SERVFAIL


def test_our_dns_server_takes_a_signed_update_and_takes_it_back() -> None:
    with DnsServer(OWN, keys=[KEY]) as server:
        change = update("moon.test", KEY)
        change.add("_acme-challenge.shop", 1, "TXT", "token")
        assert dns.query.udp(change, "127.0.0.1", port=server.port, timeout=5).rcode() == dns.rcode.NOERROR
        assert texts(ask("_acme-challenge.shop.moon.test", "TXT", server.port)) == ['"token"']
        change = update("moon.test", KEY)
        change.delete("_acme-challenge.shop", "TXT", "token")
        dns.query.tcp(change, "127.0.0.1", port=server.port, timeout=5)
        assert server.records("_acme-challenge.shop.moon.test", "TXT") == []
        assert server.records("moon.test", "SOA")[0].split()[2] == "3"


@pytest.mark.parametrize(
    ("key", "rcode"), [(None, "REFUSED"), (TsigKey(), "NOTAUTH"), (TsigKey("other."), "NOTAUTH")]
)
def test_our_dns_server_takes_no_update_without_the_key(key: TsigKey | None, rcode: str) -> None:
    with DnsServer(OWN, keys=[KEY]) as server:
        change = update("moon.test", key)
        change.add("evil", 1, "A", "127.0.0.1")
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
            dns.query.send_tcp(connection, change.to_wire())
            size = int.from_bytes(connection.recv(2), "big")
            said = dns.message.from_wire(connection.recv(size), ignore_trailing=True)
        assert dns.rcode.to_text(said.rcode()) == rcode
        assert server.records("evil.moon.test", "A") == []


def test_our_dns_server_leaves_a_cname_alone_when_told_to_add_beside_it() -> None:
    with DnsServer(OWN, keys=[KEY]) as server:
        change = update("moon.test", KEY)
        change.add("alias", 1, "TXT", "token")
        assert dns.query.udp(change, "127.0.0.1", port=server.port, timeout=5).rcode() == dns.rcode.NOERROR
        assert server.records("alias.moon.test", "TXT") == []


# the edge


AnyEdge = Edge | PlainEdge


@pytest.fixture(params=["nginx", "plain"])
def edges(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyEdge]:
    """Give nginx, then our own edge: to those who use them they are the same."""
    if request.param == "nginx":
        yield request.getfixturevalue("edge")
        return
    stores = {STORE: nginx.store_page("Moon"), "*.wild.moon.test": nginx.store_page("Wild Moon")}
    upstream = f"127.0.0.1:{free_port()}"
    with PlainEdge.start(
        tmp_path / "edge",
        free_port(),
        free_port(),
        certificates=tmp_path / "certificates",
        stores=stores,
        upstream=upstream,
    ) as edge:
        yield edge


def shown(edge: AnyEdge, name: str) -> str:
    """Return the certificate that the edge shows for a name."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", edge.https_port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        return ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True) or b"")


@pytest.mark.parametrize(("name", "entry"), [(STORE, STORE), ("any.wild.moon.test", "_.wild.moon.test")])
def test_edge_serves_a_dropped_certificate_without_a_reload(
    edges: AnyEdge, tmp_path: Path, name: str, entry: str
) -> None:
    edge, before = edges, shown(edges, name)
    bundle = tls.issued(tmp_path / "revision", [name])
    (tmp_path / "link").symlink_to(tmp_path / "revision")
    (tmp_path / "link").rename(edge.certificates / entry)
    assert shown(edge, name) == (tmp_path / "revision" / "fullchain.pem").read_text() != before
    with urllib3.HTTPSConnectionPool(
        "127.0.0.1",
        edge.https_port,
        server_hostname=name,
        assert_hostname=name,
        ca_certs=str(bundle),
        retries=False,
    ) as pool:
        answer = pool.request("GET", "/", headers={"Host": name})
    assert (answer.status, b"Moon" in answer.data) == (200, True)


def test_edge_answers_the_handshake_for_a_name_that_it_does_not_know(edges: AnyEdge) -> None:
    assert shown(edges, "nobody.test")


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        ("/", STORE, 200),
        ("/index.html?page=2", STORE.upper(), 200),
        ("/none.css", STORE, 404),
        ("/../../self-signed/any/privkey.pem", STORE, (400, 404)),
        ("/%2e%2e/%2e%2e/self-signed/any/privkey.pem", STORE, (400, 404)),
        ("/", "nobody.test", 404),
    ],
)
def test_edge_serves_the_stores_pages_and_nothing_else(
    edges: AnyEdge, path: str, host: str, status: int | tuple[int, ...]
) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", edges.https_port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=STORE) as secure,
    ):
        secure.sendall(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: secure.recv(65536), b""))
    assert b"PRIVATE KEY" not in answer
    assert int(answer.split()[1]) in (status if isinstance(status, tuple) else (status,))


def test_edge_serves_a_store_that_comes_later(edges: AnyEdge) -> None:
    edges.add_stores({"late.moon.test": nginx.store_page("Late")})
    certificate = x509.load_pem_x509_certificate(shown(edges, "late.moon.test").encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["late.moon.test"]


def test_edge_says_so_when_nobody_listens_behind_it(edges: AnyEdge) -> None:
    url = f"http://127.0.0.1:{edges.http_port}/.well-known/acme-challenge/token"
    assert requests.get(url, headers={"Host": STORE}, timeout=5).status_code == 502


def test_edge_forwards_challenges_and_redirects_the_rest(edges: AnyEdge) -> None:
    edge = edges
    base = f"http://127.0.0.1:{edge.http_port}"
    headers = {"Host": STORE}
    moved = requests.get(f"{base}/cart", headers=headers, allow_redirects=False, timeout=5)
    assert (moved.status_code, moved.headers["Location"]) == (301, f"https://{STORE}:{edge.https_port}/cart")
    with _Listener(edge.upstream) as listener:
        for path in ("/.well-known/acme-challenge/token", "/.well-known/certdesk/probe"):
            assert requests.get(base + path, headers=headers, timeout=5).text == "heard"
        assert [(path, headers["Host"]) for path, headers, _ in listener.heard] == [
            ("/.well-known/acme-challenge/token", STORE),
            ("/.well-known/certdesk/probe", STORE),
        ]


# PostgreSQL


def test_postgres_runs_a_statement_in_a_new_database(postgres: Postgres) -> None:
    url = postgres.new_database()
    assert url != postgres.url
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_postgres_lets_nobody_in_without_the_password(postgres: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(
            host=postgres.host, port=postgres.port, user="certdesk", password="guess", dbname="postgres"
        )


# Slack and a person's browser


class _Listener:
    """A tiny HTTP server at "address:port" that keeps what it hears."""

    def __init__(self, place: str) -> None:
        self.heard: list[tuple[str, dict[str, str], str]] = []
        heard = self.heard

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                heard.append((self.path, dict(self.headers), body))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"heard")

            do_GET = do_POST  # noqa: N815 - its name in http.server

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in http.server
                """Say nothing."""

        address, port = place.rsplit(":", 1)
        self._server = http.server.ThreadingHTTPServer((address, int(port)), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_local_slack_delivers_a_signed_slash_command(local_slack: LocalSlack) -> None:
    place = urllib.parse.urlsplit(str(local_slack.request_url)).netloc
    with _Listener(place) as listener:
        local_slack.command("status shop.moon.test")
    ((path, headers, body),) = listener.heard
    form = urllib.parse.parse_qs(body)
    signed = f"v0:{headers['X-Slack-Request-Timestamp']}:{body}".encode()
    digest = hmac.new(b"local-signing-secret", signed, hashlib.sha256).hexdigest()
    given = {name.lower(): value for name, value in headers.items()}
    assert (path, form["command"], form["text"]) == ("/slack/events", ["/ssl"], ["status shop.moon.test"])
    assert given["x-slack-signature"] == f"v0={digest}"


def test_local_slack_keeps_what_the_app_posts_and_shows_it_to_a_person(
    local_slack: LocalSlack, chromium_page: Page
) -> None:
    client = WebClient(token="xoxb-local", base_url=local_slack.api_url)
    client.chat_postMessage(channel=local_slack.first_channel, text="The certificate is installed.")
    assert [message["text"] for message in local_slack.messages()] == ["The certificate is installed."]
    chromium_page.goto(local_slack.page_url)
    chromium_page.get_by_text("support").first.click()
    expect(chromium_page.get_by_text("The certificate is installed.").first).to_be_visible()


# fetching and processes


def test_a_part_that_cannot_be_had_says_so_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PartMissing, match=r"^no-such-package could not be had: .*; to mend: .*\.$"):
        fetch.debian(["no-such-package"], cache=tmp_path)


def test_what_comes_from_another_suite_than_was_asked_for_is_not_kept_as_its_own(tmp_path: Path) -> None:
    found = fetch.debian(["pebble"], suite="no-such-suite", cache=tmp_path)
    assert (found / "usr" / "bin" / "pebble").exists()
    assert found == fetch.debian(["pebble"], cache=tmp_path)
    assert not list(tmp_path.glob("debian-no-such-suite/*"))


def test_a_checkout_of_somebody_else_leaves_a_cache_folder_of_ones_own(tmp_path: Path) -> None:
    checkout, home = tmp_path / "checkout", {"HOME": str(tmp_path / "home")}
    checkout.mkdir()
    assert fetch.cache_folder(checkout, home) == checkout / "var" / "parts"
    (checkout / "var").touch()  # where nobody can make a folder, root included
    assert fetch.cache_folder(checkout, home) == tmp_path / "home" / ".cache" / "certdesk"
    assert fetch.cache_folder(checkout, home | {"XDG_CACHE_HOME": "/caches"}) == Path("/caches/certdesk")


def test_a_cache_that_cannot_be_written_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        PartMissing, match=r"^nsd could not be had: .*/file/parts is not writable \(.*XDG_CACHE_HOME"
    ):
        fetch.debian(["nsd"], cache=tmp_path / "file" / "parts")


@pytest.mark.parametrize(
    "text",
    [
        'Acquire::Check-Valid-Until "false";',
        "deb [check-valid-until=no] http://m x main",
        "Check-Valid-Until: no\n",
    ],
)
def test_a_machine_that_takes_old_package_lists_is_known_by_its_own_words(text: str) -> None:
    assert fetch.OLD_LISTS.search(text)
    assert not fetch.OLD_LISTS.search(text.replace("false", "true").replace("no", "yes"))


def test_a_child_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(PartFailed, match="child failed: it ended with status 3; its log ends: alas"):
        Running.start(
            "child", ["/bin/sh", "-c", "echo alas; exit 3"], log=tmp_path / "log", ready=lambda: False
        )


PARENT = """
import os, pathlib, signal, sys
from bot.demo.parts.process import Running
child = Running.start("child", ["sleep", "600"], log=pathlib.Path(sys.argv[1]))
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can bind a child to its parent's life")
def test_a_child_does_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", PARENT, str(tmp_path / "log")],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    wait_until(lambda: not _runs(int(done.stdout)), 5, "the end of the child")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_without_a_newer_python_debians_next_one_runs_what_needs_it() -> None:
    python = environment("minutehand", minutehand_slack.LOCK, candidates=("/bin/false",))
    words = [*python.words, "-c", "import ssl, sqlite3, sys, minutehand.cli; print(sys.version_info[:2])"]
    asked = subprocess.run(words, env=python.variables, capture_output=True, text=True, check=True)  # noqa: S603 - words of ours
    assert asked.stdout == "(3, 13)\n"
