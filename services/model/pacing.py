"""What keeps the fleet polite: when a certificate is looked at, breakers for causes that hit many, budgets of CAs."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Watch:
    """When one certificate is to be checked next, long before its renewal: a row of its own queue."""

    id: str
    """The certificate's id."""
    due_at: datetime
    fence: int = 0
    lease_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Breaker:
    """Failures of one shared thing (a CA, a deploy target); open: only a canary may try it."""

    thing: str
    """Such as ``ca letsencrypt`` or ``target edge``."""
    failed: tuple[str, ...]
    """Ids of the different certificates that failed at it lately, a few at most."""
    since: datetime
    """When the first of them failed."""
    code: str
    """Finding code of the last failure."""
    detail: str
    """The last failure in one sentence."""
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    """When the next canary may try."""
    probes: int = 0
    """Canaries that have failed."""

    @property
    def open(self) -> bool:
        """Whether attempts wait."""
        return self.opened_at is not None
