"""Ports: one ACME CA, and who answers its challenges."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from services.model.certificates import Window


@dataclass(frozen=True, slots=True)
class Order:
    """An ACME order as the CA shows it (RFC 8555 §7.1.3)."""

    url: str
    status: str
    """pending, ready, processing, valid or invalid."""
    authorizations: tuple[str, ...]
    finalize_url: str
    certificate_url: str | None = None
    error: str = ""
    """The order's problem as one sentence; empty if it has none."""
    retry_at: datetime | None = None
    problem: Any = None
    """The CaError of the order's problem; None if it has none."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to prove control (RFC 8555 §8)."""

    type: str
    url: str
    token: str
    status: str
    """pending, processing, valid or invalid."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """An authorization as the CA shows it (RFC 8555 §7.1.4)."""

    url: str
    name: str
    """The identifier; a wildcard's without ``*.``."""
    wildcard: bool
    status: str
    """pending, valid, invalid, deactivated, expired or revoked."""
    challenges: tuple[Challenge, ...]
    problem: Any = None
    """The CaError of the failed challenge if the status is invalid, else None."""
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RenewalInfo:
    """A CA's suggestion when to renew (RFC 9773 §4)."""

    window: Window
    ask_again_at: datetime
    explanation_url: str | None = None


class CertificateAuthority(Protocol):
    """One ACME CA. Every call is a single exchange that neither sleeps nor polls; any thread may call.

    Every method raises CaError, and nothing else, when the CA says no or cannot be asked.
    """

    @property
    def name(self) -> str:
        """The CA's name in app.yaml."""
        ...

    def place_order(self, names: Sequence[str], replaces: str | None = None) -> Order:
        """Place an order (§7.4). ``replaces`` is the PEM of the certificate it renews; it is left out where refused."""
        ...

    def read_order(self, url: str) -> Order:
        """Return the order's present state. CaTrouble.ORDER_LOST if the CA no longer knows it."""
        ...

    def read_authorization(self, url: str) -> Authorization:
        """Return the authorization's present state."""
        ...

    def key_authorization(self, token: str) -> str:
        """Return the token joined with the account key's thumbprint (§8.1)."""
        ...

    def answer(self, challenge: Challenge) -> None:
        """Tell the CA that the challenge is ready. Twice is harmless: NOT_READY is not raised for a done challenge."""
        ...

    def finalize(self, order_url: str, finalize_url: str, csr: str) -> Order:
        """Send the CSR (PEM). Raises NOT_READY if the order is not ready; a second call may do so: read the order."""
        ...

    def download(self, certificate_url: str) -> str:
        """Return the chain as PEM, leaf first."""
        ...

    def renewal_info(self, certificate: str) -> RenewalInfo | None:
        """Return the CA's suggestion for the leaf of this PEM; None if the CA does not offer ARI."""
        ...

    def revoke(self, certificate: str, reason: int, key: str | None = None) -> bool:
        """Revoke the leaf of this PEM (§7.6) for a reason code of RFC 5280 §5.3.1; False if it was revoked already.

        The request is signed by the account, or by the certificate's own private ``key`` (PEM). Twice is harmless. Raises
        CaError with the type ``unauthorized`` if the account may not revoke it, and ``badRevocationReason`` if the CA does not
        take the reason.
        """
        ...


class ChallengeResponder(Protocol):
    """Puts up and takes down the answers for one type of challenge."""

    @property
    def type(self) -> str:
        """http-01 or dns-01."""
        ...

    def present(self, name: str, token: str, key_authorization: str, certificate: str) -> None:
        """Put the answer up for ``name`` (without ``*.``). Idempotent. Raises DnsUpdateError if that failed."""
        ...

    def visible(self, name: str, token: str, key_authorization: str) -> bool:
        """Tell whether the CA would see the answer now: one look, no waiting."""
        ...

    def clean_up(self, name: str, token: str, key_authorization: str, certificate: str) -> None:
        """Take the answer down. Idempotent; never touches other answers for the same name. May raise DnsUpdateError."""
        ...
