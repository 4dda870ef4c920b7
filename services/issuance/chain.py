"""What a downloaded certificate chain is, and whether it may be deployed: pure judgements on PEM text."""

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from services.issuance.csr import load_key
from services.model.names import covers
from services.model.text import Text, say


@dataclass(frozen=True, slots=True)
class Leaf:
    """The first certificate of a chain, which speaks for the site."""

    serial: str
    """Lower-case hex without separators, an even number of digits."""
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]
    """The DNS names it is valid for, sorted."""
    issuer: str
    """The issuer's name as RFC 4514 text, such as ``CN=R11,O=Let's Encrypt,C=US``."""
    length: int = 1
    """How many certificates the chain has."""


def read_chain(pem: str) -> Leaf:
    """Return what the leaf of a chain (PEM, leaf first) says. Raises ValueError if the text holds no certificate."""
    certificates = _load(pem)
    leaf = certificates[0]
    return Leaf(
        serial=serial_hex(leaf.serial_number),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        names=_names(leaf),
        issuer=leaf.issuer.rfc4514_string(),
        length=len(certificates),
    )


def serial_hex(serial: int) -> str:
    """Return a serial number the way certdesk writes it: lower-case hex, whole bytes, no separators."""
    digits = f"{serial:x}"
    return digits.zfill(len(digits) + len(digits) % 2)


def fits(chain_pem: str, key_pem: str, names: Iterable[str], now: datetime | None = None) -> Text | None:
    """Return why the chain must not be deployed with this key for these names, or None if it may.

    Judged are: that it is a chain of certificates, leaf first, each signed by the next (RFC 8555 §9.1); that the
    leaf's key is ours; that it covers every name; that it has a validity which, if ``now`` is given, has not ended.
    A validity that begins in the future is the CA's clock or ours running wrong by minutes, and no reason.
    """
    try:
        certificates = _load(chain_pem)
    except ValueError:
        return say(
            "What the CA sent is not a certificate chain. certdesk does not deploy it and orders a new one."
        )
    leaf = certificates[0]
    return (
        _wrong_key(leaf, key_pem)
        or _missing_names(leaf, tuple(names))
        or _wrong_order(certificates)
        or _wrong_validity(leaf, now)
    )


def leaf_der(chain_pem: str) -> bytes:
    """Return the leaf of a PEM, leaf first, as DER, the form in which ACME takes it. Raises ValueError if it is none."""
    return _load(chain_pem)[0].public_bytes(serialization.Encoding.DER)


def issuers(chain_pem: str) -> tuple[str, ...]:
    """Return who signed each certificate of a chain, as RFC 4514 text; empty if the text holds no certificate."""
    try:
        return tuple(certificate.issuer.rfc4514_string() for certificate in _load(chain_pem))
    except ValueError:
        return ()


def ari_id(leaf_pem: str) -> str:
    """Return the certificate's identifier for renewal information (RFC 9773 §4.1) from a PEM, leaf first.

    It is the authority key identifier and the DER bytes of the serial number, both base64url without padding.
    Raises ValueError if the text is no certificate or has no authority key identifier.
    """
    leaf = _load(leaf_pem)[0]
    try:
        authority = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        authority = None
    if authority is None:
        raise ValueError("the certificate has no authority key identifier")
    # DER integers are signed: one bit more than the number has keeps a leading zero byte where the top bit is set.
    serial = leaf.serial_number.to_bytes(leaf.serial_number.bit_length() // 8 + 1, "big")
    return f"{_base64url(authority)}.{_base64url(serial)}"


def _base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _load(pem: str) -> Sequence[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem.encode())


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        san = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(sorted(name.lower() for name in san.get_values_for_type(x509.DNSName)))


def _spki(key: x509.Certificate | str) -> bytes:
    public = load_key(key).public_key() if isinstance(key, str) else key.public_key()
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _wrong_key(leaf: x509.Certificate, key_pem: str) -> Text | None:
    if _spki(leaf) == _spki(key_pem):
        return None
    return say(
        "The CA's certificate (serial {serial}) is for another key than the one certdesk asked with. "
        "certdesk does not deploy it and orders a new one.",
        serial=serial_hex(leaf.serial_number),
    )


def _missing_names(leaf: x509.Certificate, names: tuple[str, ...]) -> Text | None:
    issued = _names(leaf)
    missing = tuple(name for name in names if not any(covers(pattern, name) for pattern in issued))
    if not missing:
        return None
    return say(
        "The CA's certificate (serial {serial}) does not cover {missing}. "
        "certdesk does not deploy it and orders a new one.",
        serial=serial_hex(leaf.serial_number),
        missing=missing,
    )


def _wrong_order(certificates: Sequence[x509.Certificate]) -> Text | None:
    if all(_issued_by(lower, upper) for lower, upper in pairwise(certificates)):
        return None
    return say(
        "The certificates in the CA's chain do not follow each other, so browsers could not check them. "
        "certdesk does not deploy the chain and orders a new one."
    )


def _issued_by(lower: x509.Certificate, upper: x509.Certificate) -> bool:
    try:
        lower.verify_directly_issued_by(upper)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _wrong_validity(leaf: x509.Certificate, now: datetime | None) -> Text | None:
    start, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if start < end and (now is None or now < end):
        return None
    return say(
        "The CA's certificate (serial {serial}) is valid from {start} to {end}, which is over. "
        "certdesk does not deploy it and orders a new one; if it happens again, check this machine's clock.",
        serial=serial_hex(leaf.serial_number),
        start=start,
        end=end,
    )
