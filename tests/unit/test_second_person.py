"""More certificates than one person may decide on alone: whatever the way, they wait for a second person, merchants' too."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

import pytest

from bot.slack.limits import violations
from bot.slack.render import render
from commands import messages
from commands.caller import TERMINAL, Caller, Role
from commands.dispatch import dispatch
from commands.reply import Reply
from services import linking
from services.bulk import steps
from services.model.audiences import Kind
from services.model.jobs import JobState
from services.model.lifecycle import State
from services.model.proposals import Decider, Stage
from services.model.settings import Approving
from storage.memory import MemoryStorage
from tests.desks import MOON, SUPPORT, Bench, finding
from tests.unit.approval_world import ask, buttons, click, composed, message, proposal, said, sent
from tests.unit.commands_world import alert, clickable, desk_of, put, sighting
from tests.unit.test_bulk_file import Dropped

ONCALL = Caller("T1/U_ONCALL", Role.ONCALL, None)
SECOND = Caller("T1/U_SECOND", Role.SUPPORT, None)
MATE = Caller("T1/U_MATE", Role.MERCHANT, frozenset({"moon", "sun"}))
OTHER = Caller("T1/U_OTHER", Role.MERCHANT, frozenset({"sun"}))
KNOWN = {one.person: one for one in (SUPPORT, MOON, ONCALL, SECOND, MATE, OTHER)}
MOST = Approving().alone
NAMES = [f"shop.s{number:02}.test" for number in range(MOST + 1)]


def known(person: str, _workspace: str = "") -> Caller:
    return KNOWN[person]


@pytest.fixture
def bench() -> Bench:
    made = Bench(MemoryStorage())
    made.store("moon", *NAMES)
    made.store("sun", "sun.test")
    return made


def installed(bench: Bench, names: Sequence[str] = NAMES, **changes: Any) -> None:
    for number, name in enumerate(names):
        dispatch(f"add {name}", TERMINAL, bench.desk)
        bench.install(name, serial=f"{number:04x}", **changes)


def states(bench: Bench) -> set[State]:
    return {row.state for row in bench.certificates()}


def shown(reply: Reply) -> str:
    drawn = render(reply)
    assert not violations(drawn.text, drawn.blocks)
    return said(reply)


def step(bench: Bench) -> None:
    with bench.storage.write() as tx:
        for job in tx.jobs.claim(bench.now, timedelta(seconds=30), 9):
            held = job
    steps.step(desk_of(bench), held)


def added(bench: Bench, caller: Caller, names: Sequence[str] = NAMES) -> str:
    return ask(bench, f"add {' '.join(names)}", caller)


def renewed(bench: Bench, caller: Caller, names: Sequence[str] = NAMES) -> str:
    installed(bench, names, renew_at=bench.now)  # due, so that nothing would be asked but for the number
    return ask(bench, f"renew {' '.join(names)}", caller)


def removed(bench: Bench, caller: Caller, names: Sequence[str] = NAMES) -> str:
    installed(bench, names)
    return ask(bench, f"remove {' '.join(names)}", caller)


def listed(bench: Bench, caller: Caller, names: Sequence[str] = NAMES) -> str:
    return ask(bench, "add --file", caller, uploads=Dropped("\n".join(names)))


class Way(Protocol):
    """Wants something for so many certificates; returns what the proposal's id would be."""

    def __call__(self, bench: Bench, caller: Caller, names: Sequence[str] = ...) -> str: ...


WAYS = pytest.mark.parametrize("way", [added, renewed, removed, listed])
ASKERS = pytest.mark.parametrize("asker", [SUPPORT, MOON, ONCALL], ids=["support", "merchant", "on-call"])


