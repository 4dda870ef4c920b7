"""The time line: a certificate's history with the messages that people were sent and what they did; merchants see less."""

from dataclasses import replace
from datetime import datetime

from commands.dispatch import dispatch
from commands.happening_words import INTERNAL, WORDS
from services.alerting import clicks
from services.chronicle import timeline
from services.model.certificates import Certificate, Happening
from services.model.findings import Finding
from services.renewal.noticing import notice
from storage.memory import MemoryStorage
from tests.desks import MOON, SUPPORT, Bench
from tests.unit.alert_world import CHANNEL, DAY, MINUTE, World, found

ANA = "T1/U_ANA"


def seen(world: World, certificate: Certificate, *findings: Finding) -> None:
    """Save what was found, as the watch does."""
    fresh = [replace(finding, checked_at=world.now) for finding in findings]
    with world.storage.write() as tx:
        row = tx.certificates.get(certificate.id)
        assert row is not None
        notice(tx, world.policy, row, fresh, world.now)


def rows(world: World, certificate: Certificate) -> list[Happening]:
    with world.storage.read() as tx:
        return list(timeline(tx, certificate.id))


def alerted(world: World) -> Certificate:
    """Give a certificate whose alert has been posted."""
    certificate = world.install("moon", 15 * DAY)
    trouble = found("dns.wrong_address", "moon.test")
    seen(world, certificate, trouble)
    assert rows(world, certificate) == []  # seen once is not sure
    world.pass_(world.policy.confirm)
    seen(world, certificate, trouble)
    world.tend()
    return certificate


def delivered(world: World, at: datetime) -> None:
    with world.storage.write() as tx:
        for message in tx.outbox.claim(world.now + DAY, MINUTE, 100):
            tx.outbox.delivered(message, f"{CHANNEL}/{at.timestamp():.6f}", final=False)


def test_the_alert_its_message_the_person_and_the_end_are_rows() -> None:
    world = World()
    certificate = alerted(world)
    alert = world.alert("dns.wrong_address moon.test")
    world.pass_(MINUTE)
    delivered(world, world.now)
    world.pass_(MINUTE)
    assert clicks.acknowledge(world.desk, alert.id, world.alert(alert.key).version, ANA).done
    world.pass_(MINUTE)
    seen(world, certificate)
    told = [(row.what, row.actor, row.details) for row in rows(world, certificate)]
    assert told == [
        ("alerted", "certdesk", f"{alert.id} dns.wrong_address moon.test"),
        ("told", "certdesk", CHANNEL),
        ("alert_acknowledged", ANA, alert.id),
        ("cleared", "certdesk", "dns.wrong_address moon.test"),
    ]
    moments = [row.at for row in rows(world, certificate)]
    assert moments == sorted(moments)
    assert moments[1] == moments[0] + MINUTE


def test_what_was_not_delivered_yet_was_told_to_nobody() -> None:
    world = World()
    certificate = alerted(world)
    assert [row.what for row in rows(world, certificate)] == ["alerted"]


def test_a_message_whose_place_says_nothing_counts_from_when_it_was_owed() -> None:
    world = World()
    certificate = alerted(world)
    world.outbox()
    [first, told] = rows(world, certificate)
    assert (told.what, told.at) == ("told", first.at)


def test_the_same_look_again_adds_nothing() -> None:
    world = World()
    certificate = alerted(world)
    before = rows(world, certificate)
    seen(world, certificate, found("dns.wrong_address", "moon.test"))
    assert rows(world, certificate) == before


def test_a_merchant_is_not_shown_alerts_and_their_messages() -> None:
    bench = Bench(MemoryStorage())
    bench.store("moon", "shop.moon.test")
    dispatch("add shop.moon.test", SUPPORT, bench.desk)
    [certificate] = bench.certificates()
    with bench.storage.write() as tx:
        tx.certificates.record(
            Happening(certificate.id, bench.now, "alerted", details="alert_1 dns.lame ns1")
        )
    staff = dispatch("history shop.moon.test", SUPPORT, bench.desk).data
    merchant = dispatch("history shop.moon.test", MOON, bench.desk).data
    assert isinstance(staff, dict)
    assert isinstance(merchant, dict)
    assert [row["what"] for row in staff["history"]] == ["added", "alerted"]
    assert [row["what"] for row in merchant["history"]] == ["added"]


def test_every_row_that_only_the_platforms_people_see_has_words() -> None:
    assert set(WORDS) >= INTERNAL
