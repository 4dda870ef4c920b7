"""Who loses a right while something of theirs goes on: their jobs are paused, and what they could read is shown no more."""

from datetime import timedelta

import pytest

from bot.slack.limits import violations
from bot.slack.render import render
from commands import bulk, live, messages
from commands.caller import TERMINAL, Caller, Doubt, Role
from commands.dispatch import dispatch
from commands.reply import Reply
from services.bulk import steps, turning
from services.model.errors import CertdeskError
from services.model.jobs import Counts, Job, JobState
from services.model.lifecycle import State
from services.ports import Message
from tests.desks import MOON, SUPPORT
from tests.unit.approval_world import ask, buttons, click, message, said, sent
from tests.unit.commands_world import desk_of, make_bench
from tests.unit.test_bulk_file import Dropped

NOBODY = Caller(MOON.person, Role.NOBODY)
DOUBTED = Caller(MOON.person, Role.NOBODY, doubt=Doubt.PERSON)
SUNS = Caller(MOON.person, Role.MERCHANT, frozenset({"sun"}))
ENDING = "This is about a store that you no longer see, and is not shown here any more"


class World:
    """A bench, and who people are just now."""

    def __init__(self) -> None:
        self.bench = make_bench()
        self.people = {one.person: one for one in (MOON, SUPPORT)}
        self.asked: list[tuple[str, str]] = []

    def known(self, person: str, workspace: str) -> Caller:
        self.asked.append((person, workspace))
        return self.people.get(person, self.people[MOON.person])

    def begin(self) -> str:
        asked = ask(self.bench, "add --file", MOON, uploads=Dropped("shop.moon.test\nwww.moon.test\n"))
        assert click(self.bench, "approval.confirm", asked, MOON, known=self.known) is None
        return asked

    def step(self) -> bool:
        """Do what the pump of jobs does; tell whether a step was done."""
        desk, done = desk_of(self.bench), False
        with self.bench.storage.write() as tx:
            claimed = tx.jobs.claim(self.bench.now, timedelta(seconds=30), 1)
        for job in claimed:
            if bulk.goes_on(desk, job, self.known):
                steps.step(desk, job)
                done = True
        return done

    def state(self, asked: str) -> tuple[JobState, Counts]:
        found = turning.look(desk_of(self.bench), asked.replace("prop_", "job_"))
        assert found is not None
        return found[0].state, found[1]


@pytest.fixture
def world() -> World:
    return World()


def shown(reply: Reply) -> str:
    drawn = render(reply)
    assert not violations(drawn.text, drawn.blocks)
    return said(reply)


@pytest.mark.parametrize("lost", [NOBODY, SUNS])
def test_a_job_is_paused_at_its_next_step_once_its_person_has_lost_the_right(
    world: World, lost: Caller
) -> None:
    asked = world.begin()
    world.people[MOON.person] = lost
    assert not world.step()
    assert world.state(asked) == (JobState.PAUSED, Counts(waiting=2))
    assert not world.bench.certificates()
    theirs = messages.compose(desk_of(world.bench), message(world.bench, f"approval:{asked}"), world.known)
    assert (shown(theirs.reply), theirs.final) == (ENDING, True)
    there = message(world.bench, f"approval:{asked}:halted")
    assert (there.channel, there.private) == ("C_SUPPORT", False)
    reply = messages.compose(desk_of(world.bench), there, world.known).reply
    assert "Paused at 0 of 2" in shown(reply)
    assert "who was behind it has no right to it any more" in shown(reply)
    assert "bulk.resume" in buttons(reply)
    with world.bench.storage.read() as tx:
        row = tx.audit.last()
    assert row is not None
    assert (row.actor, row.action, row.subject) == ("certdesk", "bulk.pause", asked.replace("prop_", "job_"))
    assert MOON.person in row.reason


def test_who_resumes_it_is_behind_it_from_then_on(world: World) -> None:
    asked = world.begin()
    world.people[MOON.person] = NOBODY
    world.step()
    id_ = asked.replace("prop_", "job_")
    assert click(world.bench, "bulk.resume", id_, NOBODY) is not None
    assert click(world.bench, "bulk.resume", id_, SUPPORT) is None
    assert world.step()
    [row] = world.bench.certificates()
    with world.bench.storage.read() as tx:
        assert {one.actor for one in tx.certificates.history(row.id)} == {SUPPORT.person}
    world.people[SUPPORT.person] = Caller(SUPPORT.person, Role.NOBODY)
    world.bench.now += timedelta(seconds=10)
    assert not world.step()
    assert world.state(asked)[0] is JobState.PAUSED


