"""A fleet of certificates seen in parts and page by page: what may be asked for, and where a page stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from services.model.certificates import Certificate
from services.model.lifecycle import RESTING, Event, State


class Portion(StrEnum):
    """Which certificates are meant."""

    ALL = "all"
    NEEDS_SOMEBODY = "needs_somebody"
    """What rests and is not well: the first group of every listing (`Certificate.place`)."""
    NEEDS_SUPPORT = "needs_support"
    FAILED = "failed"
    BLOCKED = "blocked"
    UNDER_WAY = "under_way"
    INSTALLED = "installed"
    """Installed, and nothing is wrong with it."""
    EXPIRED = "expired"
    """The installed revision has expired, whatever is being done about it."""
    ENDING = "ending"
    """The installed revision is still valid, and ends within `SOON`."""


SOON = timedelta(days=7)
"""How near an end is that is looked at in its own right."""
Position = tuple[int | str, ...]
"""Where a certificate stands in an order; a page goes on behind one, or ends before one. Comparable within one order."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many certificates there are."""

    states: Mapping[State, int] = field(default_factory=dict)
    """Those in each state; a state without any is left out."""
    unwell: int = 0
    """Installed ones with which something is wrong."""
    expired: int = 0
    ending: int = 0

    @property
    def total(self) -> int:
        """All of them but for what is retired."""
        return sum(count for state, count in self.states.items() if state is not State.RETIRED)

    def of(self, portion: Portion) -> int:
        """Return how many a portion has."""
        state = {
            Portion.NEEDS_SUPPORT: State.NEEDS_SUPPORT,
            Portion.FAILED: State.FAILED,
            Portion.BLOCKED: State.BLOCKED,
        }.get(portion)
        if state is not None:
            return self.states.get(state, 0)
        return self._derived(portion)

    def _derived(self, portion: Portion) -> int:
        installed = self.states.get(State.INSTALLED, 0)
        under_way = sum(count for state, count in self.states.items() if state not in RESTING)
        return {
            Portion.ALL: self.total,
            Portion.NEEDS_SOMEBODY: self.total - under_way - installed + self.unwell,
            Portion.UNDER_WAY: under_way,
            Portion.INSTALLED: installed - self.unwell,
            Portion.EXPIRED: self.expired,
            Portion.ENDING: self.ending,
        }[portion]


WEEK = timedelta(days=7)


class Health(StrEnum):
    """How a certificate stands, in the order of a listing's groups (`Certificate.place`)."""

    NEEDS_SOMEBODY = "needs_somebody"
    UNDER_WAY = "under_way"
    WELL = "well"


class Result(StrEnum):
    """How an attempt to get a certificate ended."""

    INSTALLED = "installed"
    FAILED = "failed"


RESULTS: Mapping[Event, Result] = {
    Event.VERIFIED: Result.INSTALLED,
    # it lies on every target, and only the proof is owed
    Event.UNPROVED: Result.INSTALLED,
    Event.ATTEMPT_FAILED: Result.FAILED,
}
"""The events of the history that end an attempt."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many certificates, or attempts, fall into one week."""

    week: int
    """Counted from a given moment on, 0 being the seven days that begin with it; -1: before it."""
    what: str
    """A `Health` or a `Result`."""
    count: int


@dataclass(frozen=True, slots=True)
class Excerpt:
    """One page of certificates."""

    certificates: tuple[Certificate, ...] = ()
    positions: tuple[Position, ...] = ()
    """Where each of them stands."""
    before: Position | None = None
    """Where the one before the first stands: this page is what comes behind it. None: there is none."""
    more: bool = False
    """Whether there are others behind the last."""
