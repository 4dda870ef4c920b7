"""Several deploy targets: each has its own state, and one that fails keeps a certificate from no other."""

from datetime import timedelta

import pytest

from services.alerting.causes import causes_of
from services.alerting.hasten import call_up
from services.model.certificates import Certificate
from services.model.lifecycle import State
from services.model.revoking import Reason
from services.model.stores import Domain, Store, StoreStatus
from services.overview import NOT_EVERYWHERE, label
from services.renewal import breaker
from services.revoking import asking
from services.revoking.asking import Wish
from tests.building import Built, FakeTarget

NAME, WWW = "moon.test", "www.moon.test"
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FOR_EVER = 10**9
SUPERSEDED = Reason.SUPERSEDED


@pytest.fixture
def built() -> Built:
    return Built(more=(FakeTarget("cache"),))


@pytest.fixture
def cache(built: Built) -> FakeTarget:
    return built.more[0]


def lacks(one: Certificate) -> list[str]:
    assert one.problem is not None
    assert one.problem.code == "deploy.failed"
    return [str(found["target"]) for found in one.problem.evidence["found"]]


def test_every_target_has_it_and_certdesk_knows_since_when(built: Built, cache: FakeTarget) -> None:
    built.add(NAME)
    one = built.settle()
    assert [(p.target, p.revision) for p in one.placements] == [
        ("edge", built.live.id),
        ("cache", built.live.id),
    ]
    assert cache.serials == built.target.serials == {NAME: one.serial}
    assert [str(row.details) for row in built.happened("deployed")] == ["edge, cache"]


def test_one_that_fails_for_a_moment_is_waited_for(built: Built, cache: FakeTarget) -> None:
    cache.full = 2
    built.add(NAME)
    built.advance(10 * SECOND)
    assert built.state() is State.INSTALLED
    assert built.one.problem is None
    assert built.happened("deployed")
    assert not built.happened("deployed_in_part")


@pytest.mark.parametrize("broken", ["edge", "cache"])
def test_one_that_goes_on_failing_keeps_it_from_no_other(built: Built, broken: str) -> None:
    targets = {target.name: target for target in (built.target, *built.more)}
    targets[broken].full = FOR_EVER
    built.add(NAME)
    built.advance(MINUTE)
    one = built.one
    assert one.state is State.INSTALLED
    assert lacks(one) == [broken]
    assert label(one, built.now) == NOT_EVERYWHERE
    [held] = set(targets) - {broken}
    assert one.problem is not None
    assert f"already: {held}." in one.problem.summary.plain()
    assert f"Target {broken} is full." in one.problem.summary.plain()
    assert targets[held].serials == {NAME: one.serial}
    assert [found.cause.thing for found in causes_of(one, ())] == [broken]
    assert len(built.happened("deployed_in_part")) == 1


def test_those_that_have_it_are_left_alone_while_the_other_is_tried_on(
    built: Built, cache: FakeTarget
) -> None:
    cache.full = FOR_EVER
    built.add(NAME)
    built.advance(HOUR)
    assert built.target.deployments == 1
    assert 30 < cache.deployments < 45  # at most a minute apart, then every quarter of an hour
    assert len(built.happened("fault")) == 1  # said once


def test_what_lacks_it_gets_it_by_itself_once_mended(built: Built, cache: FakeTarget) -> None:
    cache.full = FOR_EVER
    built.add(NAME)
    built.advance(HOUR)
    cache.full = 0
    built.advance(15 * MINUTE)
    one = built.one
    assert cache.serials == {NAME: one.serial}
    assert one.problem is None
    assert one.attempt.faults == 0
    assert [str(row.details) for row in built.happened("delivered")] == ["cache"]
    assert len(built.ca.orders) == 1


def test_who_has_mended_a_target_need_not_wait(built: Built, cache: FakeTarget) -> None:
    cache.full = FOR_EVER
    built.add(NAME)
    built.advance(HOUR)
    cache.full = 0
    with built.storage.write() as tx:  # as a click on "Check now" does
        [member] = tx.alerts.sightings(built.one.id)
        assert call_up(tx, [member], "deploy.failed", built.now, timedelta(0)) == 1
    built.advance(SECOND)
    assert cache.serials == {NAME: built.one.serial}
    assert built.one.retry_at is None


