"""Jobs for many: a second person approves, each certificate is begun once, and pace, pauses and crashes are borne."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.limits import violations
from bot.slack.render import render
from commands import messages
from commands.caller import TERMINAL, Caller, Role
from commands.dispatch import dispatch
from commands.reply import Fields, Reply, Rows, Tone
from services.alerting import sighting
from services.bulk import plans, steps
from services.bulk.kinds import RECALL
from services.bulk.trail import keep
from services.desk import Desk
from services.model.audit import ITSELF, Entry, breaks
from services.model.deeds import BULK_ADD, BULK_RENEW
from services.model.errors import LeaseLostError
from services.model.findings import CODES, Verdict
from services.model.jobs import Counts, Item, ItemState, Job, JobState
from services.model.lifecycle import State
from services.model.proposals import Stage
from services.model.settings import CaSettings
from services.ports import Message
from services.renewal import budget
from tests.desks import MOON, SUPPORT, Bench, finding
from tests.unit.approval_world import ask, audited, buttons, click, composed, message, proposal, said
from tests.unit.commands_world import desk_of, make_bench, only

ADMIN = Caller("T1/U_ADMIN", Role.ADMIN, None)
ONCALL = Caller("T1/U_ONCALL", Role.ONCALL, None)
SECOND = Caller("T1/U_SECOND", Role.SUPPORT, None)
KNOWN = {one.person: one for one in (SUPPORT, ADMIN, ONCALL, SECOND)}
CODE = "dns.lame"
TEXT = f"renew --cause {CODE}"
WEEK = timedelta(days=7)


def known(person: str, _workspace: str = "") -> Caller:
    return KNOWN.get(person, Caller(person, Role.NOBODY))


def world(count: int = 8, **changes: Any) -> Bench:
    """Return a bench where so many certificates of two stores are blocked for one cause."""
    bench = make_bench()
    bench.store("moon", *(f"s{number}.moon{number}.test" for number in range(count)))
    for number in range(count):
        name = f"s{number}.moon{number}.test"
        dispatch(f"add {name}", SUPPORT, bench.desk)
        problem = finding(CODE, name)
        row = bench.change(name, [problem], state=State.BLOCKED, problem=problem, run_after=None, **changes)
        with bench.storage.write() as tx:
            sighting.sight(tx, bench.desk.alerting, row, [problem], bench.now)
    return bench


@pytest.fixture
def bench() -> Bench:
    return world()


def step(bench: Bench, desk: Desk | None = None) -> bool:
    """Do what is due; False if nothing is."""
    with bench.storage.write() as tx:
        held = tx.jobs.claim(bench.now, timedelta(seconds=30), 1)
    for job in held:
        steps.step(desk or desk_of(bench), job)
    return bool(held)


def job(bench: Bench, asked: str) -> tuple[Job, Counts]:
    id_ = asked.replace("prop_", "job_")
    with bench.storage.read() as tx:
        found = tx.jobs.get(id_)
        assert found is not None
        return found, tx.jobs.counts(id_)


def id_of(asked: str) -> str:
    return asked.replace("prop_", "job_")


def started(bench: Bench) -> str:
    asked = ask(bench, TEXT)
    assert click(bench, "approval.approve", asked, SECOND, known=known) is None
    return asked


def trail(bench: Bench) -> list[Entry]:
    """Return the rows that the audit trail has of items."""
    with bench.storage.read() as tx:
        rows = tx.audit.entries()
    assert not list(breaks(rows))
    return [one for one in rows if one.action in (BULK_RENEW, BULK_ADD)]


def work(bench: Bench) -> None:
    """Install whatever is at work."""
    for number, row in enumerate(bench.certificates()):
        if not row.resting:
            bench.install(row.wanted[0], serial=f"{number}{bench.now:%H%M%S}", problem=None)


def shown(reply: Reply) -> str:
    drawn = render(reply)
    assert not violations(drawn.text, drawn.blocks)
    return said(reply)


# --- the request ---------------------------------------------------------------------------------------------------


def test_the_request_says_how_many_what_it_costs_and_how_long_it_takes(bench: Bench) -> None:
    desk = replace(
        desk_of(bench),
        limits=(CaSettings("le", "https://ca.test", limits={"orders": (300, timedelta(hours=3))}),),
    )
    asked = ask(bench, TEXT, desk=desk)
    reply = messages.compose(desk, message(bench, f"approval:{asked}")).reply
    assert reply.title.plain() == "Renew 8 certificates that suffer from dns.lame?"
    pairs = [(label.plain(), str(value)) for fields in only(reply, Fields) for label, value in fields.pairs]
    assert ("Certificates", "8") in pairs
    assert ("Stores", "1") in pairs
    assert ("Cost at the CA", "8 orders at the most; our limit at le leaves 300 now") in pairs
    assert ("Takes about", "1 minute") in pairs
    shown(reply)
    there = messages.compose(desk, message(bench, f"approval:{asked}:deciders")).reply
    assert list(buttons(there)) == ["approval.approve", "approval.reject"]
    [back] = buttons(reply).values()  # it is for the asker's eyes alone, and they cannot approve it
    assert (back.action, back.label.plain()) == ("approval.reject", "Take back")
    assert {row.state for row in bench.certificates()} == {State.BLOCKED}


def test_what_waits_for_its_first_certificate_is_renewed_too(bench: Bench) -> None:
    """No alert tells of a merchant's cause before something is installed; status and Home show it all the same."""
    code, name = "dns.not_hosted", "first.moon.test"
    bench.store("moon", name, "other.sun.test")
    dispatch(f"add {name} other.sun.test", SUPPORT, bench.desk)
    bench.change(
        name, [finding(code, name)], state=State.BLOCKED, problem=finding(code, name), run_after=None
    )
    bench.change("other.sun.test", [finding("dns.lame", "other.sun.test", Verdict.WARN)], state=State.FAILED)
    asked = ask(bench, f"renew --cause {code}")
    reply = composed(bench, asked).reply
    assert reply.title.plain() == f"Renew 1 certificate that suffers from {code}?"
    pairs = [(label.plain(), str(value)) for fields in only(reply, Fields) for label, value in fields.pairs]
    assert ("Never installed yet", "1") in pairs
    assert ("First of them", name) in pairs
    shown(reply)
    click(bench, "approval.approve", asked, SECOND, known=known)
    step(bench)
    assert bench.certificate(name).state is State.CHECKING
    assert bench.certificate("other.sun.test").state is State.FAILED


