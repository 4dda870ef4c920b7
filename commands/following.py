"""What the database says now of certificates that an answer follows."""

from collections.abc import Sequence

from commands.progress import Followed
from services.desk import Desk
from services.model.certificates import Certificate
from services.ports import Transaction


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
    return Followed(certificate, mine or certificate.wanted, covered, findings)
