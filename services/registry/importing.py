"""Stores and domains from a file: all of it or nothing; and the same by hand, one at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from services import naming
from services.model.clock import Clock, utc_now
from services.model.errors import CertdeskError, ImportRefusedError, NotFoundError
from services.model.stores import Domain, Store, StoreStatus
from services.model.text import Text, say
from services.ports import Storage, Stores
from services.registry.rows import BadRow, StoreRow, read_status, scan
from services.renewal.asking import look_now

MOST_SHOWN = 20
"""How many bad rows a refusal names; the others are counted."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file brought."""

    stores: int
    """Stores in the file."""
    domains: int
    """Domains in the file, each counted once."""
    changed: int
    """How many of both were new or different; 0 for the same file again."""
    changed_stores: int = field(default=0, compare=False)
    """How many of `changed` are stores; the others are domains."""


class TakenError(CertdeskError):
    """A domain belongs to another store, one that is not deleted."""


class _Contest(Enum):
    """What becomes of a domain that a second store claims."""

    STAYS = "stays"
    MOVES = "moves"
    TAKEN = "taken"


@dataclass(slots=True)
class _Wish:
    """What the rows of a file come to, while they are read."""

    stores: dict[str, Store] = field(default_factory=dict)
    tags: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    """Of each store; None where the file does not speak of them."""
    domains: dict[str, Domain] = field(default_factory=dict)
    bad: list[BadRow] = field(default_factory=list)
    """The first MOST_SHOWN of them."""
    count: int = 0
    """How many bad rows there are."""

    def take(self, row: StoreRow | BadRow) -> None:
        """Put one row with the others, or among the bad ones if it contradicts an earlier one."""
        reason = None if isinstance(row, BadRow) else self._store(row) or self._domain(row)
        if isinstance(row, BadRow):
            self.refuse(row)
        elif reason is not None:
            self.refuse(BadRow(row.place, reason))

    def _store(self, row: StoreRow) -> Text | None:
        """Take the store of ``row``, or return what is wrong with it."""
        first = self.stores.setdefault(row.store, Store(row.store, row.status, row.locale, row.tags or ()))
        tags = self.tags.setdefault(row.store, row.tags)
        if first.status is not row.status:
            reason = "the store {store} is {status} here and {earlier} in an earlier row"
            return say(reason, store=row.store, status=row.status.value, earlier=first.status.value)
        if first.locale != row.locale:
            reason = "the store {store} has the locale {locale} here and {earlier} in an earlier row"
            return say(reason, store=row.store, locale=row.locale, earlier=first.locale)
        if tags != row.tags:
            reason = "the store {store} has the tags {tags} here and {earlier} in an earlier row"
            return say(reason, store=row.store, tags=row.tags or (), earlier=tags or ())
        return None

    def wanted_stores(self, known: Mapping[str, Store]) -> tuple[Store, ...]:
        """Return the stores that are new or different; tags that the file does not speak of stay as they are."""
        said = (
            replace(store, tags=known[store.id].tags)
            if self.tags[store.id] is None and store.id in known
            else store
            for store in self.stores.values()
        )
        return tuple(store for store in said if known.get(store.id) != store)

    def _domain(self, row: StoreRow) -> Text | None:
        """Take the domain of ``row``, or return what is wrong with it."""
        if row.domain is None:
            return None
        store = self.stores[row.store]
        first = self.domains.setdefault(row.domain, Domain(row.domain, store.id, row.default))
        if first.store != store.id:
            verdict = _contest(self.stores[first.store], store)
            if verdict is _Contest.MOVES:
                self.domains[row.domain] = Domain(row.domain, store.id, row.default)
            reason = "{name} belongs to the store {owner} in an earlier row"
            return say(reason, name=row.domain, owner=first.store) if verdict is _Contest.TAKEN else None
        if first.default is not row.default:
            return say("{name} is marked as default in one row and not in another", name=row.domain)
        return None

    def refuse(self, row: BadRow) -> None:
        """Count a bad row, and keep it if it is one of the first."""
        self.count += 1
        if len(self.bad) < MOST_SHOWN:
            self.bad.append(row)


def read(path: Path) -> tuple[StoreRow, ...]:
    """Return the rows of the file. Raises ImportRefusedError with every bad row, up to 20."""
    rows = tuple(scan(path))
    bad = [row for row in rows if isinstance(row, BadRow)]
    if bad:
        raise _refusal(path, bad[:MOST_SHOWN], len(bad))
    return tuple(row for row in rows if isinstance(row, StoreRow))


