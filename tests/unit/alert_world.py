"""A small fleet under alert: certificates with margins, findings that come and go, and the round over what is due."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.alerting.rounds import tend_due
from services.alerting.sighting import sight, sight_self
from services.desk import Desk
from services.model.alerts import Alert, Sighting
from services.model.certificates import Certificate
from services.model.findings import CODES, Finding, Owner, Verdict
from services.model.lifecycle import State
from services.model.settings import Alerting, Hook, Issuing, Platform, Renewing
from services.model.stores import Store
from services.model.text import say
from services.ports import Message, Storage, Subject
from storage.memory import MemoryStorage

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
CHANNEL, SUPPORT = "C_ALERTS", "C_SUPPORT"
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
PAGER = Hook("pager", "pagerduty", "https://events.test/", "key")
POLICY = Alerting(
    channel=CHANNEL,
    support_channel=SUPPORT,
    oncall_group="S_ONCALL",
    manager_group="S_MANAGERS",
    hooks=(PAGER,),
)
OURS = "ns1.platform.test"


def found(
    code: str,
    name: str,
    verdict: Verdict = Verdict.BLOCK,
    *,
    owner: Owner | None = None,
    at: datetime = NOW,
    summary: str = "{name}: found {code}.",
    **evidence: Any,
) -> Finding:
    """Return a finding of ``name`` as a check makes it."""
    said = say(summary, name=name, code=code)
    remedy = say("Mend {code} of {name}.", code=code, name=name)
    return Finding(code, verdict, name, owner or CODES[code].owner, said, remedy, at, evidence)


def lame(name: str, *hosts: str, at: datetime = NOW, verdict: Verdict = Verdict.BLOCK) -> Finding:
    """Return the finding that name servers of the platform do not serve the name's zone."""
    return found(
        "dns.lame", name, verdict, owner=Owner.PLATFORM, at=at, zone=name, hosts=list(hosts or (OURS,))
    )


class Silent:
    """A checker that finds nothing."""

    def check(self, subject: Subject) -> tuple[Finding, ...]:
        return ()

    def rules(self, subject: Subject) -> tuple[Finding, ...]:
        return ()


@dataclass
class World:
    """A desk over a storage, a clock, and what tests turn."""

    storage: Storage = field(default_factory=MemoryStorage)
    policy: Alerting = POLICY
    now: datetime = NOW
    woken: int = 0
    tick: timedelta = timedelta(0)
    """How far the clock goes on each time it is read."""

    @property
    def desk(self) -> Desk:
        return Desk(
            storage=self.storage,
            checker=Silent(),
            platform=Platform(),
            issuing=Issuing(),
            renewing=Renewing(),
            clock=self._clock,
            wildcards=False,
            wake=self._wake,
            alerting=self.policy,
        )

    def _clock(self) -> datetime:
        self.now += self.tick
        return self.now

    def _wake(self) -> None:
        self.woken += 1

    def install(
        self, store: str, margin: timedelta | None, *, tags: tuple[str, ...] = (), **changes: Any
    ) -> Certificate:
        """Put a store with one certificate that expires after ``margin``; None: nothing is installed yet."""
        live: dict[str, Any] = {}
        if margin is not None:
            lifetime = changes.pop("lifetime", 90 * DAY)
            end = self.now + margin
            live = {
                "state": State.INSTALLED,
                "installed": f"rev_{store}",
                "not_before": end - lifetime,
                "not_after": end,
                "renew_at": end - lifetime / 3,
            }
        domain = f"{store}.test"
        certificate = Certificate(
            f"cert_{store}", store, domain, (domain,), self.now, self.now, **(live | changes)
        )
        with self.storage.write() as tx:
            tx.stores.put(Store(store, tags=tags))
            assert tx.certificates.add(certificate)
        return self.certificate(certificate.id)

    def certificate(self, id_: str) -> Certificate:
        with self.storage.read() as tx:
            certificate = tx.certificates.get(id_)
        assert certificate is not None
        return certificate

    def change(self, certificate: Certificate, **changes: Any) -> Certificate:
        """Save the certificate with ``changes``, as a worker does."""
        with self.storage.write() as tx:
            held = tx.certificates.claim_one(certificate.id, self.now, MINUTE)
            assert held is not None
            tx.certificates.save(replace(held, updated_at=self.now, **changes), None)
        return self.certificate(certificate.id)

    def see(self, certificate: Certificate, *findings: Finding) -> None:
        """Look at a certificate now: save what was found and sight it."""
        fresh = [replace(finding, checked_at=self.now) for finding in findings]
        with self.storage.write() as tx:
            tx.certificates.put_findings(certificate.id, fresh)
            row = tx.certificates.get(certificate.id)
            assert row is not None
            sight(tx, self.policy, row, fresh, self.now)

    def confirm(self, certificate: Certificate, *findings: Finding) -> None:
        """See it twice, far enough apart."""
        self.see(certificate, *findings)
        self.pass_(self.policy.confirm)
        self.see(certificate, *findings)

    def see_self(self, *findings: Finding) -> None:
        with self.storage.write() as tx:
            sight_self(tx, self.policy, findings, self.now)

    def pass_(self, time: timedelta) -> None:
        self.now += time

    def tend(self) -> int:
        """Tend what is due until nothing is; return how many alerts that were."""
        done = 0
        while count := tend_due(self.desk):
            done += count
        return done

    def run(self, time: timedelta) -> None:
        """Let the time pass, tending alerts as they fall due."""
        end = self.now + time
        self.tend()
        while (due := self.next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            self.tend()
        self.now = end

    def next_due(self) -> datetime | None:
        with self.storage.read() as tx:
            alerts = tx.alerts.listing(limit=10_000)
        return min((a.due_at for a in alerts if a.due_at is not None), default=None)

    def alert(self, key: str) -> Alert:
        """Return the newest alert with this key."""
        with self.storage.read() as tx:
            alert = tx.alerts.latest(key)
        assert alert is not None, key
        return alert

    def sightings(self, certificate: Certificate) -> Sequence[Sighting]:
        with self.storage.read() as tx:
            return tx.alerts.sightings(certificate.id)

    def message(self, key: str) -> Message | None:
        with self.storage.read() as tx:
            return tx.outbox.by_key(key)

    def posted(self, alert: Alert, channel: str = CHANNEL) -> Message:
        """Return the alert's message in a channel."""
        message = self.message(f"alert:{alert.id}:{channel}")
        assert message is not None
        return message

    def outbox(self, via: str = "slack") -> list[Message]:
        """Deliver everything that is owed, whenever it is due, as if it were sent now; return it as it was claimed."""
        with self.storage.write() as tx:
            owed = list(tx.outbox.claim(self.now + 365 * DAY, MINUTE, 10_000, via))
            for message in owed:
                tx.outbox.delivered(message, f"ts_{message.id}", final=False)
        return owed

    def lines(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """Deliver what is owed; return the thread lines among it as (what, channel, mentions)."""
        notes = [message for message in self.outbox() if message.kind == "alert_note"]
        return [(m.key.split(":")[3], m.channel, tuple(m.body["mention"])) for m in notes]
