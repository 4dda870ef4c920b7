"""Rows for the contract suite: each with every field set to something of its own."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.model.alerts import Alert, Severity, Sighting
from services.model.certificates import (
    Attempt,
    Certificate,
    Happening,
    Placement,
    Revision,
    Rollback,
    Window,
)
from services.model.findings import Finding, Owner, Verdict
from services.model.lifecycle import State
from services.model.pacing import Breaker
from services.model.text import say
from services.ports import Account, Message, Request, Storage

NOW = datetime(2026, 11, 22, 12, 30, 15, 123456, tzinfo=UTC)
LEASE = timedelta(seconds=60)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def finding(code: str = "dns.not_hosted", name: str = "shop.moon.test", at: datetime = NOW) -> Finding:
    return Finding(
        code=code,
        verdict=Verdict.BLOCK,
        name=name,
        owner=Owner.MERCHANT,
        summary=say("{name} is hosted at {servers} since {when}: {why}.", name=name, servers=("a", "b"), when=NOW,
                    why=say("{n} servers", n=2)),
        remedy=say("Change the name servers."),
        checked_at=at,
        evidence={"servers": ["ns1.other.test"], "count": 2, "deep": {"한국": None}},
    )  # fmt: skip


def certificate(number: int = 1, **changes: Any) -> Certificate:
    """Return a certificate that is due at NOW."""
    plain = Certificate(
        id=f"cert_{number:03}",
        store="moon",
        domain=f"shop{number:03}.test",
        wanted=(f"shop{number:03}.test", f"www.shop{number:03}.test"),
        created_at=NOW - MINUTE,
        updated_at=NOW,
        run_after=NOW,
    )
    return replace(plain, **changes)


def full_certificate() -> Certificate:
    """Return a certificate in which no field has its default."""
    return certificate(
        state=State.FAILED,
        run_after=NOW + MINUTE,
        fence=7,
        lease_until=NOW - MINUTE,
        installed="rev_1",
        next="rev_2",
        attempt=Attempt(
            ca="Pebble",
            challenge="http-01",
            tried=("Other http-01", "Other"),
            polls=3,
            faults=2,
            started_at=NOW,
            names=("a.test", "b.test"),
            considered=("a.test", "b.test", "c.test"),
            refused=("c.test",),
            before=(("dns.not_hosted", "c.test"),),
            answers=(("a.test", "tok", "https://ca.test/challenge/1"),),
            leftovers=(("Other", "dns-01", "a.test", "tok2"),),
        ),
        stopped_at=State.VALIDATING,
        failures=4,
        strikes=2,
        problem=finding(),
        asked=True,
        serial="0a1b",
        not_before=NOW - timedelta(days=30),
        not_after=NOW + timedelta(days=60),
        renew_at=NOW + timedelta(days=30),
        window=Window(NOW + timedelta(days=29), NOW + timedelta(days=31)),
        ari_after=NOW + timedelta(hours=6),
        retry_at=NOW + timedelta(hours=1),
        compared=say("{name} is right now.", name="a.test"),
        revocation=finding("certificate.revoked"),
        placements=(Placement("edge", "rev_1", NOW), Placement("cache", "rev_0", NOW - timedelta(days=60))),
        rollback=Rollback("rev_1", "0b2c", NOW, NOW + timedelta(days=3), "T1/U1", "T1/U2"),
    )


def revision(number: int = 1, **changes: Any) -> Revision:
    plain = Revision(
        id=f"rev_{number}",
        certificate="cert_001",
        names=("a.test", "b.test"),
        csr="-----BEGIN CERTIFICATE REQUEST-----",
        sealed_key=b"\x00\xffsealed",
        created_at=NOW + number * MINUTE,
        key_type="ec-p384",
        ca="Pebble",
        order_url="https://ca.test/order/1",
        finalize_url="https://ca.test/order/1/finalize",
        authorizations=("https://ca.test/authz/1", "https://ca.test/authz/2"),
        certificate_url="https://ca.test/certificate/1",
        chain="-----BEGIN CERTIFICATE-----",
        serial="0a1b",
        not_before=NOW,
        not_after=NOW + timedelta(days=90),
    )
    return replace(plain, **changes)


def happening(number: int = 1, certificate: str = "cert_001") -> Happening:
    return Happening(
        certificate, NOW + number * MINUTE, f"event_{number}", "T1/U1", "ordering", "한국 details"
    )


def request(number: int = 1, **changes: Any) -> Request:
    plain = Request(
        id=f"req_{number}",
        dedupe=f"trigger {number}",
        team="T1",
        user="U1",
        channel="C1",
        text="add shop.moon.test",
        created_at=NOW + number * MINUTE,
    )
    return replace(plain, **changes)


def message(number: int = 1, **changes: Any) -> Message:
    plain = Message(
        id=f"msg_{number}",
        key=f"request:{number}",
        kind="plan",
        channel="C1",
        user="U1",
        private=True,
        body={"names": ["a.test"], "deep": {"한국": 1}},
        created_at=NOW + timedelta(seconds=number),
        follows=("cert_001", "cert_002"),
    )
    return replace(plain, **changes)


def alert(number: int = 1, **changes: Any) -> Alert:
    """Return an alert of one name server that is due at NOW."""
    plain = Alert(
        id=f"alert_{number}",
        key=f"dns.lame ns{number}.other.test",
        code="dns.lame",
        thing=f"ns{number}.other.test",
        owner=Owner.MERCHANT,
        wide=False,
        opened_at=NOW,
        members=1,
        due_at=NOW,
    )
    return replace(plain, **changes)


def full_alert() -> Alert:
    """Return an alert in which no field has its default."""
    return alert(
        version=3,
        severity=Severity.CRITICAL,
        said=Severity.URGENT,
        healed_at=NOW + 2 * MINUTE,
        lead=finding("dns.lame"),
        members=4,
        most=5,
        failures=6,
        next_attempt=NOW + 3 * MINUTE,
        earliest=NOW + 4 * MINUTE,
        acked_by="T1/U1",
        acked_at=NOW + 5 * MINUTE,
        acked=Severity.WARNING,
        snoozed_by="T1/U2",
        snoozed_until=NOW + 6 * MINUTE,
        handed_to="T1/U3",
        channels=("C1", "C2"),
        hooks=("pager",),
        due_at=NOW + 7 * MINUTE,
        stirred=8,
        fence=9,
        lease_until=NOW - MINUTE,
    )


def sighting(number: int = 1, **changes: Any) -> Sighting:
    """Return a confirmed sighting of `alert`'s cause at `certificate` number ``number``, with every field set."""
    plain = Sighting(
        certificate=f"cert_{number:03}",
        key="dns.lame ns1.other.test",
        alert="dns.lame ns1.other.test",
        code="dns.lame",
        owner=Owner.MERCHANT,
        store="moon",
        name=f"shop{number:03}.test",
        blocks=True,
        position=0,
        first_seen=NOW,
        last_seen=NOW + MINUTE,
        confirmed=True,
        deadline=NOW + number * DAY,
        lifetime=90 * DAY,
        renews_at=NOW,
    )
    return replace(plain, **changes)


