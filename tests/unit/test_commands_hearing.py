"""Who hears an answer: a table of channel, asker and subject; in doubt the asker alone."""

import json
from dataclasses import dataclass, replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands import requests
from commands.caller import Caller, Doubt, Role
from commands.dispatch import dispatch
from commands.hearing import CLOSED, EVERYTHING, UNSEEN, Room, aloud, heard, stores_in
from commands.reply import Outcome, Reply, Tone
from services.model.text import say
from services.ports import Message, Request
from tests.desks import MOON, STRANGER, SUPPORT, Bench
from tests.unit.commands_world import DAY, desk_of, make_bench

ADMIN = Caller("T1/U_ADMIN", Role.ADMIN, None)
ONCALL = Caller("T1/U_ONCALL", Role.ONCALL, None)
SUN = Caller("T9/U_SUN", Role.MERCHANT, frozenset({"sun"}))
BOTH = Caller("T1/U_BOTH", Role.MERCHANT, frozenset({"moon", "sun"}))
UNKNOWN = Caller("/U_GONE", Role.NOBODY, doubt=Doubt.PERSON)
MOONS, TWO = frozenset({"moon"}), frozenset({"moon", "sun"})

STAFF_ALONE = Room(known=True, readers=(SUPPORT, ADMIN, ONCALL))
DECLARED = Room(known=True, staff=True, public=True)
WITH_MOON = Room(known=True, readers=(SUPPORT, MOON))

TABLE: tuple[tuple[str, Room, Caller, frozenset[str] | None, bool], ...] = (
    # of staff, among staff
    ("staff alone, one store", STAFF_ALONE, SUPPORT, MOONS, True),
    ("staff alone, all stores", STAFF_ALONE, ONCALL, EVERYTHING, True),
    ("a channel the settings name", DECLARED, SUPPORT, EVERYTHING, True),
    ("a conversation with the bot", Room(known=True, direct=True), SUPPORT, EVERYTHING, True),
    ("a merchant's with the bot", Room(known=True, direct=True), MOON, MOONS, True),
    # with merchants
    ("the store's merchant reads along", WITH_MOON, SUPPORT, MOONS, True),
    ("a merchant of both reads of one", Room(known=True, readers=(SUPPORT, BOTH)), SUPPORT, MOONS, True),
    ("the merchant would hear of another store", WITH_MOON, SUPPORT, frozenset({"sun"}), False),
    ("of another one as well", WITH_MOON, SUPPORT, TWO, False),
    ("of any store", WITH_MOON, SUPPORT, EVERYTHING, False),
    ("of none that is named", WITH_MOON, SUPPORT, frozenset(), False),
    ("people of several stores", Room(known=True, readers=(SUPPORT, MOON, SUN)), SUPPORT, MOONS, False),
    ("somebody who belongs to nothing", Room(known=True, readers=(SUPPORT, STRANGER)), SUPPORT, MOONS, False),
    ("somebody who cannot be looked up", Room(known=True, readers=(SUPPORT, UNKNOWN)), SUPPORT, MOONS, False),
    # what is asked by merchants is theirs alone
    ("a merchant in their own channel", WITH_MOON, MOON, MOONS, False),
    ("a merchant in the staff's channel", DECLARED, MOON, MOONS, False),
    ("somebody without a store", STAFF_ALONE, STRANGER, EVERYTHING, False),
    # what cannot be known, or is open to others
    ("a channel nobody knows", UNSEEN, SUPPORT, MOONS, False),
    ("one the settings name, of unknown kind", Room(staff=True), SUPPORT, MOONS, False),
    ("public", Room(known=True, public=True), SUPPORT, MOONS, False),
    ("too many to look at", Room(known=True, readers=None), SUPPORT, MOONS, False),
    ("shared", replace(STAFF_ALONE, shared=True), SUPPORT, MOONS, False),
    ("shared, though the settings name it", replace(DECLARED, shared=True), ADMIN, EVERYTHING, False),
)


