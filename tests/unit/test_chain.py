"""What a chain is, and when it must not be deployed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.issuance.chain import ari_id, fits, read_chain, serial_hex
from services.issuance.csr import load_key, new_key

NOW = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)
ROOT_KEY, SUB_KEY, KEY, OTHER = (new_key("ec-p256") for _ in range(4))


def name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)] if common else [])


def certificate(
    subject: str,
    issuer: str,
    key: str,
    signed_by: str,
    *,
    names: Sequence[str] = (),
    serial: int = 0x87654321,
    end: timedelta = timedelta(days=90),
    akid: bytes | None = None,
) -> str:
    signer = load_key(signed_by)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(load_key(key).public_key())
        .serial_number(serial)
        .not_valid_before(NOW - timedelta(hours=1))
        .not_valid_after(NOW + end)
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False
        )
    if akid is not None:
        builder = builder.add_extension(x509.AuthorityKeyIdentifier(akid, None, None), critical=False)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


SUB = certificate("sub", "root", SUB_KEY, ROOT_KEY)
LEAF = certificate("", "sub", KEY, SUB_KEY, names=["www.b.test", "b.test"])
WILD = certificate("", "sub", KEY, SUB_KEY, names=["*.b.test", "b.test"])


def test_a_leaf_says_its_serial_names_and_validity() -> None:
    leaf = read_chain(LEAF + SUB)
    assert (leaf.serial, leaf.names, leaf.length) == ("87654321", ("b.test", "www.b.test"), 2)
    assert (leaf.not_before, leaf.not_after) == (NOW - timedelta(hours=1), NOW + timedelta(days=90))
    assert leaf.issuer == "CN=sub"


@pytest.mark.parametrize(
    ("serial", "text"), [(0x1, "01"), (0xAB, "ab"), (0x100, "0100"), (0xFEDCBA, "fedcba")]
)
def test_a_serial_is_whole_bytes_of_lower_case_hex(serial: int, text: str) -> None:
    assert serial_hex(serial) == text


def test_what_is_no_chain_cannot_be_read() -> None:
    with pytest.raises(ValueError, match=r"."):
        read_chain("<html>503</html>")


@pytest.mark.parametrize(
    ("chain", "names"),
    [
        (LEAF + SUB, ["b.test", "www.b.test"]),
        (LEAF, ["b.test"]),
        (WILD + SUB, ["*.b.test", "b.test"]),
        (WILD + SUB, ["shop.b.test"]),
    ],
)
def test_a_chain_that_fits(chain: str, names: list[str]) -> None:
    assert fits(chain, KEY, names, NOW) is None


@pytest.mark.parametrize(
    ("chain", "key", "names", "reason"),
    [
        ("<html>503</html>", KEY, ["b.test"], "not a certificate chain"),
        ("", KEY, ["b.test"], "not a certificate chain"),
        (LEAF + SUB, OTHER, ["b.test"], "for another key"),
        (SUB + LEAF, KEY, ["b.test"], "for another key"),
        (LEAF + SUB, KEY, ["b.test", "shop.b.test", "c.test"], "does not cover shop.b.test, c.test"),
        (WILD + SUB, KEY, ["a.shop.b.test"], "does not cover a.shop.b.test"),
        (LEAF + certificate("sub", "root", OTHER, ROOT_KEY), KEY, ["b.test"], "do not follow each other"),
        (LEAF + certificate("other", "root", SUB_KEY, ROOT_KEY), KEY, ["b.test"], "do not follow each other"),
        (LEAF + SUB + SUB, KEY, ["b.test"], "do not follow each other"),
    ],
)
def test_a_chain_that_does_not_fit_says_why(chain: str, key: str, names: list[str], reason: str) -> None:
    found = fits(chain, key, names, NOW)
    assert found is not None
    assert reason in found.plain()


def test_an_expired_chain_does_not_fit_but_only_the_clock_knows() -> None:
    late = NOW + timedelta(days=90)
    assert fits(LEAF + SUB, KEY, ["b.test"]) is None
    assert fits(LEAF + SUB, KEY, ["b.test"], late - timedelta(seconds=1)) is None
    found = fits(LEAF + SUB, KEY, ["b.test"], late)
    assert found is not None
    assert "valid from 2027-02-10 13:03 UTC to 2027-05-11 14:03 UTC" in found.plain()


def test_the_ari_identifier_of_the_rfcs_example() -> None:
    """RFC 9773 §4.1: authority key 69:88:5B:…:D9:94, serial 00:87:65:43:21 with its leading zero byte."""
    akid = bytes.fromhex("69885b6b87468040e1b37b847ba0ae2cde01c8d4")
    leaf = certificate("", "sub", KEY, SUB_KEY, names=["example.com"], akid=akid)
    assert ari_id(leaf + SUB) == "aYhba4dGgEDhs3uEe6CuLN4ByNQ.AIdlQyE"


@pytest.mark.parametrize(("serial", "text"), [(0x01, "AQ"), (0x7F, "fw"), (0x80, "AIA"), (0x100, "AQA")])
def test_the_serial_in_the_ari_identifier_is_its_der_bytes(serial: int, text: str) -> None:
    leaf = certificate("", "sub", KEY, SUB_KEY, serial=serial, akid=b"\0")
    assert ari_id(leaf) == f"AA.{text}"


def test_without_an_authority_key_identifier_there_is_no_ari_identifier() -> None:
    with pytest.raises(ValueError, match="authority key identifier"):
        ari_id(LEAF)
