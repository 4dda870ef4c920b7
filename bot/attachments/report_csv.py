"""The report's figures as a table: one line for each count."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

HEADER = ("what", "week_begins", "which", "certificates")


def table(facts: Mapping[str, Any]) -> bytes:
    """Return the table as CSV (RFC 4180) in UTF-8; ``facts`` as `commands.report.to_json` returns them.

    ``what`` is ``ends`` (of certificates, by health), ``results`` (of attempts, by result) or ``blockers`` (by finding
    code); ``week_begins`` is a moment in UTC, or ``expired`` or ``later`` for ends outside of the weeks ahead.
    """
    written = io.StringIO()
    csv.writer(written).writerows([HEADER, *_lines(facts)])
    return written.getvalue().encode()


def _lines(facts: Mapping[str, Any]) -> Iterator[tuple[str, str, str, int]]:
    weeks = [("expired", facts["expired"]), *((week["begins"], week) for week in facts["weeks"])]
    for begins, counts in (*weeks, ("later", facts["later"])):
        yield from (("ends", begins, which, n) for which, n in counts.items() if which != "begins")
    for week in facts["past"]:
        yield from (("results", week["begins"], which, n) for which, n in week.items() if which != "begins")
    for blocker in facts["blockers"]:
        yield "blockers", "", blocker["code"], blocker["certificates"]
