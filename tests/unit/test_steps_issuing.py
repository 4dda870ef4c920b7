"""From the wish to the installed certificate: the way when all goes well, and the other ways when a route fails."""

from datetime import timedelta

import pytest

from services.model.errors import CaTrouble
from services.model.findings import Verdict
from services.model.lifecycle import State
from tests.building import START, Built
from tests.desks import finding

MINUTE = timedelta(minutes=1)


@pytest.fixture
def built() -> Built:
    return Built()


def test_the_way_when_all_goes_well(built: Built) -> None:
    built.add("a.moon.test", "moon.test")
    one = built.settle()
    assert one.state is State.INSTALLED
    assert one.wanted == ("a.moon.test", "moon.test")
    assert one.serial == built.live.serial
    assert built.target.serials == dict.fromkeys(one.wanted, one.serial)
    assert (one.not_before, one.not_after) == (built.live.not_before, built.live.not_after)
    assert one.next is None
    assert one.problem is None
    assert (one.failures, one.strikes) == (0, 0)
    assert [row.what for row in built.history] == [
        "added",
        "checks_passed",
        "csr_made",
        "order_placed",
        "challenges_answered",
        "validated",
        "finalized",
        "issued",
        "deployed",
        "verified",
    ]
    assert built.ca.issued == [one.wanted]
    assert built.cas["second"].calls == {}
    assert built.now - START < timedelta(seconds=10)


def test_key_and_csr_are_saved_before_the_order_and_the_order_before_its_challenges(built: Built) -> None:
    built.ca.down = True
    built.add("moon.test")
    built.work()
    assert built.state() is State.ORDERING
    [revision] = built.revisions
    assert "BEGIN CERTIFICATE REQUEST" in revision.csr
    key = built.vault.open(revision.sealed_key, revision.key_binding)
    assert b"PRIVATE KEY" in key
    built.ca.down = False
    built.ca.errors["read_authorization"] = [built.ca.trouble(CaTrouble.UNAVAILABLE)]
    built.now += MINUTE
    built.work()
    assert built.state() is State.CHALLENGING
    assert built.revisions[0].order_url is not None


def test_answers_are_taken_down_when_control_is_proved(built: Built) -> None:
    built.add("moon.test", "a.moon.test")
    built.settle()
    assert built.http.presented == 2
    assert built.http.up == {}


def test_an_authorization_that_is_valid_already_needs_no_challenge(built: Built) -> None:
    built.ca.reuses = True
    built.add("moon.test")
    assert built.settle().state is State.INSTALLED
    assert built.http.presented == 0


def test_a_failed_challenge_type_falls_back_to_the_next_with_a_new_order(built: Built) -> None:
    built.ca.failing = {"http-01"}
    built.add("moon.test")
    one = built.settle()
    assert one.state is State.INSTALLED
    assert [order.status for order in built.ca.orders] == ["invalid", "valid"]
    assert len(built.revisions) == 1  # the same key and CSR
    assert built.dns.presented == 1
    assert built.http.up == built.dns.up == {}
    assert one.failures == 0


def test_a_challenge_type_that_the_ca_does_not_offer_falls_back_too(built: Built) -> None:
    built.ca.offered = ("dns-01",)
    built.add("moon.test")
    assert built.settle().state is State.INSTALLED
    assert built.http.presented == 0


def test_a_wildcard_goes_by_dns01_alone(built: Built) -> None:
    built.add("*.moon.test", "moon.test")
    assert built.settle().state is State.INSTALLED
    assert built.http.presented == 0
    assert built.dns.presented == 2
    assert built.target.serials.keys() == {"*.moon.test", "moon.test"}


def test_a_wildcard_without_dns01_fails_with_what_the_configuration_lacks(built: Built) -> None:
    del built.responders["dns-01"]
    built.add("*.moon.test")
    one = built.settle()
    assert one.state is State.FAILED
    assert one.problem is not None
    assert one.problem.code == "policy.wildcard_needs_dns"
    assert built.ca.orders == []


def test_a_ca_that_is_down_is_asked_again_and_then_the_next_ca(built: Built) -> None:
    built.ca.down = True
    built.add("moon.test")
    one = built.settle()
    assert one.state is State.INSTALLED
    assert built.live.ca == "second"
    assert built.ca.calls["place_order"] == 2
    assert built.now - START < 2 * MINUTE
    assert one.strikes == 0


def test_a_ca_that_is_back_within_seconds_keeps_the_order(built: Built) -> None:
    built.ca.errors["finalize"] = [built.ca.trouble(CaTrouble.UNAVAILABLE)] * 3
    built.ca.errors["read_order"] = [built.ca.trouble(CaTrouble.UNAVAILABLE)] * 2
    built.ca.errors["download"] = [built.ca.trouble(CaTrouble.UNAVAILABLE)] * 4
    built.add("moon.test")
    assert built.settle().state is State.INSTALLED
    assert len(built.ca.orders) == 1
    assert built.cas["second"].orders == []


