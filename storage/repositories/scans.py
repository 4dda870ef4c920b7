"""Names whose pages are scanned: a queue."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, case, select, update

from services.model.scans import Site
from storage import records
from storage.moments import Moment
from storage.repositories.base import Repository
from storage.repositories.queue import NOW, UNTIL, Queue, held, must_hold
from storage.repositories.upserts import insert, insert_or_keep
from storage.scans import SCANS

_S = SCANS.c
_ID = bindparam("the_name", type_=_S.id.type)
_CLAIMED = bindparam("the_wish", type_=Moment)
_NEXT = bindparam("the_next", type_=Moment)
_PATHS = bindparam("the_paths", type_=_S.paths.type)
_ADD = insert_or_keep(SCANS, "id")
_GET = select(SCANS).where(_S.id == _ID)
_LOCKED = _GET.with_for_update()
_ASK = update(SCANS).where(_S.id == _ID)
_QUEUE = Queue.over(SCANS, _S.run_after <= NOW, "run_after")
_SEIZE = update(SCANS).where(_S.id == _ID).values(fence=_S.fence + 1, lease_until=UNTIL).returning(SCANS)
_ALIVE = update(SCANS).where(held(SCANS))
_SAVE = (
    update(SCANS)
    .where(held(SCANS))
    .values(
        lease_until=None,
        run_after=case((_S.asked_at > _CLAIMED, _S.run_after), else_=_NEXT),
        paths=case((_S.asked_at > _CLAIMED, _S.paths), else_=_PATHS),
    )
)


class SqlScans(Repository):
    """`services.ports.scanning.Scans`."""

    __slots__ = ()

    def get(self, name: str) -> Site | None:
        """Return the row of this name, or None."""
        row = self._connection.execute(_GET, {"the_name": name}).first()
        return None if row is None else records.site(row)

    def ask(self, name: str, store: str, paths: tuple[str, ...], now: datetime) -> Site:
        """Have the name scanned now, and return its row; one of the same ``paths`` that is due or under way is joined."""
        asked = Site.asked(name, store, paths, now)
        stored = self._added(asked)
        if stored is None:
            return asked
        same = stored.store == store
        return stored if same and stored.joined(paths, now) else self._wished(stored, asked)

    def plan(self, name: str, store: str, due_at: datetime) -> bool:
        """Insert a row that is due at ``due_at``; False, and nothing changed, if the name has one for this store."""
        planned = Site(name, store, due_at, due_at)
        stored = self._added(planned)
        if stored is not None and stored.store != store:
            self._wished(stored, planned)
        return stored is None or stored.store != store

    def _added(self, site: Site) -> Site | None:
        """Insert, and return None; or return the row that is there already, locked."""
        if insert(self._connection, _ADD, records.site_values(site)).rowcount == 1:
            return None
        return records.site(self._connection.execute(_LOCKED, {"the_name": site.id}).one())

    def _wished(self, stored: Site, asked: Site) -> Site:
        changed = records.wished(stored, asked)
        values = records.site_values(changed)
        del values["id"]
        self._connection.execute(_ASK, {"the_name": stored.id, **values})
        return changed

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Site]:
        """Claim rows that are due and free, longest due first."""
        return [records.site(row) for row in _QUEUE.claim(self._connection, now, lease, limit)]

    def seize(self, name: str, now: datetime, lease: timedelta) -> Site | None:
        """Claim this row, whoever holds it; None without such a row."""
        row = self._connection.execute(_SEIZE, {"the_name": name, "the_end": now + lease}).first()
        return None if row is None else records.site(row)

    def alive(self, site: Site, until: datetime) -> None:
        """Save how far a claimed scan is, and hold it until then. Raises LeaseLostError if its fence is an old one."""
        values = {"pages": site.pages, "seen": site.seen, "lease_until": until}
        must_hold(self._connection, _ALIVE, site, values)

    def save(self, site: Site) -> None:
        """Save a claimed row's result and next scan; what was asked for since stays due. Raises LeaseLostError as above."""
        values = {**records.site_result(site), "the_wish": site.asked_at, "the_next": site.run_after}
        values["the_paths"] = records.site_values(site)["paths"]
        must_hold(self._connection, _SAVE, site, values)
