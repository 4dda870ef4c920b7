"""Port: publications, which say which revision is answered with for a name at a target that is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Publication:
    """What is answered with for one name at one target."""

    name: str
    revision: str | None
    """None: it was, and is no more."""
    version: int
    """Grows with each change at the target: who has seen one has seen all with a smaller one."""


class Publications(Protocol):
    """Which revision each name leads to, for each target."""

    def put(self, target: str, names: Sequence[str], revision: str | None) -> int:
        """Let these names lead to ``revision`` at ``target``, all of them under one new version, and return that.

        None takes them away. Where all of them lead there already nothing changes, and the version is the present one. Of
        two transactions at once the later one has the higher version, and nobody sees that without the earlier one.
        """
        ...

    def get(self, target: str, name: str) -> str | None:
        """Return the revision that exactly ``name`` leads to; None if there is none."""
        ...

    def since(self, target: str, version: int) -> Sequence[Publication]:
        """Return what changed after ``version`` (0: everything), by version and name."""
        ...

    def used(self, target: str, revision: str) -> bool:
        """Tell whether any name leads to the revision."""
        ...
