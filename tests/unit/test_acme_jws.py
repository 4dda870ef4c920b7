"""Signed requests, checked with the acme library's own reader, and key authorizations."""

import json

import pytest
from acme.jws import JWS
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from services.issuance.acme.jws import Signer, base64url
from services.issuance.csr import new_key

URL = "https://ca.test/order/1"
EC = new_key("ec-p256").encode()


def header(body: bytes) -> dict[str, object]:
    found: dict[str, object] = json.loads(JWS.from_json(json.loads(body)).signature.protected)
    return found


@pytest.mark.parametrize(
    ("key_type", "algorithm"), [("ec-p256", "ES256"), ("ec-p384", "ES384"), ("rsa-2048", "RS256")]
)
def test_the_algorithm_follows_the_key_and_the_signature_holds(key_type: str, algorithm: str) -> None:
    signer = Signer(new_key(key_type).encode(), "https://ca.test/account/1")
    body = signer.jws(URL, "bm9uY2U", {"a": "ü"})
    read = JWS.from_json(json.loads(body))
    assert read.verify(signer.jwk.public_key())
    assert json.loads(read.payload) == {"a": "ü"}
    assert header(body) == {
        "alg": algorithm,
        "nonce": "bm9uY2U",
        "url": URL,
        "kid": "https://ca.test/account/1",
    }


def test_a_post_as_get_has_an_empty_payload_and_an_empty_object_is_none() -> None:
    signer = Signer(EC, "https://ca.test/account/1")
    assert JWS.from_json(json.loads(signer.jws(URL, "bm8", None))).payload == b""
    assert JWS.from_json(json.loads(signer.jws(URL, "bm8", {}))).payload == b"{}"


def test_without_an_account_the_public_key_goes_along_and_the_private_one_does_not() -> None:
    sent = header(Signer(EC).jws(URL, "bm8", {}))
    assert "kid" not in sent
    assert isinstance(sent["jwk"], dict)
    assert set(sent["jwk"]) == {"kty", "crv", "x", "y"}


def test_a_signer_keeps_its_key_when_the_account_gets_a_url() -> None:
    bare = Signer(EC)
    moved = bare.moved("https://ca.test/account/2")
    assert moved.account == "https://ca.test/account/2"
    assert moved.key_authorization("t") == bare.key_authorization("t")


def test_the_key_authorization_is_token_and_thumbprint() -> None:
    """RFC 7638 §3.1 as josepy computes it."""
    signer = Signer(EC)
    assert signer.key_authorization("t0ken") == f"t0ken.{base64url(signer.jwk.thumbprint())}"


def test_a_key_that_acme_does_not_take_is_refused() -> None:
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ValueError, match="neither"):
        Signer(pem)


SIGNER = Signer(EC, "https://ca.test/account/1")


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4))
def test_whatever_is_sent_can_be_read_and_verified(payload: dict[str, str]) -> None:
    read = JWS.from_json(json.loads(SIGNER.jws(URL, "bm8", payload)))
    assert json.loads(read.payload) == payload
    assert read.verify(SIGNER.jwk.public_key())
