"""The vault: AES-256-GCM envelopes for private keys, opened by a key-encryption key that lies outside the database.

Each secret has a data key of its own, which is wrapped with the key-encryption key (RFC 3394). A sealed secret is

    1 byte    version of this format, 1
    8 bytes   id of the key-encryption key: the first 8 bytes of its SHA-256
    40 bytes  the data key, wrapped
    12 bytes  nonce
    n bytes   ciphertext, as long as the secret
    16 bytes  tag

and the version and the binding are its associated data, so that bytes moved to another row do not open there. The
key's id is not: another key-encryption key takes over by wrapping the data key anew, with the payload untouched.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from services.model.errors import VaultError
from services.model.text import say

KEY_LENGTH = 32
_VERSION = b"\x01"
_ID, _WRAPPED, _NONCE, _TAG = 8, 40, 12, 16
_KEY_AT = len(_VERSION) + _ID
_BODY_AT = _KEY_AT + _WRAPPED
OVERHEAD = _BODY_AT + _NONCE + _TAG
"""How many bytes a sealed secret is longer than the secret."""


def new_key() -> str:
    """Return a fresh key-encryption key as `parse_key` reads it: base64 of 32 random bytes."""
    return base64.b64encode(os.urandom(KEY_LENGTH)).decode("ascii")


def parse_key(text: str) -> bytes:
    """Return the 32 bytes of a key-encryption key in base64; white space around it does not matter.

    Raises VaultError, with a sentence that tells nothing of the key, for anything else.
    """
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):  # ValueError: not ASCII
        raise VaultError(
            say("The key-encryption key is not base64. Make one with “certdesk keys new”.")
        ) from None
    if len(key) != KEY_LENGTH:
        raise VaultError(
            say(
                "The key-encryption key has {length} bytes; 32 are needed. Make one with “certdesk keys new”.",
                length=len(key),
            )
        )
    return key


class Vault:
    """`services.ports.Vault`. The first of ``keys`` seals, all of them open; any thread may use it."""

    __slots__ = ("_current", "_keys")

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Take key-encryption keys of 32 bytes each. Raises VaultError for none, or for one of another length."""
        if not keys or any(len(key) != KEY_LENGTH for key in keys):
            raise VaultError(
                say("The vault needs a key-encryption key of 32 bytes. Make one with “certdesk keys new”.")
            )
        self._keys = {_key_id(key): bytes(key) for key in keys}
        self._current = _key_id(keys[0])

    def seal(self, secret: bytes, binding: str) -> bytes:
        """Return the secret encrypted and bound to ``binding``; twice gives two different results."""
        fresh = os.urandom(KEY_LENGTH + _NONCE)
        data_key, nonce = fresh[:KEY_LENGTH], fresh[KEY_LENGTH:]
        wrapped = aes_key_wrap(self._keys[self._current], data_key)
        return b"".join(
            (
                _VERSION,
                self._current,
                wrapped,
                nonce,
                AESGCM(data_key).encrypt(nonce, secret, _bound(binding)),
            )
        )

    def open(self, sealed: bytes, binding: str) -> bytes:
        """Return the secret. Raises VaultError if key, bytes or binding are not those it was sealed with."""
        data_key = self._data_key(sealed)
        nonce, payload = sealed[_BODY_AT : _BODY_AT + _NONCE], sealed[_BODY_AT + _NONCE :]
        try:
            return AESGCM(data_key).decrypt(nonce, payload, _bound(binding))
        except InvalidTag:
            raise VaultError(
                say(
                    "The secret of {row} cannot be opened: its bytes were changed, or they belong to another row. "
                    "Restore the row from a backup.",
                    row=binding,
                )
            ) from None

    def current(self, sealed: bytes) -> bool:
        """Tell whether the secret is sealed under the first key, so that the others are not needed for it."""
        return sealed[:_KEY_AT] == _VERSION + self._current

    def rewrap(self, sealed: bytes) -> bytes:
        """Return the secret under the first key: its data key wrapped anew, its payload unopened and unchanged.

        What is under the first key already comes back as it is. Raises VaultError if no key fits.
        """
        if self.current(sealed):
            return sealed
        wrapped = aes_key_wrap(self._keys[self._current], self._data_key(sealed))
        return b"".join((_VERSION, self._current, wrapped, sealed[_BODY_AT:]))

    def _data_key(self, sealed: bytes) -> bytes:
        if len(sealed) < OVERHEAD or sealed[:1] != _VERSION:
            raise VaultError(
                say(
                    "These bytes are not a sealed secret of this certdesk: the row is damaged, or newer than it."
                )
            )
        key_id = sealed[1:_KEY_AT]
        if key_id not in self._keys:
            raise VaultError(
                say(
                    "The secret is sealed under the key-encryption key {key}, which certdesk was not given "
                    "(it has {given}). Add that key to vault.old_keys, or set vault.key to it.",
                    key=key_id.hex(),
                    given=tuple(known.hex() for known in self._keys),
                )
            )
        try:
            return aes_key_unwrap(self._keys[key_id], sealed[_KEY_AT:_BODY_AT])
        except InvalidUnwrap:
            raise VaultError(
                say(
                    "The sealed secret is damaged: its data key does not unwrap. Restore the row from a backup."
                )
            ) from None


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:_ID]


def _bound(binding: str) -> bytes:
    return b"certdesk vault" + _VERSION + binding.encode()
