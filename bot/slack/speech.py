"""In which language somebody is spoken to: one table of what counts, first what is known best."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.text.language import ENGLISH, Language, language
from services.model.audiences import Kind
from services.model.workspaces import place
from services.ports import Storage, Transaction


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of who reads: locales or languages' codes, each empty where there is none."""

    person: str = ""
    """What the person's Slack is set to."""
    channel: str = ""
    """What was chosen for the channel."""
    store: str = ""
    """Of the store that the channel is linked to, or the person."""


COUNTS: Mapping[bool, tuple[str, ...]] = {
    # for one person alone -> what counts, in this order
    True: ("person", "store"),
    False: ("channel", "store"),
}
"""After these comes English. What is known counts, even if it is a language that certdesk does not speak: that is English."""


def choose(known: Known, *, alone: bool) -> str:
    """Return the locale to speak in; ``alone``: to one person (what they alone see), not to all who are in a channel."""
    return next((locale for what in COUNTS[alone] if (locale := getattr(known, what))), ENGLISH.code)


class Speech:
    """Tells in which language to speak. Safe to use from many threads; look-ups are of a row or two by their key."""

    def __init__(
        self, storage: Storage, locale: Callable[[str], str], named: Callable[[str], str | None]
    ) -> None:
        """``locale`` tells a person's from their id (empty: not known), and ``named`` who they are, as TEAM/USER."""
        self._storage, self._locale, self._named = storage, locale, named

    def to_person(self, user: str, channel: str = "") -> Language:
        """Return the language for what ``user`` alone sees, who is or has asked in ``channel``."""
        known = Known(person=self._locale(user))
        if not known.person:
            with self._storage.read() as tx:
                known = Known(store=self._store_of_person(tx, user, channel))
        return language(choose(known, alone=True))

    def in_channel(self, channel: str) -> Language:
        """Return the language for what all in ``channel`` see."""
        with self._storage.read() as tx:
            chosen = tx.languages.of(channel)
            known = Known(channel=chosen.language if chosen else "", store=_store_of(tx, channel))
        return language(choose(known, alone=False))

    def _store_of_person(self, tx: Transaction, user: str, channel: str) -> str:
        """Return the language of the channel's store if it is the person's, else the one that all of theirs have; empty for none.

        The language of a store that is not theirs would tell them something of it: that there is one in their workspace, too.
        """
        person = self._named(user)
        theirs = dict(_locales(tx, Kind.PERSON, person)) if person else {}
        there = (theirs[store] for store, _ in _locales(tx, Kind.CHANNEL, channel) if store in theirs)
        return next(there, "") or _shared(theirs.values())


def _store_of(tx: Transaction, channel: str) -> str:
    """Return the language of the channel's store; elsewhere also the one that all stores of the workspace have."""
    _, found = next(_locales(tx, Kind.CHANNEL, channel), ("", ""))
    return found or _of_workspace(tx, channel)


def _of_workspace(tx: Transaction, channel: str) -> str:
    """Return the language that all stores of the channel's workspace have; empty if there are several, or none."""
    team, _ = place(channel)
    return _shared(locale for _, locale in _locales(tx, Kind.WORKSPACE, team))


def _shared(locales: Iterable[str]) -> str:
    """Return the language that all of them have; empty if they have several, or there is none."""
    found = {language(locale).code for locale in locales}
    return found.pop() if len(found) == 1 else ""


def _locales(tx: Transaction, kind: Kind, who: str) -> Iterator[tuple[str, str]]:
    """Yield the id and the locale of each store that is linked; of nobody none is."""
    for link in tx.links.of(kind, who) if who else ():
        store = tx.stores.get(link.store)
        if store is not None:
            yield store.id, store.locale


class English:
    """Speaks English to everybody: where nobody is known."""

    def to_person(self, _user: str, _channel: str = "") -> Language:
        """Return English."""
        return ENGLISH

    def in_channel(self, _channel: str) -> Language:
        """Return English."""
        return ENGLISH