def test_of_a_store_that_is_not_meant_nothing_is_renewed(bench: Bench) -> None:
    code, name = "dns.not_hosted", "first.moon.test"
    bench.store("sun", name)
    dispatch(f"add {name}", SUPPORT, bench.desk)
    bench.change(name, [finding(code, name)], state=State.BLOCKED, problem=finding(code, name))
    told = dispatch(f"renew --cause {code} --store moon", SUPPORT, bench.desk)
    assert told.reply.title.plain() == f"No certificate suffers from {code} now"
    assert dispatch(f"renew --cause {code} --store sun", SUPPORT, bench.desk).proposal


def test_it_stands_in_the_channel_of_support_as_well_and_both_show_what_became_of_it(bench: Bench) -> None:
    asked = ask(bench, TEXT)
    there = message(bench, f"approval:{asked}:deciders")
    assert (there.channel, there.private, there.user) == ("C_SUPPORT", False, "")
    assert click(bench, "approval.approve", asked, SECOND, known=known) is None
    for key in (f"approval:{asked}", f"approval:{asked}:deciders"):
        owed = message(bench, key)
        assert owed.follows == (asked.replace("prop_", "job_"),)
        found = messages.compose(desk_of(bench), owed)
        assert not found.final
        text = shown(found.reply)
        assert "0 of 8: renewal of certificates that suffer from dns.lame" in text
        assert "░░░░░░░░░░░░░░░░░░░░ 0 %" in text
        assert "Asked for by U_SUPPORT, approved by U_SECOND" in text


