"""What is told aloud: not where somebody reads by now who may not hear of it, and shown no more while such a person does."""

from dataclasses import replace

import pytest

from bot.slack.delivery import Place, first_way
from bot.slack.limits import violations
from bot.slack.render import render
from commands import messages
from commands.caller import Caller, Role
from commands.dispatch import dispatch
from commands.hearing import UNSEEN, Room
from commands.overhearing import PATIENCE
from commands.reply import Composed
from services.model.errors import CertdeskError
from services.model.lifecycle import State
from services.ports import Message
from tests.desks import MOON, STRANGER, SUPPORT, Bench
from tests.unit.approval_world import ask, click, message, said, sent
from tests.unit.commands_world import desk_of, make_bench
from tests.unit.test_commands_scan import World as Scanned
from tests.unit.test_scanning_crawl import HOST

SUN = Caller("T9/U_SUN", Role.MERCHANT, frozenset({"sun"}))
NAMES = "shop.moon.test", "www.moon.test"
ENDED = "Somebody reads here now who may not hear of this, so it is not shown here any more"


class Channel:
    """One channel, and who is in it just now."""

    def __init__(self, *readers: Caller) -> None:
        self.now = Room(known=True, readers=readers)
        self.asked: list[str] = []

    def room(self, channel: str) -> Room:
        self.asked.append(channel)
        return self.now

    def joined(self, *readers: Caller) -> None:
        self.now = replace(self.now, readers=(*(self.now.readers or ()), *readers))


@pytest.fixture
def bench() -> Bench:
    return make_bench()


@pytest.fixture
def channel() -> Channel:
    return Channel(SUPPORT, MOON)


def shown(bench: Bench, told: Message, channel: Channel) -> Composed:
    found = messages.compose(desk_of(bench), told, rooms=channel)
    drawn = render(found.reply)
    assert not violations(drawn.text, drawn.blocks)
    return found


def owed(bench: Bench, channel: Channel, text: str) -> Message:
    request = sent(bench, text, SUPPORT, "command", rooms=channel)
    found = message(bench, f"request:{request.id}")
    assert not found.private
    return found


def standing(told: Message) -> Message:
    return replace(told, ts="1.0")


def progress(bench: Bench, channel: Channel) -> Message:
    return standing(owed(bench, channel, f"add {NAMES[0]}"))


@pytest.mark.parametrize("stranger", [SUN, STRANGER])
def test_progress_is_hidden_once_somebody_joins_who_may_not_hear_of_the_store(
    bench: Bench, channel: Channel, stranger: Caller
) -> None:
    told = progress(bench, channel)
    assert NAMES[0] in str(shown(bench, told, channel).reply)
    channel.joined(stranger)
    hidden = shown(bench, told, channel)
    assert said(hidden.reply).startswith(ENDED)
    assert "moon" not in str(hidden.reply)
    assert not hidden.final  # it goes on, and is there again once they have left
    channel.now = Room(known=True, readers=(SUPPORT, MOON))
    assert NAMES[0] in str(shown(bench, told, channel).reply)


@pytest.mark.parametrize("joined", [SUPPORT, MOON])
def test_it_stays_for_who_may_hear_of_it(bench: Bench, channel: Channel, joined: Caller) -> None:
    told = progress(bench, channel)
    channel.joined(joined)
    assert NAMES[0] in str(shown(bench, told, channel).reply)


@pytest.mark.parametrize("change", [{"shared": True}, {"public": True}, {"readers": None}])
def test_a_channel_that_has_become_another_one_hears_no_more(
    bench: Bench, channel: Channel, change: dict[str, object]
) -> None:
    told = progress(bench, channel)
    channel.now = replace(channel.now, **change)  # type: ignore[arg-type]
    assert said(shown(bench, told, channel).reply).startswith(ENDED)


def test_what_ends_while_it_is_hidden_stays_hidden(bench: Bench, channel: Channel) -> None:
    told = progress(bench, channel)
    channel.joined(SUN)
    bench.install(NAMES[0])
    hidden = shown(bench, told, channel)
    assert hidden.final
    assert said(hidden.reply).startswith(ENDED)


