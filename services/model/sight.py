"""Which stores somebody may see or change: pure, and asked before the database is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sight:
    """Some stores by id, or every one."""

    stores: frozenset[str] | None
    """None: every store, also one that is not there yet."""

    def __call__(self, store: str) -> bool:
        """Tell whether the store with this id is among them; asks nobody whether there is such a store."""
        return self.stores is None or store in self.stores


EVERY = Sight(None)
NONE = Sight(frozenset())
