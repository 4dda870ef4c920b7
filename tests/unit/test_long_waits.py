"""Long waits: whatever a certificate waits for, and whatever changes meanwhile, it is tried again while that can help."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from services.issuance.ordering import PATIENCE
from services.model.certificates import Revision
from services.model.errors import CaError, CaTrouble, DeployError
from services.model.findings import Verdict
from services.model.lifecycle import State
from services.model.pacing import Breaker
from services.model.settings import Alerting, CaSettings, Renewing
from services.model.text import say
from services.renewal import breaker, budget
from tests.building import Built, FakeCa, FakeTarget
from tests.desks import finding

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NAME = "moon.test"


def limits(ca: str, **counted: tuple[int, timedelta]) -> dict[str, CaSettings]:
    return {ca: CaSettings(ca, f"https://{ca}.test/dir", limits=counted)}


def test_a_target_that_comes_back_after_what_waited_for_it_went_on_does_not_hold_up_orders() -> None:
    built = Built(names_of_cas=("first",))
    left = Breaker("target edge", ("a", "b", "c"), built.now, "deploy.failed", "full", built.now, built.now)
    with built.storage.write() as tx:
        tx.breakers.put(left)
    built.add_many(20)
    built.advance(10 * MINUTE)
    assert not built.ca.orders  # those that have been ordered may still come to try it
    built.advance(breaker.ABANDONED)
    assert {one.state for one in built.all} == {State.INSTALLED}
    assert built.breaker("target edge") is None


def test_a_wait_for_a_budget_ends_where_the_ca_is_the_judge_however_seldom_the_watch_looks() -> None:
    built = Built(
        names_of_cas=("first",),
        limits=limits("first", set=(1, 90 * DAY)),
        renewing=Renewing(watch=timedelta(days=30)),
    )
    built.ca.lifetime = 60 * DAY
    built.add(NAME)
    first = built.settle().not_after
    assert first is not None
    built.advance(50 * DAY + HOUR)
    assert len(built.ca.orders) == 2
    assert built.one.not_after != first


def too_many(ca: FakeCa) -> CaError:
    """Return the refusal of a CA whose limit is reached for a week."""
    detail = "too many certificates already issued for this exact set of identifiers"
    return ca.trouble(CaTrouble.RATE_LIMITED, detail, retry_at=ca.clock() + 7 * DAY)


def test_the_limit_of_one_ca_is_not_waited_for_while_another_one_is_free() -> None:
    built = Built()
    built.ca.down = True  # for a minute
    built.cas["second"].errors["place_order"] = [too_many(built.cas["second"])]
    built.add(NAME)
    assert built.settle().state is State.FAILED
    built.ca.down = False
    built.advance(HOUR + MINUTE)
    assert built.state() is State.INSTALLED
    assert built.live.ca == "first"


def test_a_ca_that_has_been_added_is_used_before_the_limit_of_the_other_one_is_over() -> None:
    built = Built(names_of_cas=("first",))
    built.ca.errors["place_order"] = [too_many(built.ca)]
    built.add(NAME)
    built.settle()
    built.advance(3 * HOUR)
    assert len(built.happened("attempt_failed")) == 1  # nothing was asked of the one that said no
    built.cas["new"] = FakeCa("new", built.clock, built.responders)
    built.advance(HOUR + MINUTE)
    assert built.live.ca == "new"


def test_a_ca_that_could_not_be_used_once_is_not_given_up_for_the_limit_of_another_one() -> None:
    built = Built(limits=limits("second", set=(1, 7 * DAY)))
    with built.storage.write() as tx:
        for bucket in budget.order_buckets("second", built.limits["second"], NAME, (NAME,)):
            tx.budgets.spend(bucket.key, bucket.cost, built.now)
    built.ca.down = True
    built.add(NAME)
    built.advance(MINUTE)
    assert (built.state(), built.one.failures) == (State.BLOCKED, 0)
    built.ca.down = False
    built.advance(2 * HOUR)
    assert built.state() is State.INSTALLED


def test_what_waits_for_the_end_of_a_limit_is_still_looked_at() -> None:
    built = Built(names_of_cas=("first",), watching=True)
    built.ca.errors["place_order"] = [too_many(built.ca)]
    built.add(NAME)
    built.settle()
    built.checker.says[NAME] = (finding("dns.not_hosted", NAME),)
    built.advance(2 * DAY)
    assert built.state() is State.FAILED
    assert [found.code for found in built.findings] == ["dns.not_hosted"]


# --- strikes


@pytest.mark.parametrize("trouble", [CaTrouble.ACCOUNT, CaTrouble.UNAVAILABLE])
def test_a_refusal_is_a_strike_though_the_next_ca_has_trouble_of_its_own(trouble: CaTrouble) -> None:
    built = Built()
    built.ca.broken = {NAME}
    second = built.cas["second"]
    second.errors["place_order"] = [second.trouble(trouble, "not now") for _ in range(100)]
    built.add(NAME)
    built.advance(DAY)
    assert built.state() is State.NEEDS_SUPPORT
    assert (built.one.failures, built.one.strikes) == (3, 3)
    assert built.one.problem is not None
    assert built.one.problem.code == "ca.unauthorized"
    assert len(built.happened("handed_over")) == 1


def test_what_a_ca_said_in_an_earlier_attempt_is_no_strike_in_this_one() -> None:
    built = Built(names_of_cas=("first",))
    built.ca.broken = {NAME}
    built.add(NAME)
    assert built.settle().strikes == 1
    built.ca.broken, built.ca.undecided = set(), True
    placed = len(built.ca.orders)
    while len(built.ca.orders) == placed:
        built.advance(timedelta(seconds=20))
    built.ca.forget()  # a new order is due, but the CA is out of order for everybody by now
    opened = Breaker("ca first", ("a", "b", "c"), built.now, "ca.unavailable", "no answer", built.now)
    with built.storage.write() as tx:
        tx.breakers.put(replace(opened, probe_at=built.now + HOUR))
    built.advance(MINUTE)
    assert (built.state(), built.one.strikes, built.one.failures) == (State.BLOCKED, 1, 1)


# --- limits that change


def test_a_limit_that_app_yaml_has_no_more_is_waited_for_no_more() -> None:
    built = Built(names_of_cas=("first",), limits=limits("first", set=(1, 7 * DAY)))
    built.add(NAME)
    built.settle()
    built.renew(NAME)
    built.advance(MINUTE)
    assert built.state() is State.BLOCKED
    built.limits = {}
    built.renew(NAME)
    built.advance(MINUTE)
    assert (built.state(), len(built.ca.orders)) == (State.INSTALLED, 2)


def test_what_a_ca_has_said_of_a_limit_outlives_the_limit_in_app_yaml() -> None:
    built = Built(names_of_cas=("first",), limits=limits("first", set=(5, 7 * DAY)))
    built.ca.errors["place_order"] = [too_many(built.ca)]
    built.add(NAME)
    built.settle()
    built.limits = {}
    built.renew(NAME)
    built.advance(MINUTE)
    assert built.ca.calls["place_order"] == 1
    assert built.one.problem is not None
    assert built.one.problem.summary.plain() == (
        f"first has said that its rate limit for {NAME} leaves nothing before 2027-02-17 14:03 UTC."
    )


# --- what a merchant reads of a wait


@dataclass
class Wordy(FakeTarget):
    """A target that says which file is in its way, as the real ones do."""

    def deploy(self, revision: Revision, key: str) -> None:
        raise DeployError(say("Target edge: {path} is in the way.", path=f"/certs/{revision.names[0]}"))


def test_what_waits_for_a_target_does_not_read_whose_file_is_in_the_way() -> None:
    built = Built(names_of_cas=("first",), target=Wordy())
    built.add_many(5)
    built.advance(HOUR)
    opened = built.breaker("target edge")
    assert opened is not None
    assert opened.open
    for one in built.all:
        assert one.problem is not None
        said = one.problem.summary.plain()
        assert "has been failing for several certificates" in said
        assert "Target edge: /certs/… is in the way." in said
        assert "shop" not in said + str(one.problem.evidence)
        assert (
            f"/certs/{one.domain} is in the way" in str([str(row.details) for row in built.history_of(one)])
            or one.id not in opened.failed
        )


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("moon.test, www.Moon.test and _.moon.test", "…, … and …"),
        ("no room in /certs/a.moon.test/privkey.pem", "no room in /certs/…/privkey.pem"),
        ("moon.tests and no answer of ca.test", "moon.tests and no answer of ca.test"),
    ],
)
def test_words_that_many_read_name_nobody(words: str, shown: str) -> None:
    built = Built()
    built.add(NAME, "a.moon.test")
    assert breaker.discreet(words, built.one) == shown


# --- evidence


def test_what_comes_and_goes_is_no_fix_and_does_not_start_a_certificate_again_and_again() -> None:
    built = Built(names_of_cas=("first",), watching=True, alerting=Alerting(channel="C1"))
    built.ca.broken = {NAME}
    built.add(NAME)
    assert built.settle().state is State.FAILED
    for hour in range(7 * 24):
        lame = replace(finding("dns.lame", NAME, Verdict.WARN), checked_at=built.now)
        built.checker.says[NAME] = () if hour % 2 else (lame,)
        built.advance(HOUR)
    assert len(built.happened("evidence")) <= 8  # the first at once, then after 100 minutes, then daily
    assert len(built.ca.orders) <= 9 * 3 * 2
    built.ca.broken = set()
    built.advance(DAY + 2 * HOUR)  # the last change that was seen is not forgotten
    assert built.state() is State.INSTALLED
    assert built.one.failures == 0


# --- what CAs and clocks can say


def test_a_ca_that_asks_for_days_before_the_next_look_at_an_order_is_given_up_after_half_an_hour() -> None:
    built = Built()
    built.ca.undecided = True
    built.ca.patience = 3 * DAY
    built.add(NAME)
    built.advance(2 * HOUR)
    assert built.live.ca == "second"
    assert built.ca.calls["read_order"] <= 4


def test_a_ca_that_is_out_of_order_for_days_is_asked_again_after_one_and_hourly_near_expiry() -> None:
    built = Built(names_of_cas=("first",))
    built.add(NAME)
    built.settle()
    down = built.ca.trouble(CaTrouble.UNAVAILABLE, "maintenance", retry_at=built.now + 300 * DAY)
    built.ca.errors["place_order"] = [down] * 1000
    built.advance(61 * DAY)
    first = built.ca.calls["place_order"]
    built.advance(5 * DAY)
    assert 4 * PATIENCE <= built.ca.calls["place_order"] - first <= 6 * (PATIENCE + 1)
    built.advance(10 * DAY)  # the last sixth has begun
    second = built.ca.calls["place_order"]
    built.advance(DAY)
    assert 20 * PATIENCE <= built.ca.calls["place_order"] - second <= 24 * (PATIENCE + 1)


@pytest.mark.parametrize("thing", ["ca first", "target edge"])
def test_a_breaker_that_a_wrong_clock_has_written_holds_nobody_up(thing: str) -> None:
    built = Built(names_of_cas=("first",))
    then = built.now + 400 * DAY
    code = "ca.unavailable" if thing.startswith("ca") else "deploy.failed"
    with built.storage.write() as tx:
        tx.breakers.put(Breaker(thing, ("a", "b", "c"), then, code, "no answer", then, then + MINUTE))
    built.target.full = 1
    built.add(NAME)
    built.advance(2 * MINUTE)
    assert built.state() is State.INSTALLED
    assert built.breaker(thing) is None


def test_budgets_that_are_full_again_leave_no_rows_behind() -> None:
    built = Built(names_of_cas=("first",), limits=limits("first", orders=(9, HOUR), set=(1, 7 * DAY)))
    built.add_many(5)
    built.advance(2 * DAY)
    assert budget.tidy(built.storage, built.now) == 1  # the orders of the account
    assert budget.tidy(built.storage, built.now) == 0
    built.advance(7 * DAY)
    assert budget.tidy(built.storage, built.now) == 5


# --- one name that a CA refuses


def test_a_name_that_the_ca_refuses_without_a_sub_problem_does_not_take_the_others_with_it() -> None:
    built = Built(names_of_cas=("first",))
    said = 'Invalid identifiers requested :: Cannot issue for "a.moon.test": it is forbidden by policy'
    built.ca.errors["place_order"] = [built.ca.trouble(CaTrouble.REJECTED, said, type="rejectedIdentifier")]
    built.add(NAME, "a.moon.test")
    built.settle()
    built.advance(2 * MINUTE)
    assert built.ca.issued == [(NAME,)]
    assert [(f.code, f.name) for f in built.findings] == [("ca.rejected_identifier", "a.moon.test")]
