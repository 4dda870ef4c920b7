"""Private keys and certification requests (PKCS #10, RFC 2986) for ACME orders."""

import hashlib
from collections.abc import Callable, Iterable, Mapping

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def _rsa(bits: int) -> Callable[[], PrivateKey]:
    return lambda: rsa.generate_private_key(public_exponent=65537, key_size=bits)


KEY_TYPES: Mapping[str, Callable[[], PrivateKey]] = {
    "ec-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ec-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "rsa-2048": _rsa(2048),
    "rsa-3072": _rsa(3072),
    "rsa-4096": _rsa(4096),
}
"""What may stand under issuing.key_type, and how such a key is made."""


def new_key(key_type: str) -> str:
    """Return a new private key as unencrypted PKCS #8 PEM. Raises ValueError for a type that is not in KEY_TYPES."""
    if key_type not in KEY_TYPES:
        raise ValueError(f"key type {key_type!r} is none of {', '.join(KEY_TYPES)}")
    return (
        KEY_TYPES[key_type]()
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        .decode("ascii")
    )


def load_key(pem: str) -> PrivateKey:
    """Return the private key of a PEM. Raises ValueError if it is none, or of a kind that certdesk does not make."""
    key = serialization.load_pem_private_key(pem.encode("ascii"), password=None)
    if not isinstance(key, PrivateKey):
        raise ValueError("the private key is neither an elliptic-curve nor an RSA key")  # noqa: TRY004
    return key


def make_csr(names: Iterable[str], key_pem: str) -> str:
    """Return the certification request for ``names``, signed by the key, as PEM.

    The names (A-labels; wildcards as ``*.…``) stand in the subject alternative name extension alone, sorted and each
    once; the subject is empty, which CAs fill or leave as the profile has it (RFC 8555 §7.4, RFC 5280 §4.2.1.6). No
    must-staple: CAs have given up OCSP. Raises ValueError without a name.
    """
    wanted = sorted(set(names))
    if not wanted:
        raise ValueError("a certification request needs at least one name")
    key = load_key(key_pem)
    san = x509.SubjectAlternativeName([x509.DNSName(name) for name in wanted])
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .add_extension(san, critical=False)
        .sign(key, _hash_for(key))
    )
    return request.public_bytes(serialization.Encoding.PEM).decode("ascii")


def csr_names(csr_pem: str) -> tuple[str, ...]:
    """Return the DNS names that a request (PEM) asks for, sorted. Raises ValueError if it is not a request."""
    request = x509.load_pem_x509_csr(csr_pem.encode("ascii"))
    try:
        san = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(sorted(san.get_values_for_type(x509.DNSName)))


def csr_der(csr_pem: str) -> bytes:
    """Return the request as DER, the form in which ACME takes it. Raises ValueError if it is not a request."""
    return x509.load_pem_x509_csr(csr_pem.encode("ascii")).public_bytes(serialization.Encoding.DER)


def spki_hash(csr_pem: str) -> str:
    """Return the SHA-256 of a request's public key (SubjectPublicKeyInfo, DER; RFC 5280 §4.1.2.7), lower-case hex.

    It tells keys apart without the private one. Raises ValueError if the text is not a request.
    """
    public = x509.load_pem_x509_csr(csr_pem.encode("ascii")).public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _hash_for(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384:
    """Return the hash of the key's strength: P-384 goes with SHA-384 (CA/B Forum baseline requirements §7.1.3.2)."""
    strong = isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size > 256
    return hashes.SHA384() if strong else hashes.SHA256()
