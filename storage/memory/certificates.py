"""Certificates with their revisions, findings and history, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.model.certificates import Certificate, Happening, Revision
from services.model.clock import aware
from services.model.findings import Finding
from storage import records
from storage.memory.tables import MemoryRepository, claim, claimed, free, held


def _kept(certificate: Certificate) -> Certificate:
    """Return the certificate as a database would give it back."""
    values = records.certificate_values(certificate)
    del values["urgency"]
    return records.certificate(records.settled(values))


def _worst(certificate: Certificate) -> tuple[int, str, str]:
    return records.urgency(certificate), certificate.domain, certificate.id


class MemoryCertificates(MemoryRepository):
    """`services.ports.Certificates`."""

    __slots__ = ()

    def get(self, certificate: str, among: frozenset[str] | None = None) -> Certificate | None:
        """Return the certificate with this id, or None; with ``among`` only if it is of one of these stores."""
        found = self._tables.certificates.get(certificate)
        return found if found is None or among is None or found.store in among else None

    def get_many(self, certificates: Sequence[str]) -> Sequence[Certificate]:
        """Return those of the given ids that exist, in the order given."""
        found = self._tables.certificates
        return [found[id_] for id_ in certificates if id_ in found]

    def of(self, store: str, domain: str) -> Certificate | None:
        """Return the store's certificate for this registrable domain, or None."""
        rows = self._tables.certificates.values()
        return next((row for row in rows if (row.store, row.domain) == (store, domain)), None)

    def listing(self, store: str | None = None, limit: int = 100) -> Sequence[Certificate]:
        """Return certificates of a store (None: of all), worst first."""
        return sorted(self._of_store(store), key=_worst)[:limit]

    def count(self, store: str | None = None) -> int:
        """Return how many certificates `listing` would give without a limit."""
        return len(self._of_store(store))

    def _of_store(self, store: str | None) -> Sequence[Certificate]:
        return [row for row in self._tables.certificates.values() if store in (None, row.store)]

    def add(self, certificate: Certificate) -> bool:
        """Insert; False, and nothing changed, if the store has one for the domain already."""
        if self.of(certificate.store, certificate.domain):
            return False
        self._put(_kept(certificate))
        return True

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Certificate]:
        """Claim up to ``limit`` rows that are due and free, longest due first."""
        due = {
            row.id: row.run_after
            for row in self._tables.certificates.values()
            if row.run_after is not None and row.run_after <= aware(now)
        }
        rows = claim(self.get_many(list(due)), lambda row: due[row.id], now, lease, limit)
        self._put(*rows)
        return rows

    def claim_one(self, certificate: str, now: datetime, lease: timedelta) -> Certificate | None:
        """Claim this row whatever its run_after, unless another holds an unexpired lease (then None)."""
        row = self.get(certificate)
        if row is None or not free(row, aware(now)):
            return None
        mine = claimed(row, aware(now) + lease)
        self._put(mine)
        return mine

    def next_due(self) -> datetime | None:
        """Return the earliest run_after of unleased rows, or None."""
        rows = [row.run_after for row in self._tables.certificates.values() if row.lease_until is None]
        return min((moment for moment in rows if moment is not None), default=None)

    def save(self, certificate: Certificate, lease_until: datetime | None) -> None:
        """Save a claimed row and keep its lease until ``lease_until``. Raises LeaseLostError for an old fence."""
        stored = held(self._tables.certificates, certificate)
        self._replace(stored, replace(certificate, lease_until=lease_until))

    def extend(self, certificate: str, fence: int, lease_until: datetime) -> bool:
        """Lengthen the lease of a row that is held with this fence; False if it is not any more."""
        stored = self.get(certificate)
        if stored is None or stored.fence != fence or stored.lease_until is None:
            return False
        self._replace(stored, replace(stored, lease_until=aware(lease_until)))
        return True

    def ask(self, certificate: Certificate) -> bool:
        """Save an unleased change from outside the queue and raise the fence; False if it has moved meanwhile."""
        stored = self.get(certificate.id)
        if (
            stored is None
            or stored.fence != certificate.fence
            or not free(stored, aware(certificate.updated_at))
        ):
            return False
        self._replace(stored, replace(certificate, lease_until=None, fence=certificate.fence + 1))
        return True

    def _replace(self, stored: Certificate, new: Certificate) -> None:
        """Put the new row in place of the stored one, which keeps what never changes."""
        fixed = replace(new, store=stored.store, domain=stored.domain, created_at=stored.created_at)
        self._put(_kept(fixed))

    def _put(self, *rows: Certificate) -> None:
        if rows:
            self._view.own("certificates")
            self._tables.certificates.update({row.id: row for row in rows})

    def revision(self, revision: str) -> Revision | None:
        """Return the revision with this id, or None."""
        return self._tables.revisions.get(revision)

    def put_revision(self, revision: Revision) -> None:
        """Insert or replace the revision. A re-wrapped key stays as it is while the CSR is the same."""
        self._must_exist(revision.certificate)
        stored = self.revision(revision.id)
        if stored is not None and stored.csr == revision.csr:
            revision = replace(revision, sealed_key=stored.sealed_key)
        self._view.own("revisions")
        kept = records.revision(records.settled(records.revision_values(revision)))
        self._tables.revisions[revision.id] = kept

    def revisions(self, certificate: str) -> Sequence[Revision]:
        """Return the certificate's revisions, newest first."""
        rows = [row for row in self._tables.revisions.values() if row.certificate == certificate]
        return sorted(rows, key=lambda row: (row.created_at, row.id), reverse=True)

    def findings(self, certificate: str) -> Sequence[Finding]:
        """Return what the last check found."""
        return list(self._tables.findings.get(certificate, ()))

    def findings_of(self, certificates: Sequence[str]) -> Mapping[str, Sequence[Finding]]:
        """Return what the last checks of all these found, by certificate; one without findings is left out."""
        found = {one: self.findings(one) for one in certificates}
        return {one: some for one, some in found.items() if some}

    def covered(self, revisions: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the names of those of these revisions that exist, by revision."""
        found = self._tables.revisions
        return {one: found[one].names for one in revisions if one in found}

    def put_findings(self, certificate: str, findings: Sequence[Finding]) -> None:
        """Replace what the last check found."""
        if not findings and not self.findings(certificate):
            return
        self._must_exist(certificate)
        kept = tuple(
            records.finding(records.settled(records.finding_values(finding))) for finding in findings
        )
        self._view.own("findings")
        self._tables.findings[certificate] = kept

    def record(self, happening: Happening) -> None:
        """Append one row of history."""
        self._must_exist(happening.certificate)
        kept = records.happening(records.settled(records.happening_values(happening)))
        self._view.own("history")
        past = self._tables.history.get(happening.certificate, ())
        self._tables.history[happening.certificate] = (*past, kept)

    def history(self, certificate: str, limit: int = 200) -> Sequence[Happening]:
        """Return the newest ``limit`` rows of the certificate's history, oldest first."""
        rows = self._tables.history.get(certificate, ())
        return list(rows[max(0, len(rows) - limit) :])
