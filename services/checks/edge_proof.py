"""The proof that an edge leads to this certdesk: what probes expect, and what the listener answers."""

import hashlib
import hmac


def edge_proof(key: bytes, token: str) -> str:
    """Return what /.well-known/certdesk/TOKEN answers: lower-case hex of HMAC-SHA256(key, token)."""
    return hmac.new(key, token.encode(), hashlib.sha256).hexdigest()
