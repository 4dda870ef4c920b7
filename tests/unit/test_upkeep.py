"""What whoever runs certdesk is told of stores and domains: right counts, the list as it can be read again, no false hopes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app

ROWS = """\
store,status,locale,domain,default
moon,active,ko-KR,shop.moon.test,false
moon,active,ko-KR,moon.shops.test,true
sun,inactive,en,sun.test,false
"""


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file of two stores, beside a configuration of its own."""
    (tmp_path / "app.yaml").write_text("platform: {default_domains: [shops.test]}\n", encoding="utf-8")
    monkeypatch.setenv("CERTDESK_CONFIG", str(tmp_path / "app.yaml"))
    monkeypatch.setenv("CERTDESK_DATABASE__URL", f"sqlite:///{tmp_path}/certdesk.db")
    file = tmp_path / "stores.csv"
    file.write_text(ROWS, encoding="utf-8")
    return file


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def said(*words: str | Path) -> str:
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def test_an_import_counts_stores_and_domains(stores: Path) -> None:
    read = "2 stores with 3 domains read"
    assert said("stores", "import", stores) == f"{read}; new or changed: 2 stores, 3 domains."
    again = said("stores", "import", stores)
    assert again == f"{read}; nothing to change: certdesk knows them as the file has them."
    stores.write_text("\n".join(ROWS.splitlines()[:2]).replace("ko-KR", "ja"), encoding="utf-8")
    assert (
        said("stores", "import", stores) == "1 store with 1 domain read; new or changed: 1 store, 0 domains."
    )


def test_the_list_as_json_is_what_import_reads(stores: Path) -> None:
    assert said("stores", "list", "--json") == "[]"
    said("stores", "import", stores)
    listed = said("stores", "list", "--json")
    assert json.loads(listed)[1] == {
        "store": "sun",
        "status": "inactive",
        "locale": "en",
        "tags": [],
        "domains": [{"name": "sun.test", "default": False}],
    }
    again = stores.with_suffix(".json")
    again.write_text(listed, encoding="utf-8")
    assert "nothing to change" in said("stores", "import", again)


def test_a_command_of_ssl_without_the_ssl_is_put_right() -> None:
    wrong = run("alerts", "1")
    assert wrong.exit_code == 2
    assert "type: certdesk ssl alerts" in wrong.stderr
    assert "No such command 'alrts'" in run("alrts").stderr


def test_the_list_shows_the_tags_of_a_store(stores: Path) -> None:
    header, *rows = ROWS.splitlines()
    tagged = [f"{header},tags", *(f"{row},{'asia big' if row.startswith('moon') else ''}" for row in rows)]
    stores.write_text("\n".join(tagged), encoding="utf-8")
    said("stores", "import", stores)
    moon, sun = said("stores", "list").splitlines()
    assert moon.endswith("; tags: asia big")
    assert "tags" not in sun


def test_a_status_that_is_none_is_a_wrong_use_and_the_right_ones_are_named(stores: Path) -> None:
    said("stores", "import", stores)
    wrong = run("stores", "set-status", "moon", "bogus")
    assert wrong.exit_code == 2
    assert "“bogus” is no status: it is one of active, inactive, deleted." in wrong.stderr
    assert said("stores", "set-status", "moon", "Inactive") == "Store moon is inactive now."


@pytest.mark.parametrize(
    ("name", "next_"),
    [
        ("www.sun.test", "Ask for its certificate with “certdesk ssl add www.sun.test”."),
        ("co.uk", "It is a public suffix, for which no CA issues"),
        ("sun.shops.test", "It is a default domain of the platform"),
    ],
)
def test_an_added_domain_is_said_to_get_a_certificate_only_if_it_can(
    stores: Path, name: str, next_: str
) -> None:
    said("stores", "import", stores)
    answer = said("domains", "add", "sun", name)
    assert answer.startswith(f"{name} belongs to store sun now. {next_}")


@pytest.mark.parametrize(("url", "socket"), [((), True), (("https://certdesk.example.com",), False)])
def test_the_manifest_needs_no_configuration_of_slack(
    stores: Path, url: tuple[str, ...], *, socket: bool
) -> None:
    assert stores.exists()
    assert f"socket_mode_enabled: {str(socket).lower()}" in said("manifest", *url)