@WAYS
@ASKERS
def test_many_wait_for_a_second_person(bench: Bench, way: Way, asker: Caller) -> None:
    asked = way(bench, asker)
    before = bench.certificates()
    wish = proposal(bench, asked)
    assert (wish.decider, wish.stage) == (Decider.SECOND, Stage.OPEN)
    own = click(bench, "approval.approve", asked, asker, known=known)
    assert own is not None
    assert "You asked for this yourself" in shown(own)
    assert click(bench, "approval.confirm", asked, asker, known=known) is not None
    assert bench.certificates() == before
    there = messages.compose(desk_of(bench), message(bench, f"approval:{asked}:deciders")).reply
    assert list(buttons(there)) == ["approval.approve", "approval.reject"]
    shown(there)
    assert click(bench, "approval.approve", asked, SECOND, known=known) is None
    assert proposal(bench, asked).stage is Stage.DONE
    if way is not removed:
        step(bench)
    assert bench.certificates() != before
    shown(composed(bench, asked).reply)


@WAYS
def test_as_many_as_one_person_may_are_theirs_alone(bench: Bench, way: Way) -> None:
    asked = way(bench, MOON, NAMES[:MOST])
    with bench.storage.read() as tx:
        wish = tx.proposals.get(asked)
    assert wish is None or wish.decider is Decider.SELF


def test_the_number_is_a_setting(bench: Bench) -> None:
    desk = replace(desk_of(bench), approving=Approving(1))
    assert proposal(bench, ask(bench, f"add {NAMES[0]} {NAMES[1]}", desk=desk)).decider is Decider.SECOND
    assert not dispatch(f"add {NAMES[0]}", SUPPORT, desk).proposal


def test_names_that_cost_nothing_more_do_not_count(bench: Bench) -> None:
    """Names of one certificate are one, and so are neither those under way nor those that are refused."""
    bench.store("moon", *(f"s{number}.moon.test" for number in range(30)))
    assert not dispatch(
        f"add {' '.join(f's{n}.moon.test' for n in range(30))}", SUPPORT, bench.desk, "C1"
    ).proposal
    dispatch(f"add {NAMES[0]}", SUPPORT, bench.desk)
    outcome = dispatch(f"add {' '.join(NAMES)} nobody.test", SUPPORT, bench.desk, "C1")
    assert (outcome.proposal, outcome.exit_code, len(outcome.refused)) == ("", 1, 1)
    again = dispatch(f"renew {' '.join(NAMES)}", SUPPORT, bench.desk, "C1")  # all of them are under way
    assert not again.proposal


def test_what_is_refused_is_said_and_does_not_hold_up_the_others(bench: Bench) -> None:
    outcome = dispatch(f"add {' '.join(NAMES)} nobody.test", SUPPORT, desk_of(bench), "C1")
    assert (bool(outcome.proposal), outcome.exit_code) == (True, 1)
    assert "nobody.test" in str(outcome.reply)


def test_in_a_terminal_it_begins_at_once(bench: Bench) -> None:
    for words in (["add", *NAMES], ["renew", *NAMES]):
        assert not dispatch(words, TERMINAL, desk_of(bench)).proposal
    assert len(bench.certificates()) == len(NAMES)


def test_what_is_asked_for_by_name_is_renewed_though_it_is_well(bench: Bench) -> None:
    installed(bench)
    asked = ask(bench, f"renew {' '.join(NAMES)}")
    assert "Renew 11 certificates?" in shown(composed(bench, asked).reply)
    assert click(bench, "approval.approve", asked, SECOND, known=known) is None
    step(bench)
    assert [row.state for row in bench.certificates()].count(State.CHECKING) == steps.WIDTH
    text = shown(composed(bench, asked).reply)
    assert "renewal of shop.s00.test, shop.s01.test" in text
    assert "approved by U_SECOND" in text


# --- an alert ------------------------------------------------------------------------------------------------------


def storm(bench: Bench) -> None:
    """Put an alert of all the store's certificates."""
    installed(bench)
    made = put(bench, alert(), 0)
    for number, name in enumerate(NAMES):
        problem = finding("dns.lame", name)
        row = bench.change(name, [problem], state=State.BLOCKED, problem=problem, run_after=None)
        member = sighting(made, number, certificate=row.id, store="moon", name=name)
        with bench.storage.write() as tx:
            tx.alerts.put_sighting(member)


