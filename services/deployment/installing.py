"""The steps that bring a certificate to shoppers: write it to every target, then prove that the edge serves it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from services.deployment.delivering import (
    IN_PART,
    PATIENCE,
    Delivery,
    again_at,
    deliver,
    names_of,
    owed,
    still_theirs,
    undelivered,
)
from services.deployment.fitness import unfit
from services.deployment.rollback import barred, revoked
from services.deployment.witness import incomplete
from services.issuance.causes import own
from services.issuance.keys import barred as key_barred
from services.issuance.move import Move, Parts, fail, fault, on, poll
from services.issuance.ordering import present_revision
from services.model.certificates import NOT_SERVED, Certificate, Revision
from services.model.errors import DeployError
from services.model.findings import CODES, NOT_REVOKED, Finding, Verdict
from services.model.lifecycle import Event
from services.model.settings import Renewing
from services.model.text import NOTHING, Text, say
from services.ports import Served
from services.renewal.schedule import scheduled
from services.renewal.timing import backoff, backstop

SIDE_BY_SIDE = 8
"""Names that are looked at at the same time."""
PROOFS = 9
"""Looks at the edge, a few seconds in all, before an installation counts as unproved."""
CALLED_OFF = "rollback_called_off"
"""The happening in the history: what was to be put back must not be used any more."""
LOOK_AGAIN = timedelta(minutes=1)
"""How often an unproved installation is looked at again."""


def deploying(parts: Parts, certificate: Certificate) -> Move:
    """Give the revision to every target; one that fails is tried again within a minute, and is no strike."""
    revision = present_revision(parts, certificate)
    if (move := _withdrawn(parts, certificate, revision)) is not None:
        return move
    key = parts.vault.open(revision.sealed_key, revision.key_binding).decode()
    if reason := unfit(
        revision, key, parts.clock(), installed=_installed_one(parts, certificate), cas=parts.limits
    ):
        return _unfit(parts, certificate, DeployError(reason), revision)
    return _handed_over(parts, deliver(parts, certificate, revision, key), revision.names[0])


def _handed_over(parts: Parts, delivery: Delivery, name: str) -> Move:
    """Go on once every target has the revision, or some have it and the others go on failing; else try again."""
    now, certificate = parts.clock(), delivery.certificate
    if delivery.whole:
        done = on(replace(certificate, problem=None), Event.DEPLOYED, now, names_of(delivery))
        return replace(done, met=delivery.met)
    problem = undelivered(delivery, name, now)
    if delivery.held and (not delivery.failed or certificate.attempt.faults >= PATIENCE):
        # shoppers meet it there: it is proved and installed, and what lacks it is tried on (see `services.renewal.tending`)
        partly = on(replace(certificate, problem=problem), Event.DEPLOYED, now, names_of(delivery))
        return replace(partly, what=IN_PART, met=delivery.met)
    if delivery.failed:
        return replace(fault(certificate, now, problem), met=delivery.met)
    return _waiting(certificate, problem, again_at(parts, delivery), now)


def _withdrawn(parts: Parts, certificate: Certificate, revision: Revision) -> Move | None:
    """Return the move away from a revision whose key is barred or that, wanted back by persons, was revoked since."""
    if not certificate.rolling_back:
        return key_barred(parts, certificate, revision)
    with parts.storage.read() as tx:
        lost = barred(tx, revision) or revision.id in revoked(tx, certificate.id)
    return _called_off(parts, certificate, revision) if lost else None


def _called_off(parts: Parts, certificate: Certificate, revision: Revision) -> Move:
    """Return the move back to what is installed, on every target: what was to be put back must not be any more."""
    now = parts.clock()
    said = say(
        "serial {serial} must not be used any more; serial {installed} stays",
        serial=revision.serial or "",
        installed=certificate.serial or "",
    )
    # no target counts as having it: one that was half way may serve some names with what was to be put back
    back = replace(certificate, next=certificate.installed, rollback=None, placements=())
    return Move(replace(back, run_after=now, updated_at=now), CALLED_OFF, said)


def _installed_one(parts: Parts, certificate: Certificate) -> Revision | None:
    if certificate.installed is None:
        return None
    with parts.storage.read() as tx:
        return tx.certificates.revision(certificate.installed)


def _unfit(parts: Parts, certificate: Certificate, error: DeployError, revision: Revision) -> Move:
    """Fail the attempt: no target is to blame, and the next attempt gets another certificate. A roll-back is called off."""
    if certificate.rolling_back:
        return _called_off(parts, certificate, revision)
    now = parts.clock()
    remedy = say(
        "On-call: look at acme.cas in app.yaml and at this machine's clock; the installed certificate stays, and certdesk "
        "orders anew by itself."
    )
    problem = own("deploy.failed", error, revision.names[0], remedy, now)
    return fail(certificate, now, problem, parts.renewing, strike=False)


def _waiting(certificate: Certificate, problem: Finding, due: datetime, now: datetime) -> Move:
    """Wait for targets that fail for others too; what was said of them stays said once."""
    said = "" if certificate.problem and certificate.problem.code == problem.code else "fault"
    kept = replace(certificate, problem=problem, run_after=due, updated_at=now)
    return Move(kept, said, problem.summary)


def verifying(parts: Parts, certificate: Certificate) -> Move:
    """Shake hands with every edge address for every name; the new revision is installed once it shows, or is unproved."""
    revision = present_revision(parts, certificate)
    if (move := key_barred(parts, certificate, revision)) is not None:
        return move
    missing = unserved(parts, still_theirs(parts, certificate, revision))
    now = parts.clock()
    if missing and certificate.attempt.polls < PROOFS:
        return poll(certificate, now)
    event = Event.UNPROVED if missing else Event.VERIFIED
    moved = certificate.moved(event, now=now, run_after=now + LOOK_AGAIN if missing else now)
    # a target that lacks it may be why the edge does not show it: that is told first
    lacking = certificate.problem if owed(parts.targets, certificate, revision.id) else None
    problem = lacking or (not_served(missing, revision, now) if missing else None)
    if parts.platform.addresses:
        proof = say("serial {serial}", serial=revision.serial or "")
    else:
        proof = say(
            "serial {serial}, not proved: {key} is empty",
            serial=revision.serial or "",
            key="platform.addresses",
        )
    # the CA's window belongs to what is told at the end: when it renews by itself
    live, _ = scheduled(parts, _installed(moved, revision, problem, parts.renewing), revision)
    return Move(
        live,
        event.value,
        problem.summary if missing and problem else proof,
        findings=_of_today(parts, certificate),
    )


def _of_today(parts: Parts, certificate: Certificate) -> tuple[Finding, ...] | None:
    """Return the findings without what was seen to be served in the place of the one before; None: there is no such."""
    with parts.storage.read() as tx:
        known = tuple(tx.certificates.findings(certificate.id))
    left = tuple(f for f in known if f.code != NOT_SERVED)
    return left if len(left) < len(known) else None


def _installed(
    certificate: Certificate, revision: Revision, problem: Finding | None, policy: Renewing
) -> Certificate:
    """Return the certificate with the revision as the live one and a clean slate for the next renewal.

    While a wanted name is missing from it, the count of failures stays, so that the tries for it grow rarer. A name
    that was added on the way has not been tried at all: it gets its turn at once.
    """
    if revision.not_before is None or revision.not_after is None:
        raise ValueError(f"{revision.id} was never issued")
    whole = set(certificate.wanted) == set(revision.names)
    failures = 0 if whole else certificate.failures
    attempt = certificate.attempt
    late = set(certificate.wanted) - set(attempt.considered) - set(revision.names)
    wait = timedelta(0) if late else max(backoff(policy, failures), policy.dns_recheck)
    told = certificate.rollback if certificate.rolling_back else None
    return replace(
        certificate,
        installed=revision.id,
        next=None,
        attempt=replace(attempt, refused=() if whole else attempt.refused),
        serial=revision.serial,
        not_before=revision.not_before,
        not_after=revision.not_after,
        renew_at=backstop(revision.not_before, revision.not_after),
        window=None,
        ari_after=certificate.updated_at,
        retry_at=None if whole else certificate.updated_at + wait,
        stopped_at=None,
        failures=failures,
        strikes=0,
        asked=False,
        problem=problem,
        compared=NOTHING,
        revocation=_left_of(certificate),
        rollback=told,
    )


def _left_of(certificate: Certificate) -> Finding | None:
    """Return what stays to be said of revocations: that of the old revision is over once another one is installed."""
    told = certificate.revocation
    return told if told is not None and told.code == NOT_REVOKED else None


def unserved(parts: Parts, revision: Revision) -> tuple[Served, ...]:
    """Return what each edge address serves for each name where that is not the revision, or not its whole chain; empty means proved."""
    look = partial(parts.probe.served, chain=revision.chain or "")
    with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="proof") as pool:
        seen = pool.map(look, revision.names)
        return tuple(s for served in seen for s in served if s.serial != revision.serial or s.incomplete)


def not_served(missing: Sequence[Served], revision: Revision, now: datetime) -> Finding:
    """Return the finding that the edge does not serve the revision, naming each address of the first such name."""
    name = missing[0].name
    alike: dict[tuple[str | None, str], list[Served]] = {}
    for one in missing:
        if one.name == name:
            alike.setdefault((one.serial, "" if one.serial else one.error), []).append(one)
    first, *others = (_seen(some, revision) for some in alike.values())
    for other in others:
        first = say("{before} {after}", before=first, after=other)
    remedy = say(
        "On-call: make the edge load the new files; certdesk looks again every minute and renews nothing for this."
    )
    evidence = {
        "required": revision.serial,
        "found": [
            {
                "name": s.name,
                "address": s.address,
                "serial": s.serial,
                "protocol": s.protocol,
                "error": s.error,
                "incomplete": s.incomplete,
            }
            for s in missing
        ],
    }
    owner = CODES[NOT_SERVED].owner
    return Finding(NOT_SERVED, Verdict.BLOCK, name, owner, first, remedy, now, evidence)


def _seen(alike: Sequence[Served], revision: Revision) -> Text:
    """Return the sentence about the addresses that serve the same in the place of the revision."""
    first, addresses = alike[0], tuple(one.address for one in alike)
    if first.serial is not None and first.serial == revision.serial:
        return incomplete(first.name, addresses)
    what = (
        say("serves serial {serial}", serial=first.serial)
        if first.serial
        else say("does not answer ({error})", error=first.error)
    )
    return say(
        "The edge at {addresses} {what} for {name}, not the new certificate {wanted}.",
        addresses=addresses,
        what=what,
        name=first.name,
        wanted=revision.serial or "",
    )
