"""Failed attempts: how long they wait, when they count, when a person takes over; deployment and proof that fail."""

from datetime import timedelta
from itertools import pairwise

import pytest

from services.deployment.installing import not_served
from services.issuance.adding import BusyError
from services.model.certificates import Revision
from services.model.errors import CaTrouble
from services.model.findings import Owner, Verdict
from services.model.lifecycle import State
from services.model.sight import EVERY
from services.ports import Served
from services.renewal import asking, runner
from tests.building import START, Built
from tests.desks import finding

NAME = "moon.test"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def built() -> Built:
    return Built(names_of_cas=("first",))


def rejected(built: Built) -> None:
    built.ca.banned = {NAME}


def test_three_strikes_hand_over_to_support_with_all_that_is_known(built: Built) -> None:
    rejected(built)
    built.add(NAME)
    built.advance(DAY)
    one = built.one
    assert one.state is State.NEEDS_SUPPORT
    assert one.problem is not None
    assert one.problem.code == "ca.rejected_identifier"
    assert [f.code for f in built.findings] == ["ca.rejected_identifier"]
    assert one.stopped_at is State.ORDERING
    assert built.ca.calls["place_order"] == 3
    tries = [row.at for row in built.happened("attempt_failed")]
    assert [later - earlier for earlier, later in pairwise(tries)] == [MINUTE, 10 * MINUTE]


def test_support_starts_it_anew_and_three_more_strikes_are_allowed(built: Built) -> None:
    rejected(built)
    built.add(NAME)
    built.advance(DAY)
    built.renew(NAME)
    built.settle()
    assert built.state() is State.FAILED
    assert built.one.strikes == 1
    built.ca.banned.clear()
    built.renew(NAME)
    assert built.settle().state is State.INSTALLED
    assert (built.one.failures, built.one.strikes) == (0, 0)


def test_trouble_that_is_not_the_merchants_is_no_strike_and_backs_off_1_10_100_minutes_then_daily(
    built: Built,
) -> None:
    built.ca.errors["place_order"] = [built.ca.trouble(CaTrouble.ACCOUNT, "no such account")] * 99
    built.add(NAME)
    built.advance(5 * DAY)
    tries = [row.at for row in built.happened("attempt_failed")]
    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert gaps[:5] == [MINUTE, 10 * MINUTE, 100 * MINUTE, DAY, DAY]
    assert built.one.strikes == 0
    assert built.one.failures == len(tries)
    assert built.state() is State.FAILED


def test_a_success_forgets_failures_and_strikes(built: Built) -> None:
    rejected(built)
    built.add(NAME)
    built.advance(2 * MINUTE)
    assert built.one.strikes == 2
    built.ca.banned.clear()
    built.advance(10 * MINUTE)
    assert built.state() is State.INSTALLED
    assert (built.one.failures, built.one.strikes, built.one.problem) == (0, 0, None)


def test_evidence_of_a_fix_retries_at_once(built: Built) -> None:
    built.checker.says[NAME] = (finding("dns.propagating", NAME, Verdict.WARN),)
    built.ca.errors["place_order"] = [built.ca.trouble(CaTrouble.ACCOUNT)] * 4
    built.add(NAME)
    built.advance(3 * HOUR)
    one = built.one
    assert one.failures == 4
    assert one.retry_at is not None
    assert one.retry_at - built.now > 20 * HOUR
    built.checker.says.clear()
    built.advance(HOUR + MINUTE)
    assert built.state() is State.INSTALLED


def test_silence_of_dns_is_no_evidence(built: Built) -> None:
    built.ca.errors["place_order"] = [built.ca.trouble(CaTrouble.ACCOUNT)] * 9
    built.add(NAME)
    built.advance(3 * HOUR)
    tried = built.ca.calls["place_order"]
    built.checker.says[NAME] = (finding("dns.servfail", NAME, Verdict.UNKNOWN),)
    built.advance(3 * HOUR)
    built.checker.says.clear()
    built.advance(3 * HOUR)
    assert built.ca.calls["place_order"] == tried


