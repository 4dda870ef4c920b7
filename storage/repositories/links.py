"""Links of persons and channels to stores, and the requests for them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, delete, or_, select, update

from services.model.audiences import LASTS, Kind, Link, LinkRequest
from storage import records
from storage.audiences import LINK_REQUESTS, LINKS
from storage.repositories.base import Repository
from storage.repositories.queue import NOW, among
from storage.repositories.upserts import insert, insert_or_keep

_L, _R = LINKS.c, LINK_REQUESTS.c
_KIND = bindparam("the_kind", type_=_L.kind.type)
_WHO = bindparam("the_who", type_=_L.who.type)
_STORE = bindparam("the_store", type_=_L.store.type)
_PUT = insert_or_keep(LINKS)
_STANDING = select(_L.store).where(_L.kind == Kind.CHANNEL.value, _L.who == _WHO).with_for_update()
_REPLACE = update(LINKS).where(_L.kind == Kind.CHANNEL.value, _L.who == _WHO)
_DROP = delete(LINKS).where(_L.kind == _KIND, _L.who == _WHO, _L.store == _STORE)
_OF = select(LINKS).where(_L.kind == _KIND, _L.who == _WHO).order_by(_L.store)
_TO = select(LINKS).where(_L.store == _STORE).order_by(_L.kind, _L.who)

_ID = bindparam("the_id", type_=_R.id.type)
_RAN_OUT = bindparam("ran_out", type_=_R.at.type)
_WHOSE = and_(_R.person == bindparam("the_person", type_=_R.person.type), _R.store == _STORE)
_UNDECIDED = and_(_WHOSE, _R.decided_at.is_(None))
_CLOSE = update(LINK_REQUESTS).where(_UNDECIDED, _R.at <= _RAN_OUT).values(decided_at=NOW)
_ASK = insert_or_keep(LINK_REQUESTS)
_ASKED = (
    select(LINK_REQUESTS).where(or_(_R.id == _ID, _UNDECIDED)).order_by(_R.decided_at.is_not(None)).limit(1)
)
_REQUEST = select(LINK_REQUESTS).where(_R.id == _ID)
_DECIDE = (
    update(LINK_REQUESTS)
    .where(_R.id == _ID, _R.decided_at.is_(None), _R.at > _RAN_OUT)
    .values(decided_at=NOW)
    .returning(LINK_REQUESTS)
)
_OVER = and_(_R.decided_at.is_(None), _R.at <= _RAN_OUT)
_OLDEST = select(_R.id).where(_OVER).order_by(_R.at, _R.id).limit(bindparam("the_limit"))
_EXPIRE = {
    name: update(LINK_REQUESTS).where(chosen, _OVER).values(decided_at=NOW).returning(LINK_REQUESTS)
    for name, chosen in among(_R.id, _OLDEST).items()
}


class SqlLinks(Repository):
    """`services.ports.Links`."""

    __slots__ = ()

    def put(self, link: Link) -> bool:
        """Insert; False, and nothing changed, if it is there. A channel has one store: another one replaces it.

        Raises NotFoundError if there is no such store.
        """
        while insert(self._connection, _PUT, records.link_values(link)).rowcount == 0:
            if link.kind is not Kind.CHANNEL:
                return False
            standing = self._connection.execute(_STANDING, {"the_who": link.who}).scalar()
            if standing is not None:  # else it was dropped in between
                return standing != link.store and self._replace(link)
        return True

    def _replace(self, link: Link) -> bool:
        values = {**records.link_values(link), "the_who": link.who}
        return self._connection.execute(_REPLACE, values).rowcount == 1

    def drop(self, kind: Kind, who: str, store: str) -> bool:
        """Forget; False if there was none."""
        values = {"the_kind": kind.value, "the_who": who, "the_store": store}
        return self._connection.execute(_DROP, values).rowcount == 1

    def of(self, kind: Kind, who: str) -> Sequence[Link]:
        """Return the links of this person or channel, sorted by store."""
        rows = self._connection.execute(_OF, {"the_kind": kind.value, "the_who": who})
        return [records.link(row) for row in rows]

    def to(self, store: str) -> Sequence[Link]:
        """Return the links to a store: channels first, then persons, sorted."""
        return [records.link(row) for row in self._connection.execute(_TO, {"the_store": store})]

    def ask(self, request: LinkRequest, now: datetime) -> LinkRequest:
        """Insert a request, unless the person has an open one for the store: return the one that is stored then.

        One that has run out is closed: decided by nobody. One with the same id is the same request.
        """
        whose = {"the_person": request.person, "the_store": request.store}
        self._connection.execute(_CLOSE, {**whose, "ran_out": now - LASTS, "the_time": now})
        while True:
            insert(self._connection, _ASK, records.link_request_values(request))
            row = self._connection.execute(_ASKED, {**whose, "the_id": request.id}).first()
            if row:  # else another one's, which was in the way, was decided in between
                return records.link_request(row)

    def request(self, request: str) -> LinkRequest | None:
        """Return the request with this id, or None."""
        row = self._connection.execute(_REQUEST, {"the_id": request}).first()
        return records.link_request(row) if row else None

    def decide(self, request: str, by: str, now: datetime, *, approved: bool) -> LinkRequest | None:
        """Decide an open request, once: return it as decided; None if it is not open (any more). Safe for two at once."""
        values = {
            "the_id": request,
            "ran_out": now - LASTS,
            "the_time": now,
            "decided_by": by,
            "approved": approved,
        }
        row = self._connection.execute(_DECIDE, values).first()
        return records.link_request(row) if row else None

    def expire(self, now: datetime, limit: int) -> Sequence[LinkRequest]:
        """Close requests that have run out, ``limit`` at the most, and return them: decided by nobody. Of two at once one does."""
        values = {"ran_out": now - LASTS, "the_time": now, "the_limit": limit}
        rows = self._connection.execute(_EXPIRE[self._connection.dialect.name], values)
        return sorted(map(records.link_request, rows), key=lambda request: (request.at, request.id))
