"""How much is kept of one page: however much a hostile one holds, what is said of it stays small."""

from dataclasses import dataclass

MOST_FOUND = 2_000
"""Insecure URLs on one page, or in one style sheet."""
MOST_PIECES = 500
"""Pieces of mark-up and of style within others: in strings of scripts, templates and frames."""
MOST_LINKS = 5_000
MOST_NAME = 60
"""Characters of the name of an element or attribute, which a page makes up."""


@dataclass(slots=True)
class Room:
    """What is left of it while one page is read."""

    found: int = MOST_FOUND
    pieces: int = MOST_PIECES
    cut: bool = False
    """Whether something was left out."""

    def for_one(self) -> bool:
        """Take room for one more URL; False if there is none."""
        self.found -= 1
        self.cut = self.cut or self.found < 0
        return self.found >= 0

    def for_a_piece(self) -> bool:
        """Take room for one more piece; False if there is none."""
        self.pieces -= 1
        self.cut = self.cut or self.pieces < 0
        return self.pieces >= 0
