"""certdesk as people run it: `python -m bot …` child processes in an environment of their own, on the real parts."""

import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509

from bot.demo.parts.bind import Bind
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.process import Running, http_ok
from services.issuance.chain import serial_hex
from storage.vault import new_key

LOOPBACK = "127.0.0.1"
STORES = """store,status,locale,domain,default
moon,active,ko-KR,moon.shops.test,true
moon,active,ko-KR,moon.test,false
moon,active,ko-KR,shop.moon.test,false
moon,active,ko-KR,wild.moon.test,false
sun,inactive,en,sun.shops.test,true
sun,inactive,en,sun.test,false
"""


@dataclass
class Desk:
    """One certdesk: a folder, an environment, and its commands."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def set(self, **values: object) -> None:
        """Set configuration keys: DNS__TIMEOUT=1 is CERTDESK_DNS__TIMEOUT; lists and maps become JSON."""
        for name, value in values.items():
            text = value if isinstance(value, str) else json.dumps(value)
            self.environment[f"CERTDESK_{name}"] = text

    def run(self, *words: str, seconds: float = 60) -> "subprocess.CompletedProcess[str]":
        """Run `certdesk WORDS` to its end."""
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "bot", *words],
            env=self._env(),
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )

    def ssl(self, *words: str) -> tuple[int, Any]:
        """Run `certdesk ssl WORDS --json` and return its exit code and what it printed."""
        done = self.run("ssl", *words, "--json")
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def one(self, *words: str) -> dict[str, Any]:
        """Run `certdesk ssl WORDS --json`, which must succeed, and return the only certificate of its answer."""
        code, data = self.ssl(*words)
        assert code == 0, data
        [found] = data["certificates"]
        assert isinstance(found, dict)
        return found

    def status(self, name: str) -> dict[str, Any]:
        """Run `certdesk ssl status NAME --json`, which must succeed, and return its answer."""
        code, data = self.ssl("status", name)
        assert code == 0, data
        assert isinstance(data, dict)
        return data

    def start(self, word: str, number: int = 1) -> Running:
        """Start `certdesk run|serve|work` and wait until it is at work."""
        log = self.folder / f"{word}-{number}.log"
        listens = word != "work"
        listen = self.environment["CERTDESK_HTTP__LISTEN"]
        ready = http_ok(f"http://{listen}/health/ready") if listens else lambda: True
        words = [sys.executable, "-m", "bot", word]
        return Running.start(f"certdesk {word}", words, log=log, ready=ready, env=self._env())

    def _env(self) -> Mapping[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("CERTDESK_")}
        return {**inherited, **self.environment, "CERTDESK_CONFIG": str(self.folder / "app.yaml")}


def desk_on(folder: Path, bind: Bind, edge: Edge, pebble: Pebble) -> Desk:
    """Return a certdesk for the given parts, with two stores imported and a database of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "app.yaml").write_text("log:\n  format: text\n")
    (folder / "stores.csv").write_text(STORES)
    root = folder / "root.pem"
    root.write_text(pebble.root())
    dns = f"{bind.addresses[0]}:{bind.port}"
    key = bind.key
    made = Desk(folder)
    made.set(
        DATABASE__URL=f"sqlite:///{folder / 'certdesk.db'}",
        PLATFORM__NAME_SERVERS=["ns1.moon.test"],
        PLATFORM__ADDRESSES=[LOOPBACK],
        PLATFORM__DEFAULT_DOMAINS=["shops.test"],
        ACME__CAS=[{"name": "pebble", "directory": pebble.directory, "ca_bundle": str(pebble.ca_bundle)}],
        DNS__RESOLVERS=[dns],
        DNS__DELEGATION_FROM="resolver",
        DNS__UPDATE={
            "server": dns,
            "key_name": key.name,
            "key_secret": key.secret,
            "algorithm": key.algorithm,
        },
        PROBE__HTTP_PORT=edge.http_port,
        PROBE__HTTPS_PORT=edge.https_port,
        PROBE__ALLOW_NETWORKS=["127.0.0.0/8"],
        PROBE__CA_BUNDLE=str(root),
        HTTP__LISTEN=edge.upstream,
        DEPLOY__TARGETS=[{"name": "edge", "kind": "files", "directory": str(edge.certificates)}],
        VAULT__KEY=new_key(),
    )
    return made


def imported(desk: Desk) -> Desk:
    """Return the desk with its file of stores taken in."""
    done = desk.run("stores", "import", str(desk.folder / "stores.csv"))
    assert done.returncode == 0, done.stderr
    return desk


def served(edge: Edge, name: str, root: Path) -> str:
    """Return the serial that the edge serves for ``name``; its chain must lead to ``root`` and its name must fit."""
    context = ssl.create_default_context(cafile=str(root))
    with (
        socket.create_connection((LOOPBACK, edge.https_port), timeout=10) as connection,
        context.wrap_socket(connection, server_hostname=name) as tls,
    ):
        leaf = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True) or b"")
    return serial_hex(leaf.serial_number)