@pytest.mark.parametrize(
    ("caller", "told"),
    [
        (SUPPORT, "You asked for this yourself"),
        (ONCALL, "by a person of the same role as who asked, or above"),
        (MOON, "certdesk does not know this request (any more)"),
        (Caller("T1/U_GONE", Role.NOBODY), "certdesk does not know this request (any more)"),
    ],
)
def test_not_everybody_can_approve(bench: Bench, caller: Caller, told: str) -> None:
    asked = ask(bench, TEXT)
    reply = click(bench, "approval.approve", asked, caller, known=known)
    assert reply is not None
    assert told in shown(reply)
    assert proposal(bench, asked).stage is Stage.OPEN
    assert audited(bench) == (caller.person, "approval.approve", asked, "refused")
    unknown = click(bench, "approval.approve", "prop_0", caller, known=known)
    assert unknown is not None
    assert audited(bench) == (caller.person, "approval.approve", "prop_0", "refused")


def test_nobody_approves_for_who_has_lost_their_role(bench: Bench) -> None:
    asked = ask(bench, TEXT)
    reply = click(bench, "approval.approve", asked, ADMIN)
    assert reply is not None
    assert "Who asked for this has no right to it any more" in shown(reply)
    assert audited(bench) == (ADMIN.person, "approval.approve", asked, "refused")
    assert proposal(bench, asked).stage is Stage.OPEN


def test_who_asked_can_take_it_back_and_another_can_reject(bench: Bench) -> None:
    first, second = ask(bench, TEXT), ask(bench, TEXT)
    assert click(bench, "approval.reject", first, SUPPORT, known=known) is None
    assert click(bench, "approval.reject", second, SECOND, known=known) is None
    for asked in (first, second):
        assert composed(bench, asked).final
        assert "Not done: Renew 8 certificates" in shown(composed(bench, asked).reply)
    assert not step(bench)


def test_in_a_terminal_it_begins_at_once(bench: Bench) -> None:
    outcome = dispatch(["renew", "--cause", CODE], TERMINAL, desk_of(bench))
    assert outcome.exit_code == 0
    id_ = (outcome.data or {})["job"]
    assert step(bench)
    told = trail(bench)
    assert [(one.actor, one.role, one.reason) for one in told] == [
        ("terminal", "admin", f"{id_}: asked by terminal")
    ] * 5


def test_words_that_cannot_be_meant(bench: Bench) -> None:
    for text in ("renew --cause nonsense", f"renew {TEXT}", "renew --cause"):
        assert dispatch(text, SUPPORT, desk_of(bench), "C1").exit_code == 2
    assert dispatch(TEXT, MOON, desk_of(bench), "C1").denied
    none = dispatch("renew --cause dns.caa_forbids", SUPPORT, desk_of(bench), "C1")
    assert (none.exit_code, none.proposal, none.reply.tone) == (0, "", Tone.GOOD)


# --- the work ------------------------------------------------------------------------------------------------------


def test_it_goes_on_to_the_end_a_few_at_a_time(bench: Bench) -> None:
    asked = started(bench)
    assert step(bench)
    assert job(bench, asked)[1] == Counts(waiting=3, begun=5)
    assert len(trail(bench)) == 5  # of each when its turn comes, not of all at once
    assert sum(not row.resting for row in bench.certificates()) == 5
    assert not step(bench)
    bench.now += timedelta(seconds=10)
    work(bench)
    assert step(bench)
    assert job(bench, asked)[1] == Counts(begun=3, done=5)
    text = shown(composed(bench, asked).reply)
    assert "5 of 8" in text
    assert "████████████░░░░░░░░ 62 %" in text
    pairs = {
        label.plain(): str(value)
        for part in only(composed(bench, asked).reply, Fields)
        for label, value in part.pairs
    }
    assert pairs["Ends about"] == "2027-02-10 14:03:16+00:00"
    bench.now += timedelta(seconds=10)
    work(bench)
    assert step(bench)
    found, counts = job(bench, asked)
    assert (found.state, counts) == (JobState.DONE, Counts(done=8))
    told = trail(bench)
    rows = bench.certificates()
    assert sorted(one.subject for one in told) == sorted(f"{row.wanted[0]} {row.id}" for row in rows)
    behind = f"{id_of(asked)}: asked by {SUPPORT.person}, approved by {SECOND.person}"
    assert {(one.actor, one.role, one.result, one.reason) for one in told} == {
        (SUPPORT.person, "support", "done", behind)
    }
    last = composed(bench, asked)
    assert last.final
    assert last.reply.tone is Tone.GOOD
    assert "████████████████████ 100 %" in shown(last.reply)
    assert not buttons(last.reply)
    bench.now += timedelta(hours=1)
    assert not step(bench)


