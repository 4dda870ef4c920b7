"""Where insecure URLs stand in a theme's source, and the change that mends them, as a unified diff; pure, and in time that grows with the source alone."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise

MOST_PLACES = 5
"""How many places of one URL are named."""
_CONTEXT = 3
"""Lines around a change that a diff shows."""
_SCHEME = re.compile(r"\b(?:http|ws)(?=:\\?/)", re.IGNORECASE)
_GOES_ON = re.compile(r"[\w/%&=?+-]")
"""What makes a URL another, longer one."""
_FOREIGN = "\N{REPLACEMENT CHARACTER}"
"""Stands in a text that was not UTF-8, of which no diff could be applied."""


@dataclass(frozen=True, slots=True)
class _Place:
    url: str
    end: int
    """Where the scheme ends."""


def places(files: Mapping[str, str], urls: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """Return for each of ``urls`` where it stands, as FILE:LINE in the order of the files; the first few of them."""
    written = _Written(urls)
    named: dict[str, list[str]] = {}
    for path, text in sorted(files.items()):
        line, counted = 1, 0
        for place in written.within(text):
            line += text.count("\n", counted, place.end)
            counted = place.end
            so_far = named.setdefault(place.url, [])
            if len(so_far) < MOST_PLACES:
                so_far.append(f"{path}:{line}")
    return {url: tuple(where) for url, where in named.items()}


def patch(files: Mapping[str, str], urls: Collection[str]) -> str:
    """Return the unified diff that changes http:// to https:// in each of ``urls``, wherever they stand; empty if nowhere.

    `git apply` and `patch` take it; lines end where these end them, at line feeds alone.
    """
    written = _Written(urls)
    diffs = []
    for path, text in sorted(files.items()):
        ends = [place.end for place in written.within(text)] if _FOREIGN not in text else []
        if ends:
            bounds = [0, *ends, len(text)]
            secured = "s".join(text[a:b] for a, b in pairwise(bounds))
            diffs.append(_diff(path, text.split("\n"), secured.split("\n")))
    return "".join(diffs)


class _Written:
    """The URLs as they are written in HTML, CSS or a script."""

    def __init__(self, urls: Iterable[str]) -> None:
        forms = {
            form.partition(":")[2].lower(): url
            for url in urls
            for form in (url, escape(url), url.replace("/", "\\/"))
        }
        self._shortest = min(map(len, forms), default=0)
        self._by_beginning: dict[str, list[tuple[str, str]]] = {}
        for form in sorted(forms, key=len, reverse=True):
            self._by_beginning.setdefault(form[: self._shortest], []).append((form, forms[form]))

    def within(self, text: str) -> Iterator[_Place]:
        """Yield each place of one of them, in order; where one begins like another, the longest, and nothing longer than it."""
        if not self._shortest:
            return
        for match in _SCHEME.finditer(text):
            start = match.end() + 1
            beginning = text[start : start + self._shortest].lower()
            for form, url in self._by_beginning.get(beginning, ()):
                end = start + len(form)
                if text[start:end].lower() == form and not _GOES_ON.match(text, end):
                    yield _Place(url, match.end())
                    break


def _diff(path: str, old: list[str], new: list[str]) -> str:
    """Return the diff of one file, of which lines were changed and none added or taken away."""
    changed = [number for number, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
    hunks: list[list[int]] = []
    for number in changed:
        if hunks and number - hunks[-1][-1] <= 2 * _CONTEXT + 1:
            hunks[-1].append(number)
        else:
            hunks.append([number])
    last = len(old) if old[-1] else len(old) - 1  # behind a line feed at the end there is no line
    named = f"{path}\t" if " " in path else path  # else `patch` takes what stands behind the space for a date
    shown = [f"--- a/{named}", f"+++ b/{named}"]
    for hunk in hunks:
        begin, end = max(0, hunk[0] - _CONTEXT), min(last, hunk[-1] + _CONTEXT + 1)
        shown.append(f"@@ -{begin + 1},{end - begin} +{begin + 1},{end - begin} @@")
        for same, numbers in groupby(range(begin, end), lambda number: old[number] == new[number]):
            run = list(numbers)
            for mark, lines in ((" ", old),) if same else (("-", old), ("+", new)):
                shown += [f"{mark}{lines[number]}" for number in run]
                if run[-1] == len(old) - 1:
                    shown.append("\\ No newline at end of file")
    return "\n".join(shown) + "\n"
