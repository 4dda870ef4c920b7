"""Sightings: which certificate suffers from which cause, and what is made of them by counting."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, case, delete, distinct, func, select

from services.model.alerts import Sighting, Tally
from storage import records
from storage.alerting import SIGHTINGS
from storage.records.coding import decode
from storage.repositories.base import Repository
from storage.repositories.upserts import insert, insert_or_update
from storage.schema import STORES

_S = SIGHTINGS.c
_CERTIFICATE = bindparam("the_certificate", type_=_S.certificate.type)
_KEY = bindparam("the_key", type_=_S.key.type)
_OF = select(SIGHTINGS).where(_S.certificate == _CERTIFICATE).order_by(_S.position, _S.key)
_PUT = insert_or_update(SIGHTINGS, ("certificate", "key"))
_DROP = delete(SIGHTINGS).where(_S.certificate == _CERTIFICATE, _S.key == _KEY)
_MEMBER = (_S.alert == _KEY, _S.confirmed)
_MEMBERS = (
    select(SIGHTINGS)
    .where(*_MEMBER)
    .order_by(_S.deadline.nulls_last(), _S.certificate, _S.key)
    .limit(bindparam("the_limit"))
)
_OF_STORE = _S.store == bindparam("the_store", type_=_S.store.type)
_MEMBERS_BY = {
    # of one store, blocking
    (False, False): _MEMBERS,
    (True, False): _MEMBERS.where(_OF_STORE),
    (False, True): _MEMBERS.where(_S.blocks),
    (True, True): _MEMBERS.where(_OF_STORE, _S.blocks),
}
_TALLY = select(
    func.count(distinct(_S.certificate)),
    func.count(distinct(_S.store)),
    func.count(distinct(case((_S.blocks, _S.certificate)))),
    func.min(_S.deadline),
).where(*_MEMBER)
_TAGS = select(STORES.c.tags).join(SIGHTINGS, _S.store == STORES.c.id).where(*_MEMBER).distinct()
_SUFFERING = (
    select(SIGHTINGS)
    .where(_S.code == bindparam("the_code", type_=_S.code.type))
    .order_by(_S.deadline.nulls_last(), _S.certificate, _S.key)
)


class SqlSightings(Repository):
    """`services.ports.Alerts`, the part about sightings."""

    __slots__ = ()

    def sightings(self, certificate: str) -> Sequence[Sighting]:
        """Return what the certificate suffers from, by position; empty for most."""
        rows = self._connection.execute(_OF, {"the_certificate": certificate})
        return [records.sighting(row) for row in rows]

    def put_sighting(self, sighting: Sighting) -> None:
        """Insert, or replace the one with the same certificate and key."""
        insert(self._connection, _PUT, records.sighting_values(sighting))

    def drop_sighting(self, certificate: str, key: str) -> None:
        """Forget one; nothing happens if there is none."""
        self._connection.execute(_DROP, {"the_certificate": certificate, "the_key": key})

    def members(
        self, key: str, limit: int = 100, *, store: str | None = None, blocking: bool = False
    ) -> Sequence[Sighting]:
        """Return confirmed sightings that belong to the alert with this key, the earliest deadline first (none last).

        ``blocking``: only those that stand in the way of renewal.
        """
        values: dict[str, Any] = {"the_key": key, "the_limit": limit}
        if store is not None:
            values["the_store"] = store
        rows = self._connection.execute(_MEMBERS_BY[store is not None, blocking], values)
        return [records.sighting(row) for row in rows]

    def tally(self, key: str) -> Tally:
        """Count the confirmed sightings that belong to the alert with this key."""
        return Tally(*self._connection.execute(_TALLY, {"the_key": key}).one())

    def tags(self, key: str, tags: Sequence[str]) -> frozenset[str]:
        """Return those of ``tags`` that the store of any confirmed member has."""
        if not tags:
            return frozenset()
        encoded = self._connection.execute(_TAGS, {"the_key": key}).scalars()
        return frozenset(tags).intersection(*[{tag for row in encoded for tag in decode(row)}])

    def suffering(self, code: str, limit: int, store: str | None = None) -> Sequence[Sighting]:
        """Return one sighting of each certificate that suffers from the finding's code, the earliest deadline first.

        With ``store`` only of that store's certificates.
        """
        found: dict[str, Sighting] = {}
        wanted = _SUFFERING if store is None else _SUFFERING.where(_S.store == store)
        for row in self._connection.execute(wanted, {"the_code": code}):
            sighting = records.sighting(row)
            found.setdefault(sighting.certificate, sighting)
            if len(found) == limit:
                break
        return list(found.values())
