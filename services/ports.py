"""All that the services need from outside, as protocols. Each docstring is a contract that every implementation keeps."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from services.model.certificates import Certificate, Happening, Revision, Window
from services.model.findings import Finding
from services.model.stores import Domain, Store, StoreStatus

# --- storage -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Account:
    """An ACME account at one CA directory."""

    ca: str
    directory: str
    url: str
    sealed_key: bytes
    """The account key (PKCS#8 PEM), sealed for the binding `binding`."""
    created_at: datetime

    @property
    def binding(self) -> str:
        """What the sealed key is bound to."""
        return f"account:{self.directory}:key"


@dataclass(frozen=True, slots=True)
class Request:
    """A person's command as it came in, written before anything else happens."""

    id: str
    dedupe: str
    """What makes a second delivery the same request: Slack's trigger_id, for one."""
    team: str
    user: str
    channel: str
    text: str
    created_at: datetime
    done_at: datetime | None = None
    fence: int = 0
    lease_until: datetime | None = None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One message to Slack, posted once and then edited in place whenever it is dirty.

    ``kind`` says how its content is made when it is sent: ``reply`` shows ``body``; other kinds are composed from what
    the database says at that moment, so that edits which pile up become one.
    """

    id: str
    key: str
    """Unique: a second `put` under the same key changes the message instead of adding one."""
    kind: str
    channel: str
    user: str
    """Whom it is for; shown to this person alone if ``private``."""
    private: bool
    body: Mapping[str, Any]
    created_at: datetime
    follows: tuple[str, ...] = ()
    """Ids of the certificates whose changes make it dirty."""
    ts: str | None = None
    """Slack's id of the posted message; None before it is posted."""
    version: int = 1
    """Grows with each change; the message is due while it is larger than `sent`."""
    sent: int = 0
    run_after: datetime | None = None
    failures: int = 0
    error: str = ""
    fence: int = 0
    lease_until: datetime | None = None


class Stores(Protocol):
    """Stores and domains."""

    def get(self, store: str) -> Store | None:
        """Return the store with this id, or None."""
        ...

    def put(self, store: Store) -> bool:
        """Insert or update; tell whether anything changed."""
        ...

    def all(self) -> Sequence[Store]:
        """Return every store, sorted by id."""
        ...

    def set_status(self, store: str, status: StoreStatus) -> bool:
        """Set the status of an existing store; False if there is no such store."""
        ...

    def domain(self, name: str) -> Domain | None:
        """Return the domain with exactly this name, or None."""
        ...

    def domains(self, store: str) -> Sequence[Domain]:
        """Return the store's domains, sorted by name; empty for an unknown store."""
        ...

    def put_domain(self, domain: Domain) -> bool:
        """Insert or update (by name; its store may change); tell whether anything changed."""
        ...


class Certificates(Protocol):
    """Certificates, which are the work queue, with their revisions, findings and history."""

    def get(self, certificate: str) -> Certificate | None:
        """Return the certificate with this id, or None."""
        ...

    def get_many(self, certificates: Sequence[str]) -> Sequence[Certificate]:
        """Return those of the given ids that exist, in the order given."""
        ...

    def of(self, store: str, domain: str) -> Certificate | None:
        """Return the store's certificate for this registrable domain, or None."""
        ...

    def listing(self, store: str | None = None, limit: int = 100) -> Sequence[Certificate]:
        """Return certificates of a store (None: of all), worst first.

        Needing support, failed and blocked come first, then what is under way, then installed; within each the
        earliest not_after first (none before any), then by domain.
        """
        ...

    def count(self, store: str | None = None) -> int:
        """Return how many certificates `listing` would give without a limit."""
        ...

    def add(self, certificate: Certificate) -> bool:
        """Insert; False, and nothing changed, if the store has one for the domain already. Safe when two do it at once."""
        ...

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Certificate]:
        """Claim up to ``limit`` rows with run_after <= now and no lease or an expired one, longest due first.

        Each claimed row has lease_until = now + lease and a fence one higher than before. Two callers never get the
        same row. With nothing due it is cheap and writes nothing.
        """
        ...

    def claim_one(self, certificate: str, now: datetime, lease: timedelta) -> Certificate | None:
        """Claim this row whatever its run_after, unless another holds an unexpired lease (then None)."""
        ...

    def next_due(self) -> datetime | None:
        """Return the earliest run_after of unleased rows, or None."""
        ...

    def save(self, certificate: Certificate, lease_until: datetime | None) -> None:
        """Save a claimed row and keep its lease until ``lease_until`` (None gives it back).

        Raises LeaseLostError, and saves nothing, if the stored fence is not the certificate's own. Everything but id,
        store, domain, created_at and fence is written.
        """
        ...

    def ask(self, certificate: Certificate) -> bool:
        """Save an unleased change from outside the queue (a person asked, names were added) and raise the fence by one.

        False, and nothing saved, if the stored fence is not the certificate's or a lease is still held after
        ``certificate.updated_at``: then look again and decide anew.
        """
        ...

    def revision(self, revision: str) -> Revision | None:
        """Return the revision with this id, or None."""
        ...

    def put_revision(self, revision: Revision) -> None:
        """Insert or replace the revision."""
        ...

    def revisions(self, certificate: str) -> Sequence[Revision]:
        """Return the certificate's revisions, newest first."""
        ...

    def findings(self, certificate: str) -> Sequence[Finding]:
        """Return what the last check found."""
        ...

    def put_findings(self, certificate: str, findings: Sequence[Finding]) -> None:
        """Replace what the last check found; writes nothing if both are empty."""
        ...

    def record(self, happening: Happening) -> None:
        """Append one row of history. Rows are never changed."""
        ...

    def history(self, certificate: str, limit: int = 200) -> Sequence[Happening]:
        """Return the newest ``limit`` rows of the certificate's history, oldest first."""
        ...