@pytest.mark.parametrize(("person", "role"), [(ITSELF, ITSELF), (TERMINAL.person, "admin")])
def test_what_nobody_proposed_is_kept_with_who_began_it(bench: Bench, person: str, role: str) -> None:
    begun = Item("job_1", 0, "moon", "shop.moon.test", state=ItemState.BEGUN)
    with bench.storage.write() as tx:
        keep(tx, Job("job_1", RECALL, {}, person, bench.now, 1), [begun], bench.now)
    [kept] = trail(bench)
    assert (kept.actor, kept.role, kept.reason) == (person, role, f"job_1: asked by {person}")


def test_what_fails_is_named_and_what_is_well_already_is_left_alone(bench: Bench) -> None:
    asked = started(bench)
    names = [row.wanted[0] for row in bench.certificates()]
    bench.install(names[0], problem=None)
    step(bench)
    assert job(bench, asked)[1].skipped == 1
    assert names[0] not in " ".join(one.subject for one in trail(bench))  # nothing was done to it
    for _ in range(3):
        for row in bench.certificates():
            if not row.resting:
                bench.change(
                    row.wanted[0], state=State.BLOCKED, problem=finding(CODE, row.wanted[0]), run_after=None
                )
        bench.now += timedelta(seconds=10)
        step(bench)
    found, counts = job(bench, asked)
    assert (found.state, counts) == (JobState.DONE, Counts(failed=7, skipped=1))
    last = composed(bench, asked).reply
    assert last.tone is Tone.WARN
    assert "Finished, 1 of 8 done: " in shown(last)
    assert CODES[CODE].meaning.said() in [
        row.detail.values[0][1] for rows in only(last, Rows) for row in rows.rows
    ]


def test_it_can_be_paused_resumed_and_cancelled(bench: Bench) -> None:
    asked = started(bench)
    id_ = asked.replace("prop_", "job_")
    step(bench)
    assert list(buttons(composed(bench, asked).reply)) == ["bulk.pause", "bulk.cancel"]
    assert click(bench, "bulk.pause", id_, ADMIN) is None
    assert "Paused at 0 of 8" in shown(composed(bench, asked).reply)
    assert "U_ADMIN has paused it" in said(composed(bench, asked).reply)
    bench.now += timedelta(minutes=10)
    work(bench)
    assert not step(bench)
    told = click(bench, "bulk.pause", id_, ADMIN)
    assert told is not None
    assert "It is paused already." in said(told)
    assert audited(bench) == (ADMIN.person, "bulk.pause", id_, "failed")
    assert click(bench, "bulk.resume", id_, SECOND) is None
    assert step(bench)
    begun = trail(bench)[-1]  # who has resumed it is behind it, and who had asked is named all the same
    assert (begun.actor, begun.role) == (SECOND.person, "support")
    assert begun.reason.startswith(f"{id_}: asked by {SUPPORT.person}, approved by ")
    assert job(bench, asked)[1] == Counts(begun=3, done=5)
    assert click(bench, "bulk.cancel", id_, SUPPORT) is None
    last = composed(bench, asked)
    assert last.final
    assert "Cancelled at 5 of 8" in shown(last.reply)
    told = click(bench, "bulk.resume", id_, SUPPORT)
    assert told is not None
    assert "It was cancelled already." in said(told)
    bench.now += timedelta(hours=1)
    assert not step(bench)


