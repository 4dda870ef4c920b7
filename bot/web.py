"""The HTTP side: Slack's requests, http-01 answers, the proof that an edge is ours, health and metrics.

Everything is on one listener, metrics included: the edge forwards only what is below /slack/ and the two folders below
/.well-known/, and /certificates/ and /alerts/ of a host name of certdesk's own, so /health and /metrics stay with whoever reaches the listener itself (127.0.0.1 by default).
"""

import logging
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import flask
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from waitress import wasyncore
from waitress.server import create_server
from werkzeug.exceptions import HTTPException

from bot.install_pages import add_pages
from bot.link_page import add_link_page, ways
from bot.slack.http import SlackDoor
from bot.slack.installing import Installer
from bot.slack.settings import SlackSettings
from services.alerting.selfcheck import Check
from services.checks.edge_proof import edge_proof
from services.model.clock import rfc3339

MAX_BODY = 1 << 20
"""Bytes of a request's body; what Slack sends is far smaller."""
THREADS = 12
"""Requests answered at once; a slash command spends its time in one insert."""
SWITCH_SECONDS = 0.0005
"""How long a thread of this process may keep the interpreter from the others. With Python's 5 ms every commit, after
which a thread has to wait for the interpreter, costs as much as ten requests: p99 was half as long again."""
_TOKEN = re.compile(
    r"[A-Za-z0-9_-]{1,200}"
)  # base64url (RFC 8555 §8.3), so nothing else needs to be looked up
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class Site:
    """What the pages are made of. Everything here is called from many threads at once."""

    answer_for: Callable[[str], str | None]
    """Returns the key authorization for an http-01 token, or None (RFC 8555 §8.3)."""
    edge_key: bytes = field(repr=False)
    """The key of `edge_proof`; every process that probes or answers has the same."""
    unready: Callable[[], Sequence[str]]
    """Returns the reasons why certdesk is not ready, as short sentences; empty when it is."""
    registry: CollectorRegistry
    slack: SlackDoor | None = None
    """Takes Slack's requests in HTTP mode; None: there is no such page."""
    installer: Installer | None = None
    """Installs certdesk in further workspaces; None: there are no such pages."""
    checks: Callable[[], Sequence[Check]] = tuple
    """Returns how certdesk itself is."""
    settings: SlackSettings = field(default_factory=SlackSettings)
    """How the pages lead to Slack; with a `link_domain` there is a page behind the links."""


def make_app(site: Site) -> flask.Flask:
    """Return the WSGI application. Nothing that a stranger sends is ever shown back."""
    app = flask.Flask("certdesk", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.url_map.merge_slashes = False  # a redirect would repeat the Host header
    app.url_map.strict_slashes = False
    app.register_error_handler(HTTPException, _refused)
    app.after_request(_guarded)
    _well_known(app, site)
    _health(app, site)
    if site.slack is not None:
        _slack(app, site.slack)
    if site.installer is not None:
        add_pages(app, site.installer, partial(ways, site.settings))
    if site.settings.link_domain:
        add_link_page(app, site.settings)
    return app


def _well_known(app: flask.Flask, site: Site) -> None:
    @app.get("/.well-known/acme-challenge/<token>")
    def http01(token: str) -> flask.Response:
        answer = site.answer_for(token) if _TOKEN.fullmatch(token) else None
        return _text(answer) if answer is not None else _text("not found\n", 404)

    @app.get("/.well-known/certdesk/<token>")
    def proof(token: str) -> flask.Response:
        return (
            _text(edge_proof(site.edge_key, token)) if _TOKEN.fullmatch(token) else _text("not found\n", 404)
        )


def _health(app: flask.Flask, site: Site) -> None:
    @app.get("/health/live")
    def live() -> flask.Response:
        return _text("alive\n")

    @app.get("/health/ready")
    def ready() -> tuple[flask.Response, int]:
        reasons = list(site.unready())
        return flask.jsonify(ready=not reasons, reasons=reasons), 503 if reasons else 200

    @app.get("/health")
    def health() -> tuple[flask.Response, int]:
        checks = site.checks()
        well = all(check.ok for check in checks)
        return flask.jsonify(ok=well, checks=[_shown(check) for check in checks]), 200 if well else 503

    @app.get("/metrics")
    def metrics() -> flask.Response:
        return flask.Response(generate_latest(site.registry), content_type=CONTENT_TYPE_LATEST)


def _shown(check: Check) -> dict[str, Any]:
    """Return one check as docs/alerts.md describes it."""
    return {
        "name": check.thing,
        "code": check.code,
        "ok": check.ok,
        "since": rfc3339(check.since),
        "sentence": check.text.plain(),
        "remedy": check.remedy.plain() or None,
    }


def _slack(app: flask.Flask, door: SlackDoor) -> None:
    @app.post("/slack/events")
    def events() -> flask.Response:
        answer = door.answer(flask.request.get_data(cache=False), flask.request.headers)
        kind = answer.first_headers()["content-type"]
        return flask.Response(answer.body, status=answer.status, content_type=kind)


def _text(body: str, status: int = 200) -> flask.Response:
    return flask.Response(body, status=status, content_type="text/plain; charset=utf-8")


def _refused(error: HTTPException) -> flask.Response:
    return _text(f"{error.name}\n", error.code or 500)


def _guarded(response: flask.Response) -> flask.Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)  # a page for people brings a policy of its own
    return response


