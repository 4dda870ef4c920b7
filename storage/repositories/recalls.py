"""Recalls: what CAs want replaced at once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, or_, select, update

from services.model.lifecycle import State
from services.model.recalls import Recall
from storage import records
from storage.moments import Moment
from storage.recalls import RECALLS
from storage.repositories.base import Repository, chunks
from storage.repositories.queue import NOW, free
from storage.repositories.upserts import insert, insert_or_keep
from storage.schema import CERTIFICATES, REVISIONS

_R, _C = RECALLS.c, CERTIFICATES.c
_CA = bindparam("the_ca", type_=_R.ca.type)
_NOTE = insert_or_keep(RECALLS, "revision")
_GET = select(RECALLS).where(_R.revision == bindparam("the_revision", type_=_R.revision.type))
_LAST = (
    select(RECALLS)
    .where(_R.certificate == bindparam("the_certificate", type_=_R.certificate.type))
    .order_by(_R.seen_at.desc(), _R.revision.desc())
    .limit(1)
)
_UNPLANNED = and_(_R.ca == _CA, _R.job == "")
_SINGLE = (
    select(_R.certificate)
    .where(_UNPLANNED, _R.seen_at >= bindparam("since", type_=Moment))
    .distinct()
    .limit(bindparam("the_limit"))
)
_PLAN = select(_R.job).where(_R.ca == _CA, _R.job != "").order_by(_R.seen_at.desc(), _R.job.desc()).limit(1)
_WAITING = select(RECALLS).where(_UNPLANNED).order_by(_R.seen_at, _R.revision).limit(bindparam("the_limit"))
_TAKE = update(RECALLS).where(_R.revision.in_(bindparam("revisions", expanding=True)))
_ASKED = (
    select(_C.id, _C.run_after)
    .join(REVISIONS, REVISIONS.c.id == _C.installed)
    .where(
        REVISIONS.c.ca == bindparam("the_ca", type_=REVISIONS.c.ca.type),
        _C.state == State.INSTALLED.value,
        or_(_C.ari_after.is_(None), _C.ari_after > NOW),
        free(CERTIFICATES),
    )
    .order_by(_C.id)
)
_ID = bindparam("the_id", type_=_C.id.type)
_ASK = update(CERTIFICATES).where(_C.id == _ID, _C.state == State.INSTALLED.value, free(CERTIFICATES))


class SqlRecalls(Repository):
    """`services.ports.Recalls`."""

    __slots__ = ()

    def note(self, recall: Recall) -> bool:
        """Insert; False, and nothing changed, if there is one of this revision."""
        return insert(self._connection, _NOTE, records.recall_values(recall)).rowcount == 1

    def get(self, revision: str) -> Recall | None:
        """Return the recall of the revision with this id, or None."""
        row = self._connection.execute(_GET, {"the_revision": revision}).first()
        return records.recall(row) if row else None

    def last(self, certificate: str) -> Recall | None:
        """Return the newest recall of the certificate's revisions, or None."""
        row = self._connection.execute(_LAST, {"the_certificate": certificate}).first()
        return records.recall(row) if row else None

    def single(self, ca: str, since: datetime, limit: int) -> Sequence[str]:
        """Return ids of different certificates that the CA has recalled ``since`` and that are in no plan."""
        asked = {"the_ca": ca, "since": since, "the_limit": limit}
        return list(self._connection.execute(_SINGLE, asked).scalars())

    def plan(self, ca: str) -> str:
        """Return the id of the plan that has the CA's newest recall that is in one; empty if none is."""
        return self._connection.execute(_PLAN, {"the_ca": ca}).scalar() or ""

    def take(self, ca: str, job: str, limit: int) -> Sequence[Recall]:
        """Put up to ``limit`` of the CA's recalls that are in no plan into this one, oldest first."""
        rows = self._connection.execute(_WAITING, {"the_ca": ca, "the_limit": limit})
        taken = [replace(records.recall(row), job=job) for row in rows]
        for some in chunks([one.revision for one in taken]):
            self._connection.execute(_TAKE, {"revisions": some, "job": job})
        return taken

    def ask_all(self, ca: str, now: datetime, gap: timedelta) -> int:
        """Have the CA asked anew about every installed certificate of its, one each ``gap`` from ``now`` on."""
        rows = self._connection.execute(_ASKED, {"the_ca": ca, "the_time": now}).all()
        moments = [
            {"the_id": id_, "the_time": now, "ari_after": at, "run_after": min(at, due or at)}
            for (id_, due), at in zip(rows, (now + gap * number for number in range(len(rows))), strict=True)
        ]
        if moments:
            self._connection.execute(_ASK, moments)
        return len(moments)
