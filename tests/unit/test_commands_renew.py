"""/ssl renew of what is well and not due is a question first; of what is due or in trouble it is not."""

from datetime import timedelta
from typing import Any

import pytest

from bot.slack.limits import violations
from bot.slack.render import render
from commands.caller import TERMINAL, Caller
from commands.dispatch import dispatch
from commands.reply import Rows
from services.model.lifecycle import State
from services.model.proposals import Stage
from tests.desks import MOON, SUPPORT, Bench, finding
from tests.unit.approval_world import ask, buttons, click, composed, message, proposal, said
from tests.unit.commands_world import desk_of, make_bench, only

NAME = "shop.moon.test"


@pytest.fixture
def bench() -> Bench:
    made = make_bench()
    dispatch(f"add {NAME}", SUPPORT, made.desk)
    made.install(NAME)
    return made


@pytest.mark.parametrize("caller", [SUPPORT, MOON], ids=lambda one: one.role)
def test_a_fresh_certificate_is_renewed_once_it_is_confirmed(bench: Bench, caller: Caller) -> None:
    asked = ask(bench, f"renew {NAME}", caller)
    question = composed(bench, asked)
    assert not question.final
    assert question.reply.title.plain() == "Renew shop.moon.test now, before it is due?"
    [rows] = only(question.reply, Rows)
    assert (
        "valid until 2027-05-11 14:03 UTC, renews by itself at 2027-04-11 14:03 UTC"
        in rows.rows[0].detail.plain()
    )
    assert buttons(question.reply)["approval.confirm"].label.plain() == "Renew now"
    drawn = render(question.reply)
    assert not violations(drawn.text, drawn.blocks)
    assert bench.certificate(NAME).state is State.INSTALLED

    assert click(bench, "approval.confirm", asked, caller) is None
    row = bench.certificate(NAME)
    assert (row.state, row.asked) == (State.CHECKING, True)
    shown = composed(bench, asked)
    assert not shown.final
    assert "shop.moon.test" in shown.reply.title.plain()
    assert message(bench, f"approval:{asked}").follows == (row.id,)
    with bench.storage.read() as tx:
        assert tx.certificates.history(row.id)[-1].actor == caller.person
    bench.install(NAME, serial="0d0e0f")
    assert composed(bench, asked).final
    assert "renewed and installed" in said(composed(bench, asked).reply)


def test_a_no_leaves_it_as_it_is(bench: Bench) -> None:
    asked = ask(bench, f"renew {NAME}")
    assert click(bench, "approval.cancel", asked) is None
    assert bench.certificate(NAME).state is State.INSTALLED
    assert "Not done: Renew shop.moon.test now, before it is due?" in said(composed(bench, asked).reply)


TROUBLED: list[dict[str, Any]] = [
    {"renew_at": timedelta(0)},
    {"renew_at": timedelta(days=-1), "not_after": timedelta(hours=-1)},
    {"state": State.BLOCKED, "problem": finding("dns.not_hosted", NAME)},
    {"state": State.FAILED, "problem": finding("dns.not_hosted", NAME)},
    {"state": State.NEEDS_SUPPORT, "problem": finding("dns.not_hosted", NAME)},
    {"problem": finding("deploy.not_served", NAME)},
    {"retry_at": timedelta(hours=2)},
]


@pytest.mark.parametrize("changes", TROUBLED)
def test_what_is_due_or_in_trouble_is_renewed_at_once(bench: Bench, changes: dict[str, Any]) -> None:
    moments = {key: bench.now + value for key, value in changes.items() if isinstance(value, timedelta)}
    bench.change(NAME, **(changes | moments))
    outcome = dispatch(f"renew {NAME}", SUPPORT, desk_of(bench), "C1")
    assert outcome.proposal == ""
    assert bench.certificate(NAME).state is State.CHECKING


def test_what_cannot_renew_though_it_is_installed_is_tried_at_once(bench: Bench) -> None:
    bench.change(NAME, [finding("dns.not_hosted", NAME)])
    assert dispatch(f"renew {NAME}", SUPPORT, desk_of(bench), "C1").proposal == ""


def test_a_renewal_under_way_is_joined(bench: Bench) -> None:
    dispatch(f"renew {NAME}", TERMINAL, bench.desk)
    outcome = dispatch(f"renew {NAME}", SUPPORT, desk_of(bench), "C1")
    assert (outcome.proposal, outcome.exit_code) == ("", 0)
    assert outcome.follows == (bench.certificate(NAME).id,)


def test_in_a_terminal_nothing_is_asked(bench: Bench) -> None:
    outcome = dispatch(["renew", NAME], TERMINAL, bench.desk)
    assert (outcome.proposal, outcome.exit_code, outcome.verb) == ("", 0, "renew")
    assert bench.certificate(NAME).state is State.CHECKING


def test_of_several_names_none_is_renewed_before_the_yes_and_what_was_refused_is_said(bench: Bench) -> None:
    dispatch("add sun.test", SUPPORT, bench.desk)
    bench.change("sun.test", state=State.BLOCKED, problem=finding("dns.not_hosted", "sun.test"))
    asked = ask(bench, f"renew {NAME} sun.test other.test")
    question = composed(bench, asked).reply
    assert question.title.plain() == "Renew 2 names now?"
    assert "other.test" in str(question)
    assert bench.certificate("sun.test").state is State.BLOCKED
    click(bench, "approval.confirm", asked)
    assert {one.state for one in bench.certificates()} == {State.CHECKING}
    assert "other.test" in str(composed(bench, asked).reply)


def test_another_stores_name_is_no_question_and_as_unknown_as_none(bench: Bench) -> None:
    dispatch("add sun.test", SUPPORT, bench.desk)
    bench.install("sun.test", serial="aa")
    other = dispatch("renew sun.test", MOON, desk_of(bench), "C1")
    none = dispatch("renew dus.test", MOON, desk_of(bench), "C1")
    assert str(other.reply).replace("sun", "dus") == str(none.reply)


def test_who_has_lost_the_store_meanwhile_renews_nothing(bench: Bench) -> None:
    asked = ask(bench, f"renew {NAME}", MOON)
    moved = Caller(MOON.person, MOON.role, frozenset({"sun"}))
    assert click(bench, "approval.confirm", asked, moved) == click(bench, "approval.confirm", "prop_0", moved)
    assert bench.certificate(NAME).state is State.INSTALLED
    assert proposal(bench, asked).stage is Stage.OPEN
