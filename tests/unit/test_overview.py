"""What is said of a name: labels derived from state and clock, findings of the name and of the whole, nobody else's."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services import overview
from services.issuance import adding
from services.model.lifecycle import State
from services.model.sight import EVERY, Sight
from services.model.status import NameStatus
from storage.memory import MemoryStorage
from tests.desks import NOW, Bench, finding

SHOP, APEX = "shop.moon.test", "moon.test"
DAY = timedelta(days=1)


@pytest.fixture
def bench() -> Bench:
    made = Bench(MemoryStorage())
    made.store("moon", SHOP, APEX, "sun.test", default="moon.shops.test")
    made.store("comet", "comet.test")
    adding.add(made.desk, [SHOP, APEX], store=None, visible=EVERY, actor="T1/U1")
    return made


def describe(bench: Bench, name: str) -> NameStatus:
    return overview.describe(bench.desk, name, visible=Sight(frozenset({"moon"})))


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_label(bench: Bench, state: State) -> None:
    bench.install(SHOP, state=state)
    assert describe(bench, SHOP).label == overview.LABELS[state]


def test_an_expired_certificate_is_called_so_by_the_clock_alone(bench: Bench) -> None:
    bench.install(SHOP)
    bench.now += 90 * DAY
    assert describe(bench, SHOP).label.plain() == "Expired"


def test_a_rejection_reads_as_the_platforms_merchants_know_it_with_the_true_reason_beside_it(
    bench: Bench,
) -> None:
    problem = finding("ca.rejected_identifier", SHOP)
    bench.change(SHOP, state=State.FAILED, problem=problem)
    status = describe(bench, SHOP)
    assert status.label.plain() == "Invalid domain name signature has been detected"
    assert status.findings == (problem,)


def test_an_unproved_installation_is_told_apart(bench: Bench) -> None:
    bench.install(SHOP, problem=finding("deploy.not_served", APEX))
    assert "not served" in describe(bench, SHOP).label.plain()


def test_serial_and_expiry_are_of_the_installed_revision_and_only_if_it_has_the_name(bench: Bench) -> None:
    one = bench.install(SHOP, APEX)
    assert (describe(bench, APEX).serial, describe(bench, APEX).not_after) == (one.serial, one.not_after)
    missing = describe(bench, SHOP)
    assert (missing.serial, missing.not_after) == (None, None)
    assert missing.label.plain() == "Not in the certificate yet"


def test_findings_of_siblings_are_not_told(bench: Bench) -> None:
    mine, theirs = finding("dns.lame", SHOP), finding("dns.wrong_address", APEX)
    bench.change(SHOP, findings=(mine, theirs), state=State.BLOCKED, problem=theirs)
    assert describe(bench, SHOP).findings == (mine,)
    assert describe(bench, APEX).findings == (theirs,)


def test_a_problem_of_the_whole_is_told_for_every_name(bench: Bench) -> None:
    problem = finding("ca.rate_limited", APEX)
    bench.change(SHOP, state=State.FAILED, problem=problem)
    assert describe(bench, SHOP).findings == describe(bench, APEX).findings == (problem,)


def test_the_next_attempt_is_the_renewal_the_retry_or_the_next_step(bench: Bench) -> None:
    one = bench.install(SHOP)
    assert describe(bench, SHOP).next_attempt_at == one.renew_at
    later = NOW + 5 * DAY
    bench.change(SHOP, state=State.FAILED, retry_at=later, run_after=NOW + DAY)
    assert describe(bench, SHOP).next_attempt_at == later
    bench.change(SHOP, state=State.VALIDATING, retry_at=later, run_after=NOW + DAY)
    assert describe(bench, SHOP).next_attempt_at == NOW + DAY
    bench.change(SHOP, state=State.NEEDS_SUPPORT, retry_at=None, run_after=None)
    assert describe(bench, SHOP).next_attempt_at is None


def test_a_name_without_a_certificate_says_why_it_has_none(bench: Bench) -> None:
    assert describe(bench, "sun.test").label.plain() == "No certificate yet"
    default = describe(bench, "moon.shops.test")
    assert default.label.plain() == "No certificate possible"
    assert [f.code for f in default.findings] == ["domain.default"]
    theirs, nobodys = describe(bench, "comet.test"), describe(bench, "nowhere.test")
    assert replace(theirs, name="", findings=()) == replace(nobodys, name="", findings=())


def test_checking_asks_the_world_and_saves_nothing(bench: Bench) -> None:
    before = bench.install(SHOP)
    bench.checker.says[SHOP] = (finding("dns.wrong_address", SHOP),)
    status = overview.check(bench.desk, SHOP, visible=Sight(frozenset({"moon"})))
    assert [f.code for f in status.findings] == ["dns.wrong_address"]
    assert status.serial == before.serial
    assert bench.checker.asked == [SHOP]
    assert describe(bench, SHOP).findings == ()
    assert bench.certificate(SHOP) == before


def test_checking_keeps_what_the_ca_and_the_targets_said(bench: Bench) -> None:
    bench.change(SHOP, state=State.FAILED, problem=finding("ca.rate_limited", APEX))
    status = overview.check(bench.desk, SHOP, visible=Sight(frozenset({"moon"})))
    assert [f.code for f in status.findings] == ["ca.rate_limited"]


def test_a_listing_shows_what_the_caller_may_see(bench: Bench) -> None:
    adding.add(bench.desk, ["comet.test"], store=None, visible=EVERY, actor="T1/U1")

    def names(store: str | None, stores: frozenset[str] | None) -> list[str]:
        return [s.name for s in overview.listing(bench.desk, store=store, visible_stores=stores)]

    assert sorted(names(None, None)) == ["comet.test", APEX, SHOP]
    assert sorted(names(None, frozenset({"moon"}))) == [APEX, SHOP]
    assert names("comet", frozenset({"moon"})) == []
    assert names("comet", None) == ["comet.test"]
    assert names(None, frozenset()) == []


def test_the_worst_name_comes_first_whatever_its_certificate_looks_like(bench: Bench) -> None:
    adding.add(bench.desk, ["sun.test"], store=None, visible=EVERY, actor="T1/U1")
    bench.install("sun.test", serial="0d")
    bench.install(SHOP, problem=finding("deploy.not_served", SHOP))
    names = [s.name for s in overview.listing(bench.desk, store=None, visible_stores=None)]
    assert names[-1] == "sun.test"


def test_what_the_edge_serves_rightly_is_not_called_unserved_for_a_siblings_sake(bench: Bench) -> None:
    problem = replace(
        finding("deploy.not_served", APEX), evidence={"found": [{"name": APEX, "serial": None}]}
    )
    bench.install(SHOP, problem=problem)
    assert describe(bench, SHOP).findings == ()
    assert describe(bench, SHOP).label.plain() == "Installed"
    assert describe(bench, APEX).findings == (problem,)


def test_a_name_that_was_left_out_is_blocked_and_says_when_it_is_looked_at_again(bench: Bench) -> None:
    again = bench.now + timedelta(hours=2)
    bench.install(SHOP, APEX, retry_at=again)
    status = describe(bench, SHOP)
    assert (status.state, status.next_attempt_at) == ("blocked", again)
    assert describe(bench, APEX).state == "installed"


def test_words_of_a_ca_are_of_the_past_once_the_checks_see_no_cause(bench: Bench) -> None:
    bench.change(SHOP, state=State.FAILED, problem=finding("ca.unauthorized", SHOP))
    assert describe(bench, SHOP).blocked
    assert not overview.check(bench.desk, SHOP, visible=EVERY).blocked
