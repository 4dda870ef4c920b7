"""The steps' own world for tests: the runner with storage in memory, a clock that a test sets, and fakes at the ports.

The fakes hold state, as the real parts do: a CA validates what the responders have put up and signs what a CSR asks
for; the edge serves what the targets were given. A test turns their knobs and looks at what came of it.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.desk import Desk
from services.issuance import adding
from services.issuance.chain import fits, read_chain
from services.issuance.csr import csr_names
from services.issuance.move import Parts
from services.model.certificates import Certificate, Happening, Revision, Window
from services.model.errors import CaError, CaTrouble, DeployError, DnsUpdateError, SubProblem
from services.model.findings import Finding
from services.model.lifecycle import State
from services.model.names import base, is_wildcard
from services.model.pacing import Breaker
from services.model.settings import Alerting, CaSettings, Issuing, Platform, Renewing
from services.model.sight import EVERY
from services.model.stores import Domain, Store
from services.model.text import say
from services.ports import Authorization, Challenge, Order, RenewalInfo, Served, Transaction
from services.renewal import asking, runner, watching
from services.revoking import steps
from storage.memory import MemoryStorage
from storage.vault import Vault
from tests.desks import ScriptedChecker

# thousands of steps in a test: a line for each would be most of its time


def _quiet(*_: object) -> NoReturn:
    """Drop every log line of the many steps; a test that looks at the log takes this processor's place."""
    raise structlog.DropEvent


structlog.configure(processors=[_quiet])

START = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)
EDGE = "127.0.0.1"
ENDLESS = 30_000
"""Runs of the runner after which a test's world counts as going round in circles."""


class CrashError(Exception):
    """The process ends here."""


@dataclass
class FaultyStorage(MemoryStorage):
    """The in-memory twin of a process that can die at one of its writes."""

    dies_at: int = 0
    """Which write it dies at, counted from 1; 0 for none."""
    kept: bool = False
    """Whether that write was committed before."""
    writes: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    @contextmanager
    def write(self) -> Iterator[Any]:
        self.writes += 1
        dying = self.writes == self.dies_at
        with super().write() as tx:
            yield tx
            if dying and not self.kept:
                raise CrashError
        if dying:
            raise CrashError


@dataclass
class FakeResponder:
    """`services.ports.ChallengeResponder`; ``up`` is what the world can see."""

    type: str
    up: dict[tuple[str, str], str] = field(default_factory=dict)
    refusing: int = 0
    """How many more calls of `present` are refused."""
    stubborn: int = 0
    """How many more calls of `clean_up` are refused."""
    hidden: bool = False
    """Whether what is put up does not show."""
    presented: int = 0

    def present(self, name: str, token: str, key_authorization: str, certificate: str) -> None:
        self.presented += 1
        if self.refusing:
            self.refusing -= 1
            raise DnsUpdateError(say("The primary name server does not answer."))
        self.up[name, token] = key_authorization

    def visible(self, name: str, token: str, key_authorization: str) -> bool:
        return not self.hidden and self.up.get((name, token)) == key_authorization

    def clean_up(self, name: str, token: str, key_authorization: str, certificate: str) -> None:
        if self.stubborn:
            self.stubborn -= 1
            raise DnsUpdateError(say("The primary name server does not answer."))
        self.up.pop((name, token), None)


@dataclass
class _Placed:
    """An order as the fake CA keeps it."""

    names: tuple[str, ...]
    replaces: str | None
    status: str = "pending"
    authorizations: dict[str, str] = field(default_factory=dict)
    """name -> status"""
    failures: dict[str, CaError] = field(default_factory=dict)
    chain: str | None = None
    problem: CaError | None = None


