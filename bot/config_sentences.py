"""What is wrong with the configuration, in a line each: the key, the value that is given, and what is allowed."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

SECRETS = frozenset(
    {"key", "old_keys", "key_secret", "eab_hmac", "bot_token", "signing_secret", "app_token", "secret"}
)
"""Keys whose values no error shows."""
LONG = 80
"""Characters of a value that are shown."""

_NO_TEXT = frozenset({"model_type", "tuple_type"})
_LIST = "a list is needed, such as [one, two]"
_MAP = "a map of keys is needed"
_WHOLE, _NUMBER = "a whole number is needed", "a number is needed"

ALLOWED: Mapping[str, str] = {
    "bool_parsing": "true or false is needed",
    "bool_type": "true or false is needed",
    "dict_type": _MAP,
    "finite_number": "a number with an end is needed",
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "greater_than": "a number greater than {gt:g} is needed",
    "greater_than_equal": "a number of at least {ge:g} is needed",
    "int_from_float": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "a smaller number is needed",
    "int_type": _WHOLE,
    "invalid_key": "every key must be a text",
    "less_than_equal": "a number of at most {le:g} is needed",
    "list_type": _LIST,
    "literal_error": "{expected} is needed",
    "model_attributes_type": _MAP,
    "model_type": _MAP,
    "path_type": "the path of a file or folder is needed",
    "string_too_short": "it must not be empty",
    "string_type": "a text is needed; put it in quotes",
    "string_unicode": "a text in UTF-8 is needed",
    "too_short": "at least one entry is needed",
    "tuple_type": _LIST,
}
"""Each kind of error that pydantic can report of our keys, and what is allowed instead; gaps are filled from its context."""


def sentences(error: ValidationError, root: type[BaseModel], file: str) -> Iterator[str]:
    """Yield a line for each thing that is wrong with the configuration ``root``, read from ``file`` and the environment.

    A list or a map is passed over where something inside of it is wrong: its line would only say so again.
    """
    details = error.errors()
    places = [detail["loc"] for detail in details]
    for detail in details:
        at = detail["loc"]
        if not any(place[: len(at)] == at and len(place) > len(at) for place in places):
            yield f"  {_place(at)}: {_says(detail, root, file)}"


def _place(at: Sequence[int | str]) -> str:
    """Return the key as a person would write it: ``acme.cas[0].directory``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in at)
    return "".join(parts).removeprefix(".")


def _says(detail: ErrorDetails, root: type[BaseModel], file: str) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        close = difflib.get_close_matches(_place(detail["loc"]), _known(detail["loc"], root), 1)
        where = f"; did you mean {close[0]}?" if close else f" (in {file} or the environment)"
        return f"there is no such key{where}"
    if kind == "missing":
        return "is missing, and has no default"
    allowed = _allowed(detail)
    whole = kind == "value_error" and isinstance(detail["input"], (dict, list)) and detail["input"]
    return allowed if whole else f"{_given(detail)} does not do: {allowed}"


def _allowed(detail: ErrorDetails) -> str:
    if detail["type"] == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    context = {key: _bound(value) for key, value in detail.get("ctx", {}).items()}
    template = ALLOWED.get(detail["type"])
    return template.format(**context) if template else detail["msg"]


def _bound(value: Any) -> Any:
    """Return a bound as it is, and the values of a choice without their quotes but for the empty one."""
    return value.replace("''", '""').replace("'", "") if isinstance(value, str) else value


def _given(detail: ErrorDetails) -> str:
    """Return the value as it may be shown: no secret, no password of a URL, no whole map, which may hold either."""
    value = detail["input"]
    if SECRETS & {str(part) for part in detail["loc"]}:
        return "…"
    if isinstance(value, (dict, list)):
        kind = "map" if isinstance(value, dict) else "list"
        return f"a {kind}" if value else f"an empty {kind}"
    if value is None or isinstance(value, bool):
        return "nothing" if value is None else str(value).lower()
    if (
        isinstance(value, str) and detail["type"] in _NO_TEXT
    ):  # a text where maps belong may be the secret itself
        return "a text"
    shown = re.sub(r"//[^']*", "//…", repr(value)) if "database" in detail["loc"] else repr(value)
    return shown if len(shown) <= LONG else f"{shown[:LONG]}…"


def _known(at: Sequence[int | str], root: type[BaseModel]) -> list[str]:
    """Return the keys that may be meant by the unknown one at ``at``: its neighbours, the sections and their keys."""
    parent = root
    for part in at[:-1]:
        parent = parent if isinstance(part, int) else _model(parent.model_fields[part].annotation) or parent
    own = (*parent.model_fields, *getattr(parent, "OTHERS", ()))
    neighbours = [_place((*at[:-1], name)) for name in own]
    sections = [
        key
        for name, field in root.model_fields.items()
        for key in (name, *(f"{name}.{k}" for k in getattr(field.annotation, "model_fields", {})))
    ]
    return neighbours + sections


def _model(annotation: Any) -> type[BaseModel] | None:
    """Return the section inside of a key's type: itself, or what a list or an optional one holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model(part)) is not None), None)
