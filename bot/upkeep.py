"""The commands of whoever runs certdesk: schema, keys, stores, manifest. Each returns the sentence to print."""

from pathlib import Path

from bot import wiring
from bot.config import load
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

    from bot import settings  # noqa: PLC0415 - Slack's libraries are loaded only where Slack is spoken
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
    if not done.changed:
        return f"Nothing to change: {done.stores} stores with {done.domains} domains are known as the file has them."
    return f"{done.stores} stores with {done.domains} domains read; {done.changed} rows were new or changed."


def list_stores() -> str:
    """Return one line for each store."""
    storage = wiring.open_storage(load())
    try:
        with storage.read() as tx:
            rows = [(store, tx.stores.domains(store.id)) for store in tx.stores.all()]
    finally:
        storage.close()
    if not rows:
        return "There are no stores yet. Take them from a file with “certdesk stores import FILE”."
    names = [
        (s, ", ".join(d.name + (" (default)" if d.default else "") for d in ds) or "no domains")
        for s, ds in rows
    ]
    return "\n".join(
        f"{store.id:<20} {store.status.value:<9} {store.locale:<6} {text}" for store, text in names
    )


def set_store_status(store: str, status: str) -> str:
    """Set the status of a store."""
    storage = wiring.open_storage(load())
    try:
        importing.set_status(storage, store, status)
    finally:
        storage.close()
    return f"Store {store} is {status} now."


def add_store_domain(store: str, name: str) -> str:
    """Add a domain to a store."""
    storage = wiring.open_storage(load())
    try:
        domain = importing.add_domain(storage, store, name)
    finally:
        storage.close()
    return f"{domain.name} belongs to store {domain.store} now. Ask for its certificate with “certdesk ssl add {domain.name}”."
