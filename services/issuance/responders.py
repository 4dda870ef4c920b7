"""The http-01 responder: answers lie in the database, where every process that serves HTTP finds them."""

import re

from services.model.clock import Clock
from services.ports import Storage

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""base64url without padding (RFC 8555 §8.3). Real tokens have 43 characters; the bound keeps junk from the database."""


class Http01:
    """Implements services.ports.ChallengeResponder for http-01 (RFC 8555 §8.3)."""

    type = "http-01"

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    def present(self, name: str, token: str, key_authorization: str, certificate: str) -> None:  # noqa: ARG002
        """Write the answer down for every process that serves /.well-known/acme-challenge/."""
        with self._storage.write() as transaction:
            transaction.challenges.put(token, key_authorization, certificate, self._clock())

    def visible(self, name: str, token: str, key_authorization: str) -> bool:  # noqa: ARG002
        """Tell whether the answer is written down: from then on every process serves it."""
        return answer_for(self._storage, token) == key_authorization

    def clean_up(self, name: str, token: str, key_authorization: str, certificate: str) -> None:  # noqa: ARG002
        """Forget the answers of this certificate; those of others for the same name stay."""
        with self._storage.write() as transaction:
            transaction.challenges.drop(certificate)


def answer_for(storage: Storage, token: str) -> str | None:
    """Return what /.well-known/acme-challenge/TOKEN answers, or None (404) for a token that is not ours or cannot be one."""
    if not _TOKEN.fullmatch(token):
        return None
    with storage.read() as transaction:
        return transaction.challenges.get(token)
