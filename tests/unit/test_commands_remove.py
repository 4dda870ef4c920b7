"""/ssl remove: names leave their certificates once it is confirmed; without its last name one is retired."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.slack.limits import violations
from bot.slack.render import render
from commands import messages
from commands.caller import TERMINAL, Caller
from commands.dispatch import dispatch
from services.model.fleet import Portion
from services.model.lifecycle import State
from services.model.proposals import Stage
from services.ports import Message
from services.renewal import asking
from tests.desks import MOON, SUPPORT, Bench, finding
from tests.unit.approval_world import ask, click, composed, proposal, said
from tests.unit.commands_world import desk_of, make_bench

SHOP, WWW = "shop.moon.test", "www.moon.test"


@pytest.fixture
def bench() -> Bench:
    made = make_bench()
    dispatch(f"add {SHOP} {WWW}", SUPPORT, made.desk)
    made.install(SHOP)
    return made


def only_one(bench: Bench) -> Any:
    [row] = bench.certificates()
    return row


def shown(bench: Bench, asked: str) -> str:
    reply = composed(bench, asked).reply
    drawn = render(reply)
    assert not violations(drawn.text, drawn.blocks)
    return said(reply)


@pytest.mark.parametrize("caller", [SUPPORT, MOON], ids=lambda one: one.role)
def test_a_name_is_removed_once_it_is_confirmed(bench: Bench, caller: Caller) -> None:
    asked = ask(bench, f"remove {WWW}", caller)
    assert "Remove www.moon.test from its certificate?" in shown(bench, asked)
    assert "keeps a removed name until the next renewal" in shown(bench, asked)
    assert only_one(bench).wanted == (SHOP, WWW)
    before = only_one(bench)
    assert click(bench, "approval.confirm", asked, caller) is None
    after = only_one(bench)
    assert (after.wanted, after.state, after.serial, after.run_after) == (
        (SHOP,),
        State.INSTALLED,
        before.serial,
        before.run_after,
    )
    assert "www.moon.test is removed from its certificate" in shown(bench, asked)
    assert "To get it back, type: /ssl add www.moon.test" in shown(bench, asked)
    stays = "What is installed keeps www.moon.test until the next renewal, at 2027-04-11 14:03 UTC."
    assert stays in shown(bench, asked)
    for verb in ("status", "check"):
        status = dispatch(f"{verb} {WWW}", caller, bench.desk)
        assert (status.data or {})["label"] == "Removed, installed until the next renewal"
        assert (status.data or {})["serial"] == before.serial
    assert stays in said(dispatch(f"status {WWW}", caller, bench.desk).reply)
    with bench.storage.read() as tx:
        last = tx.certificates.history(after.id)[-1]
    assert (last.what, last.actor, last.details) == ("removed", caller.person, WWW)


def test_the_last_name_ends_the_renewals_and_says_so(bench: Bench) -> None:
    asked = ask(bench, f"remove {SHOP} {WWW}")
    question = shown(bench, asked)
    assert (
        "It is the last name of the certificate for shop.moon.test: certdesk does not renew it any more."
        in question
    )
    assert "until it expires at 2027-05-11 14:03 UTC" in question
    click(bench, "approval.confirm", asked)
    row = only_one(bench)
    assert (row.state, row.wanted, row.run_after, row.renew_at) == (State.RETIRED, (), None, None)
    assert row.serial is not None
    assert "2 names are removed" in shown(bench, asked)
    with bench.storage.write() as tx:
        assert not tx.certificates.claim(bench.now + timedelta(days=400), timedelta(minutes=1), 10)
        for portion in Portion:
            assert not tx.fleet.page(portion, None, bench.now + timedelta(days=400), 10).certificates
        assert tx.fleet.counts(None, bench.now).total == 0
        assert not tx.fleet.search("moon", None, 10).certificates
        assert not asking.begin(tx, row.id, "T1/U1", bench.now)
    ends = "What is installed keeps shop.moon.test, www.moon.test until it expires at 2027-05-11 14:03 UTC"
    assert ends in shown(bench, asked)
    status = dispatch(f"status {SHOP}", SUPPORT, bench.desk)
    assert (status.data or {})["state"] == "none"
    assert status.reply.title.plain() == "shop.moon.test: Removed, installed until it expires"
    bench.now += timedelta(days=91)
    gone = dispatch(f"status {SHOP}", SUPPORT, bench.desk)
    assert gone.reply.title.plain() == "shop.moon.test: No certificate yet"
    assert (gone.data or {})["serial"] is None
    assert dispatch("status", SUPPORT, bench.desk).exit_code == 0


def test_what_was_removed_can_be_added_again(bench: Bench) -> None:
    dispatch(["remove", SHOP, WWW], TERMINAL, bench.desk)
    assert only_one(bench).state is State.RETIRED
    dispatch(f"add {SHOP}", SUPPORT, bench.desk)
    assert (only_one(bench).state, only_one(bench).wanted) == (State.CHECKING, (SHOP,))


@pytest.mark.parametrize("state", [State.BLOCKED, State.FAILED, State.NEEDS_SUPPORT])
def test_without_the_name_that_was_in_the_way_the_others_start_anew(bench: Bench, state: State) -> None:
    problem = finding("dns.not_hosted", WWW)
    bench.change(SHOP, [problem], state=state, problem=problem, run_after=None, strikes=3)
    dispatch(["remove", WWW], TERMINAL, bench.desk)
    row = only_one(bench)
    assert (row.state, row.wanted, row.problem, row.strikes, row.run_after) == (
        State.CHECKING,
        (SHOP,),
        None,
        0,
        bench.now,
    )
    with bench.storage.read() as tx:
        assert not tx.certificates.findings(row.id)


def test_while_it_is_issued_nothing_is_removed_and_it_can_be_confirmed_later(bench: Bench) -> None:
    asked = ask(bench, f"remove {WWW}")
    bench.change(SHOP, state=State.ORDERING)
    told = click(bench, "approval.confirm", asked)
    assert told is not None
    assert "is being issued. Nothing was changed" in said(told)
    assert proposal(bench, asked).stage is Stage.OPEN
    bench.change(SHOP, state=State.INSTALLED)
    assert click(bench, "approval.confirm", asked) is None
    assert only_one(bench).wanted == (SHOP,)


def test_in_a_terminal_it_is_removed_at_once(bench: Bench) -> None:
    outcome = dispatch(["remove", WWW, "other.test"], TERMINAL, bench.desk)
    assert outcome.exit_code == 1
    assert (outcome.data or {})["removed"] == [WWW]
    states = {one["name"]: one["state"] for one in (outcome.data or {})["certificates"]}
    assert states == {WWW: "none", "other.test": "none"}
    assert only_one(bench).wanted == (SHOP,)


def test_a_name_without_a_certificate_is_said(bench: Bench) -> None:
    outcome = dispatch("remove sun.test nonsense!", SUPPORT, desk_of(bench), "C1")
    assert (outcome.exit_code, outcome.proposal) == (1, "")
    assert "nothing was removed" in outcome.reply.title.plain()


def test_messages_that_followed_it_say_that_it_is_removed(bench: Bench) -> None:
    row = only_one(bench)
    dispatch(["remove", SHOP, WWW], TERMINAL, bench.desk)
    for kind, body in (
        ("progress", {"verb": "add", "names": [SHOP, WWW]}),
        ("handover", {"certificate": row.id}),
        ("timeline", {"certificate": row.id}),
    ):
        owed = Message(
            "m", "k", kind, "C1", "U1", private=False, body=body, created_at=bench.now, follows=(row.id,)
        )
        found = messages.compose(desk_of(bench), owed)
        assert found.final
        drawn = render(found.reply)
        assert not violations(drawn.text, drawn.blocks)
        assert "moon.test" in said(found.reply)


@pytest.mark.parametrize("command", ["remove", "renew"])
def test_a_question_says_nothing_of_the_store_that_a_name_has_gone_to(bench: Bench, command: str) -> None:
    """Between the command and when its question is sent, or edited, a name may have become another store's."""
    asked = ask(bench, f"{command} {SHOP}", MOON)
    bench.store("sun", "sun.test", SHOP)
    dispatch(f"add {SHOP} --store sun", SUPPORT, bench.desk)
    suns = next(row for row in bench.certificates() if row.store == "sun")
    with bench.storage.write() as tx:
        held = tx.certificates.claim_one(suns.id, bench.now, timedelta(minutes=1))
        assert held is not None
        tx.certificates.save(replace(held, state=State.NEEDS_SUPPORT), None)
    told = shown(bench, asked) + str(composed(bench, asked).reply)
    assert "sun" not in told
    assert "Needs a support agent" not in told
