"""The demo's sample platform holds together: what people are told to try leads where it says."""

import shlex

from bot.demo.guide import TO_TRY
from bot.demo.sample import NAME, PAGES, REGISTRABLE, STORE, STORES, ZONES
from commands.table import COMMANDS
from services.naming import parse


def added() -> dict[str, str]:
    rows = [line.split(",") for line in STORES.splitlines()[1:]]
    return {domain: store for store, _, _, domain, default in rows if default == "false"}


def test_the_name_of_the_play_belongs_to_its_store() -> None:
    assert added()[NAME] == STORE
    assert NAME.endswith(f".{REGISTRABLE}")


def test_every_added_domain_has_a_page_and_a_zone() -> None:
    assert set(added()) <= set(PAGES)
    assert all(any(name == zone or name.endswith(f".{zone}") for zone in ZONES) for name in added())


def test_what_to_try_is_typed_with_commands_that_exist() -> None:
    words = [shlex.split(line) for line, _ in TO_TRY]
    assert {line[0] for line in words} <= {command.name for command in COMMANDS} | {"help"}
    assert all(parse(name) == name for line in words for name in line[1:] if not name.isdigit())
