"""Revocations: a revision that must not be trusted any more, why, and how far its revocation has come. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.model.text import NOTHING, Text


class Reason(StrEnum):
    """Why a certificate is revoked: the reasons of RFC 5280 §5.3.1 that a subscriber can give."""

    KEY_COMPROMISE = "keyCompromise"
    CESSATION = "cessationOfOperation"
    SUPERSEDED = "superseded"
    AFFILIATION_CHANGED = "affiliationChanged"
    UNSPECIFIED = "unspecified"


CODES: Mapping[Reason, int] = {
    Reason.UNSPECIFIED: 0,
    Reason.KEY_COMPROMISE: 1,
    Reason.AFFILIATION_CHANGED: 3,
    Reason.SUPERSEDED: 4,
    Reason.CESSATION: 5,
}
"""The reason codes that ACME sends (RFC 8555 §7.6, RFC 5280 §5.3.1)."""


class Stage(StrEnum):
    """How far a revocation has come."""

    REPLACING = "replacing"
    """The old one is revoked once another one is proved to be served."""
    REVOKING = "revoking"
    """The CA is to be told."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Revocation:
    """The revocation of one revision: a row that workers claim, one for each revision."""

    id: str
    certificate: str
    revision: str
    store: str
    name: str
    """The name that it was asked for, to be shown."""
    serial: str
    """Lower-case hex, as `Revision.serial`."""
    ca: str
    reason: Reason
    person: str
    """Who asked: TEAM/USER, or ``terminal``."""
    created_at: datetime
    stage: Stage
    run_after: datetime | None = None
    """When the next step is due; None once it is done."""
    fence: int = 0
    lease_until: datetime | None = None
    failures: int = 0
    """Tries at the CA in a row that failed."""
    error: Text = NOTHING
    """What the last of them failed with."""
    done_at: datetime | None = None
    told: str = ""
    """The reason that the CA was given: it may not know ours; empty: it is not revoked, or was already."""
    by_key: bool = False
    """Whether the certificate's own key signed it, because the account did not fit."""

    @property
    def compromised(self) -> bool:
        """Whether the key is in wrong hands: then nothing is waited for."""
        return self.reason is Reason.KEY_COMPROMISE


@dataclass(frozen=True, slots=True)
class BarredKey:
    """A key that must never be used again."""

    spki: str
    """SHA-256 of its SubjectPublicKeyInfo (DER), lower-case hex."""
    at: datetime
    serial: str
    """Of the certificate with which it was barred."""
    person: str
