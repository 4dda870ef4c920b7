"""Where an insecure URL stands in a theme's source, and the change that mends it, as a unified diff; pure."""

import re
from collections.abc import Iterable, Mapping
from difflib import unified_diff
from html import escape

MOST_PLACES = 5
"""How many places of one URL are named."""


def places(files: Mapping[str, str], url: str) -> tuple[str, ...]:
    """Return where ``url`` stands, as FILE:LINE, in the order of the files."""
    pattern = _pattern((url,))
    found = [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
        for path, text in sorted(files.items())
        for match in pattern.finditer(text)
    ]
    return tuple(found[:MOST_PLACES])


def patch(files: Mapping[str, str], urls: Iterable[str]) -> str:
    """Return the unified diff that changes http:// to https:// in each of ``urls``, wherever they stand; empty if nowhere."""
    wanted = tuple(urls)
    if not wanted:
        return ""
    pattern = _pattern(wanted)
    parts: list[str] = []
    for path, text in sorted(files.items()):
        changed = pattern.sub(_secured, text)
        if changed != text:
            parts += unified_diff(
                text.splitlines(keepends=True), changed.splitlines(keepends=True), f"a/{path}", f"b/{path}"
            )
    return "".join(
        part if part.endswith("\n") else f"{part}\n\\ No newline at end of file\n" for part in parts
    )


def _secured(match: re.Match[str]) -> str:
    return match[1] + "s" + match[2]


def _pattern(urls: Iterable[str]) -> re.Pattern[str]:
    """Return what finds the URLs as they are written in HTML, CSS or a script, the longest first, and nothing longer than them."""
    written = {form for url in urls for form in (url, escape(url), url.replace("/", "\\/"))}
    several = "|".join(
        f"{re.escape(one.partition(':')[2])}" for one in sorted(written, key=len, reverse=True)
    )
    return re.compile(rf"\b(http|ws)(:(?:{several}))(?![\w/%&=?+-])", re.IGNORECASE)
