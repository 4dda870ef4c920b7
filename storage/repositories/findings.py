"""What the last check of a certificate found."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select

from services.model.findings import Finding
from storage import records
from storage.repositories.base import Repository, chunks
from storage.schema import CERTIFICATES, FINDINGS

_F = FINDINGS.c
_KEYS = frozenset({"certificate", "position", "first_seen"})
_OF = (
    select(*(column for column in _F if column.key not in _KEYS))
    .where(_F.certificate == bindparam("certificate"))
    .order_by(_F.position)
)
_OF_MANY = (
    select(_F.certificate, *(column for column in _F if column.key not in _KEYS))
    .where(_F.certificate.in_(bindparam("certificates", expanding=True)))
    .order_by(_F.certificate, _F.position)
)
_SEEN = select(_F.code, _F.name, _F.first_seen).where(_F.certificate == bindparam("certificate"))
_CLEAR = delete(FINDINGS).where(_F.certificate == bindparam("certificate"))
_INSERT = insert(FINDINGS)
_HOLD = (
    select(CERTIFICATES.c.id)
    .where(CERTIFICATES.c.id == bindparam("certificate"))
    .with_for_update(key_share=True)
)


class SqlFindings(Repository):
    """`services.ports.Certificates`, the part about findings."""

    __slots__ = ()

    def findings(self, certificate: str) -> Sequence[Finding]:
        """Return what the last check found."""
        return [records.finding(row) for row in self._connection.execute(_OF, {"certificate": certificate})]

    def findings_of(self, certificates: Sequence[str]) -> Mapping[str, Sequence[Finding]]:
        """Return what the last checks of all these found, by certificate; one without findings is left out."""
        found: dict[str, list[Finding]] = {}
        for some in chunks(certificates):
            for certificate, *row in self._connection.execute(_OF_MANY, {"certificates": some}):
                found.setdefault(certificate, []).append(records.finding(row))
        return found

    def put_findings(self, certificate: str, findings: Sequence[Finding]) -> None:
        """Replace what the last check found; a finding that stays keeps the moment when it was first seen.

        A look and a step may replace them at one moment: the certificate's row is held, so that one waits for the other.
        """
        if self._connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
            self._connection.execute(_HOLD, {"certificate": certificate})
        seen = self._first_seen(certificate)
        if seen:
            self._connection.execute(_CLEAR, {"certificate": certificate})
        if findings:
            rows = [
                {
                    **records.finding_values(finding),
                    "certificate": certificate,
                    "position": position,
                    "first_seen": seen.get((finding.code, finding.name), finding.checked_at),
                }
                for position, finding in enumerate(findings)
            ]
            self._connection.execute(_INSERT, rows)

    def _first_seen(self, certificate: str) -> Mapping[tuple[str, str], datetime]:
        """Return since when each (code, name) of the present findings has stood, without a gap."""
        rows = self._connection.execute(_SEEN, {"certificate": certificate})
        return {(code, name): seen for code, name, seen in rows}
