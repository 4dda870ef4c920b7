"""The use case behind add: what is wanted is written durably, what is refused is said, and neither twice."""

from datetime import timedelta

import pytest

from services.issuance import adding
from services.issuance.adding import BusyError
from services.model.findings import Verdict
from services.model.lifecycle import State
from services.model.sight import EVERY, Sight
from services.model.status import NameStatus
from services.model.stores import StoreStatus
from services.ports import Storage
from storage.memory import MemoryStorage
from tests.desks import Bench

SHOP, APEX, WWW = "shop.moon.test", "moon.test", "www.shop.moon.test"


@pytest.fixture
def bench() -> Bench:
    storage: Storage = MemoryStorage()
    made = Bench(storage)
    made.store("moon", SHOP, APEX, "sun.test", default="moon.shops.test")
    made.store("comet", "comet.test")
    return made


def add(
    bench: Bench, *names: str, store: str | None = None, sees: tuple[str, ...] = ("moon",)
) -> list[NameStatus]:
    return list(adding.add(bench.desk, names, store=store, visible=Sight(frozenset(sees)), actor="T1/U1"))


def test_names_of_a_registrable_domain_share_a_certificate(bench: Bench) -> None:
    statuses = add(bench, SHOP, "sun.test", APEX, WWW)
    assert [s.name for s in statuses] == [SHOP, "sun.test", APEX, WWW]
    assert {s.state for s in statuses} == {"checking"}
    assert [c.wanted for c in bench.certificates()] == [(APEX, SHOP, WWW), ("sun.test",)]
    assert bench.woken == 1


def test_the_wish_is_due_at_once_and_in_the_history_with_who_wished_it(bench: Bench) -> None:
    add(bench, SHOP)
    one = bench.certificate(SHOP)
    assert one.run_after == bench.now
    with bench.storage.read() as tx:
        [row] = tx.certificates.history(one.id)
    assert (row.what, row.actor, row.details) == ("added", "T1/U1", SHOP)


def test_the_same_name_again_and_twice_at_once_changes_nothing(bench: Bench) -> None:
    first = add(bench, SHOP, SHOP)
    assert len(first) == 1
    before = bench.certificate(SHOP)
    assert add(bench, SHOP) == first
    assert bench.certificate(SHOP) == before


def test_a_refused_name_does_not_hold_up_the_others(bench: Bench) -> None:
    statuses = add(bench, "moon.shops.test", SHOP, "elsewhere.test")
    assert [s.state for s in statuses] == ["none", "checking", "none"]
    assert [s.findings[0].code for s in statuses if s.findings] == ["domain.default", "domain.not_added"]
    assert len(bench.certificates()) == 1


def test_a_name_of_a_store_that_the_caller_may_not_see_looks_like_nobodys(bench: Bench) -> None:
    [theirs] = add(bench, "comet.test")
    [nobodys] = add(bench, "nowhere.test")
    assert (theirs.store, theirs.state, theirs.label) == (nobodys.store, nobodys.state, nobodys.label)
    assert [f.code for f in theirs.findings] == [f.code for f in nobodys.findings] == ["domain.not_added"]
    assert bench.certificates() == []


def test_a_name_of_another_store_than_the_one_meant_is_refused(bench: Bench) -> None:
    [status] = add(bench, "comet.test", store="moon", sees=("moon", "comet"))
    assert [f.code for f in status.findings] == ["domain.not_added"]


def test_an_inactive_store_may_come_back_so_the_wish_is_kept(bench: Bench) -> None:
    bench.store("moon", status=StoreStatus.INACTIVE)
    assert add(bench, SHOP)[0].state == "checking"
    bench.store("moon", status=StoreStatus.DELETED)
    [status] = add(bench, "sun.test")
    assert [f.code for f in status.findings] == ["store.deleted"]


def test_what_rests_starts_anew_with_the_larger_set_and_keeps_what_is_installed(bench: Bench) -> None:
    add(bench, SHOP)
    before = bench.install(SHOP)
    add(bench, APEX)
    one = bench.certificate(SHOP)
    assert one.state is State.CHECKING
    assert one.wanted == (APEX, SHOP)
    assert (one.installed, one.serial) == (before.installed, before.serial)


def test_what_is_under_way_goes_on_with_the_larger_wish(bench: Bench) -> None:
    add(bench, SHOP)
    bench.change(SHOP, state=State.VALIDATING)
    add(bench, APEX)
    one = bench.certificate(SHOP)
    assert (one.state, one.wanted) == (State.VALIDATING, (APEX, SHOP))


def test_more_names_than_a_certificate_holds_are_refused_and_the_others_taken(bench: Bench) -> None:
    names = [f"n{number}.sun.test" for number in range(101)]
    bench.store("moon", *names)
    statuses = add(bench, *names)
    assert sum(s.state == "checking" for s in statuses) == 100
    [over] = [s for s in statuses if s.state == "none"]
    assert [(f.code, f.verdict) for f in over.findings] == [("policy.too_many_names", Verdict.BLOCK)]
    assert len(bench.certificate("n0.sun.test").wanted) == 100


def test_a_row_that_is_held_all_the_time_is_said_and_nothing_is_changed(bench: Bench) -> None:
    add(bench, SHOP)
    with bench.storage.write() as tx:
        assert tx.certificates.claim_one(bench.certificate(SHOP).id, bench.now, timedelta(hours=1))
    with pytest.raises(BusyError, match=r"moon\.test is being worked on"):
        adding.add(bench.desk, [APEX], store=None, visible=EVERY, actor="T1/U1", tries=2)
    assert bench.certificate(SHOP).wanted == (SHOP,)


def test_a_refusal_does_not_deny_what_is_installed(bench: Bench) -> None:
    add(bench, SHOP)
    bench.install(SHOP)
    bench.store("moon", status=StoreStatus.DELETED)
    [status] = add(bench, SHOP)
    assert status.serial is not None
    assert [f.code for f in status.findings] == ["store.deleted"]


def test_a_names_own_row_decides_whose_it_is_for_everybody(bench: Bench) -> None:
    bench.store("moon", "venus.test")
    bench.store("comet", "www.venus.test")
    [mine] = add(bench, "www.venus.test", store="moon")
    [unknown] = add(bench, "www.nobody.test", store="moon")
    assert [f.code for f in mine.findings] == [f.code for f in unknown.findings] == ["domain.not_added"]
    [theirs] = add(bench, "www.venus.test", sees=("comet",))
    assert theirs.certificate is not None
    assert theirs.store == "comet"
