"""Signed requests: flattened JWS with the fields that ACME asks for (RFC 8555 §6.2), and key authorizations."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from josepy.jwa import ES256, ES384, ES512, RS256, JWASignature
from josepy.jwk import JWK, JWKEC, JWKRSA

EC_ALGORITHMS: Mapping[str, JWASignature] = {
    "secp256r1": ES256,
    "secp384r1": ES384,
    "secp521r1": ES512,
}
"""The signature algorithm for each curve (RFC 7518 §3.4)."""


def base64url(octets: bytes) -> str:
    """Return base64url without padding (RFC 8555 §6.1)."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


class Signer:
    """An account key with the account's URL. Immutable; may be used from any thread.

    With an empty ``account`` the key itself is sent along, as newAccount needs it.
    """

    def __init__(self, key_pem: bytes, account: str = "") -> None:
        self.jwk, self._algorithm = _loaded(key_pem)
        self.account = account
        self._pem = key_pem
        self._identity = {"kid": account} if account else {"jwk": self.jwk.public_key().to_json()}
        self._thumbprint = base64url(self.jwk.thumbprint())

    def moved(self, account: str) -> "Signer":
        """Return the same key with another account URL."""
        return Signer(self._pem, account)

    def jws(self, url: str, nonce: str, payload: Mapping[str, Any] | None) -> bytes:
        """Return the signed body of a POST to ``url``; a payload of None makes it a POST-as-GET (§6.3)."""
        header = {"alg": self._algorithm.name, "nonce": nonce, "url": url, **self._identity}
        protected = base64url(json.dumps(header, separators=(",", ":")).encode())
        text = "" if payload is None else json.dumps(payload, separators=(",", ":"))
        body = base64url(text.encode())
        signature = self._algorithm.sign(self.jwk.key, f"{protected}.{body}".encode("ascii"))
        # all three are base64url: nothing in them needs escaping
        return (
            f'{{"protected":"{protected}","payload":"{body}","signature":"{base64url(signature)}"}}'.encode()
        )

    def key_authorization(self, token: str) -> str:
        """Return the token joined with the key's thumbprint (RFC 8555 §8.1, RFC 7638)."""
        return f"{token}.{self._thumbprint}"


def _loaded(key_pem: bytes) -> tuple[JWK, JWASignature]:
    """Return the key and its algorithm. Raises ValueError for a key that ACME servers would not take."""
    key = serialization.load_pem_private_key(key_pem, password=None)
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in EC_ALGORITHMS:
        return JWKEC(key=key), EC_ALGORITHMS[key.curve.name]
    if isinstance(key, rsa.RSAPrivateKey):
        return JWKRSA(key=key), RS256
    raise ValueError("the account key is neither an elliptic-curve nor an RSA key")
