"""All that a scan found, as a table: one line for each place of each insecure URL."""

import csv
import io
from collections.abc import Mapping
from typing import Any

HEADER = (
    "page",
    "url",
    "element",
    "attribute",
    "source",
    "line",
    "class",
    "mitigated",
    "advice",
    "why",
    "theme",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH COMMERCIAL AT}")
"""What a spreadsheet takes a cell for a formula by that begins with it."""


def table(facts: Mapping[str, Any]) -> bytes:
    """Return the table as CSV (RFC 4180) in UTF-8; ``facts`` as `commands.scan_view.facts` returns them.

    The URLs are whatever a store's pages hold: no cell is one that a spreadsheet would take for a formula.
    """
    written = io.StringIO()
    lines = ([cell(problem[column]) for column in HEADER] for problem in facts["problems"])
    csv.writer(written).writerows([HEADER, *lines])
    return written.getvalue().encode()


def cell(value: object) -> str:
    """Return what stands in a cell: a text that begins like a formula has an apostrophe in front."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
