"""Clicks: what each does, that it shows, and that a stale one does nothing and says why."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from services.alerting.clicks import (
    MARGINLESS,
    Clicked,
    acknowledge,
    hand_over,
    look_again,
    renew_members,
    snooze,
)
from services.model.alerts import Alert, Severity
from services.model.lifecycle import State
from services.model.settings import Approving
from services.model.text import from_json
from tests.unit.alert_world import CHANNEL, DAY, HOUR, MINUTE, OURS, POLICY, SUPPORT, World, found, lame

GONE, ANNA, BEN = "store.inactive moon", "T1/U_ANNA", "T1/U_BEN"
LAME = f"dns.lame {OURS}"


def warned(margin: timedelta = 10 * DAY) -> tuple[World, Alert]:
    """Return a world with one alert that people were told of."""
    world = World()
    moon = world.install("moon", margin)
    world.see(moon, found("store.inactive", "moon.test", store="moon"))
    world.tend()
    world.outbox()
    world.outbox(via="webhook")
    return world, world.alert(GONE)


def crowd(count: int) -> tuple[World, Alert]:
    """Return a world with one alert of many members."""
    world = World()
    shops = [world.install(f"s{n:03}", (30 + n) * DAY) for n in range(count)]
    for _ in range(2):
        for shop in shops:
            world.see(shop, lame(shop.domain))
        world.pass_(POLICY.confirm)
    world.run(MINUTE)
    return world, world.alert(LAME)


def every_click(world: World, alert: str, version: int) -> list[Clicked]:
    return [
        acknowledge(world.desk, alert, version, BEN),
        snooze(world.desk, alert, version, BEN, "1d"),
        look_again(world.desk, alert, version, BEN),
        renew_members(world.desk, alert, version, BEN),
        hand_over(world.desk, alert, version, BEN),
    ]


def test_an_acknowledgement_keeps_it_quiet_until_it_is_graver() -> None:
    world, alert = warned(margin=10 * DAY)
    clicked = acknowledge(world.desk, alert.id, alert.version, ANNA)
    assert clicked.done
    assert clicked.text.plain() == "You have acknowledged this. It comes back only if it becomes graver."
    after = world.alert(GONE)
    assert clicked.alert == after
    assert (after.acked_by, after.acked_at, after.acked) == (ANNA, world.now, Severity.WARNING)
    assert after.version == alert.version + 1
    owed = sorted(world.outbox(), key=lambda m: m.kind)
    assert [m.kind for m in owed] == ["alert", "alert_note"]
    assert from_json(owed[1].body["text"]).plain() == (
        "U_ANNA has acknowledged this. certdesk is quiet about it until it is mended, or more than a warning."
    )
    world.run(3 * DAY - MINUTE)
    assert world.lines() == []
    assert world.alert(GONE).acked_by == ANNA
    world.run(MINUTE)
    assert world.lines() == [("escalated", CHANNEL, ("S_ONCALL",))]
    assert (world.alert(GONE).acked_by, world.alert(GONE).acked) == ("", None)


def test_an_acknowledged_severity_that_falls_and_comes_back_stays_quiet() -> None:
    world, alert = warned(margin=5 * DAY)
    acknowledge(world.desk, alert.id, alert.version, ANNA)
    world.outbox()
    for margin in (20 * DAY, 5 * DAY):
        world.change(world.certificate("cert_moon"), not_after=world.now + margin)
        world.see(world.certificate("cert_moon"), found("store.inactive", "moon.test", store="moon"))
        world.tend()
        assert world.lines() == []
    assert (world.alert(GONE).acked_by, world.alert(GONE).said) == (ANNA, Severity.URGENT)


def test_the_page_is_acknowledged_too_and_a_critical_one_promises_no_quiet() -> None:
    world, alert = warned(margin=DAY)
    assert acknowledge(world.desk, alert.id, alert.version, ANNA).done
    assert [m.key for m in world.outbox(via="webhook")] == [f"page:{alert.id}:pager"]
    (note,) = [m for m in world.outbox() if m.kind == "alert_note"]
    assert (
        from_json(note.body["text"]).plain()
        == "U_ANNA has acknowledged this. It stays open until it is mended."
    )


def test_twice_is_once() -> None:
    world, alert = warned()
    acknowledge(world.desk, alert.id, alert.version, ANNA)
    hand_over(world.desk, alert.id, alert.version + 1, ANNA)
    held = world.alert(GONE)
    world.outbox()
    again = [f(world.desk, alert.id, held.version, BEN) for f in (acknowledge, hand_over)]
    assert [c.done for c in again] == [False, False]
    assert [c.text.plain() for c in again] == [
        "U_ANNA has acknowledged it already; nothing was changed.",
        "U_ANNA has handed it over to support already; nothing was changed.",
    ]
    assert world.alert(GONE) == held
    assert world.outbox() == []


@pytest.mark.parametrize(
    ("margin", "choice", "lasts"),
    [
        (20 * DAY, "1d", DAY),
        (20 * DAY, "3d", 3 * DAY),
        (20 * DAY, "margin", 13 * DAY),
        (8 * DAY, "3d", DAY),
        (7 * DAY + HOUR, "1d", HOUR),
        (5 * DAY, "margin", 3 * DAY),
    ],
)
def test_a_snooze_never_outlives_the_margin(margin: timedelta, choice: str, lasts: timedelta) -> None:
    world, alert = warned(margin)
    clicked = snooze(world.desk, alert.id, alert.version, ANNA, choice)
    assert clicked.done
    assert "Snoozed until" in clicked.text.plain()
    after = world.alert(GONE)
    assert (after.snoozed_by, after.snoozed_until) == (ANNA, world.now + lasts)
    assert world.lines() == [("snoozed", CHANNEL, ())]
    world.run(lasts - MINUTE)
    assert (world.alert(GONE).snoozed_by, world.lines()) == (ANNA, [])
    world.run(MINUTE)
    assert world.alert(GONE).snoozed_until is None
    assert [what for what, _, _ in world.lines()] in (["snooze_over"], ["escalated"])


def test_a_snooze_that_is_over_says_what_is_to_be_done() -> None:
    world, alert = warned(20 * DAY)
    snooze(world.desk, alert.id, alert.version, ANNA, "1d")
    world.outbox()
    world.run(DAY)
    (note,) = [m for m in world.outbox() if m.kind == "alert_note"]
    assert from_json(note.body["text"]).plain() == (
        "The snooze of U_ANNA is over, and this still lasts. Mend store.inactive of moon.test."
    )


def test_a_graver_member_ends_a_snooze_even_of_what_is_acknowledged() -> None:
    world, alert = warned(5 * DAY)
    acknowledge(world.desk, alert.id, alert.version, ANNA)
    world.change(world.certificate("cert_moon"), not_after=world.now + 20 * DAY)
    world.see(world.certificate("cert_moon"), found("store.inactive", "moon.test", store="moon"))
    world.tend()
    assert snooze(world.desk, alert.id, world.alert(GONE).version, BEN, "3d").done
    world.outbox()
    world.change(world.certificate("cert_moon"), not_after=world.now + 5 * DAY)
    world.see(world.certificate("cert_moon"), found("store.inactive", "moon.test", store="moon"))
    world.tend()
    assert (world.alert(GONE).snoozed_until, world.alert(GONE).acked_by) == (None, ANNA)
    assert world.lines() == [("snooze_over", CHANNEL, ())]


def test_without_a_margin_a_snooze_has_an_end_all_the_same() -> None:
    world = World()
    world.see_self(found("certdesk.deaf", "certdesk"))
    world.tend()
    alert = world.alert("certdesk.deaf certdesk")
    assert snooze(world.desk, alert.id, alert.version, ANNA, "margin").done
    assert world.alert(alert.key).snoozed_until == world.now + MARGINLESS
    looked = look_again(world.desk, alert.id, alert.version + 1, ANNA)
    assert (looked.done, "certdesk itself" in looked.text.plain()) == (False, True)
    renewed = renew_members(world.desk, alert.id, alert.version + 1, ANNA)
    assert (renewed.done, "no certificate to renew" in renewed.text.plain()) == (False, True)


def test_what_is_critical_cannot_be_snoozed() -> None:
    world, alert = warned(margin=DAY)
    clicked = snooze(world.desk, alert.id, alert.version, ANNA, "1d")
    assert (clicked.done, "cannot be snoozed" in clicked.text.plain()) == (False, True)
    assert world.alert(GONE) == alert


def test_what_becomes_graver_in_the_moment_of_the_click_is_not_snoozed() -> None:
    world, alert = warned(margin=8 * DAY)
    world.pass_(2 * DAY)
    clicked = snooze(world.desk, alert.id, alert.version, ANNA, "1d")
    assert (clicked.done, clicked.text.plain()) == (
        False,
        "It has just become graver: urgent now. Nothing was changed.",
    )
    world.tend()
    assert world.lines() == [("escalated", CHANNEL, ("S_ONCALL",))]
    with pytest.raises(KeyError):
        snooze(world.desk, alert.id, alert.version, ANNA, "forever")


def test_support_sees_what_is_handed_over() -> None:
    world, alert = warned()
    clicked = hand_over(world.desk, alert.id, alert.version, ANNA)
    assert clicked.done
    after = world.alert(GONE)
    assert (after.handed_to, after.channels) == (ANNA, (CHANNEL, SUPPORT))
    owed = world.outbox()
    assert {(m.kind, m.channel) for m in owed} == {
        ("alert", CHANNEL),
        ("alert", SUPPORT),
        ("alert_note", CHANNEL),
    }
    world.run(3 * DAY)
    assert {(what, where) for what, where, _ in world.lines()} == {
        ("escalated", CHANNEL),
        ("escalated", SUPPORT),
    }


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (warned, "U_ANNA has handed this over to support, who take it up with the merchant."),
        (lambda: crowd(2), "U_ANNA has handed this over to support: it stands in their channel, too."),
    ],
    ids=["the merchant's move", "the platform's move"],
)
def test_a_hand_over_says_who_takes_it_up_only_where_it_is_the_merchants_move(
    made: Callable[[], tuple[World, Alert]], said: str
) -> None:
    world, alert = made()
    assert hand_over(world.desk, alert.id, alert.version, ANNA).done
    notes = [from_json(one.body["text"]).plain() for one in world.outbox() if one.kind == "alert_note"]
    assert said in notes


def test_a_note_that_is_handed_over_becomes_a_warning_in_both_places() -> None:
    world, alert = warned(margin=25 * DAY)
    assert world.alert(GONE).channels == ()
    assert hand_over(world.desk, alert.id, alert.version, ANNA).done
    world.outbox()
    world.run(4 * DAY)
    owed = world.outbox()
    assert {(m.kind, m.channel) for m in owed} == {
        ("alert", SUPPORT),
        ("alert_note", SUPPORT),
        ("alert", CHANNEL),
    }


def test_without_a_channel_for_support_nothing_is_handed_over() -> None:
    world, alert = warned()
    world.policy = replace(POLICY, channel="", support_channel="")
    clicked = hand_over(world.desk, alert.id, alert.version, ANNA)
    assert (clicked.done, "alerts.support_channel" in clicked.text.plain()) == (False, True)
    world.policy = replace(POLICY, support_channel="")
    assert hand_over(world.desk, alert.id, alert.version, ANNA).done
    assert world.alert(GONE).channels == (CHANNEL,)


def test_looking_again_calls_every_member_up() -> None:
    world, alert = crowd(3)
    waiting = world.change(world.certificate("cert_s002"), state=State.BLOCKED, run_after=world.now + HOUR)
    before = world.alert(LAME)
    clicked = look_again(world.desk, alert.id, alert.version, ANNA)
    assert clicked.done
    assert "looks at 3 certificates now" in clicked.text.plain()
    assert world.alert(LAME) == before, "the alert itself is as it was"
    with world.storage.write() as tx:
        watches = tx.watches.claim(world.now + MINUTE, MINUTE, 10)
    assert [watch.id for watch in watches] == ["cert_s000", "cert_s001", "cert_s002"]
    assert world.certificate(waiting.id).run_after == world.now
    alone, one = warned()
    assert "looks at the certificate now" in look_again(alone.desk, one.id, one.version, ANNA).text.plain()


def test_what_has_just_healed_has_nothing_to_look_at_or_to_renew() -> None:
    """Between the last member's healing and the look that turns the message green."""
    world, alert = warned()
    world.see(world.certificate("cert_moon"))
    for clicked in (
        look_again(world.desk, alert.id, alert.version, BEN),
        renew_members(world.desk, alert.id, alert.version, BEN),
    ):
        assert not clicked.done
        assert clicked.text.plain().startswith("Its last certificate has just healed.")


