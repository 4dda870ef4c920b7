"""What is answered at a pull target, from memory: which revision each name has, and for a while chain and key of those asked for."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from services.model.errors import DatabaseUnavailableError
from services.model.names import WILDCARD, parent
from services.ports import Publication, Storage, Vault

FRESH = 0.02
"""Seconds for which what was read of the publications counts as the present."""
AGAIN = 1.0
"""Seconds until the next look where the database did not answer."""
HELD = 60.0
"""Seconds after the last question for which an answer, with its key, stays in memory."""
MOST = 20_000
"""Answers in memory at the same time; the one that was asked for longest ago makes room."""


@dataclass(slots=True)
class _Kept:
    answer: bytes = field(repr=False)
    asked: float


class Answers:
    """The answers of one target. `find` never waits; `refresh` and `load` ask the database.

    Safe between threads. Where the database does not answer, what is in memory is answered on: shops stay open.
    """

    def __init__(self, target: str, storage: Storage, vault: Vault, clock: Callable[[], float]) -> None:
        """``clock`` returns seconds that never go backwards."""
        self._target, self._storage, self._vault, self._clock = target, storage, vault, clock
        self._revisions: dict[str, str] = {}
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._version = 0
        self._due: float | None = None
        self._known = False
        self._lock = threading.Lock()

    @property
    def known(self) -> bool:
        """Whether the publications were ever read: before that nothing can be said of any name."""
        return self._known

    @property
    def stale(self) -> bool:
        """Whether the publications have to be looked at before the next answer."""
        return self._due is None or self._clock() >= self._due

    def revision_of(self, name: str) -> str | None:
        """Return the revision that answers for ``name``: its own, else that of the wildcard over it; None if none does."""
        exact = self._revisions.get(name)
        return exact if exact is not None else self._revisions.get(f"{WILDCARD}{parent(name)}")

    def find(self, revision: str) -> bytes | None:
        """Return the answer if it is in memory: chain and key, PEM."""
        with self._lock:
            kept = self._kept.get(revision)
            if kept is None:
                return None
            kept.asked = self._clock()
            self._kept.move_to_end(revision)
            return kept.answer

    def refresh(self) -> None:
        """Read what was published since.

        Raises DatabaseUnavailableError; what is in memory then goes on, and the next look is a second later.
        """
        began = self._clock()
        try:
            with self._storage.read() as tx:
                changed = tx.publications.since(self._target, self._version)
        except DatabaseUnavailableError:
            self._due = self._clock() + AGAIN
            raise
        with self._lock:
            for row in changed:
                self._lead(row)
            self._known, self._due = True, began + FRESH
        self.forget()

    def load(self, name: str) -> bytes | None:
        """Return the answer for ``name`` from the database and the vault, and keep it for a while; None if there is none.

        Raises DatabaseUnavailableError and VaultError.
        """
        revision = self.revision_of(name)
        if revision is None:
            return None
        with self._storage.read() as tx:
            found = tx.certificates.revision(revision)
        if found is None or found.chain is None:
            return None
        key = self._vault.open(found.sealed_key, found.key_binding)
        answer = found.chain.rstrip().encode() + b"\n" + key
        with self._lock:
            if self.revision_of(name) == revision:  # else there is a newer one meanwhile
                self._kept[revision] = _Kept(answer, self._clock())
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return answer

    def forget(self) -> None:
        """Let go of answers, and with them of keys, that nobody has asked for in a while."""
        now = self._clock()
        with self._lock:
            while self._kept and now - next(iter(self._kept.values())).asked > HELD:
                self._kept.popitem(last=False)

    def _lead(self, row: Publication) -> None:
        before = self._revisions.pop(row.name, None)
        if row.revision is not None:
            self._revisions[row.name] = row.revision
        if before is not None and before != row.revision:
            self._kept.pop(before, None)
        self._version = max(self._version, row.version)
