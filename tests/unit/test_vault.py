"""The vault: what is sealed opens with the right key and binding only, and no error tells a secret."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.errors import VaultError
from storage.vault import OVERHEAD, Vault, new_key, parse_key

OLD, NEW, OTHER = (bytes([number]) * 32 for number in (1, 2, 3))
BINDING = "revision:rev_1:key"
SECRET = b"-----BEGIN PRIVATE KEY-----"


@given(
    secret=st.binary(max_size=3000), binding=st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
)
def test_what_is_sealed_opens_again(secret: bytes, binding: str) -> None:
    vault = Vault([NEW])
    sealed = vault.seal(secret, binding)
    assert len(sealed) == len(secret) + OVERHEAD
    assert vault.open(sealed, binding) == secret


def test_twice_gives_two_results_that_share_nothing_but_the_header() -> None:
    vault = Vault([NEW])
    first, second = vault.seal(SECRET, BINDING), vault.seal(SECRET, BINDING)
    assert first[:9] == second[:9]
    assert SECRET not in first
    parts = [(9, 49), (49, 61), (61, None)]  # wrapped key, nonce, payload with its tag
    assert all(first[a:b] != second[a:b] for a, b in parts)


def test_another_binding_does_not_open_it() -> None:
    vault = Vault([NEW])
    with pytest.raises(VaultError) as raised:
        vault.open(vault.seal(SECRET, BINDING), "revision:rev_2:key")
    assert "rev_2" in str(raised.value)


def test_any_changed_bit_is_noticed() -> None:
    vault = Vault([NEW])
    sealed = vault.seal(SECRET, BINDING)
    for position in range(len(sealed)):
        broken = bytearray(sealed)
        broken[position] ^= 1
        with pytest.raises(VaultError):
            vault.open(bytes(broken), BINDING)


@pytest.mark.parametrize("length", [0, 1, 9, 49, OVERHEAD - 1, OVERHEAD, OVERHEAD + 5])
def test_what_was_cut_off_does_not_open(length: int) -> None:
    vault = Vault([NEW])
    with pytest.raises(VaultError):
        vault.open(vault.seal(SECRET, BINDING)[:length], BINDING)


def test_the_first_key_seals_and_all_keys_open() -> None:
    before, during, after = Vault([OLD]), Vault([NEW, OLD]), Vault([NEW])
    old = before.seal(SECRET, BINDING)
    assert during.open(old, BINDING) == SECRET
    assert after.open(during.seal(SECRET, BINDING), BINDING) == SECRET
    with pytest.raises(VaultError, match="was not given"):
        after.open(old, BINDING)


def test_rewrapping_changes_the_key_and_leaves_the_payload() -> None:
    during = Vault([NEW, OLD])
    old = Vault([OLD]).seal(SECRET, BINDING)
    new = during.rewrap(old)
    assert (during.current(old), during.current(new)) == (False, True)
    assert new[49:] == old[49:]
    assert during.rewrap(new) == new
    assert Vault([NEW]).open(new, BINDING) == SECRET
    with pytest.raises(VaultError):
        Vault([OTHER]).rewrap(old)


def test_new_keys_parse_and_differ() -> None:
    first, second = parse_key(new_key()), parse_key(f"  {new_key()}\n")
    assert (len(first), len(second)) == (32, 32)
    assert first != second


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "0 bytes"),
        ("c2hvcnQ=", "5 bytes"),
        (base64.b64encode(bytes(33)).decode(), "33 bytes"),
        ("not base64!", "not base64"),
        ("CERTDESK_VAULT__KEY=" + base64.b64encode(bytes(32)).decode(), "not base64"),
        ("열쇠", "not base64"),
    ],
)
def test_a_bad_key_is_refused_with_the_way_to_a_good_one(text: str, says: str) -> None:
    with pytest.raises(VaultError, match=says) as raised:
        parse_key(text)
    assert "certdesk keys new" in str(raised.value)
    assert not text or text not in str(raised.value)


@pytest.mark.parametrize("keys", [[], [b"short"], [NEW, bytes(31)]])
def test_a_vault_without_a_good_key_is_refused(keys: list[bytes]) -> None:
    with pytest.raises(VaultError):
        Vault(keys)


def test_nothing_shown_of_a_vault_or_its_errors_holds_a_secret() -> None:
    vault = Vault([NEW])
    sealed = Vault([OLD]).seal(SECRET, BINDING)
    with pytest.raises(VaultError) as unknown:
        vault.open(sealed, BINDING)
    with pytest.raises(VaultError) as changed:
        vault.open(vault.seal(SECRET, BINDING)[:-1] + b"x", BINDING)
    shown = f"{vault!r} {vault} {unknown.value!r} {unknown.value} {changed.value!r} {changed.value}"
    for secret in (OLD, NEW, SECRET):
        for form in (secret.hex(), base64.b64encode(secret).decode(), repr(secret)[2:-1]):
            assert form not in shown