def test_caa_records_that_forbid_one_ca_lead_to_the_next(built: Built) -> None:
    built.ca.errors["finalize"] = [built.ca.trouble(CaTrouble.CAA, "CAA forbids it")]
    built.add("moon.test")
    assert built.settle().state is State.INSTALLED
    assert built.live.ca == "second"


def test_every_ca_down_fails_without_a_strike_and_heals(built: Built) -> None:
    for ca in built.cas.values():
        ca.down = True
    built.add("moon.test")
    one = built.settle()
    assert one.state is State.FAILED
    assert one.strikes == 0
    assert one.problem is not None
    assert one.problem.code == "ca.unavailable"
    for ca in built.cas.values():
        ca.down = False
    built.advance(2 * MINUTE)
    assert built.state() is State.INSTALLED


def test_a_rate_limit_waits_until_the_ca_allows_the_next_try(built: Built) -> None:
    allowed = START + timedelta(hours=7)
    limited = built.ca.trouble(CaTrouble.RATE_LIMITED, "too many", retry_at=allowed)
    built.ca.errors["place_order"] = [limited]
    del built.cas["second"]
    built.add("moon.test")
    one = built.settle()
    assert one.state is State.FAILED
    assert one.retry_at == allowed
    assert one.strikes == 0
    built.checker.says["moon.test"] = (finding("domain.expiring", "moon.test", Verdict.WARN),)
    built.advance(timedelta(hours=6))  # what the checks see does not lift the CA's limit
    assert built.ca.calls["place_order"] == 1
    built.advance(timedelta(hours=2))
    assert built.state() is State.INSTALLED
    assert built.ca.calls["place_order"] == 2


@pytest.mark.parametrize("method", ["read_authorization", "read_order", "finalize", "download"])
def test_an_order_that_the_ca_lost_is_placed_anew_once_with_the_same_csr(built: Built, method: str) -> None:
    built.ca.errors[method] = [built.ca.trouble(CaTrouble.ORDER_LOST, "no such order")]
    built.add("moon.test")
    assert built.settle().state is State.INSTALLED
    assert len(built.ca.orders) == 2
    assert len(built.revisions) == 1
    assert built.cas["second"].orders == []
    assert built.http.up == {}


def test_a_ca_that_loses_order_after_order_is_left_for_the_next(built: Built) -> None:
    built.ca.errors["read_authorization"] = [built.ca.trouble(CaTrouble.ORDER_LOST)] * 9
    built.add("moon.test")
    assert built.settle().state is State.INSTALLED
    assert len(built.ca.orders) == 2
    assert built.live.ca == "second"


def test_a_ca_that_never_decides_is_given_up_after_half_an_hour(built: Built) -> None:
    built.ca.undecided = True
    built.add("moon.test")
    built.advance(timedelta(minutes=29))
    assert built.state() is State.VALIDATING
    assert len(built.ca.orders) == 1
    built.advance(timedelta(minutes=2))
    assert built.state() is State.INSTALLED
    assert built.live.ca == "second"
    assert built.http.up == {}


def test_a_ca_that_never_issues_is_given_up_after_half_an_hour(built: Built) -> None:
    built.ca.slow = True
    built.add("moon.test")
    built.advance(timedelta(minutes=31))
    assert built.live.ca == "second"


def test_the_next_ca_has_half_an_hour_of_its_own(built: Built) -> None:
    for ca in built.cas.values():
        ca.undecided = True
    built.add("moon.test")
    built.advance(timedelta(minutes=40))
    assert built.one.attempt.ca == "second"
    assert built.state() is State.VALIDATING


def test_a_slow_ca_is_not_asked_all_the_time(built: Built) -> None:
    built.ca.slow = True
    built.add("moon.test")
    built.advance(timedelta(minutes=10))
    assert built.ca.calls["read_order"] < 150


def test_a_certificate_for_another_key_is_never_deployed(built: Built) -> None:
    built.ca.other_key = True
    built.add("moon.test")
    one = built.settle()
    assert one.state is State.INSTALLED
    assert built.live.ca == "second"
    assert built.target.deployments == 1


def test_a_certificate_for_another_key_from_the_only_ca_fails_without_a_strike(built: Built) -> None:
    del built.cas["second"]
    built.ca.other_key = True
    built.add("moon.test")
    one = built.settle()
    assert one.state is State.FAILED
    assert one.strikes == 0
    assert built.target.deployments == 0
    assert one.problem is not None
    assert "does not fit" in one.problem.summary.plain()