def test_a_target_that_stays_broken_lets_no_certificate_lapse_on_the_other(
    built: Built, cache: FakeTarget
) -> None:
    cache.full = FOR_EVER
    built.add(NAME)
    built.advance(140 * DAY)
    one = built.one
    assert one.not_after is not None
    assert one.not_after - built.now > 20 * DAY
    assert built.target.serials == {NAME: one.serial}
    assert len(built.ca.orders) == 3


def test_one_whose_breaker_is_open_is_not_waited_for(built: Built, cache: FakeTarget) -> None:
    with built.storage.write() as tx:
        for number in range(3):
            met = breaker.Met(breaker.target_thing("cache"), "deploy.failed", "it is full")
            breaker.write(tx, f"other_{number}", (met,), built.now)
    built.add(NAME)
    built.advance(SECOND)
    one = built.one
    assert one.state is State.INSTALLED
    assert one.problem is not None
    assert "cache has been failing for several certificates" in one.problem.summary.plain()
    assert cache.deployments == 0
    built.advance(20 * MINUTE)
    assert built.one.problem is None
    assert cache.serials == {NAME: built.one.serial}
    assert built.reading(lambda tx: tx.breakers.all()) == []


def test_a_target_that_is_new_in_app_yaml_gets_what_is_installed_already(built: Built) -> None:
    built.more = ()
    built.add(NAME)
    built.settle()
    new = FakeTarget("new")
    built.more = (new,)
    built.advance(DAY)
    assert new.serials == {NAME: built.one.serial}
    assert built.target.deployments == 1
    assert [str(row.details) for row in built.happened("delivered")] == ["new"]
    assert built.one.problem is None


def test_a_target_that_was_out_of_app_yaml_over_a_renewal_is_not_left_with_the_old_one(
    built: Built, cache: FakeTarget
) -> None:
    built.add(NAME)
    built.settle()
    built.more = ()
    built.renew(NAME)
    built.settle()
    assert cache.serials != {NAME: built.one.serial}
    built.more = (cache,)
    built.advance(DAY)
    assert cache.serials == {NAME: built.one.serial}


def test_what_has_expired_is_given_to_no_target(built: Built) -> None:
    built.more = ()
    built.add(NAME)
    one = built.settle()
    built.ca.down = built.cas["second"].down = True
    assert one.not_after is not None
    built.advance(one.not_after - built.now + HOUR)
    new = FakeTarget("new")
    built.more = (new,)
    built.advance(DAY)
    assert new.deployments == 0


def test_what_expired_while_certdesk_was_down_is_given_to_no_target(built: Built) -> None:
    built.more = ()
    built.add(NAME)
    built.settle()
    built.ca.down = built.cas["second"].down = True
    new = FakeTarget("new")
    built.more = (new,)
    built.now += 400 * DAY
    built.work()
    assert new.deployments == 0


def test_what_has_a_compromised_key_is_given_to_no_target(built: Built) -> None:
    built.more = ()
    built.add(NAME)
    one = built.settle()
    with built.storage.write() as tx:
        wish = Wish("rvk_1", one.id, built.live.id, NAME, Reason.KEY_COMPROMISE, "T1/U1")
        asking.revoke(built.desk, tx, wish, built.now)
    new = FakeTarget("new")
    built.more = (new,)
    built.change(state=State.INSTALLED, run_after=built.now, next=None)  # nothing better could be had
    built.work()
    assert new.deployments == 0


def test_the_edge_is_looked_at_again_once_the_target_behind_it_has_it(built: Built) -> None:
    built.target.full = FOR_EVER
    built.add(NAME)
    built.advance(5 * MINUTE)
    assert lacks(built.one) == ["edge"]
    built.edge.stale = True
    built.target.full = 0
    built.advance(MINUTE)
    problem = built.one.problem
    assert problem is not None
    assert problem.code == "deploy.not_served"
    built.edge.stale = False
    built.advance(MINUTE)
    assert built.one.problem is None


