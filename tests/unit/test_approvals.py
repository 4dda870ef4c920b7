"""Proposals: done once, by a yes of the right person, in time; else not at all."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services import approvals
from services.desk import Desk
from services.issuance.adding import BusyError
from services.model.audit import breaks
from services.model.proposals import LASTS, RANKS, Decider, Party, Proposal, Refusal, Stage, refusal
from services.model.text import say
from services.ports import Message, Transaction
from storage.memory import MemoryStorage
from tests.desks import NOW, Bench

MINUTE = timedelta(minutes=1)
ASKER = Party("T1/U1", "support", may=True)
OTHER = Party("T1/U2", "support", may=True)


def make(decider: Decider = Decider.SELF, **changes: Any) -> Proposal:
    held: dict[str, Any] = {
        "id": "prop_1",
        "action": "unlink",
        "what": {"stores": ["moon"]},
        "person": ASKER.person,
        "role": ASKER.role,
        "channel": "C1",
        "at": NOW,
        "expires": NOW + LASTS[decider],
        "decider": decider,
    }
    return Proposal(**(held | changes))


# --- who may say yes -----------------------------------------------------------------------------------------------

CASES = [
    # a confirmation is for who asked
    (Decider.SELF, ASKER, True, None),
    (Decider.SELF, ASKER, False, None),
    (Decider.SELF, OTHER, True, Refusal.NOT_ASKER),
    (Decider.SELF, OTHER, False, Refusal.NOT_ASKER),
    (Decider.SELF, replace(OTHER, role="admin"), True, Refusal.NOT_ASKER),
    (Decider.SELF, replace(ASKER, may=False), True, Refusal.UNKNOWN),
    # a second person is another one, of the same role or above
    (Decider.SECOND, ASKER, True, Refusal.SAME_PERSON),
    (Decider.SECOND, ASKER, False, None),
    (Decider.SECOND, OTHER, True, None),
    (Decider.SECOND, OTHER, False, None),
    (Decider.SECOND, replace(OTHER, role="admin"), True, None),
    (Decider.SECOND, replace(OTHER, role="oncall"), True, Refusal.TOO_LOW),
    (Decider.SECOND, replace(OTHER, role="oncall"), False, Refusal.TOO_LOW),
    (Decider.SECOND, replace(OTHER, role="merchant"), True, Refusal.TOO_LOW),
    (Decider.SECOND, replace(OTHER, role="nobody"), True, Refusal.TOO_LOW),
    (Decider.SECOND, replace(OTHER, may=False), True, Refusal.UNKNOWN),
]


@pytest.mark.parametrize(("decider", "clicker", "yes", "meant"), CASES)
def test_who_may_decide(decider: Decider, clicker: Party, yes: bool, meant: Refusal | None) -> None:
    assert refusal(make(decider), clicker, ASKER, NOW, yes=yes) is meant


def test_nobody_decides_for_who_has_lost_the_right() -> None:
    lost = replace(ASKER, may=False)
    assert refusal(make(Decider.SECOND), OTHER, lost, NOW, yes=True) is Refusal.ASKER_LOST
    assert refusal(make(Decider.SECOND), OTHER, lost, NOW, yes=False) is None


def test_the_higher_role_of_who_asked_counts() -> None:
    risen, fallen = replace(ASKER, role="admin"), replace(ASKER, role="oncall")
    assert refusal(make(Decider.SECOND), OTHER, risen, NOW, yes=True) is Refusal.TOO_LOW
    oncall = replace(OTHER, role="oncall")
    assert refusal(make(Decider.SECOND), oncall, fallen, NOW, yes=True) is Refusal.TOO_LOW


def test_a_merchants_wish_that_needs_a_second_person_is_decided_by_another_merchant_or_the_platforms_own() -> (
    None
):
    wish = make(Decider.SECOND, role="merchant")
    asker, mate = replace(ASKER, role="merchant"), replace(OTHER, role="merchant")
    assert refusal(wish, mate, asker, NOW, yes=True) is None
    assert refusal(wish, replace(mate, may=False), asker, NOW, yes=True) is Refusal.UNKNOWN
    assert refusal(wish, replace(OTHER, role="nobody"), asker, NOW, yes=True) is Refusal.TOO_LOW
    assert refusal(wish, replace(OTHER, role="oncall"), asker, NOW, yes=True) is None
    assert refusal(make(Decider.SECOND), mate, ASKER, NOW, yes=True) is Refusal.TOO_LOW


@pytest.mark.parametrize("decider", Decider)
def test_at_its_end_it_is_too_late(decider: Decider) -> None:
    clicker = ASKER if decider is Decider.SELF else OTHER
    wish = make(decider)
    assert refusal(wish, clicker, ASKER, wish.expires, yes=True) is Refusal.LATE
    assert refusal(wish, clicker, ASKER, wish.expires - timedelta(microseconds=1), yes=True) is None


# --- what comes of a decision --------------------------------------------------------------------------------------


class World:
    """A desk with one proposal, whose deed counts how often it was done."""

    def __init__(self, decider: Decider = Decider.SELF) -> None:
        self.bench = Bench(MemoryStorage())
        self.done: list[tuple[datetime, str]] = []
        self.trouble = 0
        self.wish = make(decider)
        approvals.propose(self.bench.desk, self.wish)
        body = {"proposal": "prop_1"}
        key = approvals.asked_key("prop_1")
        with self.bench.storage.write() as tx:
            message = Message("m", key, "approval", "C1", "U1", private=False, body=body, created_at=NOW)
            tx.outbox.put(replace(message, sent=1))

    def perform(self, _desk: Desk, tx: Transaction, wish: Proposal, now: datetime) -> Mapping[str, Any]:
        if self.trouble:
            self.trouble -= 1
            raise BusyError(say("busy"))
        assert tx.proposals.get(wish.id) == wish  # already decided, in the same transaction
        self.done.append((now, wish.decided_by))
        return {"follows": ["cert_1"]}

    def decide(
        self, clicker: Party, asker: Party = ASKER, *, yes: bool = True, tries: int = 3
    ) -> Refusal | None:
        acts = approvals.Acts(self.perform, "U2 moon")
        found = approvals.decide(self.bench.desk, self.wish, clicker, asker, acts, yes=yes, tries=tries)
        return found.refused

    @property
    def stored(self) -> Proposal:
        found = approvals.known(self.bench.desk, "prop_1")
        assert found is not None
        return found

    @property
    def message(self) -> Message:
        with self.bench.storage.read() as tx:
            found = tx.outbox.by_key("approval:prop_1")
        assert found is not None
        return found

    def kept(self) -> list[tuple[str, str, str, str, str, str]]:
        with self.bench.storage.read() as tx:
            rows = tx.audit.entries()
        assert not list(breaks(rows))
        return [(r.actor, r.role, r.action, r.subject, r.result, r.reason) for r in rows]


def test_a_yes_does_it_and_keeps_both_persons() -> None:
    world = World(Decider.SECOND)
    assert world.decide(OTHER) is None
    assert world.done == [(NOW, OTHER.person)]
    assert (world.stored.stage, world.stored.decided_by, world.stored.result) == (
        Stage.DONE,
        OTHER.person,
        {"follows": ["cert_1"]},
    )
    assert world.kept() == [
        ("T1/U2", "support", "approval.yes", "prop_1 unlink U2 moon", "done", "asked by T1/U1"),
        ("T1/U1", "support", "unlink", "U2 moon", "done", "approved by T1/U2: prop_1"),
    ]
    assert (world.message.version, world.message.follows) == (2, ("cert_1",))


def test_a_no_does_nothing_and_is_kept() -> None:
    world = World(Decider.SECOND)
    assert world.decide(OTHER, yes=False) is None
    assert world.done == []
    assert world.stored.stage is Stage.DECLINED
    assert world.kept() == [
        ("T1/U2", "support", "approval.no", "prop_1 unlink U2 moon", "done", "asked by T1/U1")
    ]
    assert world.message.version == 2


def test_a_row_that_is_held_for_a_moment_is_waited_for() -> None:
    world = World()
    world.trouble = 2
    assert world.decide(ASKER) is None
    assert len(world.done) == 1


def test_what_cannot_be_done_leaves_the_question_open() -> None:
    world = World()
    world.trouble = 3
    with pytest.raises(BusyError):
        world.decide(ASKER)
    assert world.stored.stage is Stage.OPEN
    assert world.kept() == []
    assert world.message.version == 1
    assert world.decide(ASKER) is None


def test_what_runs_out_says_so_once() -> None:
    world = World()
    assert approvals.expire(world.bench.desk, lambda _: "U2 moon") == 0
    world.bench.now = world.wish.expires
    assert approvals.expire(world.bench.desk, lambda _: "U2 moon") == 1
    assert approvals.expire(world.bench.desk, lambda _: "U2 moon") == 0
    assert world.stored.stage is Stage.EXPIRED
    assert world.message.version == 2
    assert world.kept() == [
        ("certdesk", "certdesk", "approval.expired", "prop_1 unlink U2 moon", "done", "asked by T1/U1")
    ]
    assert world.decide(ASKER) is Refusal.LATE
    assert world.done == []


# --- any history ---------------------------------------------------------------------------------------------------

PEOPLE = st.builds(
    Party,
    person=st.sampled_from(["T1/U1", "T1/U2", "T1/U3", "T9/U1"]),
    role=st.sampled_from([*RANKS, "merchant", "nobody"]),
    may=st.booleans(),
)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("click"), PEOPLE, PEOPLE, st.booleans(), st.integers(0, 2)),
        st.tuples(st.just("wait"), st.sampled_from([1, 14, 15, 60, 24 * 60])),
        st.just(("expire",)),
    ),
    max_size=12,
)


@settings(max_examples=300)
@given(decider=st.sampled_from(Decider), events=EVENTS)
def test_it_is_never_done_twice_nor_without_the_right_yes_nor_after_its_end(
    decider: Decider, events: list[tuple[Any, ...]]
) -> None:
    world = World(decider)
    right = False
    for event in events:
        if event[0] == "wait":
            world.bench.now += event[1] * MINUTE
        elif event[0] == "expire":
            approvals.expire(world.bench.desk, lambda _: "U2 moon")
        else:
            _, clicker, asker, yes, trouble = event
            asker = clicker if clicker.person == ASKER.person else replace(asker, person=ASKER.person)
            before, was = len(world.done), world.stored
            world.trouble = trouble
            refused = world.decide(clicker, asker, yes=yes)
            if len(world.done) > before:
                assert was.stage is Stage.OPEN
                assert world.bench.now < world.wish.expires
                assert refused is None
                assert yes
                assert clicker.may
                same = clicker.person == ASKER.person
                assert same is (decider is Decider.SELF)
                if not same:
                    assert RANKS[clicker.role] >= max(RANKS["support"], RANKS.get(asker.role, 0))
                    assert asker.may
                right = True
            if was.stage is not Stage.OPEN:
                assert refused is not None
                assert world.stored == was
    assert len(world.done) <= 1
    assert bool(world.done) is right is (world.stored.stage is Stage.DONE)
    done = [row for row in world.kept() if row[2] == "unlink"]
    assert len(done) == len(world.done)
    closed = [row for row in world.kept() if row[2].startswith("approval.")]
    assert len(closed) == (world.stored.stage is not Stage.OPEN)
