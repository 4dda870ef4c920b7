"""Keys that are barred for ever: no CSR is sent with one, and nothing is deployed with one."""

from services.issuance.csr import spki_hash
from services.issuance.move import Move, Parts, on
from services.model.certificates import Certificate, Revision
from services.model.lifecycle import Event
from services.model.text import say


def barred(parts: Parts, certificate: Certificate, revision: Revision) -> Move | None:
    """Return the move to a new key and CSR if the revision's key is barred; None if it may be used."""
    with parts.storage.read() as tx:
        found = tx.revocations.barred((spki_hash(revision.csr),))
    if not found:
        return None
    said = say("the key of serial {serial} was reported compromised", serial=found[0].serial)
    return on(certificate, Event.KEY_BARRED, parts.clock(), said)
