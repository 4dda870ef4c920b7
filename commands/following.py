"""Certificates that an answer follows, with what the database says of them now."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.desk import Desk
from services.model.certificates import Certificate
from services.model.findings import Finding
from services.model.lifecycle import State
from services.ports import Transaction


@dataclass(frozen=True, slots=True)
class Followed:
    """One certificate of a followed answer, with what the database says of it now."""

    certificate: Certificate
    names: tuple[str, ...]
    """Those of the names asked for that belong to it."""
    covered: frozenset[str]
    """The names of the installed revision."""
    findings: tuple[Finding, ...] = ()

    @property
    def done(self) -> bool:
        """Whether all names asked for are installed and seen at the edge, or none is wanted any more; nothing is under way."""
        if self.certificate.state is State.RETIRED:
            return True
        return self.certificate.state is State.INSTALLED and not self.missing and not self.unproved

    @property
    def unproved(self) -> bool:
        """Whether a target lacks the installed revision, or the edge does not show it."""
        return self.certificate.unproved

    @property
    def missing(self) -> tuple[str, ...]:
        """The names asked for that the installed revision does not have."""
        return tuple(name for name in self.names if name not in self.covered)


def look(desk: Desk, names: Sequence[str], follows: Sequence[str]) -> tuple[Followed, ...]:
    """Return what the database says now of the certificates with the ids ``follows``, as far as ``names`` go."""
    with desk.storage.read() as tx:
        return tuple(followed_now(tx, one, names) for one in tx.certificates.get_many(follows))


def followed_now(tx: Transaction, certificate: Certificate, names: Sequence[str]) -> Followed:
    """Return what the database says now of ``certificate``, as far as it was asked for with ``names``."""
    mine = tuple(name for name in names if name in certificate.wanted)
    revision = tx.certificates.revision(certificate.installed) if certificate.installed else None
    covered = frozenset(revision.names) if revision else frozenset()
    findings = tuple(tx.certificates.findings(certificate.id)) if certificate.resting else ()
    return Followed(certificate, mine or certificate.wanted or tuple(names), covered, findings)
