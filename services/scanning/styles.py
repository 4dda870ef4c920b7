"""What a style sheet loads (CSS Syntax 3, CSS Values 4 §4.5): url(), @import, image-set(), @font-face; comments and selectors do not count."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import tinycss2

from services.model.scans import Kind

_WORTH = re.compile(r"http:|ws:|@import|\\0{0,4}(?:[4-7][0-9a]|3a|2f)", re.IGNORECASE)
"""What any sheet has that loads something insecure, or another sheet: in escapes as well."""
_DEAD = frozenset({"behavior", "-ms-behavior", "-moz-binding"})
"""Properties that no browser loads anything for any more."""
_SETS = frozenset({"image-set", "-webkit-image-set"})
_FUNCTIONS = frozenset({"url", "src"})
_BLOCKS = frozenset(
    {
        "container",
        "counter-style",
        "font-face",
        "font-feature-values",
        "font-palette-values",
        "function",
        "keyframes",
        "-webkit-keyframes",
        "layer",
        "media",
        "page",
        "position-try",
        "property",
        "scope",
        "starting-style",
        "supports",
        "view-transition",
    }
)
"""At-rules with a block; behind one of them no @import counts, but behind one that no browser knows (CSS Cascade 5 §2)."""
MOST_DEPTH = 64
"""Blocks within blocks; deeper ones are not looked into."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One URL in a style sheet, as it is written."""

    url: str
    name: str
    """The property, or ``@import``, in which it stands."""
    kind: Kind
    line: int
    """Within the text, from 1 on."""


def references(text: str, base: str = "") -> Iterator[Reference]:
    """Yield what the style sheet ``text`` loads, in its order, @imports included; ``base`` is what it is read below.

    A text in which nothing insecure can stand is not read at all.
    """
    if not (_WORTH.search(text) or base.startswith("http:")):
        return
    head = True
    for rule in tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True):
        if rule.type == "at-rule":
            if rule.lower_at_keyword == "import" and head:
                yield from _import(rule)
            elif rule.content is not None:
                yield from _block(rule.content, rule.lower_at_keyword)
            head = head and not _ends_imports(rule)
        elif rule.type == "qualified-rule":
            head = False
            yield from _block(rule.content, "")


def _ends_imports(rule: Any) -> bool:
    """Tell whether no @import counts behind this at-rule."""
    if rule.content is None:
        return bool(rule.lower_at_keyword == "namespace")
    return rule.lower_at_keyword in _BLOCKS


def in_declarations(text: str, base: str = "") -> Iterator[Reference]:
    """Yield what a style attribute loads."""
    if _WORTH.search(text) or base.startswith("http:"):
        yield from _block(text, "")


def _import(rule: Any) -> Iterator[Reference]:
    """Yield the sheet that an @import names: its first token that is not white space."""
    for token in rule.prelude:
        if token.type in ("whitespace", "comment"):
            continue
        url = _url(token) if token.type != "string" else token.value
        if url:
            yield Reference(url, "@import", Kind.BLOCKABLE, token.source_line)
        return


def _block(content: Any, keyword: str) -> Iterator[Reference]:
    """Yield what the declarations of a block load, and those of the blocks within it."""
    waiting: list[tuple[Any, str, int]] = [(content, keyword, 0)]
    while waiting:
        content, keyword, depth = waiting.pop()
        inner: list[tuple[Any, str, int]] = []
        for part in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
            if part.type == "declaration":
                yield from _declaration(part, keyword)
            elif (
                part.type in ("at-rule", "qualified-rule") and part.content is not None and depth < MOST_DEPTH
            ):
                name = part.lower_at_keyword if part.type == "at-rule" else ""
                inner.append((part.content, name, depth + 1))
        waiting += reversed(inner)


def _declaration(declaration: Any, keyword: str) -> Iterator[Reference]:
    name = declaration.name if declaration.name.startswith("--") else declaration.lower_name
    if name in _DEAD:
        return
    if name.startswith("--"):
        kind = Kind.LIKELY
    elif keyword == "font-face":
        kind = Kind.BLOCKABLE
    else:
        kind = Kind.UPGRADEABLE
    for url, line in _urls(declaration.value):
        yield Reference(url, name, kind, line)


def _urls(tokens: Iterable[Any]) -> Iterator[tuple[str, int]]:
    """Yield each URL within the tokens of a value, with its line; in an image set bare strings are URLs too."""
    waiting: list[tuple[Any, bool]] = [(token, False) for token in reversed(list(tokens))]
    while waiting:
        token, in_set = waiting.pop()
        url = token.value if token.type == "string" and in_set else _url(token)
        if url:
            yield url, token.source_line
        elif token.type == "function" and token.lower_name not in _FUNCTIONS:
            within = token.lower_name in _SETS
            waiting += [(argument, within) for argument in reversed(token.arguments)]
        elif token.type in ("() block", "[] block", "{} block"):
            waiting += [(part, False) for part in reversed(token.content)]


def _url(token: Any) -> str:
    """Return the URL of ``url(x)`` or ``url("x")``; empty for anything else."""
    if token.type == "url":
        return str(token.value)
    if token.type == "function" and token.lower_name in _FUNCTIONS:
        return next((str(part.value) for part in token.arguments if part.type == "string"), "")
    return ""
