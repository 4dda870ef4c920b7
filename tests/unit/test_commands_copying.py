"""Copy to merchant: what is theirs to do, of their store alone, in their channel; and whose move it is where there is none."""

import json
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from bot.slack.render import render
from bot.text.language import language
from commands import messages, requests
from commands.caller import Caller
from commands.dispatch import dispatch
from commands.reply import Reply, Steps, Tone
from commands.reply_json import reply_from_json
from commands.steps import steps
from services import linking
from services.alerting import merchants, rounds
from services.desk import Desk
from services.model.alerts import Severity
from services.model.audiences import Kind
from services.model.findings import Owner
from services.model.lifecycle import State
from services.model.settings import Platform
from services.ports import Message, Request
from storage.memory import MemoryStorage
from tests.desks import MOON, NOW, STRANGER, SUPPORT, Bench, finding
from tests.unit.commands_world import DAY, alert, clickable, desk_of, sighting

PLATFORM = Platform(
    name_servers=("ns1.platform.test", "ns2.platform.test"),
    addresses=(ip_address("192.0.2.1"), ip_address("2001:db8::1")),
)
BAD = "bad.moon.test"


@pytest.fixture
def bench() -> Bench:
    return stores()


def stores() -> Bench:
    """Return two stores, each with a name whose DNS is elsewhere and a channel of its own."""
    made = Bench(MemoryStorage())
    for store in ("moon", "sun"):
        name = f"bad.{store}.test"
        made.store(store, name)
        dispatch(f"add {name}", SUPPORT, made.desk)
        made.install(name, serial=f"0a{store}")
        found = finding("dns.not_hosted", name)
        ours = finding("dns.lame", name)
        assert ours.owner is Owner.PLATFORM
        made.change(name, [found, ours], state=State.BLOCKED, problem=found)
        made.checker.says[name] = (found, ours)
        linking.link(made.desk, Kind.CHANNEL, f"C_{store.upper()}", store, "T1/U_SUPPORT")
    return made


def desk(bench: Bench) -> Desk:
    return replace(desk_of(bench), platform=PLATFORM)


def trouble(bench: Bench, *stores: str, **changes: Any) -> None:
    """Put an open alert of these stores' certificates."""
    made = alert("dns.not_hosted", BAD, lead=finding("dns.not_hosted", f"bad.{stores[0]}.test"), **changes)
    with bench.storage.write() as tx:
        assert tx.alerts.add(made)
        for store in stores:
            name = f"bad.{store}.test"
            member = sighting(made, certificate=bench.certificate(name).id, store=store, name=name)
            tx.alerts.put_sighting(member)


def click(bench: Bench, text: str, caller: Caller = SUPPORT, number: int = 1) -> Reply:
    request = Request(f"req_{number}", str(number), "T1", "U1", "C1", text, bench.now, kind="click")
    with bench.storage.write() as tx:
        assert tx.requests.add(request)
        [claimed] = tx.requests.claim(bench.now, DAY, 10)
    requests.perform(desk(bench), claimed, caller)
    with bench.storage.read() as tx:
        message = tx.outbox.by_key(f"request:req_{number}")
    assert message is not None
    return reply_from_json(json.loads(json.dumps(message.body)))


def sent(bench: Bench) -> dict[str, Message]:
    """Return what waits for merchants, by channel."""
    with bench.storage.write() as tx:
        owed = tx.outbox.claim(bench.now + DAY, DAY, 100)
    return {one.channel: one for one in owed if one.kind in (merchants.STEPS, merchants.ALERT)}


def told(bench: Bench, message: Message) -> Reply:
    return messages.compose(desk(bench), message).reply


def lines(reply: Reply) -> list[str]:
    return [line.plain() for part in reply.parts if isinstance(part, Steps) for line in part.lines]


# --- the steps -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "name", "platform", "records"),
    [
        ("dns.not_hosted", "a.b.moon.test", PLATFORM, ["moon.test.  NS  ns1.platform.test.", "moon.test.  NS  ns2.platform.test."]),
        ("dns.no_address", "moon.test", PLATFORM, ["moon.test.  A  192.0.2.1", "moon.test.  AAAA  2001:db8::1"]),
        (
            "dns.wrong_address",
            "shop.moon.test",
            replace(PLATFORM, cname_target="edge.platform.test"),
            ["shop.moon.test.  CNAME  edge.platform.test."],
        ),
        (
            "dns.wrong_address",
            "moon.test",
            replace(PLATFORM, cname_target="edge.platform.test"),  # an alias may not stand at the top of a zone
            ["moon.test.  A  192.0.2.1", "moon.test.  AAAA  2001:db8::1"],
        ),
        ("dns.wrong_ipv6", "moon.test", PLATFORM, ["moon.test.  AAAA  2001:db8::1"]),
        ("domain.expired", "moon.test", PLATFORM, []),
    ],
)  # fmt: skip
def test_the_records_are_those_that_have_to_stand(
    code: str, name: str, platform: Platform, records: list[str]
) -> None:
    remedy, *found = steps(finding(code, name), platform)
    assert remedy.plain() == f"Mend {code}."
    assert [line.plain() for line in found] == records


