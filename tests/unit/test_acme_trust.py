"""Whose certificates, and which proxy, a connection to a CA goes by."""

import ssl
from pathlib import Path

import pytest

from services.issuance.acme.trust import proxies_for, roots

URL = "https://ca.test/directory"


def test_the_bundle_of_the_configuration_comes_first() -> None:
    assert roots("/etc/certdesk/roots.pem") == "/etc/certdesk/roots.pem"


def test_without_one_the_systems_roots_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, folder = tmp_path / "roots.pem", tmp_path / "roots"
    file.write_text("")
    folder.mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("SSL_CERT_DIR", str(folder))
    assert roots(None) == str(file)
    file.unlink()
    assert ssl.get_default_verify_paths().cafile is None
    assert roots(None) is True  # an empty folder trusts nobody: those shipped with requests count
    (folder / "0a1b2c3d.0").write_text("")
    assert roots(None) == str(folder)


def test_the_environment_names_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert proxies_for(URL).get("https") is None
    monkeypatch.setenv("https_proxy", "http://proxy.test:3128")
    assert proxies_for(URL)["https"] == "http://proxy.test:3128"
    monkeypatch.setenv("no_proxy", "ca.test")
    assert proxies_for(URL).get("https") is None
