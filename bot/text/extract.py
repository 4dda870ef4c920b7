"""Finds every sentence for people in the sources: each `say`, `say_n`, `Phrase` and `Forms`, whose templates are literals.

A template may also be a name that stands for literals alone, in the function or in its module. Anything else is a place
that cannot be read, and is named, so that no sentence stays out of the catalogues unseen.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.text.uses import uses

ROOMS = ("bot", "commands", "services", "storage")
APART = ("bot/demo/",)
"""The demo tells its story in English."""
_SAYERS = {"say": 1, "say_n": 2, "Phrase": 1, "Forms": 2}
"""What makes a sentence, and how many templates it takes."""


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence of the catalogues: its English template, that of its plural if it has one, and where it stands."""

    one: str
    many: str = ""
    files: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    """What it is besides a sentence, such as a button, which limits its length: keys of `bot.text.uses.USES`."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What was found in the sources."""

    messages: tuple[Message, ...]
    """Sorted by their first file, then by their template, so that a new one changes no other's place."""
    unread: tuple[str, ...]
    """Places (file:line) whose template is no literal."""
    clashes: tuple[str, ...]
    """Templates that have a plural in one place and none, or another one, in another."""


def extract(root: Path) -> Sources:
    """Return the sentences of the sources below ``root``."""
    found: dict[str, _Entry] = {}
    unread: list[str] = []
    clashes: list[str] = []
    for path in sorted(path for room in ROOMS for path in (root / room).rglob("*.py")):
        file = path.relative_to(root).as_posix()
        if file.startswith(APART) or file == "services/model/text.py":
            continue
        module = Module(ast.parse(path.read_text(encoding="utf-8")))
        limits = uses(module)
        for call in module.calls(_SAYERS):
            templates = module.templates(call)
            if templates is None:
                unread.append(f"{file}:{call.lineno}")
            for one, many in templates or ():
                entry = found.setdefault(one, _Entry(many))
                if entry.many != many:
                    clashes.append(one)
                entry.files.add(file)
                entry.uses |= limits.get(call, set())
    messages = (
        Message(one, entry.many, tuple(sorted(entry.files)), tuple(sorted(entry.uses)))
        for one, entry in found.items()
        if one  # the empty template is gettext's header
    )
    ordered = sorted(messages, key=lambda message: (message.files[0], message.one))
    return Sources(tuple(ordered), tuple(unread), tuple(clashes))


@dataclass(slots=True)
class _Entry:
    many: str
    files: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)


Scope = Mapping[str, list[ast.expr | None]]
"""What each name of a function or module is bound to; None for what cannot be read, such as a parameter."""


class Module:
    """A parsed module in which names can be looked up from any of its calls."""

    def __init__(self, tree: ast.Module) -> None:
        self._scopes: dict[ast.Call, tuple[Scope, ...]] = {}
        self._walk(tree, (_bindings(tree),))

    def calls(self, names: Iterable[str]) -> Iterator[ast.Call]:
        """Yield the calls of functions with these names, in the order of the text."""
        for call in sorted(self._scopes, key=lambda call: (call.lineno, call.col_offset)):
            if isinstance(call.func, ast.Name) and call.func.id in names:
                yield call

    def every(self) -> Iterator[ast.Call]:
        """Yield all calls."""
        yield from self._scopes

    def bound(self, name: str, at: ast.Call) -> list[ast.expr | None]:
        """Return everything that ``name`` is bound to where the call ``at`` stands; nothing for a name from elsewhere."""
        return next((scope[name] for scope in reversed(self._scopes[at]) if name in scope), [])

    def templates(self, call: ast.Call) -> list[tuple[str, str]] | None:
        """Return the pairs of templates (one, many) that a call can have; None if they cannot be read."""
        assert isinstance(call.func, ast.Name)  # noqa: S101 - `calls` yields no other
        count = _SAYERS[call.func.id]
        given = [self._literals(each, call) for each in call.args[:count]]
        if len(given) < count or not all(given):
            return None
        if count == 1:
            return [(one, "") for one in given[0] or ()]
        return list(zip(given[0] or (), given[1] or (), strict=True))

    def _literals(self, expression: ast.expr | None, at: ast.Call) -> list[str] | None:
        if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
            return [expression.value]
        if isinstance(expression, ast.IfExp):
            return _all([self._literals(each, at) for each in (expression.body, expression.orelse)])
        if isinstance(expression, ast.Name):
            return _all([self._literals(each, at) for each in self.bound(expression.id, at)])
        return None

    def _walk(self, node: ast.AST, scopes: tuple[Scope, ...]) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Call):
                self._scopes[child] = scopes
            inner = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            self._walk(child, (*scopes, _bindings(child)) if inner else scopes)


def _all(parts: list[list[str] | None]) -> list[str] | None:
    """Return all the parts together; None if there are none, or one is missing."""
    return [each for part in parts if part for each in part] if parts and all(parts) else None


def _bindings(scope: ast.AST) -> Scope:
    """Return what a function's or module's own statements bind its names to, classes and inner functions left out."""
    bound: dict[str, list[ast.expr | None]] = {}
    if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        every = (*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs)
        bound |= {argument.arg: [None] for argument in every}
    for node in _own(scope):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                bound.setdefault(name, []).append(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                bound.setdefault(name, []).append(value)
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                bound.setdefault(name, []).append(value)
            case ast.Assign(targets=targets):
                _unread(bound, *targets)
            case ast.AugAssign(target=target) | ast.For(target=target) | ast.comprehension(target=target):
                _unread(bound, target)
            case ast.withitem(optional_vars=ast.expr() as target):
                _unread(bound, target)
    return bound


def _unread(bound: dict[str, list[ast.expr | None]], *targets: ast.expr) -> None:
    for part in (part for target in targets for part in ast.walk(target)):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            bound.setdefault(part.id, []).append(None)


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a scope, not going into functions that have a scope of their own."""
    for child in ast.iter_child_nodes(scope):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield from _own(child)
