"""Slack's limits on messages as data, and a validator: Slack itself refuses the whole message for one block too long."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bot.slack.escape import size

MAX_BLOCKS = 50
MAX_SECTION = 3000
MAX_FIELDS = 10
MAX_FIELD = 2000
MAX_HEADER = 150
MAX_CONTEXT = 10
MAX_ACTIONS = 25
MAX_BUTTON = 75
MAX_BUTTON_VALUE = 2000
MAX_ID = 255
MAX_OPTIONS = 100
MAX_OPTION = 75
MAX_OPTION_VALUE = 150
MAX_OVERFLOW = 5
MAX_PLACEHOLDER = 150
MAX_CONFIRM_TITLE = 100
MAX_CONFIRM = 300
MAX_CONFIRM_BUTTON = 30
MAX_TICKS = 10
"""Options of tick boxes and radio buttons."""
MAX_VIEW_BLOCKS = 100
MAX_VIEW_WORD = 24
"""The title of a modal, and the words on its buttons."""
MAX_MEMORY = 3000
MAX_LABEL = 2000
MAX_TYPED = 3000
MAX_FILES = 10
"""Files of one field, and no fewer than one."""
MAX_FALLBACK = 4000
"""chat.update refuses a longer text; chat.postMessage would take ten times as much."""
MAX_TOTAL = 13_200
"""About what all the text of a message together may be."""

Piece = Mapping[str, Any]


def violations(text: str, blocks: Sequence[Piece]) -> list[str]:
    """Return one line for each of Slack's limits that the message breaks; empty for a message that Slack takes."""
    return list(_message(text, blocks))


def view_violations(view: Piece) -> list[str]:
    """Return one line for each of Slack's limits that a modal or a Home tab breaks."""
    return list(_view(view))


def text_size(piece: Any) -> int:
    """Return how much text, in UTF-16 units, stands anywhere in a block."""
    if isinstance(piece, Mapping):
        own = size(piece["text"]) if isinstance(piece.get("text"), str) else 0
        return own + sum(text_size(value) for value in piece.values())
    return sum(text_size(item) for item in piece) if isinstance(piece, list | tuple) else 0


def _message(text: str, blocks: Sequence[Piece]) -> Iterator[str]:
    yield from _length("fallback text", text, MAX_FALLBACK)
    if len(blocks) > MAX_BLOCKS:
        yield f"{len(blocks)} blocks, {MAX_BLOCKS} allowed"
    if size(text) + text_size(blocks) > MAX_TOTAL:
        yield f"{size(text) + text_size(blocks)} characters together, about {MAX_TOTAL} allowed"
    yield from _all(blocks)


def _view(view: Piece) -> Iterator[str]:
    if len(view["blocks"]) > MAX_VIEW_BLOCKS:
        yield f"{len(view['blocks'])} blocks, {MAX_VIEW_BLOCKS} allowed"
    if size(view.get("private_metadata", "")) > MAX_MEMORY:
        yield f"private_metadata has more than {MAX_MEMORY} characters"
    for name in ("title", "submit", "close"):
        if name in view:
            yield from _text(name, view[name], MAX_VIEW_WORD, plain=True)
    if view["type"] != "modal" and any(
        one.get("type") == "file_input" for block in view["blocks"] for one in _elements(block)
    ):
        yield "a field for files outside of a modal"
    inputs = any(block.get("type") == "input" for block in view["blocks"])
    if view["type"] == "modal" and inputs and "submit" not in view:
        yield "a modal with fields has no button that sends it off"
    yield from _all(view["blocks"])


def _all(blocks: Sequence[Piece]) -> Iterator[str]:
    yield from _twice("block_id", (block.get("block_id") for block in blocks))
    elements = [element for block in blocks for element in _elements(block)]
    yield from _twice("action_id", (element.get("action_id") for element in elements))
    for place, block in enumerate(blocks):
        rule = _BLOCKS.get(str(block.get("type")))
        found = rule(block) if rule else iter([f"unknown type {block.get('type')}"])
        yield from (f"block {place}: {line}" for line in found)


def _elements(block: Piece) -> list[Piece]:
    accessory = block.get("accessory")
    element = block.get("element")
    return [*block.get("elements", ()), *(one for one in (accessory, element) if one)]


def _section(block: Piece) -> Iterator[str]:
    fields = block.get("fields", [])
    if "text" not in block and not fields:
        yield "a section without text or fields"
    if "text" in block:
        yield from _text("text", block["text"], MAX_SECTION)
    if len(fields) > MAX_FIELDS:
        yield f"{len(fields)} fields, {MAX_FIELDS} allowed"
    for field in fields:
        yield from _text("field", field, MAX_FIELD)
    if "accessory" in block:
        yield from _element(block["accessory"])


