"""Clicks: rights as for commands, values that prove nothing, and who is told what came of them."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands import alert_buttons, requests
from commands.caller import Action, Caller, Role, holders
from commands.clicks import CLICKS
from commands.dispatch import dispatch
from commands.reply import Problem, Reply, Tone
from commands.reply_json import reply_from_json
from services.model.alerts import Alert, Severity
from services.model.errors import CertdeskError
from services.model.lifecycle import State
from services.model.text import say
from services.ports import Message, Request
from tests.desks import MOON, NOW, STRANGER, SUPPORT, Bench, finding
from tests.unit.commands_world import DAY, alert, clickable, desk_of, make_bench, put


@pytest.fixture
def bench() -> Bench:
    return make_bench()


def click(bench: Bench, text: str, caller: Caller = SUPPORT) -> Reply | None:
    """Click as the intake writes it down, and return the private answer; None if there is none."""
    request = Request("req_1", text, "T1", "U1", "C1", text, bench.now, kind="click")
    with bench.storage.write() as tx:
        assert tx.requests.add(request)
        [claimed] = tx.requests.claim(bench.now, DAY, 10)
    requests.perform(desk_of(bench), claimed, caller)
    with bench.storage.read() as tx:
        done = tx.requests.get("req_1")
        message = tx.outbox.by_key("request:req_1")
    assert done is not None
    assert done.done_at is not None
    return _answer(message)


def _answer(message: Message | None) -> Reply | None:
    if message is None:
        return None
    assert (message.private, message.user, message.channel, message.kind) == (True, "U1", "C1", "reply")
    return reply_from_json(json.loads(json.dumps(message.body)))


def now(bench: Bench, alert_id: str = "alert_1") -> Alert:
    with bench.storage.read() as tx:
        found = tx.alerts.get(alert_id)
    assert found is not None
    return found


# --- the table -----------------------------------------------------------------------------------------------------


def test_every_action_below_a_message_is_in_the_table_with_the_right_it_needs() -> None:
    assert {action: one.action for action, one in CLICKS.items()} == {
        "alert.check": Action.ALERTS,
        "alert.renew": Action.ALERTS,
        "alert.ack": Action.ALERTS,
        "alert.snooze": Action.ALERTS,
        "alert.hand_over": Action.ALERTS,
        "alert.list": Action.ALERTS,
        "home.search": Action.LOOK,
        "home.find": Action.LOOK,
        "home.show": Action.LOOK,
        "home.turn": Action.LOOK,
        "home.check": Action.CHANGE,
        "home.renew": Action.CHANGE,
        "certificate.retry": Action.CHANGE,
        "certificate.check": Action.LOOK,
        "alert.copy": Action.TELL,
        "certificate.copy": Action.TELL,
        "store.copy": Action.TELL,
        "link.approve": Action.LINK,
        "link.decline": Action.LINK,
        "menu.add": Action.CHANGE,
        "menu.renew": Action.CHANGE,
        "menu.status": Action.LOOK,
        "menu.forecast": Action.LOOK,
        "menu.alerts": Action.ALERTS,
        "menu.link": Action.ASK_LINK,
        "menu.help": Action.HELP,
        "menu.back": Action.HELP,
        "sheet.turn": Action.CHANGE,
        "sheet.find": Action.CHANGE,
        "sheet.search": Action.CHANGE,
        "approval.confirm": Action.HELP,
        "approval.cancel": Action.HELP,
        "approval.approve": Action.HELP,
        "approval.reject": Action.HELP,
        "bulk.pause": Action.CHANGE,
        "bulk.resume": Action.CHANGE,
        "bulk.cancel": Action.CHANGE,
    }


def test_alerts_are_for_staff() -> None:
    assert holders(Action.ALERTS) == {Role.ADMIN, Role.SUPPORT, Role.ONCALL}


@pytest.mark.parametrize("action", [action for action in CLICKS if action.startswith("alert.")])
@pytest.mark.parametrize("caller", [MOON, STRANGER])
def test_without_the_right_nothing_happens_and_nothing_is_revealed(
    bench: Bench, action: str, caller: Caller
) -> None:
    put(bench, alert())
    before = now(bench)
    value = "alert_1 4 1d" if action == "alert.snooze" else "alert_1 4"
    reply = click(bench, f"{action} {value}", caller)
    assert reply is not None
    assert reply.title.plain() == "You may not do this"
    assert "ns1" not in str(reply)
    assert "shop" not in str(reply)
    assert now(bench) == before


BROKEN = [
    "",
    "alert.nuke alert_1 4",
    "alert.ack",
    "alert.ack alert_1",
    "alert.ack alert_1 four",
    "alert.ack alert_1 -4",
    "alert.ack alert_1 ²",
    "alert.ack alert_1 4 1d",
    "alert.check alert_1 4 now please",
    "alert.snooze alert_1 4",
    "alert.snooze alert_1 4 for-ever",
    "alert.list alert_9 4",
    f"alert.ack alert_1 {'9' * 5000}",  # more digits than Python turns into a number
    "alert.ack alert_1 4 4",
    "alert.snooze alert_1 4 1d;DROP",
    "certificate.retry",
    "certificate.check a b",
]


@pytest.mark.parametrize("text", BROKEN)
def test_what_certdesk_did_not_write_is_answered_in_private_and_does_nothing(bench: Bench, text: str) -> None:
    put(bench, alert())
    before = now(bench)
    reply = click(bench, text)
    assert reply is not None
    assert reply.title.plain() == "certdesk does not know this button (any more), and has done nothing"
    assert now(bench) == before


@given(
    text=st.sampled_from(sorted(CLICKS)).flatmap(lambda one: st.text(max_size=40).map(lambda v: f"{one} {v}"))
)
def test_no_value_brings_a_worker_down(text: str) -> None:
    bench = make_bench()
    put(bench, alert())
    before = now(bench)
    answered = click(bench, text)
    assert answered is not None or text.startswith("home.")  # the Home tab shows what came of it
    assert now(bench) == before


# --- alerts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("alert.ack alert_1 4", {"acked_by": "T1/U_SUPPORT", "acked": Severity.WARNING}),
        ("alert.snooze alert_1 4 1d", {"snoozed_by": "T1/U_SUPPORT", "snoozed_until": NOW + DAY}),
        ("alert.hand_over alert_1 4", {"handed_to": "T1/U_SUPPORT"}),
    ],
)
def test_what_shows_in_the_message_itself_needs_no_answer(
    bench: Bench, text: str, changed: dict[str, Any]
) -> None:
    put(bench, alert(channels=("C_ALERTS",)))
    assert click(bench, text) is None
    after = now(bench)
    assert {key: getattr(after, key) for key in changed} == changed
    assert after.version == 5
    with bench.storage.read() as tx:
        assert tx.outbox.by_key("alert:alert_1:C_ALERTS") is not None


@pytest.mark.parametrize(
    "action", ["alert.ack", "alert.snooze", "alert.hand_over", "alert.check", "alert.renew"]
)
def test_a_stale_click_changes_nothing_and_says_what_happened_meanwhile(bench: Bench, action: str) -> None:
    put(bench, alert(version=5, acked_by="T1/U7", acked=Severity.WARNING))
    before = now(bench)
    reply = click(bench, f"{action} alert_1 4" + (" 1d" if action == "alert.snooze" else ""))
    assert reply is not None
    assert reply.tone is Tone.WARN
    assert "U7" in str(reply)
    assert now(bench) == before


def test_looking_again_is_answered_to_the_clicker_alone(bench: Bench) -> None:
    dispatch("add shop.moon.test", SUPPORT, bench.desk)
    certificate = bench.install("shop.moon.test")
    put(bench, alert(), 1, certificate=certificate.id)
    reply = click(bench, "alert.check alert_1 4")
    assert reply is not None
    assert reply.tone is Tone.INFO


def test_renewing_starts_the_members_certificates(bench: Bench) -> None:
    dispatch("add shop.moon.test", SUPPORT, bench.desk)
    certificate = bench.install("shop.moon.test")
    put(bench, alert(), 1, certificate=certificate.id)
    reply = click(bench, "alert.renew alert_1 4")
    assert reply is not None
    assert reply.tone is Tone.INFO
    assert bench.certificate("shop.moon.test").state is State.CHECKING


def test_the_members_are_listed_to_the_clicker_alone_whatever_the_version(bench: Bench) -> None:
    put(bench, alert(), 3)
    reply = click(bench, "alert.list alert_1 1")
    assert reply is not None
    assert "shop2.test" in str(reply)
    assert now(bench).version == 4


def test_every_button_of_an_alert_can_be_clicked(bench: Bench) -> None:
    of = put(bench, alert(), 2)
    [row] = alert_buttons.buttons(of, NOW, alert_buttons.Size(2, 2, 10), own=False)
    for item in clickable(Reply(Tone.INFO, say("t"), (row,))).values():
        assert item.action in CLICKS


# --- a certificate that was handed over ----------------------------------------------------------------------------


def handed_over(bench: Bench) -> str:
    dispatch("add shop.moon.test www.moon.test", SUPPORT, bench.desk)
    problem = finding("dns.caa_forbids", "www.moon.test")
    certificate = bench.change(
        "shop.moon.test", [problem], state=State.NEEDS_SUPPORT, problem=problem, run_after=None, strikes=3
    )
    return certificate.id


@pytest.mark.parametrize("caller", [SUPPORT, MOON])
def test_trying_again_starts_the_certificate(bench: Bench, caller: Caller) -> None:
    reply = click(bench, f"certificate.retry {handed_over(bench)}", caller)
    assert reply is not None
    assert reply.tone is Tone.INFO
    after = bench.certificate("shop.moon.test")
    assert (after.state, after.strikes, after.asked) == (State.CHECKING, 0, True)


def test_trying_again_does_nothing_to_what_is_well_and_not_due_and_says_how_to(bench: Bench) -> None:
    certificate = handed_over(bench)
    before = bench.install("shop.moon.test", strikes=0, problem=None)
    reply = click(bench, f"certificate.retry {certificate}")
    assert reply is not None
    assert reply.tone is Tone.INFO
    for told in ("is well, and not due yet", "Nothing was done.", "/ssl renew shop.moon.test"):
        assert told in str(reply)
    assert bench.certificate("shop.moon.test") == before
    with bench.storage.read() as tx:
        kept = tx.audit.last()
    assert kept is not None
    assert (kept.action, kept.result) == ("certificate.retry", "failed")


IN_PART: list[dict[str, Any]] = [
    {"renew_at": NOW},
    {"retry_at": NOW + DAY},
    {"problem": finding("deploy.not_served", "www.moon.test")},
]


@pytest.mark.parametrize("changes", IN_PART)
def test_trying_again_goes_on_with_what_is_due_or_solved_in_part(
    bench: Bench, changes: dict[str, Any]
) -> None:
    certificate = handed_over(bench)
    bench.install("shop.moon.test", **({"problem": None} | changes))
    click(bench, f"certificate.retry {certificate}")
    assert bench.certificate("shop.moon.test").state is State.CHECKING


def test_trying_again_goes_on_with_what_is_blocked_for_one_name(bench: Bench) -> None:
    certificate = handed_over(bench)
    bench.install("shop.moon.test", problem=None)
    bench.change("shop.moon.test", [finding("dns.caa_forbids", "www.moon.test")])
    click(bench, f"certificate.retry {certificate}")
    assert bench.certificate("shop.moon.test").state is State.CHECKING


def test_checking_again_says_what_still_blocks_and_changes_nothing(bench: Bench) -> None:
    certificate = handed_over(bench)
    before = bench.certificates()
    bench.checker.says["www.moon.test"] = (finding("dns.caa_forbids", "www.moon.test"),)
    reply = click(bench, f"certificate.check {certificate}")
    assert reply is not None
    assert reply.tone is Tone.WARN
    assert reply.title.plain() == "Still blocked: www.moon.test"
    assert [part.code for part in reply.parts if isinstance(part, Problem)] == ["dns.caa_forbids"]
    assert bench.checker.asked[0] == "www.moon.test"
    assert bench.certificates() == before


def test_checking_again_says_that_nothing_blocks_any_more(bench: Bench) -> None:
    reply = click(bench, f"certificate.check {handed_over(bench)}")
    assert reply is not None
    assert reply.tone is Tone.GOOD
    assert reply.title.plain() == "Nothing blocks these names now: www.moon.test, shop.moon.test"


@pytest.mark.parametrize("action", ["certificate.retry", "certificate.check"])
def test_a_certificate_of_another_store_is_as_unknown_as_none(bench: Bench, action: str) -> None:
    certificate = handed_over(bench)
    others = replace(MOON, stores=frozenset({"sun"}))
    before = bench.certificates()
    assert str(click(bench, f"{action} {certificate}", others)) == str(
        click(make_bench(), f"{action} cert_9", SUPPORT)
    )
    assert bench.certificates() == before
    assert not bench.checker.asked


def test_what_cannot_be_done_is_said_however_long_the_reason(bench: Bench) -> None:
    certificate = handed_over(bench)
    bench.checker.trouble = CertdeskError(say("The database is away. {more}", more="x" * 200))
    reply = click(bench, f"certificate.check {certificate}")
    assert reply is not None
    assert reply.tone is Tone.BAD
    assert reply.title.plain() == "What came of your click"
    assert "The database is away." in str(reply.parts[0])


def test_a_click_that_never_ends_is_closed_with_an_apology(bench: Bench) -> None:
    put(bench, alert())
    request = Request("req_2", "d", "T1", "U1", "C1", "alert.ack alert_1 4", bench.now, kind="click")
    with bench.storage.write() as tx:
        tx.requests.add(request)
        [claimed] = tx.requests.claim(bench.now, DAY, 10)
    requests.perform(desk_of(bench), replace(claimed, tries=requests.MOST_TRIES + 1), SUPPORT)
    with bench.storage.read() as tx:
        assert tx.outbox.by_key("request:req_2") is not None
    assert now(bench).version == 4