def test_renewing_begins_with_those_that_expire_first() -> None:
    most = Approving().alone
    world, alert = crowd(most + 2)
    clicked = renew_members(world.desk, alert.id, alert.version, ANNA)
    assert clicked.done
    assert f"tries {most} certificates now" in clicked.text.plain()
    assert "The other 2" in clicked.text.plain()
    states = [world.certificate(f"cert_s{n:03}").state for n in range(most + 2)]
    assert states == [State.CHECKING] * most + [State.INSTALLED] * 2
    with world.storage.read() as tx:
        (asked,) = tx.certificates.history("cert_s000")
    assert (asked.what, asked.actor) == ("asked", ANNA)


def test_renewing_tells_of_those_that_are_being_worked_on() -> None:
    world, alert = crowd(2)
    with world.storage.write() as tx:
        assert tx.certificates.claim_one("cert_s001", world.now, HOUR)
    some = renew_members(world.desk, alert.id, alert.version, ANNA)
    assert (some.done, "1 more were being worked on" in some.text.plain()) == (True, True)
    world.pass_(2 * HOUR)
    both = renew_members(world.desk, alert.id, alert.version, ANNA)
    assert (both.done, "tries 2 certificates now" in both.text.plain()) == (True, True)
    alone, one = warned()
    assert "tries the certificate now" in renew_members(alone.desk, one.id, one.version, ANNA).text.plain()


