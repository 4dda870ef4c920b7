"""The watch: what is installed is checked long before it renews; it moves nothing but what needs support and is mended."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from services.model.findings import Finding, Verdict
from services.model.lifecycle import State
from services.model.pacing import Watch
from services.model.settings import Alerting, Renewing
from services.model.stores import StoreStatus
from services.ports import Message, Subject
from services.renewal import watching
from services.renewal.watching import Look, wait_after, watched
from tests.building import START, Built
from tests.desks import ScriptedChecker, finding

NAME, OTHER = "moon.test", "a.moon.test"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WRONG = finding("dns.wrong_address", NAME)


@pytest.fixture
def built() -> Built:
    made = Built(names_of_cas=("first",), watching=True)
    made.add(NAME)
    made.settle()
    return made


def due(built: Built) -> timedelta:
    """Return in how long the only watch is due."""
    found = built.reading(lambda tx: tx.watches.next_due())
    gap = found - built.now
    assert isinstance(gap, timedelta)
    return gap


def look(built: Built) -> timedelta:
    """Look now, whatever is planned; return in how long the next look is due."""
    return watching.look(built.parts, Watch(built.one.id, built.now)) - built.now


def said(built: Built, code: str, verdict: Verdict = Verdict.BLOCK, name: str = NAME) -> None:
    at = replace(finding(code, name, verdict), checked_at=built.now)
    built.checker.says[name] = (at,)


@dataclass
class Meanwhile:
    """A checker during whose look something else happens."""

    inner: ScriptedChecker
    act: Callable[[], None]

    def check(self, subject: Subject) -> tuple[Finding, ...]:
        self.act()
        return self.inner.check(subject)

    def rules(self, subject: Subject) -> tuple[Finding, ...]:
        return self.inner.rules(subject)


# --- when


def test_an_added_certificate_is_watched_within_an_hour_of_its_installation_and_daily_from_then_on(
    built: Built,
) -> None:
    assert timedelta(0) < due(built) <= HOUR
    asked = len(built.checker.asked)
    built.advance(HOUR)
    assert len(built.checker.asked) == asked + 1
    assert DAY - HOUR < due(built) <= 1.1 * DAY
    built.advance(10 * DAY)
    assert asked + 10 <= len(built.checker.asked) <= asked + 11


def test_a_certificate_that_is_not_installed_yet_is_planned_too() -> None:
    built = Built()
    built.add(NAME)
    assert built.reading(lambda tx: tx.watches.next_due()) == START + DAY


def test_the_watch_is_spread_by_chance(built: Built) -> None:
    gaps = []
    for built.chance in (0.0, 0.5, 1.0):
        gaps.append(look(built))
    assert gaps == sorted(set(gaps))
    assert gaps[0] == DAY


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ((), (), DAY),
        ((), (finding("dns.lame", NAME, Verdict.WARN),), DAY),
        ((), (finding("dns.servfail", NAME, Verdict.UNKNOWN),), DAY),
        ((), (WRONG,), 10 * MINUTE),
        ((WRONG,), (WRONG,), 2 * HOUR),
        ((WRONG,), (WRONG, finding("access.unreachable", NAME)), 10 * MINUTE),
        ((WRONG, finding("access.unreachable", NAME)), (WRONG, finding("access.unreachable", NAME)), HOUR),
        ((), (finding("store.deleted", NAME),), HOUR),
        ((), (finding("ca.unauthorized", NAME),), DAY),
    ],
)
def test_how_long_to_wait_is_decided_by_what_was_found(
    built: Built, before: tuple[Finding, ...], now: tuple[Finding, ...], expected: timedelta
) -> None:
    seen = Look(built.one, before, {NAME: now}, now)
    assert wait_after(seen, Renewing(), Alerting()) == expected


def test_who_needs_support_is_watched_hourly(built: Built) -> None:
    seen = Look(replace(built.one, state=State.NEEDS_SUPPORT), (), {NAME: ()}, ())
    assert wait_after(seen, Renewing(), Alerting()) == HOUR


@pytest.mark.parametrize("state", State)
def test_who_is_watched(built: Built, state: State) -> None:
    one = replace(built.one, state=state, run_after=built.now + HOUR)
    assert watched(one, built.now) is (state in (State.INSTALLED, State.NEEDS_SUPPORT))
    assert not watched(replace(one, lease_until=built.now + MINUTE), built.now)
    late = replace(one, run_after=built.now)
    assert watched(late, built.now) is (state is State.NEEDS_SUPPORT)
    assert not watched(replace(late, stopped_at=State.ORDERING, state=State.BLOCKED), built.now)
    assert watched(replace(one, stopped_at=State.ORDERING, state=State.BLOCKED), built.now)


# --- what it does


def test_a_healthy_certificate_costs_no_write(built: Built) -> None:
    before = built.one

    def refuse() -> None:
        raise AssertionError("a write")

    parts = replace(built.parts, announce=refuse)
    assert watching.look(parts, Watch(before.id, built.now)) > built.now
    assert built.one == before


def test_an_installed_certificate_is_never_moved_and_its_findings_are_kept(built: Built) -> None:
    before = built.one
    said(built, "dns.not_hosted")
    look(built)
    assert built.one == before
    assert [f.code for f in built.findings] == ["dns.not_hosted"]
    built.checker.says.clear()
    look(built)
    assert built.findings == []
    assert built.one == before


def test_a_blocker_is_sighted_confirmed_and_forgotten_when_it_is_gone(built: Built) -> None:
    def sightings() -> list[bool]:
        return [s.confirmed for s in built.reading(lambda tx: tx.alerts.sightings(built.one.id))]

    said(built, "dns.not_hosted")
    assert look(built) >= 10 * MINUTE
    assert sightings() == [False]
    built.now += 10 * MINUTE
    said(built, "dns.not_hosted")
    assert look(built) >= 2 * HOUR
    assert sightings() == [True]
    built.checker.says.clear()
    look(built)
    assert sightings() == []


def test_a_message_is_touched_only_when_the_readings_change(built: Built) -> None:
    touched: list[int] = []
    parts = replace(built.parts, announce=lambda: touched.append(1))
    said(built, "dns.not_hosted")
    with built.storage.write() as tx:
        tx.outbox.put(_message(built.one.id))

    def version() -> int:
        found = built.reading(lambda tx: tx.outbox.by_key("k"))
        assert found is not None
        return int(found.version)

    first = version()
    watching.look(parts, Watch(built.one.id, built.now))
    assert version() == first + 1
    watching.look(parts, Watch(built.one.id, built.now))
    assert version() == first + 1


def _message(certificate: str) -> Message:
    return Message(
        id="m",
        key="k",
        kind="reply",
        channel="C1",
        user="",
        private=False,
        body={},
        created_at=START,
        follows=(certificate,),
    )


def test_what_is_about_to_be_renewed_or_is_under_way_is_left_alone(built: Built) -> None:
    built.change(run_after=built.now)
    asked = len(built.checker.asked)
    look(built)
    built.change(run_after=built.now + HOUR, state=State.VALIDATING)
    look(built)
    assert len(built.checker.asked) == asked


def test_a_watch_without_a_certificate_is_no_fault(built: Built) -> None:
    assert watching.look(built.parts, Watch("cert_gone", built.now)) > built.now


def test_a_certificate_that_was_taken_in_hand_during_the_look_keeps_what_the_worker_saves(
    built: Built,
) -> None:
    parts = built.parts
    said(built, "dns.not_hosted")

    def claim() -> None:
        with built.storage.write() as tx:
            assert tx.certificates.claim_one(built.one.id, built.now, MINUTE)

    checker = Meanwhile(built.checker, claim)
    assert (
        watching.look(replace(parts, checker=checker), Watch(built.one.id, built.now)) == built.now + MINUTE
    )
    assert built.findings == []


# --- who needs support


@pytest.fixture
def struck() -> Built:
    """Return a world in which the CA refused three times while AAAA led elsewhere, as a warning."""
    built = Built(names_of_cas=("first",), watching=True)
    built.checker.says[NAME] = (finding("dns.wrong_ipv6", NAME, Verdict.WARN),)
    built.ca.broken = {NAME}
    built.add(NAME)
    built.advance(HOUR)
    assert built.state() is State.NEEDS_SUPPORT
    return built


def test_evidence_of_a_fix_starts_what_needed_support_again(struck: Built) -> None:
    orders = len(struck.ca.orders)
    struck.advance(5 * HOUR)
    assert struck.state() is State.NEEDS_SUPPORT
    assert len(struck.ca.orders) == orders
    struck.checker.says.clear()
    struck.ca.broken.clear()
    struck.advance(2 * HOUR)
    assert struck.state() is State.INSTALLED
    [row] = struck.happened("evidence")
    assert str(row.details) == "Since the last try: AAAA is right now."


def test_three_more_strikes_are_allowed_after_evidence(struck: Built) -> None:
    struck.checker.says.clear()
    struck.advance(70 * MINUTE)
    assert (struck.state(), struck.one.strikes) == (State.FAILED, 1)


def test_silence_and_new_trouble_are_no_evidence(struck: Built) -> None:
    kept = struck.checker.says[NAME]
    struck.checker.says[NAME] = (finding("dns.servfail", NAME, Verdict.UNKNOWN),)
    struck.advance(3 * HOUR)
    struck.checker.says[NAME] = (*kept, WRONG)
    struck.advance(3 * HOUR)
    assert struck.state() is State.NEEDS_SUPPORT
    assert not struck.happened("evidence")


def test_what_the_ca_said_is_kept_while_the_watch_looks(struck: Built) -> None:
    struck.advance(3 * HOUR)
    assert {f.code for f in struck.findings} == {"dns.wrong_ipv6", "ca.unauthorized"}


def test_nothing_is_saved_if_a_person_was_faster(struck: Built) -> None:
    struck.checker.says.clear()
    parts = struck.parts

    checker = Meanwhile(struck.checker, lambda: struck.renew(NAME))
    assert watching.look(replace(parts, checker=checker), Watch(struck.one.id, struck.now)) > struck.now
    assert not struck.happened("evidence")
    assert struck.findings


def answers(*given: str) -> tuple[Finding, ...]:
    """Return what the checks say of a name that is right, while its certificate needs support."""
    return (replace(finding("dns.answers", NAME, Verdict.OK), evidence={"answers": list(given)}),)


@pytest.fixture
def baffled() -> Built:
    """Return a world in which the CA refused three times what the checks find right."""
    built = Built(names_of_cas=("first",), watching=True)
    built.ca.broken = {NAME}
    built.add(NAME)
    while built.state() is not State.NEEDS_SUPPORT:
        built.advance(MINUTE)
    built.checker.says[NAME] = answers("A 192.0.2.1", "CAA 0 issue")
    built.advance(MINUTE)
    return built


def test_a_watched_answer_that_changes_is_evidence_though_nothing_was_found_wrong(baffled: Built) -> None:
    baffled.advance(5 * HOUR)
    assert baffled.state() is State.NEEDS_SUPPORT
    baffled.checker.says[NAME] = answers("A 192.0.2.1", "AAAA 2001:db8::1")
    baffled.ca.broken.clear()
    baffled.advance(2 * HOUR)
    assert baffled.state() is State.INSTALLED
    [row] = baffled.happened("evidence")
    assert str(row.details) == (
        "DNS answers differently for moon.test: no longer CAA 0 issue; new: AAAA 2001:db8::1."
    )


def test_answers_are_kept_over_silence_and_the_order_in_which_they_come_is_no_change(baffled: Built) -> None:
    baffled.checker.says[NAME] = (finding("dns.no_address", NAME, Verdict.UNKNOWN),)
    baffled.advance(2 * HOUR)
    baffled.checker.says[NAME] = answers("CAA 0 issue", "A 192.0.2.1")
    baffled.advance(2 * HOUR)
    assert not baffled.happened("evidence")
    baffled.checker.says[NAME] = (finding("dns.no_address", NAME, Verdict.UNKNOWN),)
    baffled.advance(2 * HOUR)
    baffled.checker.says[NAME] = answers("A 192.0.2.2")
    baffled.advance(2 * HOUR)
    assert len(baffled.happened("evidence")) == 1


# --- what waits for a CA


def test_what_waits_for_a_ca_is_still_looked_at() -> None:
    built = Built(names_of_cas=("first",), watching=True)
    built.ca.down = True
    names = built.add_many(5)
    built.advance(HOUR)
    assert all(
        one.state is State.BLOCKED for one in built.all if one.problem and "waits" in one.problem.evidence
    )
    with built.storage.write() as tx:
        tx.stores.set_status("moon", StoreStatus.DELETED)
    built.advance(2 * DAY)
    for one in built.all:
        found = built.findings_of(one)
        assert [f.code for f in found] == ["store.deleted"]
    assert built.ca.orders == []
    assert len(names) == 5
