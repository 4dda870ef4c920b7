"""What all conversions share: compact JSON, text that every database can hold, moments that are aware."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.model.clock import aware

Values = dict[str, Any]
"""Column name -> value, in the order of the table's columns."""

encode = json.JSONEncoder(separators=(",", ":")).encode
"""Returns compact JSON in ASCII, which can hold characters that no text column can."""

decode = json.JSONDecoder().decode
"""Returns what the JSON text says."""


def storable(prose: str) -> str:
    """Return text from outside as every database can hold it: no NUL (PostgreSQL), no lone surrogates (UTF-8)."""
    if prose.isprintable():
        return prose
    return prose.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}")


def settled(values: Values) -> tuple[Any, ...]:
    """Return the values as the row that a database would give back. Raises ValueError for a naive moment."""
    return tuple(aware(value) if isinstance(value, datetime) else value for value in values.values())


def first_store(what: Mapping[str, Any]) -> str:
    """Return the first store of those that a row is about, which an index begins with; empty if it is about none."""
    stores = what.get("stores") or ("",)
    return str(stores[0])
