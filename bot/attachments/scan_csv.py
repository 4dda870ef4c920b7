"""All that a scan found, as a table: one line for each place of each insecure URL."""

import csv
import io
import re
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
_FORMULA = re.compile(r"(^|[;\t\r\n|])(\s*)(?=[=+\-@\t\r\n＝＋－＠])")  # noqa: RUF001 - the full-width ones are meant
"""Where a spreadsheet may take what follows for a formula: at the beginning, and behind what it may part cells at by its language."""


def table(facts: Mapping[str, Any]) -> bytes:
    """Return the table as CSV (RFC 4180) in UTF-8; ``facts`` as `commands.scan_view.facts` returns them.

    The URLs are whatever a store's pages hold: no cell is one that a spreadsheet would take for a formula.
    """
    written = io.StringIO()
    lines = ([cell(problem[column]) for column in HEADER] for problem in facts["problems"])
    csv.writer(written).writerows([HEADER, *lines])
    return written.getvalue().encode()


def cell(value: object) -> str:
    """Return what stands in a cell: whatever begins like a formula has an apostrophe in front."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return _FORMULA.sub(r"\1'\2", text)
