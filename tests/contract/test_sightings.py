"""Sightings: who suffers from what, the members of an alert, and what will not renew as things stand."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest

from services.model.alerts import SELF, Forecast, Outlook, Severity, Sighting, Tally
from services.model.findings import Owner
from services.model.stores import Store
from services.ports import Storage
from tests.contract import samples
from tests.contract.samples import DAY, MINUTE, NOW, add

KEY = samples.sighting().key
UNTIL = NOW + 30 * DAY
BANDS = {Severity.WARNING: NOW + 21 * DAY, Severity.URGENT: NOW + 7 * DAY, Severity.CRITICAL: NOW + 2 * DAY}


def _put(storage: Storage, *sightings: Sighting) -> None:
    with storage.write() as tx:
        for sighting in sightings:
            tx.alerts.put_sighting(sighting)


def _of(storage: Storage, certificate: str = "cert_001") -> list[Sighting]:
    with storage.read() as tx:
        return list(tx.alerts.sightings(certificate))


def _certificates(sightings: Sequence[Sighting]) -> list[str]:
    return [sighting.certificate for sighting in sightings]


# --- rows -----------------------------------------------------------------------------------------------------------


def test_a_sighting_comes_back_as_it_was_put(storage: Storage) -> None:
    full = samples.sighting()
    assert [f.name for f in fields(full) if getattr(full, f.name) is None] == []
    bare = samples.sighting(2, deadline=None, lifetime=None, renews_at=None, confirmed=False, blocks=False)
    _put(storage, full, bare)
    assert _of(storage) == [full]
    assert _of(storage, "cert_002") == [bare]
    assert _of(storage, "cert_003") == []


def test_a_second_one_of_the_same_cause_takes_the_place_of_the_first(storage: Storage) -> None:
    changed = samples.sighting(alert="dns.lame *", position=3, last_seen=NOW + DAY, confirmed=False)
    _put(storage, samples.sighting(), changed)
    assert _of(storage) == [changed]


def test_what_a_certificate_suffers_from_is_listed_by_position(storage: Storage) -> None:
    _put(storage, *(samples.sighting(key=f"dns.lame ns{n}", position=p) for n, p in ((1, 2), (2, 0), (3, 1))))
    assert [s.key for s in _of(storage)] == ["dns.lame ns2", "dns.lame ns3", "dns.lame ns1"]


def test_one_that_is_dropped_is_gone_and_the_others_stay(storage: Storage) -> None:
    other = samples.sighting(key="dns.lame ns2")
    _put(storage, samples.sighting(), other, samples.sighting(2))
    for _ in range(2):
        with storage.write() as tx:
            tx.alerts.drop_sighting("cert_001", KEY)
    assert _of(storage) == [other]
    assert _of(storage, "cert_002") == [samples.sighting(2)]


def test_certdesks_own_health_has_no_certificate(storage: Storage) -> None:
    mine = samples.sighting(certificate=SELF, store="", blocks=False)
    _put(storage, mine)
    assert _of(storage, SELF) == [mine]


# --- members --------------------------------------------------------------------------------------------------------


def test_members_are_the_confirmed_ones_by_deadline(storage: Storage) -> None:
    last = samples.sighting(1, deadline=None)
    _put(
        storage,
        last,
        samples.sighting(4),
        samples.sighting(3, deadline=NOW + 2 * DAY, blocks=False),
        samples.sighting(2, store="sun"),
        samples.sighting(5, confirmed=False),
        samples.sighting(6, alert="dns.lame *"),
    )
    with storage.read() as tx:
        assert _certificates(tx.alerts.members(KEY)) == ["cert_002", "cert_003", "cert_004", "cert_001"]
        assert _certificates(tx.alerts.members(KEY, 2)) == ["cert_002", "cert_003"]
        assert _certificates(tx.alerts.members(KEY, store="moon")) == ["cert_003", "cert_004", "cert_001"]
        assert _certificates(tx.alerts.members(KEY, 1, store="moon")) == ["cert_003"]
        assert _certificates(tx.alerts.members("dns.lame *")) == ["cert_006"]
        assert list(tx.alerts.members(KEY, store="none")) == []
        assert _certificates(tx.alerts.members(KEY, blocking=True)) == ["cert_002", "cert_004", "cert_001"]
        assert _certificates(tx.alerts.members(KEY, 1, store="moon", blocking=True)) == ["cert_004"]
        assert list(tx.alerts.members("none")) == []


def test_members_are_counted(storage: Storage) -> None:
    with storage.read() as tx:
        assert tx.alerts.tally(KEY) == Tally()
    _put(
        storage,
        samples.sighting(1, deadline=None, blocks=False),
        samples.sighting(2, store="sun"),
        samples.sighting(3),
        samples.sighting(4, confirmed=False, deadline=NOW),
    )
    with storage.read() as tx:
        assert tx.alerts.tally(KEY) == Tally(certificates=3, stores=2, blocked=2, earliest=NOW + 2 * DAY)


def test_a_certificate_with_several_causes_of_one_alert_counts_once(storage: Storage) -> None:
    _put(storage, *(samples.sighting(key=f"dns.lame ns{n}", alert="dns.lame *") for n in range(3)))
    with storage.read() as tx:
        assert tx.alerts.tally("dns.lame *") == Tally(1, 1, 1, NOW + DAY)
        assert len(tx.alerts.members("dns.lame *")) == 3


def test_tags_are_those_of_the_confirmed_members_stores(storage: Storage) -> None:
    with storage.write() as tx:
        tx.stores.put(Store("moon", tags=("enterprise", "korea")))
        tx.stores.put(Store("sun", tags=("beta", "enterprise")))
        tx.stores.put(Store("mars", tags=("quiet",)))
        tx.stores.put(Store("plain"))
    _put(
        storage,
        samples.sighting(1),
        samples.sighting(2, store="sun"),
        samples.sighting(3, store="mars", confirmed=False),
        samples.sighting(4, store="plain"),
        samples.sighting(5, store="unknown"),
    )
    with storage.read() as tx:
        assert tx.alerts.tags(KEY, ["enterprise", "beta", "quiet", "x"]) == {"enterprise", "beta"}
        assert tx.alerts.tags(KEY, []) == frozenset()
        assert tx.alerts.tags("none", ["enterprise"]) == frozenset()


def test_a_store_keeps_its_tags_and_tells_when_they_change(storage: Storage) -> None:
    with storage.write() as tx:
        assert tx.stores.put(Store("moon", tags=("a", "한국")))
        assert not tx.stores.put(Store("moon", tags=("a", "한국")))
        assert tx.stores.get("moon") == Store("moon", tags=("a", "한국"))
        assert tx.stores.put(Store("moon"))
        assert list(tx.stores.all()) == [Store("moon")]


# --- forecast -------------------------------------------------------------------------------------------------------


def _installed(storage: Storage, count: int, **changes: Any) -> None:
    """Add certificates 1 to ``count``, each of a store of its own, of which number n renews n days from NOW."""
    add(
        storage,
        *(
            samples.certificate(
                n, **{"store": f"store_{n}", "installed": "rev", "renew_at": NOW + n * DAY, **changes}
            )
            for n in range(1, count + 1)
        ),
    )


def test_with_nothing_installed_nothing_is_due(storage: Storage) -> None:
    add(storage, samples.certificate(renew_at=NOW), samples.certificate(2, installed="rev"))
    _put(storage, samples.sighting())
    with storage.read() as tx:
        assert tx.alerts.forecast(UNTIL, BANDS) == Forecast(UNTIL, 0, 0, ())
        assert list(tx.alerts.blocked(UNTIL, "dns.lame")) == []


def test_what_is_due_is_counted_whether_it_is_blocked_or_not(storage: Storage) -> None:
    _installed(storage, 5)
    with storage.read() as tx:
        assert tx.alerts.forecast(NOW + 3 * DAY, BANDS) == Forecast(NOW + 3 * DAY, 3, 0, ())
        assert tx.alerts.forecast(NOW + 3 * DAY - timedelta(microseconds=1), BANDS).due == 2


def test_only_confirmed_blockers_of_what_is_due_count(storage: Storage) -> None:
    _installed(storage, 4)
    _put(
        storage,
        samples.sighting(1),
        samples.sighting(2, blocks=False),
        samples.sighting(3, confirmed=False),
        samples.sighting(4),  # due a day later
        samples.sighting(9),  # no such certificate
    )
    outlook = Outlook("dns.lame", Owner.MERCHANT, Severity.CRITICAL, 1, NOW + DAY, "shop001.test")
    with storage.read() as tx:
        assert tx.alerts.forecast(NOW + 3 * DAY, BANDS) == Forecast(NOW + 3 * DAY, 3, 1, (outlook,))
        assert _certificates(tx.alerts.blocked(NOW + 3 * DAY, "dns.lame")) == ["cert_001"]


def test_a_certificate_counts_once_by_its_foremost_blocker(storage: Storage) -> None:
    _installed(storage, 1)
    foremost = samples.sighting(key="dns.b x", code="dns.b", position=1, owner=Owner.PLATFORM)
    _put(
        storage,
        samples.sighting(key="dns.w x", code="dns.w", position=0, blocks=False),
        samples.sighting(key="dns.c x", code="dns.c", position=2),
        foremost,
    )
    with storage.read() as tx:
        found = tx.alerts.forecast(UNTIL, BANDS)
        assert (found.due, found.blocked) == (1, 1)
        assert [(row.code, row.owner, row.certificates) for row in found.rows] == [
            ("dns.b", Owner.PLATFORM, 1)
        ]
        assert list(tx.alerts.blocked(UNTIL, "dns.b")) == [foremost]
        assert list(tx.alerts.blocked(UNTIL, "dns.c")) == []


@pytest.mark.parametrize(
    ("deadline", "band"),
    [
        (2 * DAY, Severity.CRITICAL),
        (2 * DAY + MINUTE, Severity.URGENT),
        (-DAY, Severity.CRITICAL),
        (7 * DAY, Severity.URGENT),
        (21 * DAY, Severity.WARNING),
        (22 * DAY, Severity.INFO),
        (None, Severity.INFO),
    ],
)
def test_the_band_is_the_highest_that_the_deadline_falls_in(
    storage: Storage, deadline: timedelta | None, band: Severity
) -> None:
    _installed(storage, 1)
    _put(storage, samples.sighting(deadline=None if deadline is None else NOW + deadline))
    with storage.read() as tx:
        assert [row.band for row in tx.alerts.forecast(UNTIL, BANDS).rows] == [band]
        assert [row.band for row in tx.alerts.forecast(UNTIL, {}).rows] == [Severity.INFO]


def test_the_largest_groups_come_first_each_with_its_earliest(storage: Storage) -> None:
    _installed(storage, 8)
    _put(
        storage,
        samples.sighting(1, deadline=NOW + 6 * DAY),
        samples.sighting(2, deadline=NOW + 5 * DAY),
        samples.sighting(3, deadline=None),
        samples.sighting(4, deadline=None, owner=Owner.PLATFORM),
        samples.sighting(5, deadline=NOW + DAY),
        *(samples.sighting(n, code="dns.servfail", deadline=NOW + n * DAY / 10) for n in (6, 7, 8)),
    )
    with storage.read() as tx:
        found = tx.alerts.forecast(UNTIL, BANDS)
    assert (found.due, found.blocked) == (8, 8)
    merchant = Owner.MERCHANT
    assert found.rows == (
        Outlook("dns.servfail", merchant, Severity.CRITICAL, 3, NOW + 6 * DAY / 10, "shop006.test"),
        Outlook("dns.lame", merchant, Severity.URGENT, 2, NOW + 5 * DAY, "shop002.test"),
        Outlook("dns.lame", merchant, Severity.CRITICAL, 1, NOW + DAY, "shop005.test"),
        Outlook("dns.lame", merchant, Severity.INFO, 1, None, "shop003.test"),
        Outlook("dns.lame", Owner.PLATFORM, Severity.INFO, 1, None, "shop004.test"),
    )


def test_it_can_be_asked_for_some_stores_only(storage: Storage) -> None:
    _installed(storage, 4)
    _put(storage, samples.sighting(1), samples.sighting(2), samples.sighting(4))
    some = frozenset({"store_2", "store_3", "한국"})
    with storage.read() as tx:
        found = tx.alerts.forecast(UNTIL, BANDS, some)
        assert (found.due, found.blocked, found.rows[0].example) == (2, 1, "shop002.test")
        assert _certificates(tx.alerts.blocked(UNTIL, "dns.lame", stores=some)) == ["cert_002"]
        assert tx.alerts.forecast(UNTIL, BANDS, frozenset()) == Forecast(UNTIL, 0, 0, ())
        assert list(tx.alerts.blocked(UNTIL, "dns.lame", stores=frozenset())) == []
        many = frozenset(f"store_{n}" for n in range(40_000))
        assert tx.alerts.forecast(UNTIL, BANDS, many).due == 4


def test_the_blocked_are_listed_the_earliest_deadline_first(storage: Storage) -> None:
    _installed(storage, 3)
    _put(storage, samples.sighting(1, deadline=None), samples.sighting(2), samples.sighting(3, deadline=NOW))
    with storage.read() as tx:
        assert _certificates(tx.alerts.blocked(UNTIL, "dns.lame")) == ["cert_003", "cert_002", "cert_001"]
        assert _certificates(tx.alerts.blocked(UNTIL, "dns.lame", 1)) == ["cert_003"]
        assert list(tx.alerts.blocked(UNTIL, "dns.servfail")) == []


# --- by cause -------------------------------------------------------------------------------------------------------


def test_who_suffers_from_a_code_is_told_once_the_earliest_deadline_first(storage: Storage) -> None:
    add(storage, *(samples.certificate(number) for number in range(3)))
    late, soon = samples.sighting(1, deadline=NOW + 9 * DAY), samples.sighting(2, deadline=NOW + 2 * DAY)
    never = samples.sighting(0, deadline=None, store="sun")
    twice = samples.sighting(2, key="dns.lame ns2.other.test", deadline=NOW + 3 * DAY)
    other = samples.sighting(1, key="dns.caa_forbids shop.test", code="dns.caa_forbids")
    _put(storage, late, never, soon, twice, other)
    with storage.read() as tx:
        found = list(tx.alerts.suffering("dns.lame", 10))
        assert found == [soon, late, never]
        assert list(tx.alerts.suffering("dns.lame", 2)) == [soon, late]
        assert list(tx.alerts.suffering("dns.caa_forbids", 10)) == [other]
        assert list(tx.alerts.suffering("dns.lame", 1, "sun")) == [
            never
        ]  # however many of others come before it
        assert list(tx.alerts.suffering("dns.lame", 1, "nowhere")) == []
        assert list(tx.alerts.suffering("store.inactive", 10)) == []
