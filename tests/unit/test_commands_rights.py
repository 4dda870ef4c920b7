"""The table of rights, cell by cell: role, action, and whose store it is about."""

from collections.abc import Mapping

import pytest

from commands.caller import RIGHTS, STAFF, TERMINAL, Action, Caller, Doubt, Reach, Role, holders, reach
from commands.dispatch import dispatch
from commands.help import access, no_access
from storage.memory import MemoryStorage
from tests.desks import Bench

A, M, N = Reach.ALL, Reach.OWN, Reach.NONE
CELLS: Mapping[Action, tuple[Reach, ...]] = {
    #                 admin support on-call merchant nobody
    Action.HELP: (A, A, A, A, A),
    Action.ASK_LINK: (A, A, A, A, A),
    Action.LOOK: (A, A, A, M, N),
    Action.CHANGE: (A, A, A, M, N),
    Action.REVOKE: (A, A, A, M, N),
    Action.ROLL_BACK: (A, A, A, M, N),
    Action.SCAN: (A, A, A, M, N),
    Action.ALERTS: (A, A, A, N, N),
    Action.TELL: (A, A, A, N, N),
    Action.LINK: (A, A, N, N, N),
    Action.LANGUAGE: (A, A, N, M, N),
}
"""The rights as they are meant, written a second time, so that a slip of the pen in the table fails here."""
EACH = [(action, role) for action in Action for role in Role]


def caller(role: Role, doubt: Doubt = Doubt.NONE) -> Caller:
    """Return one of the role, who is linked to the store moon if the role is of stores at all."""
    return Caller("T1/U1", role, None if role in STAFF else frozenset({"moon"}), doubt)


def test_every_action_has_a_row_with_a_cell_for_every_role() -> None:
    assert set(RIGHTS) == set(CELLS) == set(Action)
    assert all(set(row) == set(Role) for row in RIGHTS.values())


@pytest.mark.parametrize(("action", "role"), EACH)
def test_each_cell_says_what_is_meant(action: Action, role: Role) -> None:
    meant = CELLS[action][list(Role).index(role)]
    assert reach(role, action) is meant
    assert (role in holders(action)) is (meant is not N)
    assert caller(role).may(action) is (meant is not N)


@pytest.mark.parametrize(("action", "role"), EACH)
def test_a_right_reaches_as_far_as_its_cell(action: Action, role: Role) -> None:
    meant = CELLS[action][list(Role).index(role)]
    assert caller(role).may_to(action, "moon") is (meant is not N)
    others = (
        meant is A and role in STAFF
    )  # who is not of the staff has no more stores than their own, whatever the right
    assert caller(role).may_to(action, "sun") is others


@pytest.mark.parametrize("role", [role for role in Role if role not in STAFF])
def test_without_a_store_there_is_nothing_that_a_right_to_ones_own_reaches(role: Role) -> None:
    for stores in (frozenset[str](), None):
        one = Caller("T1/U1", role, stores)
        reached = [action for action in Action if reach(role, action) is M and one.may_to(action, "moon")]
        assert reached == []


def test_seeing_and_changing_are_the_rights_of_the_table() -> None:
    for role in Role:
        for store in ("moon", "sun"):
            assert caller(role).sees(store) is caller(role).may_to(Action.LOOK, store)
            assert caller(role).changes(store) is caller(role).may_to(Action.CHANGE, store)


def test_staff_of_some_stores_reach_no_further_than_these() -> None:
    some = Caller("T1/U1", Role.SUPPORT, frozenset({"moon"}))
    assert some.may_to(Action.CHANGE, "moon")
    assert not some.may_to(Action.CHANGE, "sun")


def test_whoever_sits_at_the_machine_may_do_everything() -> None:
    assert all(TERMINAL.may_to(action, "any") for action in Action)


# --- what could not be looked up -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "role"), EACH)
def test_of_whom_nothing_is_known_may_read_help_and_no_more(action: Action, role: Role) -> None:
    unknown = caller(role, Doubt.PERSON)
    assert unknown.may(action) is (action is Action.HELP)
    assert unknown.may_to(action, "moon") is (action is Action.HELP)


@pytest.mark.parametrize(("action", "role"), EACH)
def test_a_group_that_could_not_be_read_takes_nothing_and_gives_nothing(action: Action, role: Role) -> None:
    assert caller(role, Doubt.GROUPS).may(action) is caller(role).may(action)


@pytest.mark.parametrize(
    "text", ["add shop.moon.test", "status", "status moon", "alerts", "link moon", "links moon"]
)
def test_a_failed_look_up_is_called_one_and_nothing_is_done(text: str) -> None:
    bench = Bench(MemoryStorage())
    bench.store("moon", "shop.moon.test")
    outcome = dispatch(text, Caller("T1/U7", Role.NOBODY, doubt=Doubt.PERSON), bench.desk)
    assert outcome.denied
    assert outcome.exit_code == 1
    assert outcome.reply.private
    assert outcome.reply.title.plain() == "Slack did not say who you are, so nothing was done"
    assert "just now Slack gave no answer about you (U7)" in str(outcome.data)
    assert "app.yaml" not in str(
        outcome.reply
    )  # nobody has to be asked for access: it is not known whether they have it
    assert not bench.certificates()


def test_who_may_be_in_a_group_is_told_that_it_could_not_be_read() -> None:
    unsure = Caller("T1/U7", Role.NOBODY, doubt=Doubt.GROUPS)
    assert "could not read from Slack who is in the user groups" in access(unsure, Action.LOOK).plain()
    title = no_access(unsure, Action.LOOK).reply.title.plain()
    assert title == "Slack did not say whether you may do this, so nothing was done"
