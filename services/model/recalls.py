"""Recalls: revisions that their CA wants replaced at once, because the renewal window it suggests is past. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Recall:
    """One revision that its CA wants replaced at once (RFC 9773 §4.2: a window in the past), as certdesk noted it."""

    revision: str
    certificate: str
    store: str
    name: str
    """What the certificate is called to people."""
    ca: str
    seen_at: datetime
    """When certdesk learned of it."""
    not_after: datetime
    """When the revision expires."""
    because: str = ""
    """URL of a page on which the CA explains it; empty if it gave none."""
    planned: bool = False
    """Whether it waits for a plan; else it is renewed by itself."""
    job: str = ""
    """Id of the plan that has taken it over; empty: none has."""
