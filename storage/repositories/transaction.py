"""The repositories of one database transaction."""

from storage.repositories.accounts import SqlAccounts
from storage.repositories.base import Repository
from storage.repositories.certificates import SqlCertificates
from storage.repositories.challenges import SqlChallenges
from storage.repositories.outbox import SqlOutbox
from storage.repositories.requests import SqlRequests
from storage.repositories.stores import SqlStores


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
