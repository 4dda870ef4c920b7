"""Port: the fleet in parts and page by page, so that a look at it costs what is shown, however many there are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.model.fleet import Counts, Excerpt, Portion, Position, Tally

Stores = frozenset[str] | None
"""The stores that are meant; None: all of them."""


class Fleet(Protocol):
    """Certificates as a person looks through them. What is empty is an empty answer, never an error."""

    def counts(self, stores: Stores, now: datetime) -> Counts:
        """Return how many certificates there are; expired and ending as of ``now``."""
        ...

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
        """Return ``size`` certificates of ``portion``, worst first (as `Certificates.listing`), by id where alike.

        They begin behind ``after``, or end right before ``before``; without either at the beginning. Positions are
        those of `Excerpt`; what stood there may have moved or gone. No position of another order may be given.
        """
        ...

    def search(
        self,
        prefix: str,
        stores: Stores,
        size: int,
        *,
        after: Position | None = None,
        before: Position | None = None,
    ) -> Excerpt:
        """Return certificates with a wanted name, or a domain, or a store that begins with ``prefix``, each once.

        They are sorted by the first of these that does, then by id. ``prefix`` is compared byte by byte, with names as
        they are kept (A-labels, lower case). Nothing is found for an empty one.
        """
        ...

    def ends(self, stores: Stores, now: datetime, weeks: int) -> Sequence[Tally]:
        """Return how many certificates end in each of ``weeks`` weeks from ``now`` on, by `Health`.

        Week -1 is what has ended by ``now`` (a certificate is not valid at the moment of its end any more), the week
        numbered ``weeks`` what ends later than all of them. What was never issued, or is retired, ends never. A week and
        health with none is left out; sorted by week, then health.
        """
        ...

    def results(self, stores: Stores, since: datetime, weeks: int) -> Sequence[Tally]:
        """Return how many attempts ended in each of ``weeks`` weeks from ``since`` on, by `Result`.

        What happened earlier or later is left out, as is a week and result with none; sorted by week, then result.
        """
        ...
