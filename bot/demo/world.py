"""The demo's world on this machine: a CA, a DNS server, an edge with three stores, a Slack workspace, and certdesk itself."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bot.demo.parts import nginx
from bot.demo.parts.bind import TsigKey
from bot.demo.parts.dns_server import DnsServer
from bot.demo.parts.errors import PartError, PartFailed
from bot.demo.parts.local_slack import LocalSlack
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.process import Running, free_port, http_ok
from storage.vault import new_key

LOOPBACK = "127.0.0.1"
NAME = "shop.moon.test"
"""The name that the main job is played for."""
AGENT = "U0AGENT"
CHANNEL = "C0SUPPORT"
USERS = (
    {
        "id": AGENT,
        "name": "mina",
        "real_name": "Mina (support)",
        "email": "mina@platform.test",
        "tz": "Asia/Seoul",
    },
    {
        "id": "U0GUEST",
        "name": "guest",
        "real_name": "A visitor",
        "email": "guest@elsewhere.test",
        "tz": "Europe/Paris",
    },
)
CHANNELS = ({"id": CHANNEL, "name": "ssl-support", "is_private": False, "members": [AGENT, "U0GUEST"]},)
STORES = """store,status,locale,domain,default
moon,active,ko-KR,moon.shops.test,true
moon,active,ko-KR,shop.moon.test,false
moon,active,ko-KR,moon.test,false
sun,active,en,sun.shops.test,true
sun,active,en,sun.test,false
comet,active,en,comet.shops.test,true
comet,active,en,comet.test,false
"""
HOSTED = "$TTL 60\n@ SOA ns1.platform.test. host.platform.test. 1 60 60 600 60\n@ NS ns1.platform.test.\n@ A 127.0.0.1\n"
ZONES: Mapping[str, str] = {
    "platform.test": HOSTED + "ns1 A 127.0.0.1\nedge A 127.0.0.1\n",
    "moon.test": HOSTED + "shop A 127.0.0.1\nwww A 127.0.0.1\nwww.shop A 127.0.0.1\n",
    "sun.test": HOSTED + "www A 127.0.0.1\n",
    # the merchant of this one has not moved its DNS to the platform yet
    "comet.test": "$TTL 60\n@ SOA ns1.elsewhere.test. host.elsewhere.test. 1 60 60 600 60\n@ NS ns1.elsewhere.test.\n@ A 192.0.2.7\n",
    "elsewhere.test": HOSTED.replace("platform", "elsewhere") + "ns1 A 127.0.0.1\n",
}
PAGES = {
    "shop.moon.test": nginx.store_page("Moon"),
    "www.shop.moon.test": nginx.store_page("Moon"),
    "moon.test": nginx.store_page("Moon"),
    "sun.test": nginx.store_page("Sun"),
    "www.sun.test": nginx.store_page("Sun"),
    "comet.test": nginx.store_page("Comet"),
}


@dataclass(frozen=True, slots=True)
class World:
    """What runs, and how to reach it."""

    folder: Path
    environment: Mapping[str, str]
    """What makes `certdesk …` speak to this world from another terminal."""
    edge: Edge
    root: Path
    """PEM of the CA's root."""
    slack: LocalSlack | None
    """None where no workspace is to be had: the terminal takes its place."""
    certdesk: Running
    web: str


