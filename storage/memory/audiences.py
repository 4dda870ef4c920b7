"""Links, requests for them and the audit trail, in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from services.model.audiences import ChannelLanguage, Kind, Link, LinkRequest
from services.model.audit import Entry, chained, words_of
from services.model.clock import aware
from storage import records
from storage.memory.tables import MemoryRepository
from storage.refusals import no_parent


class MemoryLinks(MemoryRepository):
    """`services.ports.Links`."""

    __slots__ = ()

    def put(self, link: Link) -> bool:
        """Insert; False, and nothing changed, if it is there. A channel has one store: another one replaces it.

        Raises NotFoundError if there is no such store.
        """
        kept = records.link(records.settled(records.link_values(link)))
        former = self.of(link.kind, link.who)
        if link.store in [row.store for row in former]:
            return False
        if link.store not in self._tables.stores:
            raise no_parent()
        if link.kind is Kind.CHANNEL:
            for row in former:
                self.drop(row.kind, row.who, row.store)
        self._view.own("links")
        self._tables.links[link.kind, link.who, link.store] = kept
        return True

    def drop(self, kind: Kind, who: str, store: str) -> bool:
        """Forget; False if there was none."""
        self._view.own("links")
        return self._tables.links.pop((kind, who, store), None) is not None

    def of(self, kind: Kind, who: str) -> Sequence[Link]:
        """Return the links of this person or channel, sorted by store."""
        rows = [row for row in self._tables.links.values() if (row.kind, row.who) == (kind, who)]
        return sorted(rows, key=lambda row: row.store)

    def to(self, store: str) -> Sequence[Link]:
        """Return the links to a store: channels first, then persons, sorted."""
        rows = [row for row in self._tables.links.values() if row.store == store]
        return sorted(rows, key=lambda row: (row.kind, row.who))

    def ask(self, request: LinkRequest, now: datetime) -> LinkRequest:
        """Insert a request, unless the person has an open one for the store: return the one that is stored then.

        One that has run out is closed: decided by nobody. One with the same id is the same request.
        """
        now = aware(now)
        for row in self._undecided(request):
            if row.open(now):
                return row
            self._put(replace(row, decided_at=now))
        known = self.request(request.id)
        return known or self._put(records.link_request(records.settled(records.link_request_values(request))))

    def _undecided(self, request: LinkRequest) -> list[LinkRequest]:
        whose = (request.person, request.store)
        rows = self._tables.link_requests.values()
        return [row for row in rows if row.decided_at is None and (row.person, row.store) == whose]

    def request(self, request: str) -> LinkRequest | None:
        """Return the request with this id, or None."""
        return self._tables.link_requests.get(request)

    def decide(self, request: str, by: str, now: datetime, *, approved: bool) -> LinkRequest | None:
        """Decide an open request, once: return it as decided; None if it is not open (any more). Safe for two at once."""
        now = aware(now)
        stored = self.request(request)
        if stored is None or not stored.open(now):
            return None
        return self._put(replace(stored, decided_at=now, decided_by=by, approved=approved))

    def expire(self, now: datetime, limit: int) -> Sequence[LinkRequest]:
        """Close requests that have run out, ``limit`` at the most, and return them: decided by nobody. Of two at once one does."""
        now = aware(now)
        over = [
            row for row in self._tables.link_requests.values() if row.decided_at is None and not row.open(now)
        ]
        chosen = sorted(over, key=lambda row: (row.at, row.id))[:limit]
        return [self._put(replace(row, decided_at=now)) for row in chosen]

    def _put(self, request: LinkRequest) -> LinkRequest:
        self._view.own("link_requests")
        self._tables.link_requests[request.id] = request
        return request


class MemoryLanguages(MemoryRepository):
    """`services.ports.Languages`."""

    __slots__ = ()

    def put(self, choice: ChannelLanguage) -> None:
        """Insert, or take the place of the former choice for the channel."""
        kept = records.channel_language(records.settled(records.channel_language_values(choice)))
        self._view.own("channel_languages")
        self._tables.channel_languages[choice.channel] = kept

    def drop(self, channel: str) -> bool:
        """Forget; False if there was none."""
        self._view.own("channel_languages")
        return self._tables.channel_languages.pop(channel, None) is not None

    def of(self, channel: str) -> ChannelLanguage | None:
        """Return what was chosen for the channel, or None."""
        return self._tables.channel_languages.get(channel)


class MemoryAudit(MemoryRepository):
    """`services.ports.Audit`."""

    __slots__ = ()

    def append(self, entry: Entry) -> Entry:
        """Chain ``entry`` behind the last row and insert it; return it so. One at a time: of two at once both are chained."""
        placed = chained(records.keepable(entry), self.last())
        self._view.own("audit")
        self._tables.audit[placed.number] = placed
        return placed

    def entries(self, after: int = 0, limit: int = 1000) -> Sequence[Entry]:
        """Return rows with a number larger than ``after``, in order."""
        return list(islice((row for row in self._tables.audit.values() if row.number > after), limit))

    def about(self, words: Sequence[str], limit: int = 100) -> Sequence[Entry]:
        """Return the newest ``limit`` rows in whose subject one of ``words`` stands as a word by itself, in order."""
        newest = reversed(self._tables.audit.values())
        found = islice((row for row in newest if not words_of(row.subject).isdisjoint(words)), limit)
        return list(found)[::-1]

    def last(self) -> Entry | None:
        """Return the newest row, or None."""
        return next(reversed(self._tables.audit.values()), None)
