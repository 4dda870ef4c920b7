"""Recalls, in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.model.clock import aware
from services.model.lifecycle import State
from services.model.recalls import Recall
from storage import records
from storage.memory.tables import MemoryRepository, free


class MemoryRecalls(MemoryRepository):
    """`services.ports.Recalls`."""

    __slots__ = ()

    def note(self, recall: Recall) -> bool:
        """Insert; False, and nothing changed, if there is one of this revision."""
        if self.get(recall.revision) is not None:
            return False
        self._must_exist(recall.certificate)
        self._put(records.recall(records.settled(records.recall_values(recall))))
        return True

    def get(self, revision: str) -> Recall | None:
        """Return the recall of the revision with this id, or None."""
        return self._tables.recalls.get(revision)

    def last(self, certificate: str) -> Recall | None:
        """Return the newest recall of the certificate's revisions, or None."""
        found = [one for one in self._tables.recalls.values() if one.certificate == certificate]
        return max(found, key=lambda one: (one.seen_at, one.revision), default=None)

    def single(self, ca: str, since: datetime, limit: int) -> Sequence[str]:
        """Return ids of different certificates that the CA has recalled ``since`` and that are in no plan."""
        return list({one.certificate for one in self._unplanned(ca) if one.seen_at >= aware(since)})[:limit]

    def plan(self, ca: str) -> str:
        """Return the id of the plan that has the CA's newest recall that is in one; empty if none is."""
        planned = [one for one in self._tables.recalls.values() if one.ca == ca and one.job]
        newest = max(planned, key=lambda one: (one.seen_at, one.job), default=None)
        return newest.job if newest is not None else ""

    def take(self, ca: str, job: str, limit: int) -> Sequence[Recall]:
        """Put up to ``limit`` of the CA's recalls that are in no plan into this one, oldest first."""
        rows = sorted(self._unplanned(ca), key=lambda one: (one.seen_at, one.revision))[:limit]
        taken = [replace(one, job=job) for one in rows]
        self._put(*taken)
        return taken

    def ask_all(self, ca: str, now: datetime, gap: timedelta) -> int:
        """Have the CA asked anew about every installed certificate of its, one each ``gap`` from ``now`` on."""
        now = aware(now)
        rows = [
            row
            for row in self._tables.certificates.values()
            if row.state is State.INSTALLED
            and row.installed in self._tables.revisions
            and self._tables.revisions[row.installed].ca == ca
            and (row.ari_after is None or row.ari_after > now)
            and free(row, now)
        ]
        self._view.own("certificates")
        for number, row in enumerate(sorted(rows, key=lambda row: row.id)):
            at = now + gap * number
            asked = replace(row, ari_after=at, run_after=min(at, row.run_after or at))
            self._tables.certificates[row.id] = asked
        return len(rows)

    def _unplanned(self, ca: str) -> list[Recall]:
        return [one for one in self._tables.recalls.values() if one.ca == ca and not one.job]

    def _put(self, *rows: Recall) -> None:
        if rows:
            self._view.own("recalls")
            self._tables.recalls.update({row.revision: row for row in rows})
