"""The demo's world on this machine: a CA, a DNS server, an edge with three stores, a Slack workspace, and certdesk itself."""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import yaml

from bot.demo.parts import fetch
from bot.demo.parts.bind import TsigKey
from bot.demo.parts.dns_server import DnsServer
from bot.demo.parts.errors import PartError, PartFailed
from bot.demo.parts.local_slack import LocalSlack
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.plain_edge import PlainEdge
from bot.demo.parts.process import Running, free_port, http_ok
from bot.demo.sample import (
    AGENT,
    ALERTS,
    CHANNEL,
    CHANNELS,
    LOOPBACK,
    MERCHANT,
    ONCALL,
    SAMPLE,
    SECOND,
    TEAM,
    THEIRS,
    USERS,
    Sample,
)
from bot.demo.transcript import Transcript
from storage.vault import new_key

CERTDESK = (sys.executable, "-P", "-m", "bot")
"""The words that start certdesk, wherever the caller stands: with `environment` they find this checkout."""
_CHECKOUT = Path(__file__).resolve().parents[2]
AnyEdge = Edge | PlainEdge
Mode = Literal["http", "socket"]
"""By signed requests to certdesk, or over a connection that certdesk opens (Socket Mode)."""


@dataclass(frozen=True, slots=True)
class World:
    """What runs, and how to reach it."""

    folder: Path
    environment: Mapping[str, str]
    """What makes `certdesk …` speak to this world."""
    database_url: str
    edge: AnyEdge
    ca: Pebble
    root: Path
    """PEM of the CA's root."""
    slack: LocalSlack | None
    """None where no workspace is to be had: the terminal takes its place."""
    certdesk: Running
    web: str

    @property
    def environment_file(self) -> Path:
        """The file that sets `environment` in another terminal's shell."""
        return self.folder / "environment"