def test_while_slack_does_not_say_who_they_are_it_waits_and_then_goes_on(world: World) -> None:
    asked = world.begin()
    world.people[MOON.person] = DOUBTED
    assert not world.step()
    assert world.state(asked) == (JobState.RUNNING, Counts(waiting=2))
    world.people[MOON.person] = MOON
    assert not world.step()  # it looks again a while later
    world.bench.now += turning.HELD
    assert world.step()


def test_they_are_judged_where_they_asked_and_at_each_step(world: World) -> None:
    world.begin()
    world.asked.clear()
    assert world.step()
    world.bench.now += timedelta(seconds=10)
    world.step()
    assert world.asked == [(MOON.person, ""), (MOON.person, "")]


def test_what_a_terminal_has_begun_needs_nobody(world: World) -> None:
    job = Job("job_1", "add", {}, TERMINAL.person, world.bench.now, 0)
    assert bulk.goes_on(desk_of(world.bench), job, world.known)
    assert world.asked == []


def progress(world: World) -> Message:
    request = sent(world.bench, "add shop.moon.test", MOON, "command")
    return message(world.bench, f"request:{request.id}")


def test_progress_is_shown_no_more_to_who_no_longer_sees_the_store(world: World) -> None:
    owed = progress(world)
    assert owed.private
    desk = desk_of(world.bench)
    assert "shop.moon.test" in str(messages.compose(desk, owed, world.known).reply)
    for lost in (NOBODY, SUNS):
        world.people[MOON.person] = lost
        found = messages.compose(desk, owed, world.known)
        assert (shown(found.reply), found.final) == (ENDING, True)
    world.people[MOON.person] = DOUBTED
    with pytest.raises(CertdeskError, match="Slack does not say who"):
        messages.compose(desk, owed, world.known)


def test_an_open_modal_ends_likewise(world: World) -> None:
    form = {"values": {"names": ["shop.moon.test"]}}
    request = sent(world.bench, "add", MOON, "submission", form=form)
    row = message(world.bench, f"view:{request.id}")
    desk = desk_of(world.bench)
    assert not live.compose(desk, row, world.known).final
    world.people[MOON.person] = SUNS
    found = live.compose(desk, row, world.known)
    assert found.final
    assert ENDING in str(found.sheet)
    checks = Message(
        "m", "k", "sheet_checks", "h", "U1", private=True, body={"store": "moon"}, created_at=row.created_at
    )
    assert ENDING in str(live.compose(desk, checks, world.known).sheet)
    assert live.compose(desk, checks, world.known).final


def test_what_stands_in_a_channel_is_not_about_one_reader(world: World) -> None:
    dispatch("add shop.moon.test", SUPPORT, world.bench.desk)
    assert world.bench.certificate("shop.moon.test").state is State.CHECKING
    owed = progress(world)
    world.people[MOON.person] = NOBODY
    open_ = Message(
        "m",
        "k",
        owed.kind,
        "C1",
        "U1",
        private=False,
        body=owed.body,
        created_at=owed.created_at,
        follows=owed.follows,
    )
    assert "shop.moon.test" in str(messages.compose(desk_of(world.bench), open_, world.known).reply)


@pytest.mark.parametrize("lost", [NOBODY, SUNS])
@pytest.mark.parametrize(
    "text",
    [
        "status moon",
        "status shop.moon.test",
        "check shop.moon.test",
        "history shop.moon.test",
        "report",
        "links moon",
        "forecast",
    ],
)
def test_an_answer_that_waits_is_not_told_to_who_has_lost_the_store_by_then(
    world: World, text: str, lost: Caller
) -> None:
    dispatch("add shop.moon.test", SUPPORT, world.bench.desk)
    request = sent(world.bench, text, MOON, "command")
    owed = message(world.bench, f"request:{request.id}")
    told = messages.compose(desk_of(world.bench), owed, world.known).reply
    assert not shown(told).startswith(ENDING)
    world.people[MOON.person] = lost
    gone = messages.compose(desk_of(world.bench), owed, world.known).reply
    assert shown(gone).startswith(ENDING)
    assert "moon" not in str(gone)


@pytest.mark.parametrize("text", ["help", "status quiz.test", "status --store quiz", "link quiz", "frob"])
def test_an_answer_to_who_never_had_a_store_is_told(world: World, text: str) -> None:
    request = sent(world.bench, text, NOBODY, "command")
    owed = message(world.bench, f"request:{request.id}")
    world.people[MOON.person] = NOBODY
    told = messages.compose(desk_of(world.bench), owed, world.known).reply
    assert not shown(told).startswith(ENDING)