def import_stores(storage: Storage, path: Path, clock: Clock = utc_now) -> Imported:
    """Take the stores and domains of the file over; what is not in the file stays as it is.

    CSV is read row by row; what is held in memory is one small object for each store and domain. A domain of a deleted
    store may move to another one; a deleted store takes none from a store that is not. Raises ImportRefusedError if
    the file cannot be read or any row is bad, with the place and reason of up to 20 of them; then nothing was taken.
    """
    wish = _Wish()
    for row in scan(path):
        wish.take(row)
    with storage.read() as tx:
        known = {store.id: store for store in tx.stores.all()}
        stores = wish.wanted_stores(known)
        domains = _wanted(tx.stores, path, wish)
    changed = changed_stores = 0
    if stores or domains:
        with storage.write() as tx:
            changed_stores = sum(tx.stores.put(store) for store in stores)
            domains = _wanted(tx.stores, path, replace(wish, domains={one.name: one for one in domains}))
            changed = changed_stores + sum(tx.stores.put_domain(domain) for domain in domains)
            moved = (store.id for store in stores if not _same_but_tags(store, known.get(store.id)))
            # in one order, so that two imports at once do not wait for each other
            for changed_store in sorted({*moved, *(domain.store for domain in domains)}):
                look_now(tx, changed_store, clock())
    return Imported(len(wish.stores), len(wish.domains), changed, changed_stores)


def _same_but_tags(store: Store, known: Store | None) -> bool:
    """Tell whether only tags changed, which are no reason to look at the store's certificates."""
    return known is not None and replace(store, tags=known.tags) == known


def _wanted(stores: Stores, path: Path, wish: _Wish) -> tuple[Domain, ...]:
    """Return the domains that are new or different. Raises ImportRefusedError if any row is bad, or names a taken domain."""
    wanted: list[Domain] = []
    taken: dict[str, Text] = {}
    for domain in wish.domains.values():
        old = stores.domain(domain.name)
        if old is None or (old.store == domain.store and old != domain):
            wanted.append(domain)
        elif old.store != domain.store:
            owner = wish.stores.get(old.store) or stores.get(old.store)
            verdict = _contest(owner, wish.stores[domain.store])
            if verdict is _Contest.MOVES:
                wanted.append(domain)
            elif verdict is _Contest.TAKEN:
                taken[domain.name] = _taken(domain.name, old.store)
    if taken:
        for row in scan(path):  # a second look at the file, for the places
            if isinstance(row, StoreRow) and row.domain in taken:
                wish.refuse(BadRow(row.place, taken[row.domain]))
    if wish.count:
        raise _refusal(path, wish.bad, wish.count)
    return tuple(wanted)


def _contest(owner: Store | None, claimant: Store) -> _Contest:
    """Decide between the store that has a domain and another one that claims it."""
    if claimant.status is StoreStatus.DELETED:
        return _Contest.STAYS
    if owner is None or owner.status is StoreStatus.DELETED:
        return _Contest.MOVES
    return _Contest.TAKEN


def _taken(name: str, owner: str) -> Text:
    return say(
        "{name} belongs to the store {owner}, and only a deleted store gives its domains away",
        name=name,
        owner=owner,
    )


def _refusal(path: Path, bad: Iterable[BadRow], count: int) -> ImportRefusedError:
    """Return the refusal of a file: a sentence, then a line for each bad row, then how many more there are."""
    lines = [_line(row) for row in bad]
    said = say("Nothing of {file} was taken, for its bad rows: {count}", file=path.name, count=count)
    if count > len(lines):
        lines.append(say("and {count} more.", count=count - len(lines)))
    for line in lines:
        said = say("{before}\n{line}", before=said, line=line)
    return ImportRefusedError(said)


def _line(row: BadRow) -> Text:
    """Return a bad row's line: why a text is no name is a whole sentence, other reasons have no full stop."""
    if row.reason.template.endswith("."):
        return say("{place}: {reason}", place=row.place, reason=row.reason)
    return say("{place}: {reason}.", place=row.place, reason=row.reason)


def set_status(storage: Storage, store: str, status: str, clock: Clock = utc_now) -> StoreStatus:
    """Set the status (active, inactive or deleted) of a store, and return it. Raises NotFoundError, CertdeskError."""
    wanted = read_status(status)
    with storage.write() as tx:
        if not tx.stores.set_status(store, wanted):
            raise _no_store(store)
        look_now(tx, store, clock())
    return wanted


def add_domain(
    storage: Storage, store: str, name: str, *, default: bool = False, clock: Clock = utc_now
) -> Domain:
    """Add a domain to a store and return it, its name normalised. Again changes nothing; a default domain remains one.

    Raises NotFoundError for an unknown store, InvalidNameError for a text that cannot be a name, and TakenError if
    the domain belongs to another store that is not deleted, or would move to one that is.
    """
    domain = Domain(naming.parse(name), store, default)
    with storage.write() as tx:
        claimant = tx.stores.get(store)
        if claimant is None:
            raise _no_store(store)
        old = tx.stores.domain(domain.name)
        if (
            old is not None
            and old.store != store
            and _contest(tx.stores.get(old.store), claimant) is not _Contest.MOVES
        ):
            raise TakenError(say("{reason}.", reason=_taken(domain.name, old.store)))
        if old is not None and old.store == store and old.default:
            domain = old  # the platform gave it; that a merchant adds it changes nothing about that
        tx.stores.put_domain(domain)
        look_now(tx, store, clock())
    return domain


def _no_store(store: str) -> NotFoundError:
    return NotFoundError(
        say("There is no store {store}. Import it first, or look at the list of stores.", store=store)
    )
