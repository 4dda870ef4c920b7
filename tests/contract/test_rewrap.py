"""Every secret of the database goes under the new key, a few rows at a time, and can be stopped halfway."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from services.model.errors import VaultError
from storage.database import Database
from storage.rewrap import rewrap, trial
from storage.vault import Vault
from tests.contract import samples
from tests.contract.samples import add

OLD, NEW = bytes([1]) * 32, bytes([2]) * 32
REVISIONS = 7


def _fill(database: Database) -> None:
    vault = Vault([OLD])
    add(database, samples.certificate())
    with database.write() as tx:
        for number in range(REVISIONS):
            revision = samples.revision(number)
            sealed = vault.seal(b"key %d" % number, revision.key_binding)
            tx.certificates.put_revision(samples.revision(number, sealed_key=sealed))
        for directory in ("https://a.test/", "https://b.test/"):
            account = samples.account(directory)
            tx.accounts.add(samples.account(directory, sealed_key=vault.seal(b"account", account.binding)))


def _opened(database: Database, vault: Vault) -> list[bytes]:
    with database.read() as tx:
        revisions = tx.certificates.revisions("cert_001")
        accounts = [tx.accounts.get(directory) for directory in ("https://a.test/", "https://b.test/")]
    secrets = [vault.open(revision.sealed_key, revision.key_binding) for revision in reversed(revisions)]
    return secrets + [vault.open(account.sealed_key, account.binding) for account in accounts if account]


def test_every_secret_opens_with_the_new_key_alone(database: Database) -> None:
    _fill(database)
    before = _opened(database, Vault([OLD]))
    assert rewrap(database, Vault([NEW, OLD]), batch=3) == REVISIONS + 2
    assert _opened(database, Vault([NEW])) == before
    assert database.rewrap(Vault([NEW, OLD])) == 0


def test_a_trial_fails_with_another_key_and_changes_nothing(database: Database) -> None:
    trial(database, Vault([NEW]))  # nothing is sealed yet
    _fill(database)
    before = _opened(database, Vault([OLD]))
    with pytest.raises(VaultError, match="was not given"):
        trial(database, Vault([NEW]))
    trial(database, Vault([NEW, OLD]))
    assert _opened(database, Vault([OLD])) == before
    rewrap(database, Vault([NEW, OLD]))
    trial(database, Vault([NEW]))


def test_a_run_that_stopped_halfway_is_taken_up_again(database: Database) -> None:
    """A damaged secret stops the first run; what came before it is done, and the next run does the rest alone."""
    _fill(database)
    with database.write() as tx:
        good = tx.certificates.revision("rev_4")
        tx.certificates.put_revision(samples.revision(4, csr="damaged", sealed_key=b"damaged"))
    assert good is not None
    with pytest.raises(VaultError):
        rewrap(database, Vault([NEW, OLD]), batch=2)
    with database.write() as tx:
        tx.certificates.put_revision(good)
    assert rewrap(database, Vault([NEW, OLD]), batch=2) == REVISIONS + 2 - 4
    assert len(_opened(database, Vault([NEW]))) == REVISIONS + 2


def test_a_secret_that_is_replaced_meanwhile_is_not_overwritten(database: Database) -> None:
    """A key that was written between the look at a row and its re-wrap is the newer one."""
    _fill(database)
    newer = samples.account(
        "https://a.test/", sealed_key=Vault([NEW]).seal(b"newer", "account:https://a.test/:key")
    )

    class Overtaken:
        """The page of accounts, which comes after that of revisions, is overtaken between look and re-wrap."""

        reading = staticmethod(database.reading)
        turns = 0

        @contextmanager
        def writing(self) -> Iterator[Connection]:
            self.turns += 1
            if self.turns == 2:
                with database.write() as tx:
                    tx.accounts.replace(newer)
            with database.writing() as connection:
                yield connection

    overtaken = Overtaken()
    assert rewrap(overtaken, Vault([NEW, OLD])) == REVISIONS + 1
    assert overtaken.turns == 2
    with database.read() as tx:
        assert tx.accounts.get("https://a.test/") == newer
