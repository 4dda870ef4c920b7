"""The lab's domains through the command line: `certdesk ssl check NAME --json`, each in a process of its own."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from services.model.clock import utc_now
from services.model.names import base
from services.model.settings import CaSettings
from services.model.stores import Domain, Store
from services.ports import Account
from storage.database import Database
from storage.vault import Vault, parse_key
from tests.faults.lab import ACCOUNT, PLATFORM, RESOLVER, Lab, Scenario

AT_ONCE = 4
"""Processes at the same time."""
PATIENCE = 60
"""Seconds that one process may take."""


def check_all(lab: Lab, folder: Path, scenarios: Iterable[Scenario]) -> dict[str, dict[str, Any]]:
    """Return what the command says of each scenario's name; those with the same CAs share a database."""
    groups: dict[tuple[CaSettings, ...], list[Scenario]] = {}
    for scenario in scenarios:
        groups.setdefault(scenario.cas, []).append(scenario)
    work = [
        (scenario.name, environment)
        for number, (cas, members) in enumerate(groups.items())
        for environment in [_environment(lab, folder / str(number), cas, members)]
        for scenario in members
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = pool.map(lambda one: check(*one), work)
        return {name: found for (name, _), found in zip(work, said, strict=True)}


def check(name: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Run the command and return its object; the exit code must be 1 if a finding blocks, else 0."""
    done = subprocess.run(  # noqa: S603 - our own program with a name of the lab
        [sys.executable, "-m", "bot", "ssl", "check", "--json", "--", name],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    blocked = any(finding["verdict"] == "block" for finding in found["findings"])
    assert done.returncode == int(blocked), done.stdout
    return found


def _environment(
    lab: Lab, folder: Path, cas: tuple[CaSettings, ...], members: Iterable[Scenario]
) -> dict[str, str]:
    folder.mkdir(parents=True)
    key = base64.b64encode(lab.vault_key).decode()  # the lab's edge answers for whoever has it
    (folder / "app.yaml").write_text(yaml.safe_dump(_configuration(lab, folder, cas)))
    _fill(folder, Vault((parse_key(key),)), cas, members)
    return {"CERTDESK_CONFIG": str(folder / "app.yaml"), "CERTDESK_VAULT__KEY": key}


def _configuration(lab: Lab, folder: Path, cas: tuple[CaSettings, ...]) -> dict[str, Any]:
    """Return the lab's world as app.yaml has it; the same values as `Lab.world` gives to the chain."""
    world = lab.world(cas)
    return {
        "database": {"url": f"sqlite:///{folder / 'certdesk.db'}"},
        "platform": {
            "name_servers": list(PLATFORM.name_servers),
            "addresses": [str(address) for address in PLATFORM.addresses],
            "default_domains": list(PLATFORM.default_domains),
            "cname_target": PLATFORM.cname_target,
        },
        "acme": {
            "cas": [
                {"name": ca.name, "directory": ca.directory, "caa_domains": list(ca.caa_domains)}
                for ca in cas
            ]
        },
        "dns": {
            "resolvers": [f"{RESOLVER}:{lab.port}"],
            "timeout": 1.5,
            "authority_port": lab.port,
            "update": {"server": RESOLVER, "key_name": "certdesk", "key_secret": "c2VjcmV0"},
        },
        "rdap": {"servers": {"test": lab.rdap.url}, "timeout": 1.0},
        "probe": {
            "http_port": world.probing.http_port,
            "https_port": world.probing.https_port,
            "timeout": world.probing.timeout,
            "allow_networks": [str(network) for network in world.probing.allow_networks],
        },
    }


def _fill(folder: Path, vault: Vault, cas: tuple[CaSettings, ...], members: Iterable[Scenario]) -> None:
    """Put the store, its domains and an account at each CA into the database."""
    storage = Database.open(f"sqlite:///{folder / 'certdesk.db'}")
    now = utc_now()
    with storage.write() as tx:
        tx.stores.put(Store("moon"))
        for name in {base(scenario.name) for scenario in members}:
            tx.stores.put_domain(Domain(name, "moon"))
        for ca in cas:
            account = Account(ca.name, ca.directory, ACCOUNT, b"", now)
            sealed = vault.seal(b"no key is needed to look", account.binding)
            tx.accounts.add(Account(ca.name, ca.directory, ACCOUNT, sealed, now))
    storage.close()