@dataclass
class FakeCa:
    """`services.ports.CertificateAuthority` that really validates and really signs."""

    name: str
    clock: Callable[[], datetime]
    responders: dict[str, FakeResponder]
    lifetime: timedelta = timedelta(days=90)
    broken: set[str] = field(default_factory=set)
    """Names whose validation fails."""
    banned: set[str] = field(default_factory=set)
    """Names that an order is rejected for."""
    failing: set[str] = field(default_factory=set)
    """Challenge types that fail."""
    offered: tuple[str, ...] = ("http-01", "dns-01")
    errors: dict[str, list[CaError]] = field(default_factory=dict)
    """Per method: what its next calls raise."""
    down: bool = False
    undecided: bool = False
    patience: timedelta | None = None
    """What its orders ask for, as Retry-After, before the next look."""
    slow: bool = False
    """Whether finalized orders stay processing."""
    reuses: bool = False
    """Whether every authorization is valid already when an order is placed."""
    revoking: CaError | None = None
    """What finalized orders become invalid with, while they are processed."""
    other_key: bool = False
    suggestion: Window | None = None
    recalled: dict[str, Window] = field(default_factory=dict)
    """serial -> the window that it suggests for this one"""
    explanation: str | None = None
    """URL of the page that explains what is recalled."""
    ari_down: bool = False
    orders: list[_Placed] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    csrs: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    revoked: dict[str, tuple[int, str]] = field(default_factory=dict)
    """serial -> (reason code, what signed the request)"""
    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def trouble(self, trouble: CaTrouble, detail: str = "said no", **more: Any) -> CaError:
        """Return an error of this CA's."""
        return CaError(trouble, detail, ca=self.name, **more)

    def forget(self) -> None:
        """Lose every order, as a CA does that has lost its state."""
        self.lost = {str(number) for number in range(len(self.orders))}

    @property
    def issued(self) -> list[tuple[str, ...]]:
        """The names of each certificate that was signed, in order."""
        return [order.names for order in self.orders if order.chain is not None]

    def place_order(self, names: Sequence[str], replaces: str | None = None) -> Order:
        self._called("place_order")
        if refused := sorted(self.banned & set(names)):
            subproblems = [SubProblem(name, "rejectedIdentifier", f"{name} is refused") for name in refused]
            raise self.trouble(CaTrouble.REJECTED, "policy forbids issuing", subproblems=subproblems)
        status = "valid" if self.reuses else "pending"
        placed = _Placed(tuple(names), replaces, authorizations=dict.fromkeys(names, status))
        placed.status = "ready" if self.reuses else "pending"
        self.orders.append(placed)
        return self._shown(len(self.orders) - 1)

    def read_order(self, url: str) -> Order:
        self._called("read_order")
        return self._shown(self._number(url))

    def read_authorization(self, url: str) -> Authorization:
        self._called("read_authorization")
        order_url, _, name = url.partition("#")
        number = self._number(order_url)
        order = self.orders[number]
        status = order.authorizations[name]
        challenges = tuple(
            Challenge(kind, f"{url}#{kind}", f"{self.name}-{number}-{name}-{kind}", status)
            for kind in self.offered
            if kind == "dns-01" or not is_wildcard(name)
        )
        return Authorization(url, base(name), is_wildcard(name), status, challenges, order.failures.get(name))

    def key_authorization(self, token: str) -> str:
        return f"{token}.thumbprint"

    def answer(self, challenge: Challenge) -> None:
        self._called("answer")
        order_url, name, kind = challenge.url.split("#")
        order = self.orders[self._number(order_url)]
        if self.undecided or order.authorizations[name] != "pending":
            return
        shown = self.responders[kind].visible(
            base(name), challenge.token, self.key_authorization(challenge.token)
        )
        good = shown and name not in self.broken and kind not in self.failing
        order.authorizations[name] = "valid" if good else "invalid"
        if not good:
            order.failures[name] = self.trouble(CaTrouble.VALIDATION, f"no answer at {name} by {kind}")
            order.status = "invalid"
        elif all(status == "valid" for status in order.authorizations.values()):
            order.status = "ready"

    def finalize(self, order_url: str, finalize_url: str, csr: str) -> Order:
        self._called("finalize")
        order = self.orders[self._number(order_url)]
        if order.status != "ready":
            raise self.trouble(CaTrouble.NOT_READY, "the order is not ready")
        assert set(csr_names(csr)) == set(order.names)
        self.csrs.append(csr)
        order.status = "processing"
        if self.revoking is not None:
            shown, order.status = self._shown(self._number(order_url)), "invalid"
            order.problem = self.revoking
            return shown
        if not self.slow:
            order.chain, order.status = self._sign(csr), "valid"
        return self._shown(self._number(order_url))

    def download(self, certificate_url: str) -> str:
        self._called("download")
        chain = self.orders[self._number(certificate_url.removesuffix("/certificate"))].chain
        assert chain is not None
        return chain

    def renewal_info(self, certificate: str) -> RenewalInfo | None:
        self._called("renewal_info")
        if self.ari_down:
            raise self.trouble(CaTrouble.UNAVAILABLE, "no renewal information")
        again = self.clock() + timedelta(hours=6)
        if self.recalled and (window := self.recalled.get(read_chain(certificate).serial)):
            return RenewalInfo(window, again, self.explanation)
        if self.suggestion is None:
            return None
        return RenewalInfo(self.suggestion, self.clock() + timedelta(hours=6))

    def revoke(self, certificate: str, reason: int, key: str | None = None) -> bool:
        self._called("revoke")
        serial = read_chain(certificate).serial
        if serial in self.revoked:
            return False
        self.revoked[serial] = (reason, "key" if key else "account")
        return True

    def _called(self, method: str) -> None:
        self.calls[method] += 1
        if self.down:
            raise self.trouble(CaTrouble.UNAVAILABLE, "no answer")
        if waiting := self.errors.get(method):
            raise waiting.pop(0)

    def _number(self, url: str) -> int:
        number = url.rpartition("/")[2]
        if number in self.lost:
            raise self.trouble(CaTrouble.ORDER_LOST, "there is no such order")
        return int(number)

    def _shown(self, number: int) -> Order:
        order = self.orders[number]
        url = f"https://{self.name}.test/order/{number}"
        return Order(
            url=url,
            status=order.status,
            authorizations=tuple(f"{url}#{name}" for name in order.names),
            finalize_url=f"{url}/finalize",
            certificate_url=f"{url}/certificate" if order.status == "valid" else None,
            error=order.problem.detail if order.problem else "",
            problem=order.problem,
            retry_at=None if self.patience is None else self.clock() + self.patience,
        )

    def _sign(self, csr: str) -> str:
        request = x509.load_pem_x509_csr(csr.encode())
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        key = ec.generate_private_key(ec.SECP256R1()).public_key() if self.other_key else request.public_key()
        now = self.clock()
        leaf = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)]))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + self.lifetime)
            .add_extension(names, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        return leaf.public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class FakeTarget:
    """`services.ports.DeployTarget`; it takes nothing whose key and chain are not each other's."""

    name: str = "edge"
    serials: dict[str, str] = field(default_factory=dict)
    full: int = 0
    """How many more deployments fail."""
    deployments: int = 0
    refusing: set[str] = field(default_factory=set)
    """Names that it does not take."""
    output: str = ""
    """What it says when it fails; empty: that it is full."""

    def deploy(self, revision: Revision, key: str) -> None:
        self.deployments += 1
        assert revision.chain is not None
        assert fits(revision.chain, key, revision.names) is None
        if self.full or self.refusing & set(revision.names):
            self.full = max(0, self.full - 1)
            if self.output:
                raise DeployError(
                    say(
                        "Target {target}: the reload command ended with {code}: {output}",
                        target=self.name,
                        code=1,
                        output=self.output,
                    )
                )
            raise DeployError(say("Target {target} is full.", target=self.name))
        serial = read_chain(revision.chain).serial
        self.serials |= dict.fromkeys(revision.names, serial)

    def current(self, name: str) -> str | None:
        return self.serials.get(name)

    def remove(self, name: str) -> None:
        self.serials.pop(name, None)

    def discard(self, revision: Revision) -> bool:
        return revision.serial not in self.serials.values()


@dataclass
class FakeEdge:
    """`services.ports.EdgeProbe`: serves what the target has, or nothing new while it is ``stale``."""

    target: FakeTarget
    stale: bool = False
    bare: bool = False
    """Whether it serves the leaf alone, without its chain."""
    says: dict[str, Served] = field(default_factory=dict)
    """name -> what is served in the place of that"""
    asked: list[str] = field(default_factory=list)

    def served(self, name: str, chain: str = "") -> Sequence[Served]:
        self.asked.append(name)
        if name in self.says:
            return (self.says[name],)
        serial = None if self.stale else self.target.serials.get(name)
        bare = bool(self.bare and serial and chain)
        return (Served(name, EDGE, serial, trusted=None if serial is None else not bare, incomplete=bare),)


@dataclass
class Built:
    """One store, its CAs, responders, target and edge, and the runner that works on its certificates."""

    storage: MemoryStorage = field(default_factory=MemoryStorage)
    now: datetime = START
    checker: ScriptedChecker = field(default_factory=lambda: ScriptedChecker(wildcards=True))
    http: FakeResponder = field(default_factory=lambda: FakeResponder("http-01"))
    dns: FakeResponder = field(default_factory=lambda: FakeResponder("dns-01"))
    target: FakeTarget = field(default_factory=FakeTarget)
    """What the edge serves from."""
    more: tuple[FakeTarget, ...] = ()
    """Further targets."""
    chance: float = 0.5
    renewing: Renewing = field(default_factory=Renewing)
    names_of_cas: tuple[str, ...] = ("first", "second")
    vault: Vault = field(default_factory=lambda: Vault((os.urandom(32),)))
    alerting: Alerting = field(default_factory=Alerting)
    limits: dict[str, CaSettings] = field(default_factory=dict)
    watching: bool = False
    """Whether the fleet's watch is at work too."""
    scans: bool = False
    """Whether what is installed is scanned by itself."""

    def __post_init__(self) -> None:
        self.edge = FakeEdge(self.target)
        self.responders = {"http-01": self.http, "dns-01": self.dns}
        self.cas = {name: FakeCa(name, self.clock, self.responders) for name in self.names_of_cas}
        with self.storage.write() as tx:
            tx.stores.put(Store("moon"))
            for name in ("moon.test", "a.moon.test", "b.moon.test", "c.moon.test", "sun.test"):
                tx.stores.put_domain(Domain(name, "moon"))

    def clock(self) -> datetime:
        return self.now

    @property
    def ca(self) -> FakeCa:
        """The first CA."""
        return self.cas[self.names_of_cas[0]]

    @property
    def parts(self) -> Parts:
        return Parts(
            storage=self.storage,
            vault=self.vault,
            checker=self.checker,
            cas=self.cas,
            responders=self.responders,
            targets=(self.target, *self.more),
            probe=self.edge,
            platform=Platform(),
            issuing=Issuing(),
            renewing=self.renewing,
            clock=self.clock,
            chance=lambda: self.chance,
            announce=lambda: None,
            alerting=self.alerting,
            limits=self.limits,
            scans=self.scans,
        )

    @property
    def desk(self) -> Desk:
        return Desk(
            storage=self.storage,
            checker=self.checker,
            platform=Platform(),
            issuing=Issuing(),
            renewing=self.renewing,
            clock=self.clock,
            wildcards=True,
            wake=lambda: None,
            limits=tuple(self.limits.values()),
        )

    # --- what persons do

    def add(self, *names: str) -> None:
        adding.add(self.desk, names, store="moon", visible=EVERY, actor="terminal")

    def add_many(self, count: int) -> list[str]:
        """Add ``count`` domains, each with a certificate of its own; return their names."""
        names = [f"shop{number}.test" for number in range(count)]
        with self.storage.write() as tx:
            for name in names:
                tx.stores.put_domain(Domain(name, "moon"))
        self.add(*names)
        return names

    def renew(self, *names: str) -> None:
        asking.renew(self.desk, names, store="moon", visible=EVERY, actor="terminal")

    # --- what the clock and the workers do

    def work(self) -> bool:
        """Claim what is due now and run it; tell whether there was anything."""
        with self.storage.write() as tx:
            rows = tx.certificates.claim(self.now, self.renewing.lease, 10)
            revocations = tx.revocations.claim(self.now, self.renewing.lease, 10)
        for row in rows:
            runner.run(self.parts, row)
        for one in revocations:
            steps.step(self.parts, one)
        return bool(rows or revocations) or (self.watching and self.watch())

    def watch(self) -> bool:
        """Look at what the watch has due now; tell whether there was anything."""
        with self.storage.write() as tx:
            watches = tx.watches.claim(self.now, self.renewing.lease, 10)
        for one in watches:
            due_at = watching.look(self.parts, one)
            with self.storage.write() as tx:
                tx.watches.done(one, due_at)
        return bool(watches)

    def next_due(self) -> datetime | None:
        """When something is due, or a lease that nobody holds any more ends."""
        with self.storage.read() as tx:
            rows = tx.certificates.listing(limit=1000)
            watched = tx.watches.next_due() if self.watching else None
            revocations = [one for row in rows for one in tx.revocations.of(row.id)]
        due = [(r.run_after, r.lease_until) for r in rows] + [
            (r.run_after, r.lease_until) for r in revocations
        ]
        moments = [max(at, held or at) for at, held in due if at is not None]
        return min((*moments, *([watched] if watched else ())), default=None)

    def advance(self, delta: timedelta) -> None:
        """Let the time pass, with everything done that falls due."""
        end = self.now + delta
        for _ in range(ENDLESS):
            if self.work():
                continue
            due = self.next_due()
            if due is None or due > end:
                self.now = end
                return
            self.now = max(self.now, due)
        raise AssertionError(f"still at work at {self.now}: {self.all}")

    def settle(self, patience: timedelta = timedelta(hours=3)) -> Certificate:
        """Let the time pass until the certificate is at rest; return it."""
        end = self.now + patience
        for _ in range(ENDLESS):
            one = self.one
            at_rest = one.resting and (one.run_after is None or one.run_after > self.now)
            if at_rest and (one.state is not State.INSTALLED or one.ari_after != one.updated_at):
                return one
            if not self.work():
                due = self.next_due()
                assert due is not None
                assert due <= end, f"not at rest within {patience}: {one}"
                self.now = max(self.now, due)
        raise AssertionError(f"going round in circles at {self.now}: {self.one}")

    # --- what there is to see

    def reading(self, look: Callable[[Transaction], Any]) -> Any:
        with self.storage.read() as tx:
            return look(tx)

    @property
    def one(self) -> Certificate:
        """The only certificate."""
        [found] = self.reading(lambda tx: tx.certificates.listing())
        assert isinstance(found, Certificate)
        return found

    @property
    def all(self) -> list[Certificate]:
        """Every certificate."""
        return list(self.reading(lambda tx: tx.certificates.listing(limit=1000)))

    def breaker(self, thing: str) -> Breaker | None:
        """Return the breaker of a thing."""
        found = self.reading(lambda tx: tx.breakers.get(thing))
        assert found is None or isinstance(found, Breaker)
        return found

    def state(self) -> State:
        """Return the state of the only certificate, as it is now."""
        return self.one.state

    @property
    def revisions(self) -> list[Revision]:
        """Its revisions, oldest first."""
        return list(reversed(self.reading(lambda tx: tx.certificates.revisions(self.one.id))))

    @property
    def live(self) -> Revision:
        """The installed revision."""
        found = self.reading(lambda tx: tx.certificates.revision(self.one.installed or ""))
        assert isinstance(found, Revision)
        return found

    @property
    def findings(self) -> list[Finding]:
        return self.findings_of(self.one)

    @property
    def history(self) -> list[Happening]:
        return self.history_of(self.one)

    def history_of(self, certificate: Certificate) -> list[Happening]:
        return list(self.reading(lambda tx: tx.certificates.history(certificate.id, 10_000)))

    def findings_of(self, certificate: Certificate) -> list[Finding]:
        return list(self.reading(lambda tx: tx.certificates.findings(certificate.id)))

    def happened(self, what: str) -> list[Happening]:
        """Return the rows of the history with this name."""
        return [row for row in self.history if row.what == what]

    def change(self, **changes: Any) -> Certificate:
        """Save the certificate with ``changes``, as if an earlier step had led there."""
        with self.storage.write() as tx:
            held = tx.certificates.claim_one(self.one.id, self.now, timedelta(minutes=1))
            assert held is not None
            tx.certificates.save(replace(held, **changes), None)
        return self.one
