"""One broken name harms the others little: it is left out, stays wanted, and is added back when it heals."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from services.issuance.removing import remove
from services.model.findings import Verdict
from services.model.lifecycle import State
from services.model.sight import EVERY
from services.overview import describe
from services.renewal import asking
from services.renewal.timing import OFTEN
from tests.building import Built
from tests.desks import finding

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GOOD, BAD, WORSE = "a.moon.test", "b.moon.test", "c.moon.test"


@pytest.fixture
def built() -> Built:
    return Built()


def blocked(built: Built, *names: str) -> None:
    for name in names:
        built.checker.says[name] = (finding("dns.wrong_address", name),)


def broken(built: Built, *names: str) -> None:
    for ca in built.cas.values():
        ca.broken = set(names)


def test_a_name_that_the_checks_block_is_left_out_and_stays_wanted(built: Built) -> None:
    blocked(built, BAD)
    built.add(GOOD, BAD)
    one = built.settle()
    assert one.state is State.INSTALLED
    assert built.live.names == (GOOD,)
    assert one.wanted == (GOOD, BAD)
    assert [f.name for f in built.findings] == [BAD]


def test_it_is_added_back_when_it_heals(built: Built) -> None:
    blocked(built, BAD)
    built.add(GOOD, BAD)
    first = built.settle()
    built.checker.says.clear()
    built.advance(3 * HOUR)
    assert built.live.names == (GOOD, BAD)
    assert built.one.serial != first.serial
    assert built.one.retry_at is None


def test_while_it_is_broken_it_is_looked_at_and_nothing_is_ordered(built: Built) -> None:
    blocked(built, BAD)
    built.add(GOOD, BAD)
    built.settle()
    asked = built.checker.asked.count(BAD)
    built.advance(DAY)
    assert 8 <= built.checker.asked.count(BAD) - asked <= 14
    assert len(built.ca.orders) == 1


def test_a_name_that_the_ca_refuses_is_left_out_of_the_next_attempt(built: Built) -> None:
    broken(built, BAD)
    built.add(GOOD, BAD)
    failed = built.settle()
    assert failed.state is State.FAILED
    assert failed.problem is not None
    assert (failed.problem.code, failed.problem.name) == ("ca.unauthorized", BAD)
    assert BAD in failed.problem.summary.plain()
    built.advance(2 * timedelta(minutes=1))
    assert built.state() is State.INSTALLED
    assert built.live.names == (GOOD,)
    assert [(f.code, f.name) for f in built.findings] == [("ca.unauthorized", BAD)]


def test_its_reason_is_told_although_the_others_are_installed(built: Built) -> None:
    broken(built, BAD)
    built.add(GOOD, BAD)
    built.settle()
    built.advance(timedelta(minutes=2))
    bad = describe(built.desk, BAD, visible=EVERY)
    assert [f.code for f in bad.findings] == ["ca.unauthorized"]
    assert bad.serial is None
    good = describe(built.desk, GOOD, visible=EVERY)
    assert good.findings == ()
    assert good.serial == built.one.serial


@pytest.mark.parametrize("bad", [(BAD, WORSE), (GOOD, BAD), (GOOD, WORSE)])
def test_two_refused_names_do_not_take_turns_in_failing_the_third(built: Built, bad: tuple[str, str]) -> None:
    broken(built, *bad)
    built.add(GOOD, BAD, WORSE)
    built.advance(2 * HOUR)
    assert built.state() is State.INSTALLED
    assert set(built.live.names) == {GOOD, BAD, WORSE} - set(bad)


@pytest.mark.parametrize("bad", [{BAD}, {BAD, WORSE}])
def test_an_order_that_the_ca_rejects_for_some_names_goes_without_those(built: Built, bad: set[str]) -> None:
    for ca in built.cas.values():
        ca.banned = bad
    built.add(GOOD, BAD, WORSE)
    built.advance(timedelta(minutes=5))
    assert set(built.live.names) == {GOOD, BAD, WORSE} - bad
    assert {f.name for f in built.findings if f.code == "ca.rejected_identifier"} == bad


def test_a_wildcard_that_the_ca_refuses_is_left_out_and_its_base_is_not(built: Built) -> None:
    broken(built, "*.moon.test")
    built.add("*.moon.test", "moon.test")
    built.advance(timedelta(minutes=5))
    assert built.live.names == ("moon.test",)


def test_no_order_is_spent_again_on_what_is_installed(built: Built) -> None:
    broken(built, BAD)
    built.add(GOOD, BAD)
    built.settle()
    built.advance(DAY)
    assert built.ca.issued == [(GOOD,)]
    assert built.happened("nothing_to_gain")


def test_a_name_that_is_removed_and_added_again_leaves_the_certificate_well(built: Built) -> None:
    """Nothing is to be had: what is installed has the name still, and no try is owed for it."""
    built.add(GOOD, BAD)
    before = built.settle()
    with built.storage.write() as tx:
        remove(built.desk, tx, before.id, (BAD,), "terminal", built.now)
    built.advance(HOUR)
    built.add(BAD)
    built.advance(HOUR)
    assert built.happened("nothing_to_gain")
    assert len(built.ca.orders) == 1
    after = built.one
    assert (after.place, after.retry_at, after.problem) == (before.place, None, None)
    assert (after.wanted, after.state, after.serial) == ((GOOD, BAD), State.INSTALLED, before.serial)
    assert asking.early(describe(built.desk, BAD, visible=EVERY), built.now)  # nothing of it is due


def test_without_the_name_that_was_missing_the_certificate_is_well(built: Built) -> None:
    broken(built, BAD)
    built.add(GOOD, BAD)
    built.settle()
    built.advance(timedelta(minutes=2))
    with built.storage.write() as tx:
        remove(built.desk, tx, built.one.id, (BAD,), "terminal", built.now)
    built.advance(HOUR)
    one = built.one
    assert (one.state, one.retry_at, one.problem, one.failures) == (State.INSTALLED, None, None, 0)
    assert len(built.ca.issued) == 1


def test_a_mark_of_a_name_that_is_missing_no_more_goes_at_the_next_look(built: Built) -> None:
    """An earlier version left it, and lists counted the certificate among what needs somebody."""
    built.add(GOOD)
    built.settle()
    built.change(retry_at=built.now + 2 * HOUR)
    built.advance(DAY)
    assert built.one.retry_at is None


def test_tries_for_a_name_that_the_ca_refuses_grow_rarer(built: Built) -> None:
    broken(built, BAD)
    built.add(GOOD, BAD)
    built.advance(20 * DAY)
    assert built.ca.issued == [(GOOD,)]
    tries = [row.at for row in built.happened("attempt_failed")]
    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert gaps[-1] >= DAY
    assert 8 < len(tries) < 25
    assert built.state() in (State.INSTALLED, State.FAILED)


def test_one_refused_name_among_others_never_hands_over_to_support(built: Built) -> None:
    broken(built, BAD)
    built.add(GOOD, BAD)
    built.advance(20 * DAY)
    assert not built.happened("handed_over")
    assert built.live.names == (GOOD,)


def test_a_refused_name_is_added_when_the_ca_takes_it(built: Built) -> None:
    broken(built, BAD)
    built.add(GOOD, BAD)
    built.advance(HOUR)
    broken(built)
    built.advance(3 * HOUR)
    assert built.live.names == (GOOD, BAD)
    assert built.one.failures == 0
    assert built.one.attempt.refused == ()
    assert built.findings == []


def test_when_every_name_is_refused_support_takes_over(built: Built) -> None:
    broken(built, GOOD, BAD)
    built.add(GOOD, BAD)
    built.advance(5 * HOUR)
    one = built.one
    assert one.state is State.NEEDS_SUPPORT
    assert one.run_after is None
    assert one.strikes == 3
    assert len(built.happened("attempt_failed")) == 3


def test_a_person_who_asks_gives_a_refused_name_its_chance_at_once(built: Built) -> None:
    broken(built, BAD)
    built.add(GOOD, BAD)
    built.settle()
    broken(built)
    built.renew(BAD)
    one = built.settle()
    assert one.state is State.INSTALLED
    assert built.live.names == (GOOD, BAD)


def test_a_name_added_on_the_way_is_added_as_soon_as_the_first_set_is_installed(built: Built) -> None:
    built.ca.undecided = True
    built.add(GOOD)
    built.work()
    built.add(BAD)
    built.ca.undecided = False
    built.ca.forget()
    built.advance(timedelta(minutes=2))
    assert built.ca.issued == [(GOOD,), (GOOD, BAD)]
    assert built.live.names == (GOOD, BAD)


def test_a_name_added_later_means_an_additional_csr_and_the_old_certificate_stays_until_then(
    built: Built,
) -> None:
    built.add(GOOD)
    first = built.settle()
    built.ca.undecided = True
    built.add(BAD)
    built.work()
    assert built.state() is State.VALIDATING
    assert built.one.serial == first.serial
    assert built.target.serials == {GOOD: first.serial}
    built.ca.undecided = False
    built.ca.forget()
    built.advance(timedelta(minutes=1))
    assert [r.names for r in built.revisions] == [(GOOD,), (GOOD, BAD)]
    assert len({r.csr for r in built.revisions}) == 2
    assert built.target.serials.keys() == {GOOD, BAD}


def test_an_added_name_that_is_blocked_costs_the_installed_ones_nothing(built: Built) -> None:
    built.add(GOOD, BAD)
    first = built.settle()
    blocked(built, BAD, WORSE)
    built.add(WORSE)
    one = built.settle()
    assert one.state is State.INSTALLED
    assert one.serial == first.serial  # an order for a part of what is installed would gain nothing
    assert len(built.ca.orders) == 1


def test_a_name_that_comes_and_goes_does_not_make_an_endless_chain_of_orders(built: Built) -> None:
    built.add(GOOD)
    built.settle()
    for _ in range(12):
        blocked(built, BAD)
        built.add(BAD)
        built.advance(HOUR)
        built.checker.says.clear()
        built.advance(2 * HOUR)
        built.change(wanted=(GOOD,))
        built.change(wanted=(GOOD, BAD), retry_at=None)
    assert len(built.ca.issued) <= 1 + OFTEN


def test_with_every_name_blocked_nothing_is_spent_and_it_goes_on_by_itself(built: Built) -> None:
    blocked(built, GOOD)
    built.add(GOOD)
    one = built.settle()
    assert one.state is State.BLOCKED
    assert one.problem is not None
    assert one.problem.code == "dns.wrong_address"
    assert one.run_after == built.now + 2 * HOUR  # the promise to merchants whose DNS is on its way
    built.advance(DAY)
    assert len(built.happened("checks_blocked")) == 1  # a row for what is new, not for every look
    assert 12 <= len(built.checker.asked) <= 14
    built.checker.says.clear()
    built.advance(2 * HOUR + timedelta(minutes=1))
    assert built.state() is State.INSTALLED
    assert built.one.problem is None


def test_other_blockers_are_looked_at_every_hour(built: Built) -> None:
    built.checker.says[GOOD] = (finding("access.unreachable", GOOD),)
    built.add(GOOD)
    assert built.settle().run_after == built.now + HOUR


def test_unknown_never_blocks(built: Built) -> None:
    built.checker.says[GOOD] = (
        finding("dns.servfail", GOOD, Verdict.UNKNOWN),
        finding("domain.expiring", GOOD, Verdict.WARN),
    )
    built.add(GOOD)
    assert built.settle().state is State.INSTALLED
    assert len(built.findings) == 2


def test_caa_that_forbids_a_ca_for_a_name_that_is_left_out_does_not_matter(built: Built) -> None:
    forbids = replace(finding("dns.caa_forbids", BAD), evidence={"forbidden": ["first"]})
    built.checker.says[BAD] = (forbids,)
    built.add(GOOD, BAD)
    built.settle()
    assert built.live.ca == "first"


def test_caa_that_forbids_one_ca_leads_to_the_other_without_asking_the_first(built: Built) -> None:
    warns = replace(finding("dns.caa_forbids", GOOD, Verdict.WARN), evidence={"forbidden": ["first"]})
    built.checker.says[GOOD] = (warns,)
    built.add(GOOD)
    built.settle()
    assert built.live.ca == "second"
    assert built.ca.orders == []


def test_a_challenge_that_caa_leaves_out_is_not_tried(built: Built) -> None:
    """An order by http-01 would be refused for what the records say, though dns-01 is allowed."""
    says = finding("dns.caa_forbids", GOOD, Verdict.OK)
    built.checker.says[GOOD] = (replace(says, evidence={"barred": ["first http-01"]}),)
    built.add(GOOD)
    assert built.settle().state is State.INSTALLED
    assert (built.http.presented, built.dns.presented) == (0, 1)
    assert built.cas["second"].calls == {}
