"""Sentences for people as a template and its values, so that whoever shows them can translate, escape and format dates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Union

from services.model.clock import aware

Item = Union[str, "Text"]
"""What a list may hold: a name, or any text from anywhere; or a sentence."""
Value = Union[str, int, datetime, tuple[Item, ...], "Text"]
"""What may fill a gap: a text from anywhere (escaped when shown), a number, a moment, a list, a sentence."""


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence: an English template with {gaps} (the id in the message catalogues) and the values for the gaps."""

    template: str
    values: tuple[tuple[str, Value], ...] = ()
    many: str = ""
    """The template for any count but one; empty where the sentence has no plural."""

    def plain(self) -> str:
        """Return the English sentence without any mark-up; moments read 2027-02-10 14:03 UTC, lists are joined by commas."""
        template = self.many if self.many and self.count != 1 else self.template
        return template.format_map(
            {key: value if isinstance(value, int) else plain_value(value) for key, value in self.values}
        )

    @property
    def count(self) -> int:
        """How many the sentence speaks of, which chooses the plural form: its gap ``count``; 1 where there is none."""
        found = dict(self.values).get(COUNT, 1)
        return found if isinstance(found, int) else 1

    def __str__(self) -> str:
        return self.plain()

    def __bool__(self) -> bool:
        return bool(self.template)


COUNT = "count"
"""The gap whose number chooses the plural form."""
NOTHING = Text("")


class Phrase(str):
    """A template that is kept in a table or handed on before it is said: `said` does then what `say` does.

    It is always made of a literal, as in ``Phrase("{name} is blocked")``, for by this name it is found for translation.
    """

    __slots__ = ()

    def said(self, **values: Value) -> Text:
        """Return the sentence with its gaps filled by ``values``."""
        return Text(str(self), tuple(values.items()))


@dataclass(frozen=True, slots=True)
class Forms:
    """A template with a plural that is kept in a table: what `Phrase` is to `say`, this is to `say_n`."""

    one: str
    many: str

    def said(self, *, count: int, **values: Value) -> Text:
        """Return the sentence for ``count`` things."""
        return Text(self.one, ((COUNT, count), *values.items()), self.many)


def say(template: str, **values: Value) -> Text:
    """Return the sentence ``template`` with its gaps filled by ``values``. Literal braces are doubled, as in str.format.

    The template is a literal, so that it is found for translation (`bot.text.extract`); else see `Phrase`.
    """
    return Text(template, tuple(values.items()))


def say_n(one: str, many: str, *, count: int, **values: Value) -> Text:
    """Return the sentence for ``count`` things: ``one`` for one, ``many`` for any other number, in English.

    Other languages have other forms (gettext's ngettext). Both are literals. ``{count}`` is the number; ``one`` may do
    without it.
    """
    return Text(one, ((COUNT, count), *values.items()), many)


def plain_value(value: Value) -> str:
    """Return one gap's value as plain English text."""
    if isinstance(value, datetime):
        return aware(value).strftime("%Y-%m-%d %H:%M UTC")
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) if value else "none"
    return str(value)


def to_json(text: Text) -> dict[str, Any]:
    """Return ``text`` as JSON-ready data; `from_json` gives it back unchanged."""
    data = {"text": text.template, "values": {key: _value_to_json(value) for key, value in text.values}}
    return data | {"many": text.many} if text.many else data


def from_json(data: Mapping[str, Any]) -> Text:
    """Return the sentence that `to_json` wrote."""
    values = tuple((key, _value_from_json(value)) for key, value in data.get("values", {}).items())
    return Text(str(data["text"]), values, str(data.get("many", "")))


def _value_to_json(value: Value) -> Any:
    if isinstance(value, datetime):
        return {"moment": aware(value).isoformat()}
    if isinstance(value, Text):
        return to_json(value)
    if isinstance(value, tuple):
        return [_value_to_json(item) for item in value]
    return value


def _value_from_json(value: Any) -> Value:
    if isinstance(value, dict):
        return datetime.fromisoformat(value["moment"]) if "moment" in value else from_json(value)
    if isinstance(value, list):
        return tuple(from_json(item) if isinstance(item, dict) else str(item) for item in value)
    return value if isinstance(value, int) else str(value)
