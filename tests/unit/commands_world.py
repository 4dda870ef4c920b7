"""Alerts, sightings and certificates for tests of the commands: rows as the services write them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from commands.reply import Button, Buttons, Menu, Part, Reply
from services.desk import Desk
from services.model.alerts import Alert, Severity, Sighting
from services.model.findings import CODES, Finding, Owner
from services.model.settings import Alerting
from services.ports import Message
from storage.memory import MemoryStorage
from tests.desks import NOW, Bench, finding

POLICY = Alerting(
    channel="C_ALERTS", support_channel="C_SUPPORT", oncall_group="S0ONCALL", manager_group="S0BOSS"
)
DAY = timedelta(days=1)


def make_bench() -> Bench:
    """Return a bench with two stores."""
    made = Bench(MemoryStorage())
    made.store("moon", "shop.moon.test", "www.moon.test", default="moon.shops.test")
    made.store("sun", "sun.test", "shop.sun.test")
    return made


def desk_of(bench: Bench, **changes: Any) -> Desk:
    """Return the bench's desk with a policy for alerts."""
    return replace(bench.desk, alerting=replace(POLICY, **changes))


def lame(name: str = "shop0.test") -> Finding:
    """Return the finding of a name server that does not serve a zone."""
    return replace(
        finding("dns.lame", name),
        evidence={
            "found": [{"server": "ns1.platform.test", "rcode": "REFUSED", "error": None}],
            "required": ["ns1.platform.test", "ns2.platform.test"],
            "foreign": [],
        },
    )


def alert(code: str = "dns.lame", thing: str = "ns1.platform.test", **changes: Any) -> Alert:
    """Return an alert that was told of as a warning an hour ago."""
    held: dict[str, Any] = {
        "id": "alert_1",
        "key": f"{code} {thing}",
        "code": code,
        "thing": thing,
        "owner": CODES[code].owner,
        "wide": CODES[code].owner is not Owner.MERCHANT,
        "opened_at": NOW - timedelta(hours=3),
        "version": 4,
        "severity": Severity.WARNING,
        "said": Severity.WARNING,
        "lead": lame() if code == "dns.lame" else finding(code, thing),
        "members": 1,
        "most": 1,
        "failures": 2,
        "next_attempt": NOW + timedelta(hours=1),
        "earliest": NOW + 12 * DAY,
    }
    return Alert(**(held | changes))


def sighting(of: Alert, number: int = 0, **changes: Any) -> Sighting:
    """Return the confirmed sighting of one certificate, which suffers from the alert's cause."""
    held: dict[str, Any] = {
        "certificate": f"cert_{number}",
        "key": of.key,
        "alert": of.key,
        "code": of.code,
        "owner": of.owner,
        "store": f"store{number}",
        "name": f"shop{number}.test",
        "blocks": True,
        "position": 0,
        "first_seen": of.opened_at,
        "last_seen": NOW,
        "confirmed": True,
        "deadline": NOW + (12 + number) * DAY,
        "lifetime": 90 * DAY,
        "renews_at": NOW - DAY,
    }
    return Sighting(**(held | changes))


def put(bench: Bench, of: Alert, members: int = 1, **changes: Any) -> Alert:
    """Save the alert with so many members of a store each, and return it."""
    with bench.storage.write() as tx:
        assert tx.alerts.add(of)
        for number in range(members):
            tx.alerts.put_sighting(sighting(of, number, **changes))
    return of


def owed(
    kind: str, body: dict[str, Any], *, ts: str | None = None, channel: str = "C_ALERTS", at: datetime = NOW
) -> Message:
    """Return a message that waits to be composed."""
    return Message("msg_1", "k", kind, channel, "", private=False, body=body, created_at=at, ts=ts)


def clickable(reply: Reply) -> dict[str, Button | Menu]:
    """Return what can be clicked in the reply, by action."""
    items = [item for part in reply.parts if isinstance(part, Buttons) for item in part.items]
    return {item.action: item for item in items}


def only(reply: Reply, kind: type[Part]) -> list[Any]:
    """Return the reply's parts of one kind."""
    return [part for part in reply.parts if isinstance(part, kind)]
