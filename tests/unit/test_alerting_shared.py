"""Machines of the platform that fail one after the other, or by turns: one outage, and no alert that turns green too early."""

from itertools import combinations

import pytest

from services.alerting.clicks import acknowledge
from services.model.alerts import Severity
from services.model.certificates import Certificate
from services.model.findings import Finding, Owner
from tests.unit.alert_world import DAY, HOUR, OURS, World, found, lame

SECOND, THIRD = "ns2.platform.test", "ns3.platform.test"


def _members(world: World, key: str) -> set[str]:
    with world.storage.read() as tx:
        return {one.certificate for one in tx.alerts.members(key)}


def _down(name: str, *addresses: str) -> Finding:
    return found("access.unreachable", name, owner=Owner.PLATFORM, addresses=list(addresses))


@pytest.mark.parametrize(
    ("before", "after"),
    [((OURS,), (OURS, SECOND)), ((OURS, SECOND), (SECOND,)), ((OURS, SECOND), (SECOND, THIRD))],
)
def test_an_outage_that_grows_shrinks_or_moves_is_still_the_same_one(
    before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    world = World()
    moon = world.install("moon", 5 * DAY)
    world.confirm(moon, lame("moon.test", *before))
    world.tend()
    told = world.alert(f"dns.lame {', '.join(before)}")
    world.outbox()
    world.outbox("webhook")

    world.pass_(HOUR)
    world.see(moon, lame("moon.test", *after))
    world.tend()
    kept = world.alert(told.key)
    assert (kept.id, kept.healed_at, kept.members) == (told.id, None, 1)
    assert kept.lead is not None
    assert kept.lead.evidence["hosts"] == list(after)
    assert [m.key for m in world.outbox() if m.ts is None] == [], "edited, and nothing new"
    assert world.outbox("webhook") == []

    world.pass_(HOUR)
    world.see(moon, lame("moon.test", *after))  # nothing moves where nothing has changed
    world.tend()
    assert world.alert(told.key).members == 1
    world.see(moon)
    world.tend()
    assert world.alert(told.key).healed_at is not None


def test_two_looks_that_met_different_machines_of_one_outage_confirm_it() -> None:
    world = World()
    moon = world.install("moon", 5 * DAY)
    world.see(moon, lame("moon.test", OURS))
    world.pass_(world.policy.confirm)
    world.see(moon, lame("moon.test", OURS, SECOND))
    world.tend()
    assert [m.kind for m in world.outbox()] == ["alert"]


def test_another_machine_is_another_outage() -> None:
    world = World()
    moon = world.install("moon", 5 * DAY)
    world.confirm(moon, lame("moon.test", OURS))
    world.tend()
    world.confirm(moon, lame("moon.test", SECOND))
    world.tend()
    assert world.alert(f"dns.lame {OURS}").healed_at is not None
    assert world.alert(f"dns.lame {SECOND}").open


def test_edges_that_fail_by_turns_are_few_alerts_however_they_are_met() -> None:
    """Of six addresses there are 63 choices, and some certificate meets each of them."""
    edges = [f"192.0.2.{number}" for number in range(1, 7)]
    met = [some for size in range(1, 7) for some in combinations(edges, size)]
    world = World()
    crowd: list[tuple[Certificate, tuple[str, ...]]] = [
        (world.install(f"s{place:02}", 60 * DAY), some) for place, some in enumerate(reversed(met))
    ]
    for _ in range(2):
        for certificate, some in crowd:
            world.see(certificate, _down(certificate.domain, *some))
        world.pass_(world.policy.confirm)
    world.tend()
    posted = [m for m in world.outbox() if m.kind == "alert"]
    assert len(posted) == 1
    assert len(_members(world, f"access.unreachable {', '.join(edges)}")) == len(met)


def test_an_old_alert_that_somebody_looks_after_does_not_swallow_a_new_outage() -> None:
    world = World()
    moon, sun = world.install("moon", 20 * DAY), world.install("sun", 20 * DAY)
    world.confirm(moon, lame("moon.test", OURS, SECOND))  # a zone that no server has
    world.tend()
    old = world.alert(f"dns.lame {OURS}, {SECOND}")
    assert acknowledge(world.desk, old.id, old.version, "T1/U_ANNA").done
    world.outbox()
    world.pass_(2 * HOUR)
    world.confirm(sun, lame("sun.test", OURS))
    world.tend()
    assert [m.key for m in world.outbox() if m.ts is None] == [
        f"alert:{world.alert(f'dns.lame {OURS}').id}:{world.policy.channel}"
    ]
    assert world.alert(old.key).acked is Severity.WARNING
