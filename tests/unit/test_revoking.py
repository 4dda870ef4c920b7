"""Revocations as they go: replaced first or revoked at once, by the account or the key, after any death, and told."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.issuance.acme.errors import PREFIX
from services.issuance.csr import spki_hash
from services.model.certificates import Certificate
from services.model.errors import CaTrouble
from services.model.findings import NOT_REVOKED, REVOKED
from services.model.lifecycle import State
from services.model.revoking import CODES, Reason, Revocation, Stage
from services.model.sight import EVERY
from services.overview import describe
from services.renewal import runner
from services.revoking import asking
from services.revoking.asking import NothingToRevokeError, Wish
from tests.building import Built, CrashError, FaultyStorage
from tests.desks import finding

NAMES = ("a.moon.test", "moon.test")
COMPROMISE, SUPERSEDED = Reason.KEY_COMPROMISE, Reason.SUPERSEDED
SOON = timedelta(minutes=30)


def installed(storage: FaultyStorage | None = None, **changes: Any) -> Built:
    built = Built(storage=storage or FaultyStorage(), **changes)
    built.add(*NAMES)
    built.settle()
    return built


def revoke(built: Built, reason: Reason = SUPERSEDED, revision: str | None = None) -> Revocation:
    """Ask for it as the approval of a request does."""
    row = built.one
    wish = Wish("rvk_1", row.id, revision or row.installed or "", NAMES[0], reason, "T1/U1")
    with built.storage.write() as tx:
        return asking.revoke(built.desk, tx, wish, built.now)


def stored(built: Built) -> Revocation:
    [found] = built.reading(lambda tx: tx.revocations.of(built.one.id))
    assert isinstance(found, Revocation)
    return found


def sightings(built: Built) -> list[str]:
    return [one.code for one in built.reading(lambda tx: tx.alerts.sightings(built.one.id))]


def old(built: Built) -> tuple[str, str]:
    row = built.one
    return row.installed or "", row.serial or ""


@pytest.mark.parametrize("reason", [one for one in Reason if one is not COMPROMISE])
def test_it_is_replaced_first_and_revoked_once_the_new_one_is_served(reason: Reason) -> None:
    built = installed()
    revision, serial = old(built)
    built.edge.stale = True  # the new one is installed, but not seen yet
    assert revoke(built, reason).stage is Stage.REPLACING
    built.advance(SOON)
    assert built.one.installed != revision
    assert not built.ca.revoked
    built.edge.stale = False
    built.advance(SOON)
    assert built.ca.revoked == {serial: (CODES[reason], "account")}
    done = stored(built)
    assert (done.stage, done.run_after, done.told, done.failures) == (Stage.DONE, None, reason.value, 0)
    assert [row.what for row in built.history if "revo" in row.what] == ["revocation_asked", "revoked"]
    assert built.one.revocation is None
    assert not built.reading(lambda tx: tx.revocations.barred([spki_hash(built.revisions[0].csr)]))


def test_a_compromised_key_is_revoked_at_once_and_barred_and_a_new_one_is_ordered_ahead_of_others() -> None:
    built = installed()
    revision, serial = old(built)
    key = spki_hash(built.live.csr)
    built.add_many(30)
    built.now += timedelta(minutes=10)  # by then they have waited for long
    wish = Wish("rvk_1", _moon(built).id, revision, NAMES[0], COMPROMISE, "T1/U1")
    with built.storage.write() as tx:
        asking.revoke(built.desk, tx, wish, built.now)
    [barred] = built.reading(lambda tx: tx.revocations.barred([key]))
    assert (barred.serial, barred.person) == (serial, "T1/U1")
    with built.storage.write() as tx:
        [first] = tx.certificates.claim(built.now, timedelta(0), 1)
    assert first.domain == "moon.test"
    built.advance(SOON)
    assert built.ca.revoked == {serial: (1, "account")}
    assert _moon(built).installed != revision
    assert _moon(built).revocation is None


def _moon(built: Built) -> Certificate:
    return next(one for one in built.all if one.domain == "moon.test")


def test_while_the_revoked_one_is_installed_it_is_said_and_alerted_and_ends_with_the_new_one() -> None:
    built = installed()
    serial = built.one.serial
    built.checker.says[NAMES[0]] = (finding("store.inactive", NAMES[0]),)
    built.checker.says[NAMES[1]] = (finding("store.inactive", NAMES[1]),)
    revoke(built, COMPROMISE)
    assert sightings(built) == [REVOKED]
    [seen] = built.reading(lambda tx: tx.alerts.sightings(built.one.id))
    assert seen.confirmed
    assert seen.deadline == built.now
    built.advance(SOON)
    assert built.one.state is State.BLOCKED
    assert REVOKED in sightings(built)
    status = describe(built.desk, NAMES[0], visible=EVERY)
    assert REVOKED in [one.code for one in status.findings]
    built.checker.says.clear()
    built.advance(timedelta(hours=3))
    assert built.one.serial != serial
    assert not sightings(built)
    assert describe(built.desk, NAMES[0], visible=EVERY).label.plain() == "Installed"


def test_a_technical_blocker_does_not_hold_up_what_replaces_a_compromised_key() -> None:
    built = installed()
    revision, _ = old(built)
    for name in NAMES:
        built.checker.says[name] = (finding("dns.inconsistent", name),)
    revoke(built, COMPROMISE)
    built.advance(SOON)
    assert built.one.installed != revision


def test_an_account_that_does_not_fit_leaves_it_to_the_key_of_the_certificate() -> None:
    built = installed()
    _, serial = old(built)
    refusal = built.ca.trouble(CaTrouble.ACCOUNT, "not yours", type=PREFIX + "unauthorized")
    built.ca.errors["revoke"] = [refusal]
    revoke(built, COMPROMISE)
    built.work()
    assert built.ca.revoked == {serial: (1, "key")}
    assert stored(built).by_key


def test_a_reason_that_the_ca_does_not_take_is_told_as_unspecified() -> None:
    built = installed()
    _, serial = old(built)
    refusal = built.ca.trouble(CaTrouble.REJECTED, "no such reason", type=PREFIX + "badRevocationReason")
    built.ca.errors["revoke"] = [refusal]
    revoke(built, Reason.AFFILIATION_CHANGED)
    built.advance(SOON)
    assert built.ca.revoked == {serial: (0, "account")}
    assert stored(built).told == "unspecified"


def test_what_the_ca_has_revoked_already_is_done() -> None:
    built = installed()
    _, serial = old(built)
    built.ca.revoked[serial] = (4, "account")
    revoke(built, COMPROMISE)
    built.work()
    assert (stored(built).stage, stored(built).told) == (Stage.DONE, "")
    assert "already" in str(built.happened("revoked")[0].details)


def test_a_ca_that_does_not_revoke_is_asked_again_and_people_are_told_until_it_does() -> None:
    built = installed()
    _, serial = old(built)
    built.ca.errors["revoke"] = [built.ca.trouble(CaTrouble.UNAVAILABLE, "down")] * 8
    revoke(built, SUPERSEDED)
    built.advance(timedelta(minutes=3))
    assert not built.ca.revoked
    assert NOT_REVOKED in sightings(built)
    assert "down" in (built.one.revocation or finding("x", "x")).summary.plain()
    built.advance(timedelta(hours=1))
    assert serial in built.ca.revoked
    assert NOT_REVOKED not in sightings(built)
    assert built.one.revocation is None


def test_a_ca_that_is_in_the_settings_no_more_is_said() -> None:
    built = installed()
    revoke(built, COMPROMISE)
    built.cas.pop("first")
    built.work()
    assert "is no longer in app.yaml" in stored(built).error.plain()


def test_what_is_retired_is_revoked_without_a_replacement() -> None:
    built = installed()
    built.change(state=State.RETIRED, wanted=(), run_after=None)
    assert revoke(built, Reason.CESSATION).stage is Stage.REVOKING
    built.work()
    assert len(built.ca.revoked) == 1
    assert built.one.state is State.RETIRED


def test_an_older_one_is_revoked_without_touching_what_is_installed() -> None:
    built = installed()
    first, serial = old(built)
    built.renew(*NAMES)
    built.settle()
    before = built.one
    assert revoke(built, SUPERSEDED, first).stage is Stage.REVOKING
    built.work()
    assert built.ca.revoked == {serial: (4, "account")}
    assert (built.one.installed, built.one.state) == (before.installed, before.state)


def test_one_revision_is_revoked_once() -> None:
    built = installed()
    revoke(built)
    with pytest.raises(NothingToRevokeError):
        revoke(built)
    row, now = built.one, built.now
    found = built.reading(lambda tx: tx.revocations.of(row.id))
    assert not asking.revocable(built.revisions, found, row.installed, now)
    assert asking.revocable(built.revisions, (), row.installed, now)
    assert not asking.revocable(built.revisions, (), row.installed, now + timedelta(days=91))


def test_an_attempt_that_comes_to_nothing_begins_again() -> None:
    built = installed()
    revision, serial = old(built)
    revoke(built)
    built.change(state=State.INSTALLED, asked=False, run_after=None)
    built.advance(SOON)
    assert built.one.installed != revision
    assert serial in built.ca.revoked


@pytest.mark.parametrize("state", [State.FINALIZING, State.DEPLOYING, State.VERIFYING])
def test_a_key_that_is_barred_on_the_way_is_neither_sent_nor_deployed(state: State) -> None:
    built = installed()
    built.edge.stale = state is State.VERIFYING
    built.ca.slow = False
    built.renew(*NAMES)
    _until(built, state)
    draft = built.reading(lambda tx: tx.certificates.revision(built.one.next or ""))
    with built.storage.write() as tx:
        asking.bar(tx, replace(draft, serial="0a"), "T1/U1", built.now)
    sent, deployed = list(built.ca.csrs), built.target.deployments
    built.edge.stale = False
    built.settle()
    assert built.one.installed != draft.id
    assert spki_hash(built.live.csr) != spki_hash(draft.csr)
    assert [row.state for row in built.happened("key_barred")] == [State.PREPARING.value]
    if state is State.FINALIZING:
        assert draft.csr not in built.ca.csrs[len(sent) :]
    if state is State.DEPLOYING:
        assert built.target.deployments == deployed + 1


def _until(built: Built, state: State) -> Certificate:
    """Do one step after another until the certificate is in ``state``."""
    for _ in range(100):
        if built.one.state is state:
            return built.one
        with built.storage.write() as tx:
            rows = tx.certificates.claim(built.now, built.renewing.lease, 10)
        for row in rows:
            runner.run(built.parts, row, keep_going=lambda: False)
        built.now += timedelta(seconds=1)
    raise AssertionError(built.one)


@pytest.mark.parametrize("kept", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("reason", [SUPERSEDED, COMPROMISE])
def test_it_is_done_once_whichever_write_the_process_dies_at(reason: Reason, *, kept: bool) -> None:
    died = 0
    for at in range(1, 40):
        storage = FaultyStorage()
        built = installed(storage)
        revision, serial = old(built)
        revoke(built, reason)
        storage.writes, storage.dies_at, storage.kept = 0, at, kept
        for _ in range(30):
            try:
                built.advance(timedelta(minutes=5))
            except CrashError:
                died += 1
        assert stored(built).stage is Stage.DONE, at
        assert set(built.ca.revoked) == {serial}
        assert built.one.installed != revision
        assert len(built.happened("revoked")) == 1
        if storage.writes < at:
            break
    assert died > 10
