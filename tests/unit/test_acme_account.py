"""The ACME account's key: one for all processes, sealed; what cannot be opened is a fault of ours, not of the CA."""

import os
from dataclasses import replace

import pytest

from services.issuance.acme.account import AccountDesk
from services.model.clock import utc_now
from services.model.errors import VaultError
from services.model.settings import CaSettings
from storage.memory.storage import MemoryStorage
from storage.vault import Vault

CA = CaSettings(name="ca", directory="https://ca.test/directory")
VAULT = Vault((os.urandom(32),))


def desk(storage: MemoryStorage, vault: Vault = VAULT) -> AccountDesk:
    return AccountDesk(CA, storage, vault, utc_now)


def test_every_process_has_the_same_key() -> None:
    storage = MemoryStorage()
    assert desk(storage).key_authorization("token") == desk(storage).key_authorization("token")


def test_another_vault_key_is_a_fault_of_the_vault_with_what_to_do() -> None:
    storage = MemoryStorage()
    desk(storage).key_authorization("token")
    with pytest.raises(VaultError, match=r"vault\.old_keys"):
        desk(storage, Vault((os.urandom(32),))).key_authorization("token")


def test_what_is_sealed_and_no_key_is_a_fault_of_the_vault_too() -> None:
    storage = MemoryStorage()
    desk(storage).key_authorization("token")
    with storage.write() as tx:
        account = tx.accounts.get(CA.directory)
        assert account is not None
        tx.accounts.replace(replace(account, sealed_key=VAULT.seal(b"no key", account.binding)))
    with pytest.raises(VaultError, match="ACME account at ca is no private key"):
        desk(storage).key_authorization("token")