def breaker(thing: str = "ca Pebble", **changes: Any) -> Breaker:
    plain = Breaker(
        thing=thing,
        failed=("cert_001", "cert_002", "cert_003"),
        since=NOW - MINUTE,
        code="ca.unavailable",
        detail="503 한국",
        opened_at=NOW,
        probe_at=NOW + MINUTE,
        probes=2,
    )
    return replace(plain, **changes)


def account(directory: str = "https://ca.test/directory", **changes: Any) -> Account:
    plain = Account("Pebble", directory, "https://ca.test/account/1", b"\x00sealed", NOW)
    return replace(plain, **changes)


def add(storage: Storage, *certificates: Certificate) -> None:
    with storage.write() as tx:
        for one in certificates:
            assert tx.certificates.add(one)


def claim(storage: Storage, now: datetime = NOW, limit: int = 10) -> list[Certificate]:
    with storage.write() as tx:
        return list(tx.certificates.claim(now, LEASE, limit))


def stored(storage: Storage, id_: str = "cert_001") -> Certificate:
    with storage.read() as tx:
        found = tx.certificates.get(id_)
    assert found is not None
    return found


def together(*works: Callable[[], Any]) -> list[Any]:
    """Run the works at the same time, each in a thread; return their results in order, or raise the first error."""
    start = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)
    errors: list[BaseException] = []

    def run(index: int) -> None:
        start.wait(10)
        try:
            results[index] = works[index]()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            errors.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]
    return results