def _header(block: Piece) -> Iterator[str]:
    yield from _text("header", block["text"], MAX_HEADER, plain=True)


def _context(block: Piece) -> Iterator[str]:
    yield from _count("context elements", block["elements"], MAX_CONTEXT)
    for element in block["elements"]:
        if element["type"] != "image":
            yield from _text("context text", element, MAX_SECTION)


def _file_input(element: Piece) -> Iterator[str]:
    if not 1 <= element.get("max_files", MAX_FILES) <= MAX_FILES:
        yield f"max_files {element['max_files']}, 1 to {MAX_FILES} allowed"
    kinds = element.get("filetypes", ["any"])
    if not kinds or not all(isinstance(kind, str) and kind.isalnum() for kind in kinds):
        yield "filetypes are no ends of file names"


def _actions(block: Piece) -> Iterator[str]:
    yield from _count("actions", block["elements"], MAX_ACTIONS)
    for element in block["elements"]:
        yield from _element(element)
        if element.get("type") == "file_input":
            yield "a field for files outside of an input block"


def _input(block: Piece) -> Iterator[str]:
    yield from _text("label", block["label"], MAX_LABEL, plain=True)
    if "hint" in block:
        yield from _text("hint", block["hint"], MAX_LABEL, plain=True)
    yield from _element(block["element"])


def _element(element: Piece) -> Iterator[str]:
    yield from _length("action_id", element.get("action_id", "-"), MAX_ID)
    rule = _ELEMENTS.get(str(element.get("type")))
    yield from rule(element) if rule else iter([f"unknown element {element.get('type')}"])
    if "confirm" in element:
        yield from _confirm(element["confirm"])


def _button(element: Piece) -> Iterator[str]:
    yield from _text("button", element["text"], MAX_BUTTON, plain=True)
    yield from _length("button value", element.get("value", "-"), MAX_BUTTON_VALUE)
    if element.get("style", "primary") not in ("primary", "danger"):
        yield f"button style {element['style']} is unknown"


def _select(element: Piece) -> Iterator[str]:
    if "placeholder" in element:
        yield from _text("placeholder", element["placeholder"], MAX_PLACEHOLDER, plain=True)
    yield from _options(element, MAX_OPTIONS)


def _overflow(element: Piece) -> Iterator[str]:
    yield from _options(element, MAX_OVERFLOW)


def _ticks(element: Piece) -> Iterator[str]:
    yield from _options(element, MAX_TICKS)


def _typed(element: Piece) -> Iterator[str]:
    if element.get("max_length", 1) > MAX_TYPED:
        yield f"max_length {element['max_length']}, {MAX_TYPED} allowed"


def _options(element: Piece, most: int) -> Iterator[str]:
    yield from _count("options", element.get("options", []), most)
    for option in element.get("options", ()):
        yield from _text("option", option["text"], MAX_OPTION, plain=True)
        yield from _length("option value", option["value"], MAX_OPTION_VALUE)


def _confirm(confirm: Piece) -> Iterator[str]:
    yield from _text("confirm title", confirm["title"], MAX_CONFIRM_TITLE, plain=True)
    yield from _text("confirm text", confirm["text"], MAX_CONFIRM)
    for name in ("confirm", "deny"):
        if name in confirm:
            yield from _text(f"confirm's {name}", confirm[name], MAX_CONFIRM_BUTTON, plain=True)


_ELEMENTS: Mapping[str, Callable[[Piece], Iterator[str]]] = {
    "button": _button,
    "static_select": _select,
    "multi_static_select": _select,
    "overflow": _overflow,
    "checkboxes": _ticks,
    "radio_buttons": _ticks,
    "plain_text_input": _typed,
    "file_input": _file_input,
}
_BLOCKS: Mapping[str, Callable[[Piece], Iterator[str]]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "divider": lambda _block: iter(()),
}


def _text(what: str, piece: Piece, limit: int, *, plain: bool = False) -> Iterator[str]:
    if plain and piece.get("type") != "plain_text":
        yield f"{what} must be plain_text"
    if piece.get("type") not in ("plain_text", "mrkdwn"):
        yield f"{what} is no text object"
    yield from _length(what, piece.get("text", ""), limit)


def _length(what: str, text: str, limit: int) -> Iterator[str]:
    if not text.strip():
        yield f"{what} is empty"
    if size(text) > limit:
        yield f"{what} has {size(text)} characters, {limit} allowed"


def _count(what: str, pieces: list[Piece], limit: int) -> Iterator[str]:
    if not 1 <= len(pieces) <= limit:
        yield f"{len(pieces)} {what}, 1 to {limit} allowed"


def _twice(what: str, ids: Iterator[str | None]) -> Iterator[str]:
    seen: set[str] = set()
    for found in ids:
        if found is not None and found in seen:
            yield f"{what} {found} stands twice"
        seen.add(found or "")
