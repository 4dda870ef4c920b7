"""Alerts over random histories: none lost, none told twice, snoozes within the margin, stale clicks without effect."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.alerting.clicks import Clicked, acknowledge, hand_over, look_again, snooze
from services.alerting.severity import of_member, of_members
from services.model.alerts import Alert, Severity, Sighting, collective_key
from services.model.certificates import Certificate
from services.model.findings import Finding, Owner, Verdict
from services.ports import Message
from tests.unit.alert_world import CHANNEL, DAY, HOUR, MINUTE, OURS, POLICY, World, found, lame

SHOPS = {"moon": 1.5, "sun": 6.0, "star": 15.0, "earth": 24.0, "mars": 60.0}
"""Store -> margin in days."""
CODES = ("dns.lame", "dns.not_hosted", "store.deleted", "domain.expiring")
HOSTS = ((OURS,), ("ns2.platform.test",), (OURS, "ns2.platform.test"))
KEYS = (
    *(f"dns.lame {', '.join(hosts)}" for hosts in HOSTS),
    *(f"{code} {shop}{end}" for code, end in (("dns.not_hosted", ".test"), ("store.deleted", ""), ("domain.expiring", ".test")) for shop in SHOPS),
    *(collective_key(code) for code in CODES),
)  # fmt: skip
PERSON = "T1/U_ANNA"
CLOSE = tuple(margin + HOUR / 2 for margin in (POLICY.critical, POLICY.urgent, POLICY.warning))
"""Margins just before a threshold."""

shops = st.sampled_from(sorted(SHOPS))


def finding(code: str, shop: str, hosts: tuple[str, ...]) -> Finding:
    name = f"{shop}.test"
    if code == "dns.lame":
        return lame(name, *hosts)
    verdict = Verdict.WARN if code == "domain.expiring" else Verdict.BLOCK
    return found(code, name, verdict, owner=Owner.MERCHANT, store=shop)


class Histories(RuleBasedStateMachine):
    """Findings come and go, time passes, people click, and somewhere in between alerts are looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(policy=replace(POLICY, burst=3))
        self.shops: dict[str, Certificate] = {
            shop: self.world.install(shop, timedelta(days=days)) for shop, days in SHOPS.items()
        }
        self.truth: dict[str, set[str]] = {shop: set() for shop in SHOPS}
        self.hosts: dict[str, tuple[str, ...]] = dict.fromkeys(SHOPS, HOSTS[0])
        self.snoozed_at: dict[str, Severity] = {}
        self.tended = True

    # --- what there is to see

    def alerts(self) -> dict[str, Alert]:
        """Return the newest alert of each key, by id."""
        with self.world.storage.read() as tx:
            found_ = [alert for key in KEYS if (alert := tx.alerts.latest(key)) is not None]
        return {alert.id: alert for alert in found_}

    def members(self, alert: Alert) -> list[Sighting]:
        with self.world.storage.read() as tx:
            return list(tx.alerts.members(alert.key, 1000))

    def everything(self) -> object:
        with self.world.storage.read() as tx:
            messages = [
                m for a in self.alerts().values() if (m := tx.outbox.by_key(f"alert:{a.id}:{CHANNEL}"))
            ]
            return self.alerts(), messages, tx.outbox.waiting(), tx.watches.next_due()

    # --- what happens

    @rule(shop=shops, code=st.sampled_from(CODES))
    def breaks(self, shop: str, code: str) -> None:
        self.truth[shop] ^= {code}
        self.look(shop)

    @rule(shop=shops)
    def look(self, shop: str) -> None:
        certificate = self.world.certificate(self.shops[shop].id)
        self.world.see(
            certificate, *(finding(code, shop, self.hosts[shop]) for code in sorted(self.truth[shop]))
        )
        self.tended = False

    @rule(shop=shops, hosts=st.sampled_from(HOSTS))
    def shifts(self, shop: str, hosts: tuple[str, ...]) -> None:
        """Let other name servers fail: with one in common it is the same outage, and its alert keeps the shop."""
        before = {
            s.alert for s in self.world.sightings(self.shops[shop]) if s.code == "dns.lame" and s.confirmed
        }
        same = "dns.lame" in self.truth[shop] and {*hosts} & {*self.hosts[shop]}
        self.hosts[shop] = hosts
        self.look(shop)
        after = {s.alert for s in self.world.sightings(self.shops[shop]) if s.confirmed}
        assert not same or before <= after

    @rule()
    def look_at_all(self) -> None:
        for shop in SHOPS:
            self.look(shop)

    @rule(shop=shops, code=st.sampled_from(["dns.no_address", "domain.on_hold"]))
    def silence(self, shop: str, code: str) -> None:
        """Nothing of what was seen heals by an answer that does not come."""
        certificate = self.world.certificate(self.shops[shop].id)
        family = code.partition(".")[0]
        before = {s.key for s in self.world.sightings(certificate) if s.code.startswith(f"{family}.")}
        self.world.see(certificate, found(code, f"{shop}.test", Verdict.UNKNOWN))
        assert before <= {s.key for s in self.world.sightings(certificate)}
        self.tended = False

    @rule(shop=shops, margin=st.sampled_from([DAY, 5 * DAY, 20 * DAY, 80 * DAY, *CLOSE]))
    def renewed(self, shop: str, margin: timedelta) -> None:
        """Give a certificate another margin, which may make its alerts graver or less so."""
        self.world.change(self.shops[shop], not_after=self.world.now + margin)
        self.look(shop)
        self.tend()

    @rule(shop=shops, margin=st.sampled_from([DAY, 5 * DAY]))
    def wavers(self, shop: str, margin: timedelta) -> None:
        """Let a certificate be out of danger, and back in it."""
        self.renewed(shop, 20 * DAY)
        self.renewed(shop, margin)

    @rule(time=st.sampled_from([MINUTE, POLICY.confirm, HOUR, 2 * HOUR, DAY, 4 * DAY]))
    def pass_(self, time: timedelta) -> None:
        self.world.pass_(time)
        self.tended = False

    @rule(shop=shops)
    def suffers(self, shop: str) -> None:
        """Make sure that there is something to click on."""
        self.truth[shop] |= {"store.deleted"}
        self.look(shop)
        self.tend()

    @rule()
    def tend(self) -> None:
        before = self.alerts()
        self.world.pass_(POLICY.settle)  # changes of a crowd are gathered for so long
        self.world.tend()
        owed = self.world.outbox()
        assert len({m.key for m in owed}) == len(owed)
        for id_, after in self.alerts().items():
            self.judge(
                before.get(id_), after, [m for m in owed if m.body.get("alert") == id_ or id_ in m.key]
            )
        self.tended = True

    def judge(self, before: Alert | None, after: Alert, owed: list[Message]) -> None:
        """Judge what one look has made of one alert."""
        lines = [
            m.key.split(":")[3]
            for m in owed
            if m.kind == "alert_note" and m.channel == CHANNEL and m.ts is None
        ]
        said = before.said if before else None
        rose = after.open and after.said is not None and said is not None and after.severity > said
        quiet = before is not None and before.acked is not None and after.severity <= before.acked
        assert lines.count("escalated") == (
            rose and not quiet and CHANNEL in (before.channels if before else ())
        )
        if before is not None and before.acked is not None and after.open:
            assert (after.acked == before.acked) == quiet, (
                "an acknowledgement ends only when it becomes graver"
            )
        if before is not None and before.open and not after.open and CHANNEL in before.channels:
            assert [m.key for m in owed if m.kind == "alert"], "what has healed turns green"
            assert not [m for m in owed if m.ts is None], "and posts nothing new"
        if after.snoozed_until is None:
            self.snoozed_at.pop(after.id, None)

    # --- clicks

    def click(self, alert: Alert, version: int, what: str) -> Clicked:
        desk = self.world.desk
        if what == "ack":
            return acknowledge(desk, alert.id, version, PERSON)
        if what == "hand over":
            return hand_over(desk, alert.id, version, PERSON)
        if what == "look":
            return look_again(desk, alert.id, version, PERSON)
        return snooze(desk, alert.id, version, PERSON, what)

    def told(self) -> list[Alert]:
        """Return what people can click on, open ones first."""
        alerts = sorted(self.alerts().values(), key=lambda alert: (not alert.open, alert.key))
        return [alert for alert in alerts if alert.said is not None]

    @precondition(lambda self: self.told())
    @rule(which=st.integers(0, 3), what=st.sampled_from(["ack", "hand over", "look", "1d", "3d", "margin"]))
    def clicks(self, which: int, what: str) -> None:
        told = self.told()
        alert = told[which % len(told)]
        clicked = self.click(alert, alert.version, what)
        self.world.outbox()
        after = self.alerts()[alert.id]
        assert alert.open or not clicked.done, "what has healed is not opened by a click"
        assert after.open == alert.open
        changes = clicked.done and what != "look"
        assert after.version == alert.version + changes
        if changes and after.snoozed_until is not None and what not in ("ack", "hand over"):
            self.snoozed_at[alert.id] = alert.severity
            members = self.members(alert)
            just_before = after.snoozed_until - timedelta(microseconds=1)
            worst = of_members(members, wide=alert.wide, policy=self.world.policy, now=just_before)
            assert worst <= alert.severity < Severity.CRITICAL, "a snooze never outlives the margin"
            assert after.snoozed_until > self.world.now

    @precondition(lambda self: self.told())
    @rule(
        which=st.integers(0, 3),
        what=st.sampled_from(["ack", "hand over", "look", "1d", "margin"]),
        older=st.integers(1, 5),
    )
    def stale(self, which: int, what: str, older: int) -> None:
        told = self.told()
        alert = told[which % len(told)]
        before = self.everything()
        clicked = self.click(alert, alert.version - older, what)
        assert not clicked.done
        assert "Nothing was changed" in clicked.text.plain()
        assert self.everything() == before

    # --- what always holds once alerts were looked at

    @precondition(lambda self: self.tended)
    @invariant()
    def nothing_is_lost(self) -> None:
        """Every confirmed member that is grave enough was told of, as gravely as it is."""
        alerts = {alert.key: alert for alert in self.alerts().values()}
        for shop in self.shops.values():
            for seen in self.world.sightings(shop):
                if not seen.confirmed:
                    continue
                alert = alerts[seen.alert]
                assert alert.open, seen
                severity = of_member(seen, wide=alert.wide, policy=self.world.policy, now=self.world.now)
                assert alert.severity >= severity
                if severity >= Severity.WARNING:
                    assert alert.said is not None
                    assert alert.said >= severity
                    assert self.world.message(f"alert:{alert.id}:{CHANNEL}") is not None

    @precondition(lambda self: self.tended)
    @invariant()
    def what_is_open_has_members(self) -> None:
        for alert in self.alerts().values():
            members = self.members(alert)
            assert alert.open == bool(members)
            assert alert.members == len(members)
            if alert.open and alert.id in self.snoozed_at:
                assert alert.severity <= self.snoozed_at[alert.id]
            if not alert.open:
                assert alert.snoozed_until is None


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, report_multiple_bugs=False
)
