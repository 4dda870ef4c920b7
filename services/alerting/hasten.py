"""Looks at many certificates soon and one after the other: when a shared cause heals, or a person wants to know."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.model.alerts import SELF, Sighting
from services.model.certificates import Certificate
from services.ports import Transaction
from services.renewal.asking import WAITING

MOST = 500
"""Certificates that are waiting for their next attempt and are called up in one go."""


def hasten(tx: Transaction, members: Sequence[Sighting], code: str, now: datetime, over: timedelta) -> int:
    """Look at the members' certificates soon, by `call_up` and `watch`; return how many the watch looks at.

    Rows are taken in the order in which steps take them, so that nobody waits for ever: certificates, then watches,
    each by id. Nothing else may be held by the transaction.
    """
    call_up(tx, members, code, now, over)
    return watch(tx, members, now, over)


def watch(tx: Transaction, members: Iterable[Sighting], now: datetime, over: timedelta) -> int:
    """Plan a look at each member's certificate, spread evenly over the time ``over``; return how many.

    What is planned earlier already stays so.
    """
    ids = certificates_of(members)
    for certificate, place in sorted(zip(ids, range(len(ids)), strict=True)):
        tx.watches.plan(certificate, now + over * place / len(ids))
    return len(ids)


def call_up(tx: Transaction, members: Iterable[Sighting], code: str, now: datetime, over: timedelta) -> int:
    """Let those of the members' certificates that wait for an attempt or a target look at once, spread likewise; count them.

    One that is being worked on looks anyway, and is left alone. Those whose last failure has this ``code`` make a new
    attempt; a CA's rate limit ends when the CA says so.
    """
    ids = certificates_of(members)[:MOST]
    rows = [row for row in tx.certificates.get_many(ids) if _waits(row, now)]
    moments = [now + over * place / len(rows) for place in range(len(rows))]
    pairs = [
        (row, due) for row, due in zip(rows, moments, strict=True) if row.run_after and due < row.run_after
    ]
    pairs.sort(key=lambda pair: pair[0].id)
    return sum(tx.certificates.ask(_sooner(row, code, due, now)) for row, due in pairs)


def certificates_of(members: Iterable[Sighting]) -> Sequence[str]:
    """Return the ids of the certificates, in the members' order; certdesk itself is none."""
    return list(dict.fromkeys(member.certificate for member in members if member.certificate != SELF))


def _waits(row: Certificate, now: datetime) -> bool:
    return (row.state in WAITING or row.unproved) and row.run_after is not None and row.run_after > now


def _sooner(row: Certificate, code: str, due: datetime, now: datetime) -> Certificate:
    failed = row.state in WAITING and row.problem is not None and row.problem.code == code
    mended = failed and code != "ca.rate_limited"
    return replace(row, run_after=due, retry_at=due if mended else row.retry_at, updated_at=now)
