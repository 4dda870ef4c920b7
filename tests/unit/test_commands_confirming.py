"""Questions before what costs or destroys: asked in Slack, not in a terminal; edited in place; a late click does nothing."""

import pytest

from bot.slack.limits import violations
from bot.slack.render import render
from commands import proposables
from commands.caller import TERMINAL, Caller, Role
from commands.dispatch import dispatch
from commands.reply import Reply, Tone
from services import approvals, linking
from services.model.audiences import Kind
from services.model.proposals import Stage
from tests.desks import MOON, NOW, STRANGER, SUPPORT, Bench
from tests.unit.approval_world import ask, buttons, click, composed, message, proposal, said
from tests.unit.commands_world import desk_of, make_bench

ADMIN = Caller("T1/U_ADMIN", Role.ADMIN, None)


@pytest.fixture
def bench() -> Bench:
    made = make_bench()
    linking.link(made.desk, Kind.PERSON, "T9/U0000NEW", "sun", SUPPORT.person)
    return made


def linked(bench: Bench) -> bool:
    return bool(linking.linked_to(bench.desk, Kind.PERSON, "T9/U0000NEW"))


def shown(reply: Reply) -> Reply:
    """Return the reply, which Slack would take as it is."""
    drawn = render(reply)
    assert not violations(drawn.text, drawn.blocks)
    return reply


def test_the_question_says_what_comes_of_it_and_until_when(bench: Bench) -> None:
    asked = ask(bench, "unlink <@U0000NEW> sun")
    first = composed(bench, asked)
    assert not first.final
    reply = shown(first.reply)
    assert reply.private
    assert reply.title.plain() == "Take back the link of U0000NEW to the store sun?"
    assert {one.value for one in buttons(reply).values()} == {asked}
    assert list(buttons(reply)) == ["approval.confirm", "approval.cancel"]
    assert (
        "Nothing is done before U_SUPPORT confirms it. Without that the question runs out at 2027-02-10 14:18"
        in said(reply)
    )
    assert linked(bench)


def test_a_yes_does_it_and_the_message_says_so(bench: Bench) -> None:
    asked = ask(bench, "unlink <@U0000NEW> sun")
    assert click(bench, "approval.confirm", asked) is None
    assert not linked(bench)
    last = composed(bench, asked)
    assert last.final
    assert shown(last.reply).title.plain() == "The link of U0000NEW to the store sun is taken back"
    assert not buttons(last.reply)
    assert message(bench, f"approval:{asked}").version == 2


def test_a_no_does_nothing_and_the_message_says_so(bench: Bench) -> None:
    asked = ask(bench, "unlink <@U0000NEW> sun")
    assert click(bench, "approval.cancel", asked) is None
    assert linked(bench)
    last = composed(bench, asked)
    assert last.final
    assert shown(last.reply).title.plain() == "Not done: Take back the link of U0000NEW to the store sun?"
    assert "U_SUPPORT said no on 2027-02-10 14:03 UTC. Nothing was changed." in said(last.reply)


def test_without_an_answer_it_runs_out(bench: Bench) -> None:
    asked = ask(bench, "unlink <@U0000NEW> sun")
    bench.now = proposal(bench, asked).expires
    assert not composed(bench, asked).final
    assert not buttons(composed(bench, asked).reply)
    assert approvals.expire(bench.desk, proposables.subject) == 1
    assert composed(bench, asked).final
    assert "Nobody said yes before 2027-02-10 14:18 UTC" in said(shown(composed(bench, asked).reply))
    told = click(bench, "approval.confirm", asked)
    assert told is not None
    assert "Nobody said yes before" in said(told)
    assert linked(bench)


def test_a_second_click_says_what_happened_meanwhile(bench: Bench) -> None:
    asked = ask(bench, "unlink <@U0000NEW> sun")
    click(bench, "approval.confirm", asked)
    linking.link(bench.desk, Kind.PERSON, "T9/U0000NEW", "sun", SUPPORT.person)
    told = click(bench, "approval.confirm", asked)
    assert told is not None
    assert told.tone is Tone.WARN
    assert shown(told).title.plain() == "U_SUPPORT said yes on 2027-02-10 14:03 UTC, and it was done."
    assert linked(bench)


def test_somebody_else_cannot_confirm(bench: Bench) -> None:
    asked = ask(bench, "unlink <@U0000NEW> sun")
    told = click(bench, "approval.confirm", asked, ADMIN)
    assert told is not None
    assert "Only who asked can confirm or cancel this." in said(told)
    assert linked(bench)
    assert proposal(bench, asked).stage is Stage.OPEN


def test_who_has_lost_the_right_meanwhile_cannot_confirm(bench: Bench) -> None:
    asked = ask(bench, "unlink <@U0000NEW> sun")
    for fallen in (Caller(SUPPORT.person, Role.ONCALL, None), Caller(SUPPORT.person, Role.NOBODY)):
        told = click(bench, "approval.confirm", asked, fallen)
        assert told == click(bench, "approval.confirm", "prop_0", fallen)
    assert linked(bench)


@pytest.mark.parametrize("caller", [MOON, STRANGER], ids=lambda one: one.role)
@pytest.mark.parametrize("action", ["confirm", "cancel", "approve", "reject"])
def test_to_who_may_not_know_of_it_it_does_not_exist(bench: Bench, caller: Caller, action: str) -> None:
    asked = ask(bench, "unlink <@U0000NEW> sun")
    assert click(bench, f"approval.{action}", asked, caller) == click(
        bench, f"approval.{action}", "prop_0", caller
    )
    assert proposal(bench, asked).stage is Stage.OPEN


def test_in_a_terminal_nothing_is_asked(bench: Bench) -> None:
    outcome = dispatch(["unlink", "T9/U0000NEW", "sun"], TERMINAL, desk_of(bench))
    assert (outcome.exit_code, outcome.proposal) == (0, "")
    assert not linked(bench)
    assert outcome.data == {
        "message": "The link of U0000NEW to the store sun is taken back",
        "store": "sun",
    }


def test_the_audit_trail_has_the_question_the_answer_and_the_deed(bench: Bench) -> None:
    asked = ask(bench, "unlink <@U0000NEW> sun")
    click(bench, "approval.confirm", asked)
    with bench.storage.read() as tx:
        rows = [(r.actor, r.action, r.subject, r.result, r.reason) for r in tx.audit.entries()]
    about = "T9/U0000NEW sun"
    assert rows == [
        (SUPPORT.person, "unlink", about, "asked", asked),
        (SUPPORT.person, "approval.yes", f"{asked} unlink {about}", "done", f"asked by {SUPPORT.person}"),
        (SUPPORT.person, "unlink", about, "done", f"approved by {SUPPORT.person}: {asked}"),
    ]
    assert bench.now == NOW
