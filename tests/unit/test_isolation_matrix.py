"""The isolation matrix: every command, click and sheet, by everybody, on one's own, another's and an unknown store.

Another store and an unknown one are answered alike, in the same words, with the same questions to the database in the same
order, and neither changes. What there is to try is taken from the tables of commands, clicks and sheets themselves: one that
is added there without a line here fails.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.terminal import as_json
from commands import unfurling
from commands.caller import Action, Caller, Role, holders
from commands.clicks import CLICKS
from commands.dispatch import dispatch
from commands.sheets import SHEETS
from commands.table import COMMANDS
from tests.unit.commands_world import desk_of
from tests.unit.isolation_world import (
    CALLERS,
    CHANNELS,
    LIMITED,
    OTHER,
    OWN,
    PEOPLE,
    UNKNOWN,
    Given,
    ask,
    state,
    world,
)

FORGED: Mapping[str, Any] = {"memory": '{"store": "{}"}', "kind": "modal", "hash": "1.a", "values": {}}
"""What a modal carries that speaks of the store."""


LIST: Mapping[str, Any] = {
    "files": {"file": [{"id": "F1", "name": "{}.csv", "kind": "csv", "size": 9, "external": False}]}
}
"""What comes with a list that was put into a modal."""


def _form(**values: str | list[str]) -> Given:
    return Given(form={**FORGED, "values": {name: value for name, value in values.items() if value}})


COMMAND_WAYS: Mapping[str, tuple[str, ...]] = {
    "add": (
        "{}.test",
        "www.{}.test",
        "bad.{}.example",
        "new.{}.test",
        "*.{}.test",
        "{}.test --store {}",
        "moon.test {}.test",
        "moon.test --store {}",
        "https://shop.{}.test/admin",
        "--file",
        "--file --store {}",
        "",
        "--store {}",
    ),
    "status": (
        "{}",
        "{}.test",
        "www.{}.test",
        "shop.{}.test",
        "bad.{}.example",
        "{}.test --csr",
        "{}.test --store {}",
        "--store {}",
        "moon.test --store {}",
        "{}.tset",
    ),
    "renew": (
        "",
        "--store {}",
        "{}.test",
        "www.{}.test",
        "bad.{}.example",
        "{}.test --store {}",
        "moon.test --store {}",
        "--cause dns.not_hosted",
        "--cause dns.not_hosted --store {}",
    ),
    "remove": (
        "{}.test",
        "bad.{}.example",
        "{}.test --store {}",
        "moon.test {}.test",
        "moon.test --store {}",
    ),
    "check": ("{}.test", "bad.{}.example", "{}.test --store {}", "www.{}.test", "moon.test --store {}"),
    "history": ("{}.test", "www.{}.test", "bad.{}.example", "{}.test --store {}", "moon.test --store {}"),
    "forecast": ("", "90", "{}"),
    "alerts": ("", "1", "alert_{}"),
    "link": ("{}", "<@U0000NEW> {}", "<#C0000001> {}", "@new {}"),
    "unlink": ("{}", "<@U0000NEW> {}", "<#C_{}> {}"),
    "links": ("{}", "", "<@U_{}>"),
    "language": ("", "ko", "auto", "{}"),
    "help": ("", "add", "unlink", "{}"),
}
"""How each command is tried; the gap is the store's id."""
CLICK_WAYS: dict[str, tuple[Given, ...]] = {
    "alert.check": (Given("alert_{} 4"),),
    "alert.renew": (Given("alert_{} 4"),),
    "alert.ack": (Given("alert_{} 4"),),
    "alert.snooze": (Given("alert_{} 4 1d"),),
    "alert.hand_over": (Given("alert_{} 4"),),
    "alert.list": (Given("alert_{} 4"),),
    "certificate.retry": (Given("{cert}"), Given("{cert} {cert}")),
    "certificate.check": (Given("{cert}"),),
    "alert.copy": (Given("alert_{} 4"),),
    "certificate.copy": (Given("{cert}"),),
    "store.copy": (Given("{}.test"), Given("bad.{}.example")),
    "link.approve": (Given("link_{}"),),
    "link.decline": (Given("link_{}"),),
    "approval.confirm": (Given("prop_{}"),),
    "approval.cancel": (Given("prop_{}"),),
    "approval.approve": (Given("prop_{}"),),
    "approval.reject": (Given("prop_{}"), Given("prop_{} prop_{}")),
    "bulk.pause": (Given("job_{}"),),
    "bulk.resume": (Given("job_{}"),),
    "bulk.cancel": (Given("job_{}"), Given("job_{} job_{}")),
}
AT_HOME: Mapping[str, Any] = {
    "memory": '{"what": "all", "search": "{}", "first": ["{}.test", "{cert}"], "last": ["{}", "{cert}"]}',
    "kind": "home",
    "hash": "1.a",
    "values": {"home.search": "{}"},
}
"""What the Home tab carries that was made to look for the store."""
for _item in ("search", "find", "show", "turn", "check", "renew"):
    CLICK_WAYS[f"home.{_item}"] = (Given("{cert}", AT_HOME), Given("{}", AT_HOME), Given("next", AT_HOME))
