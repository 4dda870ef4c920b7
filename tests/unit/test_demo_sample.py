"""The demo's sample platform holds together: what people are told to try leads where it says."""

import shlex

from bot.demo.guide import PEOPLE, TO_TRY
from bot.demo.sample import (
    AGENT,
    ALERTS,
    CHANNEL,
    CHANNELS,
    LINKS,
    MERCHANT,
    NAME,
    ONCALL,
    PAGES,
    REGISTRABLE,
    SECOND,
    STORE,
    STORES,
    THEIRS,
    USERS,
    VISITOR,
    ZONES,
)
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
    plain = [line for line in words if not any(word.startswith("--") for word in line)]
    assert all(parse(name) == name for line in plain for name in line[1:] if not name.isdigit())


def test_who_is_named_is_there() -> None:
    people, channels = {one["id"] for one in USERS}, {str(one["id"]) for one in CHANNELS}
    assert {AGENT, SECOND, ONCALL, MERCHANT, VISITOR} == people
    assert {CHANNEL, ALERTS, *(channel for channel, _ in LINKS)} == channels
    assert {THEIRS, *(store for _, store in LINKS)} <= set(added().values())
    told = " ".join(PEOPLE)
    assert all(str(one["real_name"]).split()[0] in told for one in USERS[1:4])
    assert all(f"#{one['name']}" in told for one in CHANNELS[1:])
