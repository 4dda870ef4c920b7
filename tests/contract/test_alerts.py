"""Alerts: one open one for each cause, a queue that misses no change of members."""

from collections.abc import Sequence
from dataclasses import MISSING, fields, replace
from datetime import datetime

import pytest

from services.model.alerts import Alert
from services.model.errors import LeaseLostError
from services.ports import Storage
from tests.contract import samples
from tests.contract.samples import DAY, LEASE, MINUTE, NOW, together

KEY = "dns.lame ns1.other.test"


def _add(storage: Storage, *alerts: Alert) -> list[bool]:
    with storage.write() as tx:
        return [tx.alerts.add(alert) for alert in alerts]


def _stored(storage: Storage, id_: str = "alert_1") -> Alert:
    with storage.read() as tx:
        found = tx.alerts.get(id_)
    assert found is not None
    return found


def _claim(storage: Storage, now: datetime = NOW, limit: int = 10) -> list[Alert]:
    with storage.write() as tx:
        return list(tx.alerts.claim(now, LEASE, limit))


def _save(storage: Storage, alert: Alert) -> None:
    with storage.write() as tx:
        tx.alerts.save(alert)


def _change(storage: Storage, alert: Alert, now: datetime = NOW) -> bool:
    with storage.write() as tx:
        return tx.alerts.change(alert, now)


def _stir(storage: Storage, due_at: datetime, key: str = KEY) -> None:
    with storage.write() as tx:
        tx.alerts.stir(key, due_at)


def _ids(alerts: Sequence[Alert]) -> list[str]:
    return [alert.id for alert in alerts]


# --- one open one for each cause ------------------------------------------------------------------------------------


def test_an_alert_comes_back_as_it_was_added(storage: Storage) -> None:
    assert _add(storage, samples.full_alert()) == [True]
    assert _stored(storage) == samples.full_alert()
    with storage.read() as tx:
        assert tx.alerts.get("alert_2") is None


def test_the_sample_has_no_default_left() -> None:
    """So that a new field which nobody stores fails the test above."""
    full = samples.full_alert()
    left = [f.name for f in fields(full) if f.default is not MISSING and getattr(full, f.name) == f.default]
    assert left == []


def test_a_cause_has_one_open_alert_and_any_number_of_healed_ones(storage: Storage) -> None:
    healed = [samples.alert(n, key=KEY, healed_at=NOW) for n in (1, 2)]
    assert _add(storage, *healed, samples.alert(3, key=KEY)) == [True, True, True]
    assert _add(storage, samples.alert(4, key=KEY, members=9), samples.alert(5)) == [False, True]
    with storage.read() as tx:
        assert tx.alerts.get("alert_4") is None
        assert tx.alerts.get("alert_3") == samples.alert(3, key=KEY)


def test_of_two_that_open_an_alert_at_once_one_does(storage: Storage) -> None:
    def open_it(number: int) -> bool:
        return _add(storage, samples.alert(number, key=KEY))[0]

    assert sorted(together(*(lambda n=n: open_it(n) for n in range(4)))) == [False, False, False, True]


def test_the_latest_is_the_one_that_was_opened_last(storage: Storage) -> None:
    with storage.read() as tx:
        assert tx.alerts.latest(KEY) is None
    old = samples.alert(2, key=KEY, healed_at=NOW, opened_at=NOW - DAY)
    new = samples.alert(1, key=KEY, healed_at=NOW)
    _add(storage, new, old, samples.alert(7, opened_at=NOW + DAY))
    with storage.read() as tx:
        assert tx.alerts.latest(KEY) == new


# --- the queue ------------------------------------------------------------------------------------------------------


def test_due_alerts_are_claimed_the_longest_due_first(storage: Storage) -> None:
    _add(
        storage,
        samples.alert(1, due_at=NOW),
        samples.alert(2, due_at=NOW - MINUTE, healed_at=NOW),
        samples.alert(3, due_at=NOW + MINUTE),
        samples.alert(4, due_at=None),
        samples.alert(5, due_at=NOW - 2 * MINUTE),
    )
    first = _claim(storage, limit=2)
    assert _ids(first) == ["alert_5", "alert_2"]
    assert [(a.fence, a.lease_until) for a in first] == [(1, NOW + LEASE)] * 2
    assert _ids(_claim(storage)) == ["alert_1"]
    assert _claim(storage) == []
    assert _ids(_claim(storage, NOW + LEASE)) == ["alert_5", "alert_2", "alert_1", "alert_3"]


def test_a_save_writes_what_changes_and_keeps_what_does_not(storage: Storage) -> None:
    _add(storage, samples.alert())
    (mine,) = _claim(storage)
    full = replace(samples.full_alert(), id=mine.id, fence=mine.fence, stirred=77, lease_until=NOW + LEASE)
    _save(storage, replace(full, code="x", thing="x", wide=True, opened_at=NOW + DAY))
    assert _stored(storage) == replace(full, stirred=0, lease_until=None)


def test_a_save_with_an_old_fence_is_refused(storage: Storage) -> None:
    _add(storage, samples.alert())
    (late,) = _claim(storage)
    (present,) = _claim(storage, NOW + LEASE)
    with pytest.raises(LeaseLostError):
        _save(storage, replace(late, version=9))
    with pytest.raises(LeaseLostError):
        _save(storage, samples.alert(2))
    assert _stored(storage) == present