def test_what_turns_out_to_be_blocked_while_it_waits_is_said(built: Built) -> None:
    built.ca.errors["place_order"] = [built.ca.trouble(CaTrouble.ACCOUNT)] * 9
    built.add(NAME)
    built.advance(3 * HOUR)
    built.checker.says[NAME] = (finding("store.inactive", NAME),)
    built.advance(2 * HOUR)
    assert built.state() is State.BLOCKED


def test_a_paused_name_is_tried_again_at_most_daily_and_no_strike(built: Built) -> None:
    built.ca.errors["place_order"] = [built.ca.trouble(CaTrouble.PAUSED, "unpause at …")] * 99
    built.add(NAME)
    built.advance(10 * DAY)
    assert built.one.strikes == 0
    assert built.ca.calls["place_order"] < 16


# --- certdesk's own faults

OWN = "The CA does not offer the profile 'tiny' of app.yaml; it offers classic."


def test_a_setting_that_the_ca_does_not_have_is_our_own_fault_and_tried_every_minute(built: Built) -> None:
    built.ca.errors["place_order"] = [built.ca.trouble(CaTrouble.SETTINGS, OWN)] * 10_000
    built.add(NAME)
    built.advance(5 * HOUR)
    one = built.one
    assert one.state is State.ORDERING
    assert (one.failures, one.strikes) == (0, 0)
    assert one.problem is not None
    assert (one.problem.code, one.problem.owner) == ("certdesk.fault", Owner.PLATFORM)
    assert one.problem.summary.plain() == f"first was not asked for {NAME}: {OWN}"
    assert one.run_after is not None
    assert one.run_after - built.now <= MINUTE
    assert len(built.happened("fault")) == 1  # said once
    assert not built.happened("attempt_failed")
    assert len(built.revisions) == 1
    built.ca.errors.clear()
    built.advance(MINUTE)
    assert built.state() is State.INSTALLED
    assert built.one.problem is None


def test_another_ca_takes_over_from_one_whose_settings_are_wrong() -> None:
    built = Built()
    built.ca.errors["place_order"] = [built.ca.trouble(CaTrouble.SETTINGS, OWN)] * 10_000
    built.add(NAME)
    built.advance(MINUTE)
    assert built.state() is State.INSTALLED
    assert built.cas["second"].issued == [(NAME,)]


def test_a_ca_that_refused_is_not_asked_again_while_the_other_ones_settings_are_wrong() -> None:
    built = Built()
    built.ca.banned = {NAME}
    second = built.cas["second"]
    second.errors["place_order"] = [second.trouble(CaTrouble.SETTINGS, OWN)] * 10_000
    built.add(NAME)
    built.advance(HOUR)
    assert built.ca.calls["place_order"] == 1
    assert second.calls["place_order"] > 55
    second.errors.clear()
    built.advance(MINUTE)
    assert built.state() is State.INSTALLED


# --- deployment


def test_a_target_that_fails_is_tried_again_within_a_minute_and_is_no_strike(built: Built) -> None:
    built.target.full = 8
    built.add(NAME)
    built.advance(MINUTE)
    one = built.one
    assert one.state is State.DEPLOYING
    assert one.problem is not None
    assert one.problem.code == "deploy.failed"
    assert (one.failures, one.strikes) == (0, 0)
    assert one.run_after is not None
    assert one.run_after - built.now <= MINUTE
    built.advance(3 * MINUTE)
    assert built.state() is State.INSTALLED
    assert built.one.problem is None
    assert len(built.ca.orders) == 1
    assert len(built.happened("fault")) == 1  # said once


def test_a_target_that_is_full_for_hours_costs_no_second_order(built: Built) -> None:
    built.target.full = 10_000
    built.add(NAME)
    built.advance(5 * HOUR)
    assert built.state() is State.DEPLOYING
    assert len(built.ca.orders) == 1
    built.target.full = 0
    built.advance(MINUTE)
    assert built.state() is State.INSTALLED


def test_an_edge_that_does_not_show_it_leaves_it_unproved_and_heals_by_itself(built: Built) -> None:
    built.edge.stale = True
    built.add(NAME)
    built.advance(5 * MINUTE)
    one = built.one
    assert one.state is State.INSTALLED
    assert one.serial == built.live.serial
    assert one.problem is not None
    assert one.problem.code == "deploy.not_served"
    assert one.problem.evidence["required"] == one.serial
    assert built.happened("unproved")
    built.edge.stale = False
    built.advance(MINUTE)
    assert built.one.problem is None
    assert len(built.ca.orders) == 1
    assert built.one.ari_after is not None


