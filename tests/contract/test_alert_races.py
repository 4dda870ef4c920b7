"""Alerts on PostgreSQL, where transactions really overlap: one that waited sees what it waited for."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, text

from services.model.alerts import Alert
from storage.database import Database
from tests.contract import samples
from tests.contract.samples import DAY, LEASE, MINUTE, NOW, together

KEY = samples.alert().key
PATIENCE = 20.0  # seconds until what never comes fails the test
WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


class Overlapping:
    """A transaction in a thread of its own that is to wait for the test's."""

    def __init__(self, database: Database, work: Callable[[Any], Any]) -> None:
        self._database, self._work = database, work
        self._result: list[Any] = []
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with self._database.write() as tx:
            self._result.append(self._work(tx))

    def start_and_wait_for_a_lock(self) -> None:
        self._thread.start()
        deadline = time.monotonic() + PATIENCE
        while self._waiting() == 0:
            assert self._thread.is_alive(), "it did not wait"
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def _waiting(self) -> int:
        with self._database.reading() as connection:
            return int(connection.execute(WAITING).scalar_one())

    def result(self) -> Any:
        self._thread.join(PATIENCE)
        (found,) = self._result
        return found


@pytest.fixture
def database(postgres_storage: Database) -> Database:
    with postgres_storage.write() as tx:
        assert tx.alerts.add(samples.alert())
    return postgres_storage


@contextmanager
def _overlapping(database: Database, work: Callable[[Any], Any]) -> Iterator[tuple[Any, Overlapping]]:
    """Yield an open transaction and one in another thread, which is to be started within."""
    other = Overlapping(database, work)
    with database.write() as tx:
        yield tx, other


def _claimed(database: Database) -> Alert:
    with database.write() as tx:
        (mine,) = tx.alerts.claim(NOW, LEASE, 1)
    return mine


def _stored(database: Database, id_: str = "alert_1") -> Alert:
    with database.read() as tx:
        found = tx.alerts.get(id_)
    assert found is not None
    return found


def test_a_save_that_waited_for_a_stir_keeps_what_it_asked_for(database: Database) -> None:
    mine = _claimed(database)
    rested = replace(mine, due_at=NOW + DAY)
    with _overlapping(database, lambda tx: tx.alerts.save(rested)) as (tx, saving):
        tx.alerts.stir(KEY, NOW + MINUTE)
        saving.start_and_wait_for_a_lock()
    saving.result()
    after = _stored(database)
    assert (after.due_at, after.stirred, after.lease_until) == (NOW, 1, None)


def test_a_stir_that_waited_for_a_save_is_not_lost(database: Database) -> None:
    mine = _claimed(database)
    with _overlapping(database, lambda tx: tx.alerts.stir(KEY, NOW + MINUTE)) as (tx, stirring):
        tx.alerts.save(replace(mine, due_at=NOW + DAY, version=2))
        stirring.start_and_wait_for_a_lock()
    stirring.result()
    after = _stored(database)
    assert (after.due_at, after.stirred, after.version) == (NOW + MINUTE, 1, 2)


def test_of_two_changes_the_one_that_waited_sees_that_it_has_moved(database: Database) -> None:
    seen = _stored(database)
    late = replace(seen, acked_by="T1/U2", version=2)
    with _overlapping(database, lambda tx: tx.alerts.change(late, NOW)) as (tx, changing):
        assert tx.alerts.change(replace(seen, acked_by="T1/U1", version=2), NOW)
        changing.start_and_wait_for_a_lock()
    assert changing.result() is False
    assert _stored(database).acked_by == "T1/U1"


def test_a_change_that_waited_for_a_stir_keeps_what_it_asked_for(database: Database) -> None:
    seen = _claimed(database)
    with database.write() as tx:
        tx.alerts.save(replace(seen, due_at=NOW + DAY))
    snoozed = replace(_stored(database), snoozed_until=NOW + DAY, due_at=NOW + DAY)
    with _overlapping(database, lambda tx: tx.alerts.change(snoozed, NOW)) as (tx, changing):
        tx.alerts.stir(KEY, NOW + MINUTE)
        changing.start_and_wait_for_a_lock()
    assert changing.result() is True
    assert _stored(database).due_at == NOW + MINUTE


