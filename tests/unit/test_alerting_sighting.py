"""Sightings: confirmed by two looks apart in time, kept through silence, gathered in a burst, opened again when back."""

from dataclasses import replace
from datetime import timedelta

from services.alerting.sighting import sight
from services.model.alerts import SELF, Severity, collective_key
from services.model.findings import Owner, Verdict
from services.model.lifecycle import State
from tests.unit.alert_world import CHANNEL, DAY, HOUR, MINUTE, NOW, OURS, POLICY, World, found, lame

LAME = f"dns.lame {OURS}"


def test_one_bad_answer_is_no_alert() -> None:
    world = World()
    moon = world.install("moon", 5 * DAY)
    world.see(moon, lame("moon.test"))
    (seen,) = world.sightings(moon)
    assert (seen.confirmed, seen.first_seen, seen.key) == (False, NOW, LAME)
    world.pass_(POLICY.confirm - timedelta(seconds=1))
    world.see(moon, lame("moon.test"))
    assert not world.sightings(moon)[0].confirmed
    world.see(moon)
    assert not world.sightings(moon)
    assert world.tend() == 0
    assert world.outbox() == []


def test_two_looks_apart_in_time_confirm_it() -> None:
    world = World()
    moon = world.install("moon", 5 * DAY)
    world.confirm(moon, lame("moon.test"))
    (seen,) = world.sightings(moon)
    assert (seen.confirmed, seen.first_seen, seen.last_seen) == (True, NOW, world.now)
    assert (seen.deadline, seen.lifetime, seen.renews_at) == (moon.not_after, 90 * DAY, moon.renew_at)
    alert = world.alert(LAME)
    assert (alert.opened_at, alert.thing, alert.wide, alert.owner) == (world.now, OURS, True, Owner.PLATFORM)


def test_a_saved_finding_that_is_handed_in_again_is_no_second_look() -> None:
    world = World()
    moon = world.install("moon", 5 * DAY)
    old = lame("moon.test", at=NOW)
    for _ in range(3):
        with world.storage.write() as tx:
            sight(tx, POLICY, moon, [old], world.now)
        world.pass_(HOUR)
    assert not world.sightings(moon)[0].confirmed


def test_a_rule_of_the_business_is_certain_at_once() -> None:
    world = World()
    moon = world.install("moon", 5 * DAY)
    world.see(moon, found("store.inactive", "moon.test"))
    assert world.sightings(moon)[0].confirmed
    world.tend()
    assert world.alert("store.inactive moon").severity is Severity.URGENT


def test_silence_is_no_evidence_of_healing() -> None:
    world = World()
    moon = world.install("moon", 5 * DAY)
    away = found("dns.not_hosted", "moon.test")
    world.confirm(moon, away, found("access.refused", "www.moon.test"))
    world.see(moon, found("dns.not_hosted", "moon.test", Verdict.UNKNOWN, owner=Owner.PLATFORM))
    assert [one.code for one in world.sightings(moon)] == ["dns.not_hosted"]
    world.see(moon, found("access.refused", "moon.test", Verdict.UNKNOWN))
    assert world.sightings(moon) == []


def test_silence_of_dns_leaves_open_what_the_web_would_say() -> None:
    world = World()
    moon = world.install("moon", 5 * DAY)
    world.see(moon, found("access.refused", "moon.test"))
    world.see(moon, found("dns.no_address", "moon.test", Verdict.UNKNOWN))
    assert [one.code for one in world.sightings(moon)] == ["access.refused"]
    world.see(moon, found("domain.expiring", "moon.test", Verdict.UNKNOWN))
    assert world.sightings(moon) == []


def test_what_is_the_merchants_matters_once_a_certificate_is_live() -> None:
    world = World()
    fresh = world.install("fresh", None, state=State.BLOCKED)
    world.see(fresh, found("dns.not_hosted", "fresh.test"))
    assert world.sightings(fresh) == []
    world.see(fresh, lame("fresh.test"))
    assert [one.deadline for one in world.sightings(fresh)] == [None]
    stuck = world.change(fresh, state=State.NEEDS_SUPPORT, run_after=None)
    world.see(stuck, found("dns.not_hosted", "fresh.test"))
    assert [one.code for one in world.sightings(stuck)] == ["dns.not_hosted"]


def test_a_registration_that_ends_first_is_the_deadline() -> None:
    world = World()
    moon = world.install("moon", 40 * DAY)
    ends = NOW + 10 * DAY
    for given, deadline in (
        (ends.isoformat(), ends),
        ((NOW + 80 * DAY).isoformat(), moon.not_after),
        ("no date", moon.not_after),
        ("2027-03-02T00:00:00", moon.not_after),  # a moment without a zone says nothing
    ):
        world.see(moon, found("domain.expiring", "moon.test", Verdict.WARN, expires=given))
        (seen,) = world.sightings(moon)
        assert (seen.deadline, seen.lifetime, seen.blocks) == (deadline, None, False)


def test_many_causes_of_one_code_are_gathered() -> None:
    world = World()
    burst = POLICY.burst
    shops = [world.install(f"shop{number:02}", 5 * DAY) for number in range(burst + 5)]
    for shop in shops:
        world.see(shop, found("store.inactive", shop.domain))
    collective = world.alert(collective_key("store.inactive"))
    world.tend()
    assert world.alert(collective.key).members == 5
    assert collective.thing == "*"
    assert [world.alert(f"store.inactive shop{n:02}").members for n in range(burst)] == [1] * burst
    assert sum(message.channel == CHANNEL for message in world.outbox()) == burst + 1
    late = world.install("late", 5 * DAY)
    world.pass_(2 * HOUR)
    world.see(late, found("store.inactive", late.domain))
    assert world.alert("store.inactive late").open
    # once healed, what comes back joins its own again
    world.see(shops[-1])
    world.see(shops[-1], found("store.inactive", shops[-1].domain))
    assert world.sightings(shops[-1])[0].alert == f"store.inactive {shops[-1].store}"


