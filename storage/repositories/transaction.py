"""The repositories of one database transaction."""

from storage.repositories.accounts import SqlAccounts
from storage.repositories.alerts import SqlAlerts
from storage.repositories.audit import SqlAudit
from storage.repositories.base import Repository
from storage.repositories.breakers import SqlBreakers
from storage.repositories.budgets import SqlBudgets
from storage.repositories.certificates import SqlCertificates
from storage.repositories.challenges import SqlChallenges
from storage.repositories.fleet import SqlFleet
from storage.repositories.jobs import SqlJobs
from storage.repositories.languages import SqlLanguages
from storage.repositories.links import SqlLinks
from storage.repositories.outbox import SqlOutbox
from storage.repositories.proposals import SqlProposals
from storage.repositories.publications import SqlPublications
from storage.repositories.recalls import SqlRecalls
from storage.repositories.requests import SqlRequests
from storage.repositories.revocations import SqlRevocations
from storage.repositories.scans import SqlScans
from storage.repositories.stores import SqlStores
from storage.repositories.watches import SqlWatches
from storage.repositories.workspaces import SqlWorkspaces


class SqlTransaction(Repository):
    """`services.ports.Transaction` over one connection. Belongs to one thread."""

    __slots__ = ()

    @property
    def stores(self) -> SqlStores:
        """Stores and domains."""
        return SqlStores(self._connection)

    @property
    def certificates(self) -> SqlCertificates:
        """Certificates with their revisions, findings and history."""
        return SqlCertificates(self._connection)

    @property
    def fleet(self) -> SqlFleet:
        """The fleet in parts and page by page."""
        return SqlFleet(self._connection)

    @property
    def challenges(self) -> SqlChallenges:
        """Answers to http-01 challenges."""
        return SqlChallenges(self._connection)

    @property
    def accounts(self) -> SqlAccounts:
        """ACME accounts."""
        return SqlAccounts(self._connection)

    @property
    def requests(self) -> SqlRequests:
        """Commands that came in."""
        return SqlRequests(self._connection)

    @property
    def outbox(self) -> SqlOutbox:
        """Messages that are owed to Slack."""
        return SqlOutbox(self._connection)

    @property
    def links(self) -> SqlLinks:
        """Who belongs to which store."""
        return SqlLinks(self._connection)

    @property
    def languages(self) -> SqlLanguages:
        """Which language is spoken in which channel."""
        return SqlLanguages(self._connection)

    @property
    def audit(self) -> SqlAudit:
        """The audit trail."""
        return SqlAudit(self._connection)

    @property
    def alerts(self) -> SqlAlerts:
        """Alerts and the sightings that they are made of."""
        return SqlAlerts(self._connection)

    @property
    def watches(self) -> SqlWatches:
        """When each certificate is looked at next."""
        return SqlWatches(self._connection)

    @property
    def breakers(self) -> SqlBreakers:
        """Breakers of what failed for many."""
        return SqlBreakers(self._connection)

    @property
    def budgets(self) -> SqlBudgets:
        """What CAs allow, as moments."""
        return SqlBudgets(self._connection)

    @property
    def proposals(self) -> SqlProposals:
        """What waits for a yes."""
        return SqlProposals(self._connection)

    @property
    def workspaces(self) -> SqlWorkspaces:
        """Slack workspaces."""
        return SqlWorkspaces(self._connection)

    @property
    def jobs(self) -> SqlJobs:
        """What is done for many."""
        return SqlJobs(self._connection)

    @property
    def revocations(self) -> SqlRevocations:
        """Revocations and barred keys."""
        return SqlRevocations(self._connection)

    @property
    def recalls(self) -> SqlRecalls:
        """What CAs want replaced at once."""
        return SqlRecalls(self._connection)

    @property
    def publications(self) -> SqlPublications:
        """Which revision each name leads to at a target that is asked."""
        return SqlPublications(self._connection)

    @property
    def scans(self) -> SqlScans:
        """Names whose pages are scanned."""
        return SqlScans(self._connection)
