"""The use case behind /ssl rollback: an earlier revision is put back, and nothing replaces it by itself for a while."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.deployment.fitness import trial
from services.desk import Desk
from services.issuance.adding import BusyError
from services.issuance.csr import spki_hash
from services.issuance.preflight import subject_of
from services.issuance.removing import UnderWayError
from services.model.certificates import Attempt, Certificate, Happening, Revision, Rollback
from services.model.errors import CertdeskError
from services.model.lifecycle import Event, State
from services.model.names import covers
from services.model.text import Text, say
from services.ports import Transaction

APPROVED = "rollback_approved"
"""The happening in the history that says who the second person was."""


class NoRollbackError(CertdeskError):
    """There is nothing to roll back to, or not that any more; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be put back, in the place of what, and who wants it."""

    certificate: str
    revision: str
    installed: str
    """The revision that was installed when it was asked."""
    person: str
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides whether an earlier revision may be put back."""

    now: datetime
    wanted: tuple[str, ...]
    served: tuple[str, ...]
    """The wanted names that the installed revision has."""
    foreign: frozenset[str] = frozenset()
    """Names of the revision that are not the store's own added ones any more."""
    revoked: bool = False
    barred: bool = False
    trial: bool = False
    """Whether a CA for trials signed it, and one that browsers trust what is installed."""


def flaw(revision: Revision, facts: Facts) -> Text | None:
    """Return why the revision, which was issued, must not be put back; None if it may. Pure."""
    serial = revision.serial or ""
    missing = tuple(
        name for name in facts.served if not any(covers(pattern, name) for pattern in revision.names)
    )
    gone = tuple(name for name in revision.names if name not in facts.wanted or name in facts.foreign)
    ended = revision.not_after is None or facts.now >= revision.not_after
    flaws = (
        (
            facts.barred,
            say(
                "The certificate before the present one (serial {serial}) has a key that was reported compromised.",
                serial=serial,
            ),
        ),
        (
            facts.revoked,
            say(
                "The certificate before the present one (serial {serial}) is revoked, or is being revoked.",
                serial=serial,
            ),
        ),
        (
            ended,
            say(
                "The certificate before the present one (serial {serial}) expired on {at}.",
                serial=serial,
                at=revision.not_after or "",
            ),
        ),
        (
            not revision.sealed_key,
            say(
                "The key of the certificate before the present one (serial {serial}) is not kept any more.",
                serial=serial,
            ),
        ),
        (
            bool(missing),
            say(
                "The certificate before the present one (serial {serial}) is not valid for {names}, which visitors would lose.",
                serial=serial,
                names=missing,
            ),
        ),
        (
            bool(gone),
            say(
                "The certificate before the present one (serial {serial}) is also for {names}, which this certificate is not wanted for any more.",
                serial=serial,
                names=gone,
            ),
        ),
        (
            facts.trial,
            say(
                "The certificate before the present one (serial {serial}) is of a CA for trials, which no browser trusts.",
                serial=serial,
            ),
        ),
    )
    return next((said for holds, said in flaws if holds), None)


def earlier(revisions: Sequence[Revision], installed: str) -> tuple[Revision, ...]:
    """Return the issued revisions that are older than the installed one, newest first, as ``revisions`` are. Pure."""
    ids = [one.id for one in revisions]
    older = revisions[ids.index(installed) + 1 :] if installed in ids else ()
    return tuple(one for one in older if one.chain is not None and one.serial is not None)


def candidate(desk: Desk, tx: Transaction, row: Certificate, now: datetime) -> Revision | Text:
    """Return the newest earlier revision that may be put back, or a sentence that says why there is none."""
    if row.installed is None or not row.wanted or row.state is State.RETIRED:
        return say("Nothing is installed for it yet, or it is not wanted any more.")
    revisions = tx.certificates.revisions(row.id)
    live = next((one for one in revisions if one.id == row.installed), None)
    older = earlier(revisions, row.installed)
    if live is None or not older:
        return say("certdesk has issued none before the one that is installed.")
    gone = revoked(tx, row.id)
    first: Text | None = None
    for one in older:
        found = flaw(one, _facts(desk, tx, row, (one, live), gone, now))
        if found is None:
            return one
        first = first or found
    return first or say("certdesk has issued none before the one that is installed.")


