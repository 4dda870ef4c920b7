"""Answers to http-01 challenges."""

from datetime import datetime

from sqlalchemy import bindparam, delete, select

from storage.repositories.base import Repository
from storage.repositories.upserts import insert, insert_or_update
from storage.schema import CHALLENGES

_C = CHALLENGES.c
_PUT = insert_or_update(CHALLENGES, "token")
_GET = select(_C.key_authorization).where(_C.token == bindparam("token"))
_DROP = delete(CHALLENGES).where(_C.certificate == bindparam("certificate"))


class SqlChallenges(Repository):
    """`services.ports.Challenges`."""

    __slots__ = ()

    def put(self, token: str, key_authorization: str, certificate: str, now: datetime) -> None:
        """Insert or replace."""
        values = {
            "token": token,
            "key_authorization": key_authorization,
            "certificate": certificate,
            "created_at": now,
        }
        insert(self._connection, _PUT, values)

    def get(self, token: str) -> str | None:
        """Return the key authorization for the token, or None."""
        return self._connection.execute(_GET, {"token": token}).scalar()

    def drop(self, certificate: str) -> None:
        """Forget the answers of this certificate."""
        self._connection.execute(_DROP, {"certificate": certificate})
