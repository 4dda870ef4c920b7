"""/ssl rollback: who may ask and who decides, what is asked, what is shown until it is over and after, and what is refused."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.slack.limits import violations
from bot.slack.render import render
from commands.caller import TERMINAL, Caller, Role
from commands.dispatch import dispatch
from services.model.lifecycle import State
from services.model.proposals import Stage
from tests.desks import MOON, SUPPORT, Bench, finding
from tests.unit.approval_world import ask, audited, click, composed, message, proposal, said
from tests.unit.commands_world import make_bench
from tests.unit.home_world import HomeWorld
from tests.unit.test_commands_dispatch import texts
from tests.unit.test_commands_revoke import issue

SHOP = "shop.moon.test"
OLD, NEW = "0a1b2c", "0d0e"
OTHER = Caller("T1/U_OTHER", Role.SUPPORT, None)
ONCALL = Caller("T1/U_ONCALL", Role.ONCALL, None)
PEOPLE = {one.person: one for one in (SUPPORT, OTHER, ONCALL, MOON)}
DAY = timedelta(days=1)


def known(person: str, _team: str = "") -> Caller:
    return PEOPLE[person]


@pytest.fixture
def bench() -> Bench:
    made = make_bench()
    dispatch(f"add {SHOP}", SUPPORT, made.desk)
    for serial in (OLD, NEW):
        made.install(SHOP, serial=serial)
        issue(made)
        made.now += DAY
    return made


def shown(bench: Bench, asked: str) -> str:
    reply = composed(bench, asked).reply
    drawn = render(reply)
    assert not violations(drawn.text, drawn.blocks)
    return said(reply)


def approve(bench: Bench, asked: str, caller: Caller = OTHER) -> None:
    assert click(bench, "approval.approve", asked, caller, known=known) is None


def deployed(bench: Bench, **changes: Any) -> None:
    """Let the roll-back be installed, as the workers do."""
    row = bench.certificate(SHOP)
    assert row.rollback is not None
    held: dict[str, Any] = {
        "state": State.INSTALLED,
        "installed": row.next,
        "next": None,
        "serial": OLD,
        "renew_at": row.rollback.until,
    }
    bench.change(SHOP, **(held | changes))


@pytest.mark.parametrize("asker", [SUPPORT, ONCALL, MOON], ids=lambda one: one.role)
def test_it_waits_for_another_person_of_the_platform(bench: Bench, asker: Caller) -> None:
    asked = ask(bench, f"rollback {SHOP}", asker)
    question = texts(composed(bench, asked).reply)
    assert "Roll the certificate of shop.moon.test back to the one before?" in question
    assert OLD in question
    assert NEW in question
    assert "Nothing replaces it by itself until 2027-02-15 14:03 UTC" in question
    assert message(bench, f"approval:{asked}:deciders").channel == "C_SUPPORT"
    assert click(bench, "approval.approve", asked, asker, known=known) is not None
    assert bench.certificate(SHOP).state is State.INSTALLED
    approve(bench, asked)
    assert proposal(bench, asked).stage is Stage.DONE
    row = bench.certificate(SHOP)
    assert (row.state, row.next) == (State.DEPLOYING, f"rev_{OLD}")
    assert row.rollback is not None
    assert (row.rollback.person, row.rollback.approved_by) == (asker.person, OTHER.person)
    assert audited(bench)[:3] == (asker.person, "rollback", f"{SHOP} {OLD}")


def test_a_merchant_approves_nothing(bench: Bench) -> None:
    asked = ask(bench, f"rollback {SHOP}", SUPPORT)
    assert click(bench, "approval.approve", asked, MOON, known=known) is not None
    assert proposal(bench, asked).stage is Stage.OPEN


def test_what_is_shown_follows_it_to_the_end(bench: Bench) -> None:
    asked = ask(bench, f"rollback {SHOP}", SUPPORT)
    approve(bench, asked)
    assert "Rolling the certificate of shop.moon.test back" in shown(bench, asked)
    assert not composed(bench, asked).final
    failed = finding("deploy.failed", SHOP)
    row = bench.certificate(SHOP)
    bench.change(SHOP, problem=failed, attempt=replace(row.attempt, faults=1))
    assert "certdesk repeats this step" in shown(bench, asked)
    deployed(bench, problem=finding("deploy.not_served", SHOP))
    assert "rolled back, but not seen at the edge yet" in shown(bench, asked)
    assert not composed(bench, asked).final
    deployed(bench, problem=None, next=f"rev_{OLD}", installed=f"rev_{OLD}", state=State.INSTALLED)
    bench.change(SHOP, next=None)
    told = shown(bench, asked)
    assert told.startswith("The certificate of shop.moon.test is rolled back\n")
    assert f"To renew it earlier, type: /ssl renew {SHOP}" in told
    assert composed(bench, asked).final
    bench.install(SHOP, serial="0f", rollback=None)
    assert "has been replaced since it was rolled back" in shown(bench, asked)


def test_one_that_is_called_off_says_so(bench: Bench) -> None:
    asked = ask(bench, f"rollback {SHOP}", SUPPORT)
    approve(bench, asked)
    bench.change(SHOP, state=State.INSTALLED, next=None, rollback=None)
    told = shown(bench, asked)
    assert "The certificate of shop.moon.test was not rolled back" in told
    assert NEW in told
    assert composed(bench, asked).final


def rolled_back(bench: Bench) -> None:
    approve(bench, ask(bench, f"rollback {SHOP}", SUPPORT))
    deployed(bench)


def test_status_home_and_history_say_it_and_merchants_are_told_no_persons(bench: Bench) -> None:
    rolled_back(bench)
    outcome = dispatch(f"status {SHOP}", SUPPORT, bench.desk)
    told = said(outcome.reply)
    assert f"Rolled back on 2027-02-12 14:03 UTC, in the place of serial {NEW}." in told
    assert "U_OTHER" not in told  # merchants may read along in the channel
    assert "Nothing replaces it by itself until 2027-02-15 14:03 UTC." in told
    assert (outcome.data or {})["rollback"]["renews_again_from"] == "2027-02-15T14:03:00Z"
    history = texts(dispatch(f"history {SHOP}", SUPPORT, bench.desk).reply)
    line = f"Rolled back to the certificate before: serial {OLD} in the place of {NEW} (by U_SUPPORT)"
    assert line in history
    assert "Roll-back approved (by U_OTHER)" in history
    assert "U_OTHER" not in texts(dispatch(f"history {SHOP}", MOON, bench.desk).reply)
    page = HomeWorld(bench).open(MOON).text
    assert "Renews by itself again from" in page
    assert "Rolled back on" in page


def test_a_renewal_by_hand_says_that_it_ends_the_hold(bench: Bench) -> None:
    rolled_back(bench)
    asked = ask(bench, f"renew {SHOP}", SUPPORT)
    assert "A renewal now ends the wait: a new certificate takes its place." in shown(bench, asked)
    assert click(bench, "approval.approve", asked, SUPPORT, known=known) is None
    assert bench.certificate(SHOP).state is State.CHECKING
    assert not bench.certificate(SHOP).held(bench.now)


def test_in_a_terminal_it_begins_at_once(bench: Bench) -> None:
    outcome = dispatch(["rollback", SHOP], TERMINAL, bench.desk)
    assert outcome.exit_code == 0
    assert (outcome.data or {})["rollback"]["in_place_of"] == NEW
    deployed(bench)
    told = texts(dispatch(f"history {SHOP}", TERMINAL, bench.desk).reply)
    assert f"serial {OLD} in the place of {NEW} (by terminal)" in told
    assert "Roll-back approved" not in told


def test_the_last_sixth_and_the_end_are_told_before(bench: Bench) -> None:
    bench.now += timedelta(days=71)
    asked = ask(bench, f"rollback {SHOP}")
    assert "then the last sixth of its lifetime begins, in which waiting would be dangerous" in shown(
        bench, asked
    )
    bench.now += timedelta(days=10)
    assert "it only bridges the time" in shown(bench, ask(bench, f"rollback {SHOP}"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rollback", "The name is missing"),
        (f"rollback {SHOP} sun.test", "takes one name"),
        ("rollback sun.test", "There is nothing to roll back to for sun.test"),
        ("rollback nobodys.test", "No such name"),
        (f"rollback {SHOP} --reason superseded", "There is no option --reason here"),
    ],
)
def test_what_cannot_be_rolled_back_is_said(bench: Bench, text: str, expected: str) -> None:
    outcome = dispatch(text, SUPPORT, bench.desk)
    assert outcome.exit_code in (1, 2)
    assert expected in str(outcome.reply) or expected in said(outcome.reply)
    assert not outcome.proposal


def test_why_there_is_nothing_and_what_to_do_is_said(bench: Bench) -> None:
    bench.now += timedelta(days=89)
    told = said(dispatch(f"rollback {SHOP}", SUPPORT, bench.desk).reply)
    assert f"The certificate before the present one (serial {OLD}) expired on" in told
    assert f"To get a new certificate, type: /ssl renew {SHOP}" in told


def test_what_was_asked_counts_only_while_it_is_still_so(bench: Bench) -> None:
    asked = ask(bench, f"rollback {SHOP}", SUPPORT)
    bench.install(SHOP, serial="0f")
    refused = click(bench, "approval.approve", asked, OTHER, known=known)
    assert refused is not None
    assert "Another certificate was installed since this was asked" in said(refused)
    assert proposal(bench, asked).stage is Stage.OPEN
