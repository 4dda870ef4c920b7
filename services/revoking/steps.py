"""The steps of a revocation: wait for what replaces it, then tell the CA; each is short, and harmless when done twice."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from services.issuance.acme.errors import short
from services.issuance.move import Parts
from services.model.certificates import Certificate, Happening, Revision
from services.model.errors import CaError, CaTrouble, CertdeskError, VaultError
from services.model.findings import CODES, NOT_REVOKED, Finding, Verdict
from services.model.lifecycle import State
from services.model.revoking import CODES as REASON_CODES
from services.model.revoking import Reason, Revocation, Stage
from services.model.text import NOTHING, Item, say
from services.ports import Transaction
from services.renewal import asking
from services.renewal.noticing import notice
from services.renewal.timing import FAULTS, fault_delay

log = structlog.get_logger()

LOOK = timedelta(seconds=5)
"""How often the replacement is looked at."""
LATER = timedelta(minutes=1)
"""The same once it has been waited for longer than `LONG`."""
LONG = timedelta(minutes=10)
STUBBORN = 5
"""Tries at the CA that fail in a row before people are told."""
RARELY = timedelta(minutes=10)
"""How often the CA is asked after that."""
REVOKED = "revoked"
"""The happening in the history."""


@dataclass(frozen=True, slots=True)
class Step:
    """A revocation after one step, and what is saved with it."""

    revocation: Revocation
    said: Item = ""
    """For the history; empty: nothing is worth a row."""
    problem: Finding | None = None
    """What people are to be told about the certificate; None: nothing."""


def step(parts: Parts, revocation: Revocation) -> None:
    """Do the one step that is due and save it. Raises LeaseLostError, and saves nothing, if it was claimed anew since."""
    done = STEPS[revocation.stage](parts, revocation)
    now = parts.clock()
    with parts.storage.write() as tx:
        tx.revocations.save(done.revocation)
        if done.said:
            row = tx.certificates.get(revocation.certificate)
            state = row.state.value if row is not None else ""
            tx.certificates.record(
                Happening(revocation.certificate, now, REVOKED, state=state, details=done.said)
            )
        if done.revocation.stage is not revocation.stage or done.said or done.problem:
            tx.outbox.touch(revocation.id, now)
            tx.outbox.touch(revocation.certificate, now)
        _tell(tx, parts, done, now)
    parts.announce()


def replacing(parts: Parts, revocation: Revocation) -> Step:
    """Wait until something else is installed and was seen to be served, or nothing is wanted any more."""
    now = parts.clock()
    with parts.storage.read() as tx:
        row = tx.certificates.get(revocation.certificate)
    if row is None or row.state is State.RETIRED or _replaced(row, revocation):
        return Step(replace(revocation, stage=Stage.REVOKING, run_after=now))
    if row.state is State.INSTALLED and row.installed == revocation.revision and not row.asked:
        with parts.storage.write() as tx:  # an attempt that was under way has come to nothing
            asking.begin(tx, row.id, revocation.person, now)
    wait = LOOK if now - revocation.created_at < LONG else LATER
    return Step(replace(revocation, run_after=now + wait))


def _replaced(row: Certificate, revocation: Revocation) -> bool:
    return row.installed not in (None, revocation.revision) and not row.unproved


def revoking(parts: Parts, revocation: Revocation) -> Step:
    """Tell the CA, with the account or else with the certificate's own key; what is revoked already is done."""
    now = parts.clock()
    with parts.storage.read() as tx:
        revision = tx.certificates.revision(revocation.revision)
    if revision is None or revision.chain is None:
        raise LookupError(f"{revocation.id} is about a revision that was never issued")
    try:
        after = _told(parts, revocation, revision)
    except (CaError, VaultError) as error:
        return _failed(revocation, error, now)
    done = replace(
        after,
        stage=Stage.DONE,
        run_after=None,
        done_at=now,
        failures=0,
        error=NOTHING,
    )
    log.info(REVOKED, certificate=done.certificate, serial=done.serial, reason=done.told)
    return Step(done, _said(done))


