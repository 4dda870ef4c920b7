"""Ports: stores, certificates, challenges and accounts as the database keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from services.model.certificates import Certificate, Happening, Revision
from services.model.findings import Finding
from services.model.stores import Domain, Store, StoreStatus


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

    def domain(self, name: str, among: frozenset[str] | None = None) -> Domain | None:
        """Return the domain with exactly this name, or None.

        With ``among`` only if it is of one of these stores: of any other one no row is read, so that it takes as long as
        for a name of nobody.
        """
        ...

    def domains(self, store: str) -> Sequence[Domain]:
        """Return the store's domains, sorted by name; empty for an unknown store."""
        ...

    def put_domain(self, domain: Domain) -> bool:
        """Insert or update (by name; its store may change); tell whether anything changed.

        Raises NotFoundError, at the end of the transaction at the latest, if there is no such store.
        """
        ...


class Certificates(Protocol):
    """Certificates, which are the work queue, with their revisions, findings and history."""

    def get(self, certificate: str, among: frozenset[str] | None = None) -> Certificate | None:
        """Return the certificate with this id, or None; with ``among`` only if it is of one of these stores, as `Stores.domain`."""
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

    def extend(self, certificate: str, fence: int, lease_until: datetime) -> bool:
        """Lengthen the lease of a row that is held with this fence; False, and nothing changed, if it is not any more."""
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
        """Insert or replace the revision; for the same CSR the sealed key stays as it lies there (it may be re-wrapped)."""
        ...

    def revisions(self, certificate: str) -> Sequence[Revision]:
        """Return the certificate's revisions, newest first."""
        ...

    def findings(self, certificate: str) -> Sequence[Finding]:
        """Return what the last check found."""
        ...

    def findings_of(self, certificates: Sequence[str]) -> Mapping[str, Sequence[Finding]]:
        """Return what the last checks of all these found, by certificate; one without findings is left out."""
        ...

    def covered(self, revisions: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the names of those of these revisions that exist, by revision."""
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
