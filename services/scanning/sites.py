"""When a name's pages are scanned, and what becomes of a scan: one row for each name, and one message for its merchant."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.alerting import merchants
from services.model.clock import Clock
from services.model.errors import StoppingError
from services.model.names import counts_as
from services.model.scans import Scan, Site
from services.model.stores import StoreStatus
from services.model.text import say
from services.ports import Message, Storage, Transaction
from services.scanning.planning import AFTER_INSTALLATION
from services.scanning.running import Scanner

LEASE = timedelta(minutes=2)
"""How long a scan is held between two signs of life: longer than any exchange may take."""
AGAIN = timedelta(days=7)
"""How often a name with problems is scanned by itself."""
AFTER_A_FAULT = timedelta(minutes=10)
NEWS = "scan_news"
"""Kind of the message that tells a merchant."""
_EVERY = 1.0
"""Seconds between two notes of how far a scan is."""


@dataclass(frozen=True, slots=True)
class Own:
    """Tells whether a host is one of a store's names."""

    names: frozenset[str]

    def __call__(self, host: str) -> bool:
        """Tell whether ``host`` is one, or the ``www.`` of one."""
        return not self.names.isdisjoint(counts_as(host))


@dataclass(frozen=True, slots=True)
class Sites:
    """What scans are done with."""

    storage: Storage
    scanner: Scanner
    clock: Clock
    announce: Callable[[], None] = lambda: None
    """Called when a message may be owed."""
    automatic: bool = True
    """Whether a name with problems is scanned again by itself, and its merchant told of them."""

    def scan(self, site: Site, going_on: Callable[[], bool] = lambda: True) -> Site:
        """Scan a claimed site, save what was found, and tell whoever waits for it; one that is not ``going_on`` stays due.

        Raises LeaseLostError, and saves nothing, if another one has claimed it since.
        """
        try:
            return self._saved(self._scanned(site, going_on))
        except StoppingError:
            with self.storage.write() as tx:
                tx.scans.save(site)
            return site

    def postpone(self, site: Site) -> None:
        """Give a claimed site back after a fault of certdesk's own: it is scanned a little later."""
        with self.storage.write() as tx:
            tx.scans.save(replace(site, run_after=self.clock() + AFTER_A_FAULT))

    def _scanned(self, site: Site, going_on: Callable[[], bool]) -> Site:
        """Return the site with what was found. Raises StoppingError once it is not ``going_on``."""
        with self.storage.read() as tx:
            theirs = owner(tx, site.id) == site.store
            names = frozenset(domain.name for domain in tx.stores.domains(site.store))
        if not theirs:  # the name has left the store: nobody is told what is there now
            return Site(site.id, site.store, None, site.asked_at, fence=site.fence, answered=site.asked_at)
        found = self.scanner.scan(
            site.id,
            site.store,
            Own(names),
            site.paths,
            self._noting(site, going_on),
        )
        done = concluded(site, found, self.clock())
        return done if self.automatic else replace(done, run_after=None)

    def _noting(self, site: Site, going_on: Callable[[], bool]) -> Callable[[int, int], None]:
        """Return what notes how far the scan is, and holds the row meanwhile; at most once a second."""
        noted = -_EVERY

        def note(pages: int, seen: int) -> None:
            nonlocal noted
            if not going_on():
                raise StoppingError(say("certdesk is being stopped."))
            if self.scanner.outside.clock() - noted < _EVERY:
                return
            noted = self.scanner.outside.clock()
            now = self.clock()
            with self.storage.write() as tx:
                tx.scans.alive(replace(site, pages=pages, seen=seen), now + LEASE)
                tx.outbox.touch(site.thing, now)
            self.announce()

        return note

    def _saved(self, site: Site) -> Site:
        now = self.clock()
        with self.storage.write() as tx:
            tx.scans.save(site)
            tx.outbox.touch(site.thing, now)
            if self.automatic:
                tell(tx, site, now)
        self.announce()
        return site


def concluded(site: Site, found: Scan, now: datetime) -> Site:
    """Return the site with what was found: scanned again in a week while something is wrong with it.

    A scan of some pages alone says nothing of how many problems the site has; a whole one follows that was never made.
    """
    pages, seen = len(found.pages), found.count
    done = replace(site, paths=(), scan=found, answered=site.asked_at, pages=pages, seen=seen)
    if site.paths:
        later = now + (AFTER_INSTALLATION if site.count is None else AGAIN)
        return replace(done, run_after=None if site.count == 0 else later)
    again = now + AGAIN if found.count else None
    if found.count and not site.count:  # they have come up: whoever is told of them is told anew
        return replace(done, count=found.count, first=found.count, since=now, run_after=again)
    return replace(done, count=found.count, run_after=again)


def owner(tx: Transaction, name: str) -> str | None:
    """Return the store whose name it is now; None if there is none, or it is deleted."""
    rows = (tx.stores.domain(one) for one in counts_as(name))
    found = next((row.store for row in rows if row is not None), "")
    store = tx.stores.get(found)
    return None if store is None or store.status is StoreStatus.DELETED else store.id


def tell(tx: Transaction, site: Site, now: datetime) -> None:
    """Tell the store's channels once of what is wrong; the same message then says how it gets on."""
    if site.since is None or site.count is None:
        return
    for channel in merchants.channels_of(tx, site.store):
        key = f"scan:{site.id}:{site.since.isoformat()}:{channel}"
        body = {"name": site.id, "store": site.store, "since": site.since.isoformat(), "first": site.first}
        message = Message.in_channel(key, NEWS, channel, body, now)
        tx.outbox.put(merchants.told(replace(message, follows=(site.thing,))))
