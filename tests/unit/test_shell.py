"""`certdesk ssl …` in a terminal: its own options, and what its help and its JSON say of them."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.shell import OPTIONS, Given, UsageError, options
from bot.text.language import language
from storage.vault import new_key

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Desk:
    """A certdesk of its own with two stores, used in processes of their own: a command sets up logs for its process."""

    folder: Path
    key: str

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "CERTDESK_CONFIG": str(self.folder / "app.yaml"),
            "CERTDESK_DATABASE__URL": f"sqlite:///{self.folder}/certdesk.db",
            "CERTDESK_VAULT__KEY": self.key,
        }
        command = [sys.executable, "-m", "bot", *words]
        return subprocess.run(  # noqa: S603 - our own words alone
            command, env=environment, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )

    def answer(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Return the exit code and the JSON of a command of `ssl`."""
        done = self.run("ssl", "--json", *words)
        return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    made = Desk(tmp_path_factory.mktemp("desk"), new_key())
    (made.folder / "app.yaml").write_text("{}\n", encoding="utf-8")
    rows = "store,status,locale,domain,default\nmoon,active,en,shop.moon.test,false\nsun,active,en,sun.test,false\n"
    (made.folder / "stores.csv").write_text(rows, encoding="utf-8")
    assert made.run("stores", "import", "stores.csv").returncode == 0
    return made


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("add a.test --json", (("add", "a.test"), Given(as_json=True))),
        (
            "--json add a.test --wait --timeout 5",
            (("add", "a.test"), Given(as_json=True, wait=True, seconds=5.0)),
        ),
        ("check --json -- --json --wait", (("check", "--", "--json", "--wait"), Given(as_json=True))),
        ("status --lang ko", (("status",), Given(language=language("ko")))),
        ("", ((), Given())),
    ],
)
def test_the_terminals_own_options_are_taken_out(given: str, read: tuple[Any, ...]) -> None:
    assert options(tuple(given.split())) == read


def test_a_time_out_is_a_number() -> None:
    with pytest.raises(UsageError, match="needs a number of seconds"):
        options(("add", "--timeout"))


@pytest.mark.parametrize("words", [("--lang",), ("--lang", "xx")])
def test_a_language_is_one_of_those_there_are(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="one of en, ja, ko"):
        options(words)


def test_help_speaks_of_the_terminals_own_options(desk: Desk) -> None:
    done = desk.run("ssl", "help", "add")
    assert done.returncode == 0
    assert all(option in done.stdout for option, _ in OPTIONS)
    code, data = desk.answer()
    assert code == 0
    assert [one["option"] for one in data["options"]] == [option for option, _ in OPTIONS]
    assert "/ssl" not in str(data)


def test_a_word_behind_a_double_hyphen_is_a_name(desk: Desk) -> None:
    code, data = desk.answer("check", "--", "-moon.test")
    assert code == 1
    assert (data["name"], data["findings"][0]["code"]) == ("-moon.test", "domain.invalid")


def test_json_of_wrong_use_speaks_of_the_terminals_commands(desk: Desk) -> None:
    code, data = desk.answer("check")
    assert code == 2
    assert data == {"error": "The name is missing.", "usage": "certdesk ssl check NAME [--store STORE]"}


def test_a_wrong_store_is_named_with_the_right_one(desk: Desk) -> None:
    code, data = desk.answer("check", "shop.moon.test", "--store", "sun")
    assert (code, data["store"]) == (1, None)
    [found] = data["findings"]
    assert found["code"] == "domain.not_added"
    assert found["summary"] == "shop.moon.test belongs to the store moon, not to sun."
    assert found["evidence"] == {"store": "sun", "owner": "moon"}


def test_a_word_that_is_no_store_and_no_name_is_told_how_to_list(desk: Desk) -> None:
    code, data = desk.answer("status", "nostore")
    assert (code, data["findings"][0]["code"]) == (1, "domain.invalid")
    assert "certdesk ssl status" in data["findings"][0]["remedy"]


def test_renewing_what_nobody_asked_for_is_a_finding(desk: Desk) -> None:
    code, data = desk.answer("renew", "shop.moon.test")
    [one] = data["certificates"]
    [found] = one["findings"]
    assert (code, one["store"], found["code"]) == (1, "moon", "domain.no_certificate")
    assert found["remedy"] == "To get one, type: certdesk ssl add shop.moon.test"
