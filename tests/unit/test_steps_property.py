"""Whatever the CAs, the name servers, the targets and the clock do: nothing is lost, nothing is spent twice, work goes on."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.model.certificates import Window
from services.model.errors import CaTrouble
from services.model.findings import Verdict
from services.model.lifecycle import State
from services.model.settings import Alerting, CaSettings
from services.renewal import breaker
from tests.building import START, Built, FakeTarget
from tests.desks import finding

NAMES = ("a.moon.test", "b.moon.test", "moon.test")
METHODS = (
    "place_order",
    "read_order",
    "read_authorization",
    "answer",
    "finalize",
    "download",
    "renewal_info",
)
CODES = ("dns.wrong_address", "dns.not_hosted", "access.unreachable", "store.inactive", "domain.expired")
TARGETS = ("edge", "cache")
THINGS = (
    *(breaker.ca_thing(name) for name in ("first", "second")),
    *(breaker.target_thing(name) for name in TARGETS),
)
names = st.sampled_from(NAMES)
cas = st.sampled_from(("first", "second"))


class Lifetime(RuleBasedStateMachine):
    """A certificate's years in a bad world."""

    @initialize()
    def begin(self) -> None:
        limits = {
            "orders": (40, timedelta(days=30)),
            "set": (9, timedelta(days=7)),
            "failures": (5, timedelta(hours=1)),
        }
        self.built = Built(
            watching=True,
            alerting=Alerting(channel="C1"),
            limits={name: CaSettings(name, "u", limits=limits) for name in ("first", "second")},
            more=(FakeTarget("cache"),),
        )
        self.built.add("moon.test")
        self.seen: dict[str, Any] = {}

    # --- what goes wrong, and right again

    @rule(
        ca=cas, method=st.sampled_from(METHODS), trouble=st.sampled_from(CaTrouble), times=st.integers(1, 7)
    )
    def says_no(self, ca: str, method: str, trouble: CaTrouble, times: int) -> None:
        one = self.built.cas[ca]
        retry_at = self.built.now + timedelta(hours=3) if trouble is CaTrouble.RATE_LIMITED else None
        one.errors.setdefault(method, []).extend([one.trouble(trouble, retry_at=retry_at)] * times)

    @rule(ca=cas, knob=st.sampled_from(("down", "undecided", "slow", "other_key", "ari_down", "reuses")))
    def turns(self, ca: str, knob: str) -> None:
        one = self.built.cas[ca]
        setattr(one, knob, not getattr(one, knob))

    @rule(ca=cas, some=st.sets(names, max_size=2), how=st.sampled_from(("broken", "banned")))
    def refuses(self, ca: str, some: set[str], how: str) -> None:
        setattr(self.built.cas[ca], how, some)

    @rule(ca=cas, types=st.sets(st.sampled_from(("http-01", "dns-01")), max_size=2))
    def fails_types(self, ca: str, types: set[str]) -> None:
        self.built.cas[ca].failing = types

    @rule(ca=cas)
    def forgets(self, ca: str) -> None:
        self.built.cas[ca].forget()

    @rule(ca=cas, day=st.integers(-5, 120))
    def suggests(self, ca: str, day: int) -> None:
        start = self.built.now + timedelta(days=day)
        self.built.cas[ca].suggestion = Window(start, start + timedelta(days=2))

    @rule(name=names, codes=st.sets(st.sampled_from(CODES), max_size=2), verdict=st.sampled_from(Verdict))
    def found(self, name: str, codes: set[str], verdict: Verdict) -> None:
        self.built.checker.says[name] = tuple(finding(code, name, verdict) for code in sorted(codes))

    @rule(kind=st.sampled_from(("http", "dns")), refusing=st.integers(0, 8), stubborn=st.integers(0, 4))
    def name_servers(self, kind: str, refusing: int, stubborn: int) -> None:
        responder = getattr(self.built, kind)
        responder.refusing, responder.stubborn = refusing, stubborn
        responder.hidden = refusing > 6

    @rule(full=st.integers(0, 5), stale=st.booleans())
    def edge(self, full: int, stale: bool) -> None:
        self.built.target.full, self.built.edge.stale = full, stale

    @rule(full=st.integers(0, 9))
    def another_target(self, full: int) -> None:
        self.built.more[0].full = full

    @rule(thing=st.sampled_from(THINGS), failed=st.integers(1, 4))
    def fails_others(self, thing: str, failed: int) -> None:
        """Other certificates fail at what this one shares with them."""
        code = "deploy.failed" if thing.startswith("target ") else "ca.unavailable"
        with self.built.storage.write() as tx:
            for number in range(failed):
                met = breaker.Met(thing, code, "no answer")
                breaker.write(tx, f"other_{number}", (met,), self.built.now)

    # --- persons and time

    @rule(name=names)
    def adds(self, name: str) -> None:
        self.built.add(name)

    @rule(name=names)
    def renews(self, name: str) -> None:
        self.built.renew(name)

    @rule(seconds=st.sampled_from((1, 60, 3600, 10_000, 86_400)))
    def time_passes(self, seconds: int) -> None:
        self.built.advance(timedelta(seconds=seconds))

    @precondition(lambda self: self.built.now - START < timedelta(days=2000))
    @rule()
    def all_heals(self) -> None:
        """Once everything works again, the wish is fulfilled by time alone, or waits for a person."""
        built = self.built
        for ca in built.cas.values():
            ca.errors.clear()
            ca.broken, ca.banned, ca.failing = set(), set(), set()
            ca.down = ca.undecided = ca.slow = ca.other_key = ca.ari_down = False
            ca.suggestion = None
        built.checker.says.clear()
        for responder in (built.http, built.dns):
            responder.refusing, responder.stubborn, responder.hidden = 0, 0, False
        built.target.full, built.more[0].full, built.edge.stale = 0, 0, False
        if built.state() is State.NEEDS_SUPPORT:
            assert built.one.run_after is None
            built.renew("moon.test")
        self.others_heal()
        built.advance(timedelta(days=4))
        one = built.settle()  # a renewal may have fallen due at this very moment
        assert one.state is State.INSTALLED, one
        assert set(built.live.names) == set(one.wanted)
        assert one.problem is None
        assert (one.failures, one.strikes) == (0, 0)
        for target in (built.target, *built.more):
            assert set(target.serials.values()) == {one.serial}
        assert built.http.up == built.dns.up == {}
        assert one.not_after is not None
        assert one.not_after > built.now

    def others_heal(self) -> None:
        """Let the others succeed too: this one does not order while the targets' breakers are open, so they drop them."""
        with self.built.storage.write() as tx:
            for name in TARGETS:
                tx.breakers.drop(breaker.target_thing(name))

    # --- what always holds

    @invariant()
    def nothing_installed_is_lost(self) -> None:
        one = self.built.one
        if self.seen.get("installed"):
            assert one.installed is not None
        if one.installed is not None:
            live = self.built.live
            assert live.chain is not None
            assert (one.serial, one.not_after) == (live.serial, live.not_after)
        self.seen["installed"] = one.installed

    @invariant()
    def work_goes_on(self) -> None:
        one = self.built.one
        if one.state is State.NEEDS_SUPPORT:
            assert one.run_after is None
        else:
            assert one.run_after is not None
            assert one.run_after - self.built.now <= timedelta(days=1)
            assert one.state is not State.BLOCKED or one.problem is not None
        assert one.lease_until is None

    @invariant()
    def a_wait_is_neither_failure_nor_strike(self) -> None:
        one = self.built.one
        failed = sum(row.what == "attempt_failed" for row in self.built.history)
        assert one.strikes <= one.failures <= failed

    @invariant()
    def what_is_kept_of_a_target_is_what_it_has(self) -> None:
        one = self.built.one
        if one.state is State.INSTALLED and one.problem is None and one.run_after != self.built.now:
            assert one.installed is not None
            assert one.holders(one.installed) == set(TARGETS)
        serials = {revision.id: revision.serial for revision in self.built.revisions}
        for target in (self.built.target, *self.built.more):
            kept = {serials[p.revision] for p in one.placements if p.target == target.name}
            assert set(target.serials.values()) >= kept

    @invariant()
    def it_is_watched(self) -> None:
        due = self.built.reading(lambda tx: tx.watches.next_due())
        assert due is not None
        assert due - self.built.now <= timedelta(days=1.1)

    @invariant()
    def no_route_is_ordered_twice_in_an_attempt(self) -> None:
        """Hold that a route gets one order, and one more if its order was lost."""
        since: list[str] = []
        for row in self.built.history:
            if row.what == "checks_passed":
                since = []
            if row.what == "order_lost":
                since = []
            if row.what == "order_placed":
                route = str(row.details).rpartition(" ")[0]
                assert route not in since
                since.append(route)

    @invariant()
    def every_certificate_is_for_names_that_were_wanted(self) -> None:
        wanted = set(self.built.one.wanted)
        for revision in self.built.revisions:
            assert set(revision.names) <= wanted


TestLifetime = Lifetime.TestCase
TestLifetime.settings = settings(
    max_examples=80,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
