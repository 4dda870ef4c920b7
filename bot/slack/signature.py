"""Whether an HTTP request was signed by Slack, lately: a pure rule that is asked before anything else is looked at."""

import hashlib
import hmac
from datetime import datetime, timedelta
from enum import StrEnum

from services.model.clock import aware

MAX_AGE = timedelta(minutes=5)
"""How far a request's own time may be from ours, either way: what Slack's documentation recommends against replay."""


class Refusal(StrEnum):
    """Why a request is not taken."""

    UNSIGNED = "unsigned"
    OLD = "old"
    FORGED = "forged"


def refusal(secret: str, timestamp: str, signature: str, body: bytes, now: datetime) -> Refusal | None:
    """Return why the request is not Slack's, or None if it is.

    ``timestamp`` and ``signature`` are the headers X-Slack-Request-Timestamp (Unix seconds) and X-Slack-Signature as
    they came, empty if missing. The rule is Slack's "Verifying requests from Slack": HMAC-SHA256 under the signing
    secret over ``v0:TIMESTAMP:BODY``, compared in constant time. An empty secret refuses everything.
    """
    if not (secret and signature and timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return Refusal.UNSIGNED
    if abs(aware(now).timestamp() - int(timestamp)) > MAX_AGE.total_seconds():
        return Refusal.OLD
    if not hmac.compare_digest(sign(secret, timestamp, body).encode(), signature.encode()):
        return Refusal.FORGED
    return None


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the value of X-Slack-Signature that Slack would send."""
    signed = f"v0:{timestamp}:".encode() + body
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
