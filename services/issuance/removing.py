"""The use case behind /ssl remove: names leave the wanted names of their certificates; without any, a certificate is retired."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.alerting.sighting import sight
from services.desk import Desk
from services.issuance.adding import BusyError
from services.model.certificates import Certificate, Happening
from services.model.errors import CertdeskError
from services.model.lifecycle import Event, State
from services.model.text import NOTHING, say
from services.ports import Transaction


class UnderWayError(CertdeskError):
    """The certificate is being issued, which goes on to its end first; nothing was changed."""


def remove(
    desk: Desk, tx: Transaction, certificate: str, names: Sequence[str], actor: str, now: datetime
) -> tuple[str, ...]:
    """Take ``names`` out of the wanted ones of the certificate with this id; return those that were among them.

    What is installed stays as it is: the next renewal leaves the names out. What was in trouble starts anew with the names
    that are left; a certificate with none left is retired, so that nothing renews it, until a name is added again. Raises
    UnderWayError while it is being issued, and BusyError if a worker holds the row just now: then nothing is written.
    """
    row = tx.certificates.get(certificate)
    gone = tuple(name for name in names if row is not None and name in row.wanted)
    if row is None or not gone:
        return ()
    if not row.resting:
        raise UnderWayError(
            say(
                "The certificate of {domain} is being issued. Nothing was changed; ask again when that is done, in a few"
                " minutes.",
                domain=row.name,
            )
        )
    after = _without(row, gone, now)
    if not tx.certificates.ask(after):
        raise BusyError(
            say(
                "The certificate of {domain} is being worked on. Nothing was changed; ask again in a minute.",
                domain=row.name,
            )
        )
    findings = tuple(f for f in tx.certificates.findings(row.id) if f.name in after.wanted)
    tx.certificates.put_findings(row.id, findings)
    sight(tx, desk.alerting, after, findings, now)
    tx.certificates.record(
        Happening(row.id, now, Event.REMOVED.value, actor, after.state.value, ", ".join(gone))
    )
    tx.outbox.touch(row.id, now)
    return gone


def _without(row: Certificate, gone: Sequence[str], now: datetime) -> Certificate:
    left = tuple(name for name in row.wanted if name not in gone)
    if not left:
        retired = row.moved(Event.REMOVED, now=now, run_after=None)
        return replace(
            retired,
            wanted=(),
            problem=None,
            renew_at=None,
            retry_at=None,
            failures=0,
            strikes=0,
            compared=NOTHING,
            asked=False,
        )
    problem = row.problem if row.problem is None or row.problem.name in left else None
    kept = replace(row, wanted=left, problem=problem, updated_at=now)
    if row.state is State.INSTALLED and row.retry_at is None:
        return kept
    again = kept.moved(Event.ASKED, now=now, run_after=now)
    return replace(again, retry_at=None, strikes=0, attempt=replace(again.attempt, refused=()))
