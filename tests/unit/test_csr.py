"""Keys and certification requests."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtensionOID
from hypothesis import given, settings
from hypothesis import strategies as st

from services.issuance.csr import KEY_TYPES, csr_der, csr_names, load_key, make_csr, new_key

KEY = new_key("ec-p256")


@pytest.mark.parametrize(
    ("key_type", "size"),
    [("ec-p256", 256), ("ec-p384", 384), ("rsa-2048", 2048), ("rsa-3072", 3072), ("rsa-4096", 4096)],
)
def test_every_key_type_gives_a_pkcs8_key_of_its_size_that_signs_a_request(key_type: str, size: int) -> None:
    pem = new_key(key_type)
    assert pem.startswith("-----BEGIN PRIVATE KEY-----")
    key = load_key(pem)
    kind = ec.EllipticCurvePrivateKey if key_type.startswith("ec") else rsa.RSAPrivateKey
    assert isinstance(key, kind)
    assert key.key_size == size
    assert x509.load_pem_x509_csr(make_csr(["a.test"], pem).encode()).is_signature_valid


def test_the_table_of_key_types_is_the_one_that_settings_document() -> None:
    assert list(KEY_TYPES) == ["ec-p256", "ec-p384", "rsa-2048", "rsa-3072", "rsa-4096"]


def test_an_unknown_key_type_is_named() -> None:
    with pytest.raises(ValueError, match="dsa-1024"):
        new_key("dsa-1024")


def test_two_keys_are_two() -> None:
    assert new_key("ec-p256") != new_key("ec-p256")


def test_p384_goes_with_sha384() -> None:
    request = x509.load_pem_x509_csr(make_csr(["a.test"], new_key("ec-p384")).encode())
    assert request.signature_hash_algorithm is not None
    assert request.signature_hash_algorithm.name == "sha384"


def test_names_stand_in_the_san_alone_sorted_and_once() -> None:
    pem = make_csr(["www.b.test", "*.b.test", "b.test", "www.b.test"], KEY)
    request = x509.load_pem_x509_csr(pem.encode())
    assert list(request.subject) == []
    assert [extension.oid for extension in request.extensions] == [ExtensionOID.SUBJECT_ALTERNATIVE_NAME]
    san = request.extensions[0].value
    assert isinstance(san, x509.SubjectAlternativeName)
    assert san.get_values_for_type(x509.DNSName) == ["*.b.test", "b.test", "www.b.test"]


def test_a_request_without_names_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one name"):
        make_csr([], KEY)


def test_what_is_no_key_is_refused() -> None:
    with pytest.raises(ValueError, match=r"."):
        make_csr(["a.test"], "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")


def test_der_is_the_same_request() -> None:
    pem = make_csr(["a.test"], KEY)
    assert x509.load_der_x509_csr(csr_der(pem)) == x509.load_pem_x509_csr(pem.encode())


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
NAME = st.builds(lambda star, a, b: f"{star}{a}.{b}.test", st.sampled_from(["", "*."]), LABEL, LABEL)


@settings(max_examples=50)
@given(st.sets(NAME, min_size=1, max_size=20))
def test_the_names_of_a_request_are_those_it_was_made_for(names: set[str]) -> None:
    assert csr_names(make_csr(names, KEY)) == tuple(sorted(names))
