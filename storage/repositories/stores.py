"""Stores and domains."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select, update

from services.model.stores import Domain, Store, StoreStatus
from storage import records
from storage.repositories.base import ONE, Repository, one_among, places
from storage.repositories.upserts import insert, insert_or_update
from storage.schema import DOMAINS, STORES

_S, _D = STORES.c, DOMAINS.c
_GET = select(STORES).select_from(ONE.outerjoin(STORES, _S.id == bindparam("id")))
_ALL = select(STORES).order_by(_S.id)
_PUT = insert_or_update(STORES, "id", only_changed=True)
_SET_STATUS = update(STORES).where(_S.id == bindparam("the_id"))
_DOMAIN = select(DOMAINS).select_from(ONE.outerjoin(DOMAINS, _D.name == bindparam("name")))
_DOMAIN_AMONG = one_among(DOMAINS, _D.name)
_DOMAINS = select(DOMAINS).where(_D.store == bindparam("store")).order_by(_D.name)
_PUT_DOMAIN = insert_or_update(DOMAINS, "name", only_changed=True)


class SqlStores(Repository):
    """`services.ports.Stores`."""

    __slots__ = ()

    def get(self, store: str) -> Store | None:
        """Return the store with this id, or None."""
        row = self._connection.execute(_GET, {"id": store}).one()
        return records.store(row) if row.id is not None else None

    def put(self, store: Store) -> bool:
        """Insert or update; tell whether anything changed."""
        return insert(self._connection, _PUT, records.store_values(store)).rowcount == 1

    def all(self) -> Sequence[Store]:
        """Return every store, sorted by id."""
        return [records.store(row) for row in self._connection.execute(_ALL)]

    def set_status(self, store: str, status: StoreStatus) -> bool:
        """Set the status of an existing store; False if there is no such store."""
        values = {"the_id": store, "status": status.value}
        return self._connection.execute(_SET_STATUS, values).rowcount == 1

    def domain(self, name: str, among: frozenset[str] | None = None) -> Domain | None:
        """Return the domain with exactly this name, or None; with ``among`` only if it is of one of these stores."""
        if among is None:
            row = self._connection.execute(_DOMAIN, {"name": name}).one()
        else:
            row = self._connection.execute(_DOMAIN_AMONG, places(name, among)).one()
        return records.domain(row) if row.store is not None else None

    def domains(self, store: str) -> Sequence[Domain]:
        """Return the store's domains, sorted by name; empty for an unknown store."""
        return [records.domain(row) for row in self._connection.execute(_DOMAINS, {"store": store})]

    def put_domain(self, domain: Domain) -> bool:
        """Insert or update; tell whether anything changed. Raises NotFoundError for an unknown store."""
        return insert(self._connection, _PUT_DOMAIN, records.domain_values(domain)).rowcount == 1
