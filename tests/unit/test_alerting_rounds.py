"""Rounds: one message for each alert and channel, thresholds told once, healed ones green, and what is hastened."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import cast

from structlog.testing import capture_logs

from services.alerting.rounds import WEIGHED, gather, tend, tend_due
from services.model.alerts import Severity, Sighting, Tally, collective_key
from services.model.findings import Verdict
from services.model.lifecycle import State
from services.model.settings import Alerting, Hook, Route
from services.model.text import from_json
from services.ports import Transaction
from tests.unit.alert_world import CHANNEL, DAY, HOUR, MINUTE, OURS, POLICY, World, found, lame

LAME = f"dns.lame {OURS}"
GONE = "store.inactive moon"


def gone(margin: timedelta = 5 * DAY, policy: Alerting = POLICY) -> World:
    """Return a world in which the store moon is deleted, and its certificate has this margin."""
    world = World(policy=policy)
    moon = world.install("moon", margin)
    world.see(moon, found("store.inactive", "moon.test", store="moon"))
    world.tend()
    return world


def test_the_first_message_says_it_all() -> None:
    world = gone()
    alert = world.alert(GONE)
    assert (alert.severity, alert.said, alert.channels, alert.hooks) == (
        Severity.URGENT,
        Severity.URGENT,
        (CHANNEL,),
        (),
    )
    assert (alert.members, alert.most, alert.version, alert.failures) == (1, 1, 2, 0)
    assert alert.lead is not None
    assert alert.lead.remedy.plain() == "Mend store.inactive of moon.test."
    assert alert.next_attempt == world.now + HOUR
    (message,) = world.outbox()
    assert (message.kind, message.channel, message.body, message.thread) == (
        "alert",
        CHANNEL,
        {"alert": alert.id},
        "",
    )
    assert world.woken == 1


def test_the_log_says_what_is_told_and_nothing_else() -> None:
    with capture_logs() as lines:
        world = gone(margin=30 * DAY)
        assert lines == []
        world.run(9 * DAY)
        world.run(HOUR)
        world.see(world.certificate("cert_moon"))
        world.run(DAY)
    assert [(line["event"], line["severity"]) for line in lines] == [
        ("alert", "warning"),
        ("alert_healed", "warning"),
    ]
    assert (lines[0]["code"], lines[0]["thing"], lines[0]["certificates"]) == ("store.inactive", "moon", 1)


def test_nothing_is_told_below_a_warning_until_the_margin_asks_for_it() -> None:
    world = gone(margin=30 * DAY)
    assert world.outbox() == []
    assert (world.alert(GONE).said, world.alert(GONE).severity) == (None, Severity.INFO)
    world.run(9 * DAY - MINUTE)
    assert world.outbox() == []
    world.run(MINUTE)
    assert [m.kind for m in world.outbox()] == ["alert"]
    assert world.alert(GONE).said is Severity.WARNING


def test_each_threshold_is_told_once_in_the_thread() -> None:
    world = gone(margin=10 * DAY)
    world.outbox()
    world.run(3 * DAY)
    assert world.lines() == [("escalated", CHANNEL, ("S_ONCALL",))]
    world.run(5 * DAY)
    assert world.outbox(via="webhook")[0].channel == "pager"
    assert world.lines() == [("escalated", CHANNEL, ("S_ONCALL", "S_MANAGERS"))]
    world.run(20 * DAY)
    assert world.lines() == []
    assert world.outbox(via="webhook") == []
    assert world.alert(GONE).severity is Severity.CRITICAL


def test_the_sentence_of_an_escalation() -> None:
    world = gone(margin=10 * DAY)
    world.outbox()
    world.run(3 * DAY)
    (note,) = [m for m in world.outbox() if m.kind == "alert_note"]
    assert (note.body["tone"], note.thread) == ("bad", f"alert:{world.alert(GONE).id}:{CHANNEL}")
    assert from_json(note.body["text"]).plain() == (
        "This is urgent now: the first deadline is 2027-03-11 09:00 UTC. Mend store.inactive of moon.test."
    )


def test_a_message_is_edited_daily_so_that_the_days_are_right() -> None:
    world = gone(margin=20 * DAY)
    world.outbox()
    for _ in range(3):
        world.run(DAY)
        assert [m.kind for m in world.outbox()] == ["alert"]


def test_numbers_wait_a_little_and_what_people_act_upon_does_not() -> None:
    world = World()
    shops = [world.install(f"s{n}", 40 * DAY) for n in range(3)]
    for shop in shops:
        world.see(shop, lame(shop.domain))
    world.pass_(POLICY.confirm)
    world.see(shops[0], lame("s0.test"))
    world.tend()
    assert world.posted(world.alert(LAME)).run_after == world.now
    world.outbox()
    for shop in shops[1:]:
        world.see(shop, lame(shop.domain))
        world.tend()
    assert world.posted(world.alert(LAME)).run_after == world.now + POLICY.settle
    version = world.alert(LAME).version
    assert (world.alert(LAME).members, version) == (2, 2), "the third is gathered"
    world.run(POLICY.settle)
    assert (world.alert(LAME).members, world.alert(LAME).version) == (3, version)


def test_healed_is_green_and_resolves_and_says_nothing_new() -> None:
    world = gone(margin=DAY)
    alert = world.alert(GONE)
    assert alert.hooks == ("pager",)
    world.outbox()
    world.outbox(via="webhook")
    world.pass_(3 * HOUR)
    world.see(world.certificate("cert_moon"))
    world.tend()
    healed = world.alert(GONE)
    assert (healed.healed_at, healed.members, healed.due_at, healed.version) == (
        world.now,
        0,
        None,
        alert.version + 1,
    )
    assert [(m.key, m.ts is not None) for m in world.outbox()] == [(f"alert:{alert.id}:{CHANNEL}", True)]
    assert [m.key for m in world.outbox(via="webhook")] == [f"page:{alert.id}:pager"]


def test_what_nobody_was_told_of_heals_in_silence() -> None:
    world = gone(margin=30 * DAY)
    world.see(world.certificate("cert_moon"))
    world.tend()
    assert not world.alert(GONE).open
    assert world.outbox() == []


def test_back_soon_is_a_line_in_the_thread_of_the_same_message() -> None:
    world = gone(margin=DAY)
    first = world.alert(GONE)
    moon = world.certificate("cert_moon")
    world.see(moon)
    world.tend()
    world.outbox()
    world.outbox(via="webhook")
    world.see(moon, found("store.inactive", "moon.test", store="moon"))
    world.tend()
    again = world.alert(GONE)
    assert (again.id, again.open, again.version) == (first.id, True, first.version + 2)
    assert world.lines() == [("reopened", CHANNEL, ())]
    assert [m.channel for m in world.outbox(via="webhook")] == ["pager"]


def test_members_that_join_in_the_moment_of_healing_open_it_again() -> None:
    world = gone()
    with world.storage.write() as tx:
        closed = replace(world.alert(GONE), healed_at=world.now, members=0, due_at=world.now)
        assert tx.alerts.change(closed, world.now)
    world.tend()
    assert (world.alert(GONE).open, world.alert(GONE).members) == (True, 1)


def test_a_severity_that_falls_is_news_again_when_it_rises() -> None:
    world = gone(margin=5 * DAY)
    moon = world.certificate("cert_moon")
    world.outbox()
    renewed = world.change(moon, not_after=world.now + 20 * DAY)
    world.see(renewed, found("store.inactive", "moon.test", store="moon"))
    world.tend()
    assert (world.alert(GONE).severity, world.alert(GONE).said) == (Severity.WARNING, Severity.WARNING)
    assert world.lines() == []
    world.run(13 * DAY)
    assert world.lines() == [("escalated", CHANNEL, ("S_ONCALL",))]


def test_below_a_warning_the_message_stays_and_a_warning_comes_back_in_its_thread() -> None:
    world = gone(margin=20 * DAY)
    world.outbox()
    world.change(world.certificate("cert_moon"), not_after=world.now + 30 * DAY)
    world.see(world.certificate("cert_moon"), found("store.inactive", "moon.test", store="moon"))
    world.tend()
    assert world.alert(GONE).said is Severity.INFO
    world.run(9 * DAY)
    assert world.lines() == [("escalated", CHANNEL, ())]


def test_a_deadline_that_has_passed_is_said_so() -> None:
    world = gone(margin=40 * DAY)
    world.change(world.certificate("cert_moon"), not_after=world.now + 10 * DAY)
    world.see(world.certificate("cert_moon"), found("store.inactive", "moon.test", store="moon"))
    world.tend()
    world.outbox()
    world.pass_(11 * DAY)  # certdesk was down
    world.tend()
    (note,) = [m for m in world.outbox() if m.kind == "alert_note"]
    assert (
        from_json(note.body["text"])
        .plain()
        .startswith("This is critical now: the first deadline passed on 2027-03-11")
    )
    assert note.body["mention"] == ["S_ONCALL", "S_MANAGERS"]


def test_routes_add_channels_as_members_with_their_tags_join() -> None:
    routes = (
        Route("C_OPS", owners=("platform",)),
        Route("C_VIP", tags=("vip",)),
        Route("C_LOUD", severity=3),
    )
    world = World(policy=replace(POLICY, routes=routes))
    plain, vip = world.install("plain", 40 * DAY), world.install("vip", 40 * DAY, tags=("vip",))
    for shop in (plain, vip):
        world.see(shop, lame(shop.domain))
    world.pass_(POLICY.confirm)
    world.see(plain, lame("plain.test"))
    world.tend()
    assert [m.channel for m in world.outbox()] == ["C_OPS"]
    world.see(vip, lame("vip.test"))
    world.run(MINUTE)
    assert {(m.channel, m.ts is None) for m in world.outbox()} == {("C_OPS", False), ("C_VIP", True)}
    world.change(vip, not_after=world.now + DAY)
    world.see(world.certificate("cert_vip"), lame("vip.test"))
    world.run(MINUTE)
    owed = world.outbox()
    assert {m.channel for m in owed if m.kind == "alert"} == {"C_OPS", "C_VIP", "C_LOUD"}
    assert {m.channel for m in owed if m.kind == "alert_note"} == {"C_OPS", "C_VIP"}, (
        "the new one has it in the message"
    )


def test_without_a_channel_it_counts_as_told_and_hooks_hear_of_it() -> None:
    hooks = (Hook("json", "json", "https://hooks.test/", "k", severity=1),)
    world = gone(policy=Alerting(hooks=hooks))
    assert world.alert(GONE).said is Severity.URGENT
    assert world.outbox() == []
    assert [m.channel for m in world.outbox(via="webhook")] == ["json"]


def test_what_only_warns_stays_a_warning() -> None:
    world = World()
    moon = world.install("moon", DAY)
    world.confirm(moon, lame("moon.test", verdict=Verdict.WARN))
    world.tend()
    assert world.alert(LAME).severity is Severity.WARNING


def test_a_cause_without_a_margin_escalates_without_a_date() -> None:
    world = World()
    world.see_self(found("certdesk.deaf", "certdesk"))
    world.tend()
    with world.storage.write() as tx:
        calm = replace(
            world.alert("certdesk.deaf certdesk"),
            said=Severity.WARNING,
            severity=Severity.WARNING,
            due_at=world.now,
        )
        assert tx.alerts.change(calm, world.now)
    world.outbox()
    world.tend()
    (note,) = [m for m in world.outbox() if m.kind == "alert_note"]
    assert (
        from_json(note.body["text"]).plain()
        == "This is urgent now, and it still lasts. Mend certdesk.deaf of certdesk."
    )


def test_as_a_shared_cause_begins_to_heal_the_others_are_looked_at_soon() -> None:
    world = World()
    shops = [world.install(f"s{n}", 40 * DAY) for n in range(4)]
    down = {shop.id: found("ca.unavailable", shop.domain, ca="Pebble") for shop in shops}
    failed = {"state": State.FAILED, "run_after": world.now + 9 * HOUR, "retry_at": world.now + 9 * HOUR}
    for shop in shops[:3]:
        world.change(shop, problem=down[shop.id], **failed)
    for shop in shops:
        world.confirm(world.certificate(shop.id), down[shop.id])
    world.run(HOUR)
    assert world.alert("ca.unavailable Pebble").members == 4
    world.change(shops[0], state=State.INSTALLED, problem=None)
    world.see(world.certificate(shops[0].id))
    world.run(POLICY.settle)
    assert world.alert("ca.unavailable Pebble").members == 3
    soon = world.now + 5 * MINUTE
    for shop in shops[1:3]:
        row = world.certificate(shop.id)
        assert row.run_after is not None
        assert row.retry_at == row.run_after
        assert world.now - MINUTE <= row.run_after <= soon
    with world.storage.write() as tx:
        watches = tx.watches.claim(soon, MINUTE, 10)
    assert {watch.id for watch in watches} >= {shop.id for shop in shops[1:]}


def test_a_rate_limit_is_not_hurried() -> None:
    world = World()
    shops = [world.install(f"s{n}", 10 * DAY) for n in range(3)]
    limited = {shop.id: found("ca.rate_limited", shop.domain, ca="Pebble") for shop in shops}
    later = world.now + 9 * HOUR
    for shop in shops:
        world.change(shop, state=State.FAILED, problem=limited[shop.id], run_after=later, retry_at=later)
        world.confirm(world.certificate(shop.id), limited[shop.id])
    world.run(HOUR)
    world.change(shops[0], state=State.INSTALLED, problem=None)
    world.see(world.certificate(shops[0].id))
    world.run(POLICY.settle)
    row = world.certificate(shops[1].id)
    assert row.retry_at == later
    assert row.run_after is not None
    assert row.run_after < later


def test_a_member_whose_certificate_tells_nothing_any_more_leaves_the_words_as_they_are() -> None:
    world = gone()
    lead = world.alert(GONE).lead
    with world.storage.write() as tx:
        tx.certificates.put_findings("cert_moon", ())
        tx.alerts.stir(GONE, world.now)
    world.tend()
    assert world.alert(GONE).lead == lead


def test_two_workers_do_not_both_tend_an_alert() -> None:
    world = World()
    moon = world.install("moon", 5 * DAY)
    world.see(moon, found("store.inactive", "moon.test", store="moon"))
    with world.storage.write() as tx:
        (late,) = tx.alerts.claim(world.now, MINUTE, 10)
    assert tend_due(world.desk) == 0
    world.pass_(2 * MINUTE)
    assert tend_due(world.desk) == 1
    version = world.alert(GONE).version
    world.outbox()
    tend(world.desk, late)
    assert world.alert(GONE).version == version
    assert world.outbox() == []


def test_many_that_are_only_warned_of_do_not_hide_one_that_cannot_renew() -> None:
    world = World()
    shops = [world.install(f"s{n:03}", 3 * DAY, lifetime=6 * DAY) for n in range(WEIGHED + 5)]
    blocked = world.install("blocked", 6 * DAY)
    for _ in range(2):
        for shop in shops:
            world.see(shop, lame(shop.domain, verdict=Verdict.WARN))
        world.see(blocked, lame(blocked.domain))
        world.pass_(POLICY.confirm)
    world.tend()
    assert (world.alert(LAME).members, world.alert(LAME).severity) == (WEIGHED + 6, Severity.URGENT)


class Leaving:
    """A transaction in which the last member leaves between the questions how many there are and which."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.alerts = self

    def tally(self, key: str) -> Tally:
        return self._tx.alerts.tally(key)

    def members(self, key: str, limit: int) -> Sequence[Sighting]:
        with_one = self._tx.alerts.members(key, limit)
        assert with_one
        return ()


def test_an_alert_whose_last_member_leaves_during_the_look_is_without_any() -> None:
    """On PostgreSQL two questions of one transaction may be answered from before and after another's commit."""
    world = gone()
    with world.storage.write() as tx:
        (held,) = tx.alerts.claim(world.now + 2 * DAY, MINUTE, 10)
        facts = gather(cast("Transaction", Leaving(tx)), world.desk, held)
    assert (facts.tally, facts.members) == (Tally(), ())


def test_a_collective_alert_counts_its_members() -> None:
    world = World(policy=replace(POLICY, burst=0))
    for n in range(3):
        shop = world.install(f"s{n}", (5 + n) * DAY)
        world.see(shop, found("store.inactive", shop.domain, store=shop.store))
    world.run(MINUTE)
    alert = world.alert(collective_key("store.inactive"))
    assert (alert.members, alert.thing, alert.severity) == (3, "*", Severity.URGENT)
    assert alert.earliest == world.certificate("cert_s0").not_after
    assert alert.lead is not None
    assert alert.lead.name == "s0.test"