def _said(done: Revocation) -> Item:
    if not done.told:
        return say("serial {serial}: {ca} had revoked it already", serial=done.serial, ca=done.ca)
    return say("serial {serial} at {ca}: {reason}", serial=done.serial, ca=done.ca, reason=done.told)


def _told(parts: Parts, revocation: Revocation, revision: Revision) -> Revocation:
    """Return the revocation once the CA has it. Raises CaError, VaultError."""
    ca = parts.cas.get(revision.ca)
    if ca is None:
        raise CaError(CaTrouble.SETTINGS, "is no longer in app.yaml", ca=revision.ca)
    reason, key = revocation.reason, None
    while True:
        try:
            fresh = ca.revoke(revision.chain or "", REASON_CODES[reason], key)
        except CaError as error:
            kind = short(error.type)
            if kind == "badRevocationReason" and reason is not Reason.UNSPECIFIED:
                reason = Reason.UNSPECIFIED  # the CA does not know ours: what counts is that it is revoked
            elif kind == "unauthorized" and key is None:
                key = parts.vault.open(revision.sealed_key, revision.key_binding).decode()
            else:
                raise
        else:
            return replace(revocation, told=reason.value if fresh else "", by_key=fresh and key is not None)


def _failed(revocation: Revocation, error: CertdeskError, now: datetime) -> Step:
    failures = revocation.failures + 1
    wait = fault_delay(failures) if failures < len(FAULTS) else RARELY
    asked = error.retry_at if isinstance(error, CaError) else None
    due = min(max(now + wait, asked or now), now + 6 * RARELY)
    after = replace(revocation, failures=failures, error=error.text, run_after=due)
    if failures < STUBBORN:
        return Step(after)
    return Step(after, problem=not_revoked(after, now))


def not_revoked(revocation: Revocation, now: datetime) -> Finding:
    """Return the finding that the CA does not revoke what it is asked to revoke."""
    summary = say(
        "Serial {serial} of {name} is not revoked yet: {error} Tries so far: {count}.",
        serial=revocation.serial,
        name=revocation.name,
        error=revocation.error,
        count=revocation.failures,
    )
    remedy = say(
        "On-call: if it does not pass, revoke the serial at {ca} by its own means; certdesk goes on trying, and sees that it is"
        " done.",
        ca=revocation.ca,
    )
    evidence = {"serial": revocation.serial, "ca": revocation.ca, "reason": revocation.reason.value}
    return Finding(
        NOT_REVOKED, Verdict.BLOCK, revocation.name, CODES[NOT_REVOKED].owner, summary, remedy, now, evidence
    )


def _tell(tx: Transaction, parts: Parts, done: Step, now: datetime) -> None:
    """Put what people are to be told on the certificate, and take it away once it is done, unless a worker holds the row.

    Then the next try does it; that of a revocation that is done is taken away when the certificate is looked at next.
    """
    row = tx.certificates.get(done.revocation.certificate)
    if row is None:
        return
    own = row.revocation is not None and row.revocation.evidence.get("serial") == done.revocation.serial
    mine = own and row.revocation is not None and row.revocation.code == NOT_REVOKED
    told = done.problem if done.problem is not None and (row.revocation is None or mine) else row.revocation
    if done.revocation.stage is Stage.DONE and mine:
        told = None
    if told == row.revocation:
        return
    after = replace(row, revocation=told, updated_at=now)
    if tx.certificates.ask(after):
        notice(tx, parts.alerting, after, tx.certificates.findings(row.id), now)


STEPS: Mapping[Stage, Callable[[Parts, Revocation], Step]] = {
    Stage.REPLACING: replacing,
    Stage.REVOKING: revoking,
}
"""The step of each stage; what is done has none."""