class Challenges(Protocol):
    """Answers to http-01 challenges (RFC 8555 §8.3), readable by every process that answers for certdesk."""

    def put(self, token: str, key_authorization: str, certificate: str, now: datetime) -> None:
        """Insert or replace."""
        ...

    def get(self, token: str) -> str | None:
        """Return the key authorization for the token, or None."""
        ...

    def drop(self, certificate: str) -> None:
        """Forget the answers of this certificate; nothing happens if there are none."""
        ...


class Accounts(Protocol):
    """ACME accounts, one for each directory."""

    def get(self, directory: str) -> Account | None:
        """Return the account at this directory URL, or None."""
        ...

    def add(self, account: Account) -> Account:
        """Insert, unless there is one already: return the one that is stored after the call."""
        ...

    def replace(self, account: Account) -> None:
        """Insert or replace."""
        ...


class Requests(Protocol):
    """Commands that came in: a queue."""

    def add(self, request: Request) -> bool:
        """Insert; False, and nothing changed, if one with this ``dedupe`` exists."""
        ...

    def get(self, request: str) -> Request | None:
        """Return the request with this id, or None."""
        ...

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Request]:
        """Claim undone requests without an unexpired lease, oldest first; ``tries`` and ``fence`` grow by one each."""
        ...

    def finish(self, request: Request, now: datetime) -> None:
        """Mark a claimed request as done. Raises LeaseLostError if another worker has claimed it since."""
        ...


