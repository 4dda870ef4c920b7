"""A Sheet as JSON-ready data and back, for those that wait until a modal can show them."""

from collections.abc import Mapping
from typing import Any

from commands.fields import Choice, Entry, Files
from commands.reply import Heading, Sheet, SheetPart, Tone
from commands.reply_json import part_from_json, part_to_json
from services.model.text import from_json, to_json

Data = Mapping[str, Any]


def sheet_to_json(sheet: Sheet) -> dict[str, Any]:
    """Return ``sheet`` as JSON-ready data; `sheet_from_json` gives it back unchanged."""
    heading = sheet.heading
    return {
        "name": sheet.name,
        "title": to_json(sheet.title),
        "parts": [_to_json(part) for part in sheet.parts],
        "submit": to_json(sheet.submit),
        "memory": sheet.memory,
        "heading": None if heading is None else [heading.tone.value, to_json(heading.text)],
    }


def sheet_from_json(data: Data) -> Sheet:
    """Return the sheet that `sheet_to_json` wrote. Raises KeyError or ValueError for anything else."""
    heading = data["heading"]
    return Sheet(
        str(data["name"]),
        from_json(data["title"]),
        tuple(_from_json(part) for part in data["parts"]),
        from_json(data["submit"]),
        str(data["memory"]),
        None if heading is None else Heading(Tone(heading[0]), from_json(heading[1])),
    )


def _to_json(part: SheetPart) -> dict[str, Any]:
    if not isinstance(part, Choice | Entry | Files):
        return part_to_json(part)
    body: dict[str, Any] = {"id": part.id, "label": to_json(part.label), "hint": to_json(part.hint)}
    if isinstance(part, Files):
        return {"kind": "files", **body, "kinds": list(part.kinds)}
    body["optional"] = part.optional
    if isinstance(part, Entry):
        return {"kind": "entry", **body, "initial": part.initial, "lines": part.lines, "enters": part.enters}
    options = [[value, to_json(label)] for value, label in part.options]
    return {
        "kind": "choice",
        **body,
        "options": options,
        "chosen": list(part.chosen),
        "several": part.several,
    }


def _from_json(data: Data) -> SheetPart:
    if data["kind"] not in ("choice", "entry", "files"):
        return part_from_json(data)
    name, label, hint = str(data["id"]), from_json(data["label"]), from_json(data["hint"])
    if data["kind"] == "files":
        return Files(name, label, tuple(map(str, data["kinds"])), hint)
    optional = bool(data["optional"])
    if data["kind"] == "entry":
        return Entry(
            name, label, str(data["initial"]), bool(data["lines"]), hint, optional, bool(data.get("enters"))
        )
    options = tuple((str(value), from_json(text)) for value, text in data["options"])
    chosen = tuple(map(str, data["chosen"]))
    return Choice(name, label, options, chosen, bool(data["several"]), hint, optional)