@pytest.mark.parametrize(
    ("stirred_to", "saved", "next_look"),
    [
        (NOW + MINUTE, NOW + DAY, NOW),  # it was due at NOW already, and stays so
        (NOW - MINUTE, NOW + DAY, NOW - MINUTE),
        (NOW + MINUTE, None, NOW),
        (NOW + MINUTE, NOW - DAY, NOW - DAY),
        (None, NOW + DAY, NOW + DAY),
        (None, None, None),
    ],
)
def test_members_that_changed_while_it_was_tended_are_looked_at_again(
    storage: Storage, stirred_to: datetime | None, saved: datetime | None, next_look: datetime | None
) -> None:
    _add(storage, samples.alert())
    (mine,) = _claim(storage)
    if stirred_to is not None:
        _stir(storage, stirred_to)
    _save(storage, replace(mine, due_at=saved))
    assert _stored(storage).due_at == next_look
    assert _stored(storage).stirred == (0 if stirred_to is None else 1)


def test_what_was_seen_of_a_stir_does_not_bring_it_back(storage: Storage) -> None:
    _add(storage, samples.alert())
    _stir(storage, NOW)
    (mine,) = _claim(storage)
    _save(storage, replace(mine, due_at=NOW + DAY))
    assert _stored(storage).due_at == NOW + DAY


def test_a_stir_brings_the_next_look_forward_and_never_puts_it_off(storage: Storage) -> None:
    _add(storage, samples.alert(due_at=None), samples.alert(2, key=KEY, healed_at=NOW, due_at=None))
    for due_at, expected in ((MINUTE, MINUTE), (2 * MINUTE, MINUTE), (-MINUTE, -MINUTE)):
        _stir(storage, NOW + due_at)
        assert _stored(storage).due_at == NOW + expected
    _stir(storage, NOW, key="dns.lame nobody")
    assert (_stored(storage).stirred, _stored(storage, "alert_2").stirred) == (3, 0)
    assert _stored(storage, "alert_2").due_at is None


def test_a_stir_while_it_heals_leaves_the_healed_one_due(storage: Storage) -> None:
    _add(storage, samples.alert())
    (mine,) = _claim(storage)
    _stir(storage, NOW)
    _save(storage, replace(mine, healed_at=NOW, due_at=None))
    assert _ids(_claim(storage)) == ["alert_1"]


# --- changes from outside -------------------------------------------------------------------------------------------


def test_a_change_from_outside_raises_the_fence(storage: Storage) -> None:
    _add(storage, samples.alert())
    (held,) = _claim(storage)
    late = NOW + LEASE
    changed = replace(held, acked_by="T1/U1", version=2, due_at=NOW + DAY)
    assert _change(storage, changed, late)
    assert _stored(storage) == replace(changed, fence=2, lease_until=None)
    with pytest.raises(LeaseLostError):
        _save(storage, held)


def test_a_change_is_refused_while_it_is_tended_or_when_it_has_moved(storage: Storage) -> None:
    _add(storage, samples.alert())
    seen = _stored(storage)
    (held,) = _claim(storage)
    assert not _change(storage, replace(held, version=2), NOW + LEASE / 2)
    _save(storage, held)
    assert not _change(storage, replace(seen, version=2))
    assert not _change(storage, samples.alert(2))
    assert _stored(storage) == replace(held, lease_until=None)
    assert _change(storage, replace(held, version=2))


def test_a_change_does_not_put_off_a_stir_that_it_did_not_see(storage: Storage) -> None:
    _add(storage, samples.alert(due_at=NOW + 3 * DAY))
    seen = _stored(storage)
    _stir(storage, NOW + MINUTE)
    assert _change(storage, replace(seen, snoozed_until=NOW + DAY, due_at=NOW + DAY))
    assert _stored(storage).due_at == NOW + MINUTE


def test_of_two_clicks_at_once_one_changes_it(storage: Storage) -> None:
    _add(storage, samples.alert())
    seen = _stored(storage)

    def click(person: str) -> bool:
        return _change(storage, replace(seen, acked_by=person, version=2))

    assert sorted(together(lambda: click("T1/U1"), lambda: click("T1/U2"))) == [False, True]
    assert _stored(storage).fence == 1


def test_an_alert_is_not_reopened_beside_an_open_one(storage: Storage) -> None:
    old = samples.alert(1, key=KEY, healed_at=NOW)
    _add(storage, old, samples.alert(2, key=KEY, due_at=None))
    with storage.write() as tx:
        assert not tx.alerts.change(replace(old, healed_at=None), NOW)
        tx.alerts.stir(KEY, NOW + DAY)  # the transaction goes on
    assert _stored(storage) == old
    (mine,) = _claim(storage)
    with pytest.raises(LeaseLostError):
        _save(storage, replace(mine, healed_at=None))
    _save(storage, mine)
    with storage.write() as tx:
        (other,) = tx.alerts.claim(NOW + DAY, LEASE, 5)[-1:]
        tx.alerts.save(replace(other, healed_at=NOW, due_at=None))
    again = replace(_stored(storage), healed_at=None)
    assert _change(storage, again, NOW + 2 * DAY)
    assert _stored(storage).open