@pytest.mark.parametrize("what", ["acked", "snoozed", "handed", "graver", "healed", "unknown"])
def test_a_stale_click_changes_nothing_and_says_what_happened(what: str) -> None:
    world, alert = warned(margin=10 * DAY)
    moon = world.certificate("cert_moon")
    if what == "acked":
        acknowledge(world.desk, alert.id, alert.version, ANNA)
    elif what == "snoozed":
        snooze(world.desk, alert.id, alert.version, ANNA, "1d")
    elif what == "handed":
        hand_over(world.desk, alert.id, alert.version, ANNA)
    elif what == "graver":
        world.run(4 * DAY)
    elif what == "healed":
        world.see(moon)
        world.tend()
    said = {
        "acked": "U_ANNA has acknowledged it",
        "snoozed": "U_ANNA snoozed it until 2027-03-02 09:00 UTC",
        "handed": "U_ANNA has handed it over to support",
        "graver": "it is urgent now",
        "healed": "healed meanwhile",
        "unknown": "does not know this alert",
    }[what]
    before = world.alert(GONE), world.certificate("cert_moon")
    world.outbox()
    for clicked in every_click(world, "alert_0" if what == "unknown" else alert.id, alert.version):
        assert not clicked.done
        assert said in clicked.text.plain()
        assert "Nothing was changed" in clicked.text.plain()
    assert (world.alert(GONE), world.certificate("cert_moon")) == before
    assert world.outbox() == []


def test_a_click_waits_for_whoever_holds_the_alert_and_gives_up_in_the_end() -> None:
    world, alert = warned()
    with world.storage.write() as tx:
        tx.alerts.stir(GONE, world.now)
        assert tx.alerts.claim(world.now, MINUTE, 1)
    clicked = snooze(world.desk, alert.id, alert.version, ANNA, "1d", tries=2)
    assert (clicked.done, "being worked on" in clicked.text.plain()) == (False, True)
    world.tick = timedelta(seconds=20)
    assert acknowledge(world.desk, alert.id, alert.version, ANNA).done, "the lease has ended meanwhile"