@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
@pytest.mark.parametrize("stores", [{"sun"}, {"moon"}, {"moon", "sun"}], ids=sorted)
def test_a_job_of_others_is_as_unknown_as_none(bench: Bench, action: str, stores: set[str]) -> None:
    """Renewing for a cause is for who sees across stores: a merchant whose stores alone it is about has no right to it."""
    asked = started(bench)
    sun = Caller("T1/U_SUN", Role.MERCHANT, frozenset(stores))
    id_ = asked.replace("prop_", "job_")
    assert click(bench, f"bulk.{action}", id_, sun) == click(bench, f"bulk.{action}", "job_0", sun)
    assert job(bench, asked)[0].state is JobState.RUNNING
    assert audited(bench) == (sun.person, f"bulk.{action}", "job_0", "refused")
    click(bench, f"bulk.{action}", id_, sun)
    assert audited(bench) == (sun.person, f"bulk.{action}", id_, "refused")


def test_who_holds_it_while_it_is_paused_changes_nothing(bench: Bench) -> None:
    asked = started(bench)
    with bench.storage.write() as tx:
        [held] = tx.jobs.claim(bench.now, timedelta(seconds=30), 1)
    click(bench, "bulk.pause", asked.replace("prop_", "job_"), ADMIN)
    with pytest.raises(LeaseLostError):
        steps.step(desk_of(bench), held)
    assert job(bench, asked)[1] == Counts(waiting=8)
    assert all(row.resting for row in bench.certificates())


def test_where_the_cas_leave_no_order_it_waits_and_says_so(bench: Bench) -> None:
    ca = CaSettings("le", "https://ca.test", limits={"orders": (1, timedelta(hours=3))})
    desk = replace(desk_of(bench), limits=(ca,))
    asked = started(bench)
    buckets = budget.order_buckets("le", ca, "x.test", ("x.test",))
    with bench.storage.write() as tx:
        assert budget.reserve(tx, buckets, bench.now)
    assert step(bench, desk)
    found, counts = job(bench, asked)
    assert counts == Counts(waiting=8)
    assert found.waits == found.run_after == bench.now + timedelta(hours=3)
    assert "The CAs' rate limits leave no order before 2027-02-10 17:03 UTC" in shown(
        composed(bench, asked).reply
    )
    bench.now += timedelta(hours=3)
    assert step(bench, desk)
    assert job(bench, asked)[1].begun == 5


def rows_of(bench: Bench, asked: str, desk: Desk) -> dict[str, str]:
    reply = messages.compose(desk, message(bench, f"approval:{asked}")).reply
    return {label.plain(): str(value) for fields in only(reply, Fields) for label, value in fields.pairs}


def test_its_end_is_no_earlier_than_the_cas_limits_let_it() -> None:
    bench = world(20)
    ca = CaSettings("le", "https://ca.test", limits={"orders": (10, timedelta(hours=10))})
    desk = replace(desk_of(bench), limits=(ca,))
    asked = started(bench)
    assert rows_of(bench, asked, desk)["Ends about"] == str(bench.now + timedelta(hours=10))
    for _ in range(10):
        with bench.storage.write() as tx:
            assert budget.reserve(tx, [budget.account_bucket(ca)], bench.now)
    for _ in range(2):
        step(bench, desk_of(bench))
        work(bench)
        bench.now += timedelta(minutes=1)
    step(bench, desk)
    found, counts = job(bench, asked)
    assert (counts.finished, counts.waiting) == (10, 10)
    assert found.waits is not None
    end = timedelta(hours=10)  # though the first ten took two minutes
    assert rows_of(bench, asked, desk)["Ends about"] == str(bench.now + end)


def test_several_cas_share_the_orders(bench: Bench) -> None:
    cas = [CaSettings(name, "https://ca.test", limits={"orders": (2, timedelta(hours=2))}) for name in "ab"]
    desk = replace(desk_of(bench), limits=tuple(cas))
    assert plans.cost(desk, 8).takes == timedelta(hours=2)
    assert plans.cost(replace(desk, limits=tuple(cas[:1])), 8).takes == timedelta(hours=6)
    unlimited = (*cas, CaSettings("c", "https://ca.test"))
    assert plans.cost(replace(desk, limits=unlimited), 8).takes < timedelta(hours=1)


