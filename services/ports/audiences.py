"""Ports: links of people and channels to stores, requests for them, and the audit trail."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.model.audiences import ChannelLanguage, Kind, Link, LinkRequest
from services.model.audit import Entry


class Links(Protocol):
    """Who belongs to which store."""

    def put(self, link: Link) -> bool:
        """Insert; False, and nothing changed, if it is there. A channel has one store: another one replaces it.

        Raises NotFoundError if there is no such store.
        """
        ...

    def drop(self, kind: Kind, who: str, store: str) -> bool:
        """Forget; False if there was none."""
        ...

    def of(self, kind: Kind, who: str) -> Sequence[Link]:
        """Return the links of this person or channel, sorted by store."""
        ...

    def to(self, store: str) -> Sequence[Link]:
        """Return the links to a store: channels first, then persons, sorted."""
        ...

    def ask(self, request: LinkRequest, now: datetime) -> LinkRequest:
        """Insert a request, unless the person has an open one for the store: return the one that is stored then."""
        ...

    def request(self, request: str) -> LinkRequest | None:
        """Return the request with this id, or None."""
        ...

    def decide(self, request: str, by: str, now: datetime, *, approved: bool) -> LinkRequest | None:
        """Decide an open request, once: return it as decided; None if it is not open (any more). Safe for two at once."""
        ...

    def expire(self, now: datetime, limit: int) -> Sequence[LinkRequest]:
        """Close requests that have run out, ``limit`` at the most, and return them: decided by nobody. Of two at once one does."""
        ...


class Languages(Protocol):
    """Which language is spoken in which channel, where somebody has chosen one."""

    def put(self, choice: ChannelLanguage) -> None:
        """Insert, or take the place of the former choice for the channel."""
        ...

    def drop(self, channel: str) -> bool:
        """Forget; False if there was none."""
        ...

    def of(self, channel: str) -> ChannelLanguage | None:
        """Return what was chosen for the channel, or None."""
        ...


class Audit(Protocol):
    """The audit trail: rows are only ever added."""

    def append(self, entry: Entry) -> Entry:
        """Chain ``entry`` behind the last row and insert it; return it so. One at a time: of two at once both are chained."""
        ...

    def entries(self, after: int = 0, limit: int = 1000) -> Sequence[Entry]:
        """Return rows with a number larger than ``after``, in order."""
        ...

    def about(self, words: Sequence[str], limit: int = 100) -> Sequence[Entry]:
        """Return the newest ``limit`` rows in whose subject one of ``words`` stands as a word by itself, in order.

        However many rows there are, those of the words alone are looked at (`services.model.audit.words_of`).
        """
        ...

    def last(self) -> Entry | None:
        """Return the newest row, or None."""
        ...
