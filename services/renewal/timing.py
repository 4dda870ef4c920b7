"""When to renew, look again and try again: pure rules over the clock, the policy and the certificate."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.model.certificates import Certificate, Revision, Window
from services.model.settings import Renewing

SHORT_LIVED = timedelta(days=10)
"""Certificates that live shorter are renewed at half of their lifetime, as the CAs advise for them."""
POLLS = tuple(timedelta(seconds=s) for s in (0.05, 0.1, 0.2, 0.5, 1, 1, 2, 2, 5))
"""Waiting time before the next look at the CA or the edge; the last one repeats. `Retry-After` goes before it."""
OFTEN = 6
"""How many revisions of one certificate may be issued by themselves in a short time."""
FAULTS = tuple(timedelta(seconds=s) for s in (1, 2, 5, 10, 20, 30, 60))
"""Waiting time after a fault of certdesk's own or of the network: seconds to a minute."""


def poll_delay(polls: int) -> timedelta:
    """Return how long to wait after ``polls`` looks in the present state."""
    return POLLS[min(polls, len(POLLS) - 1)]


def fault_delay(faults: int) -> timedelta:
    """Return how long to wait after ``faults`` (1 or more) faults in a row in the present state."""
    return FAULTS[min(max(faults, 1), len(FAULTS)) - 1]


def backoff(policy: Renewing, failures: int) -> timedelta:
    """Return how long to wait after ``failures`` (1 or more) failed attempts in a row: 1, 10, 100 minutes, then daily."""
    return policy.backoff[min(max(failures, 1), len(policy.backoff)) - 1]


def backstop(not_before: datetime, not_after: datetime) -> datetime:
    """Return the moment of renewal without a suggestion: 1/3 of the lifetime left, 1/2 if it is shorter than 10 days."""
    lifetime = not_after - not_before
    return not_after - (lifetime / 2 if lifetime < SHORT_LIVED else lifetime / 3)


def left(certificate: Certificate, now: datetime) -> float:
    """Return how much of the installed revision's lifetime is left, from 1 to 0; 0 if it has expired or there is none."""
    if certificate.not_before is None or certificate.not_after is None:
        return 0.0
    lifetime = certificate.not_after - certificate.not_before
    return max(0.0, (certificate.not_after - now) / lifetime) if lifetime else 0.0


def last_sixth(certificate: Certificate) -> datetime | None:
    """Return a moment at which `near_expiry` has just begun; None if nothing is installed."""
    if certificate.not_before is None or certificate.not_after is None:
        return None
    return certificate.not_after - (certificate.not_after - certificate.not_before) / 6 + timedelta(seconds=1)


def near_expiry(certificate: Certificate, now: datetime) -> bool:
    """Tell whether the last sixth of the lifetime has begun: from here on the CA is the judge of technical blockers."""
    return certificate.installed is not None and left(certificate, now) <= 1 / 6


def pause_until(revisions: Sequence[Revision], now: datetime) -> datetime | None:
    """Return until when nothing is ordered by itself because too much was lately; None if there is no reason to wait.

    A CA that suggests the past for each new certificate, or a name that comes and goes, must not make an endless chain
    of orders: at most OFTEN revisions are issued within 1/60 of their lifetime (36 hours of 90 days). Persons are free
    of this.
    """
    issued = sorted(
        (r.created_at, r.not_after - r.not_before)
        for r in revisions
        if r.not_before is not None and r.not_after is not None
    )
    if len(issued) < OFTEN:
        return None
    since, lifetime = issued[-OFTEN]
    free = since + lifetime / 60
    return free if now < free else None


def draw(window: Window, chance: float) -> datetime:
    """Return the moment in ``window`` that ``chance`` (0 to 1) falls on (RFC 9773 §4.2: a uniform random time)."""
    return window.start + (window.end - window.start) * chance


def renewal_moment(
    certificate: Certificate, suggestion: Window | None, chance: float
) -> tuple[Window | None, datetime]:
    """Return the window to keep and the moment to renew.

    The moment is drawn once for each window and kept while the window is unchanged: drawing anew at each look could
    postpone renewal for ever. A suggestion that lies later than the backstop, by more than the 2 % of the lifetime that
    CAs spread their windows over, is overruled by the backstop: a CA's suggestion can be wrong.
    """
    if certificate.not_before is None or certificate.not_after is None:
        raise ValueError("a renewal moment needs an installed certificate")
    latest = backstop(certificate.not_before, certificate.not_after)
    if suggestion is None:
        return None, latest
    if suggestion == certificate.window and certificate.renew_at is not None:
        return suggestion, certificate.renew_at
    spread = (certificate.not_after - certificate.not_before) * 0.02
    return suggestion, min(draw(suggestion, chance), latest + spread)
