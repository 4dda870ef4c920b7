"""The configuration of docs/nginx.md, as it stands there, serves stores and wildcards, and certdesk's own pages."""

import http.client
import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from bot.demo.parts import nginx, tls
from bot.demo.parts.errors import PartMissing
from bot.demo.parts.process import Running, free_port, port_open
from bot.slack.settings import SlackSettings
from bot.web import Site, WebServer, make_app

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "nginx.md"
OURS = "certdesk.moon.example"
FOLDERS = ("_.moon.example", "shop.moon.example", "sun.example")


def configuration(folder: Path, plain: int, secure: int, inside: int) -> str:
    """Return the document's configuration with this machine's places: ports, folders, and one process instead of many."""
    text = DOCUMENT.read_text().partition("```nginx\n")[2].partition("```")[0]
    here = {
        "user certdesk;": f"daemon off; master_process off; pid {folder}/pid;",
        "http {": "http {"
        + "".join(
            f"{kind}_temp_path {folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + f"access_log {folder}/access.log;",
        "listen 80 ": f"listen 127.0.0.1:{plain} ",
        "listen 443 ": f"listen 127.0.0.1:{secure} ",
        "/var/lib/certdesk/certificates": str(folder / "certificates"),
        "/var/empty": str(folder / "empty"),
        "127.0.0.1:8402": f"127.0.0.1:{inside}",
        "/etc/ssl/certdesk": str(folder / "own"),
        "/srv/stores": str(folder),
    }
    for there, now in here.items():
        assert there in text
        text = text.replace(there, now)
    return text


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """Give the port of such an nginx, and the folder of its certificates."""
    folder = tmp_path_factory.mktemp("documented")
    for name in FOLDERS:
        tls.self_signed(folder / "certificates" / name, [name])
    tls.self_signed(folder / "own", [OURS])
    settings = SlackSettings(link_domain=OURS, team="T1", app="A1")
    site = Site(lambda _: None, b"key", list, CollectorRegistry(), settings=settings)
    certdesk = WebServer(make_app(site), "127.0.0.1", 0)
    certdesk.start()
    try:
        program, environment = nginx.installed()
    except PartMissing as missing:
        pytest.fail(str(missing), pytrace=False)
    secure = free_port()
    (folder / "nginx.conf").write_text(configuration(folder, free_port(), secure, certdesk.port))
    words: list[str | Path] = [program, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"]
    with Running.start("nginx", words, log=folder / "log", ready=port_open(secure), env=environment):
        yield secure, folder / "certificates"
    certdesk.stop()


def shown(port: int, name: str | None) -> bytes:
    """Return the certificate that is shown for a name, DER. Raises OSError where the handshake ends without one."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as connection,
        context.wrap_socket(connection, server_hostname=name) as secure,
    ):
        return secure.getpeercert(binary_form=True) or b""


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("sun.example", "sun.example"),
        ("ANY.moon.example", "_.moon.example"),
        ("any.moon.example", "_.moon.example"),
        ("certdesk-probe.moon.example", "_.moon.example"),
        ("shop.moon.example", "shop.moon.example"),
    ],
)
def test_each_name_is_shown_the_certificate_of_its_folder(
    edge: tuple[int, Path], name: str, folder: str
) -> None:
    port, certificates = edge
    chain = (certificates / folder / "fullchain.pem").read_text()
    assert shown(port, name) == ssl.PEM_cert_to_DER_cert(chain)


def test_a_location_without_a_root_of_its_own_serves_no_key(edge: tuple[int, Path], tmp_path: Path) -> None:
    """The folder of chain and key is the server's root in handshakes alone."""
    _, certificates = edge
    text = (certificates.parent / "nginx.conf").read_text()
    secure = free_port()
    for line in re.findall(r"listen 127\.0\.0\.1:\d+ ssl", text):
        text = text.replace(line, f"listen 127.0.0.1:{secure} ssl")
    text = re.sub(r"listen 127\.0\.0\.1:\d+ default_server;", f"listen 127.0.0.1:{free_port()};", text)
    text = re.sub(r"location / +\{ root [^}]*\}", "location / { }", text)
    assert "location / { }" in text
    (tmp_path / "nginx.conf").write_text(text)
    program, environment = nginx.installed()
    words: list[str | Path] = [
        program,
        "-p",
        tmp_path,
        "-c",
        tmp_path / "nginx.conf",
        "-e",
        tmp_path / "error.log",
    ]
    with Running.start("nginx", words, log=tmp_path / "log", ready=port_open(secure), env=environment):
        for path in ("/privkey.pem", "/fullchain.pem", "/"):
            answer = got(secure, path, "sun.example")
            assert answer.status == 404
            assert b"PRIVATE" not in getattr(answer, "body", b"")


@pytest.mark.parametrize("name", ["none.example", "deep.any.moon.example", "moon.example", None])
def test_a_name_without_a_folder_is_shown_none(edge: tuple[int, Path], name: str | None) -> None:
    with pytest.raises(OSError, match="alert"):
        shown(edge[0], name)


def got(port: int, path: str, name: str = OURS) -> http.client.HTTPResponse:
    """Return the answer to a request through nginx, with its body in it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    raw = socket.create_connection(("127.0.0.1", port), timeout=5)
    with context.wrap_socket(raw, server_hostname=name) as secure:
        asked = f"GET {path} HTTP/1.1\r\nHost: {name}\r\nAccept-Language: ja\r\nConnection: close\r\n\r\n"
        secure.sendall(asked.encode())
        answer = http.client.HTTPResponse(secure)
        answer.begin()
        answer.body = answer.read()  # type: ignore[attr-defined]
        return answer


def test_every_link_leads_to_the_same_page_through_nginx(edge: tuple[int, Path]) -> None:
    paths = (
        "/certificates/sun.example",
        "/certificates/none.example",
        "/alerts/alert_0",
        "/alerts/x%2f%2fy",
    )
    answers = [got(edge[0], path) for path in paths]
    assert {answer.status for answer in answers} == {200}
    assert len({getattr(answer, "body", b"") for answer in answers}) == 1
    kept = [{name: value for name, value in answer.getheaders() if name != "Date"} for answer in answers]
    assert all(headers == kept[0] for headers in kept)
    assert kept[0]["Content-Language"] == "ja"
    assert kept[0]["Content-Security-Policy"].startswith("default-src 'none'")
    assert kept[0]["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    ["/metrics", "/health", "/certificates/../metrics", "/certificates/%2e%2e/health", "/slack/eventsx", "/"],
)
def test_what_is_inside_stays_inside(edge: tuple[int, Path], path: str) -> None:
    assert got(edge[0], path).status == 404


def test_a_stores_host_name_has_no_such_page(edge: tuple[int, Path]) -> None:
    assert got(edge[0], "/alerts/alert_0", "sun.example").status == 404
