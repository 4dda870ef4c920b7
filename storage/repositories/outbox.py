"""Messages that are owed to Slack: a queue of what is dirty."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, case, delete, func, insert, select, update

from services.model.errors import LeaseLostError
from services.ports import Message
from storage import records
from storage.columns import LAST, Key
from storage.records.coding import encode
from storage.repositories import upserts
from storage.repositories.base import Repository
from storage.repositories.queue import NOW, Queue, among, held, must_hold
from storage.schema import FOLLOWERS, OUTBOX

_O, _F = OUTBOX.c, FOLLOWERS.c
_DIRTY = _O.version > _O.sent
_COUNT = bindparam("the_version", type_=_O.version.type)


def _due(since: Any) -> Any:
    """Return the new run_after of a message that changes at ``since``: one that is due already keeps its place."""
    return case((and_(_DIRTY, _O.run_after < since), _O.run_after), else_=since)


def _merged(new: upserts.Excluded) -> dict[str, Any]:
    return {
        "kind": new.kind,
        "body": new.body,
        "follows": new.follows,
        "version": _O.version + 1,
        "run_after": _due(new.run_after),
    }


_PUT = {
    name: statement.returning(_O.id)
    for name, statement in upserts.insert_or_update(OUTBOX, "key", _merged).items()
}
_FOLLOW = insert(FOLLOWERS)
_UNFOLLOW = delete(FOLLOWERS).where(_F.message == bindparam("message"))
_FOLLOWED = select(_F.message).where(_F.certificate == bindparam("the_certificate")).limit(1)
_FOLLOWED_UNDER = (
    select(_F.certificate)
    .distinct()
    .where(
        _F.certificate >= bindparam("the_prefix", type_=Key), _F.certificate < bindparam("the_end", type_=Key)
    )
    .order_by(_F.certificate)
)
_FOLLOWS = update(OUTBOX).where(held(OUTBOX))
_BY_KEY = select(OUTBOX).where(_O.key == bindparam("key"))
# locked in one order, so that two changes which share their followers do not wait for each other in a circle
_FOLLOWING = (
    select(_O.id)
    .join(FOLLOWERS, _F.message == _O.id)
    .where(_F.certificate == bindparam("the_certificate"))
    .order_by(_O.id)
    .with_for_update(of=OUTBOX, key_share=True)
    .cte("following")
)
_TOUCH = {
    name: update(OUTBOX).where(inside).values(version=_O.version + 1, run_after=_due(NOW))
    for name, inside in among(_O.id, select(_FOLLOWING.c.id)).items()
}
_OWED = and_(_O.via == bindparam("the_via"), _DIRTY)
_QUEUE = Queue.over(OUTBOX, and_(_OWED, _O.run_after <= NOW), "run_after")
_DELIVERED = (
    update(OUTBOX)
    .where(held(OUTBOX))
    .values(
        sent=_COUNT,
        run_after=case((_O.version > _COUNT, _O.run_after), else_=None),
        failures=0,
        error="",
        lease_until=None,
    )
    .returning(_O.version)
)
_FORGET = update(OUTBOX).where(_O.id == bindparam("the_id")).values(follows="[]")
_POSTPONED = update(OUTBOX).where(held(OUTBOX)).values(failures=_O.failures + 1, lease_until=None)
_FALLEN = update(OUTBOX).where(held(OUTBOX)).values(team="", ts=None, failures=0, error="", lease_until=None)
_CLOSED = update(OUTBOX).where(held(OUTBOX)).values(sent=_O.version, run_after=None, lease_until=None)
_REVIVED = update(OUTBOX).where(_OWED, _O.failures > 0).values(run_after=_O.created_at)
_WAITING = select(func.count()).select_from(OUTBOX).where(_DIRTY)
_OLDEST = select(func.min(_O.run_after)).where(_OWED)
_STRUGGLING = select(func.count()).select_from(OUTBOX).where(_OWED, _O.failures > 0)


class SqlOutbox(Repository):
    """`services.ports.Outbox`."""

    __slots__ = ()

    def put(self, message: Message) -> None:
        """Insert, or merge into the message with the same key."""
        values = records.message_values(message)
        put = _PUT[self._connection.dialect.name]
        stored = self._connection.execute(put, values).scalar_one()
        self._follow(stored, message.follows)

    def _follow(self, message: str, follows: Sequence[str]) -> None:
        self._connection.execute(_UNFOLLOW, {"message": message})
        if follows:
            rows = [{"certificate": one, "message": message} for one in dict.fromkeys(follows)]
            self._connection.execute(_FOLLOW, rows)

    def follow(self, message: Message, follows: Sequence[str]) -> None:
        """Have a claimed message follow these from now on. Raises LeaseLostError if another worker has claimed it since."""
        must_hold(self._connection, _FOLLOWS, message, {"follows": encode(tuple(follows))})
        self._follow(message.id, follows)

    def followed(self, thing: str) -> bool:
        """Tell whether any message follows this."""
        return self._connection.execute(_FOLLOWED, {"the_certificate": thing}).first() is not None

    def followed_under(self, prefix: str) -> Sequence[str]:
        """Return what is followed that begins with ``prefix``, each once, sorted."""
        edges = {"the_prefix": prefix, "the_end": prefix + LAST}
        return list(self._connection.execute(_FOLLOWED_UNDER, edges).scalars())

    def by_key(self, key: str) -> Message | None:
        """Return the message with this key, or None."""
        row = self._connection.execute(_BY_KEY, {"key": key}).first()
        return records.message(row) if row else None

    def touch(self, certificate: str, now: datetime) -> None:
        """Make every message that follows the certificate dirty and due now."""
        touch = _TOUCH[self._connection.dialect.name]
        self._connection.execute(touch, {"the_certificate": certificate, "the_time": now})

    def claim(self, now: datetime, lease: timedelta, limit: int, via: str = "slack") -> Sequence[Message]:
        """Claim dirty messages of ``via`` that are due, oldest change first."""
        rows = _QUEUE.claim(self._connection, now, lease, limit, the_via=via)
        return [records.message(row) for row in rows]

    def delivered(self, message: Message, ts: str, *, final: bool) -> None:
        """Record that ``message.version`` was sent as ``ts``; a final one that nothing has changed since follows no more."""
        values = {
            "the_id": message.id,
            "the_fence": message.fence,
            "the_version": message.version,
            "ts": ts,
        }
        version = self._connection.execute(_DELIVERED, values).scalar()
        if version is None:
            raise LeaseLostError(message.id)
        if final and version == message.version:
            self._connection.execute(_UNFOLLOW, {"message": message.id})
            self._connection.execute(_FORGET, {"the_id": message.id})

    def postponed(self, message: Message, run_after: datetime, error: str) -> None:
        """Record a failed delivery. Raises LeaseLostError if another worker has claimed it since."""
        values = {"run_after": run_after, "error": records.storable(error)}
        must_hold(self._connection, _POSTPONED, message, values)

    def fall_back(self, message: Message, channel: str, origin: str) -> None:
        """Give a claimed message to ``channel`` of the support workspace; with no channel it is closed."""
        if not channel:
            must_hold(self._connection, _CLOSED, message, {"origin": origin})
            return
        values = {"channel": channel, "origin": origin, "run_after": message.run_after or message.created_at}
        must_hold(self._connection, _FALLEN, message, values)

    def revive(self, via: str = "slack") -> None:
        """Make every dirty message of ``via`` that has failed due as of its creation."""
        self._connection.execute(_REVIVED, {"the_via": via})

    def waiting(self) -> int:
        """Return how many messages are dirty."""
        return self._connection.execute(_WAITING).scalar_one()

    def oldest(self, via: str = "slack") -> datetime | None:
        """Return since when the longest waiting dirty message of ``via`` has been due; None if none is."""
        return self._connection.execute(_OLDEST, {"the_via": via}).scalar()

    def struggling(self, via: str = "slack") -> int:
        """Return how many dirty messages of ``via`` have failed at least once."""
        return self._connection.execute(_STRUGGLING, {"the_via": via}).scalar_one()
