"""Ports: transactions over the repositories, and the vault."""

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from services.ports.alerting import Alerts, Breakers, Budgets, Watches
from services.ports.audiences import Audit, Languages, Links
from services.ports.fleet import Fleet
from services.ports.jobs import Jobs
from services.ports.proposals import Proposals
from services.ports.publications import Publications
from services.ports.queues import Outbox, Requests
from services.ports.recalls import Recalls
from services.ports.repositories import Accounts, Certificates, Challenges, Stores
from services.ports.revocations import Revocations
from services.ports.scanning import Scans
from services.ports.workspaces import Workspaces


class Transaction(Protocol):
    """The repositories, inside one database transaction."""

    @property
    def stores(self) -> Stores: ...  # noqa: D102
    @property
    def certificates(self) -> Certificates: ...  # noqa: D102
    @property
    def fleet(self) -> Fleet: ...  # noqa: D102
    @property
    def challenges(self) -> Challenges: ...  # noqa: D102
    @property
    def accounts(self) -> Accounts: ...  # noqa: D102
    @property
    def requests(self) -> Requests: ...  # noqa: D102
    @property
    def outbox(self) -> Outbox: ...  # noqa: D102
    @property
    def links(self) -> Links: ...  # noqa: D102
    @property
    def languages(self) -> Languages: ...  # noqa: D102
    @property
    def audit(self) -> Audit: ...  # noqa: D102
    @property
    def alerts(self) -> Alerts: ...  # noqa: D102
    @property
    def watches(self) -> Watches: ...  # noqa: D102
    @property
    def breakers(self) -> Breakers: ...  # noqa: D102
    @property
    def budgets(self) -> Budgets: ...  # noqa: D102
    @property
    def proposals(self) -> Proposals: ...  # noqa: D102
    @property
    def workspaces(self) -> Workspaces: ...  # noqa: D102
    @property
    def jobs(self) -> Jobs: ...  # noqa: D102
    @property
    def revocations(self) -> Revocations: ...  # noqa: D102
    @property
    def recalls(self) -> Recalls: ...  # noqa: D102
    @property
    def publications(self) -> Publications: ...  # noqa: D102
    @property
    def scans(self) -> Scans: ...  # noqa: D102


class Storage(Protocol):
    """Everything certdesk keeps. May be used from any thread; a transaction belongs to one thread."""

    def write(self) -> AbstractContextManager[Transaction]:
        """Open a transaction that commits when the block ends, and rolls everything back when it raises.

        Never do network I/O inside: on SQLite it holds the one write lock. Inside another `write` of the same thread it
        raises RuntimeError. Raises DatabaseUnavailableError if the database does not answer, and NotFoundError if a row
        (a domain, a revision, a finding, a happening) belongs to a store or certificate that does not exist.
        """
        ...

    def read(self) -> AbstractContextManager[Transaction]:
        """Open a transaction for reading only; it sees one consistent state and never waits for a writer.

        To write in it raises RuntimeError; DatabaseUnavailableError as in `write`.
        """
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

    def lead(self, duty: str, worker: str, now: datetime, lasts: timedelta) -> bool:
        """Let ``worker`` do ``duty`` alone until ``now + lasts``, and tell whether it does; False while another one does.

        To be asked again in time, to go on; with no time at all it gives the duty up. Of two that ask at once one does it.
        Workers are told apart by their names alone, and their clocks must agree better than ``lasts``.
        """
        ...

    def server_time(self) -> datetime | None:
        """Return what the database server's clock says now; None if the database runs on this machine's clock.

        Raises DatabaseUnavailableError as `read`.
        """
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