def test_a_change_that_waited_for_a_claim_is_refused(database: Database) -> None:
    seen = _stored(database)
    changed = replace(seen, version=2)
    with _overlapping(database, lambda tx: tx.alerts.change(changed, NOW)) as (tx, changing):
        assert len(tx.alerts.claim(NOW, LEASE, 1)) == 1
        changing.start_and_wait_for_a_lock()
    assert changing.result() is False
    assert _stored(database).version == 1


def test_a_new_member_waits_for_a_healing_and_opens_a_new_alert(database: Database) -> None:
    mine = _claimed(database)

    def join(tx: Any) -> bool:
        tx.alerts.stir(KEY, NOW)
        return bool(tx.alerts.add(samples.alert(2, key=KEY)))

    with _overlapping(database, join) as (tx, joining):
        tx.alerts.save(replace(mine, healed_at=NOW, due_at=None))
        joining.start_and_wait_for_a_lock()
    assert joining.result() is True
    assert not _stored(database).open
    assert _stored(database, "alert_2").open


def test_an_alert_that_a_new_member_was_told_to_be_open_cannot_heal_meanwhile(database: Database) -> None:
    mine = _claimed(database)
    healed = replace(mine, healed_at=NOW, due_at=None)
    with _overlapping(database, lambda tx: tx.alerts.save(healed)) as (tx, healing):
        assert not tx.alerts.add(samples.alert(2, key=KEY))
        healing.start_and_wait_for_a_lock()
        tx.alerts.stir(KEY, NOW + MINUTE)
    healing.result()
    assert _stored(database).due_at == NOW  # it is looked at again, and found to have a member


def test_an_alert_that_heals_between_two_looks_makes_room_for_a_new_one(database: Database) -> None:
    mine = _claimed(database)

    def heal() -> None:
        with database.write() as tx:
            tx.alerts.save(replace(mine, healed_at=NOW, due_at=None))

    def meanwhile(*given: Any) -> None:
        if "FOR NO KEY UPDATE" in given[2] and _stored(database).open:
            together(heal)

    engine = database._engines.write
    event.listen(engine, "before_cursor_execute", meanwhile)
    try:
        with database.write() as tx:
            assert tx.alerts.add(samples.alert(2, key=KEY))
    finally:
        event.remove(engine, "before_cursor_execute", meanwhile)
    assert not _stored(database).open
    assert _stored(database, "alert_2").open


def test_who_opens_an_alert_while_another_is_reopened_joins_that_one(database: Database) -> None:
    mine = _claimed(database)
    with database.write() as tx:
        tx.alerts.save(replace(mine, healed_at=NOW, due_at=None))
    again = replace(_stored(database), healed_at=None)
    with _overlapping(database, lambda tx: tx.alerts.add(samples.alert(2, key=KEY))) as (tx, opening):
        assert tx.alerts.change(again, NOW)
        opening.start_and_wait_for_a_lock()
    assert opening.result() is False
    assert _stored(database).open


def test_who_reopens_an_alert_while_another_is_opened_is_told_so(database: Database) -> None:
    mine = _claimed(database)
    with database.write() as tx:
        tx.alerts.save(replace(mine, healed_at=NOW, due_at=None))
    again = replace(_stored(database), healed_at=None)

    def reopen(tx: Any) -> bool:
        done = bool(tx.alerts.change(again, NOW))
        tx.alerts.stir(KEY, NOW - DAY)  # the transaction goes on
        return done

    with _overlapping(database, reopen) as (tx, reopening):
        assert tx.alerts.add(samples.alert(2, key=KEY))
        reopening.start_and_wait_for_a_lock()
    assert reopening.result() is False
    assert not _stored(database).open
    assert _stored(database, "alert_2").due_at == NOW - DAY


def test_what_a_look_and_a_step_find_at_one_moment_is_not_mixed(database: Database) -> None:
    """Both replace the findings of one certificate, of which there are none yet: the later one's stand."""
    samples.add(database, samples.certificate())
    step = [samples.finding("dns.lame"), samples.finding("dns.servfail")]

    def save(tx: Any) -> None:
        tx.certificates.put_findings("cert_001", step)

    with _overlapping(database, save) as (tx, saving):
        tx.certificates.put_findings("cert_001", [samples.finding()])
        saving.start_and_wait_for_a_lock()
    saving.result()
    with database.read() as tx:
        assert [one.code for one in tx.certificates.findings("cert_001")] == ["dns.lame", "dns.servfail"]
