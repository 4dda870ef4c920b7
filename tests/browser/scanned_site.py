"""Serves the fixture site of scans over TLS to a Chromium, and tells what that says of each page."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from bot.demo.parts import tls
from tests import planted

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
STATUSES = {
    "MixedContentBlocked": "blockable",
    "MixedContentAutomaticallyUpgraded": "upgradeable",
}


class _Handler(BaseHTTPRequestHandler):
    site: Path

    def do_GET(self) -> None:
        path = self.path.lstrip("/").partition("?")[0]
        file = self.site / path
        own = self.headers.get("Host", "").startswith(planted.HOST) and "/" not in path and file.is_file()
        body = file.read_bytes() if own else b""
        self.send_response(200)
        self.send_header("Content-Type", TYPES.get(Path(path).suffix, "text/plain"))
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server calls it by
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that Chromium has given up."""


@contextmanager
def served(folder: Path, site: Path = planted.SITE) -> Iterator[int]:
    """Yield the port on 127.0.0.1 where the site, and an empty file for any other URL, is served over TLS; ``folder`` is for its key."""
    tls.self_signed(folder, [planted.HOST])
    server = _Server(("127.0.0.1", 0), type("_Of", (_Handler,), {"site": site}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "fullchain.pem", folder / "privkey.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True, slots=True)
class Told:
    """What Chromium says of one insecure URL."""

    url: str
    kind: str


def told(browser: Browser, name: str, *, scripts: bool = True) -> set[Told]:
    """Open a page of the site and return what Chromium reports as mixed content on it."""
    context = browser.new_context(ignore_https_errors=True, java_script_enabled=scripts)
    page = context.new_page()
    issues: list[dict[str, Any]] = []
    session = context.new_cdp_session(page)
    session.on("Audits.issueAdded", lambda event: issues.append(event["issue"]))
    session.send("Audits.enable")
    try:
        page.goto(planted.url(name), wait_until="load")
        page.wait_for_load_state("networkidle")
    finally:
        context.close()
    details = [
        issue["details"]["mixedContentIssueDetails"]
        for issue in issues
        if issue["code"] == "MixedContentIssue"
    ]
    return {Told(one["insecureURL"], _kind(one)) for one in details}


def _kind(details: dict[str, Any]) -> str:
    """Return the class by what Chromium has done; ``allowed`` for what it loads all the same: loopback."""
    if details["resolutionStatus"] == "MixedContentWarning":
        return "form" if details.get("resourceType") == "Form" else "allowed"
    return STATUSES[details["resolutionStatus"]]
