"""When a certificate is renewed: by the CA's suggestion, by the backstop, near its end, and when a person asks."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.model.certificates import Window
from services.model.errors import CaTrouble
from services.model.lifecycle import State
from services.renewal.timing import OFTEN, backstop
from tests.building import START, Built
from tests.desks import finding

NAME = "moon.test"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def built() -> Built:
    return Built()


def at(day: float, length: float = 2) -> Window:
    return Window(START + day * DAY, START + (day + length) * DAY)


def test_without_a_suggestion_it_is_renewed_with_a_third_of_its_lifetime_left(built: Built) -> None:
    built.add(NAME)
    first = built.settle()
    assert first.not_after is not None
    assert first.renew_at == first.not_after - 30 * DAY
    built.advance(59 * DAY)
    assert len(built.ca.orders) == 1
    built.advance(2 * DAY)
    assert len(built.ca.orders) == 2
    assert built.one.serial != first.serial
    assert built.state() is State.INSTALLED


def test_short_lived_ones_are_renewed_at_half_of_their_lifetime(built: Built) -> None:
    built.ca.lifetime = timedelta(hours=160)
    built.add(NAME)
    one = built.settle()
    assert one.not_before is not None
    assert one.renew_at == one.not_before + timedelta(hours=80)


def test_years_of_renewals_spend_one_order_each(built: Built) -> None:
    built.ca.lifetime = 45 * DAY
    built.add(NAME)
    built.advance(365 * DAY)
    assert 12 <= len(built.ca.issued) <= 13
    assert built.state() is State.INSTALLED
    assert built.one.not_after is not None
    assert built.one.not_after > built.now


def test_the_moment_is_drawn_once_from_the_cas_window_and_kept(built: Built) -> None:
    built.ca.suggestion = at(50)
    built.chance = 0.25
    built.add(NAME)
    assert built.settle().renew_at == START + 50.5 * DAY
    built.chance = 0.9
    built.advance(20 * DAY)
    assert built.one.renew_at == START + 50.5 * DAY
    assert built.ca.calls["renewal_info"] >= 80  # every 6 hours
    assert len(built.ca.orders) == 1


def test_a_changed_window_is_drawn_anew(built: Built) -> None:
    built.ca.suggestion = at(50)
    built.add(NAME)
    built.settle()
    built.ca.suggestion = at(10)
    built.advance(DAY)
    assert built.one.renew_at == START + 11 * DAY
    assert built.one.window == at(10)


def test_a_window_that_is_taken_back_leaves_the_backstop(built: Built) -> None:
    built.ca.suggestion = at(10)
    built.add(NAME)
    built.settle()
    built.ca.suggestion = None
    built.advance(DAY)
    assert built.one.window is None
    assert built.one.renew_at == backstop(built.live.not_before, built.live.not_after)  # type: ignore[arg-type]


@pytest.mark.parametrize("day", [75, 89, 400])
def test_an_absurdly_late_window_is_capped_by_the_backstop(built: Built, day: float) -> None:
    built.ca.suggestion = at(day)
    built.add(NAME)
    one = built.settle()
    assert one.renew_at is not None
    assert one.renew_at <= START + 60 * DAY + timedelta(days=90) * 0.02 + MINUTE


def test_a_window_in_the_past_renews_at_once_and_once(built: Built) -> None:
    built.add(NAME)
    built.settle()
    built.ca.suggestion = at(-3)
    built.advance(6 * HOUR)
    built.ca.suggestion = None
    built.advance(MINUTE)
    assert len(built.ca.issued) == 2
    built.advance(DAY)
    assert len(built.ca.issued) == 2


def test_a_ca_that_suggests_the_past_for_each_new_certificate_makes_no_endless_chain(built: Built) -> None:
    built.ca.suggestion = at(-3)
    built.add(NAME)
    built.advance(DAY)
    assert len(built.ca.issued) == OFTEN
    assert built.state() is State.INSTALLED
    built.renew(NAME)  # a person is free of the rule
    built.advance(MINUTE)
    assert len(built.ca.issued) == OFTEN + 1


def test_a_ca_that_does_not_answer_leaves_what_was_known(built: Built) -> None:
    built.ca.suggestion = at(50)
    built.add(NAME)
    before = built.settle()
    built.ca.ari_down = True
    built.advance(5 * DAY)
    assert (built.one.renew_at, built.one.window) == (before.renew_at, before.window)
    assert built.state() is State.INSTALLED


def test_a_ca_that_never_answered_leaves_the_backstop(built: Built) -> None:
    built.ca.ari_down = True
    built.add(NAME)
    assert built.settle().renew_at == START + 60 * DAY + (built.one.not_before - START)  # type: ignore[operator]


def test_a_renewal_names_the_certificate_that_it_replaces_at_the_same_ca(built: Built) -> None:
    built.add(NAME)
    built.settle()
    first = built.live
    built.renew(NAME)
    built.settle()
    assert built.ca.orders[1].replaces == first.chain
    built.ca.down = True
    built.renew(NAME)
    built.settle()
    assert built.cas["second"].orders[0].replaces is None


def test_each_renewal_has_a_key_of_its_own(built: Built) -> None:
    built.add(NAME)
    built.settle()
    built.renew(NAME)
    built.settle()
    keys = [built.vault.open(r.sealed_key, r.key_binding) for r in built.revisions]
    assert len(set(keys)) == 2


def test_a_failed_renewal_leaves_what_is_live(built: Built) -> None:
    built.add(NAME)
    first = built.settle()
    for ca in built.cas.values():
        ca.broken = {NAME}
    built.renew(NAME)
    failed = built.settle()
    assert failed.state is State.FAILED
    for fact in ("installed", "serial", "not_before", "not_after", "renew_at"):
        assert getattr(failed, fact) == getattr(first, fact)
    assert built.target.serials == {NAME: first.serial}


def near_its_end(built: Built) -> None:
    built.add(NAME)
    built.settle()
    built.checker.says[NAME] = (finding("dns.wrong_address", NAME),)
    built.advance(74 * DAY)
    assert built.state() is State.BLOCKED
    assert len(built.ca.orders) == 1


def test_in_the_last_sixth_technical_blockers_do_not_count(built: Built) -> None:
    near_its_end(built)
    built.advance(2 * DAY)
    assert built.state() is State.INSTALLED
    assert len(built.ca.issued) == 2


def test_in_the_last_sixth_rules_of_the_business_still_count(built: Built) -> None:
    near_its_end(built)
    built.checker.says[NAME] = (finding("store.inactive", NAME), finding("dns.wrong_address", NAME))
    built.advance(30 * DAY)
    assert built.state() is State.BLOCKED
    assert len(built.ca.orders) == 1
    assert built.one.problem is not None
    assert built.one.problem.code == "store.inactive"
    built.checker.says.clear()
    built.advance(3 * HOUR)
    assert built.state() is State.INSTALLED


def test_in_the_last_sixth_caa_that_forbids_every_ca_is_left_to_the_cas(built: Built) -> None:
    near_its_end(built)
    forbids = replace(finding("dns.caa_forbids", NAME), evidence={"forbidden": ["first", "second"]})
    built.checker.says[NAME] = (forbids,)
    built.advance(2 * DAY)
    assert built.state() is State.INSTALLED


def test_in_the_last_sixth_tries_come_at_least_hourly(built: Built) -> None:
    near_its_end(built)
    for ca in built.cas.values():
        ca.errors["place_order"] = [ca.trouble(CaTrouble.ACCOUNT)] * 20
    built.advance(2 * DAY)
    assert built.state() is State.INSTALLED
    assert 20 <= built.ca.calls["place_order"] <= 23


def test_in_the_last_sixth_a_refused_name_does_not_drag_the_others_along(built: Built) -> None:
    good, bad = "a.moon.test", "b.moon.test"
    built.add(good, bad)
    built.settle()
    built.checker.says[bad] = (finding("dns.wrong_address", bad),)
    built.checker.says[good] = (finding("dns.wrong_address", good),)
    for ca in built.cas.values():
        ca.broken = {bad}
    built.advance(77 * DAY)
    assert built.live.names == (good,)
    assert built.one.not_after is not None
    assert built.one.not_after > START + 100 * DAY


def test_what_expired_while_nobody_could_help_is_still_tried(built: Built) -> None:
    built.add(NAME)
    built.settle()
    for ca in built.cas.values():
        ca.down = True
    built.advance(100 * DAY)
    assert built.one.not_after is not None
    assert built.one.not_after < built.now
    for ca in built.cas.values():
        ca.down = False
    built.advance(2 * HOUR)
    assert built.state() is State.INSTALLED
    assert built.one.not_after > built.now
