"""Roll-backs as they go: deployed and proved, held, ended by a person, the clock or the CA, called off, after any death."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.deployment import rollback
from services.deployment.rollback import NoRollbackError, Wish
from services.issuance.adding import BusyError
from services.issuance.removing import UnderWayError
from services.model.certificates import Certificate, Revision, Window
from services.model.lifecycle import State
from services.model.recalls import Recall
from services.model.revoking import Reason
from services.model.settings import CaSettings
from services.model.stores import Domain, Store
from services.model.text import Text
from services.revoking import asking
from tests.building import Built, CrashError, FaultyStorage

NAMES = ("a.moon.test", "moon.test")
SOON = timedelta(minutes=30)
DAY = timedelta(days=1)


def renewed(storage: FaultyStorage | None = None) -> Built:
    """Return a world in which a second certificate has been installed, sixty days after the first."""
    built = Built(storage=storage or FaultyStorage())
    built.add(*NAMES)
    built.settle()
    built.advance(55 * DAY)
    built.renew(*NAMES)
    built.settle()
    assert len(built.revisions) == 2
    return built


def found(built: Built) -> Revision | Text:
    row, now = built.one, built.now
    answer = built.reading(lambda tx: rollback.candidate(built.desk, tx, row, now))
    assert isinstance(answer, Revision | Text)
    return answer


def why(built: Built) -> str:
    answer = found(built)
    assert isinstance(answer, Text)
    return answer.plain()


def wish(built: Built) -> Wish:
    row = built.one
    return Wish(row.id, built.revisions[0].id, row.installed or "", "T1/U1", "T1/U2")


def roll_back(built: Built, asked: Wish | None = None) -> Certificate:
    with built.storage.write() as tx:
        return rollback.roll_back(built.desk, tx, asked or wish(built), built.now)


def revoke(built: Built, reason: Reason = Reason.SUPERSEDED) -> None:
    row = built.one
    asked = asking.Wish("rvk_1", row.id, built.revisions[0].id, NAMES[0], reason, "T1/U1")
    with built.storage.write() as tx:
        asking.revoke(built.desk, tx, asked, built.now)


def test_the_one_before_is_deployed_and_seen_without_an_order() -> None:
    built = renewed()
    first, second = built.revisions
    orders = len(built.ca.orders)
    begun = roll_back(built)
    assert (begun.state, begun.next, begun.installed) == (State.DEPLOYING, first.id, second.id)
    built.settle()
    row = built.one
    assert (row.installed, row.serial, row.not_after) == (first.id, first.serial, first.not_after)
    assert set(built.target.serials.values()) == {first.serial}
    assert len(built.ca.orders) == orders
    told = row.rolled_back
    assert told is not None
    assert (told.serial, told.person, told.approved_by) == (second.serial, "T1/U1", "T1/U2")
    said = {one.what: one for one in built.history}
    assert said["rolled_back"].actor == "T1/U1"
    assert said["rollback_approved"].actor == "T1/U2"
    assert str(said["rolled_back"].details) == f"serial {first.serial} in the place of {second.serial}"


def test_renewal_waits_until_the_hold_ends_and_then_begins_by_itself() -> None:
    built = renewed()
    first = built.revisions[0]
    built.advance(7 * DAY)  # past the first one's own moment of renewal
    roll_back(built)
    until = built.now + built.renewing.rollback_hold
    built.settle()
    assert built.one.renew_at == until
    assert built.one.held(built.now)
    built.advance(until - built.now - timedelta(minutes=1))
    assert built.one.installed == first.id
    built.advance(SOON)
    assert len(built.revisions) == 3
    assert built.one.installed == built.revisions[2].id
    assert built.one.rollback is None


def test_names_that_are_missing_wait_as_well() -> None:
    built = renewed()
    first = built.revisions[0]
    built.change(wanted=(*NAMES, "b.moon.test"))
    roll_back(built)
    built.settle()
    built.advance(built.renewing.rollback_hold - timedelta(minutes=30))
    assert built.one.installed == first.id
    built.advance(DAY)
    assert "b.moon.test" in built.live.names


def test_the_last_sixth_of_the_lifetime_ends_the_hold_earlier() -> None:
    built = renewed()
    first = built.revisions[0]
    assert first.not_after is not None
    built.advance(first.not_after - 16 * DAY - built.now)
    roll_back(built)
    built.settle()
    assert built.one.renew_at == rollback.last_sixth_of(first)
    assert built.one.renew_at < built.now + built.renewing.rollback_hold


def test_what_expires_soon_is_replaced_at_once() -> None:
    built = renewed()
    first = built.revisions[0]
    assert first.not_after is not None
    built.advance(first.not_after - 2 * DAY - built.now)
    begun = roll_back(built)
    assert begun.rollback is not None
    assert begun.rollback.until == built.now
    built.advance(SOON)
    assert len(built.revisions) == 3
    assert built.one.installed == built.revisions[2].id


def test_a_person_who_renews_ends_the_hold() -> None:
    built = renewed()
    roll_back(built)
    built.settle()
    built.renew(*NAMES)
    assert not built.one.held(built.now)
    built.settle()
    assert built.one.installed == built.revisions[2].id
    assert built.one.rollback is None


def test_a_ca_that_wants_it_renewed_earlier_than_before_ends_the_hold() -> None:
    built = renewed()
    start = built.now + 20 * DAY
    built.ca.suggestion = Window(start, start + DAY)
    roll_back(built)
    built.settle()
    built.ca.suggestion = Window(built.now - DAY, built.now)
    built.advance(DAY)
    assert built.one.installed not in {one.id for one in built.revisions[:2]}
    assert built.one.rollback is None


def test_a_target_that_fails_is_tried_again_until_it_is_back() -> None:
    built = renewed()
    first = built.revisions[0]
    built.target.full = 3
    roll_back(built)
    built.work()
    assert built.one.problem is not None
    assert built.one.problem.code == "deploy.failed"
    built.advance(SOON)
    assert built.one.installed == first.id
    assert built.one.problem is None


def test_what_is_revoked_on_the_way_is_not_deployed_and_what_is_installed_is_everywhere_again() -> None:
    built = renewed()
    first, second = built.revisions
    built.target.full = 1
    roll_back(built)
    built.work()
    built.target.serials["moon.test"] = first.serial or ""  # one target in part
    revoke(built)
    built.advance(SOON)
    row = built.one
    assert (row.state, row.installed, row.rollback) == (State.INSTALLED, second.id, None)
    assert set(built.target.serials.values()) == {second.serial}
    assert [one.what for one in built.history].count("rollback_called_off") == 1


def test_what_expires_on_the_way_is_not_deployed() -> None:
    built = renewed()
    _, second = built.revisions
    built.target.full = 1
    roll_back(built)
    built.work()
    built.now += 36 * DAY  # certdesk was down
    built.advance(SOON)
    row = built.one
    assert (row.state, row.installed, row.rollback) == (State.INSTALLED, second.id, None)
    assert set(built.target.serials.values()) == {second.serial}
    assert [one.what for one in built.history].count("rollback_called_off") == 1


def test_what_a_ca_for_trials_signed_is_not_put_back_over_a_trusted_one() -> None:
    built = renewed()
    built.limits["trial"] = CaSettings("trial", "https://acme-staging-v02.api.letsencrypt.org/directory")
    with built.storage.write() as tx:
        tx.certificates.put_revision(replace(built.revisions[0], ca="trial"))
    assert "of a CA for trials" in why(built)
    with built.storage.write() as tx:
        tx.certificates.put_revision(replace(built.revisions[1], ca="trial"))
    assert isinstance(found(built), Revision)


def test_another_one_than_was_approved_is_not_put_back() -> None:
    built = renewed()
    with pytest.raises(NoRollbackError, match="has changed since this was asked"):
        roll_back(built, replace(wish(built), revision="rev_before"))


def test_a_second_roll_back_goes_one_further_back() -> None:
    built = renewed()
    built.advance(DAY)
    built.renew(*NAMES)
    built.settle()
    first, second, _ = built.revisions
    for one in (second, first):
        roll_back(built, replace(wish(built), revision=one.id))
        built.settle()
        assert built.one.installed == one.id
    assert why(built) == "certdesk has issued none before the one that is installed."


def test_without_one_before_it_there_is_none() -> None:
    built = Built(storage=FaultyStorage())
    built.add(*NAMES)
    assert why(built) == "Nothing is installed for it yet, or it is not wanted any more."
    built.settle()
    assert why(built) == "certdesk has issued none before the one that is installed."


@pytest.mark.parametrize("reason", list(Reason))
def test_what_is_revoked_or_compromised_is_not_put_back(reason: Reason) -> None:
    built = renewed()
    revoke(built, reason)
    built.advance(SOON)
    expected = (
        "reported compromised" if reason is Reason.KEY_COMPROMISE else "is revoked, or is being revoked"
    )
    assert expected in why(built)
    with pytest.raises(NoRollbackError, match="Nothing was changed"):
        roll_back(built)


def test_what_its_ca_wants_replaced_is_not_put_back() -> None:
    built = renewed()
    first = built.revisions[0]
    recall = Recall(
        first.id, first.certificate, "moon", "moon.test", "first", built.now, first.not_after or built.now
    )
    with built.storage.write() as tx:
        assert tx.recalls.note(recall)
    assert "is revoked, or is being revoked" in why(built)


def test_what_has_expired_is_not_put_back() -> None:
    built = renewed()
    built.advance(36 * DAY)
    assert "expired on" in why(built)


def test_it_has_to_fit_what_visitors_are_served_and_what_is_wanted() -> None:
    built = renewed()
    built.add("b.moon.test")
    built.settle()
    assert "is not valid for b.moon.test, which visitors would lose" in why(built)
    built.change(wanted=("moon.test",))
    assert "is also for a.moon.test, which this certificate is not wanted for" in why(built)


def test_a_name_that_is_another_stores_by_now_is_not_put_back() -> None:
    built = renewed()
    with built.storage.write() as tx:
        tx.stores.put(Store("sun"))
        tx.stores.put_domain(Domain("a.moon.test", "sun"))
    assert "is also for a.moon.test" in why(built)


def test_a_key_that_is_kept_no_more_is_said() -> None:
    first, second = renewed().revisions
    facts = rollback.Facts(renewed().now, NAMES, NAMES)
    assert rollback.flaw(first, facts) is None
    assert "is not kept any more" in str(rollback.flaw(replace(first, sealed_key=b""), facts))
    assert "of a CA for trials" in str(rollback.flaw(second, replace(facts, trial=True)))


def test_while_another_one_is_issued_nothing_is_rolled_back() -> None:
    built = renewed()
    asked = wish(built)
    built.renew(*NAMES)
    with pytest.raises(UnderWayError):
        roll_back(built, asked)
    built.settle()
    with pytest.raises(NoRollbackError, match="Another certificate was installed"):
        roll_back(built, asked)


def test_a_row_that_a_worker_holds_is_asked_again() -> None:
    built = renewed()
    with built.storage.write() as tx:
        tx.certificates.claim_one(built.one.id, built.now, DAY)
    with pytest.raises(BusyError):
        roll_back(built)
    assert built.one.state is State.INSTALLED


@pytest.mark.parametrize("kept", [False, True], ids=["before", "after"])
def test_it_is_done_whichever_write_the_process_dies_at(*, kept: bool) -> None:
    died = 0
    for at in range(1, 20):
        storage = FaultyStorage()
        built = renewed(storage)
        first = built.revisions[0]
        roll_back(built)
        storage.writes, storage.dies_at, storage.kept = 0, at, kept
        for _ in range(6):
            try:
                built.advance(timedelta(minutes=5))
            except CrashError:
                died += 1
        assert built.one.installed == first.id, at
        assert set(built.target.serials.values()) == {first.serial}
        assert len(built.revisions) == 2
        if storage.writes < at:
            break
    assert died > 2
