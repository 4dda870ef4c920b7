"""The one message of a CA's recall: what it says at every stage, who may steer it, and that it fits Slack."""

from datetime import timedelta

import pytest

from bot.slack.limits import violations
from bot.slack.render import render
from commands import bulk, messages
from commands.caller import Caller, Role
from commands.command import Call
from commands.dispatch import dispatch
from commands.reply import Composed, Fields, Mention, Rows
from services.model.jobs import ItemState, Job, JobState
from services.model.settings import CaSettings
from tests.desks import MOON, SUPPORT
from tests.samples.recalls import GROUP, failed, planned
from tests.unit.approval_world import buttons, said
from tests.unit.commands_world import only
from tests.unit.recall_world import MANY, URL, Fleet

MINUTE = timedelta(minutes=1)
TOTAL = 8
ONCALL = Caller("T1/U_ONCALL", Role.ONCALL, None)


@pytest.fixture
def built() -> Fleet:
    return planned()


def shown(built: Fleet) -> Composed:
    [message] = built.messages
    composed = messages.compose(built.desk_of(), message)
    drawn = render(composed.reply)
    assert not violations(drawn.text, drawn.blocks)
    return composed


def fields(composed: Composed) -> dict[str, str]:
    return {label.plain(): str(value) for part in only(composed.reply, Fields) for label, value in part.pairs}


def test_it_says_what_the_ca_wants_why_how_far_it_is_and_when_it_ends(built: Fleet) -> None:
    composed = shown(built)
    joined = built.plan.total
    assert composed.reply.title.plain() == f"first wants {joined} certificates replaced now: {MANY - 1} are"
    assert not composed.final
    text = said(composed.reply)
    assert URL in text
    assert "Nothing to do." in text
    assert "the CA is asked about its other certificates" in text
    told = fields(composed)
    assert told["Replaced"] == str(MANY - 1)
    assert int(told["At work"]) + int(told["Not begun"]) == joined - (MANY - 1)
    assert told["Ends about"] > told["Begun"]
    [called] = only(composed.reply, Mention)
    assert called.groups == (GROUP,)
    assert list(buttons(composed.reply)) == ["bulk.pause", "bulk.cancel"]


def test_the_same_message_says_that_all_are_replaced(built: Fleet) -> None:
    built.advance(60 * MINUTE)
    composed = shown(built)
    assert composed.final
    assert composed.reply.title.plain() == f"first wanted {TOTAL} certificates replaced: all are"
    assert not buttons(composed.reply)
    assert not only(composed.reply, Mention)
    assert fields(composed)["Replaced"] == str(TOTAL)
    assert fields(composed)["Ended"] > fields(composed)["Begun"]
    assert "At work" not in fields(composed)


def test_what_could_not_be_replaced_is_named_with_its_cause() -> None:
    composed = shown(failed())
    assert composed.reply.title.plain() == f"first wanted {TOTAL} certificates replaced: {TOTAL - 1} are"
    [row] = [row for rows in only(composed.reply, Rows) for row in rows.rows]
    assert "the CA's validation failed" in str(row.detail)
    assert "certdesk goes on by itself" in said(composed.reply)


def test_while_the_limits_leave_nothing_to_spare_it_says_until_when(built: Fleet) -> None:
    built.limits["first"] = CaSettings("first", "https://first.test", limits={"orders": (1, 600 * MINUTE)})
    built.advance(10 * MINUTE)
    text = said(shown(built).reply)
    assert "leave nothing to spare before" in text
    assert "a fifth is kept for other certificates" in text


def click(built: Fleet, who: Caller, after: JobState) -> Job:
    call = Call((built.plan.id,), who, built.desk_of())
    bulk.click(call, after)
    return built.plan


def test_staff_pause_resume_and_cancel_it_and_merchants_do_not(built: Fleet) -> None:
    assert click(built, MOON, JobState.CANCELLED).state is JobState.RUNNING
    assert click(built, ONCALL, JobState.PAUSED).state is JobState.PAUSED
    composed = shown(built)
    assert composed.reply.title.plain().startswith("Paused: first wants ")
    assert "resume it in time" in said(composed.reply)
    assert list(buttons(composed.reply)) == ["bulk.resume", "bulk.cancel"]
    assert click(built, SUPPORT, JobState.RUNNING).state is JobState.RUNNING
    assert click(built, ONCALL, JobState.CANCELLED).state is JobState.CANCELLED
    composed = shown(built)
    assert composed.final
    assert "keeps its own time of renewal" in said(composed.reply)


def test_the_status_of_what_waits_says_why_and_whose_move_it_is(built: Fleet) -> None:
    waits = built.items(ItemState.WAITING)[-1]

    def status() -> str:
        outcome = dispatch(f"status {waits.name}", SUPPORT, built.desk_of())
        return said(outcome.reply)

    assert "first wants it replaced now: it waits for its turn" in status()
    click(built, ONCALL, JobState.PAUSED)
    assert f"is paused. To renew it now: /ssl renew {waits.name}" in status()
    click(built, ONCALL, JobState.CANCELLED)
    assert f"was cancelled. To renew it now: /ssl renew {waits.name}" in status()
    built.renew(waits.name)
    built.advance(5 * MINUTE)
    assert "wants it replaced" not in status()


def test_it_goes_on_whoever_has_steered_it_and_lost_their_rights_since(built: Fleet) -> None:
    click(built, ONCALL, JobState.PAUSED)
    job = click(built, ONCALL, JobState.RUNNING)
    assert bulk.goes_on(built.desk_of(), job, lambda person, _workspace: Caller(person, Role.NOBODY))
