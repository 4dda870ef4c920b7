"""Names that were not taken, as they are kept in a row: JSON and back."""

from collections.abc import Mapping
from typing import Any

from commands.reply import Problem, Refused
from commands.reply_json import part_from_json, part_to_json


def refused_to_json(one: Refused) -> dict[str, Any]:
    """Return the refused name as JSON-ready data."""
    return {"name": one.name, "problem": part_to_json(one.problem)}


def refused_from_json(data: Mapping[str, Any]) -> Refused:
    """Return the refused name that `refused_to_json` wrote."""
    part = part_from_json(data["problem"])
    if not isinstance(part, Problem):
        raise TypeError("a refused name comes with a problem")
    return Refused(data["name"], part)


def refused_in(data: Mapping[str, Any]) -> tuple[Refused, ...]:
    """Return the refused names that a row keeps under ``refused``; none if it keeps none."""
    return tuple(refused_from_json(one) for one in data.get("refused", ()))
