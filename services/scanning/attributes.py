"""How the value of an attribute is read: one URL, several, candidates of an image set, the target of a refresh."""

import re
from collections.abc import Callable, Iterable

Reader = Callable[[str], Iterable[str]]
"""From an attribute's value to the URLs in it, as they are written."""

_REFRESH = re.compile(
    r"""\s*(?:[0-9]+(?:\.[0-9.]*)?|\.[0-9.]+)\s*[;,\s]\s*(?:url\s*=\s*)?(?:"([^"]*).*|'([^']*).*|(.*))""",
    re.IGNORECASE | re.DOTALL,
)
"""HTML §4.2.5.3, shared declarative refresh steps."""
_SPACE = " \t\n\r\f"


def one(value: str) -> Iterable[str]:
    """Return the value itself."""
    return (value,)


def spaced(value: str) -> Iterable[str]:
    """Return what stands between white space."""
    return value.split()


def listed(value: str) -> Iterable[str]:
    """Return what stands between semicolons."""
    return value.split(";")


def refresh(value: str) -> Iterable[str]:
    """Return where a ``<meta http-equiv=refresh>`` leads; nothing if it only loads the page again."""
    match = _REFRESH.fullmatch(value)
    return (next((group for group in match.groups() if group), ""),) if match else ()


def srcset(value: str) -> Iterable[str]:
    """Return the URLs of an image set (HTML §4.8.4.3.10, parsing a srcset attribute)."""
    found: list[str] = []
    place, end = 0, len(value)
    while place < end:
        while place < end and value[place] in _SPACE + ",":
            place += 1
        start = place
        while place < end and value[place] not in _SPACE:
            place += 1
        url = value[start:place]
        if not url:
            break
        found.append(url.rstrip(","))
        if not url.endswith(","):
            place = _past_descriptors(value, place)
    return found


def _past_descriptors(value: str, place: int) -> int:
    """Return where the next candidate begins: behind the first comma that stands outside parentheses."""
    depth = 0
    while place < len(value):
        character = value[place]
        if character == "(":
            depth += 1
        elif character == ")" and depth:
            depth -= 1
        elif character == "," and not depth:
            return place + 1
        place += 1
    return place
