"""The secrets of a Kubernetes API as its reference describes them, over TLS with a token: what certdesk meets of a cluster.

No API server can be had here as a part, so this one has the rules that the target leans on: optimistic locking by
resourceVersion, dry runs, immutable types, the entries that a secret of type kubernetes.io/tls must have, names as RFC 1123
wants them, preconditions of deletions, and refusals as Status objects.
"""

import base64
import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from bot.demo.parts.tls import issued
from services.deployment.kubernetes import KubernetesSettings, KubernetesTarget

NAMESPACE = "stores"
_SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_SIDES = ("tls.crt", "tls.key")


class RefusedError(Exception):
    """The API refuses, with this status, reason and message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message


class KubernetesWorld:
    """An API without secrets, in whose one namespace a service account may do everything with them."""

    def __init__(self, folder: Path) -> None:
        self.secrets: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        """Method, path and query of each request."""
        self.refusing: RefusedError | None = None
        """What every further write of something new is answered with, but for the first one."""
        self.meddling: list[dict[str, Any]] = []
        """Secrets that others write, one before each of our real writes."""
        self._version, self._writes = 0, 0
        self._lock = threading.Lock()
        self.token_file = folder / "token"
        self.token_file.write_text("a token of the account\n")
        self.ca_file = issued(folder, ["127.0.0.1"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "fullchain.pem", folder / "privkey.pem")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def settings(self, prefix: str = "") -> KubernetesSettings:
        """Return the keys that lead here."""
        return KubernetesSettings(NAMESPACE, prefix, self.url, self.ca_file, self.token_file)

    def target(self, prefix: str = "") -> KubernetesTarget:
        """Return a target of its own."""
        return KubernetesTarget("edge", self.settings(prefix))

    def pair(self, name: str) -> tuple[str, str] | None:
        """Return chain and key of the secret with this name, PEM."""
        found = self.secrets.get(name)
        if found is None:
            return None
        chain, key = (base64.b64decode(found["data"][side]).decode() for side in _SIDES)
        return chain, key

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Let a quota be full after one more secret, as long as the block lasts."""
        message = 'secrets "x" is forbidden: exceeded quota: keys, requested: count/secrets=1'
        self.refusing, self._writes = RefusedError(403, "Forbidden", message), 0
        try:
            yield
        finally:
            self.refusing = None

    def answer(
        self, method: str, target: str, token: str, body: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        """Return status and object of one request."""
        with self._lock:
            self.asked.append(f"{method} {target}")
            try:
                return self._route(method, urlsplit(target), token, body)
            except RefusedError as refused:
                return refused.status, {
                    "kind": "Status",
                    "apiVersion": "v1",
                    "status": "Failure",
                    "message": refused.message,
                    "reason": refused.reason,
                    "code": refused.status,
                }

    def _route(
        self, method: str, target: SplitResult, token: str, body: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        if token != f"Bearer {self.token_file.read_text().strip()}":
            raise RefusedError(401, "Unauthorized", "Unauthorized")
        match = re.fullmatch(r"/api/v1/namespaces/([^/]+)/secrets(?:/([^/]+))?", target.path)
        if match is None:
            raise RefusedError(404, "NotFound", "the server could not find the requested resource")
        space, name = match[1], match[2] or ""
        if space != NAMESPACE:
            message = f'User "certdesk" cannot {method} resource "secrets" in the namespace "{space}"'
            raise RefusedError(403, "Forbidden", f"secrets is forbidden: {message}")
        return self._act(method, name, body, dry=parse_qs(target.query).get("dryRun") == ["All"])

    def _act(self, method: str, name: str, body: dict[str, Any], *, dry: bool) -> tuple[int, dict[str, Any]]:
        if method != "GET" and not dry and self.meddling:
            self.put(self.meddling.pop(0))
        if method == "POST":
            return 201, self._written(body, dry=dry, new=True)
        there = self.secrets.get(name)
        if there is None:
            raise RefusedError(404, "NotFound", f'secrets "{name}" not found')
        if method == "GET":
            return 200, there
        wanted = (body.get("metadata") or body.get("preconditions") or {}).get("resourceVersion")
        if wanted and wanted != there["metadata"]["resourceVersion"]:
            message = f'Operation cannot be fulfilled on secrets "{name}": the object has been modified'
            raise RefusedError(409, "Conflict", message)
        if method == "DELETE":
            del self.secrets[name]
            return 200, {"kind": "Status", "apiVersion": "v1", "status": "Success"}
        if body["type"] != there["type"]:
            raise RefusedError(422, "Invalid", f'Secret "{name}" is invalid: type: field is immutable')
        return 200, self._written(body, dry=dry, new=False)

    def _written(self, body: dict[str, Any], *, dry: bool, new: bool) -> dict[str, Any]:
        name = body["metadata"]["name"]
        if len(name) > 253 or not _SUBDOMAIN.fullmatch(name):
            raise RefusedError(422, "Invalid", f'Secret "{name}" is invalid: metadata.name: Invalid value')
        if body["type"] == "kubernetes.io/tls" and not set(_SIDES) <= set(body["data"]):
            raise RefusedError(422, "Invalid", f'Secret "{name}" is invalid: data[tls.crt]: Required value')
        if new and name in self.secrets:
            raise RefusedError(409, "AlreadyExists", f'secrets "{name}" already exists')
        self._writes += 1
        if self.refusing is not None and self._writes > 1:
            raise self.refusing
        return body if dry else self.put(body)

    def put(self, body: dict[str, Any]) -> dict[str, Any]:
        """Write a secret, whoever does it."""
        self._version += 1
        metadata = {**body["metadata"], "namespace": NAMESPACE, "resourceVersion": str(self._version)}
        made = {**body, "metadata": metadata}
        self.secrets[metadata["name"]] = made
        return made


def _handler(world: KubernetesWorld) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            status, found = world.answer(self.command, self.path, self.headers.get("Authorization", ""), body)
            said = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the names that the library calls

        def log_message(self, *_: object) -> None:
            pass

    return Handler