def test_renew_now_of_an_alert_asks_a_second_person_for_more(bench: Bench) -> None:
    storm(bench)
    owed = messages.compose(desk_of(bench), replace(_owed(bench), kind="alert", body={"alert": "alert_1"}))
    sure = clickable(owed.reply)["alert.renew"].confirm  # type: ignore[union-attr]
    assert "has to approve it" in str(sure)
    request = sent(bench, "alert.renew alert_1 4", ONCALL, "click")
    asked = f"prop_{request.id}"
    assert states(bench) == {State.BLOCKED}
    assert "Renew 11 certificates that suffer from dns.lame?" in shown(composed(bench, asked).reply)
    assert click(bench, "approval.approve", asked, ONCALL, known=known) is not None
    assert click(bench, "approval.approve", asked, SECOND, known=known) is None
    step(bench)
    assert [row.state for row in bench.certificates()].count(State.CHECKING) == steps.WIDTH


def _owed(bench: Bench) -> Any:
    asked = ask(bench, f"remove {NAMES[0]}")
    return message(bench, f"approval:{asked}")


def test_a_stale_click_asks_nobody(bench: Bench) -> None:
    storm(bench)
    request = sent(bench, "alert.renew alert_1 3", ONCALL, "click")
    with bench.storage.read() as tx:
        assert tx.proposals.get(f"prop_{request.id}") is None
    assert states(bench) == {State.BLOCKED}


# --- merchants -----------------------------------------------------------------------------------------------------


def test_another_merchant_of_the_store_may_approve_and_one_of_another_store_knows_of_nothing(
    bench: Bench,
) -> None:
    linking.link(desk_of(bench), Kind.CHANNEL, "C_MOON", "moon", "T1/U1")
    asked = listed(bench, MOON)
    there = message(bench, f"approval:{asked}:C_MOON")
    reply = messages.compose(desk_of(bench), there).reply
    assert "support, or somebody else who is linked to the store" in shown(reply)
    assert list(buttons(reply)) == ["approval.approve", "approval.reject"]
    strange = click(bench, "approval.approve", asked, OTHER, known=known)
    assert strange == click(bench, "approval.approve", "prop_0", OTHER, known=known)
    assert click(bench, "approval.approve", asked, MATE, known=known) is None
    for key in (f"approval:{asked}", f"approval:{asked}:C_MOON", f"approval:{asked}:deciders"):
        found = messages.compose(desk_of(bench), message(bench, key)).reply
        assert "Asked for by U_MOON, approved by U_MATE" in shown(found)
    for key, shows in (("C_MOON", True), ("deciders", False)):
        stood = message(bench, f"approval:{asked}:{key}")
        assert (
            "channel C_MOON" in stood.follows
        ) is shows  # and so it is hidden once the channel is another's
    linking.link(desk_of(bench), Kind.CHANNEL, "C_MOON", "sun", "T1/U1")
    gone = messages.compose(desk_of(bench), message(bench, f"approval:{asked}:C_MOON"))
    assert gone.final
    assert shown(gone.reply) == "This is not for this channel any more, and is not shown here"


def test_what_is_about_several_stores_is_shown_in_the_channel_of_none(bench: Bench) -> None:
    for store in ("moon", "sun"):
        linking.link(desk_of(bench), Kind.CHANNEL, f"C_{store}", store, "T1/U1")
    asked = listed(bench, MATE, [*NAMES, "sun.test"])
    assert proposal(bench, asked).told_in == ()
    with bench.storage.read() as tx:
        owed = [tx.outbox.by_key(f"approval:{asked}:C_{store}") for store in ("moon", "sun")]
    assert owed == [None, None]
    assert "sun.test" not in shown(
        composed(bench, added(bench, MATE)).reply
    )  # of one store it is about that alone


