"""The storage in memory: a write transaction changes its own copy, and to commit is to put that in place."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from services.model.clock import aware
from storage.memory.alerting import MemoryAlerts
from storage.memory.audiences import MemoryAudit, MemoryLanguages, MemoryLinks
from storage.memory.certificates import MemoryCertificates
from storage.memory.fleet import MemoryFleet
from storage.memory.jobs import MemoryJobs
from storage.memory.others import MemoryAccounts, MemoryChallenges, MemoryStores
from storage.memory.pacing import MemoryBreakers, MemoryBudgets, MemoryWatches
from storage.memory.proposals import MemoryProposals
from storage.memory.publications import MemoryPublications
from storage.memory.queues import MemoryOutbox, MemoryRequests
from storage.memory.recalls import MemoryRecalls
from storage.memory.revocations import MemoryRevocations
from storage.memory.scans import MemoryScans
from storage.memory.tables import MemoryRepository, Tables, View
from storage.memory.workspaces import MemoryWorkspaces
from storage.turns import Turns


class MemoryTransaction(MemoryRepository):
    """The repositories of one transaction. Belongs to one thread."""

    __slots__ = ()

    @property
    def stores(self) -> MemoryStores:
        """Stores and domains."""
        return MemoryStores(self._view)

    @property
    def certificates(self) -> MemoryCertificates:
        """Certificates with their revisions, findings and history."""
        return MemoryCertificates(self._view)

    @property
    def fleet(self) -> MemoryFleet:
        """The fleet in parts and page by page."""
        return MemoryFleet(self._view)

    @property
    def challenges(self) -> MemoryChallenges:
        """Answers to http-01 challenges."""
        return MemoryChallenges(self._view)

    @property
    def accounts(self) -> MemoryAccounts:
        """ACME accounts."""
        return MemoryAccounts(self._view)

    @property
    def requests(self) -> MemoryRequests:
        """Commands that came in."""
        return MemoryRequests(self._view)

    @property
    def outbox(self) -> MemoryOutbox:
        """Messages that are owed to Slack."""
        return MemoryOutbox(self._view)

    @property
    def links(self) -> MemoryLinks:
        """Who belongs to which store."""
        return MemoryLinks(self._view)

    @property
    def languages(self) -> MemoryLanguages:
        """Which language is spoken in which channel."""
        return MemoryLanguages(self._view)

    @property
    def audit(self) -> MemoryAudit:
        """The audit trail."""
        return MemoryAudit(self._view)

    @property
    def alerts(self) -> MemoryAlerts:
        """Alerts and the sightings that they are made of."""
        return MemoryAlerts(self._view)

    @property
    def watches(self) -> MemoryWatches:
        """When each certificate is looked at next."""
        return MemoryWatches(self._view)

    @property
    def breakers(self) -> MemoryBreakers:
        """Breakers of what failed for many."""
        return MemoryBreakers(self._view)

    @property
    def budgets(self) -> MemoryBudgets:
        """What CAs allow, as moments."""
        return MemoryBudgets(self._view)

    @property
    def proposals(self) -> MemoryProposals:
        """What waits for a yes."""
        return MemoryProposals(self._view)

    @property
    def workspaces(self) -> MemoryWorkspaces:
        """Slack workspaces."""
        return MemoryWorkspaces(self._view)

    @property
    def jobs(self) -> MemoryJobs:
        """What is done for many."""
        return MemoryJobs(self._view)

    @property
    def revocations(self) -> MemoryRevocations:
        """Revocations and barred keys."""
        return MemoryRevocations(self._view)

    @property
    def recalls(self) -> MemoryRecalls:
        """What CAs want replaced at once."""
        return MemoryRecalls(self._view)

    @property
    def publications(self) -> MemoryPublications:
        """Which revision each name leads to at a target that is asked."""
        return MemoryPublications(self._view)

    @property
    def scans(self) -> MemoryScans:
        """Names whose pages are scanned."""
        return MemoryScans(self._view)


class MemoryStorage:
    """`services.ports.Storage` in memory. May be used from any thread."""

    def __init__(self) -> None:
        self._committed = Tables()
        self._turns = Turns(one_at_a_time=True)

    @contextmanager
    def write(self) -> Iterator[MemoryTransaction]:
        """Open a transaction that commits when the block ends, and leaves nothing behind when it raises."""
        with self._turns.taken():
            view = View(self._committed, writable=True)
            yield MemoryTransaction(view)
            self._committed = view.tables

    @contextmanager
    def read(self) -> Iterator[MemoryTransaction]:
        """Open a transaction for reading only; it sees the last commit before it began."""
        yield MemoryTransaction(View(self._committed, writable=False))

    def ready(self) -> bool:
        """Tell that memory is always there."""
        return True

    def heartbeat(self, worker: str, now: datetime) -> None:
        """Record that the worker process ``worker`` is alive."""
        with self._turns.taken():
            beats = {**self._committed.workers, worker: aware(now)}
            view = View(self._committed, writable=True)
            view.tables.workers = beats
            self._committed = view.tables

    def last_heartbeat(self) -> datetime | None:
        """Return when any worker was last alive, or None."""
        return max(self._committed.workers.values(), default=None)

    def lead(self, duty: str, worker: str, now: datetime, lasts: timedelta) -> bool:
        """Let ``worker`` do ``duty`` alone, if nobody else does; tell whether it does."""
        with self._turns.taken():
            holder, until = self._committed.leads.get(duty, (worker, aware(now)))
            if holder != worker and until > aware(now):
                return False
            view = View(self._committed, writable=True)
            view.tables.leads = {**self._committed.leads, duty: (worker, aware(now) + lasts)}
            self._committed = view.tables
            return True

    def server_time(self) -> datetime | None:
        """Return None: there is no other clock."""
        return None

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""
