"""Alerts with their threads, what merchants are sent of them, digests and hand-overs."""

from collections.abc import Iterator
from dataclasses import replace

from commands import messages
from commands.dispatch import dispatch
from services import linking
from services.alerting import clicks, digest
from services.model.audiences import Kind
from services.model.findings import CODES
from services.model.lifecycle import State
from tests.desks import SUPPORT, finding
from tests.samples.sample import Sample, in_message
from tests.unit import test_commands_copying as copies
from tests.unit import test_commands_digest as digests
from tests.unit import test_commands_handover as handovers
from tests.unit.alert_world import DAY, POLICY, World, found, lame
from tests.unit.commands_world import desk_of, make_bench

CALLED = replace(POLICY, oncall_group="S0ONCALL", manager_group="S0LEADS")
ONCALL = "T0MOON/U0ONCALL"


def alert(code: str) -> Iterator[Sample]:
    """Yield an alert of this code in each severity: posted, taken over, snoozed, healed; and what its merchants see."""
    for margin in (18 * DAY, 6 * DAY, DAY, -DAY):
        known = World(policy=CALLED)
        for name in ("moon", "sun"):
            certificate = known.install(name, margin)
            linking.link(known.desk, Kind.CHANNEL, f"C_{name.upper()}", name, SUPPORT.person)
            known.confirm(certificate, found(code, f"{name}.test", summary="{name} & {code}."))
        yield from _told(known)
        with known.storage.read() as tx:
            listed = tx.alerts.listing()
        for number, one in enumerate(listed):
            act = clicks.acknowledge if number else clicks.hand_over
            act(known.desk, one.id, one.version, ONCALL)
        yield from _told(known)
        for name in ("moon", "sun"):
            known.see(known.certificate(f"cert_{name}"))
        known.run(2 * DAY)
        yield from _told(known)


def many() -> Iterator[Sample]:
    """Yield an alert of hundreds of certificates, and how it ends."""
    known = World(policy=CALLED)
    group = [known.install(f"shop{number}", (5 + number) * DAY) for number in range(300)]
    for certificate in group:
        known.confirm(certificate, lame(certificate.wanted[0]))
    yield from _told(known)
    for certificate in group:
        known.see(certificate)
    known.run(2 * DAY)
    yield from _told(known)


def _told(known: World) -> Iterator[Sample]:
    known.tend()
    for message in known.outbox():
        yield from in_message(known.desk, message)


def to_merchants() -> Iterator[Sample]:
    """Yield what merchants have to do for each code that is theirs, as it is sent to their channel."""
    for code in sorted(CODES):
        bench = copies.stores()
        mine = finding(code, copies.BAD)
        bench.checker.says[copies.BAD] = (mine,)
        bench.change(copies.BAD, [mine], state=State.BLOCKED, problem=mine)
        copies.click(bench, f"store.copy {copies.BAD}")
        copies.click(bench, f"certificate.copy {bench.certificate(copies.BAD).id}", number=2)
        for message in copies.sent(bench).values():
            yield from in_message(copies.desk(bench), message)
            linking.unlink(bench.desk, Kind.CHANNEL, message.channel, "moon")
            yield from in_message(copies.desk(bench), message)


def summaries() -> Iterator[Sample]:
    """Yield a digest of a day on which everything has happened."""
    bench = make_bench()
    bench.now = digests.NINE
    digests.everything(bench)
    assert digest.put(desk_of(bench), digests.NINE)
    yield Sample("message digest", digests.shown(bench))


def hand_overs() -> Iterator[Sample]:
    """Yield a certificate that needs support with all that has happened to it; then solved, then removed."""
    bench = make_bench()
    dispatch("add shop.moon.test www.moon.test", SUPPORT, bench.desk)
    handovers.hand_over(bench)
    for change in ("", "install", "remove"):
        if change == "install":
            bench.install("shop.moon.test", problem=None)
        if change == "remove":
            bench.change("shop.moon.test", state=State.RETIRED)
        for kind in (messages.HANDOVER, messages.TIMELINE):
            yield Sample(f"message {kind}", handovers.composed(bench, kind).reply)