# --- the buttons -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["certificate.copy", "store.copy", "alert.copy"])
def test_the_merchant_is_told_what_is_theirs_to_do_and_nothing_else(bench: Bench, what: str) -> None:
    trouble(bench, "moon")
    value = {"certificate.copy": bench.certificate(BAD).id, "store.copy": BAD, "alert.copy": "alert_1 4"}[
        what
    ]
    reply = click(bench, f"{what} {value}")
    assert reply.title.plain() == "What the merchant has to do is on its way to the channels of: moon"
    found = sent(bench)
    assert list(found) == ["C_MOON"]
    shown = told(bench, found["C_MOON"])
    assert lines(shown) == [
        "Mend dns.not_hosted.",
        "moon.test.  NS  ns1.platform.test.",
        "moon.test.  NS  ns2.platform.test.",
    ]
    assert "until this is done, the certificate cannot be issued or renewed" in str(shown)
    assert "dns.lame" not in str(shown)  # the platform's own
    assert "sun" not in str(shown)
    assert "U_SUPPORT" not in str(shown)
    with bench.storage.read() as tx:
        last = tx.audit.last()
    assert last is not None
    assert (last.action, last.result, last.actor) == (what, "done", SUPPORT.person)
    assert BAD in last.subject.split()
    assert ("audit_done", what) in [
        (row["what"], row["details"])
        for row in (dispatch(f"history {BAD}", SUPPORT, desk(bench)).data or {})["history"]
    ]


def test_of_an_alert_of_several_stores_each_is_told_of_its_own(bench: Bench) -> None:
    trouble(bench, "moon", "sun")
    click(bench, "alert.copy alert_1 4")
    found = sent(bench)
    assert sorted(found) == ["C_MOON", "C_SUN"]
    for store, other in (("moon", "sun"), ("sun", "moon")):
        shown = told(bench, found[f"C_{store.upper()}"])
        assert f"{store}.test" in str(shown)
        assert other not in str(shown)


def test_a_click_that_is_performed_twice_sends_once(bench: Bench) -> None:
    click(bench, f"store.copy {BAD}")
    assert len(sent(bench)) == 1
    call = Request("req_1", "1", "T1", "U1", "C1", f"store.copy {BAD}", bench.now, kind="click")
    with bench.storage.write() as tx:
        before = tx.outbox.by_key("steps:req_1:moon:C_MOON")
        assert before is not None
    assert call.id in before.key


def test_without_a_channel_it_is_said_and_whose_move_it_is(bench: Bench) -> None:
    linking.unlink(bench.desk, Kind.CHANNEL, "C_MOON", "moon")
    reply = click(bench, f"store.copy {BAD}")
    assert reply.title.plain() == "Nobody was told: no channel is linked to moon"
    assert "It is support's move: /ssl link #channel moon links one" in str(reply.parts[0].text)  # type: ignore[union-attr]
    assert sent(bench) == {}
    with bench.storage.read() as tx:
        last = tx.audit.last()
    assert last is not None
    assert last.result == "failed"


def test_what_is_not_the_merchants_move_is_not_sent(bench: Bench) -> None:
    bench.change(BAD, [finding("dns.lame", BAD)], problem=None)
    reply = click(bench, f"certificate.copy {bench.certificate(BAD).id}")
    assert reply.title.plain().startswith("There is nothing that a merchant has to do")
    assert sent(bench) == {}


@pytest.mark.parametrize(
    "text",
    [
        "alert.copy alert_9 4",
        "certificate.copy cert_9",
        "store.copy nobodys.test",
        "store.copy",
        "alert.copy",
    ],
)
def test_what_is_not_there_is_said_so(bench: Bench, text: str) -> None:
    assert "no longer knows what this is about" in click(bench, text).title.plain()


@pytest.mark.parametrize("caller", [MOON, STRANGER])
def test_it_is_for_staff(bench: Bench, caller: Caller) -> None:
    trouble(bench, "moon")
    for number, text in enumerate((f"store.copy {BAD}", "alert.copy alert_1 4")):
        assert click(bench, text, caller, number).title.plain() == "You may not do this"
    assert sent(bench) == {}


def test_a_check_offers_it_to_staff_where_a_merchant_has_something_to_do(bench: Bench) -> None:
    assert clickable(dispatch(f"check {BAD}", SUPPORT, desk(bench)).reply)["store.copy"].value == BAD  # type: ignore[union-attr]
    assert clickable(dispatch(f"check {BAD}", MOON, desk(bench)).reply) == {}
    bench.checker.says[BAD] = (finding("dns.lame", BAD),)
    assert clickable(dispatch(f"check {BAD}", SUPPORT, desk(bench)).reply) == {}


