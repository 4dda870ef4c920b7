"""Severity from the margin, thresholds in proportion to the lifetime, and where an alert is told."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerting.causes import OWN_HEALTH
from services.alerting.routing import channels_for, hooks_for, mentions, tags_in_use
from services.alerting.severity import (
    by_margin,
    next_crossing,
    of_member,
    of_members,
    rises_at,
    thresholds,
)
from services.model.alerts import Severity, Sighting
from services.model.findings import Owner
from services.model.settings import Alerting, Hook, Route
from tests.unit.alert_world import DAY, HOUR, NOW, POLICY

INFO, WARNING, URGENT, CRITICAL = Severity
SHORT = 6 * DAY


def member(
    margin: timedelta | None,
    *,
    blocks: bool = True,
    lifetime: timedelta | None = 90 * DAY,
    code: str = "dns.lame",
) -> Sighting:
    deadline = None if margin is None else NOW + margin
    return Sighting(
        "cert_1", f"{code} x", f"{code} x", code, Owner.PLATFORM, "moon", "moon.test", blocks, 0, NOW, NOW, confirmed=True,
        deadline=deadline, lifetime=lifetime,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("margin", "severity"),
    [
        (60 * DAY, INFO),
        (21 * DAY + HOUR, INFO),
        (21 * DAY, WARNING),
        (7 * DAY + HOUR, WARNING),
        (7 * DAY, URGENT),
        (2 * DAY + HOUR, URGENT),
        (2 * DAY, CRITICAL),
        (timedelta(0), CRITICAL),
        (-30 * DAY, CRITICAL),
    ],
)
def test_the_margin_decides(margin: timedelta, severity: Severity) -> None:
    assert by_margin(NOW + margin, 90 * DAY, POLICY, NOW) is severity


def test_thresholds_shrink_with_the_lifetime() -> None:
    assert thresholds(POLICY, 63 * DAY) == thresholds(POLICY)
    assert thresholds(POLICY, 45 * DAY) == {WARNING: 15 * DAY, URGENT: 5 * DAY, CRITICAL: 45 * DAY / 31.5}
    assert by_margin(NOW + 3 * DAY, SHORT, POLICY, NOW) is INFO
    assert by_margin(NOW + 2 * DAY, SHORT, POLICY, NOW) is WARNING
    assert by_margin(NOW + 5 * HOUR, SHORT, POLICY, NOW) is URGENT
    assert by_margin(NOW + 4 * HOUR, SHORT, POLICY, NOW) is CRITICAL


@pytest.mark.parametrize(
    ("one", "wide", "severity"),
    [
        (member(60 * DAY), True, WARNING),
        (member(60 * DAY), False, INFO),
        (member(None), True, WARNING),
        (member(None), False, INFO),
        (member(DAY), False, CRITICAL),
        (member(DAY, blocks=False), False, WARNING),
        (member(DAY, blocks=False), True, WARNING),
        (member(30 * DAY, blocks=False), False, INFO),
        (member(60 * DAY, code="ca.rate_limited"), True, INFO),
        (member(DAY, code="ca.rate_limited"), True, CRITICAL),
        (member(DAY, code="store.deleted"), False, WARNING),
        (member(-DAY, code="store.deleted"), False, WARNING),
        (member(DAY, code="store.inactive"), False, CRITICAL),
        (member(None, code="certdesk.clock"), True, URGENT),
        (member(None, code="certdesk.stalled", blocks=False), True, URGENT),
    ],
)
def test_floors_and_caps(one: Sighting, wide: bool, severity: Severity) -> None:
    assert of_member(one, wide=wide, policy=POLICY, now=NOW) is severity


def test_the_gravest_member_counts_and_not_the_one_that_expires_first() -> None:
    short = member(3 * DAY, lifetime=SHORT)
    assert of_members([short, member(6 * DAY)], wide=False, policy=POLICY, now=NOW) is URGENT
    assert of_members([], wide=False, policy=POLICY, now=NOW) is INFO


def test_the_next_crossing() -> None:
    end = NOW + 10 * DAY
    assert next_crossing(end, 90 * DAY, POLICY, NOW) == end - 7 * DAY
    assert next_crossing(end, 90 * DAY, POLICY, end - 7 * DAY) == end - 2 * DAY
    assert next_crossing(end, 90 * DAY, POLICY, end - 2 * DAY) is None
    assert next_crossing(None, None, POLICY, NOW) is None


@given(
    margin=st.timedeltas(-10 * DAY, 100 * DAY),
    lifetime=st.one_of(st.none(), st.timedeltas(DAY, 400 * DAY)),
    later=st.timedeltas(timedelta(0), 120 * DAY),
)
def test_severity_never_falls_and_rises_only_at_a_crossing(
    margin: timedelta, lifetime: timedelta | None, later: timedelta
) -> None:
    end = NOW + margin
    before, after = (by_margin(end, lifetime, POLICY, moment) for moment in (NOW, NOW + later))
    crossing = next_crossing(end, lifetime, POLICY, NOW)
    assert after >= before
    assert (after > before) == (crossing is not None and crossing <= NOW + later)


@given(
    margins=st.lists(st.tuples(st.timedeltas(DAY, 90 * DAY), st.booleans()), min_size=1, max_size=4),
    wide=st.booleans(),
    later=st.timedeltas(timedelta(0), 120 * DAY),
)
def test_it_is_known_when_an_alert_becomes_graver(
    margins: list[tuple[timedelta, bool]], wide: bool, later: timedelta
) -> None:
    members = [member(margin, blocks=blocks) for margin, blocks in margins]
    severity = of_members(members, wide=wide, policy=POLICY, now=NOW)
    then = of_members(members, wide=wide, policy=POLICY, now=NOW + later)
    rises = rises_at(members, severity, POLICY, NOW)
    assert (then > severity) == (rises is not None and rises <= NOW + later)


# --- routing -----------------------------------------------------------------------------------------------------


def routed(
    policy: Alerting, severity: Severity = WARNING, *tags: str, code: str = "dns.not_hosted"
) -> tuple[str, ...]:
    return channels_for(code, Owner.MERCHANT, severity, tags, policy)


def test_nothing_is_told_below_a_warning() -> None:
    assert routed(POLICY, INFO) == ()
    assert routed(Alerting(routes=(Route("C1", severity=0),)), INFO) == ()


@pytest.mark.parametrize(
    ("route", "taken"),
    [
        (Route("C1"), True),
        (Route("C1", owners=("merchant", "ca")), True),
        (Route("C1", owners=("platform",)), False),
        (Route("C1", severity=2), False),
        (Route("C1", codes=("dns.*",)), True),
        (Route("C1", codes=("store.*",)), False),
        (Route("C1", tags=("enterprise", "beta")), True),
        (Route("C1", tags=("beta",)), False),
    ],
)
def test_a_route_takes_what_fits_all_its_conditions(route: Route, taken: bool) -> None:
    policy = Alerting(channel="C0", routes=(route,))
    assert routed(policy, WARNING, "enterprise") == (("C1",) if taken else ("C0",))


def test_every_fitting_route_counts_once() -> None:
    policy = Alerting(channel="C0", routes=(Route("C1"), Route("C2", tags=("vip",)), Route("C1", severity=1)))
    assert routed(policy, WARNING, "vip") == ("C1", "C2")
    assert routed(policy, WARNING) == ("C1",)
    assert tags_in_use(policy) == ("vip",)
    assert routed(Alerting()) == ()


def test_hooks_and_mentions_follow_the_severity() -> None:
    policy = Alerting(
        oncall_group="S1",
        manager_group="S2",
        hooks=(
            Hook("a", "json", "https://a.test/", "k", severity=2),
            Hook("b", "json", "https://b.test/", "k"),
        ),
    )
    assert [hooks_for("dns.lame", s, policy) for s in Severity] == [(), (), ("a",), ("a", "b")]
    for code in OWN_HEALTH:  # certdesk's own faults reach every webhook
        assert [hooks_for(code, s, policy) for s in Severity] == [(), ("a", "b"), ("a", "b"), ("a", "b")]
    assert [mentions(s, policy) for s in Severity] == [(), (), ("S1",), ("S1", "S2")]
    assert mentions(CRITICAL, Alerting()) == ()