for _item in ("add", "renew", "status", "forecast", "alerts", "link", "help", "back"):
    CLICK_WAYS[f"menu.{_item}"] = (Given("-", FORGED),)
TURNED: Mapping[str, Any] = {
    **FORGED,
    "memory": '{"store": "{}", "row": "req_0", "turn": 3}',
    "values": {
        "names": ["{}.test"],
        "names.3.10": ["bad.{}.example"],
        "sheet.search": "{}",
        "typed": "{}.test",
    },
}
"""A page of names that was made to speak of the store."""
for _item in ("turn", "find", "search"):
    CLICK_WAYS[f"sheet.{_item}"] = (Given("30", TURNED), Given("all", TURNED), Given("{}", TURNED))
"""How each click is tried, its value and what its modal carries forged."""
SHEET_WAYS: Mapping[str, tuple[Given, ...]] = {
    "add.store": (
        _form(store="{}"),
        _form(store="{}.test"),
        Given(form={**FORGED, "values": {"store": "{}"}, **LIST}),
    ),
    "add": (
        _form(names=["{}.test", "bad.{}.example"], typed=""),
        _form(names=[], typed="www.{}.test, https://shop.{}.test/"),
        _form(names=["moon.test"], typed="{}.test"),
        Given(form={**FORGED, **LIST}),
    ),
    "renew": (_form(names=["{}.test", "bad.{}.example"], typed=""), _form(names=[], typed="{}.test")),
    "link": (_form(store="{}"),),
}
"""What each sheet is filled in with: ids and names that were never offered, and another store in what it carries."""

COMMAND_CASES = [
    ("command", name, Given(f"{name} {words}".strip()))
    for name, some in COMMAND_WAYS.items()
    for words in some
] + [("command", "", Given(text)) for text in ("{}", "{}.test", "frob {}.test")]
CLICK_CASES = [
    ("click", name, Given(f"{name} {given.text}".strip(), given.form))
    for name, some in CLICK_WAYS.items()
    for given in some
]
SHEET_CASES = [
    ("submission", name, Given(name, given.form)) for name, some in SHEET_WAYS.items() for given in some
]
LINK_CASES = [
    ("links", name, Given("", {"links": [f"https://certdesk.example.test/{path}"]}))
    for name, path in (
        ("certificates", "certificates/{}.test"),
        ("certificates", "certificates/bad.{}.example"),
        ("alerts", "alerts/alert_{}"),
    )
]
CASES = COMMAND_CASES + CLICK_CASES + SHEET_CASES + LINK_CASES
IDS = [f"{kind} {given.text} {number}" for number, (kind, _, given) in enumerate(CASES)]
EVERY_CASE = pytest.mark.parametrize(("kind", "name", "given"), CASES, ids=IDS)
EVERYBODY_LIMITED = pytest.mark.parametrize("caller", LIMITED.values(), ids=list(LIMITED))


def test_every_command_click_and_sheet_is_in_the_matrix() -> None:
    assert list(COMMAND_WAYS) == [one.name for one in COMMANDS]
    assert set(CLICK_WAYS) == set(CLICKS)
    assert set(SHEET_WAYS) == set(SHEETS)
    assert {name for _, name, _ in LINK_CASES} == set(unfurling.KINDS)
    assert {caller.role for caller in CALLERS.values()} == set(Role)


@EVERY_CASE
@EVERYBODY_LIMITED
def test_another_store_and_an_unknown_one_are_answered_alike_with_the_same_questions(
    caller: Caller, kind: str, name: str, given: Given
) -> None:
    assert ask(world(), kind, given, caller, OTHER) == ask(world(), kind, given, caller, UNKNOWN), name


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    "text", ["status", "status {}.test", "add {}.test", "links", "link {}", "language", "language ko"]
)
@EVERYBODY_LIMITED
def test_and_so_are_they_in_every_channel(caller: Caller, text: str, channel: str) -> None:
    given = Given(text)
    theirs = ask(world(), "command", given, caller, OTHER, channel)
    assert theirs == ask(world(), "command", given, caller, UNKNOWN, channel)


