"""Certificates, which are the work queue: claims, saves and listings."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select, update

from services.model.certificates import Certificate
from storage import records
from storage.repositories.base import chunks, one_among, places
from storage.repositories.findings import SqlFindings
from storage.repositories.history import SqlHistory
from storage.repositories.queue import ID, NOW, UNTIL, Queue, free, held, must_hold
from storage.repositories.revisions import SqlRevisions
from storage.repositories.upserts import insert, insert_or_keep
from storage.schema import CERTIFICATES

_C = CERTIFICATES.c
_COLUMNS = [column for column in _C if column.key != "urgency"]
_SELECT = select(*_COLUMNS)
_GET = _SELECT.where(_C.id == bindparam("id"))
_GET_AMONG = one_among(CERTIFICATES, _C.id, _COLUMNS)
_GET_MANY = _SELECT.where(_C.id.in_(bindparam("ids", expanding=True)))
_OF = _SELECT.where(_C.store == bindparam("store"), _C.domain == bindparam("domain"))
_WORST = _SELECT.order_by(_C.urgency, _C.domain, _C.id).limit(bindparam("limit"))
_WORST_OF_STORE = _WORST.where(_C.store == bindparam("store"))
_COUNT = select(func.count()).select_from(CERTIFICATES)
_COUNT_OF_STORE = _COUNT.where(_C.store == bindparam("store"))
_ADD = insert_or_keep(CERTIFICATES, "store", "domain")
_QUEUE = Queue.over(CERTIFICATES, _C.run_after <= NOW, "run_after", columns=_COLUMNS)
_CLAIM_ONE = (
    update(CERTIFICATES)
    .where(_C.id == ID, free(CERTIFICATES))
    .values(lease_until=UNTIL, fence=_C.fence + 1)
    .returning(*_COLUMNS)
)
_NEXT_DUE = (
    select(_C.run_after)
    .where(_C.run_after.is_not(None), _C.lease_until.is_(None))
    .order_by(_C.run_after, _C.id)
    .limit(1)
)
_SAVE = update(CERTIFICATES).where(held(CERTIFICATES)).values(lease_until=UNTIL)
_EXTEND = (
    update(CERTIFICATES).where(held(CERTIFICATES), _C.lease_until.is_not(None)).values(lease_until=UNTIL)
)
_ASK = (
    update(CERTIFICATES)
    .where(held(CERTIFICATES), free(CERTIFICATES))
    .values(lease_until=None, fence=_C.fence + 1)
)


class SqlCertificates(SqlRevisions, SqlFindings, SqlHistory):
    """`services.ports.Certificates`, the part about the rows of the queue themselves."""

    __slots__ = ()

    def get(self, certificate: str, among: frozenset[str] | None = None) -> Certificate | None:
        """Return the certificate with this id, or None; with ``among`` only if it is of one of these stores."""
        if among is None:
            row = self._connection.execute(_GET, {"id": certificate}).first()
            return records.certificate(row) if row else None
        row = self._connection.execute(_GET_AMONG, places(certificate, among)).one()
        return records.certificate(row) if row.id is not None else None

    def get_many(self, certificates: Sequence[str]) -> Sequence[Certificate]:
        """Return those of the given ids that exist, in the order given."""
        found = {}
        for some in chunks(certificates):
            found.update({row[0]: row for row in self._connection.execute(_GET_MANY, {"ids": some})})
        return [records.certificate(found[id_]) for id_ in certificates if id_ in found]

    def of(self, store: str, domain: str) -> Certificate | None:
        """Return the store's certificate for this registrable domain, or None."""
        row = self._connection.execute(_OF, {"store": store, "domain": domain}).first()
        return records.certificate(row) if row else None

    def listing(self, store: str | None = None, limit: int = 100) -> Sequence[Certificate]:
        """Return certificates of a store (None: of all), worst first."""
        if store is None:
            rows = self._connection.execute(_WORST, {"limit": limit})
        else:
            rows = self._connection.execute(_WORST_OF_STORE, {"store": store, "limit": limit})
        return [records.certificate(row) for row in rows]

    def count(self, store: str | None = None) -> int:
        """Return how many certificates `listing` would give without a limit."""
        if store is None:
            return self._connection.execute(_COUNT).scalar_one()
        return self._connection.execute(_COUNT_OF_STORE, {"store": store}).scalar_one()

    def add(self, certificate: Certificate) -> bool:
        """Insert; False, and nothing changed, if the store has one for the domain already."""
        return insert(self._connection, _ADD, records.certificate_values(certificate)).rowcount == 1

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Certificate]:
        """Claim up to ``limit`` rows that are due and free, longest due first."""
        return [records.certificate(row) for row in _QUEUE.claim(self._connection, now, lease, limit)]

    def claim_one(self, certificate: str, now: datetime, lease: timedelta) -> Certificate | None:
        """Claim this row whatever its run_after, unless another holds an unexpired lease (then None)."""
        values = {"the_id": certificate, "the_time": now, "the_end": now + lease}
        row = self._connection.execute(_CLAIM_ONE, values).first()
        return records.certificate(row) if row else None

    def next_due(self) -> datetime | None:
        """Return the earliest run_after of unleased rows, or None."""
        return self._connection.execute(_NEXT_DUE).scalar()

    def save(self, certificate: Certificate, lease_until: datetime | None) -> None:
        """Save a claimed row and keep its lease until ``lease_until``. Raises LeaseLostError for an old fence."""
        values = records.certificate_changes(certificate)
        values["the_end"] = lease_until
        must_hold(self._connection, _SAVE, certificate, values)

    def extend(self, certificate: str, fence: int, lease_until: datetime) -> bool:
        """Lengthen the lease of a row that is held with this fence; False if it is not any more."""
        values = {"the_id": certificate, "the_fence": fence, "the_end": lease_until}
        return self._connection.execute(_EXTEND, values).rowcount == 1

    def ask(self, certificate: Certificate) -> bool:
        """Save an unleased change from outside the queue and raise the fence; False if it has moved meanwhile."""
        values = records.certificate_changes(certificate)
        values["the_id"], values["the_fence"] = certificate.id, certificate.fence
        values["the_time"] = certificate.updated_at
        return self._connection.execute(_ASK, values).rowcount == 1
