"""Stores, domains, challenges and accounts, in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.model.clock import aware
from services.model.stores import Domain, Store, StoreStatus
from services.ports import Account
from storage import records
from storage.memory.tables import MemoryRepository
from storage.refusals import no_parent


class MemoryStores(MemoryRepository):
    """`services.ports.Stores`."""

    __slots__ = ()

    def get(self, store: str) -> Store | None:
        """Return the store with this id, or None."""
        return self._tables.stores.get(store)

    def put(self, store: Store) -> bool:
        """Insert or update; tell whether anything changed."""
        changed = self.get(store.id) != store
        if changed:
            self._view.own("stores")
            self._tables.stores[store.id] = store
        return changed

    def all(self) -> Sequence[Store]:
        """Return every store, sorted by id."""
        return sorted(self._tables.stores.values(), key=lambda store: store.id)

    def set_status(self, store: str, status: StoreStatus) -> bool:
        """Set the status of an existing store; False if there is no such store."""
        stored = self.get(store)
        if stored is None:
            return False
        self.put(replace(stored, status=status))
        return True

    def domain(self, name: str, among: frozenset[str] | None = None) -> Domain | None:
        """Return the domain with exactly this name, or None; with ``among`` only if it is of one of these stores."""
        found = self._tables.domains.get(name)
        return found if found is not None and (among is None or found.store in among) else None

    def domains(self, store: str) -> Sequence[Domain]:
        """Return the store's domains, sorted by name; empty for an unknown store."""
        rows = [row for row in self._tables.domains.values() if row.store == store]
        return sorted(rows, key=lambda row: row.name)

    def put_domain(self, domain: Domain) -> bool:
        """Insert or update; tell whether anything changed. Raises NotFoundError for an unknown store."""
        if domain.store not in self._tables.stores:
            raise no_parent()
        changed = self.domain(domain.name) != domain
        if changed:
            self._view.own("domains")
            self._tables.domains[domain.name] = domain
        return changed


class MemoryChallenges(MemoryRepository):
    """`services.ports.Challenges`."""

    __slots__ = ()

    def put(self, token: str, key_authorization: str, certificate: str, now: datetime) -> None:
        """Insert or replace."""
        aware(now)
        self._view.own("challenges")
        self._tables.challenges[token] = (key_authorization, certificate)

    def get(self, token: str) -> str | None:
        """Return the key authorization for the token, or None."""
        found = self._tables.challenges.get(token)
        return found[0] if found else None

    def drop(self, certificate: str) -> None:
        """Forget the answers of this certificate."""
        gone = [token for token, (_, owner) in self._tables.challenges.items() if owner == certificate]
        if gone:
            self._view.own("challenges")
        for token in gone:
            del self._tables.challenges[token]


class MemoryAccounts(MemoryRepository):
    """`services.ports.Accounts`."""

    __slots__ = ()

    def get(self, directory: str) -> Account | None:
        """Return the account at this directory URL, or None."""
        return self._tables.accounts.get(directory)

    def add(self, account: Account) -> Account:
        """Insert, unless there is one already: return the one that is stored after the call."""
        stored = self.get(account.directory)
        if stored is None:
            self.replace(account)
        return self._tables.accounts[account.directory]

    def replace(self, account: Account) -> None:
        """Insert or replace."""
        kept = records.account(records.settled(records.account_values(account)))
        self._view.own("accounts")
        self._tables.accounts[account.directory] = kept