class WebServer:
    """Serves a WSGI application with waitress in threads of this process."""

    def __init__(self, app: flask.Flask, host: str, port: int, *, threads: int = THREADS) -> None:
        """Bind and listen on ``host`` (a name, an IPv4 or an IPv6 address) and ``port`` (0: any free one).

        Raises OSError if that cannot be had. Connections wait until `start`.
        """
        listening = _listening(host, port)
        self._port = int(listening.getsockname()[1])
        self._map: dict[int, Any] = {}  # what waitress's loop watches: listener, trigger, connections
        logging.getLogger("waitress.queue").setLevel(
            logging.ERROR
        )  # a queue is no fault, and each line costs
        self._server: Any = create_server(
            app,
            map=self._map,
            sockets=[listening],
            threads=threads,
            ident=None,  # no banner
            connection_limit=1000,
            channel_timeout=60,
            max_request_header_size=1 << 16,
            max_request_body_size=MAX_BODY,
            clear_untrusted_proxy_headers=True,
        )
        self._stopping = threading.Event()
        self._grace = 0.0
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._port

    def start(self) -> None:
        """Begin to answer, in a thread of its own."""
        sys.setswitchinterval(SWITCH_SECONDS)
        self._thread.start()

    def stop(self, grace: float = 5.0) -> None:
        """Accept nothing more, finish what is being answered (``grace`` seconds at most), close every socket.

        May be called twice, and without `start`.
        """
        if self._stopping.is_set():
            return
        self._grace = grace
        self._stopping.set()
        if self._thread.ident is not None:
            self._server.pull_trigger()  # so that the loop sees it now
            self._thread.join()
        self._close()  # here and not in the thread, which may see the end before the trigger has been pulled

    def _run(self) -> None:
        while not self._stopping.is_set():
            wasyncore.loop(timeout=1, use_poll=True, map=self._map, count=1)
        wasyncore.dispatcher.close(self._server)  # the listener alone: connections go on
        deadline = time.monotonic() + self._grace
        while self._busy() and time.monotonic() < deadline:
            wasyncore.loop(timeout=0.05, use_poll=True, map=self._map, count=1)

    def _busy(self) -> bool:
        channels = self._server.active_channels.values()
        return any(channel.requests or channel.total_outbufs_len for channel in channels)

    def _close(self) -> None:
        self._server.task_dispatcher.shutdown(timeout=1)
        if self._server.task_dispatcher.threads:
            # one that still answers will pull the trigger: its number must not be another file's by then
            self._server.trigger.del_channel()
        wasyncore.close_all(self._map)


def _listening(host: str, port: int) -> socket.socket:
    """Return a listening socket on the first address that ``host`` means; ``::`` takes IPv4 as well."""
    family, _, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    dual = family == socket.AF_INET6 and address[0] == "::" and socket.has_dualstack_ipv6()
    return socket.create_server((str(address[0]), port), family=family, backlog=1024, dualstack_ipv6=dual)
