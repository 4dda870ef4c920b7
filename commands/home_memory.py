"""What a person's Home shows: a portion, a search or the alerts, and how far back; as JSON, which proves no right. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from services.model.fleet import Portion, Position

ALERTS = "alerts"
"""What is shown in place of a portion of the certificates: the open alerts."""
MOST_TYPED = 253
"""Characters of a search: as many as a name has."""
_SHAPES: tuple[tuple[type, ...], ...] = ((int, str, str), (str, str), (int,))
"""Positions among certificates, among what was found, and among alerts."""
_MOST = 2**62


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown, and from where on."""

    what: Portion | None = None
    """A portion of the certificates; None with `alerts`, and where nothing was chosen yet."""
    alerts: bool = False
    search: str = ""
    """What was typed; a search is over all portions."""
    after: Position | None = None
    before: Position | None = None

    @property
    def fitting(self) -> "Shown":
        """The same, at the beginning if its positions are of another order than it has."""
        size = 1 if self.alerts else 2 if self.search else 3
        sound = all(len(at) == size for at in (self.after, self.before) if at is not None)
        return self if sound else replace(self, after=None, before=None)

    @property
    def chosen(self) -> bool:
        """Whether somebody has chosen it; else it is what the role begins with."""
        return self.alerts or self.what is not None or bool(self.search)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready data; what is not set is left out."""
        what = ALERTS if self.alerts else self.what.value if self.what is not None else ""
        found = {"what": what, "search": self.search, "after": self.after, "before": self.before}
        return {name: value for name, value in found.items() if value}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Return what `to_json` wrote; of anything else what can be read, so that no click is lost on an old view."""
        if not isinstance(data, Mapping):
            return cls()
        what, search = data.get("what"), data.get("search")
        return cls(
            what=Portion(what) if isinstance(what, str) and what in {*Portion} else None,
            alerts=what == ALERTS,
            search=search[:MOST_TYPED] if isinstance(search, str) and search.isprintable() else "",
            after=_position(data.get("after")),
            before=_position(data.get("before")),
        )


def _position(value: Any) -> Position | None:
    if not isinstance(value, list | tuple) or tuple(map(type, value)) not in _SHAPES:
        return None
    sound = all(one.isprintable() if isinstance(one, str) else 0 <= one < _MOST for one in value)
    return tuple(value) if sound else None


def memory(shown: Shown, first: Position | None, last: Position | None) -> str:
    """Return what a view carries: what it shows, and where its first and its last entry stand."""
    data = {**shown.to_json(), "first": first, "last": last}
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


def turned(carried: str, *, back: bool) -> Shown:
    """Return the page behind the one that ``carried`` is of, or before it; the same one if that cannot be told."""
    data = _read(carried)
    shown, edge = Shown.from_json(data), _position(data.get("first" if back else "last"))
    if edge is None:
        return shown
    return replace(shown, after=None if back else edge, before=edge if back else None)


def _read(text: str) -> Mapping[str, Any]:
    try:
        data = json.loads(text or "{}")
    except ValueError:
        return {}
    return data if isinstance(data, Mapping) else {}
