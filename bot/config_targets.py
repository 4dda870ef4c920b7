"""The keys of deploy targets, made from the table of kinds: each kind's entry has the fields of its settings."""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, get_type_hints

from pydantic import Field as Key
from pydantic import PlainValidator, create_model, model_validator

from bot.config_section import Section
from bot.config_values import Arguments, Whole
from bot.targets import DEFAULT, KINDS

TYPES: Mapping[object, object] = {tuple[str, ...]: Arguments, int: Whole}
"""Types of settings whose keys are read in a way of their own; every other one is read as it is."""


class Target(Section):
    """One deploy target."""

    OTHERS: ClassVar[frozenset[str]] = frozenset(
        field.name for kind in KINDS.values() for field in fields(kind.settings)
    )
    """The keys of all kinds, for who misspells one."""
    name: str = Key(min_length=1)
    kind: Literal[tuple(KINDS)] = DEFAULT  # type: ignore[valid-type] # the table's own words

    @model_validator(mode="after")
    def _fit_each_other(self) -> Self:
        """Raise ValueError for what is wrong between its keys."""
        self.settings()
        return self

    def settings(self, placed: Callable[[Path], Path] = Path) -> Any:
        """Return the kind's settings, with every path given to ``placed``."""
        kind = KINDS[self.kind].settings
        return kind(**{field.name: _placed(getattr(self, field.name), placed) for field in fields(kind)})


def _placed(value: Any, placed: Callable[[Path], Path]) -> Any:
    if isinstance(value, tuple):
        return tuple(_placed(one, placed) for one in value)
    return placed(value) if isinstance(value, Path) else value


def _key(field: "Field[Any]", hint: Any) -> tuple[Any, Any]:
    """Return a key's type and default; what a repr hides, no error shows either."""
    default = ... if field.default is MISSING else field.default
    return TYPES.get(hint, hint), Key(default=default, repr=field.repr)


def _model(kind: str, settings: type[Any]) -> type[Target]:
    hints = get_type_hints(settings)
    keys: dict[str, Any] = {field.name: _key(field, hints[field.name]) for field in fields(settings)}
    made: type[Target] = create_model(f"Target_{kind}", __base__=Target, **keys)
    return made


MODELS: Mapping[str, type[Target]] = types.MappingProxyType(
    {name: _model(name, kind.settings) for name, kind in KINDS.items()}
)


def _read(value: object) -> Target:
    """Return the entry; what is wrong with it is told at the key of it that is wrong. Raises ValueError."""
    if isinstance(value, Target):
        return value
    kind = value.get("kind", DEFAULT) if isinstance(value, dict) else DEFAULT
    model = MODELS.get(kind) if isinstance(kind, str) else None
    if model is None and isinstance(value, dict):
        model, value = Target, {key: value[key] for key in ("name", "kind") if key in value}
    return (model or MODELS[DEFAULT]).model_validate(value)


AnyTarget = Annotated[Target, PlainValidator(_read)]