def _facts(
    desk: Desk,
    tx: Transaction,
    row: Certificate,
    pair: tuple[Revision, Revision],
    gone: Collection[str],
    now: datetime,
) -> Facts:
    """Gather what decides over the first of the pair in the place of the second."""
    one, live = pair
    known = Facts(now, row.wanted, tuple(name for name in live.names if name in row.wanted))
    if one.id in gone or tx.recalls.get(one.id) is not None:  # what a CA recalls it revokes
        return replace(known, revoked=True, barred=barred(tx, one))
    if one.not_after is None or now >= one.not_after:
        return known  # what has expired is asked no further
    cas = {ca.name: ca for ca in desk.limits}
    return replace(
        known,
        foreign=frozenset(name for name in one.names if not subject_of(tx, name, row.store).added),
        barred=barred(tx, one),
        trial=trial(one, cas) and not trial(live, cas),
    )


def revoked(tx: Transaction, certificate: str) -> frozenset[str]:
    """Return the certificate's revisions that are revoked or are to be."""
    return frozenset(one.revision for one in tx.revocations.of(certificate))


def barred(tx: Transaction, revision: Revision) -> bool:
    """Tell whether the revision's key is barred for ever."""
    return bool(tx.revocations.barred((spki_hash(revision.csr),)))


def held_until(revision: Revision, hold: timedelta, now: datetime) -> datetime:
    """Return until when nothing replaces the revision by itself, once it is put back; ``now`` means not at all. Pure.

    That is for as long as is set, but not beyond the moment from which on waiting is dangerous: the last sixth of its
    lifetime, in which certdesk tries whatever it takes.
    """
    return max(now, min(now + hold, last_sixth_of(revision)))


def last_sixth_of(revision: Revision) -> datetime:
    """Return when the last sixth of the revision's lifetime begins. Raises ValueError if it was never issued."""
    if revision.not_before is None or revision.not_after is None:
        raise ValueError(f"{revision.id} was never issued")
    return revision.not_after - (revision.not_after - revision.not_before) / 6


def roll_back(desk: Desk, tx: Transaction, wish: Wish, now: datetime) -> Certificate:
    """Begin to put the revision back, in this transaction; return the certificate as it is now.

    The workers deploy and prove it as any other one. Raises NoRollbackError if it must not be put back (any more), or
    something else is installed meanwhile, UnderWayError while another one is being issued, and BusyError if a worker
    holds the row just now: then nothing is written.
    """
    row = tx.certificates.get(wish.certificate)
    if row is None or row.installed != wish.installed:
        raise NoRollbackError(
            say("Another certificate was installed since this was asked. Nothing was changed; ask again.")
        )
    _resting(row)
    found = candidate(desk, tx, row, now)
    if isinstance(found, Text):
        raise NoRollbackError(say("{why} Nothing was changed.", why=found))
    if found.id != wish.revision:
        raise NoRollbackError(
            say("What can be put back has changed since this was asked. Nothing was changed; ask again.")
        )
    until = held_until(found, desk.renewing.rollback_hold, now)
    told = Rollback(found.id, row.serial or "", now, until, wish.person, wish.approved_by)
    begun = replace(
        row.moved(Event.ROLLED_BACK, now=now, run_after=now),
        next=found.id,
        attempt=_attempt(row, found, now),
        stopped_at=None,
        retry_at=None,
        asked=False,
        rollback=told,
    )
    if not tx.certificates.ask(begun):
        raise BusyError(
            say(
                "The certificate of {domain} is being worked on. Nothing was changed; ask again in a minute.",
                domain=row.name,
            )
        )
    _recorded(tx, begun, found, told)
    tx.outbox.touch(row.id, now)
    return begun


def _resting(row: Certificate) -> None:
    """Raise UnderWayError if another one is being issued: it would be installed over what is put back."""
    if row.resting:
        return
    raise UnderWayError(
        say(
            "The certificate of {domain} is being issued. Nothing was changed; ask again when that is done, in a few"
            " minutes.",
            domain=row.name,
        )
    )


def _attempt(row: Certificate, revision: Revision, now: datetime) -> Attempt:
    """Return the attempt that puts the revision back; what is left of former ones is still taken down."""
    return Attempt(
        started_at=now,
        names=revision.names,
        considered=row.wanted,
        refused=row.attempt.refused,
        answers=row.attempt.answers,
        leftovers=row.attempt.leftovers,
    )


def _recorded(tx: Transaction, begun: Certificate, revision: Revision, told: Rollback) -> None:
    state = begun.state.value
    details = say(
        "serial {serial} in the place of {old}", serial=revision.serial or "", old=told.serial or "none"
    )
    what = Event.ROLLED_BACK.value
    tx.certificates.record(Happening(begun.id, told.at, what, told.person, state, details))
    if told.approved_by and told.approved_by != told.person:
        tx.certificates.record(Happening(begun.id, told.at, APPROVED, told.approved_by, state))