@pytest.mark.parametrize(
    ("room", "caller", "about", "told"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_who_may_hear(room: Room, caller: Caller, about: frozenset[str] | None, told: bool) -> None:
    assert aloud(room, caller, about) is told


READERS = (SUPPORT, ADMIN, ONCALL, MOON, SUN, BOTH, STRANGER, UNKNOWN)
rooms = st.builds(
    Room,
    known=st.booleans(),
    direct=st.just(value=False),
    shared=st.booleans(),
    public=st.booleans(),
    staff=st.just(value=False),
    readers=st.none() | st.lists(st.sampled_from(READERS), max_size=4).map(tuple),
)


@given(
    room=rooms, caller=st.sampled_from(READERS), about=st.sampled_from((MOONS, TWO, frozenset(), EVERYTHING))
)
def test_nobody_hears_of_a_store_that_they_may_not_see(
    room: Room, caller: Caller, about: frozenset[str] | None
) -> None:
    if not aloud(room, caller, about):
        return
    assert room.known
    assert not room.shared
    assert room.readers is not None
    for reader, store in product(room.readers, ("moon", "sun", "any") if about is None else about):
        assert reader.sees(store)


# --- what an answer is about -----------------------------------------------------------------------------------------


@dataclass
class Told:
    """A channel as a test wants it, and how often it was asked for."""

    known: Room
    asked: int = 0

    def room(self, _channel: str) -> Room:
        self.asked += 1
        return self.known


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("status", True),
        ("status moon", True),
        ("forecast", True),
        ("alerts", True),
        ("links moon", True),
        ("help", True),
        ("statsu", True),
        ("add nobody.test --stor moon", True),
        ("status shop.moon.test", False),
        ("check shop.moon.test", False),
        ("history shop.moon.test", False),
        ("add shop.moon.test", False),
        ("report", False),
    ],
)
def test_what_is_for_the_asker_alone_even_among_staff(text: str, alone: bool) -> None:
    """The documents say which (docs/isolation.md)."""
    bench = make_bench()
    dispatch("add shop.moon.test", SUPPORT, bench.desk)
    outcome = dispatch(text, SUPPORT, desk_of(bench))
    assert heard(outcome, SUPPORT, "C1", Told(DECLARED)).reply.private is alone


@pytest.fixture
def bench() -> Bench:
    made = make_bench()
    dispatch("add shop.moon.test", SUPPORT, desk_of(made))
    return made


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("status shop.moon.test", MOONS),
        ("check shop.moon.test", MOONS),
        ("add shop.moon.test www.moon.test", MOONS),
        ("add shop.moon.test sun.test", TWO),
        ("add shop.moon.test nobodys.test", EVERYTHING),
        ("status", MOONS),
        ("status moon", MOONS),
        ("status sun", EVERYTHING),  # it has no certificate yet, so nothing says whose the answer is
        ("status nobodys.test", EVERYTHING),
        ("history shop.moon.test", EVERYTHING),  # of staff: with orders, alerts, and who did what
        ("forecast", EVERYTHING),
        ("alerts", EVERYTHING),
        ("report", EVERYTHING),
    ],
)
def test_what_an_answer_is_about_stands_in_its_machine_contract(
    bench: Bench, text: str, about: frozenset[str] | None
) -> None:
    assert stores_in(dispatch(text, SUPPORT, desk_of(bench))) == about


def test_who_alone_sees_an_answer_of_staff_is_told_why() -> None:
    spoken = Outcome(Reply(Tone.INFO, say("Well")), data={"store": "moon"})
    kept = heard(spoken, SUPPORT, "C1", Told(replace(WITH_MOON, shared=True)))
    assert kept.reply.private
    assert "Only you see this: others can read in this channel" in str(kept.reply)
    assert heard(spoken, SUPPORT, "C1", Told(WITH_MOON)) == spoken


def test_slack_is_asked_of_a_channel_only_where_the_answer_depends_on_it() -> None:
    spoken = Outcome(Reply(Tone.INFO, say("Well")), data={"store": "moon"})
    private = replace(spoken, reply=replace(spoken.reply, private=True))
    asked = Told(STAFF_ALONE)
    assert heard(private, SUPPORT, "C1", asked) == private
    assert heard(spoken, SUPPORT, "", asked) == spoken
    assert heard(spoken, SUPPORT, "D1", asked) == spoken
    assert heard(spoken, MOON, "C1", asked).reply.private
    assert asked.asked == 0


def performed(bench: Bench, text: str, room: Told) -> Message:
    request = Request("req_1", "d", "T1", "U1", "C1", text, bench.now)
    with bench.storage.write() as tx:
        assert tx.requests.add(request)
        [claimed] = tx.requests.claim(bench.now, DAY, 10)
    requests.perform(desk_of(bench), claimed, SUPPORT, rooms=room)
    with bench.storage.read() as tx:
        found = tx.outbox.by_key("request:req_1")
    assert found is not None
    return found


@pytest.mark.parametrize(("room", "private"), [(WITH_MOON, False), (UNSEEN, True)])
@pytest.mark.parametrize(
    ("text", "kind"), [("status shop.moon.test", "reply"), ("renew shop.moon.test", "progress")]
)
def test_what_is_finished_and_what_is_followed_both_go_by_it(
    bench: Bench, text: str, kind: str, room: Room, private: bool
) -> None:
    """A private message that is followed goes to the person's direct messages (`bot.slack.delivery.first_way`)."""
    message = performed(bench, text, Told(room))
    assert (message.kind, message.private, message.user) == (kind, private, "U1")
    assert "sun" not in json.dumps(message.body)


def test_without_a_slack_to_ask_no_channel_is_known() -> None:
    assert CLOSED.room("C1") == UNSEEN