@pytest.mark.parametrize("way", [added, renewed, removed])
def test_what_was_not_taken_is_not_told_in_the_channel_of_the_store(bench: Bench, way: Way) -> None:
    """It may be of another store of theirs: a name of it, or one that was meant by what was mistyped."""
    linking.link(desk_of(bench), Kind.CHANNEL, "C_MOON", "moon", "T1/U1")
    verb = {"renewed": "renew", "removed": "remove"}.get(way.__name__, "add")  # type: ignore[attr-defined]
    if verb != "add":
        installed(bench, renew_at=bench.now)
    asked = ask(bench, f"{verb} {' '.join(NAMES)} sum.test", MATE)
    private, there, support = (
        message(bench, key)
        for key in (f"approval:{asked}", f"approval:{asked}:C_MOON", f"approval:{asked}:deciders")
    )
    for approved in (False, True):
        if approved:
            assert click(bench, "approval.approve", asked, MOON, known=known) is None
        told = [repr(messages.compose(desk_of(bench), one).reply) for one in (private, there, support)]
        assert ("sum.test" in told[0]) is ("sum.test" in told[2])
        assert "sum.test" in told[0] or approved
        assert "sum.test" not in told[1]
        assert "sun.test" not in told[1]


def test_merchants_decide_nothing_for_the_platforms_own_people(bench: Bench) -> None:
    asked = listed(bench, SUPPORT)
    told = click(bench, "approval.approve", asked, MATE, known=known)
    assert told is not None
    assert "by a person of the same role as who asked, or above" in shown(told)


@pytest.mark.parametrize("yes", ["approve", "reject"])
def test_a_merchant_is_not_told_which_person_of_the_platform_decided_or_paused(
    bench: Bench, yes: str
) -> None:
    asked = listed(bench, MOON)
    assert click(bench, f"approval.{yes}", asked, SECOND, known=known) is None
    if yes == "approve":
        assert click(bench, "bulk.pause", asked.replace("prop_", "job_"), SECOND, known=known) is None
    theirs = shown(composed(bench, asked).reply)
    assert "U_SECOND" not in theirs
    assert (
        "approved by support" in theirs and "support has paused it" in theirs
    ) or "support said no" in theirs
    support = shown(messages.compose(desk_of(bench), message(bench, f"approval:{asked}:deciders")).reply)
    assert "U_SECOND" in support
    late = click(bench, "approval.reject", asked, MATE, known=known)
    assert late is not None
    assert "support said" in shown(late)


def test_a_merchant_sees_who_of_their_own_paused_it(bench: Bench) -> None:
    asked = listed(bench, MOON)
    assert click(bench, "approval.approve", asked, SECOND, known=known) is None
    assert click(bench, "bulk.pause", asked.replace("prop_", "job_"), MATE, known=known) is None
    assert "U_MATE has paused it" in shown(composed(bench, asked).reply)
    with bench.storage.read() as tx:
        job = tx.jobs.get(asked.replace("prop_", "job_"))
    assert job is not None
    assert job.state is JobState.PAUSED


def test_where_no_second_person_would_see_it_nothing_is_asked(bench: Bench) -> None:
    desk = desk_of(bench, support_channel="", channel="")
    outcome = dispatch(f"add {' '.join(NAMES)}", MOON, desk, "C1")
    assert (outcome.exit_code, outcome.proposal) == (1, "")
    assert "alerts.support_channel" in shown(outcome.reply)
    assert not bench.certificates()


def test_a_modal_says_that_others_are_asked(bench: Bench) -> None:
    form = {"values": {"names": list(NAMES)}}
    request = sent(bench, "add", MOON, "submission", form=form)
    assert proposal(bench, f"prop_{request.id}").decider is Decider.SECOND
    with bench.storage.read() as tx:
        row = tx.outbox.by_key(f"view:{request.id}")
    assert row is not None
    assert "Nothing is done before another person approves it" in str(row.body)
    assert not bench.certificates()