def test_a_limit_of_one_domain_holds_up_no_other(bench: Bench) -> None:
    ca = CaSettings(
        "le", "https://ca.test", limits={"orders": (300, timedelta(hours=3)), "domain": (1, WEEK)}
    )
    desk = replace(desk_of(bench), limits=(ca,))
    asked = started(bench)
    name = "s0.moon0.test"
    [domain] = [b for b in budget.order_buckets("le", ca, "moon0.test", (name,)) if b.kind == "domain"]
    with bench.storage.write() as tx:
        assert budget.reserve(tx, [domain], bench.now)
    step(bench, desk)
    assert job(bench, asked)[1].begun == 5
    row = bench.certificate(name)
    held = budget.waiting(budget.Spent(domain, bench.now + WEEK), row, bench.now)
    bench.change(name, [held], state=State.BLOCKED, problem=held, run_after=None)
    bench.now += timedelta(seconds=2)
    step(bench, desk)
    found, counts = job(bench, asked)
    assert (found.waits, counts.begun, counts.failed) == (None, 5, 1)
    assert "s0.moon0.test" in shown(composed(bench, asked).reply)


def test_its_messages_are_not_edited_more_often_than_slack_takes(bench: Bench) -> None:
    asked = started(bench)
    step(bench)
    before = message(bench, f"approval:{asked}").version
    for _ in range(10):
        bench.now += timedelta(seconds=2)
        work(bench)
        step(bench)
    assert message(bench, f"approval:{asked}").version - before <= 4


# --- any history ---------------------------------------------------------------------------------------------------


TURNS = {"pause": "bulk.pause", "resume": "bulk.resume", "cancel": "bulk.cancel"}


def happens(bench: Bench, event: str, id_: str) -> None:
    if event in TURNS:
        click(bench, TURNS[event], id_, ADMIN)
    elif event == "crash":  # claimed, and never given back
        with bench.storage.write() as tx:
            tx.jobs.claim(bench.now, timedelta(seconds=30), 1)
    elif event == "wait":
        bench.now += timedelta(seconds=31)
    elif event == "work":
        work(bench)
    elif event == "fail":
        for row in bench.certificates():
            if not row.resting:
                problem = finding(CODE, row.wanted[0])
                bench.change(row.wanted[0], state=State.FAILED, problem=problem, run_after=None)


@settings(max_examples=60, deadline=None)
@given(events=st.lists(st.sampled_from(["step", "crash", "work", "fail", "wait", *TURNS]), max_size=25))
def test_nothing_is_begun_twice_or_lost_whatever_happens(events: list[str]) -> None:
    bench = world(6)
    asked = started(bench)
    id_ = asked.replace("prop_", "job_")
    for event in events:
        bench.now += timedelta(seconds=3)
        before, counts = job(bench, asked)
        if event == "step":
            assert before.state is JobState.RUNNING or not step(bench)
            step(bench)
        happens(bench, event, id_)
        after, now = job(bench, asked)
        assert now.finished + now.left == 6
        assert now.finished >= counts.finished
        assert not before.over or (after.state, now) == (before.state, counts)
    with bench.storage.read() as tx:
        histories = [tx.certificates.history(row.id) for row in bench.certificates()]
    assert all(sum(one.what == "asked" for one in history) <= 1 for history in histories)
    for _ in range(8):
        bench.now += timedelta(seconds=40)
        work(bench)
        click(bench, "bulk.resume", id_, ADMIN)
        step(bench)
    assert job(bench, asked)[0].over


def test_a_message_of_a_job_that_is_gone_says_so() -> None:
    bench = make_bench()
    owed = Message(
        "m", "k", "approval", "C1", "", private=False, body={"proposal": "prop_0"}, created_at=bench.now
    )
    assert messages.compose(desk_of(bench), owed).final