def start(
    folder: Path,
    stack: ExitStack,
    transcript: Transcript,
    cache: Path = fetch.CACHE,
    *,
    mode: Mode = "http",
    sample: Sample = SAMPLE,
    more: Mapping[str, Mapping[str, object]] = MappingProxyType({}),
) -> World:
    """Start every part, the next after the one it needs; leaving ``stack`` stops them all.

    ``mode`` is how the workspace reaches certdesk; ``sample`` is the platform, and ``more`` are further settings. ``transcript`` is told one line for each part that runs, and for each that is missing. Raises PartError for a part
    without which there is no main job: the CA and certdesk itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    key = TsigKey("certdesk-demo.")
    dns = stack.enter_context(DnsServer(sample.zones, keys=(key,)))
    transcript.done(f"DNS server   {LOOPBACK}:{dns.port}, {len(sample.zones)} zones, takes RFC 2136 updates")
    listen = f"{LOOPBACK}:{free_port()}"
    edge = _edge(folder, stack, listen, sample, transcript, cache)
    pebble = _ca(folder, stack, dns, edge, transcript, cache)
    root = folder / "root.pem"
    root.write_text(pebble.root())
    url = f"http://{listen}/slack/events" if mode == "http" else None
    slack = _workspace(folder, stack, url, transcript, cache)
    database = f"sqlite:///{folder / 'certdesk.db'}"
    settings = _settings(dns, key, edge, pebble, root)
    settings |= {"database": {"url": database}, "http": {"listen": listen}}
    if slack is not None:
        settings["slack"] = _slack_settings(slack, mode)
        settings["alerts"] = {"channel": ALERTS, "support_channel": CHANNEL}
    settings |= {section: dict(keys) for section, keys in more.items()}
    environment = _write_settings(folder, settings)
    with transcript.live("certdesk starts"):
        certdesk = _certdesk(folder, stack, environment, sample, f"http://{listen}")
    if slack is not None:
        for channel, store in sample.links:
            run(environment, "ssl", "link", channel, store)
    transcript.done(f"certdesk     http://{listen}, an SQLite database, a vault key of its own")
    return World(folder, environment, database, edge, pebble, root, slack, certdesk, f"http://{listen}")


def _edge(
    folder: Path, stack: ExitStack, listen: str, sample: Sample, transcript: Transcript, cache: Path
) -> AnyEdge:
    ports = (free_port(), free_port())
    certificates = folder / "certificates"
    try:
        with transcript.live("the edge starts: nginx (the first time it is fetched, without root)"):
            edge: AnyEdge = stack.enter_context(
                Edge.start(
                    folder / "edge",
                    *ports,
                    certificates=certificates,
                    stores=sample.pages,
                    upstream=listen,
                    cache=cache,
                )
            )
    except PartError as error:
        transcript.missing(f"{error} A small edge of certdesk's own takes its place.")
        edge = stack.enter_context(
            PlainEdge.start(
                folder / "plain-edge", *ports, certificates=certificates, stores=sample.pages, upstream=listen
            )
        )
    kind = "nginx" if isinstance(edge, Edge) else "our own"
    where = f"https on {LOOPBACK}:{edge.https_port}"
    transcript.done(f"edge         {kind}, {where}, serves {len(sample.pages)} names")
    return edge


def _ca(
    folder: Path, stack: ExitStack, dns: DnsServer, edge: AnyEdge, transcript: Transcript, cache: Path
) -> Pebble:
    with transcript.live("the CA starts: pebble (the first time it is fetched, without root)"):
        pebble = stack.enter_context(
            Pebble.start(
                folder / "pebble",
                dns_server=f"{LOOPBACK}:{dns.port}",
                http_port=edge.http_port,
                tls_port=edge.https_port,
                nonce_reject=5,
                older=True,
                cache=cache,
            )
        )
    known = f"an older one, without {' and '.join(pebble.lacks)}" if pebble.lacks else "with ARI and profiles"
    name = f"pebble {pebble.version}".rstrip()
    transcript.done(f"CA           {name}, {known}, {pebble.directory}, rejects 5 % of nonces on purpose")
    return pebble


def _workspace(
    folder: Path, stack: ExitStack, url: str | None, transcript: Transcript, cache: Path
) -> LocalSlack | None:
    try:
        with transcript.live("the workspace starts: local-slack (the first time it is fetched, 95 MB)"):
            slack = stack.enter_context(
                LocalSlack.start(
                    folder / "slack",
                    request_url=url,
                    users=USERS,
                    channels=CHANNELS,
                    cache=cache,
                )
            )
    except PartError as error:
        transcript.missing(f"{error} The terminal takes the workspace's place.")
        return None
    how = "signs its requests" if url else "speaks Socket Mode"
    transcript.done(f"Slack        local-slack, {slack.page_url}, {how}; listens on all interfaces")
    return slack


def _certdesk(
    folder: Path, stack: ExitStack, environment: Mapping[str, str], sample: Sample, web: str
) -> Running:
    stores = folder / "stores.csv"
    stores.write_text(sample.stores)
    run(environment, "stores", "import", str(stores))
    return stack.enter_context(started(folder, environment, web))


def started(folder: Path, environment: Mapping[str, str], web: str) -> Running:
    """Start `certdesk run` in this world; return it once it is ready at ``web``. Raises PartFailed."""
    return Running.start(
        "certdesk",
        [*CERTDESK, "run"],
        log=folder / "certdesk.log",
        ready=http_ok(f"{web}/health/ready"),
        env=environment,
    )


def _settings(
    dns: DnsServer, key: TsigKey, edge: AnyEdge, pebble: Pebble, root: Path
) -> dict[str, dict[str, object]]:
    ca = {
        "name": "pebble",
        "directory": pebble.directory,
        "ca_bundle": str(pebble.ca_bundle),
        "caa_domains": ["pebble.test"],
    }
    update = {
        "server": f"{LOOPBACK}:{dns.port}",
        "key_name": key.name,
        "key_secret": key.secret,
        "algorithm": key.algorithm,
    }
    return {
        "platform": {
            "name_servers": ["ns1.platform.test"],
            "addresses": [LOOPBACK],
            "default_domains": ["shops.test"],
            "cname_target": "edge.platform.test",
        },
        "acme": {"cas": [ca]},
        "dns": {
            "resolvers": [f"{LOOPBACK}:{dns.port}"],
            "delegation_from": "resolver",
            "update": update,
        },
        "probe": {
            "http_port": edge.http_port,
            "https_port": edge.https_port,
            "allow_networks": ["127.0.0.0/8"],
            "ca_bundle": str(root),
        },
        "deploy": {"targets": [{"name": "edge", "kind": "files", "directory": str(edge.certificates)}]},
        "vault": {"key": new_key()},
    }


def _slack_settings(slack: LocalSlack, mode: Mode) -> dict[str, object]:
    secret = {"app_token": "xapp-local"} if mode == "socket" else {"signing_secret": "local-signing-secret"}
    return {
        "mode": mode,
        "bot_token": "xoxb-local",
        **secret,
        "api_url": slack.api_url,
        "team": TEAM,
        "support": [AGENT, SECOND],
        "oncall": [ONCALL],
        "merchants": {MERCHANT: [THEIRS]},
        "staff_channels": [CHANNEL, ALERTS],
        "date_tokens": False,  # local-slack shows them as they are written
    }


def _write_settings(folder: Path, settings: Mapping[str, object]) -> dict[str, str]:
    """Write the demo's own app.yaml, and what another terminal needs to use it; return the latter.

    The file holds the demo's vault key: it is for its owner's eyes only.
    """
    path = folder / "app.yaml"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(dict(settings), sort_keys=False))
    (folder / "environment").write_text(f"export CERTDESK_CONFIG={shlex.quote(str(path))}\n")
    return {"CERTDESK_CONFIG": str(path), "PYTHONPATH": str(_CHECKOUT)}


def run(environment: Mapping[str, str], *words: str) -> str:
    """Run `certdesk WORDS` to its end and return what it printed. Raises PartFailed with the end of what went wrong."""
    done = subprocess.run(
        [*CERTDESK, *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        raise PartFailed(f"certdesk {' '.join(words)}", " ".join((done.stderr or done.stdout).split())[-500:])
    return done.stdout
