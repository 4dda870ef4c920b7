"""A Reply as JSON-ready data and back, for messages that wait in the outbox."""

from collections.abc import Callable, Mapping
from typing import Any

from commands.attachment import Attachment
from commands.reply import (
    Button,
    Buttons,
    Code,
    Fields,
    Hint,
    Mark,
    Mention,
    Menu,
    Paragraph,
    Part,
    Plan,
    Problem,
    Reply,
    Row,
    Rows,
    Steps,
    Tone,
)
from services.model.text import Text, Value, from_json, say, to_json

Data = Mapping[str, Any]


def reply_to_json(reply: Reply) -> dict[str, Any]:
    """Return ``reply`` as JSON-ready data; `reply_from_json` gives it back unchanged."""
    return {
        "tone": reply.tone.value,
        "title": to_json(reply.title),
        "parts": [part_to_json(part) for part in reply.parts],
        "private": reply.private,
    }


def reply_from_json(data: Data) -> Reply:
    """Return the reply that `reply_to_json` wrote. Raises KeyError or ValueError for anything else."""
    parts = tuple(part_from_json(part) for part in data["parts"])
    return Reply(Tone(data["tone"]), from_json(data["title"]), parts, bool(data["private"]))


def part_to_json(part: Part) -> dict[str, Any]:
    """Return one part as JSON-ready data that names its kind."""
    return {"kind": type(part).__name__.lower()} | _WRITERS[type(part)](part)


def part_from_json(data: Data) -> Part:
    """Return the part that `part_to_json` wrote. Raises KeyError or ValueError for anything else."""
    return _READERS[data["kind"]](data)


def _boxed(value: Value) -> dict[str, Any]:
    """Return a gap's value as the only gap of a sentence, which is how values are written as JSON."""
    return to_json(say("{value}", value=value))


def _unboxed(data: Data) -> Value:
    return from_json(data).values[0][1]


def _problem_to_json(part: Problem) -> dict[str, Any]:
    sentences = {"summary": part.summary, "remedy": part.remedy, "owner": part.owner}
    return {"code": part.code, "blocks": part.blocks} | {
        key: to_json(text) for key, text in sentences.items()
    }


def _problem_from_json(data: Data) -> Problem:
    summary, remedy, owner = (from_json(data[key]) for key in ("summary", "remedy", "owner"))
    return Problem(str(data["code"]), summary, remedy, owner, bool(data["blocks"]))


def _row_to_json(row: Row) -> dict[str, Any]:
    return {
        "name": to_json(row.name) if isinstance(row.name, Text) else row.name,
        "tone": row.tone.value,
        "label": to_json(row.label),
        "detail": to_json(row.detail),
    }


def _row_from_json(data: Data) -> Row:
    name = data["name"]
    begin = from_json(name) if isinstance(name, Mapping) else str(name)
    return Row(begin, Tone(data["tone"]), from_json(data["label"]), from_json(data["detail"]))


def _item_to_json(item: Button | Menu) -> dict[str, Any]:
    body: dict[str, Any] = {"action": item.action, "label": to_json(item.label)}
    if isinstance(item, Menu):
        return body | {"options": [[value, to_json(label)] for value, label in item.options]}
    confirm = None if item.confirm is None else to_json(item.confirm)
    return body | {"value": item.value, "style": item.style, "confirm": confirm}


def _item_from_json(data: Data) -> Button | Menu:
    action, label = str(data["action"]), from_json(data["label"])
    if "options" in data:
        return Menu(action, label, tuple((str(value), from_json(text)) for value, text in data["options"]))
    confirm = None if data["confirm"] is None else from_json(data["confirm"])
    return Button(action, str(data["value"]), label, str(data["style"]), confirm)


_WRITERS: Mapping[type[Part], Callable[[Any], dict[str, Any]]] = {
    Paragraph: lambda part: {"text": to_json(part.text)},
    Hint: lambda part: {"text": to_json(part.text)},
    Fields: lambda part: {"pairs": [[to_json(label), _boxed(value)] for label, value in part.pairs]},
    Plan: lambda part: {
        "name": part.name,
        "steps": [[to_json(label), mark.value] for label, mark in part.steps],
    },
    Problem: _problem_to_json,
    Rows: lambda part: {"rows": [_row_to_json(row) for row in part.rows]},
    Code: lambda part: {"text": part.text},
    Steps: lambda part: {"lines": [to_json(line) for line in part.lines]},
    Mention: lambda part: {"groups": list(part.groups), "text": to_json(part.text)},
    Attachment: lambda part: {"file": part.kind, "facts": part.facts},
    Buttons: lambda part: {"items": [_item_to_json(item) for item in part.items]},
}
_READERS: Mapping[str, Callable[[Data], Part]] = {
    "paragraph": lambda data: Paragraph(from_json(data["text"])),
    "hint": lambda data: Hint(from_json(data["text"])),
    "fields": lambda data: Fields(tuple((from_json(label), _unboxed(v)) for label, v in data["pairs"])),
    "plan": lambda data: Plan(data["name"], tuple((from_json(s), Mark(mark)) for s, mark in data["steps"])),
    "problem": _problem_from_json,
    "rows": lambda data: Rows(tuple(_row_from_json(row) for row in data["rows"])),
    "code": lambda data: Code(data["text"]),
    "steps": lambda data: Steps(tuple(from_json(line) for line in data["lines"])),
    "mention": lambda data: Mention(tuple(map(str, data["groups"])), from_json(data["text"])),
    "attachment": lambda data: Attachment(str(data["file"]), data["facts"]),
    "buttons": lambda data: Buttons(tuple(_item_from_json(item) for item in data["items"])),
}