class Outbox(Protocol):
    """Messages that are owed to Slack, written in the transaction of the change they speak of."""

    def put(self, message: Message) -> None:
        """Insert; if the key exists: take the new kind, body and follows, raise the version, and keep what was posted."""
        ...

    def by_key(self, key: str) -> Message | None:
        """Return the message with this key, or None."""
        ...

    def touch(self, certificate: str, now: datetime) -> None:
        """Make every message that follows the certificate dirty and due now."""
        ...

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Message]:
        """Claim messages with version > sent and run_after <= now, oldest change first; as `Certificates.claim`."""
        ...

    def delivered(self, message: Message, ts: str, *, final: bool) -> None:
        """Record that ``message.version`` was sent as ``ts``; ``final`` ends its following. Later changes stay due.

        Raises LeaseLostError if another worker has claimed it since.
        """
        ...

    def postponed(self, message: Message, run_after: datetime, error: str) -> None:
        """Record a failed delivery: one failure more, due again at ``run_after``. Raises LeaseLostError as above."""
        ...

    def waiting(self) -> int:
        """Return how many messages are dirty."""
        ...


class Transaction(Protocol):
    """The repositories, inside one database transaction."""

    @property
    def stores(self) -> Stores: ...  # noqa: D102
    @property
    def certificates(self) -> Certificates: ...  # noqa: D102
    @property
    def challenges(self) -> Challenges: ...  # noqa: D102
    @property
    def accounts(self) -> Accounts: ...  # noqa: D102
    @property
    def requests(self) -> Requests: ...  # noqa: D102
    @property
    def outbox(self) -> Outbox: ...  # noqa: D102


class Storage(Protocol):
    """Everything certdesk keeps. May be used from any thread; a transaction belongs to one thread."""

    def write(self) -> AbstractContextManager[Transaction]:
        """Open a transaction that commits when the block ends, and rolls everything back when it raises.

        Never do network I/O inside: on SQLite it holds the one write lock.
        """
        ...

    def read(self) -> AbstractContextManager[Transaction]:
        """Open a transaction for reading only; it sees one consistent state and never waits for a writer."""
        ...

    def ready(self) -> bool:
        """Tell whether the database answers and its schema is up to date."""
        ...

    def heartbeat(self, worker: str, now: datetime) -> None:
        """Record that the worker process ``worker`` is alive."""
        ...

    def last_heartbeat(self) -> datetime | None:
        """Return when any worker was last alive, or None."""
        ...

    def close(self) -> None:
        """Give back connections. May be called twice."""
        ...


class Vault(Protocol):
    """Seals secrets (AES-256-GCM envelopes). Holds no state; may be used from any thread."""

    def seal(self, secret: bytes, binding: str) -> bytes:
        """Return the secret encrypted and bound to ``binding``; twice gives two different results."""
        ...

    def open(self, sealed: bytes, binding: str) -> bytes:
        """Return the secret. Raises VaultError if key, bytes or binding are not those it was sealed with."""
        ...


# --- the CA ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Order:
    """An ACME order as the CA shows it (RFC 8555 §7.1.3)."""

    url: str
    status: str
    """pending, ready, processing, valid or invalid."""
    authorizations: tuple[str, ...]
    finalize_url: str
    certificate_url: str | None = None
    error: str = ""
    """The order's problem as one sentence; empty if it has none."""
    retry_at: datetime | None = None
    problem: Any = None
    """The CaError of the order's problem; None if it has none."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to prove control (RFC 8555 §8)."""

    type: str
    url: str
    token: str
    status: str
    """pending, processing, valid or invalid."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """An authorization as the CA shows it (RFC 8555 §7.1.4)."""

    url: str
    name: str
    """The identifier; a wildcard's without ``*.``."""
    wildcard: bool
    status: str
    """pending, valid, invalid, deactivated, expired or revoked."""
    challenges: tuple[Challenge, ...]
    problem: Any = None
    """The CaError of the failed challenge if the status is invalid, else None."""
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RenewalInfo:
    """A CA's suggestion when to renew (RFC 9773 §4)."""

    window: Window
    ask_again_at: datetime
    explanation_url: str | None = None