def test_while_slack_does_not_say_who_is_there_it_waits(bench: Bench, channel: Channel) -> None:
    told = progress(bench, channel)
    channel.now = UNSEEN
    with pytest.raises(CertdeskError, match="who reads in C1"):
        messages.compose(desk_of(bench), told, rooms=channel)


def test_a_question_and_what_came_of_it_too(bench: Bench, channel: Channel) -> None:
    dispatch(f"add {NAMES[0]}", SUPPORT, bench.desk)
    bench.install(NAMES[0])
    asked = ask(bench, f"renew {NAMES[0]}", SUPPORT, rooms=channel)
    told = standing(message(bench, f"approval:{asked}"))
    assert not told.private
    assert "before it is due" in str(shown(bench, told, channel).reply)
    assert click(bench, "approval.confirm", asked) is None
    assert bench.certificate(NAMES[0]).state is State.CHECKING
    channel.joined(SUN)
    told = standing(message(bench, f"approval:{asked}"))
    assert said(shown(bench, told, channel).reply).startswith(ENDED)


def test_what_was_refused_with_it_may_be_of_any_store(bench: Bench) -> None:
    channel = Channel(SUPPORT)
    told = standing(owed(bench, channel, f"add {NAMES[0]} nobodys.test"))
    channel.joined(MOON)
    assert said(shown(bench, told, channel).reply).startswith(ENDED)


def test_slack_is_asked_only_of_what_everybody_in_a_channel_reads(bench: Bench, channel: Channel) -> None:
    told = progress(bench, channel)
    channel.asked.clear()
    # the last one nobody has asked for: its channel is chosen for it
    for one in (replace(told, private=True), replace(told, channel="D1"), replace(told, user="")):
        shown(bench, one, channel)
    assert channel.asked == []
    shown(bench, replace(told, team="T2"), channel)
    assert channel.asked == ["T2/C1"]


def test_what_was_not_told_yet_is_for_the_asker_alone_then(bench: Bench, channel: Channel) -> None:
    """Slack was down, say, and the channel is another one by the time that it takes messages again."""
    dispatch(f"add {NAMES[0]}", SUPPORT, bench.desk)
    texts = f"status {NAMES[0]}", f"add {NAMES[0]}", f"check {NAMES[0]}", f"scan {NAMES[0]}"
    told = [owed(bench, channel, text) for text in texts]
    assert not any(shown(bench, one, channel).reply.private for one in told)
    channel.joined(SUN)
    for one in told:
        hidden = shown(bench, one, channel).reply
        assert hidden.private
        assert NAMES[0] in str(hidden)
    channel.now = UNSEEN
    assert all(shown(bench, one, channel).reply.private for one in told)


def test_what_stands_in_the_askers_direct_messages_stays(bench: Bench, channel: Channel) -> None:
    told = replace(progress(bench, channel), ts="D1/1.0")
    channel.joined(SUN)
    assert NAMES[0] in str(shown(bench, told, channel).reply)


def test_who_is_sent_out_of_a_channel_goes_on_with_the_asker_alone(bench: Bench, channel: Channel) -> None:
    told = replace(progress(bench, channel), failures=PATIENCE)
    channel.now = UNSEEN
    assert shown(bench, told, channel).reply.private


def test_an_answer_for_the_platforms_people_alone_stays_with_them(bench: Bench) -> None:
    channel = Channel(SUPPORT)
    told = owed(bench, channel, f"history {NAMES[0]}")
    assert not shown(bench, told, channel).reply.private
    channel.joined(MOON)
    assert shown(bench, told, channel).reply.private


def test_a_scan_and_its_files_too(channel: Channel) -> None:
    world = Scanned(make_bench())
    told = owed(world.bench, channel, f"scan {HOST}")
    files = message(world.bench, f"{told.key}:files")
    world.work()
    assert "http://" in str(shown(world.bench, standing(told), channel).reply)
    assert not shown(world.bench, files, channel).reply.private
    channel.joined(SUN)
    assert said(shown(world.bench, standing(told), channel).reply).startswith(ENDED)
    composed = shown(world.bench, files, channel)
    assert composed.reply.private
    parent = Place("C1", "1.0")
    way = first_way(files, private=composed.reply.private, final=True, files=True, under=parent)
    assert (way.channel, way.thread) == ("", "")  # the asker's direct messages, in no thread