def test_an_edge_that_takes_seconds_is_waited_for(built: Built) -> None:
    built.edge.stale = True
    built.add(NAME)
    built.advance(timedelta(seconds=3))
    assert built.state() is State.VERIFYING
    built.edge.stale = False
    built.advance(timedelta(seconds=10))
    assert built.happened("verified")


def test_an_edge_that_does_not_answer_is_told_apart(built: Built) -> None:
    built.edge.stale = True
    built.add(NAME)
    built.advance(MINUTE)
    problem = built.one.problem
    assert problem is not None
    assert "does not answer" in problem.summary.plain()


def test_a_chain_that_is_not_served_whole_leaves_it_unproved(built: Built) -> None:
    built.edge.bare = True
    built.add(NAME)
    built.advance(MINUTE)
    problem = built.one.problem
    assert problem is not None
    assert problem.code == "deploy.not_served"
    assert "without those of its CA" in problem.summary.plain()
    built.edge.bare = False
    built.advance(MINUTE)
    assert built.one.problem is None


def test_every_address_that_does_not_show_it_is_named_with_what_it_shows() -> None:
    revision = Revision("rev_2", "cert", (NAME,), "", b"", START, serial="0b")
    missing = (
        Served(NAME, "192.0.2.1", "0a", trusted=True),
        Served(NAME, "192.0.2.2", None, None, "timed out"),
        Served(NAME, "2001:db8::1", "0a", trusted=True),
    )
    problem = not_served(missing, revision, START)
    assert problem.summary.plain() == (
        "The edge at 192.0.2.1, 2001:db8::1 serves serial 0a for moon.test, not the new certificate 0b. "
        "The edge at 192.0.2.2 does not answer (timed out) for moon.test, not the new certificate 0b."
    )
    assert [one["address"] for one in problem.evidence["found"]] == [one.address for one in missing]


# --- persons


def test_a_wish_for_what_is_in_progress_joins_it(built: Built) -> None:
    built.ca.undecided = True
    built.add(NAME)
    built.work()
    before = built.one
    built.renew(NAME)
    built.add(NAME)
    assert built.one == before
    assert len(built.ca.orders) == 1


def test_a_wish_while_a_worker_holds_the_row_for_long_is_refused_in_words(built: Built) -> None:
    built.add(NAME)
    built.settle()
    with built.storage.write() as tx:
        assert tx.certificates.claim_one(built.one.id, built.now, HOUR)
    with pytest.raises(BusyError, match="Nothing was changed"):
        asking.renew(built.desk, [NAME], store="moon", visible=EVERY, actor="T1/U1", tries=2)


def test_renewing_what_is_blocked_checks_at_once(built: Built) -> None:
    built.checker.says[NAME] = (finding("dns.not_hosted", NAME),)
    built.add(NAME)
    built.settle()
    built.checker.says.clear()
    built.renew(NAME)
    assert built.settle().state is State.INSTALLED
    assert built.now - START < MINUTE


def test_a_worker_whose_lease_was_taken_saves_nothing(built: Built) -> None:
    built.add(NAME)
    with built.storage.write() as tx:
        [mine] = tx.certificates.claim(built.now, MINUTE, 1)
    built.now += 2 * MINUTE
    with built.storage.write() as tx:
        [theirs] = tx.certificates.claim(built.now, MINUTE, 1)
    assert runner.run(built.parts, mine) is None
    assert built.revisions == []
    assert runner.run(built.parts, theirs) is not None


def test_a_worker_that_is_told_to_stop_ends_at_the_next_save_and_gives_the_row_back(built: Built) -> None:
    built.add(NAME)
    with built.storage.write() as tx:
        [row] = tx.certificates.claim(built.now, MINUTE, 1)
    left = runner.run(built.parts, row, keep_going=lambda: False)
    assert left is not None
    assert left.state is State.PREPARING
    assert built.one.lease_until is None
    assert built.settle().state is State.INSTALLED