class CertificateAuthority(Protocol):
    """One ACME CA. Every call is a single exchange that neither sleeps nor polls; any thread may call.

    Every method raises CaError, and nothing else, when the CA says no or cannot be asked.
    """

    @property
    def name(self) -> str:
        """The CA's name in app.yaml."""
        ...

    def place_order(self, names: Sequence[str], replaces: str | None = None) -> Order:
        """Place an order (§7.4). ``replaces`` is the PEM of the certificate it renews; it is left out where refused."""
        ...

    def read_order(self, url: str) -> Order:
        """Return the order's present state. CaTrouble.ORDER_LOST if the CA no longer knows it."""
        ...

    def read_authorization(self, url: str) -> Authorization:
        """Return the authorization's present state."""
        ...

    def key_authorization(self, token: str) -> str:
        """Return the token joined with the account key's thumbprint (§8.1)."""
        ...

    def answer(self, challenge: Challenge) -> None:
        """Tell the CA that the challenge is ready. Twice is harmless: NOT_READY is not raised for a done challenge."""
        ...

    def finalize(self, order_url: str, finalize_url: str, csr: str) -> Order:
        """Send the CSR (PEM). Raises NOT_READY if the order is not ready; a second call may do so: read the order."""
        ...

    def download(self, certificate_url: str) -> str:
        """Return the chain as PEM, leaf first."""
        ...

    def renewal_info(self, certificate: str) -> RenewalInfo | None:
        """Return the CA's suggestion for the leaf of this PEM; None if the CA does not offer ARI."""
        ...


class ChallengeResponder(Protocol):
    """Puts up and takes down the answers for one type of challenge."""

    @property
    def type(self) -> str:
        """http-01 or dns-01."""
        ...

    def present(self, name: str, token: str, key_authorization: str, certificate: str) -> None:
        """Put the answer up for ``name`` (without ``*.``). Idempotent. Raises DnsUpdateError if that failed."""
        ...

    def visible(self, name: str, token: str, key_authorization: str) -> bool:
        """Tell whether the CA would see the answer now: one look, no waiting."""
        ...

    def clean_up(self, name: str, token: str, key_authorization: str, certificate: str) -> None:
        """Take the answer down. Idempotent; never touches other answers for the same name. May raise DnsUpdateError."""
        ...


# --- the edge ----------------------------------------------------------------------------------------------------


class DeployTarget(Protocol):
    """A place where certificates go."""

    @property
    def name(self) -> str:
        """The target's name in app.yaml."""
        ...

    def deploy(self, revision: Revision, key: str) -> None:
        """Make ``revision`` the one that is served for each of its names; ``key`` is the private key, PEM.

        Idempotent and atomic for each name: key and chain change together or not at all. Raises DeployError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Served:
    """What one edge address serves for one name."""

    name: str
    address: str
    serial: str | None
    """Lower-case hex; None if no TLS connection came about."""
    trusted: bool | None
    """Whether the chain leads to a trusted root and the name fits; None without a connection."""
    error: str = ""


class EdgeProbe(Protocol):
    """Looks at what the edge serves."""

    def served(self, name: str) -> Sequence[Served]:
        """Connect to each of the platform's addresses with SNI ``name`` and return what was served, one for each.

        A wildcard is asked for with a name below it. Empty if no addresses are configured.
        """
        ...


# --- checks ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be checked: one name, with all that the database knows of it."""

    name: str
    """Normalised name (services/naming.py)."""
    store: Store | None
    """The store that the caller means or that owns the name; None if the name is not the caller's."""
    added: bool
    """Whether the name, or the name it is the ``www.`` of, was added to that store."""
    default: bool
    """Whether the database marks it as the store's default domain."""
    certificate: Certificate | None = None


class Checker(Protocol):
    """Runs every check of the chain on a subject."""

    def check(self, subject: Subject) -> tuple[Finding, ...]:
        """Return what was found, worst first; empty for a healthy name. Spends nothing at the CA; never raises for DNS."""
        ...

    def rules(self, subject: Subject) -> tuple[Finding, ...]:
        """Return the findings of those checks that need no network: the store, the name and the policy."""
        ...
