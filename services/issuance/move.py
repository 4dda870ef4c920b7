"""What a step is given and what it gives back: the parts it may use, and one move of a certificate."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.issuance.planning import BUDGET, NAME_SPECIFIC, OWN_FAULT
from services.model.certificates import Certificate, Revision
from services.model.clock import Clock
from services.model.findings import Finding
from services.model.lifecycle import Event
from services.model.recalls import Recall
from services.model.settings import Alerting, CaSettings, Issuing, Platform, Renewing
from services.model.text import NOTHING, Item, Text, say
from services.ports import (
    CertificateAuthority,
    ChallengeResponder,
    Checker,
    DeployTarget,
    EdgeProbe,
    Storage,
    Vault,
)
from services.renewal.breaker import Met
from services.renewal.budget import Draw
from services.renewal.timing import FAULTS, backoff, fault_delay, near_expiry, poll_delay

LIMIT = timedelta(days=7)
"""The longest that a CA's rate limit is waited for in one go: none that is known refills more slowly."""
URGENT = timedelta(hours=1)
"""The longest back-off near expiry."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a step may touch. Put together in bot/wiring.py; safe to share between threads."""

    storage: Storage
    vault: Vault
    checker: Checker
    cas: Mapping[str, CertificateAuthority]
    """In order of preference."""
    responders: Mapping[str, ChallengeResponder]
    """By challenge type, in order of preference."""
    targets: Sequence[DeployTarget]
    probe: EdgeProbe
    platform: Platform
    issuing: Issuing
    renewing: Renewing
    clock: Clock
    chance: Callable[[], float]
    """Returns a random number from 0 to 1, for the moment inside a renewal window."""
    announce: Callable[[], None]
    """Tells who delivers messages that one may be due."""
    alerting: Alerting = field(default_factory=Alerting)
    limits: Mapping[str, CaSettings] = field(default_factory=dict)
    """CA -> its settings: its rate limits and how many names it takes; one that is not here has no limits."""
    scans: bool = False
    """Whether the pages of a name are scanned by themselves once it is installed."""


@dataclass(frozen=True, slots=True)
class Move:
    """The certificate after one step, and what is saved with it in the same transaction."""

    certificate: Certificate
    what: str = ""
    """Name of the happening for the history; empty if nothing is worth a row."""
    details: Item = ""
    revision: Revision | None = None
    findings: Sequence[Finding] | None = None
    met: tuple[Met, ...] = ()
    """What the step met at things that many share."""
    drawn: tuple[Draw, ...] = ()
    """What was taken from the budgets of CAs."""
    recall: Recall | None = None
    """The CA wants what is installed replaced at once."""


def on(
    certificate: Certificate,
    event: Event,
    now: datetime,
    details: Item = "",
    revision: Revision | None = None,
) -> Move:
    """Return the move by ``event``, with the next step due at once."""
    return Move(certificate.moved(event, now=now, run_after=now), event.value, details, revision)


def poll(certificate: Certificate, now: datetime, not_before: datetime | None = None) -> Move:
    """Return the move that only looks again later; ``not_before`` is the CA's Retry-After."""
    due = max(now + poll_delay(certificate.attempt.polls), not_before or now)
    attempt = replace(certificate.attempt, polls=certificate.attempt.polls + 1)
    return Move(replace(certificate, attempt=attempt, run_after=due, updated_at=now))


def fault(certificate: Certificate, now: datetime, problem: Finding) -> Move:
    """Return the move that tries the same step again within seconds to a minute."""
    attempt = replace(certificate.attempt, faults=certificate.attempt.faults + 1)
    due = now + fault_delay(attempt.faults)
    said = attempt.faults == 1 or certificate.problem is None or certificate.problem.code != problem.code
    kept = replace(certificate, attempt=attempt, run_after=due, updated_at=now, problem=problem)
    return Move(kept, "fault" if said else "", problem.summary)


def fail(
    certificate: Certificate,
    now: datetime,
    problem: Finding,
    policy: Renewing,
    *,
    strike: bool,
    retry_at: datetime | None = None,
    compared: Text = NOTHING,
) -> Move:
    """Return the move to a failed attempt: back off, or hand over to support after too many strikes.

    ``retry_at`` is the earliest moment the CA allows. While it waits, the facts are looked at every `blocked_recheck`,
    so that evidence of a fix retries at once. One name's trouble is no reason to hand over while others can go on.
    ``compared`` says how the failure differs from the one before. A fault of certdesk's own fails no attempt: the step is taken again every minute, at the CA that met it.
    """
    if problem.code == OWN_FAULT:
        tried = tuple(way for way in certificate.attempt.tried if way != certificate.attempt.ca)
        again = replace(certificate.attempt, tried=tried, faults=len(FAULTS))
        return fault(replace(certificate, attempt=again), now, problem)
    failures = certificate.failures + 1
    strikes = certificate.strikes + strike
    near = near_expiry(certificate, now) or certificate.revoked
    wait = min(backoff(policy, failures), URGENT) if near else backoff(policy, failures)
    # only a limit has an end that the CA knows; one that is out of order is asked again, near expiry soon
    longest = now + LIMIT if problem.code == BUDGET else now + (URGENT if near else policy.backoff[-1])
    due = max(now + wait, min(retry_at or now, longest))
    moved = certificate.moved(
        Event.ATTEMPT_FAILED, now=now, run_after=look_again(now, due, policy.blocked_recheck)
    )
    kept = replace(
        moved,
        failures=failures,
        strikes=strikes,
        problem=problem,
        retry_at=due,
        stopped_at=certificate.state,
        compared=compared,
    )
    others = set(certificate.attempt.names) - set(certificate.attempt.refused)
    some_can_go_on = problem.code in NAME_SPECIFIC and 0 < len(others) < len(certificate.attempt.names)
    if strikes >= policy.strikes and not some_can_go_on:
        kept = replace(kept.moved(Event.HANDED_OVER, now=now, run_after=None), retry_at=None)
    details = problem.summary
    if compared != NOTHING:
        details = say("{problem} {difference}", problem=problem.summary, difference=compared)
    return Move(kept, Event.ATTEMPT_FAILED.value, details)


def look_again(now: datetime, due: datetime, every: timedelta) -> datetime:
    """Return the next moment to look: ``due``, or earlier if that is more than ``every`` away."""
    return min(due, now + every)
