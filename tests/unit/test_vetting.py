"""Before certdesk starts it looks whether files of roots are there and whether the vault's key is the database's."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.config import ConfigurationError, Loaded, load
from bot.demo.parts import tls
from bot.wiring import build, open_storage
from services.model.clock import utc_now
from services.ports import Account
from storage.vault import Vault, new_key, parse_key

CAS = "acme: {{cas: [{{name: x, directory: 'https://ca.test/d', ca_bundle: '{bundle}'}}]}}\n"


def loaded(folder: Path, text: str = "", **environment: str) -> Loaded:
    (folder / "app.yaml").write_text("database: {url: 'sqlite:///x.db'}\n" + text, encoding="utf-8")
    given = {"VAULT__KEY": new_key(), **environment}
    return load({f"CERTDESK_{name}": value for name, value in given.items()}, folder)


def refused(found: Loaded) -> str:
    with pytest.raises(ConfigurationError) as error:
        build(found)
    return str(error.value)


def test_roots_that_are_there_and_a_database_without_secrets_let_it_start(tmp_path: Path) -> None:
    tls.self_signed(tmp_path, ["ca.test"])
    bundle = next(file for file in tmp_path.iterdir() if b"BEGIN CERTIFICATE" in file.read_bytes())
    text = CAS.format(bundle=bundle.name) + f"probe: {{ca_bundle: {bundle.name}}}\n"
    build(loaded(tmp_path, text)).close()


def test_files_of_roots_that_are_no_good_are_named_all_at_once(tmp_path: Path) -> None:
    (tmp_path / "words.pem").write_text("no certificate")
    said = refused(loaded(tmp_path, CAS.format(bundle="nowhere.pem") + "probe: {ca_bundle: words.pem}\n"))
    first, second = said.splitlines()[1:]
    here = tmp_path.resolve()
    assert first.startswith(f"  acme.cas[0].ca_bundle: {here}/nowhere.pem cannot be read (No such file")
    assert second.startswith(f"  probe.ca_bundle: {here}/words.pem holds no certificate")
    assert "cannot be read (Is a directory)" in refused(loaded(tmp_path, CAS.format(bundle=".")))


def test_another_vault_key_than_the_databases_is_noticed_at_the_start(tmp_path: Path) -> None:
    old, new = new_key(), new_key()
    storage = open_storage(loaded(tmp_path))
    account = Account("x", "https://ca.test/d", "", b"", utc_now())
    sealed = Vault((parse_key(old),)).seal(b"key", account.binding)
    with storage.write() as tx:
        tx.accounts.add(replace(account, sealed_key=sealed))
    storage.close()
    said = refused(loaded(tmp_path, VAULT__KEY=new))
    assert "vault.old_keys" in said
    assert "certdesk keys rewrap" in said
    assert old not in said
    assert new not in said
    build(loaded(tmp_path, VAULT__KEY=old)).close()
    build(loaded(tmp_path, VAULT__KEY=new, VAULT__OLD_KEYS=old)).close()
