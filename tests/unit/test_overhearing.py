"""What was told aloud and goes on: it is shown no more while somebody reads along who may not hear of it."""

from dataclasses import replace

import pytest

from bot.slack.limits import violations
from bot.slack.render import render
from commands import messages
from commands.caller import Caller, Role
from commands.dispatch import dispatch
from commands.hearing import UNSEEN, Room
from commands.reply import Composed
from services.model.errors import CertdeskError
from services.model.lifecycle import State
from services.ports import Message
from tests.desks import MOON, STRANGER, SUPPORT, Bench
from tests.unit.approval_world import ask, click, message, said, sent
from tests.unit.commands_world import desk_of, make_bench

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


def shown(bench: Bench, owed: Message, channel: Channel) -> Composed:
    found = messages.compose(desk_of(bench), owed, rooms=channel)
    drawn = render(found.reply)
    assert not violations(drawn.text, drawn.blocks)
    return found


def progress(bench: Bench, channel: Channel) -> Message:
    request = sent(bench, f"add {NAMES[0]}", SUPPORT, "command", rooms=channel)
    owed = message(bench, f"request:{request.id}")
    assert not owed.private
    return owed


@pytest.mark.parametrize("stranger", [SUN, STRANGER])
def test_progress_is_hidden_once_somebody_joins_who_may_not_hear_of_the_store(
    bench: Bench, channel: Channel, stranger: Caller
) -> None:
    owed = progress(bench, channel)
    assert NAMES[0] in str(shown(bench, owed, channel).reply)
    channel.joined(stranger)
    hidden = shown(bench, owed, channel)
    assert said(hidden.reply).startswith(ENDED)
    assert "moon" not in str(hidden.reply)
    assert not hidden.final  # it goes on, and is there again once they have left
    channel.now = Room(known=True, readers=(SUPPORT, MOON))
    assert NAMES[0] in str(shown(bench, owed, channel).reply)


@pytest.mark.parametrize("joined", [SUPPORT, MOON])
def test_it_stays_for_who_may_hear_of_it(bench: Bench, channel: Channel, joined: Caller) -> None:
    owed = progress(bench, channel)
    channel.joined(joined)
    assert NAMES[0] in str(shown(bench, owed, channel).reply)


@pytest.mark.parametrize("change", [{"shared": True}, {"public": True}, {"readers": None}])
def test_a_channel_that_has_become_another_one_hears_no_more(
    bench: Bench, channel: Channel, change: dict[str, object]
) -> None:
    owed = progress(bench, channel)
    channel.now = replace(channel.now, **change)  # type: ignore[arg-type]
    assert said(shown(bench, owed, channel).reply).startswith(ENDED)


def test_what_ends_while_it_is_hidden_stays_hidden(bench: Bench, channel: Channel) -> None:
    owed = progress(bench, channel)
    channel.joined(SUN)
    bench.install(NAMES[0])
    hidden = shown(bench, owed, channel)
    assert hidden.final
    assert said(hidden.reply).startswith(ENDED)


def test_while_slack_does_not_say_who_is_there_it_waits(bench: Bench, channel: Channel) -> None:
    owed = progress(bench, channel)
    channel.now = UNSEEN
    with pytest.raises(CertdeskError, match="who reads in C1"):
        messages.compose(desk_of(bench), owed, rooms=channel)


def test_a_question_and_what_came_of_it_too(bench: Bench, channel: Channel) -> None:
    dispatch(f"add {NAMES[0]}", SUPPORT, bench.desk)
    bench.install(NAMES[0])
    asked = ask(bench, f"renew {NAMES[0]}", SUPPORT, rooms=channel)
    owed = message(bench, f"approval:{asked}")
    assert not owed.private
    assert "before it is due" in str(shown(bench, owed, channel).reply)
    assert click(bench, "approval.confirm", asked) is None
    assert bench.certificate(NAMES[0]).state is State.CHECKING
    channel.joined(SUN)
    assert said(shown(bench, message(bench, f"approval:{asked}"), channel).reply).startswith(ENDED)


def test_what_was_refused_with_it_may_be_of_any_store(bench: Bench) -> None:
    channel = Channel(SUPPORT)
    request = sent(bench, f"add {NAMES[0]} nobodys.test", SUPPORT, "command", rooms=channel)
    owed = message(bench, f"request:{request.id}")
    assert not owed.private
    channel.joined(MOON)
    assert said(shown(bench, owed, channel).reply).startswith(ENDED)


def test_slack_is_asked_only_of_what_everybody_in_a_channel_reads(bench: Bench, channel: Channel) -> None:
    owed = progress(bench, channel)
    channel.asked.clear()
    # the last one nobody has asked for: its channel is chosen for it
    for one in (replace(owed, private=True), replace(owed, channel="D1"), replace(owed, user="")):
        shown(bench, one, channel)
    assert channel.asked == []
    shown(bench, replace(owed, team="T2"), channel)
    assert channel.asked == ["T2/C1"]
