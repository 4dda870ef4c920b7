"""The commands of whoever runs certdesk: schema, keys, stores, manifest. Each returns the sentence to print."""

from collections.abc import Sequence
from json import dumps
from pathlib import Path
from typing import Any

from bot import settings, wiring
from bot.config import load
from services import naming
from services.model import names
from services.model.settings import Platform
from services.model.stores import Domain, Store
from services.registry import importing
from storage.rewrap import rewrap
from storage.vault import Vault


def migrate_database() -> str:
    """Bring the schema up to date and say so."""
    wiring.open_storage(load(), migrate=True).close()
    return "The database's schema is up to date."


def print_manifest(url: str) -> str:
    """Return the Slack app manifest as YAML."""
    import yaml  # noqa: PLC0415 - only here

    from bot.slack.manifest import manifest  # noqa: PLC0415

    return str(
        yaml.safe_dump(manifest(settings.slack(load()), url), sort_keys=False, allow_unicode=True)
    ).rstrip()


def rewrap_secrets() -> str:
    """Wrap every secret under the present key."""
    loaded = load()
    vault = Vault(wiring.vault_keys(loaded))
    storage = wiring.open_storage(loaded)
    try:
        count = rewrap(storage, vault)
    finally:
        storage.close()
    if count:
        return (
            f"{count} secrets are wrapped under the present key now. Restart every certdesk that runs with a former key, "
            "and run this again until it finds none; then take that key out of vault.old_keys."
        )
    return "Every secret is wrapped under the present key. A former key can be taken out of vault.old_keys."


def import_file(path: Path) -> str:
    """Take stores and domains from ``path``."""
    storage = wiring.open_storage(load())
    try:
        done = importing.import_stores(storage, path)
    finally:
        storage.close()
    read = f"{_counted(done.stores, 'store')} with {_counted(done.domains, 'domain')} read"
    if not done.changed:
        return f"{read}; nothing to change: certdesk knows them as the file has them."
    stores, domains = done.changed_stores, done.changed - done.changed_stores
    return f"{read}; new or changed: {_counted(stores, 'store')}, {_counted(domains, 'domain')}."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def list_stores(*, as_json: bool = False) -> str:
    """Return one line for each store; as JSON the list that ``stores import`` reads."""
    storage = wiring.open_storage(load())
    try:
        with storage.read() as tx:
            rows = [(store, tx.stores.domains(store.id)) for store in tx.stores.all()]
    finally:
        storage.close()
    if as_json:
        return dumps([_store_as_json(store, domains) for store, domains in rows], indent=2)
    if not rows:
        return "There are no stores yet. Take them from a file with “certdesk stores import FILE”."
    return "\n".join(_store_as_line(store, domains) for store, domains in rows)


def _store_as_line(store: Store, domains: Sequence[Domain]) -> str:
    names = ", ".join(d.name + (" (default)" if d.default else "") for d in domains) or "no domains"
    tags = f"; tags: {' '.join(store.tags)}" if store.tags else ""
    return f"{store.id:<20} {store.status.value:<9} {store.locale:<6} {names}{tags}"


def _store_as_json(store: Store, domains: Sequence[Domain]) -> dict[str, Any]:
    names = [{"name": domain.name, "default": domain.default} for domain in domains]
    return {
        "store": store.id,
        "status": store.status.value,
        "locale": store.locale,
        "tags": list(store.tags),
        "domains": names,
    }


def set_store_status(store: str, status: str) -> str:
    """Set the status of a store."""
    storage = wiring.open_storage(load())
    try:
        importing.set_status(storage, store, status)
    finally:
        storage.close()
    return f"Store {store} is {status} now."


def add_store_domain(store: str, name: str) -> str:
    """Add a domain to a store, and say whether a certificate can be had for it."""
    loaded = load()
    storage = wiring.open_storage(loaded)
    try:
        domain = importing.add_domain(storage, store, name)
    finally:
        storage.close()
    return f"{domain.name} belongs to store {domain.store} now. {_next(domain, settings.platform(loaded))}"


def _next(domain: Domain, platform: Platform) -> str:
    """Return what can be done about the domain's certificate, as far as its name and its store's default ones go."""
    if domain.default or names.under_any(domain.name, platform.default_domains):
        return "It is a default domain of the platform, and those get no certificate here."
    if naming.is_public_suffix(domain.name):
        return "It is a public suffix, for which no CA issues; add the domain that is registered below it."
    return f"Ask for its certificate with “certdesk ssl add {domain.name}”."
