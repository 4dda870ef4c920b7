"""What the in-memory twin holds, and how a transaction sees it: shared until it writes, then a copy of its own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from services.model.alerts import Alert, Sighting
from services.model.audiences import ChannelLanguage, Kind, Link, LinkRequest
from services.model.audit import Entry
from services.model.certificates import Certificate, Happening, Revision
from services.model.clock import aware
from services.model.errors import LeaseLostError
from services.model.findings import Finding
from services.model.jobs import Item, Job
from services.model.pacing import Breaker, Watch
from services.model.proposals import Proposal
from services.model.recalls import Recall
from services.model.revoking import BarredKey, Revocation
from services.model.scans import Site
from services.model.stores import Domain, Store
from services.model.workspaces import Workspace
from services.ports import Account, Message, Publication, Request
from storage.refusals import READING, no_parent

Row = TypeVar("Row", Certificate, Request, Message, Alert, Watch, Job, Revocation, Site)


@dataclass(slots=True)
class Tables:
    """One state of everything; a committed one is never changed again."""

    stores: dict[str, Store] = field(default_factory=dict)
    domains: dict[str, Domain] = field(default_factory=dict)
    certificates: dict[str, Certificate] = field(default_factory=dict)
    revisions: dict[str, Revision] = field(default_factory=dict)
    findings: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    history: dict[str, tuple[Happening, ...]] = field(default_factory=dict)
    challenges: dict[str, tuple[str, str]] = field(default_factory=dict)
    """token -> (key authorization, certificate)"""
    accounts: dict[str, Account] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)
    outbox: dict[str, Message] = field(default_factory=dict)
    links: dict[tuple[Kind, str, str], Link] = field(default_factory=dict)
    """(kind, who, store) -> the link"""
    link_requests: dict[str, LinkRequest] = field(default_factory=dict)
    channel_languages: dict[str, ChannelLanguage] = field(default_factory=dict)
    audit: dict[int, Entry] = field(default_factory=dict)
    """number -> what was done, in the order of the numbers"""
    alerts: dict[str, Alert] = field(default_factory=dict)
    sightings: dict[tuple[str, str], Sighting] = field(default_factory=dict)
    """(certificate, key) -> what was seen"""
    watches: dict[str, Watch] = field(default_factory=dict)
    breakers: dict[str, Breaker] = field(default_factory=dict)
    budgets: dict[str, datetime] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    workspaces: dict[str, Workspace] = field(default_factory=dict)
    spent: dict[str, datetime] = field(default_factory=dict)
    """what is good for one time -> until when it is remembered"""
    jobs: dict[str, Job] = field(default_factory=dict)
    job_items: dict[tuple[str, int], Item] = field(default_factory=dict)
    """(job, number) -> the item"""
    revocations: dict[str, Revocation] = field(default_factory=dict)
    barred_keys: dict[str, BarredKey] = field(default_factory=dict)
    """SHA-256 of the public key -> the key"""
    recalls: dict[str, Recall] = field(default_factory=dict)
    """revision -> its recall"""
    publications: dict[tuple[str, str], Publication] = field(default_factory=dict)
    """(target, name) -> the revision"""
    scans: dict[str, Site] = field(default_factory=dict)
    workers: dict[str, datetime] = field(default_factory=dict)
    leads: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """duty -> (who does it alone, until when)"""


class View:
    """The tables as one transaction sees them."""

    __slots__ = ("_owned", "_writable", "tables")

    def __init__(self, committed: Tables, *, writable: bool) -> None:
        self.tables = replace(committed) if writable else committed
        self._writable = writable
        self._owned: set[str] = set()

    def own(self, name: str) -> None:
        """Make the table ``name`` this transaction's own before it is changed. RuntimeError if it may only read."""
        if not self._writable:
            raise RuntimeError(READING)
        if name not in self._owned:
            setattr(self.tables, name, dict(getattr(self.tables, name)))
            self._owned.add(name)


class MemoryRepository:
    """Repositories hold nothing but the view of their transaction."""

    __slots__ = ("_view",)

    def __init__(self, view: View) -> None:
        self._view = view

    @property
    def _tables(self) -> Tables:
        return self._view.tables

    def _must_exist(self, certificate: str) -> None:
        if certificate not in self._tables.certificates:
            raise no_parent()


def free(row: Row, at: datetime) -> bool:
    """Tell whether nobody holds the row at this moment."""
    return row.lease_until is None or row.lease_until <= at


def claimed(row: Row, until: datetime) -> Row:
    """Return the row as the next one who claims it has it."""
    return replace(row, fence=row.fence + 1, lease_until=until)


def claim(
    due: Iterable[Row], since: Callable[[Row], datetime], now: datetime, lease: timedelta, limit: int
) -> list[Row]:
    """Return up to ``limit`` of the ``due`` rows that are free, claimed, those with the smallest ``since`` first."""
    now = aware(now)
    rows = sorted((row for row in due if free(row, now)), key=lambda row: (since(row), row.id))
    return [claimed(row, now + lease) for row in rows[:limit]]


def held(table: dict[str, Row], row: Row) -> Row:
    """Return what is stored for a claimed row. Raises LeaseLostError if it was claimed again since."""
    stored = table.get(row.id)
    if stored is None or stored.fence != row.fence:
        raise LeaseLostError(row.id)
    return stored
