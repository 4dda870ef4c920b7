"""What is looked at before certdesk starts: files of roots that app.yaml names, and whether the vault's keys fit."""

import ssl
from collections.abc import Iterator
from pathlib import Path

from bot.config import ConfigurationError, Loaded
from services.model.errors import VaultError
from services.model.text import say
from storage.rewrap import Tables, trial
from storage.vault import Vault


def roots(loaded: Loaded) -> None:
    """Raise ConfigurationError, with a line for each, if a ca_bundle is not there or holds no certificate."""
    wrong = [line for key, path in _bundles(loaded) if (line := _wrong(key, loaded.path(path)))]
    if wrong:
        raise ConfigurationError(
            say("The configuration cannot be used:\n{lines}", lines="\n".join(f"  {line}" for line in wrong))
        )


def _bundles(loaded: Loaded) -> Iterator[tuple[str, Path]]:
    for number, ca in enumerate(loaded.config.acme.cas):
        if ca.ca_bundle is not None:
            yield f"acme.cas[{number}].ca_bundle", ca.ca_bundle
    if loaded.config.probe.ca_bundle is not None:
        yield "probe.ca_bundle", loaded.config.probe.ca_bundle


def _wrong(key: str, path: Path) -> str:
    """Return what is wrong with the PEM file of roots at ``path``; empty if nothing is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=str(path))
    except ssl.SSLError:
        return f"{key}: {path} holds no certificate that can be read; a PEM file of roots is needed"
    except OSError as error:
        return f"{key}: {path} cannot be read ({error.strerror}); a PEM file of roots is needed"
    holds_one = context.cert_store_stats()["x509"] > 0
    return "" if holds_one else f"{key}: {path} holds no certificate; a PEM file of roots is needed"


def secrets(tables: Tables, vault: Vault) -> None:
    """Raise ConfigurationError if the newest secrets of the database are sealed under a key that ``vault`` does not have."""
    try:
        trial(tables, vault)
    except VaultError as error:
        raise ConfigurationError(
            say(
                "vault.key is not the key that this database's secrets are sealed under, or they are damaged. {why} To "
                "change keys, set vault.key to the new one and keep the former one in vault.old_keys until “certdesk keys "
                "rewrap” has wrapped every secret anew.",
                why=error.text,
            )
        ) from None