def test_the_old_one_is_not_revoked_while_a_target_still_serves_it(built: Built, cache: FakeTarget) -> None:
    built.add(NAME)
    before = built.settle().serial
    cache.full = FOR_EVER
    with built.storage.write() as tx:
        wish = Wish("rvk_1", built.one.id, built.live.id, NAME, SUPERSEDED, "T1/U1")
        asking.revoke(built.desk, tx, wish, built.now)
    built.advance(HOUR)
    assert built.one.serial != before
    assert not built.ca.revoked
    cache.full = 0
    built.advance(20 * MINUTE)
    assert list(built.ca.revoked) == [before]


def gone(built: Built, *names: str) -> None:
    """Let names become another store's."""
    with built.storage.write() as tx:
        tx.stores.put(Store("sun", StoreStatus.ACTIVE, "en"))
        for name in names:
            tx.stores.put_domain(Domain(name, "sun"))


def test_a_name_that_has_become_another_stores_is_left_to_that_stores_certificate(
    built: Built, cache: FakeTarget
) -> None:
    """The target that was down, or a new one, would else get the former store's certificate in the place of the new one's."""
    cache.full = FOR_EVER
    built.add(NAME, WWW)
    built.advance(HOUR)
    assert built.target.serials == {NAME: built.one.serial, WWW: built.one.serial}
    gone(built, WWW)
    built.target.serials[WWW] = cache.serials[WWW] = "5c"  # that store's own, which went there by itself
    cache.full = 0
    built.advance(15 * MINUTE)
    assert cache.serials == {NAME: built.one.serial, WWW: "5c"}
    assert built.target.serials[WWW] == "5c"
    assert built.one.problem is None


def test_of_a_certificate_whose_names_are_all_gone_nothing_is_handed_over(
    built: Built, cache: FakeTarget
) -> None:
    cache.full = FOR_EVER
    built.add(NAME)
    built.advance(HOUR)
    gone(built, NAME)
    cache.full, tried = 0, cache.deployments
    built.advance(15 * MINUTE)
    assert cache.deployments == tried
    assert cache.serials == {}


def test_what_a_target_says_of_other_stores_their_merchants_alone_may_know(
    built: Built, cache: FakeTarget
) -> None:
    """A reload fails for the file that is broken, whoever's it is: the merchant whose turn it was reads what it said."""
    with built.storage.write() as tx:
        tx.stores.put(Store("sun"))
        tx.stores.put_domain(Domain("quiz.example", "sun"))
        tx.stores.put_domain(Domain("sun.shops.example", "sun", default=True))
    cache.full = FOR_EVER
    cache.output = (
        "nginx.conf: cannot load /certs/quiz.example/fullchain.pem, /h/www.Quiz.example.pem:/h/_.sun.shops.example.pem;"
        f" {NAME} is well"
    )
    built.add(NAME, WWW)
    built.advance(HOUR)
    problem = built.one.problem
    assert problem is not None
    told = str(problem.summary)
    assert f"nginx.conf: cannot load /certs/…/fullchain.pem, /h/…:/h/…; {NAME} is well" in told
    said = [str(row.details) for row in built.history_of(built.one)]
    assert not [one for one in (told, *said) if "quiz" in one.lower() or "sun" in one]
    # who has to mend it is told all of it, by the alert
    assert cache.output in str(problem.evidence["found"])
    with built.storage.read() as tx:
        seen = tx.breakers.get(breaker.target_thing("cache"))
    assert seen is not None
    assert "fullchain.pem" in seen.detail
    assert not [name for name in ("quiz", "sun", "moon") if name in seen.detail.lower()]


def test_a_target_that_says_very_much_tells_no_name_at_all_beyond_some(
    built: Built, cache: FakeTarget
) -> None:
    with built.storage.write() as tx:
        tx.stores.put(Store("sun"))
        tx.stores.put_domain(Domain("quiz.example", "sun"))
    cache.full = FOR_EVER
    cache.output = " ".join([*(f"/etc/nginx/{number}.conf" for number in range(100)), "quiz.example"])
    built.add(NAME)
    built.advance(MINUTE)
    assert built.one.problem is not None
    assert "1.conf" in str(built.one.problem.summary)
    assert "quiz" not in str(built.one.problem.summary)
