"""The use case behind /ssl revoke: a revision is to be revoked, durably, and another one is on its way."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.alerting.sighting import sight
from services.desk import Desk
from services.issuance.adding import BusyError
from services.issuance.csr import spki_hash
from services.model.certificates import Certificate, Happening, Revision
from services.model.errors import CertdeskError
from services.model.findings import CODES, REVOKED, Finding, Verdict
from services.model.lifecycle import State
from services.model.revoking import BarredKey, Reason, Revocation, Stage
from services.model.text import say
from services.ports import Transaction
from services.renewal import asking

ASKED = "revocation_asked"
"""The happening in the history."""
AHEAD = timedelta(days=1)
"""So much longer than others it counts as waiting that replaces a compromised key: the longest due is claimed first."""


class NothingToRevokeError(CertdeskError):
    """The revision was never issued, has expired, or is being revoked already; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be revoked, and why."""

    id: str
    """The same for the same wish, however often it is told."""
    certificate: str
    revision: str
    name: str
    reason: Reason
    person: str


def revocable(
    revisions: Sequence[Revision], revocations: Sequence[Revocation], installed: str | None, now: datetime
) -> tuple[Revision, ...]:
    """Return the revisions that can be revoked, the installed one first, then newest first. Pure.

    Those are the issued ones that have not expired and are not being revoked already.
    """
    gone = {one.revision for one in revocations}
    found = [
        one
        for one in revisions
        if one.chain is not None and one.not_after is not None and now < one.not_after and one.id not in gone
    ]
    return tuple(sorted(found, key=lambda one: one.id != installed))


def revoke(desk: Desk, tx: Transaction, wish: Wish, now: datetime) -> Revocation:
    """Write the wish in this transaction, and begin what replaces the revision; return the revocation.

    A compromised key is barred at once, and the CA is told at once, whatever becomes of the replacement; else the CA is told
    once a replacement is proved to be served. What is not installed, or wanted no more, needs none. Raises
    NothingToRevokeError, and BusyError if a worker holds the certificate just now: then nothing is written.
    """
    row, revision = tx.certificates.get(wish.certificate), tx.certificates.revision(wish.revision)
    if row is None or revision is None or revision.serial is None:
        raise _nothing(wish)
    needed = revision.id == row.installed and bool(row.wanted) and row.state is not State.RETIRED
    compromised = wish.reason is Reason.KEY_COMPROMISE
    revocation = Revocation(
        id=wish.id,
        certificate=row.id,
        revision=revision.id,
        store=row.store,
        name=wish.name,
        serial=revision.serial,
        ca=revision.ca,
        reason=wish.reason,
        person=wish.person,
        created_at=now,
        stage=Stage.REPLACING if needed and not compromised else Stage.REVOKING,
        run_after=now,
    )
    if not tx.revocations.add(revocation):
        raise _nothing(wish)
    if compromised:
        bar(tx, revision, wish.person, now)
    details = say("serial {serial}: {reason}", serial=revision.serial, reason=wish.reason.value)
    tx.certificates.record(Happening(row.id, now, ASKED, wish.person, row.state.value, details))
    if needed:
        _replace(desk, tx, row, revocation, now)
    tx.outbox.touch(row.id, now)
    return revocation


def bar(tx: Transaction, revision: Revision, person: str, now: datetime) -> None:
    """Bar the revision's key for ever."""
    tx.revocations.bar(BarredKey(spki_hash(revision.csr), now, revision.serial or "", person))


def _replace(desk: Desk, tx: Transaction, row: Certificate, revocation: Revocation, now: datetime) -> None:
    """Begin a new attempt with a new key; one that is under way has a key of its own already. Raises BusyError."""
    asking.begin(tx, row.id, revocation.person, now)
    if not revocation.compromised:
        return
    begun = tx.certificates.get(row.id)
    if begun is None:
        return
    due = None if begun.run_after is None else min(begun.run_after, now - AHEAD)
    marked = replace(begun, revocation=revoked(revocation, now), run_after=due, updated_at=now)
    if not tx.certificates.ask(marked):
        raise BusyError(
            say(
                "The certificate of {domain} is being worked on. Nothing was changed; ask again in a minute.",
                domain=row.domain,
            )
        )
    sight(tx, desk.alerting, marked, tx.certificates.findings(row.id), now)


def revoked(revocation: Revocation, now: datetime) -> Finding:
    """Return the finding that what is installed is revoked, which stands until something else is installed."""
    summary = say(
        "The certificate that is installed for {name} (serial {serial}) is revoked: {reason}. Browsers may refuse it.",
        name=revocation.name,
        serial=revocation.serial,
        reason=revocation.reason.value,
    )
    remedy = say(
        "Nothing, unless something is in the way of the new certificate: certdesk is getting one with a new key, ahead of"
        " all others."
    )
    evidence = {"serial": revocation.serial, "reason": revocation.reason.value, "since": now.isoformat()}
    return Finding(
        REVOKED, Verdict.BLOCK, revocation.name, CODES[REVOKED].owner, summary, remedy, now, evidence
    )


def _nothing(wish: Wish) -> NothingToRevokeError:
    return NothingToRevokeError(
        say(
            "This certificate of {name} is being revoked already, or was. Nothing was changed.",
            name=wish.name,
        )
    )
