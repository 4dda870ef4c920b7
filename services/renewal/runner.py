"""The runner: claim a row, do one step, save it with the fence; go on with the same row while its next step is due."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

import structlog

from services.alerting.handover import handed_over
from services.deployment.installing import deploying, verifying
from services.issuance.causes import own
from services.issuance.collecting import collecting, finalizing
from services.issuance.move import Move, Parts, fault
from services.issuance.ordering import ordering, preparing
from services.issuance.preflight import checking
from services.issuance.proving import challenging, take_down, validating
from services.model.certificates import Certificate, Happening
from services.model.errors import CertdeskError, LeaseLostError, VaultError
from services.model.lifecycle import Event, State
from services.model.text import say
from services.ports import Transaction
from services.recalling import noting
from services.renewal import breaker, budget
from services.renewal.noticing import notice
from services.renewal.tending import blocked, failed, installed
from services.scanning import planning

log = structlog.get_logger()

STEPS: Mapping[State, Callable[[Parts, Certificate], Move]] = {
    State.CHECKING: checking,
    State.PREPARING: preparing,
    State.ORDERING: ordering,
    State.CHALLENGING: challenging,
    State.VALIDATING: validating,
    State.FINALIZING: finalizing,
    State.COLLECTING: collecting,
    State.DEPLOYING: deploying,
    State.VERIFYING: verifying,
    State.INSTALLED: installed,
    State.BLOCKED: blocked,
    State.FAILED: failed,
}
"""The step that is due in each state. A certificate that needs support waits for a person and has none."""


def run(
    parts: Parts, certificate: Certificate, keep_going: Callable[[], bool] = lambda: True
) -> Certificate | None:
    """Take a claimed certificate through every step that is due now; return it as saved, None if the lease was lost.

    Each step is saved before the next begins, so that a crash between any two resumes at the unsaved one. While the
    next step is due at once the lease is kept instead of being given back and claimed again. ``keep_going`` turning
    False ends the run at the next save.
    """
    row = certificate
    while True:
        try:
            move = perform(parts, row)
            row = save(parts, row, move, keep=keep_going())
        except LeaseLostError:
            log.info("lease lost", certificate=certificate.id, state=row.state.value)
            return None
        if row.lease_until is None:
            return row


def perform(parts: Parts, certificate: Certificate) -> Move:
    """Do the one step that the certificate's state calls for; nothing is saved. Answers no longer needed are taken down.

    A secret that cannot be opened is a fault of certdesk's own: the step is repeated, and the problem can be seen.
    """
    try:
        swept = take_down(parts, certificate)
        move = STEPS[swept.state](parts, swept)
        return replace(move, certificate=take_down(parts, move.certificate))
    except VaultError as error:
        remedy = say(
            "On-call: give certdesk the key-encryption key that the secret was sealed with (vault.key, or vault.old_keys"
            " while keys are changed); certdesk tries again every minute."
        )
        now = parts.clock()
        return fault(certificate, now, own("certdesk.fault", error, certificate.wanted[0], remedy, now))


def broken(parts: Parts, certificate: Certificate, error_id: str) -> None:
    """Record that a step of the claimed certificate raised something unforeseen, and try it again within a minute.

    Nothing is saved if the row has moved on since.
    """
    now = parts.clock()
    with parts.storage.write() as tx:
        row = tx.certificates.get(certificate.id)
        if row is None or row.fence != certificate.fence or row.lease_until is None:
            return
        text = say(
            "certdesk itself failed in the step “{state}”; its log has the error {id}.",
            state=row.state.value,
            id=error_id,
        )
        remedy = say(
            "On-call: look for {id} in certdesk's log; certdesk tries again every minute.", id=error_id
        )
        move = fault(row, now, own("certdesk.fault", CertdeskError(text), row.wanted[0], remedy, now))
        tx.certificates.save(move.certificate, None)
        _alarm(tx, parts, row, move)
        tx.certificates.record(Happening(row.id, now, "fault", state=row.state.value, details=move.details))
        tx.outbox.touch(row.id, now)
    parts.announce()


def save(parts: Parts, before: Certificate, move: Move, *, keep: bool) -> Certificate:
    """Save a move and all that belongs to it in one transaction; keep the lease if the next step is due now.

    Raises LeaseLostError, with nothing saved, if another worker has claimed the row since.
    """
    now = parts.clock()
    after = move.certificate
    due = after.run_after is not None and after.run_after <= now and after.state in STEPS
    lease = now + parts.renewing.lease if due and keep else None
    with parts.storage.write() as tx:
        tx.certificates.save(after, lease)
        if move.revision is not None:
            tx.certificates.put_revision(move.revision)
        if move.findings is not None:
            tx.certificates.put_findings(after.id, move.findings)
        breaker.write(tx, after.id, move.met, now)
        budget.write(tx, move.drawn, now)
        if move.recall is not None:
            noting.keep(tx, parts.alerting, parts.renewing.many, move.recall, now)
        if move.what:
            happening = Happening(after.id, now, move.what, state=after.state.value, details=move.details)
            tx.certificates.record(happening)
            log.info(
                move.what,
                certificate=after.id,
                domain=after.domain,
                state=after.state.value,
                details=str(move.details),
            )
        if move.what or after.state is not before.state:
            tx.outbox.touch(after.id, now)
        _alarm(tx, parts, before, move)
    parts.announce()
    return replace(after, lease_until=lease)


def _plan_scans(tx: Transaction, parts: Parts, after: Certificate, now: datetime) -> None:
    """Have the names of what was installed scanned that never were; spread, as many may be installed together."""
    revision = tx.certificates.revision(after.installed) if parts.scans and after.installed else None
    if revision is not None:
        planning.plan(tx, revision.names, after.store, planning.first(now, parts.chance()))


def _alarm(tx: Transaction, parts: Parts, before: Certificate, move: Move) -> None:
    """Bring in line, in the transaction of a save, what alerts, the watch and support know of the certificate.

    Steps in which nothing changed that concerns them cost nothing here.
    """
    after, now = move.certificate, parts.clock()
    entered = after.resting and after.state is not before.state
    if move.findings is not None or after.problem != before.problem or entered:
        findings = tx.certificates.findings(after.id) if move.findings is None else move.findings
        notice(tx, parts.alerting, after, findings, now)
    if after.installed != before.installed:
        # the first look soon after proves access from the start; spread, as many may be installed together
        tx.watches.plan(after.id, now + parts.renewing.blocked_recheck * parts.chance())
        _plan_scans(tx, parts, after, now)
    if entered and after.state is State.NEEDS_SUPPORT:
        tx.watches.plan(after.id, now)  # what DNS answers now is what a fix is told from
        tx.certificates.record(Happening(after.id, now, Event.HANDED_OVER.value, state=after.state.value))
        handed_over(tx, parts.alerting, after, now)
