"""What a sentence is used as where its length is limited: a button, a modal's title. Read from the sources."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Use:
    """A place with little room."""

    what: str
    """For translators."""
    most: int
    """UTF-16 units, in every language."""


USES: Mapping[str, Use] = {
    "button": Use(
        "a button", 30
    ),  # Slack takes 75, and shows about 30; of a confirmation's button it takes 30
    "menu": Use("what a menu shows before something is chosen", 30),
    "option": Use("a choice of a menu, or beside a tick box", 75),
    "question": Use("what is asked before a button does it", 300),
    "word": Use("the title or a button of a modal", 24),
}
"""Slack's limits, or less where more is not readable (see `bot.slack.limits`)."""

_ARGUMENTS: Mapping[str, tuple[tuple[int, str, str], ...]] = {
    # call -> (position, keyword, use)
    "Button": ((2, "label", "button"), (4, "confirm", "question")),
    "Menu": ((1, "label", "menu"), (2, "options", "option")),
    "Sheet": ((1, "title", "word"), (3, "submit", "word")),
    "Choice": ((2, "options", "option"),),
}
_LIMITS: Mapping[str, str] = {"MAX_CONFIRM_BUTTON": "button", "MAX_VIEW_WORD": "word"}
"""Limits that are given as the second argument, and what is cut to them."""
_DEEP = 6
"""Names that lead to names: so many are followed."""


class Lookup(Protocol):
    """What is needed of a parsed module."""

    def calls(self, names: Mapping[str, object]) -> Iterator[ast.Call]:
        """Yield the calls of these functions."""
        ...

    def every(self) -> Iterator[ast.Call]:
        """Yield all calls."""
        ...

    def bound(self, name: str, at: ast.Call) -> list[ast.expr | None]:
        """Return what a name is bound to where a call stands."""
        ...


def uses(module: Lookup) -> dict[ast.Call, set[str]]:
    """Return for calls of `say` and the like what their sentence is used as, in so far as the module itself shows it."""
    found: dict[ast.Call, set[str]] = {}
    for call in module.every():
        for expression, use in _limited(call):
            for said in _reached(module, expression, call, _DEEP):
                found.setdefault(said, set()).add(use)
    return found


def _limited(call: ast.Call) -> Iterator[tuple[ast.expr, str]]:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    for place, keyword, use in _ARGUMENTS.get(name, ()):
        if len(call.args) > place:
            yield call.args[place], use
        elif keyword in keywords:
            yield keywords[keyword], use
    match call.args:
        case [expression, ast.Name(id=limit), *_] if limit in _LIMITS:
            yield expression, _LIMITS[limit]


def _reached(module: Lookup, expression: ast.expr, at: ast.Call, deep: int) -> Iterator[ast.Call]:
    """Yield the calls in an expression, and in what its names stand for."""
    for node in ast.walk(expression):
        if isinstance(node, ast.Call):
            yield node
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and deep:
            for bound in module.bound(node.id, at):
                if bound is not None:
                    yield from _reached(module, bound, at, deep - 1)