def test_an_order_that_stays_not_ready_is_not_finalized_for_ever(built: Built) -> None:
    built.ca.errors["finalize"] = [built.ca.trouble(CaTrouble.NOT_READY)] * 99
    built.add("moon.test")
    assert built.settle().state is State.INSTALLED
    assert built.live.ca == "second"
    assert built.ca.calls["finalize"] < 10


def test_an_order_at_a_ca_that_left_the_configuration_is_placed_at_the_next(built: Built) -> None:
    built.ca.undecided = True
    built.add("moon.test")
    built.work()
    del built.cas["first"]
    assert built.settle().state is State.INSTALLED
    assert built.live.ca == "second"
    assert len(built.revisions) == 1


def test_a_challenge_type_that_left_the_configuration_gives_way_to_the_next(built: Built) -> None:
    built.ca.errors["answer"] = [built.ca.trouble(CaTrouble.UNAVAILABLE)]
    built.add("moon.test")
    built.work()
    assert built.state() is State.CHALLENGING
    del built.responders["http-01"]
    assert built.settle().state is State.INSTALLED
    assert built.dns.presented == 1


def test_an_answer_that_does_not_show_is_waited_for_and_then_the_next_type_is_tried(built: Built) -> None:
    built.http.hidden = True
    built.add("moon.test")
    built.advance(timedelta(minutes=9))
    assert built.state() is State.CHALLENGING
    assert built.ca.calls["answer"] == 0
    built.advance(timedelta(minutes=3))
    assert built.state() is State.INSTALLED
    assert built.dns.presented == 1


def test_name_servers_that_are_away_are_no_strike_and_no_long_back_off(built: Built) -> None:
    del built.responders["http-01"]
    built.dns.refusing = 30
    built.add("moon.test")
    built.advance(timedelta(minutes=10))
    one = built.one
    assert one.state is State.CHALLENGING
    assert (one.failures, one.strikes) == (0, 0)
    assert one.problem is not None
    assert one.problem.code == "dns.update_failed"
    built.dns.refusing = 0
    built.advance(2 * MINUTE)
    assert built.state() is State.INSTALLED


def test_answers_that_cannot_be_taken_down_at_first_are_taken_down_later(built: Built) -> None:
    built.responders = {"dns-01": built.dns, "http-01": built.http}
    built.ca.failing = {"dns-01"}
    built.dns.stubborn = 4
    built.add("moon.test")
    one = built.settle()
    assert one.state is State.INSTALLED
    assert built.http.presented == 1  # the new order's own answers were put up
    built.advance(timedelta(hours=7))
    assert built.dns.up == {}
    assert built.one.attempt.leftovers == ()


def test_answers_are_taken_down_after_a_failure(built: Built) -> None:
    for ca in built.cas.values():
        ca.broken = {"moon.test"}
    built.add("moon.test")
    built.dns.stubborn = 1
    assert built.settle().state is State.FAILED
    built.advance(timedelta(hours=2))
    assert built.http.up == {}
    assert built.dns.up == {}


def test_a_secret_that_cannot_be_opened_is_said_and_tried_again(built: Built) -> None:
    built.ca.undecided = True
    built.add("moon.test")
    built.work()
    right, built.vault = built.vault, Built().vault
    built.ca.undecided = False
    built.ca.forget()
    built.advance(MINUTE)
    one = built.one
    assert one.state is State.COLLECTING
    assert one.problem is not None
    assert one.problem.code == "certdesk.fault"
    built.vault = right
    built.advance(MINUTE)
    assert built.state() is State.INSTALLED
    assert built.one.problem is None


def test_an_order_that_becomes_invalid_while_it_is_processed_tells_its_own_problem(built: Built) -> None:
    del built.cas["second"]
    built.ca.revoking = built.ca.trouble(CaTrouble.CAA, "CAA was read again and forbids it")
    built.add("moon.test")
    one = built.settle()
    assert one.state is State.FAILED
    assert one.problem is not None
    assert (one.problem.code, one.strikes) == ("ca.caa", 1)
    built.ca.revoking = None
    built.advance(2 * MINUTE)
    assert built.state() is State.INSTALLED


@pytest.mark.parametrize("status", ["deactivated", "expired", "revoked"])
def test_an_authorization_that_has_lapsed_means_a_new_order(built: Built, status: str) -> None:
    built.ca.errors["answer"] = [built.ca.trouble(CaTrouble.UNAVAILABLE)]
    built.add("moon.test")
    built.work()
    built.ca.orders[0].authorizations = {"moon.test": status}
    built.ca.orders[0].status = "invalid"
    assert built.settle().state is State.INSTALLED
    assert len(built.ca.orders) == 2
    assert built.live.ca == "first"
