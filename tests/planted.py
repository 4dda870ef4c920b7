"""The fixture site of scans: every insecure URL in it says what it is.

``planted-CLASS-ID`` is a problem of that class; ``trap-WORDS`` looks like one and is none. The id's letter: ``x``, a browser
that only opens the page asks for nothing (a click, a rule that fits nothing, an icon, a script); ``n``, only a browser
without scripts does; ``u``, the page's policy mitigates it.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from services.model.scans import Found
from services.scanning import pages, sheets

SITE = Path(__file__).with_name("fixtures") / "scanning"
HOST = "shop.moon.test"
PAGES = tuple(sorted(path.name for path in SITE.glob("*.html")))
_LABEL = re.compile(r"planted-([a-z]+)-([a-z]?)([0-9]+)")
_TRAP = re.compile(r"trap-[a-z-]+")


@dataclass(frozen=True, slots=True, order=True)
class Planted:
    """One problem of the fixture site."""

    number: int
    kind: str
    mark: str
    source: str
    """Name of the file."""
    line: int


def planted() -> tuple[Planted, ...]:
    """Return every problem of the fixture site, by number."""
    found = []
    for path in sorted(SITE.iterdir()):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found += [
                Planted(int(n), kind, mark, path.name, number) for kind, mark, n in _LABEL.findall(line)
            ]
    return tuple(sorted(found))


def traps() -> frozenset[str]:
    """Return every trap of the fixture site."""
    return frozenset(
        trap for path in SITE.iterdir() for trap in _TRAP.findall(path.read_text(encoding="utf-8"))
    )


def label(url: str) -> tuple[int, str] | None:
    """Return number and class of what is planted at this URL; None for a trap, or something unforeseen."""
    labels = _LABEL.findall(url)
    return None if not labels or "trap-" in url else (int(labels[-1][2]), labels[-1][0])


def url(name: str) -> str:
    """Return the URL of a file of the fixture site."""
    return f"https://{HOST}/{name}"


def text(name: str) -> str:
    """Return the text of a file of the fixture site."""
    return (SITE / name).read_text(encoding="utf-8")


def found() -> list[Found]:
    """Return what is found on all pages and in their own style sheets."""
    every: list[Found] = []
    for name in PAGES:
        page = pages.read(text(name), url(name), lambda host: host == HOST)
        every += page.found
        waiting = [sheet for sheet in page.sheets if sheet.startswith(url(""))]
        while waiting:
            sheet = waiting.pop(0)
            read = sheets.read(text(sheet.removeprefix(url(""))), sheet, page.mitigations)
            every += read.found
            waiting += [one for one in read.sheets if one.startswith(url(""))]
    return every
