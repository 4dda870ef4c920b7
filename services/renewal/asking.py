"""The use case behind /ssl renew: a person wants a new certificate now."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.desk import Desk
from services.issuance.adding import TRIES, BusyError
from services.model.certificates import Certificate, Happening
from services.model.lifecycle import Event, State
from services.model.sight import EVERY, Sight
from services.model.status import NameStatus
from services.model.text import say
from services.overview import describe
from services.ports import Transaction

WAITING = frozenset({State.BLOCKED, State.FAILED})
MOST = 1000
"""Certificates of one store that are looked at at once."""


def look_now(tx: Transaction, store: str, now: datetime) -> None:
    """Let the store's certificates be looked at now: something about the store has changed.

    What waits is tried again, and what is installed is watched now, so that a store that closes is told of at once.
    """
    for row in tx.certificates.listing(store, MOST):
        if row.state in WAITING and row.run_after is not None and row.run_after > now:
            tx.certificates.ask(replace(row, run_after=now, updated_at=now))
        elif row.resting:
            tx.watches.plan(row.id, now)


def renew(
    desk: Desk,
    names: Sequence[str],
    *,
    store: str | None,
    visible: Sight,
    actor: str,
    tries: int = TRIES,
) -> tuple[NameStatus, ...]:
    """Start a renewal of each name's certificate now; one that is under way is joined. Return each name's status.

    A name without a certificate is returned as it is (state ``none``). Raises BusyError as `adding.add` does.
    """
    statuses = standing(desk, names, store=store, visible=visible)
    wanted = {
        status.certificate.id: status.certificate for status in statuses if status.certificate is not None
    }
    for certificate in wanted.values():
        _ask(desk, certificate, actor, tries)
    desk.wake()
    return tuple(describe(desk, status.name, store=store, visible=visible) for status in statuses)


def renew_these(desk: Desk, certificates: Sequence[str], actor: str, tries: int = 3) -> tuple[int, int]:
    """Start a renewal of each certificate with these ids now, in this order; one that is under way is joined.

    Return how many are at work now, and how many could not be asked because a worker held them all the time.
    """
    with desk.storage.read() as tx:
        rows = tx.certificates.get_many(certificates)
    busy = 0
    for row in rows:
        try:
            _ask(desk, row, actor, tries)
        except BusyError:
            busy += 1
    desk.wake()
    return len(rows) - busy, busy


def renew_one(desk: Desk, certificate: Certificate, actor: str, tries: int = TRIES) -> None:
    """Start a renewal of this certificate now; one that is under way is joined. Raises BusyError as `adding.add` does."""
    _ask(desk, certificate, actor, tries)
    desk.wake()


def standing(
    desk: Desk, names: Sequence[str], *, store: str | None, visible: Sight
) -> tuple[NameStatus, ...]:
    """Return where each name stands, in the order given, each once."""
    return tuple(describe(desk, name, store=store, visible=visible) for name in dict.fromkeys(names))


def early(status: NameStatus, now: datetime) -> bool:
    """Tell whether a renewal would be forced: it is installed, nothing is wrong with it, and it is not due yet."""
    row = status.certificate
    if row is None or status.state != State.INSTALLED.value or status.blocked:
        return False
    well = row.problem is None and row.retry_at is None
    return well and row.renew_at is not None and now < row.renew_at


def early_whole(desk: Desk, certificate: Certificate) -> bool:
    """Tell the same of a certificate with all of its names; the caller's right to its store is looked at before."""
    statuses = standing(desk, certificate.wanted, store=certificate.store, visible=EVERY)
    return bool(statuses) and all(early(status, desk.clock()) for status in statuses)


def begin(tx: Transaction, certificate: str, actor: str, now: datetime) -> bool:
    """Start a renewal of the certificate with this id now; False if it is under way already, or gone.

    Raises BusyError if a worker holds the row just now: then nothing is written.
    """
    row = tx.certificates.get(certificate)
    if row is None or not row.resting or not row.wanted:
        return False
    asked = replace(
        row.moved(Event.ASKED, now=now, run_after=now),
        asked=True,
        retry_at=None,
        strikes=0,
        attempt=replace(row.attempt, refused=()),  # a person knows of a fix: every name gets its chance
        rollback=row.rollback_over(now),
    )
    if not tx.certificates.ask(asked):
        raise _busy(row)
    tx.certificates.record(Happening(row.id, now, Event.ASKED.value, actor, asked.state.value))
    tx.outbox.touch(row.id, now)
    return True


def _ask(desk: Desk, certificate: Certificate, actor: str, tries: int) -> None:
    """Write the wish unless the work is under way already, with what a look after each refusal shows."""
    for _ in range(tries):
        try:
            with desk.storage.write() as tx:
                begin(tx, certificate.id, actor, desk.clock())
        except BusyError:
            time.sleep(0.05)  # a worker holds the row for the length of a step
        else:
            return
    raise _busy(certificate)


def _busy(certificate: Certificate) -> BusyError:
    return BusyError(
        say(
            "The certificate of {domain} is being worked on. Nothing was changed; ask again in a minute.",
            domain=certificate.name,
        )
    )
