"""`certdesk ssl …` in a terminal: its own options, and what its help and its JSON say of them."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.shell import OPTIONS, UsageError, options
from storage.vault import new_key


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a certdesk of its own, with two stores."""
    (tmp_path / "app.yaml").write_text("{}\n", encoding="utf-8")
    monkeypatch.setenv("CERTDESK_CONFIG", str(tmp_path / "app.yaml"))
    monkeypatch.setenv("CERTDESK_DATABASE__URL", f"sqlite:///{tmp_path}/certdesk.db")
    monkeypatch.setenv("CERTDESK_VAULT__KEY", new_key())
    rows = "store,status,locale,domain,default\nmoon,active,en,shop.moon.test,false\nsun,active,en,sun.test,false\n"
    (tmp_path / "stores.csv").write_text(rows, encoding="utf-8")
    assert ssl("import", tmp_path / "stores.csv", command="stores").exit_code == 0
    return tmp_path


def ssl(*words: str | Path, command: str = "ssl") -> Result:
    return CliRunner().invoke(app, [command, *(str(word) for word in words)])


def answered(*words: str) -> tuple[int, dict[str, Any]]:
    result = ssl(*words, "--json")
    return result.exit_code, json.loads(result.stdout)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("add a.test --json", (("add", "a.test"), True, False, 600.0)),
        ("--json add a.test --wait --timeout 5", (("add", "a.test"), True, True, 5.0)),
        ("check --json -- --json --wait", (("check", "--", "--json", "--wait"), True, False, 600.0)),
        ("", ((), False, False, 600.0)),
    ],
)
def test_the_terminals_own_options_are_taken_out(given: str, read: tuple[Any, ...]) -> None:
    assert options(tuple(given.split())) == read


def test_a_time_out_is_a_number() -> None:
    with pytest.raises(UsageError, match="needs a number of seconds"):
        options(("add", "--timeout"))


def test_help_speaks_of_the_terminals_own_options(desk: Path) -> None:
    assert desk.exists()
    for words in ([], ["help"], ["help", "add"]):
        result = ssl(*words)
        assert result.exit_code == 0
        assert all(option in result.stdout for option, _ in OPTIONS)
    code, data = answered("help")
    assert code == 0
    assert [one["option"] for one in data["options"]] == [option for option, _ in OPTIONS]
    assert "/ssl" not in str(data)


def test_a_word_behind_a_double_hyphen_is_a_name(desk: Path) -> None:
    assert desk.exists()
    result = ssl("check", "--json", "--", "-moon.test")
    data = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (data["name"], data["findings"][0]["code"]) == ("-moon.test", "domain.invalid")


def test_json_of_wrong_use_speaks_of_the_terminals_commands(desk: Path) -> None:
    assert desk.exists()
    code, data = answered("check")
    assert code == 2
    assert data == {"error": "The name is missing.", "usage": "certdesk ssl check NAME [--store STORE]"}


def test_a_wrong_store_is_named_with_the_right_one(desk: Path) -> None:
    assert desk.exists()
    code, data = answered("check", "shop.moon.test", "--store", "sun")
    assert code == 1
    assert data["store"] is None
    [found] = data["findings"]
    assert found["code"] == "domain.not_added"
    assert found["summary"] == "shop.moon.test belongs to the store moon, not to sun."
    assert found["evidence"] == {"store": "sun", "owner": "moon"}
    code, data = answered("status", "nostore")
    assert (code, data["findings"][0]["code"]) == (1, "domain.invalid")
    assert "certdesk ssl status" in data["findings"][0]["remedy"]


def test_renewing_what_nobody_asked_for_is_a_finding(desk: Path) -> None:
    assert desk.exists()
    code, data = answered("renew", "shop.moon.test")
    [one] = data["certificates"]
    [found] = one["findings"]
    assert (code, one["store"], found["code"]) == (1, "moon", "domain.no_certificate")
    assert found["remedy"] == "To get one, type: certdesk ssl add shop.moon.test"
