"""What is asked of alerts: what is open, how many there were lately, what a digest tells of."""

from collections.abc import Sequence

from services.model.alerts import Alert, Severity, collective_key
from services.ports import Storage
from tests.contract import samples
from tests.contract.samples import DAY, MINUTE, NOW


def _add(storage: Storage, *alerts: Alert) -> None:
    with storage.write() as tx:
        for alert in alerts:
            assert tx.alerts.add(alert)


def _ids(alerts: Sequence[Alert]) -> list[str]:
    return [alert.id for alert in alerts]


def test_the_listing_has_the_gravest_first_then_the_earliest_deadline(storage: Storage) -> None:
    _add(
        storage,
        samples.alert(1, severity=Severity.WARNING, earliest=NOW, said=Severity.WARNING),
        samples.alert(2, severity=Severity.URGENT, earliest=None, said=Severity.URGENT),
        samples.alert(3, severity=Severity.URGENT, earliest=NOW + DAY),
        samples.alert(4, severity=Severity.URGENT, earliest=NOW + MINUTE, said=Severity.WARNING),
        samples.alert(6, severity=Severity.URGENT, earliest=NOW + DAY),
        samples.alert(7, severity=Severity.CRITICAL, healed_at=NOW, said=Severity.CRITICAL),
        samples.alert(8, severity=Severity.CRITICAL, members=0, said=Severity.CRITICAL),
    )
    with storage.read() as tx:
        every = ["alert_4", "alert_3", "alert_6", "alert_2", "alert_1"]
        assert _ids(tx.alerts.listing()) == every
        assert _ids(tx.alerts.listing(2)) == every[:2]
        assert _ids(tx.alerts.listing(told=True)) == ["alert_4", "alert_2", "alert_1"]
        assert _ids(tx.alerts.listing(1, told=True)) == ["alert_4"]


def test_with_no_alerts_there_is_nothing_to_say(storage: Storage) -> None:
    with storage.read() as tx:
        assert list(tx.alerts.listing()) == []
        assert tx.alerts.opened_since("dns.lame", NOW) == 0
        assert [list(part) for part in tx.alerts.between(NOW, NOW + DAY)] == [[], []]


def test_what_was_opened_lately_is_counted_by_code_without_the_collective_one(storage: Storage) -> None:
    _add(
        storage,
        samples.alert(1, opened_at=NOW),
        samples.alert(2, opened_at=NOW + MINUTE),
        samples.alert(3, opened_at=NOW + MINUTE, healed_at=NOW + DAY),
        samples.alert(4, opened_at=NOW + MINUTE, key=collective_key("dns.lame")),
        samples.alert(5, opened_at=NOW + MINUTE, code="dns.servfail"),
    )
    with storage.read() as tx:
        counts = [tx.alerts.opened_since("dns.lame", NOW - t * MINUTE) for t in (1, 0, -1)]
    assert counts == [3, 2, 0]


def test_open_alerts_that_many_share_are_found_by_code(storage: Storage) -> None:
    _add(
        storage,
        samples.alert(1, key="dns.lame ns2", wide=True),
        samples.alert(2, key="dns.lame ns1", wide=True),
        samples.alert(3, key="dns.lame ns3", wide=True, healed_at=NOW + DAY),
        samples.alert(4, key="dns.lame moon.test", wide=False),
        samples.alert(5, key="dns.servfail ns1", code="dns.servfail", wide=True),
    )
    with storage.read() as tx:
        assert _ids(tx.alerts.shared("dns.lame")) == ["alert_2", "alert_1"]
        assert _ids(tx.alerts.shared("dns.no_address")) == []


def test_what_was_told_of_is_found_by_when_it_opened_and_healed(storage: Storage) -> None:
    told = {"said": Severity.WARNING}
    _add(
        storage,
        samples.alert(1, opened_at=NOW + MINUTE, **told),
        samples.alert(2, opened_at=NOW, healed_at=NOW + 3 * MINUTE, **told),
        samples.alert(3, opened_at=NOW - DAY, healed_at=NOW, **told),
        samples.alert(4, opened_at=NOW, healed_at=NOW + MINUTE),
        samples.alert(5, opened_at=NOW + DAY, **told),
        samples.alert(6, opened_at=NOW - DAY, healed_at=NOW + DAY, **told),
    )
    with storage.read() as tx:
        opened, healed = tx.alerts.between(NOW, NOW + DAY)
    assert (_ids(opened), _ids(healed)) == (["alert_2", "alert_1"], ["alert_3", "alert_2"])
