"""The world of the benches on loopback: BIND, one pebble, and certdesk as a process of its own."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot import wiring
from bot.config import load
from bot.demo.parts.bind import Bind
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.process import Running, free_port, http_ok
from storage.vault import new_key

LOOPBACK = "127.0.0.1"
STORE = "bench"
HOSTED = "$TTL 60\n@ SOA ns1.platform.test. host.platform.test. 1 60 60 600 60\n@ NS ns1.platform.test.\n@ A 127.0.0.1\n"
BASE: Mapping[str, str] = {"test": HOSTED, "platform.test": HOSTED + "ns1 A 127.0.0.1\n"}


@dataclass(frozen=True, slots=True)
class World:
    """A CA that asks `http_port` of this machine for its challenges, and names that lead there."""

    folder: Path
    bind: Bind
    pebble: Pebble
    http_port: int

    def environment(self, folder: Path) -> dict[str, str]:
        """Return the settings of a certdesk with its own database and files in ``folder``, answering at `http_port`."""
        ca = {
            "name": "pebble",
            "directory": self.pebble.directory,
            "ca_bundle": str(self.pebble.ca_bundle),
            "caa_domains": ["pebble.test"],
        }
        values: dict[str, object] = {
            "CONFIG": str(_empty(folder / "app.yaml")),
            "DATABASE__URL": f"sqlite:///{folder / 'certdesk.db'}",
            "PLATFORM__NAME_SERVERS": ["ns1.platform.test"],
            "PLATFORM__DEFAULT_DOMAINS": ["shops.test"],
            "ACME__CAS": [ca],
            "ACME__CHALLENGES": ["http-01"],
            "DNS__RESOLVERS": [f"{LOOPBACK}:{self.bind.port}"],
            "DNS__DELEGATION_FROM": "resolver",
            "PROBE__ALLOW_NETWORKS": ["127.0.0.0/8"],
            "DEPLOY__TARGETS": [
                {"name": "files", "kind": "files", "directory": str(folder / "certificates")}
            ],
            "HTTP__LISTEN": f"{LOOPBACK}:{self.http_port}",
            "VAULT__KEY": new_key(),
        }
        return variables(values)


def variables(values: Mapping[str, object]) -> dict[str, str]:
    """Return settings as environment variables of certdesk."""
    return {
        f"CERTDESK_{name}": value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }


def _empty(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}\n")
    return path


@contextmanager
def world(folder: Path, names: Sequence[str], *, retry_after: int = 1) -> Iterator[World]:
    """Start BIND, with a zone for each of ``names``, and pebble, which rejects no nonce and does not dawdle."""
    with ExitStack() as stack:
        zones = {**BASE, **dict.fromkeys(names, HOSTED)}
        bind = stack.enter_context(Bind.start(folder / "bind", zones))
        port = free_port()
        pebble = stack.enter_context(
            Pebble.start(
                folder / "pebble",
                dns_server=f"{LOOPBACK}:{bind.port}",
                http_port=port,
                nosleep=True,
                nonce_reject=0,
                retry_after=retry_after,
            )
        )
        yield World(folder, bind, pebble, port)


def run_certdesk(environment: Mapping[str, str], folder: Path, *, seconds: float = 30) -> Running:
    """Start `certdesk run` and return it when it is ready."""
    listen = environment["CERTDESK_HTTP__LISTEN"]
    return Running.start(
        "certdesk",
        [sys.executable, "-m", "bot", "run"],
        log=folder / "certdesk.log",
        ready=http_ok(f"http://{listen}/health/ready"),
        env=environment,
        seconds=seconds,
    )


@contextmanager
def opened(environment: Mapping[str, str]) -> Iterator[wiring.Application]:
    """Yield the parts of a second process on the same database: this one's, which works on nothing by itself."""
    application = wiring.build(load(environment=environment))
    try:
        yield application
    finally:
        application.close()
