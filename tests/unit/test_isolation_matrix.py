"""The isolation matrix: every command, click and sheet, by everybody, on one's own, another's and an unknown store.

Another store and an unknown one are answered alike, in the same words, with the same questions to the database in the same
order, and neither changes. What there is to try is taken from the tables of commands, clicks and sheets themselves: one that
is added there without a line here fails.
"""

import pytest

from bot.terminal import as_json
from commands import requests, unfurling
from commands.caller import Action, Caller, Role, holders
from commands.clicks import CLICKS
from commands.dispatch import dispatch
from commands.sheets import SHEETS
from commands.table import COMMANDS
from tests.desks import Bench
from tests.unit.commands_world import desk_of
from tests.unit.isolation_ways import CASES, IDS, WAYS
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

EVERY_CASE = pytest.mark.parametrize(("kind", "name", "given"), CASES, ids=IDS)
EVERYBODY_LIMITED = pytest.mark.parametrize("caller", LIMITED.values(), ids=list(LIMITED))


def test_every_command_click_and_sheet_is_in_the_matrix() -> None:
    assert set(WAYS) == set(requests.PERFORMERS)
    assert [name for name in WAYS[requests.COMMAND] if name] == [one.name for one in COMMANDS]
    assert set(WAYS[requests.CLICK]) == set(CLICKS)
    assert set(WAYS[requests.SUBMISSION]) == set(SHEETS)
    assert set(WAYS[requests.LINKS]) == set(unfurling.KINDS)
    assert {caller.role for caller in CALLERS.values()} == set(Role)
    assert all(some for table in WAYS.values() for some in table.values())


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
def test_of_ones_own_store_the_same_is_told_whatever_others_have(kind: str, name: str, given: Given) -> None:
    """No count, no cost, no list and no question to the database has anything of the others in it."""
    if name.startswith("home."):
        return  # certificates of one urgency stand there by their ids, which are chance: `test_home` has it
    merchant = CALLERS["merchant"]
    alone, among = (ask(world(*stores), kind, given, merchant, OWN) for stores in ((OWN,), (OWN, OTHER)))
    assert alone == among


JOINT = ("{}", "a.{}", "b.{}", "www.{}", "*.{}", "c.{}", "bb.{}", "a.{} b.{}", "a.{} --store quiz")
"""How the names of one domain are typed, of which ``a.`` is one's own and ``b.`` another store's."""


def shared(*, among: bool) -> Bench:
    """Return a platform where a sub-domain is one's own; ``among``: the domain and another one of it are another store's."""
    bench = world(OWN)
    bench.store(OWN, "a.joint.test")
    dispatch("add a.joint.test", CALLERS["support"], bench.desk)
    if among:
        bench.store(OTHER, "joint.test", "b.joint.test")
        dispatch("add joint.test b.joint.test", CALLERS["support"], bench.desk)
        bench.install("b.joint.test", "joint.test", "b.joint.test", serial="0b")
    return bench


@pytest.mark.parametrize(
    "verb",
    ["add", "status", "check", "history", "renew", "remove", "scan", "rollback", "links", "report", ""],
)
def test_of_a_domain_that_two_stores_share_each_is_told_of_its_own_alone(verb: str) -> None:
    for names in JOINT if verb not in ("report", "links") else ("",):
        given = Given(f"{verb} {names.replace('{}', 'joint.test')}".strip())
        alone, among = (
            ask(shared(among=others), "command", given, CALLERS["merchant"], OWN) for others in (False, True)
        )
        assert alone == among, given.text


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
    of_others = name in ("link", "links") and any(one in given.text for one in ("@", "#", "workspace"))
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


@pytest.mark.parametrize("text", [given.text for some in WAYS[requests.COMMAND].values() for given in some])
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


@pytest.mark.parametrize("text", ["status {}", "links {}", "status moon.test --store {}", "add --store {}"])
@EVERYBODY_LIMITED
def test_what_was_nearly_another_stores_id_brings_none_either(caller: Caller, text: str) -> None:
    for typo in ("quizz", "qiuz", "quis"):
        told = ask(world(), "command", Given(text.replace("{}", typo)), caller, OWN)
        assert "quiz" not in told.everything.replace(typo, ""), typo


def test_what_was_nearly_ones_own_name_does() -> None:
    told = ask(world(), "command", Given("status mooon.test"), CALLERS["merchant"], OWN)
    assert "Did you mean" in told.message
