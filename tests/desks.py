"""A desk for tests: storage in memory, a clock that a test sets, and a checker that says what the test tells it to."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from commands.caller import Caller, Role
from services.desk import Desk
from services.model.certificates import Certificate, Revision
from services.model.errors import CertdeskError
from services.model.findings import CODES, Finding, Verdict
from services.model.lifecycle import State
from services.model.settings import Issuing, Platform, Renewing
from services.model.stores import Domain, Store, StoreStatus
from services.model.text import say
from services.ports import Storage, Subject

NOW = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)
SUPPORT = Caller("T1/U_SUPPORT", Role.SUPPORT, None)
MOON = Caller("T1/U_MOON", Role.MERCHANT, frozenset({"moon"}))
STRANGER = Caller("T1/U_NEW", Role.NOBODY)


def finding(code: str, name: str, verdict: Verdict = Verdict.BLOCK) -> Finding:
    """Return a finding with sentences that name its code."""
    summary = say("{name}: found {code}.", name=name, code=code)
    remedy = say("Mend {code}.", code=code)
    return Finding(code, verdict, name, CODES[code].owner, summary, remedy, NOW)


@dataclass
class ScriptedChecker:
    """`services.ports.Checker` with the rules of names and what a test adds for each name."""

    says: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    wildcards: bool = False
    asked: list[str] = field(default_factory=list)
    trouble: CertdeskError | None = None

    def check(self, subject: Subject) -> tuple[Finding, ...]:
        self.asked.append(subject.name)
        return self.rules(subject) + self.says.get(subject.name, ())

    def rules(self, subject: Subject) -> tuple[Finding, ...]:
        if self.trouble is not None:
            raise self.trouble
        name, found = subject.name, []
        if subject.store is None:
            found.append(finding("domain.not_added", name))
        if subject.default:
            found.append(finding("domain.default", name))
        if subject.store is not None and subject.store.status is StoreStatus.DELETED:
            found.append(finding("store.deleted", name))
        if subject.store is not None and subject.store.status is StoreStatus.INACTIVE:
            found.append(finding("store.inactive", name))
        if name.startswith("*.") and not self.wildcards and subject.store is not None:
            found.append(finding("policy.wildcard_needs_dns", name))
        return tuple(found)


@dataclass
class Bench:
    """A desk with handles for what a test turns."""

    storage: Storage
    checker: ScriptedChecker = field(default_factory=ScriptedChecker)
    now: datetime = NOW
    woken: int = 0

    @property
    def desk(self) -> Desk:
        return Desk(
            storage=self.storage,
            checker=self.checker,
            platform=Platform(default_domains=("moon.shops.test",)),
            issuing=Issuing(),
            renewing=Renewing(),
            clock=lambda: self.now,
            wildcards=self.checker.wildcards,
            languages={"en": "English", "ja": "日本語", "ko": "한국어"},
            wake=self._wake,
        )

    def _wake(self) -> None:
        self.woken += 1

    def store(
        self, store: str, *names: str, status: StoreStatus = StoreStatus.ACTIVE, default: str = ""
    ) -> None:
        """Put a store with its added names, and its default domain if one is given."""
        with self.storage.write() as tx:
            tx.stores.put(Store(store, status))
            for name in names:
                tx.stores.put_domain(Domain(name, store))
            if default:
                tx.stores.put_domain(Domain(default, store, default=True))

    def certificate(self, name: str) -> Certificate:
        """Return the only certificate that has ``name`` among the wanted ones."""
        [found] = [one for one in self.certificates() if name in one.wanted]
        return found

    def certificates(self) -> Sequence[Certificate]:
        with self.storage.read() as tx:
            return tx.certificates.listing(limit=1000)

    def change(self, name: str, findings: Sequence[Finding] = (), **changes: Any) -> Certificate:
        """Save the certificate of ``name`` with ``changes``, as a worker does after a step."""
        with self.storage.write() as tx:
            held = tx.certificates.claim_one(self.certificate(name).id, self.now, timedelta(minutes=1))
            assert held is not None
            changed = replace(held, updated_at=self.now, **changes)
            tx.certificates.save(changed, None)
            tx.certificates.put_findings(changed.id, findings)
            tx.outbox.touch(changed.id, self.now)
        return self.certificate(name)

    def install(self, name: str, *names: str, serial: str = "0a1b2c", **changes: Any) -> Certificate:
        """Install a revision for ``name``'s certificate that covers ``names`` (all wanted ones unless given)."""
        certificate = self.certificate(name)
        covered = names or certificate.wanted
        revision = Revision(
            f"rev_{serial}", certificate.id, covered, "-----BEGIN CSR-----", b"sealed", self.now
        )
        with self.storage.write() as tx:
            tx.certificates.put_revision(revision)
        held: dict[str, Any] = {
            "state": State.INSTALLED,
            "installed": revision.id,
            "serial": serial,
            "not_before": self.now,
            "not_after": self.now + timedelta(days=90),
            "renew_at": self.now + timedelta(days=60),
            "run_after": self.now + timedelta(hours=6),
        }
        return self.change(name, **(held | changes))
