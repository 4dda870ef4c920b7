"""The one taxonomy of what can go wrong. Each error carries a sentence; presentation happens at the edge."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.model.text import NOTHING, Text, say


class CertdeskError(Exception):
    """Something went wrong that certdesk understands; ``text`` says what, for people."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.plain())
        self.text = text


class InvalidNameError(CertdeskError):
    """A text cannot be a domain name; ``given`` is the text, the sentence says why, ``remedy`` what to give instead."""

    def __init__(self, given: str, reason: Text, remedy: Text = NOTHING) -> None:
        super().__init__(reason)
        self.given = given
        self.remedy = remedy


class ImportRefusedError(CertdeskError):
    """A file of stores has a bad row; nothing of the file was taken. The sentence names the line and the reason."""


class NotFoundError(CertdeskError):
    """A store or another named thing does not exist."""


class LeaseLostError(CertdeskError):
    """Another worker has claimed the row since: what was done here is not saved."""

    def __init__(self, row: str) -> None:
        super().__init__(say("The lease on {row} was lost to another worker.", row=row))


class StoppingError(CertdeskError):
    """The process ends; what was begun is done by another one, or after the next start."""


class VaultError(CertdeskError):
    """A secret cannot be opened: the wrong key, the wrong row, or changed bytes."""


class DatabaseUnavailableError(CertdeskError):
    """The database does not answer, is locked, full or gone. Nothing of the transaction was saved; try again later."""


class SchemaBehindError(CertdeskError):
    """The database's schema is older than this certdesk; ``certdesk migrate`` brings it up to date."""


class DnsUpdateError(CertdeskError):
    """A dynamic update (RFC 2136) was refused, did not arrive, or did not show on every authoritative server."""


class DeployError(CertdeskError):
    """A target did not take a revision; the sentence names the target and the reason."""


class CaTrouble(StrEnum):
    """Kinds of trouble with a CA, each with one way to go on."""

    REJECTED = "rejected"  # rejectedIdentifier, badCSR, unsupportedIdentifier: the policy says no
    CAA = "caa"  # the CA found CAA records that forbid it
    VALIDATION = "validation"  # unauthorized, connection, dns, tls, incorrectResponse: a challenge failed
    RATE_LIMITED = "rate_limited"
    PAUSED = "paused"  # rateLimited without Retry-After and with an unpause URL: a person must act
    UNAVAILABLE = "unavailable"  # no answer, 5xx, an answer that is not ACME, badNonce without end
    ACCOUNT = (
        "account"  # unauthorized account, accountDoesNotExist, userActionRequired, externalAccountRequired
    )
    NOT_READY = "not_ready"  # orderNotReady, or a challenge already answered: read the state again
    ORDER_LOST = "order_lost"  # the order URL is gone, expired or invalid without a reason
    REPLACES_REFUSED = "replaces_refused"  # alreadyReplaced, or the `replaces` field was not accepted
    SETTINGS = (
        "settings"  # app.yaml asks for what the CA does not have: certdesk's own fault, nobody was asked
    )


@dataclass(frozen=True, slots=True)
class SubProblem:
    """A CA's problem with one identifier (RFC 8555 §6.7.1)."""

    identifier: str
    type: str
    detail: str


class CaError(CertdeskError):
    """A CA said no, or could not be asked. The adapter raises nothing else, but VaultError for its account's key."""

    def __init__(
        self,
        trouble: CaTrouble,
        detail: str,
        *,
        ca: str = "",
        type: str = "",  # noqa: A002 - the field's name in RFC 7807
        status: int | None = None,
        retry_at: datetime | None = None,
        subproblems: Sequence[SubProblem] = (),
    ) -> None:
        super().__init__(say("{ca}: {detail}", ca=ca or "the CA", detail=detail))
        self.trouble = trouble
        self.detail = detail
        self.ca = ca
        self.type = type
        self.status = status
        self.retry_at = retry_at
        self.subproblems = tuple(subproblems)
