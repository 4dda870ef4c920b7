"""Pieces of an SVG drawing. Pure; every text is escaped."""

from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape

INK, GREY, GRID, PAPER = "#1f2933", "#5f6b78", "#e1e5ea", "#ffffff"
_BAD, _PALE = "#b5382a", "#e9a79e"
STRIPES = (
    '<defs><pattern id="stripes" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="7" height="7" fill="{_BAD}"/><rect width="2" height="7" fill="{_PALE}"/></pattern></defs>'
)
"""The fill ``url(#stripes)``."""


@dataclass(frozen=True, slots=True)
class Label:
    """How a text looks; ``size`` in units of the drawing, ``anchor`` as in SVG: start, middle or end."""

    size: int
    colour: str = INK
    anchor: str = "start"


def document(width: int, height: int, family: str, drawn: Iterable[str]) -> str:
    """Return a whole drawing."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' font-family="{family}, sans-serif">'
    )
    paper = f'<rect width="{width}" height="{height}" fill="{PAPER}"/>'
    return "\n".join([head, STRIPES, paper, *drawn, "</svg>", ""])


def text(x: float, y: float, words: str, label: Label) -> str:
    """Return a line of text whose base line is at ``y``."""
    look = f'font-size="{label.size}" fill="{label.colour}" text-anchor="{label.anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(words)}</text>'


def bar(x: float, y: float, width: float, height: float, fill: str) -> str:
    """Return a filled rectangle."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    """Return a line of the grid."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{GRID}"/>'


def nice(most: int) -> tuple[int, int]:
    """Return a round number that is not below ``most`` (0 or more), and into how many equal steps it parts.

    It is 1, 2, 2.5, 5 or 10 times a power of ten times the number of steps, so that each step is a whole number.
    """
    if most <= 4:
        return (max(most, 1), max(most, 1))
    step = 1
    for power in range(len(str(most))):
        for times in (1, 2, 2.5, 5):
            step = int(times * 10**power)
            if step == times * 10**power and step * 4 >= most:
                return step * 4, 4
    return step * 8, 4
