"""The fleet in parts and page by page, in memory."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from services.model.certificates import Certificate
from services.model.fleet import RESULTS, WEEK, Counts, Excerpt, Portion, Position, Tally
from services.model.lifecycle import State
from storage import records
from storage.memory.tables import MemoryRepository
from storage.records.certificates import GROUP
from storage.records.fleet import GROUPS, HEALTH, Span, spans, week_of

Placed = tuple[Position, Certificate]
Stores = frozenset[str] | None


class MemoryFleet(MemoryRepository):
    """`services.ports.Fleet`."""

    __slots__ = ()

    def counts(self, stores: Stores, now: datetime) -> Counts:
        """Return how many certificates there are; expired and ending as of ``now``."""
        rows = list(self._of(stores))
        installed = [row for row in rows if row.state is State.INSTALLED]
        return Counts(
            Counter(row.state for row in rows),
            sum(row.place[0] != GROUPS[-1] for row in installed),
            len(self._placed(Portion.EXPIRED, stores, now)),
            len(self._placed(Portion.ENDING, stores, now)),
        )

    def page(
        self,
        portion: Portion,
        stores: Stores,
        now: datetime,
        size: int,
        *,
        after: Position | None = None,
        before: Position | None = None,
    ) -> Excerpt:
        """Return ``size`` certificates of ``portion``, worst first."""
        return _excerpt(self._placed(portion, stores, now), size, after, before)

    def search(
        self,
        prefix: str,
        stores: Stores,
        size: int,
        *,
        after: Position | None = None,
        before: Position | None = None,
    ) -> Excerpt:
        """Return certificates with a wanted name, or a domain, or a store that begins with ``prefix``, each once."""
        found: list[Placed] = []
        for row in self._of(stores) if prefix else ():
            if row.state is State.RETIRED:
                continue
            terms = [term for term in (*row.wanted, row.domain, row.store) if term.startswith(prefix)]
            if terms:
                found.append(((min(terms), row.id), row))
        return _excerpt(sorted(found, key=lambda one: one[0]), size, after, before)

    def ends(self, stores: Stores, now: datetime, weeks: int) -> tuple[Tally, ...]:
        """Return how many certificates end in each of ``weeks`` weeks from ``now`` on, by `Health`."""
        placed = [records.urgency(row) for row in self._of(stores)]
        found = [(week_of(urgency, now, weeks), urgency // GROUP) for urgency in placed]
        return _tallied((week, HEALTH[group].value) for week, group in found if week is not None)

    def results(self, stores: Stores, since: datetime, weeks: int) -> tuple[Tally, ...]:
        """Return how many attempts ended in each of ``weeks`` weeks from ``since`` on, by `Result`."""
        ends = {event.value: result for event, result in RESULTS.items()}
        happened = [one for row in self._of(stores) for one in self._tables.history.get(row.id, ())]
        found = [((one.at - since) // WEEK, ends[one.what].value) for one in happened if one.what in ends]
        return _tallied((week, what) for week, what in found if 0 <= week < weeks)

    def _of(self, stores: Stores) -> Iterator[Certificate]:
        rows = self._tables.certificates.values()
        return (row for row in rows if stores is None or row.store in stores)

    def _placed(self, portion: Portion, stores: Stores, now: datetime) -> list[Placed]:
        wanted = spans(portion, now)
        placed: list[Placed] = [
            ((records.urgency(row), row.domain, row.id), row)
            for row in self._of(stores)
            if any(_within(row, span) for span in wanted)
        ]
        return sorted(placed, key=lambda one: one[0])


def _tallied(found: Iterable[tuple[int, str]]) -> tuple[Tally, ...]:
    return tuple(Tally(week, what, count) for (week, what), count in sorted(Counter(found).items()))


def _within(row: Certificate, span: Span) -> bool:
    return span.low <= records.urgency(row) < span.high and span.state in (None, row.state)


def _excerpt(placed: list[Placed], size: int, after: Position | None, before: Position | None) -> Excerpt:
    if before is not None:
        first = [one for one in placed if one[0] < before]
        start = max(len(first) - size, 0)
        preceding = first[start - 1][0] if start else None
        return _made(first[start:], preceding, more=True)
    rest = [one for one in placed if after is None or one[0] > after]
    return _made(rest[:size], after, more=len(rest) > size)


def _made(shown: list[Placed], before: Position | None, *, more: bool) -> Excerpt:
    return Excerpt(tuple(row for _, row in shown), tuple(at for at, _ in shown), before, more)