def test_causes_confirmed_late_are_gathered_all_the_same() -> None:
    """However long after the first look they are confirmed (certdesk was down, say): one burst is one moment of telling."""
    world = World()
    burst = POLICY.burst
    shops = [world.install(f"shop{number:02}", 15 * DAY) for number in range(burst + 5)]
    for apart in (5 * HOUR, MINUTE):
        for shop in shops:
            world.see(shop, found("dns.not_hosted", shop.domain))
        world.pass_(apart)
    world.tend()
    assert world.alert(collective_key("dns.not_hosted")).members == 5
    assert len([message for message in world.outbox() if message.kind == "alert"]) == burst + 1


def test_the_same_cause_back_soon_is_the_same_alert_and_later_a_new_one() -> None:
    world = World()
    moon = world.install("moon", 5 * DAY)
    gone = found("store.inactive", "moon.test")
    world.see(moon, gone)
    world.tend()
    first = world.alert("store.inactive moon")
    world.see(moon)
    world.tend()
    assert not world.alert(first.key).open
    world.pass_(POLICY.reopen)
    world.see(moon, gone)
    world.tend()
    again = world.alert(first.key)
    assert (again.id, again.open, again.members) == (first.id, True, 1)
    world.see(moon)
    world.tend()
    world.pass_(POLICY.reopen + MINUTE)
    world.see(moon, gone)
    world.tend()
    assert world.alert(first.key).id != first.id
    assert world.alert(first.key).open


def test_an_alert_that_was_closed_by_mistake_is_found_missing_at_the_next_look() -> None:
    world = World()
    moon = world.install("moon", 5 * DAY)
    gone = found("store.inactive", "moon.test")
    world.see(moon, gone)
    alert = world.alert("store.inactive moon")
    with world.storage.write() as tx:
        assert tx.alerts.change(replace(alert, healed_at=NOW, due_at=None), NOW)
    world.see(moon, gone)
    assert world.alert(alert.key).open
    with world.storage.write() as tx:
        healed = replace(world.alert(alert.key), healed_at=NOW, due_at=None)
        assert tx.alerts.change(healed, NOW)
        sight(tx, POLICY, moon, [gone], world.now)  # nothing new at all is seen
    assert world.alert(alert.key).open


def test_an_episode_that_began_before_the_last_one_ended_is_still_the_newest() -> None:
    world = World()
    moon, sun = world.install("moon", 5 * DAY), world.install("sun", 5 * DAY)
    world.see(sun, lame("sun.test"))  # unconfirmed
    world.confirm(moon, lame("moon.test"))
    world.tend()
    world.see(moon)
    world.tend()
    world.pass_(2 * POLICY.reopen)
    world.see(sun, lame("sun.test"))
    world.tend()
    alert = world.alert(LAME)
    assert (alert.open, alert.members) == (True, 1)


def test_an_alert_in_other_hands_is_not_waited_for() -> None:
    world = World()
    moon = world.install("moon", 5 * DAY)
    gone = found("store.inactive", "moon.test")
    world.see(moon, gone)
    world.tend()
    world.see(moon)
    world.tend()
    healed = world.alert("store.inactive moon")
    with world.storage.write() as tx:
        assert tx.alerts.change(replace(healed, due_at=world.now), world.now)
        assert tx.alerts.claim(world.now, MINUTE, 1)
    world.see(moon, gone)
    fresh = world.alert(healed.key)
    assert (fresh.open, fresh.id != healed.id) == (True, True)
    world.pass_(2 * MINUTE)
    world.tend()
    with world.storage.read() as tx:
        old = tx.alerts.get(healed.id)
    assert old is not None
    assert (old.open, old.due_at) == (False, None)


def test_only_what_an_alert_would_say_otherwise_stirs_it() -> None:
    world = World()
    moon = world.install("moon", 5 * DAY)
    gone = found("store.inactive", "moon.test")
    world.see(moon, gone)
    world.tend()
    world.pass_(MINUTE)
    world.see(moon, gone)
    assert world.tend() == 0
    world.see(
        moon, replace(gone, summary=found("store.inactive", "moon.test", summary="{name} went away.").summary)
    )
    assert world.tend() == 1
    lead = world.alert("store.inactive moon").lead
    assert lead is not None
    assert lead.summary.plain() == "moon.test went away."
    world.change(moon, failures=3)
    world.see(moon, gone)
    assert world.tend() == 1
    assert world.alert("store.inactive moon").failures == 3
    world.pass_(HOUR)
    world.see(moon, gone)
    assert world.tend() == 1, "the next attempt that it names has passed"
    world.change(moon, not_after=NOW + 50 * DAY)
    world.see(moon, gone)
    assert world.tend() == 1
    assert world.alert("store.inactive moon").severity is Severity.INFO


def test_certdesk_sees_itself() -> None:
    world = World()
    late = found("certdesk.stalled", SELF, summary="Nothing has moved for {code}.")
    world.see_self(late, found("dns.lame", "moon.test"))
    world.tend()
    alert = world.alert("certdesk.stalled certdesk")
    assert (alert.severity, alert.members, alert.next_attempt) == (Severity.URGENT, 1, None)
    assert alert.lead is not None
    world.see_self(replace(late, summary=found("certdesk.stalled", SELF, summary="Still nothing.").summary))
    world.tend()
    lead = world.alert(alert.key).lead
    assert lead is not None
    assert lead.summary.plain() == "Still nothing."
    world.see_self()
    world.tend()
    assert not world.alert(alert.key).open
    world.see_self()
    assert world.tend() == 0
