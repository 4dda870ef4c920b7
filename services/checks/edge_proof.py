"""The proof that an edge leads to this certdesk: what probes expect, and what the listener answers."""

import hashlib
import hmac


def edge_proof(key: bytes, token: str) -> str:
    """Return what /.well-known/certdesk/TOKEN answers: lower-case hex of HMAC-SHA256(key, token)."""
    return hmac.new(key, token.encode(), hashlib.sha256).hexdigest()


def edge_key(vault_key: bytes) -> bytes:
    """Return the key of `edge_proof`: the same in every process with the same key-encryption key."""
    return hmac.new(vault_key, b"certdesk edge proof", hashlib.sha256).digest()