# --- alerts by themselves --------------------------------------------------------------------------------------------


def tended(bench: Bench, *stores: str, **changes: Any) -> dict[str, Message]:
    trouble(bench, *stores, **({"said": None, "severity": Severity.INFO, "due_at": bench.now} | changes))
    assert rounds.tend_due(desk(bench)) == 1
    return sent(bench)


def test_a_merchant_is_told_of_an_alert_that_is_theirs_alone(bench: Bench) -> None:
    found = tended(bench, "moon")
    assert list(found) == ["C_MOON"]
    shown = told(bench, found["C_MOON"])
    assert shown.tone is Tone.WARN
    assert shown.title.plain() == "Please do this, so that your shop stays secure"
    assert lines(shown)[0] == "Mend dns.not_hosted."
    assert clickable(shown) == {}  # what staff can do with an alert is not the merchant's


def test_an_alert_of_several_stores_is_told_to_none_of_their_merchants(bench: Bench) -> None:
    assert tended(bench, "moon", "sun") == {}


def test_what_is_the_platforms_move_is_not_told_to_merchants(bench: Bench) -> None:
    assert tended(bench, "moon", owner=Owner.PLATFORM) == {}


def test_a_message_turns_green_once_the_alert_is_over(bench: Bench) -> None:
    [message] = tended(bench, "moon").values()
    with bench.storage.write() as tx:
        tx.alerts.drop_sighting(bench.certificate(BAD).id, alert("dns.not_hosted", BAD).key)
    bench.now += DAY
    rounds.tend_due(desk(bench))
    [after] = sent(bench).values()
    assert after.key == message.key
    composed = messages.compose(desk(bench), after)
    assert composed.final
    assert composed.reply.tone is Tone.GOOD
    assert "nothing left for you to do" in composed.reply.title.plain()


def test_it_turns_green_as_well_if_others_came_to_suffer_from_the_same(bench: Bench) -> None:
    """Sub-domains of one domain are two stores': what is wrong with the domain is one alert, first of one and then of both."""
    made = alert("dns.not_hosted", "joint.test", said=None, severity=Severity.INFO, due_at=bench.now)
    rows = {}
    for store, name in (("moon", "a.joint.test"), ("sun", "b.joint.test")):
        bench.store(store, name)
        dispatch(f"add {name}", SUPPORT, bench.desk)
        found = finding("dns.not_hosted", name)
        row = bench.change(name, [found], state=State.BLOCKED, problem=found)
        rows[store] = sighting(made, certificate=row.id, store=store, name=name)

    def tend(joins: str = "", leaves: str = "") -> dict[str, Message]:
        with bench.storage.write() as tx:
            if joins:
                tx.alerts.put_sighting(rows[joins])
            if leaves:
                tx.alerts.drop_sighting(rows[leaves].certificate, made.key)
        bench.now += DAY
        rounds.tend_due(desk(bench))
        owed = sent(bench)
        with bench.storage.write() as tx:
            for one in owed.values():
                tx.outbox.delivered(one, "1.1", final=messages.compose(desk(bench), one).final)
        return owed

    with bench.storage.write() as tx:
        tx.alerts.add(made)
    [message] = tend(joins="moon").values()
    tend(joins="sun")
    tend(leaves="moon")
    after = tend(leaves="sun")["C_MOON"]
    with bench.storage.read() as tx:
        over = tx.alerts.get("alert_1")
    assert over is not None
    assert over.lead is not None
    assert (over.open, over.lead.name) == (False, "b.joint.test")
    assert after.key == message.key
    reply = told(bench, after)
    assert reply.tone is Tone.GOOD
    assert "joint" not in str(reply)


def test_a_channel_that_has_become_another_stores_is_told_nothing_any_more(bench: Bench) -> None:
    click(bench, f"store.copy {BAD}")
    [message] = sent(bench).values()
    linking.link(bench.desk, Kind.CHANNEL, "C_MOON", "sun", "T1/U_SUPPORT")
    assert "moon" not in str(told(bench, message))
    alerted = Message("m", "k", merchants.ALERT, "C_MOON", "", private=False, body={"alert": "alert_1", "store": "moon"}, created_at=NOW)  # fmt: skip
    trouble(bench, "moon")
    assert "moon" not in str(told(bench, alerted))


def test_the_words_are_those_of_the_readers_language_and_the_records_stay(bench: Bench) -> None:
    click(bench, f"store.copy {BAD}")
    [message] = sent(bench).values()
    blocks = render(told(bench, message), "/ssl", language=language("ko")).blocks
    assert "moon.test.  NS  ns1.platform.test." in json.dumps(blocks)