@EVERY_CASE
@EVERYBODY_LIMITED
def test_nothing_of_another_store_is_told_or_changed(
    caller: Caller, kind: str, name: str, given: Given
) -> None:
    bench = world()
    before = state(bench, OTHER)
    asked = ask(bench, kind, given, caller, OTHER)
    assert state(bench, OTHER) == before, name
    # what the answer has of it is what the asker gave
    assert OTHER not in ask(world(), kind, given, caller, UNKNOWN).everything
    assert asked.everything.count(OTHER) == 0


@EVERY_CASE
@pytest.mark.parametrize("caller", CALLERS.values(), ids=list(CALLERS))
def test_a_right_is_what_the_table_says(caller: Caller, kind: str, name: str, given: Given) -> None:
    if kind == "links":
        return  # what nobody asked for is refused by nobody: it is just not shown
    needed = _needed(kind, name, given)
    for store in (OWN, OTHER, UNKNOWN):
        by_itself = _judged_by_itself(caller, name, given, store)
        told = ask(world(), kind, given, caller, store)
        refused = "'refused'" in told.audited
        if name == "language" and caller.limited:
            assert refused  # a language is the channel's, and this one is of no store of theirs
            continue
        if by_itself is not None:
            assert refused is not by_itself
            continue
        assert refused is not all(caller.may(action) for action in needed)
        if not caller.doubt:
            assert refused is not all(caller.role in holders(action) for action in needed)


def _judged_by_itself(caller: Caller, name: str, given: Given, store: str) -> bool | None:
    """Tell whether a click on what waits for a yes, or on a job, counts; None for all else, which the table judges alone.

    What is not known to the person is refused, whether it is there or not.
    """
    known = store in (OWN, OTHER) and len(given.text.split()) == 2
    if name.startswith("approval."):  # an admin has asked, and confirms it
        return known and caller.person == CALLERS["admin"].person
    if name.startswith("bulk."):  # renews for a cause, which is seen across stores
        return known and caller.may_to(Action.ALERTS, store)
    return None


def _needed(kind: str, name: str, given: Given) -> set[Action]:
    """Return the rights that it takes, as the tables say."""
    if kind == "click":
        return {CLICKS[name].action}
    if kind == "submission":
        return {SHEETS[name].action}
    command = next((one for one in COMMANDS if one.name == name), None)
    of_others = name in ("link", "links") and any(sign in given.text for sign in "@#")
    of_all = {Action.ALERTS} if "--cause" in given.text else set()
    return {command.action if command else Action.HELP} | ({Action.LINK} if of_others else of_all)


@pytest.mark.parametrize(
    "text", ["status {}", "status {}.test", "check {}.test", "history {}.test", "links {}"]
)
def test_ones_own_store_is_told(text: str) -> None:
    merchant = CALLERS["merchant"]
    own, other = (ask(world(), "command", Given(text), merchant, store) for store in (OWN, OTHER))
    assert own.message != other.message
    assert own.questions != other.questions  # or else the matrix would count nothing


@pytest.mark.parametrize("name", ["admin", "support", "oncall"])
def test_who_sees_all_stores_is_told_of_each(name: str) -> None:
    for text in ("status {}", "status {}.test", "links {}"):
        theirs, nothing = (
            ask(world(), "command", Given(text), CALLERS[name], one) for one in (OTHER, UNKNOWN)
        )
        assert theirs.message != nothing.message


@pytest.mark.parametrize("text", [f"{name} {words}" for name, some in COMMAND_WAYS.items() for words in some])
@EVERYBODY_LIMITED
def test_machines_are_told_no_more(caller: Caller, text: str) -> None:
    """The machine contract is for the terminal, where everybody is an administrator; it is held to the same all the same."""
    found = []
    for store in (OTHER, UNKNOWN):
        outcome = dispatch(text.replace("{}", store), caller, desk_of(world()), "C1", PEOPLE)
        found.append((as_json(outcome).replace(store, "STORE"), outcome.exit_code, len(outcome.follows)))
    assert found[0] == found[1]


@pytest.mark.parametrize("typo", ["qiuz.test", "shop.quz.test", "bad.quiz.exampel", "quizz.test"])
@EVERYBODY_LIMITED
def test_what_was_nearly_another_stores_name_brings_no_suggestion(caller: Caller, typo: str) -> None:
    for verb in ("status", "add", "renew", "check", "history"):
        told = ask(world(), "command", Given(f"{verb} {typo}"), caller, OWN)
        assert "Did you mean" not in told.message
        assert "quiz" not in told.message.replace(typo, "")


def test_what_was_nearly_ones_own_name_does() -> None:
    told = ask(world(), "command", Given("status mooon.test"), CALLERS["merchant"], OWN)
    assert "Did you mean" in told.message