def start(folder: Path, stack: ExitStack, say: Callable[[str], None]) -> World:
    """Start every part, the next after the one it needs; leaving ``stack`` stops them all.

    ``say`` is told one line for each part that runs, and for each that is missing. Raises PartError for a part
    without which there is no main job: the CA and the edge.
    """
    folder.mkdir(parents=True, exist_ok=True)
    key = TsigKey("certdesk-demo.")
    dns = stack.enter_context(DnsServer(ZONES, keys=(key,)))
    say(
        f"DNS server      {LOOPBACK}:{dns.port}, authoritative for {', '.join(ZONES)}; takes RFC 2136 updates"
    )
    listen = f"{LOOPBACK}:{free_port()}"
    edge = stack.enter_context(
        Edge.start(
            folder / "edge",
            free_port(),
            free_port(),
            certificates=folder / "certificates",
            stores=PAGES,
            upstream=listen,
        )
    )
    say(
        f"edge            nginx, https on {LOOPBACK}:{edge.https_port}, serves {len(PAGES)} names of 3 stores"
    )
    pebble = stack.enter_context(
        Pebble.start(
            folder / "pebble",
            dns_server=f"{LOOPBACK}:{dns.port}",
            http_port=edge.http_port,
            tls_port=edge.https_port,
            nonce_reject=5,
        )
    )
    root = folder / "root.pem"
    root.write_text(pebble.root())
    say(f"CA              pebble, {pebble.directory}, rejects 5 % of nonces on purpose")
    slack = _workspace(folder, stack, listen, say)
    environment = {
        **_settings(folder, dns, key, edge, pebble, root),
        **(_slack_settings(slack) if slack else {}),
        "CERTDESK_HTTP__LISTEN": listen,
    }
    _write_environment(folder, environment)
    stores = folder / "stores.csv"
    stores.write_text(STORES)
    run(environment, "stores", "import", str(stores))
    web = f"http://{listen}"
    certdesk = stack.enter_context(
        Running.start(
            "certdesk",
            [sys.executable, "-m", "bot", "run"],
            log=folder / "certdesk.log",
            ready=http_ok(f"{web}/health/ready"),
            env=environment,
        )
    )
    say(f"certdesk        {web}, an SQLite database, a vault key of its own")
    return World(folder, environment, edge, root, slack, certdesk, web)


def _workspace(folder: Path, stack: ExitStack, listen: str, say: Callable[[str], None]) -> LocalSlack | None:
    try:
        slack = stack.enter_context(
            LocalSlack.start(
                folder / "slack", request_url=f"http://{listen}/slack/events", users=USERS, channels=CHANNELS
            )
        )
    except PartError as error:
        say(f"Slack           none: {error} The terminal takes its place.")
        return None
    say(f"Slack           a local workspace, {slack.page_url}, signs its requests as Slack does")
    return slack


def _settings(
    folder: Path, dns: DnsServer, key: TsigKey, edge: Edge, pebble: Pebble, root: Path
) -> dict[str, str]:
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
    values: dict[str, object] = {
        "DATABASE__URL": f"sqlite:///{folder / 'certdesk.db'}",
        "PLATFORM__NAME_SERVERS": ["ns1.platform.test"],
        "PLATFORM__ADDRESSES": [LOOPBACK],
        "PLATFORM__DEFAULT_DOMAINS": ["shops.test"],
        "PLATFORM__CNAME_TARGET": "edge.platform.test",
        "ACME__CAS": [ca],
        "DNS__RESOLVERS": [f"{LOOPBACK}:{dns.port}"],
        "DNS__DELEGATION_FROM": "resolver",
        "DNS__UPDATE": update,
        "PROBE__HTTP_PORT": edge.http_port,
        "PROBE__HTTPS_PORT": edge.https_port,
        "PROBE__ALLOW_NETWORKS": ["127.0.0.0/8"],
        "PROBE__CA_BUNDLE": str(root),
        "DEPLOY__TARGETS": [{"name": "edge", "kind": "files", "directory": str(edge.certificates)}],
        "VAULT__KEY": new_key(),
    }
    return {
        f"CERTDESK_{name}": value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }


def _slack_settings(slack: LocalSlack) -> dict[str, str]:
    return {
        "CERTDESK_SLACK__MODE": "http",
        "CERTDESK_SLACK__BOT_TOKEN": "xoxb-local",
        "CERTDESK_SLACK__SIGNING_SECRET": "local-signing-secret",
        "CERTDESK_SLACK__API_URL": slack.api_url,
        "CERTDESK_SLACK__TEAM": "T0MOON",
        "CERTDESK_SLACK__SUPPORT": json.dumps([AGENT]),
    }


def _write_environment(folder: Path, environment: Mapping[str, str]) -> None:
    """Keep what another terminal needs to speak to this world. It holds the demo's vault key: for the owner's eyes only."""
    path = folder / "environment"
    path.touch(mode=0o600)
    path.write_text("".join(f"export {name}='{value}'\n" for name, value in environment.items()))


def run(environment: Mapping[str, str], *words: str) -> str:
    """Run `certdesk WORDS` to its end and return what it printed. Raises PartFailed with the end of what went wrong."""
    done = subprocess.run(
        [sys.executable, "-m", "bot", *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        raise PartFailed(f"certdesk {' '.join(words)}", " ".join((done.stderr or done.stdout).split())[-500:])
    return done.stdout
